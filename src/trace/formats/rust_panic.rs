//! Where did a Rust program panic?
//!
//! ```text
//! thread 'worker' (6592) panicked at src/panics.rs:5:5:
//! index out of bounds: the len is 2 but the index is 3
//! stack backtrace:
//!    3: panics::third
//!              at ./src/panics.rs:5:5
//!   17:     0x564f989ae15c - panics::read::h8fc3ca3b4cd78985
//!                                at /src/panics.rs:11:5
//!             another function inlined at the same address
//! thread 'main' panicked at 'index out of bounds', src/panics.rs:5:5       (before 1.73)
//! note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
//! ```
//! (library/std/src/panicking.rs, `default_hook`; backtrace-rs, src/print.rs.) The short form has no
//! addresses. All are return addresses: the innermost frame is the one that printed.

use super::parts::{address, place};
use super::{Adds, Fault, Format, Numbered, Says, Start, Told, bare_frame, number};
use crate::address::Pc;
use crate::trace::model::{Frame, Thread};

/// What the line says.
pub(super) fn start(text: &str) -> Option<Start<'_>> {
    let says = if text == "stack backtrace:" {
        Says::Heading { thread: None }
    } else if text.starts_with("note: ") && text.contains("`RUST_BACKTRACE=") {
        Says::Remark
    } else {
        Says::Fault(panic(text)?)
    };
    Some(Start::Says(Format::RustPanic, says))
}

/// `thread 'x' (7) panicked at FILE:L:C:`, or the older `… at 'MESSAGE', FILE:L:C`; the message of the
/// newer form is on the next line.
fn panic(text: &str) -> Option<Fault<'_>> {
    let rest = text.strip_prefix("thread ").filter(|rest| rest.starts_with(['\'', '<']))?;
    let (who, at) = rest.split_once(" panicked at ")?;
    let thread = Some(Box::new(thread(who)));
    if let Some(place) = at.strip_suffix(':').and_then(place) {
        return Some(Fault { what: "", address: None, place: Some(place), thread });
    }
    let (message, at) = at.strip_prefix('\'')?.rsplit_once("', ")?;
    Some(Fault { what: message, address: None, place: Some(place(at)?), thread })
}

/// `'a worker' (6592)`; older releases have no number.
fn thread(text: &str) -> Thread {
    let (name, lwp) = match text.rsplit_once(" (") {
        Some((name, lwp)) => (name, lwp.strip_suffix(')').and_then(|lwp| lwp.parse().ok())),
        None => (text, None),
    };
    let name = name.strip_prefix('\'').and_then(|name| name.strip_suffix('\''));
    let name = name.filter(|name| *name != "<unnamed>").map(str::to_owned);
    Thread { name, lwp, ..Thread::default() }
}

/// A frame, below the heading.
pub(super) fn frame(text: &str) -> Option<Told> {
    let (index, rest) = number::<u32>(text)?;
    let rest = rest.strip_prefix(": ")?.trim_start();
    let mut frame = Frame { pc: Pc::Return, ..bare_frame(index) };
    let name = match address(rest).and_then(|(at, rest)| Some((at, rest.strip_prefix(" - ")?))) {
        Some((at, name)) => {
            frame.address = Some(at).filter(|at| at.0 != 0);
            name
        }
        None => rest,
    };
    frame.function = Some(name).filter(|name| *name != "<unknown>").map(str::to_owned);
    Some(Told { format: Format::RustPanic, number: Numbered::Printed, frame, build_id: None })
}

/// `at FILE:L:C` below a frame, or the message below the line that says where it panicked.
pub(super) fn adds(text: &str) -> Option<Adds> {
    let at = text.strip_prefix("at ").and_then(place);
    Some(at.map_or_else(|| Adds::Message(text.to_owned()), Adds::Place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_of_all_releases() {
        for (line, message, file) in [
            ("thread 'main' panicked at 'no ', it', src/a b.rs:5:5", "no ', it", "src/a b.rs"),
            ("thread 'main' panicked at src/a b.rs:5:5:", "", "src/a b.rs"),
            ("thread '<unnamed>' (77) panicked at src/a b.rs:5:5:", "", "src/a b.rs"),
        ] {
            let fault = panic(line).unwrap();
            assert_eq!((fault.what, fault.place.unwrap().file.as_str()), (message, file), "{line}");
            let named = fault.thread.unwrap().name;
            assert_eq!(named.as_deref(), line.contains("'main'").then_some("main"), "{line}");
        }
        for line in ["thread 3 panicked at x", "thread 'a' panicked at noon", "panicked at a:1:1:"]
        {
            assert_eq!(panic(line), None, "{line}");
        }
    }

    #[test]
    fn frames_with_and_without_address() {
        let read = |line| frame(line).unwrap().frame;
        let full = read("17:     0x564f989ae15c - <a as b>::c::h8fc3");
        assert_eq!((full.index, full.function.as_deref()), (17, Some("<a as b>::c::h8fc3")));
        assert!(full.address.is_some() && read("3: panics::third").address.is_none());
        assert_eq!(read("33:                0x0 - <unknown>").function, None);
        assert!(frame("3 : x").is_none());
    }
}
