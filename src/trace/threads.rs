//! Is this stack of the thread that stopped?
//!
//! gdb calls one thread by several names: `[Switching to Thread 0x… (LWP 7)]` gives the address and
//! the kernel's number, `Thread 3 "libvirtd" received …` the debugger's number and a name.
//!
//! Rule: two names are of one thread unless something both say differs; where they share nothing,
//! the frame that gdb showed at the stop decides.

use super::model::{Event, Stack, Thread};
use super::physical;

/// Where a stack's thread is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ThreadFrom {
    /// In a header above the stack: one of several threads, in no order of importance.
    Header,
    /// Nowhere near: it is the thread the session is at.
    Session,
}

/// Whether the stack is of the thread that stopped.
pub(super) fn is_stack_of(stop: &Event, stack: &Stack, from: ThreadFrom) -> bool {
    let by_name = match (&stop.thread, &stack.thread) {
        (Some(stopped), Some(shown)) => are_same(stopped, shown),
        _ => None,
    };
    by_name.unwrap_or_else(|| from == ThreadFrom::Session || begins_with_frame_of(stop, stack))
}

/// Whether two names are of one thread, where they share something.
pub(super) fn are_same(a: &Thread, b: &Thread) -> Option<bool> {
    same(a.address, b.address).or(same(a.lwp, b.lwp)).or(same(a.number, b.number))
}

fn same<T: PartialEq>(a: Option<T>, b: Option<T>) -> Option<bool> {
    Some(a? == b?)
}

fn begins_with_frame_of(stop: &Event, stack: &Stack) -> bool {
    match (&stop.frame, stack.frames.first()) {
        (Some(stopped), Some(first)) => physical::same_frame(stopped, first),
        _ => false,
    }
}

/// The thread that is now called `named`, with what was known of it, unless that was another.
pub(super) fn known_as(known: Option<Thread>, named: Thread) -> Thread {
    let Some(known) = known else { return named };
    if same(known.number, named.number) == Some(false) {
        return named;
    }
    Thread {
        number: named.number.or(known.number),
        name: named.name.or(known.name),
        address: named.address.or(known.address),
        lwp: named.lwp.or(known.lwp),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(number: u32) -> Thread {
        Thread { number: Some(number), ..Thread::default() }
    }

    fn of_kernel(lwp: u64) -> Thread {
        Thread { lwp: Some(lwp), ..Thread::default() }
    }

    #[test]
    fn names_of_one_thread_add_up() {
        let both = known_as(Some(of_kernel(7)), numbered(3));
        assert_eq!((both.number, both.lwp), (Some(3), Some(7)));
    }

    #[test]
    fn another_number_is_another_thread() {
        let known = known_as(Some(of_kernel(7)), numbered(3));
        assert_eq!(known_as(Some(known), numbered(4)), numbered(4));
    }
}
