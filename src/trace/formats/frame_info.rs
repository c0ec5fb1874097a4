//! What does gdb's `info frame` say around the frame?
//!
//! ```text
//! Stack level 1, frame at 0x7fffffffe6a0:
//!  rip = 0x7ffff7e5cf4f in __pthread_kill_internal (./nptl/pthread_kill.c:78); saved rip = 0x55555555514c
//!  called by frame at 0x7fffffffe6c0
//!  Saved registers:
//!   rbp at 0x7fffffffe690, rip at 0x7fffffffe698
//! ```
//! (gdb/stack.c, `info_frame_command_core`.) It says nothing of a stack that the frames do not say: a remark.

use super::parts::begins_with_any;
use super::registers::is_register;
use super::{Format, Says, Start};
use crate::trace::search;

/// The beginnings of its lines.
const LINES: [&str; 9] = [
    "called by frame at 0x",
    "caller of frame at 0x",
    "inlined into frame ",
    "tail call frame, ",
    "source language ",
    "Arglist at ",
    "Locals at ",
    "Saved registers:",
    "Previous frame's sp is ",
];

/// What the line says.
pub(super) fn start(text: &str) -> Option<Start<'_>> {
    let heading = text.starts_with("Stack level ") && text.contains(", frame at 0x")
        || text.starts_with("Stack frame at 0x") && text.ends_with(':');
    let place = || {
        let name = search::split_once(text, " = 0x").map(|(name, _)| name);
        name.is_some_and(is_register) && text.contains("; saved ")
    };
    let saved = || {
        let at = |word: &str| {
            search::split_once(word, " at 0x").is_some_and(|(name, _)| is_register(name))
        };
        text.split(", ").all(at)
    };
    let known = heading || begins_with_any(text, &LINES) || place() || saved();
    known.then_some(Start::Says(Format::Gdb, Says::Remark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_info_frame_is_known() {
        for line in [
            "Stack level 1, frame at 0x7fffffffe6a0:",
            "Stack frame at 0x7fffffffe6a0:",
            "rip = 0x7ffff7e5cf4f in f (./a.c:78); saved rip = 0x55555555514c",
            "tail call frame, caller of frame at 0x7fffffffe6a0",
            "called by frame at 0x7fffffffe6c0",
            "source language c.",
            "Arglist at unknown address.",
            "Locals at 0x7fff, Previous frame's sp is 0x7fffffffe6c0",
            "rbp at 0x7fffffffe690, rip at 0x7fffffffe698",
        ] {
            assert!(start(line).is_some(), "{line}");
        }
        for line in ["rip = 0x7f", "look at 0x7f", "it is at 0x1, or so", "Stack level 1", ""] {
            assert_eq!(start(line), None, "{line}");
        }
    }
}
