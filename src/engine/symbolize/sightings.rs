//! The frames of a trace by the module they are in, as placing a module needs them.

use std::collections::BTreeMap;

use super::candidates::{file_name, stem};
use super::listed::Lists;
use crate::address::{Pc, RuntimeAddress};
use crate::api::symbols::{Refusal, RefusedModule};
use crate::binary::Binary;
use crate::symbols::{Callee, Misfit, Proof, Sighting};
use crate::trace::{EventKind, Frame, Stack, Trace};

/// A module of a trace, and its frames.
#[derive(Debug)]
pub(super) struct Seen<'t> {
    /// The module's name as printed; none for the program itself.
    pub(super) name: Option<&'t str>,
    /// Where each sighting's frame is in the trace.
    pub(super) places: Vec<Place>,
    /// The frames with an address.
    pub(super) sightings: Vec<Sighting<'t>>,
    /// Those that a signal may have interrupted, although nothing in the text says so.
    may_be_exact: Vec<usize>,
    /// What the addresses count from.
    pub(super) addresses: Addresses,
}

/// What the addresses of a module's frames count from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Addresses {
    /// They are the process's.
    Process,
    /// The printer gives the place in the module only: they are the file's own.
    Module,
}

/// Where a frame is in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a stack: the positions of both.
    Stack(usize, usize),
    /// The frame of a stop: the position of its event.
    Event(usize),
}

/// Frames of one text can be of one process; another file is another paste.
type Key<'t> = (Option<&'t str>, Option<&'t str>, Addresses, Region);

/// A part of the address space. Rust's panics name no module, although frames of libraries are among
/// theirs; those are far from the program, so each part is placed by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Region(u64);

impl Region {
    fn of(format: &str, run: &Run<'_>) -> Region {
        let address = run.addressed().and_then(|frame| frame.address);
        Region(address.filter(|_| format == "rust-panic").map_or(0, |address| address.0 >> 40))
    }
}

/// All modules that frames with an address are in. Frames whose source line is printed need no
/// looking up; a debugger prints no module for them.
pub(super) fn seen<'t>(trace: &'t Trace, lists: &Lists<'t>) -> Vec<Seen<'t>> {
    let mut modules = BTreeMap::new();
    for (position, stack) in trace.stacks.iter().enumerate() {
        add_stack(&mut modules, lists, position, stack);
    }
    for (position, event) in trace.events.iter().enumerate() {
        // At a breakpoint: where a signal stopped the program, its backtrace shows the frame again.
        if let (EventKind::Breakpoint { .. }, Some(frame)) = (&event.what, &event.frame) {
            let run = Run { frames: std::slice::from_ref(&**frame), first: 0 };
            if let Some(seen) = run
                .module()
                .and_then(|module| entry(&mut modules, &run, (module, Region::default())))
            {
                seen.add(&run, Place::Event(position), Callee::Unknown);
            }
        }
    }
    modules.into_values().collect()
}

/// The kernel's frames that have a name and a place in that only: how many, by their module.
pub(super) fn without_address(trace: &Trace) -> Vec<RefusedModule> {
    let stacks = trace.stacks.iter().filter(|stack| stack.format == "linux");
    let mut counts: BTreeMap<Option<&str>, usize> = BTreeMap::new();
    for frame in stacks.flat_map(|stack| &stack.frames) {
        if frame.address.is_none() && frame.line.is_none() && !frame.guess {
            *counts.entry(frame.module.as_deref()).or_default() += 1;
        }
    }
    let refused = |(name, frames): (Option<&str>, usize)| RefusedModule {
        name: name.map(str::to_owned),
        frames,
        why: Refusal::NoAddresses,
        tried: Vec::new(),
    };
    counts.into_iter().map(refused).collect()
}

impl<'t> Seen<'t> {
    /// A module of which no frame is known yet.
    pub(super) fn new(name: Option<&'t str>, addresses: Addresses) -> Seen<'t> {
        let (places, sightings, may_be_exact) = (Vec::new(), Vec::new(), Vec::new());
        Seen { name, places, sightings, may_be_exact, addresses }
    }

    /// The positions of the frames that stand at no call, by what the code says, and may not have to.
    pub(super) fn interrupted(&self, proofs: &[Proof]) -> Vec<usize> {
        let at_no_call = |position: &usize| {
            let misfit = [Misfit::NoCall, Misfit::CallsOther].map(Proof::Misfit);
            proofs.get(*position).is_some_and(|proof| misfit.contains(proof))
        };
        self.may_be_exact.iter().copied().filter(at_no_call).collect()
    }

    /// The sightings as a binary has them, with the frames at these positions as a signal interrupted
    /// them.
    pub(super) fn sightings_in(&self, binary: &Binary, exact: &[usize]) -> Vec<Sighting<'t>> {
        let mut sightings = self.sightings.clone();
        for position in exact {
            if let Some(sighting) = sightings.get_mut(*position) {
                (sighting.pc, sighting.callee) = (Pc::Exact, Callee::Unknown);
            }
        }
        let architecture = binary.identity().architecture;
        sightings.into_iter().map(|sighting| sighting.undone(architecture)).collect()
    }

    /// Takes a frame of another module's list over.
    pub(super) fn take(&mut self, of: &Seen<'t>, position: usize, sighting: Sighting<'t>) {
        let Some(place) = of.places.get(position) else { return };
        if of.may_be_exact.binary_search(&position).is_ok() {
            self.may_be_exact.push(self.sightings.len());
        }
        self.places.push(*place);
        self.sightings.push(sighting);
    }

    /// Takes the frames of another stack in.
    pub(super) fn extend(&mut self, other: Seen<'t>) {
        let start = self.sightings.len();
        self.may_be_exact.extend(other.may_be_exact.iter().map(|position| position + start));
        let moved = |mut sighting: Sighting<'t>| {
            if let Callee::Sighting(position) = &mut sighting.callee {
                *position += start;
            }
            sighting
        };
        self.sightings.extend(other.sightings.into_iter().map(moved));
        self.places.extend(other.places);
    }

    fn add(&mut self, run: &Run<'t>, place: Place, callee: Callee<'t>) {
        let Some(frame) = run.addressed() else { return };
        let Some(address) = address(frame) else { return };
        let (pc, name, offset) = (frame.pc, run.name(), run.offset());
        self.places.push(place);
        self.sightings.push(Sighting { address, pc, name, offset, callee });
    }
}

fn entry<'m, 't>(
    modules: &'m mut BTreeMap<Key<'t>, Seen<'t>>,
    run: &Run<'t>,
    (module, region): (Option<&'t str>, Region),
) -> Option<&'m mut Seen<'t>> {
    let frame = run.addressed().filter(|frame| !frame.guess)?;
    let addresses = match frame.address {
        Some(_) => Addresses::Process,
        None => Addresses::Module,
    };
    let key = (frame.lines.piece.as_deref(), module, addresses, region);
    Some(modules.entry(key).or_insert_with(|| Seen::new(module, addresses)))
}

/// The address of a frame, or its place in its module where that is all that is printed.
fn address(frame: &Frame) -> Option<RuntimeAddress> {
    let in_module = || frame.module.as_ref().and(frame.module_offset);
    frame.address.or_else(|| in_module().map(|offset| RuntimeAddress(offset.0)))
}

/// The listed module whose range holds a frame's address.
fn holder<'t>(lists: &Lists<'t>, run: &Run<'t>) -> Option<&'t str> {
    let frame = run.addressed()?;
    lists.holder(frame.lines.piece.as_deref(), frame.address?)
}

/// The next inner machine frame of a stack.
struct Inner<'t> {
    module: Option<Option<&'t str>>,
    name: Option<&'t str>,
    /// Its position among the sightings of its module, if it is there.
    sighting: Option<usize>,
}

fn add_stack<'t>(
    modules: &mut BTreeMap<Key<'t>, Seen<'t>>,
    lists: &Lists<'t>,
    position: usize,
    stack: &'t Stack,
) {
    let mut inner: Option<Inner<'t>> = None;
    for run in runs(&stack.frames) {
        let module = match run.module() {
            Some(None) => match &*stack.format {
                // A debugger leaves the module out to say that it is the program.
                "" | "gdb" => Some(None),
                // These name no module: the hypervisor and the kernel are the program.
                "xen" | "linux" | "rust-panic" => Some(holder(lists, &run)),
                // Others know of none.
                _ => holder(lists, &run).map(Some),
            },
            module => module,
        };
        let region = match module {
            Some(None) => Region::of(&stack.format, &run),
            _ => Region::default(),
        };
        let may_be_exact = run.may_be_interrupted(inner.as_ref());
        let callee = match inner {
            Some(Inner { module: Some(other), name, sighting }) if run.is_after_call() => {
                match sighting {
                    Some(sighting) if Some(other) == module => Callee::Sighting(sighting),
                    Some(_) if !is_alike(other, module.flatten()) => Callee::Elsewhere(name),
                    // Printed once with its folder and once without, it may be this module too.
                    _ => Callee::Unknown,
                }
            }
            _ => Callee::Unknown,
        };
        let mut sighting = None;
        if let Some(seen) = module.and_then(|module| entry(modules, &run, (module, region))) {
            if may_be_exact {
                seen.may_be_exact.push(seen.sightings.len());
            }
            seen.add(&run, Place::Stack(position, run.addressed_at()), callee);
            sighting = seen.sightings.len().checked_sub(1);
        }
        let name = run.name();
        inner = (!run.is_signal_handler()).then_some(Inner { module, name, sighting });
    }
}

/// Whether two names can be of one module.
fn is_alike(a: Option<&str>, b: Option<&str>) -> bool {
    let bare = |name| stem(file_name(name));
    a.is_some() && a.map(bare) == b.map(bare)
}

/// The frames that share one machine frame, innermost first.
#[derive(Clone, Copy, Debug)]
struct Run<'t> {
    frames: &'t [Frame],
    /// The position of the first in its stack.
    first: usize,
}

fn runs(frames: &[Frame]) -> impl Iterator<Item = Run<'_>> {
    let same = |a: &Frame, b: &Frame| a.physical == b.physical;
    frames.chunk_by(same).scan(0, |next, frames| {
        let first = *next;
        *next += frames.len();
        Some(Run { frames, first })
    })
}

impl<'t> Run<'t> {
    fn addressed(&self) -> Option<&'t Frame> {
        self.frames.iter().find(|frame| address(frame).is_some())
    }

    fn addressed_at(&self) -> usize {
        let at = self.frames.iter().position(|frame| address(frame).is_some());
        self.first + at.unwrap_or(0)
    }

    /// The module's name, or none for the program itself; nothing where the frame is not of a module
    /// that has to be placed.
    fn module(&self) -> Option<Option<&'t str>> {
        let named = self.frames.iter().find_map(|frame| frame.module.as_deref());
        let has_line = self.frames.iter().any(|frame| frame.line.is_some());
        match named {
            Some(name) => Some(Some(name)),
            None if has_line || self.is_signal_handler() => None,
            None => Some(None),
        }
    }

    /// The function that has the machine frame: the outermost of those inlined into it.
    fn name(&self) -> Option<&'t str> {
        self.frames.last()?.function.as_deref()
    }

    fn offset(&self) -> Option<u64> {
        self.frames.last()?.offset
    }

    fn is_signal_handler(&self) -> bool {
        self.frames.iter().any(|frame| frame.signal_handler)
    }

    /// Whether it stands at the call of the next inner frame: it is no frame that a signal has
    /// interrupted.
    fn is_after_call(&self) -> bool {
        self.addressed().is_some_and(|frame| frame.pc != Pc::Exact)
    }

    /// Whether a signal may have interrupted it: a sanitizer's innermost frame, or one under a frame
    /// of the C library that has no name, as the code has to which signal handlers return.
    fn may_be_interrupted(&self, inner: Option<&Inner<'_>>) -> bool {
        let Some(frame) = self.addressed() else { return false };
        match inner {
            None => frame.pc == Pc::Adjusted && self.first == 0,
            Some(inner) => {
                let module = inner.module.flatten().unwrap_or_default();
                let file = module.rsplit('/').next().unwrap_or(module);
                let libc =
                    ["libc.so", "libc-", "libpthread"].iter().any(|name| file.starts_with(name));
                libc && inner.name.is_none() && self.is_after_call()
            }
        }
    }
}
