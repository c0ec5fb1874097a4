//! What do valgrind's tools report, and on which stacks?
//!
//! ```text
//! ==6026== Invalid read of size 4
//! ==6026==    at 0x1091A5: use_after_free (heap.c:28)
//! ==6026==    by 0x4884250: (below main) (libc_start_call_main.h:74)
//! ==6026==  Address 0x4a4204c is 12 bytes inside a block of size 16 free'd
//! ==6026==    at 0x484417B: free (in /usr/libexec/valgrind/vgpreload_memcheck-amd64-linux.so)
//! ==6026==  Block was alloc'd at
//! ```
//! (coregrind/m_stacktrace.c, `printIpDesc`; m_debuginfo/debuginfo.c, `VG_(describe_IP)`.) The innermost
//! address is exact, the others are moved back into the call; inlined functions repeat it. Rule: lines of
//! valgrind are known by its mark, frames also without it.

use super::parts::{address, begins_with_any, place};
use super::{Fault, Format, Numbered, Says, Start, Told, bare_frame, number};
use crate::address::Pc;
use crate::trace::model::{Frame, Thread};
use crate::trace::search;

/// What the line says.
pub(super) fn start(text: &str) -> Option<Start<'_>> {
    let inner = inner(text);
    let line = inner.unwrap_or(text).trim();
    if let Some(told) = frame(line) {
        return Some(Start::Told(Box::new(told)));
    }
    inner?;
    Some(Start::Says(Format::Valgrind, says(line)))
}

/// The line without valgrind's mark.
pub(in crate::trace) fn without_mark(text: &str) -> &str {
    inner(text.trim_start()).unwrap_or(text)
}

/// What stands behind `==6026==` or `--6026--`.
fn inner(text: &str) -> Option<&str> {
    let mark = ["==", "--"].iter().find_map(|mark| Some((mark, text.strip_prefix(mark)?)));
    let (mark, rest) = mark?;
    let rest = number::<u64>(rest)?.1.strip_prefix(mark)?;
    (rest.is_empty() || rest.starts_with(' ')).then_some(rest)
}

/// `at 0x1091A5: use_after_free (heap.c:28)`
fn frame(text: &str) -> Option<Told> {
    let (first, rest) = match text.strip_prefix("at ") {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix("by ")?),
    };
    let (address, rest) = address(rest)?;
    let rest = rest.strip_prefix(": ")?;
    let (name, inner) =
        match rest.strip_suffix(')').and_then(|rest| search::rsplit_once(rest, " (")) {
            Some((name, inner)) => (name, inner),
            None => (rest, ""),
        };
    let mut frame = Frame { address: Some(address), ..bare_frame(0) };
    frame.pc = if first { Pc::Exact } else { Pc::Adjusted };
    frame.function = Some(name).filter(|name| *name != "???").map(str::to_owned);
    frame.module = inner.strip_prefix("in ").map(str::to_owned);
    if let Some(place) = place(inner) {
        (frame.file, frame.line) = (Some(place.file), Some(place.line));
    } else if frame.module.is_none() && !inner.is_empty() {
        // The last parentheses are a C++ function's own.
        frame.function = Some(rest.to_owned());
    }
    let number = if first { Numbered::First } else { Numbered::Next };
    Some(Told { format: Format::Valgrind, number, frame, build_id: None })
}

/// What a line of valgrind's says that is no frame.
fn says(text: &str) -> Says<'_> {
    const FAULTS: [&str; 12] = [
        "Invalid ",
        "Conditional jump or move depends on ",
        "Use of uninitialised value ",
        "Syscall param ",
        "Mismatched ",
        "Source and destination overlap ",
        "Argument '",
        "Jump to the invalid address ",
        "Possible data race during ",
        "Exiting thread still holds ",
        "Illegal ",
        "Lock at ",
    ];
    const HEADINGS: [&str; 5] = [
        "Block was alloc'd",
        "Uninitialised value was created",
        "This conflicts with a previous ",
        "Access not within mapped region",
        "Required order was established ",
    ];
    if let Some(rest) = text.strip_prefix("Process terminating with default action of signal ") {
        let name = rest.split_once('(').and_then(|(_, name)| name.split_once(')'));
        let name = name.map_or("", |(name, _)| name);
        return if name.is_empty() { Says::Remark } else { Says::Signal { name, meaning: None } };
    }
    let lost = search::contains(text, " lost in loss record ")
        || search::contains(text, " reachable in loss record ");
    let number = search::split_once(text, "hread #").and_then(|(_, rest)| number(rest));
    let of_thread =
        text.starts_with("Thread #") && number.is_some_and(|(_, rest)| rest.starts_with(": "));
    let thread = number.map(|(number, _)| Thread { number: Some(number), ..Thread::default() });
    if lost || of_thread || begins_with_any(text, &FAULTS) {
        let at = search::split_once(text, " at 0x")
            .and_then(|(_, rest)| super::parts::hexadecimal(rest));
        let address = at.map(|(at, _)| crate::address::RuntimeAddress(at));
        return Says::Fault(Fault {
            what: text,
            address,
            place: None,
            thread: thread.map(Box::new),
        });
    }
    let created = text.starts_with("Thread #") && text.contains(" was created");
    let block =
        text.starts_with("Address 0x") && (text.ends_with("free'd") || text.ends_with("alloc'd"));
    if created || block || begins_with_any(text, &HEADINGS) {
        return Says::Heading { thread };
    }
    Says::Remark
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_with_and_without_the_mark() {
        for (line, function, file, module) in [
            ("==7==    at 0x1091A5: f (heap.c:28)", Some("f"), Some("heap.c"), None),
            ("at 0x1091A5: free (in /usr/lib/a b.so)", Some("free"), None, Some("/usr/lib/a b.so")),
            ("by 0x4884250: (below main) (x.h:74)", Some("(below main)"), Some("x.h"), None),
            ("by 0x4884250: ??? (in /a)", None, None, Some("/a")),
            ("by 0x4884250: ???", None, None, None),
            (
                "by 0x1: ns::f(int (*)(char)) (a.cc:1)",
                Some("ns::f(int (*)(char))"),
                Some("a.cc"),
                None,
            ),
            ("by 0x1: ns::f(int, char (*)(int))", Some("ns::f(int, char (*)(int))"), None, None),
        ] {
            let Some(Start::Told(told)) = start(line) else { panic!("{line}") };
            let frame = told.frame;
            assert_eq!(
                (frame.function.as_deref(), frame.file.as_deref()),
                (function, file),
                "{line}"
            );
            assert_eq!(frame.module.as_deref(), module, "{line}");
        }
    }

    #[test]
    fn a_fault_a_heading_and_the_rest() {
        let says = |text| match start(text) {
            Some(Start::Says(_, says)) => Some(says),
            _ => None,
        };
        assert!(matches!(says("==7== Invalid read of size 4"), Some(Says::Fault(_))));
        let block = "==7==  Address 0x4a4204c is 12 bytes inside a block of size 16 free'd";
        assert_eq!(says(block), Some(Says::Heading { thread: None }));
        let killed = "==7== Process terminating with default action of signal 11 (SIGSEGV)";
        assert_eq!(says(killed), Some(Says::Signal { name: "SIGSEGV", meaning: None }));
        assert_eq!(says("==7== "), Some(Says::Remark));
        for line in ["Invalid read of size 4", "==7==ERROR: x", "== 7 ==", "at the end", "by 12"] {
            assert_eq!(start(line), None, "{line}");
        }
    }
}
