//! Which goroutines does a Go program show when it dies?
//!
//! ```text
//! panic: runtime error: index out of range [3] with length 2
//! [signal SIGSEGV: segmentation violation code=0x1 addr=0x8 pc=0x48122e]
//!
//! goroutine 1 [running]:
//! main.(*reader).third(0x0?, 0x481301?)
//!     ./panics.go:13 +0x30
//! created by main.main in goroutine 1
//!     ./panics.go:21 +0x9a
//! ```
//! (runtime/traceback.go, `traceback2`.) A frame is two lines; `+0x30` counts from the function's start.
//! Inlined functions have `(...)` for arguments.

use super::parts::{Place, begins_with_any, hexadecimal, place};
use super::{Adds, Fault, Format, Numbered, Says, Start, Told, bare_frame, number};
use crate::address::Pc;
use crate::trace::model::{Frame, Thread};

/// What the line says.
pub(super) fn start(text: &str) -> Option<Start<'_>> {
    const FAULTS: [&str; 4] =
        ["panic: ", "fatal error: ", "runtime: goroutine ", "unexpected fault address "];
    let says = if let Some(id) = goroutine(text) {
        let number = u32::try_from(id).ok();
        Says::Heading { thread: Some(Thread { number, ..Thread::default() }) }
    } else if let Some((name, meaning)) = signal(text) {
        Says::Signal { name, meaning: Some(meaning) }
    } else if begins_with_any(text, &FAULTS) {
        let what = text.strip_prefix("panic: ").unwrap_or(text);
        Says::Fault(Fault { what, ..Fault::default() })
    } else {
        return None;
    };
    Some(Start::Says(Format::Go, says))
}

/// `goroutine 1 [chan receive, 5 minutes]:`
fn goroutine(text: &str) -> Option<u64> {
    let (id, rest) = number(text.strip_prefix("goroutine ")?)?;
    (rest.starts_with(" [") && rest.ends_with("]:") || rest.starts_with(" gp=")).then_some(id)
}

/// `[signal SIGSEGV: segmentation violation code=0x1 addr=0x8 pc=0x48122e]`
fn signal(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix("[signal ")?.strip_suffix(']')?;
    let (name, meaning) = inner.split_once(": ")?;
    name.starts_with("SIG").then_some((name, meaning))
}

/// A function's line, below a heading.
pub(super) fn frame(text: &str) -> Option<Told> {
    let name = match text.strip_prefix("created by ") {
        Some(name) => name.split_once(" in goroutine ").map_or(name, |(name, _)| name),
        None => text.strip_suffix(')')?.rsplit_once('(')?.0,
    };
    let qualified = name.contains('.') && !name.contains([' ', '\t']) && !name.starts_with('.');
    // The runtime shows `runtime.gopanic` under the name that programs know.
    (qualified || name == "panic").then_some(())?;
    let frame = Frame { function: Some(name.to_owned()), pc: Pc::Return, ..bare_frame(0) };
    Some(Told { format: Format::Go, number: Numbered::Next, frame, build_id: None })
}

/// `./panics.go:13 +0x30`, `./panics.go:13 +0x30 fp=0xc000086e60 sp=0xc000086e40 pc=0x482fdf` below a frame.
pub(super) fn adds(text: &str) -> Option<Adds> {
    let Some((at, rest)) = text.rsplit_once(" +0x") else {
        return source(text).map(Adds::Place);
    };
    let (offset, rest) = hexadecimal(rest)?;
    // With GOTRACEBACK=system.
    let address = rest.split_once(" pc=").and_then(|(_, pc)| pc.parse().ok());
    Some(Adds::PlaceAndOffset { place: source(at)?, offset, address })
}

fn source(text: &str) -> Option<Place> {
    place(text).filter(|place| place.file.contains('.'))
}

/// What ends all: `exit status 2`, `goroutine running on other thread; stack unavailable`.
pub(super) fn is_remark(text: &str) -> bool {
    text.starts_with("exit status ")
        || text.starts_with("goroutine running on other thread")
        || text.starts_with("...additional frames elided...")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_has_its_receiver_and_no_arguments() {
        for (line, name) in [
            ("main.(*reader).third(0x0?, 0x481301?)", "main.(*reader).third"),
            ("example.org/x/y.F[...](...)", "example.org/x/y.F[...]"),
            ("created by main.main in goroutine 1", "main.main"),
            ("created by main.main.func1", "main.main.func1"),
            ("main.main.func1()", "main.main.func1"),
            ("panic({0x493720, 0xc0000a4000})", "panic"),
        ] {
            assert_eq!(frame(line).unwrap().frame.function.as_deref(), Some(name));
        }
        for line in ["it died (twice)", "created by me and you", "f()", "x", ""] {
            assert!(frame(line).is_none(), "{line}");
        }
    }

    #[test]
    fn goroutines_and_places() {
        assert_eq!(goroutine("goroutine 18 [chan receive, 5 minutes]:"), Some(18));
        assert_eq!(goroutine("goroutine 18 is it"), None);
        let placed = |text| match adds(text) {
            Some(Adds::PlaceAndOffset { offset, address, .. }) => (offset, address.map(|at| at.0)),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(placed("/a b/p.go:13 +0x30"), (0x30, None));
        assert_eq!(
            placed("/a b/p.go:13 +0x30 fp=0xc0 sp=0xc1 pc=0x482fdf"),
            (0x30, Some(0x482fdf))
        );
        assert!(matches!(adds("/a b/p.go:13"), Some(Adds::Place(_))));
        assert_eq!(adds("at noon"), None);
    }
}
