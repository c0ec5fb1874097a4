//! Which frames of a stack are one machine frame, and what is their address relative to a call?
//!
//! gdb shows functions that were inlined as frames of their own. The address stands on the
//! innermost of a run; those after it without one share it. A frame whose code starts a row of the
//! line table has no address either, and can only be the innermost, or the one under a signal.
//!
//! ```text
//! #3  0x…a6 in virEventPollDispatchHandles (…)   machine frame 3, inlined into
//! #4  virEventPollRunOnce ()                     machine frame 3
//! #5  0x…a6 in virEventRunDefaultImpl ()         machine frame 4
//! ```
//! Rule: exact are the innermost machine frame and the one a signal interrupted; the others are
//! return addresses.

use super::model::Frame;
use crate::address::{Pc, RuntimeAddress};

/// How the addresses of a printer's frames are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Addresses {
    /// As the machine has them: exact in the innermost machine frame and under a signal.
    InnermostExact,
    /// As each frame says.
    AsTold,
    /// As each frame says, and the innermost is exact.
    InnermostExactElseAsTold,
}

/// Numbers the machine frames of a stack that gdb did not print. Where it says so of functions that
/// were inlined, their frames repeat the address; one function at one address is recursion.
pub(super) fn number_told(frames: &mut [Frame], addresses: Addresses) {
    let mut last: Option<(Option<RuntimeAddress>, Option<String>, Option<u32>)> = None;
    let mut physical = 0;
    let mut after_signal = false;
    for frame in frames {
        let own = (frame.address, frame.function.clone(), frame.line);
        let inlined = |last: &(Option<RuntimeAddress>, Option<String>, Option<u32>)| {
            last.0.is_some()
                && last.0 == own.0
                && (last.1.is_some() || own.1.is_some())
                && *last != own
        };
        let same = last.as_ref().is_some_and(inlined);
        if last.is_some() && !same {
            physical += 1;
        }
        let innermost = physical == 0 && (frame.index == 0 || same);
        match addresses {
            Addresses::InnermostExact if innermost || after_signal => frame.pc = Pc::Exact,
            Addresses::InnermostExact => frame.pc = Pc::Return,
            Addresses::InnermostExactElseAsTold if innermost => frame.pc = Pc::Exact,
            Addresses::InnermostExactElseAsTold | Addresses::AsTold => {}
        }
        frame.physical = physical;
        after_signal = frame.function.as_deref().is_some_and(is_signal_return);
        last = Some(own);
    }
}

/// Makes one machine frame of each frame at these positions and the next, whose address says where the
/// inlined code begins.
pub(super) fn join(frames: &mut [Frame], inlined: &[usize]) {
    let mut joined = 0;
    let mut last: Option<(usize, u32, Pc)> = None;
    for (position, frame) in frames.iter_mut().enumerate() {
        let own = frame.physical;
        if let Some((before, physical, pc)) = last
            && physical != own
            && inlined.binary_search(&before).is_ok()
        {
            joined += 1;
            frame.pc = pc;
        }
        frame.physical -= joined;
        last = Some((position, own, frame.pc));
    }
}

/// The code that a signal handler returns to: the frame under it was interrupted (glibc's, and the
/// kernel's in its vdso).
fn is_signal_return(name: &str) -> bool {
    matches!(name, "__restore_rt" | "__restore" | "__kernel_rt_sigreturn" | "__kernel_sigreturn")
}

/// Numbers the machine frames of a stack from 0, and says how their addresses are meant.
pub(super) fn number(frames: &mut [Frame]) {
    let mut physical = 0;
    let mut pc = match frames.first() {
        Some(first) if first.index == 0 => Pc::Exact,
        _ => Pc::Return,
    };
    let mut after_signal = false;
    for (position, frame) in frames.iter_mut().enumerate() {
        let starts = frame.address.is_some() || frame.signal_handler || after_signal;
        if position > 0 && starts {
            physical += 1;
            pc = if after_signal { Pc::Exact } else { Pc::Return };
        }
        frame.physical = physical;
        frame.pc = pc;
        after_signal = frame.signal_handler;
    }
}

/// Whether two texts show the same frame of the same stack.
pub(super) fn same_frame(a: &Frame, b: &Frame) -> bool {
    a.index == b.index && a.address == b.address && a.function == b.function
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::budget::Budget;
    use crate::trace::formats::gdb;

    /// The machine frame and the kind of address of each frame.
    fn numbered(texts: &[&str], first: u32) -> Vec<(u32, Pc)> {
        let frame = |(text, index): (&&str, u32)| gdb::frame(text, index, &mut Budget::default());
        let mut frames: Vec<Frame> = texts.iter().zip(first..).filter_map(frame).collect();
        number(&mut frames);
        frames.iter().map(|frame| (frame.physical, frame.pc)).collect()
    }

    /// The machine frame and the kind of address of frames with these addresses and functions.
    fn told(frames: &[(u64, &str)], addresses: Addresses) -> Vec<(u32, Pc)> {
        let frame = |(index, (address, name)): (u32, &(u64, &str))| Frame {
            address: Some(RuntimeAddress(*address)),
            function: Some((*name).to_owned()),
            index,
            ..crate::trace::formats::bare_frame(index)
        };
        let mut frames: Vec<Frame> = (0..).zip(frames).map(frame).collect();
        number_told(&mut frames, addresses);
        frames.iter().map(|frame| (frame.physical, frame.pc)).collect()
    }

    #[test]
    fn where_addresses_repeat_functions_were_inlined_or_recur() {
        let stack =
            [(1, "a"), (1, "b"), (2, "c"), (2, "c"), (2, "d"), (3, "__restore_rt"), (4, "e")];
        let machine: Vec<u32> =
            told(&stack, Addresses::AsTold).iter().map(|(machine, _)| *machine).collect();
        assert_eq!(machine, [0, 0, 1, 2, 2, 3, 4]);
        let pcs: Vec<Pc> =
            told(&stack, Addresses::InnermostExact).into_iter().map(|(_, pc)| pc).collect();
        let (exact, call) = (Pc::Exact, Pc::Return);
        assert_eq!(pcs, [exact, exact, call, call, call, call, exact]);
    }

    #[test]
    fn frames_that_say_to_be_inlined_share_a_machine_frame_whatever_their_addresses() {
        let bare = |index: u32| Frame {
            address: Some(RuntimeAddress(u64::from(index))),
            ..crate::trace::formats::bare_frame(index)
        };
        let mut frames: Vec<Frame> = (0..5).map(bare).collect();
        number_told(&mut frames, Addresses::InnermostExact);
        join(&mut frames, &[0, 2]);
        let read: Vec<(u32, Pc)> = frames.iter().map(|frame| (frame.physical, frame.pc)).collect();
        let (exact, call) = (Pc::Exact, Pc::Return);
        assert_eq!(read, [(0, exact), (0, exact), (1, call), (1, call), (2, call)]);
    }

    #[test]
    fn inlined_frames_share_the_innermost_address() {
        let stack = ["0x1 in a ()", "b ()", "c ()", "0x2 in d ()", "e ()"];
        let expected =
            [(0, Pc::Exact), (0, Pc::Exact), (0, Pc::Exact), (1, Pc::Return), (1, Pc::Return)];
        assert_eq!(numbered(&stack, 0), expected);
    }

    #[test]
    fn a_signal_interrupts_an_instruction() {
        let stack = ["0x1 in a ()", "<signal handler called>", "b ()", "c ()", "0x2 in d ()"];
        let expected =
            [(0, Pc::Exact), (1, Pc::Return), (2, Pc::Exact), (2, Pc::Exact), (3, Pc::Return)];
        assert_eq!(numbered(&stack, 0), expected);
    }

    #[test]
    fn a_stack_without_its_top_has_return_addresses_only() {
        assert_eq!(
            numbered(&["0x1 in a ()", "0x2 in b ()"], 3),
            [(0, Pc::Return), (1, Pc::Return)]
        );
    }
}
