//! Where was a Python program when it raised, or crashed?
//!
//! ```text
//! Traceback (most recent call last):
//!   File "/usr/bin/virt-install", line 30, in <module>
//!     read([1, 2])
//!     ^^^^^^^^^^^^
//! RuntimeError: cannot read
//! Fatal Python error: Segmentation fault
//! Current thread 0x00007f88b6bcbb80 (most recent call first):
//!   File "/usr/lib/python3.11/ctypes/__init__.py", line 519 in string_at
//!   + Exception Group Traceback (most recent call last):
//!   | ExceptionGroup: several (2 sub-exceptions)
//!   +-+---------------- 1 ----------------
//!     | ValueError: no
//!     +------------------------------------
//! ```
//! (Lib/traceback.py, `format_list` and `_format`; Python/traceback.c, `dump_frame`.) A traceback shows the
//! innermost frame last; here it comes first, as in every stack.

use super::parts::{address, is_identifier};
use super::{Adds, Fault, Format, Numbered, Says, Start, Told, bare_frame, number};
use crate::trace::model::{Frame, Thread};

/// What the line says.
pub(super) fn start(text: &str) -> Option<Start<'_>> {
    let grouped = text.starts_with('|');
    let text = inside_group(text).trim_start();
    if let Some(told) = frame(text) {
        return Some(Start::Told(Box::new(told)));
    }
    const CAUSES: [&str; 2] = [
        "During handling of the above exception, another exception occurred:",
        "The above exception was the direct cause of the following exception:",
    ];
    let says = if text == "Traceback (most recent call last):"
        || text == "+ Exception Group Traceback (most recent call last):"
    {
        Says::Heading { thread: None }
    } else if is_rule(text) || grouped && is_rest(text) {
        Says::Remark
    } else if let Some(what) = text.strip_prefix("Fatal Python error: ") {
        Says::Fault(Fault { what, ..Fault::default() })
    } else if let Some(thread) = text.strip_suffix(" (most recent call first):") {
        let id = thread.strip_prefix("Current ").unwrap_or(thread);
        let id = id.strip_prefix("thread ").or_else(|| id.strip_prefix("Thread "))?;
        let (id, _) = address(id)?;
        Says::Heading { thread: Some(Thread { address: Some(id), ..Thread::default() }) }
    } else if CAUSES.contains(&text) {
        Says::Remark
    } else {
        // An exception of a group may have no traceback.
        grouped.then(|| exception(text)).flatten()?
    };
    Some(Start::Says(Format::Python, says))
}

/// Whether a line of a group of exceptions says nothing.
pub(super) fn is_empty(text: &str) -> bool {
    text == "|"
}

/// The line without the bar of the group of exceptions it is in; its indentation counts from there.
pub(in crate::trace) fn inside_group(line: &str) -> &str {
    match line.trim_start().strip_prefix('|') {
        Some(rest) => rest.strip_prefix(' ').unwrap_or(rest),
        None => line,
    }
}

/// What stands between the exceptions of a group: `+---------------- 2 ----------------`.
fn is_rule(text: &str) -> bool {
    const RULE: &str = "+----------------";
    text.starts_with(RULE) || text.strip_prefix("+-").is_some_and(|rest| rest.starts_with(RULE))
}

/// What stands for the exceptions of a group that are too many: `and 3 more exceptions`.
fn is_rest(text: &str) -> bool {
    text.strip_prefix("and ").is_some_and(|rest| rest.contains(" more exception"))
}

/// `File "x.py", line 10, in f`, or faulthandler's `File "x.py", line 10 in f`.
fn frame(text: &str) -> Option<Told> {
    let (file, rest) = text.strip_prefix("File \"")?.split_once("\", line ")?;
    let (line, rest) = number(rest)?;
    let outermost_first = rest.starts_with(", in ");
    let name = rest.strip_prefix(", in ").or_else(|| rest.strip_prefix(" in "))?;
    let frame = Frame {
        function: Some(name.to_owned()),
        file: Some(file.to_owned()),
        line: Some(line),
        ..bare_frame(0)
    };
    let number = if outermost_first { Numbered::CallsNext } else { Numbered::Next };
    Some(Told { format: Format::Python, number, frame, build_id: None })
}

/// The exception's line at the end of a traceback: `RuntimeError: cannot read`.
pub(super) fn exception(line: &str) -> Option<Says<'_>> {
    let line = inside_group(line);
    let (name, _) = line.split_once(": ").unwrap_or((line, ""));
    let named = is_identifier(name) && name.chars().any(char::is_uppercase);
    named.then_some(Says::Ended(Fault { what: line, ..Fault::default() }))
}

/// The source, or the marks under it, below a frame.
pub(super) fn adds(line: &str) -> Option<Adds> {
    let empty = is_empty(line.trim());
    let line = inside_group(line);
    let repeated = line.trim_start().starts_with("[Previous line repeated ");
    // A mail may have left the bar of a group alone, without the blanks and the marks.
    let marks = !line.is_empty() && line.bytes().all(|byte| b"^~ ".contains(&byte));
    (line.starts_with("    ") || repeated || marks || empty).then_some(Adds::Source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_tracebacks_and_of_faulthandler() {
        for (line, number) in [
            ("File \"/a b/c.py\", line 10, in <module>", Numbered::CallsNext),
            ("File \"/a b/c.py\", line 10 in <module>", Numbered::Next),
        ] {
            let told = frame(line).unwrap();
            assert_eq!((told.number, told.frame.line), (number, Some(10)));
            assert_eq!(told.frame.function.as_deref(), Some("<module>"));
        }
        assert!(
            frame("File \"x.py\", line 10").is_none() && frame("File x, line 1, in f").is_none()
        );
    }

    #[test]
    fn an_exception_is_named_as_a_class() {
        for line in
            ["RuntimeError: cannot read: x", "KeyboardInterrupt", "libvirt.libvirtError: no"]
        {
            assert!(exception(line).is_some(), "{line}");
        }
        for line in ["and then: it died", "my words", ""] {
            assert_eq!(exception(line), None, "{line}");
        }
    }
}
