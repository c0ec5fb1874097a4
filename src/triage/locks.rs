//! Which threads wait for mutexes that threads which wait hold?
//!
//! A stack tells which mutex its thread waits for (the argument of `pthread_mutex_lock`), a printed
//! mutex tells by whom it is held: `__data.__owner`, the kernel's id of the thread
//! (nptl/pthread_mutex_lock.c writes `THREAD_GETMEM (THREAD_SELF, tid)` there).

use std::collections::BTreeMap;

use super::facts::Facts;
use super::number::number_of;
use crate::notes::{Deadlock, integer};
use crate::public_name::public_name;
use crate::trace::{Frame, Lines, Value, ValueKind};

/// The functions that wait for a mutex, by their public names.
const LOCKING: [&str; 5] = [
    "pthread_mutex_lock",
    "__pthread_mutex_lock",
    "___pthread_mutex_lock",
    "__pthread_mutex_lock_full",
    "pthread_mutex_timedlock",
];

/// One thread that waits.
pub(super) struct Wait<'t> {
    /// The kernel's id of the thread.
    lwp: i128,
    /// The mutex's address.
    mutex: i128,
    /// Who holds it.
    owner: i128,
    /// The frame that waits.
    pub(super) frame: &'t Frame,
    /// Where the owner is printed.
    pub(super) owner_lines: &'t Lines,
    pub(super) stack: usize,
}

impl Wait<'_> {
    /// `LWP 12 waits for mutex 0x602010, which LWP 13 holds`.
    pub(super) fn in_words(&self) -> String {
        let Wait { lwp, mutex, owner, .. } = self;
        format!("LWP {lwp} waits for mutex {mutex:#x}, which LWP {owner} holds")
    }

    /// `mutex 0x602010: __owner = 13`.
    pub(super) fn owner_in_words(&self) -> String {
        format!("mutex {:#x}: __owner = {}", self.mutex, self.owner)
    }
}

/// The threads that wait for themselves, or in a ring; the first such.
pub(super) fn find<'t>(facts: &Facts<'t>, asked: Deadlock) -> Option<Vec<Wait<'t>>> {
    let mut waits = waits(facts);
    let ring = match asked {
        Deadlock::Itself => {
            waits.values().find(|wait| wait.lwp == wait.owner).map(|wait| vec![wait.lwp])
        }
        Deadlock::Ring => waits.keys().find_map(|start| ring_from(&waits, *start)),
    }?;
    Some(ring.iter().filter_map(|lwp| waits.remove(lwp)).collect())
}

/// From one thread to that which holds what it waits for, until it comes round.
fn ring_from(waits: &BTreeMap<i128, Wait<'_>>, start: i128) -> Option<Vec<i128>> {
    let mut ring = vec![start];
    let mut at = waits.get(&start)?.owner;
    while at != start {
        // Another ring is found from its own threads.
        if ring.contains(&at) || ring.len() > waits.len() {
            return None;
        }
        ring.push(at);
        at = waits.get(&at)?.owner;
    }
    (ring.len() > 1).then_some(ring)
}

/// The threads of which both are told: what they wait for and who holds it.
fn waits<'t>(facts: &Facts<'t>) -> BTreeMap<i128, Wait<'t>> {
    let owners = owners(facts);
    let mut waits = BTreeMap::new();
    for name in LOCKING {
        for &stack in facts.stacks_with(name) {
            let wait = wait(facts, name, stack, &owners);
            waits.extend(wait.map(|wait| (wait.lwp, wait)));
        }
    }
    waits
}

fn wait<'t>(
    facts: &Facts<'t>,
    function: &str,
    stack: usize,
    owners: &BTreeMap<i128, (i128, &'t Lines)>,
) -> Option<Wait<'t>> {
    let at = facts.names(stack).iter().position(|name| name.as_deref() == Some(function))?;
    let printed = facts.trace.stacks.get(stack)?;
    let frame = printed.frames.get(at)?;
    let lwp = i128::from(printed.thread.as_ref()?.lwp?);
    let mutex = mutex_of(frame)?;
    let (owner, owner_lines) = *owners.get(&mutex)?;
    Some(Wait { lwp, mutex, owner, frame, owner_lines, stack })
}

fn mutex_of(frame: &Frame) -> Option<i128> {
    let mutex = frame.arguments.iter().find(|argument| argument.name == "mutex")?;
    number_of(&mutex.value)
}

/// The owner of each mutex that was printed: `p *(pthread_mutex_t *) 0x602010`, or `p *mutex` in
/// a frame that says where that is.
fn owners<'t>(facts: &Facts<'t>) -> BTreeMap<i128, (i128, &'t Lines)> {
    let mut owners = BTreeMap::new();
    for printed in &facts.trace.values {
        let Some(owner) = owner_in(&printed.value) else { continue };
        let Some(pointer) = printed.expression.as_deref().and_then(pointer_in) else { continue };
        let mutex =
            integer(pointer).or_else(|| argument(facts, printed.stack, printed.frame, pointer));
        owners.extend(mutex.map(|mutex| (mutex, (owner, &printed.lines))));
    }
    owners
}

/// `{__data = {__lock = 2, __count = 0, __owner = 4711, …`.
fn owner_in(value: &Value) -> Option<i128> {
    let data = value.fields.iter().find(|field| field.name == "__data")?;
    let owner = data.value.fields.iter().find(|field| field.name == "__owner")?;
    // 0: nobody holds it.
    number_of(&owner.value).filter(|owner| *owner != 0)
}

/// `0x602010` of `*(pthread_mutex_t *) 0x602010`, `mutex` of `*mutex`.
fn pointer_in(expression: &str) -> Option<&str> {
    let pointer = expression.trim().strip_prefix('*')?.trim();
    let bare = match pointer.strip_prefix('(') {
        Some(cast) => cast.split_once(')')?.1,
        None => pointer,
    };
    Some(bare.trim())
}

/// The argument of that name in the frame that was selected.
fn argument(
    facts: &Facts<'_>,
    stack: Option<usize>,
    frame: Option<u32>,
    name: &str,
) -> Option<i128> {
    let frames = &facts.trace.stacks.get(stack?)?.frames;
    let frame = frames.iter().find(|printed| Some(printed.index) == frame)?;
    let is_wait = frame.function.as_deref().is_some_and(|f| LOCKING.contains(&&*public_name(f)));
    let printed = frame.arguments.iter().find(|argument| argument.name == name)?;
    let is_known = !matches!(printed.value.kind, ValueKind::OptimizedOut | ValueKind::Unknown);
    (is_wait && is_known).then(|| number_of(&printed.value)).flatten()
}
