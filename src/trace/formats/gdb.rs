//! gdb's frames and values: what do `bt`, `frame` and `print` say?
//!
//! ```text
//! #%-2d [0xPC in ]FUNCTION (ARGUMENTS)[ at FILE:LINE][ from LIBRARY]
//! $4 = VALUE
//! ```
//! (gdb/stack.c `print_frame`). A long frame wraps between arguments, before the arguments, before
//! ` at ` and before ` from `. Rule: the text given here is one logical line, joined already.

use super::{Start, number};
use crate::address::RuntimeAddress;
use crate::trace::budget::Budget;
use crate::trace::model::{Frame, Lines, Pc};
use crate::trace::nesting::{after_character, string_end};
use crate::trace::value;

/// `#3  …`: the number, and the text behind it.
pub(in crate::trace) fn frame_start(text: &str) -> Option<(u32, &str)> {
    let (index, rest) = number(text.strip_prefix('#')?)?;
    rest.starts_with([' ', '\t']).then(|| (index, rest.trim_start()))
}

/// `$4 = …`, `Value returned is $4 = …`, `1: fd = …` (a `display`), `1: /x fd = …`.
pub(super) fn value_start(text: &str) -> Option<Start<'_>> {
    let text = text.strip_prefix("Value returned is ").unwrap_or(text);
    if let Some(rest) = text.strip_prefix('$') {
        let (number, rest) = number(rest)?;
        return Some(Start::Value { number: Some(number), expression: None, rest: equals(rest)? });
    }
    let (_, rest) = number::<u32>(text)?;
    let shown = rest.strip_prefix(": ")?;
    let (expression, rest) = shown.split_once(" = ")?;
    let expression = match expression.strip_prefix('/') {
        Some(formatted) => formatted.split_once(' ')?.1,
        None => expression,
    };
    Some(Start::Value { number: None, expression: Some(expression), rest })
}

fn equals(text: &str) -> Option<&str> {
    text.strip_prefix(" =").filter(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// What a frame's text still lacks, its brackets being closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::trace) enum Lacks {
    /// Nothing: the next line is something else.
    Nothing,
    /// The arguments: they may stand on the next line.
    Arguments,
    /// ` at FILE:LINE` or ` from LIBRARY`: they may stand on the next line.
    Place,
    /// What ` at` or ` from` names, cut off by a mail program.
    Path,
}

/// What the text of a frame, without its number, may be continued with.
pub(in crate::trace) fn lacks(text: &str) -> Lacks {
    if text.starts_with('<') {
        return Lacks::Nothing;
    }
    match split(text) {
        Split { arguments: None, .. } => Lacks::Arguments,
        Split { place: "", .. } => Lacks::Place,
        Split { place: "at" | "from", .. } => Lacks::Path,
        _ => Lacks::Nothing,
    }
}

/// Whether a line can be the place that a wrapped frame lacks.
pub(in crate::trace) fn is_place(line: &str) -> bool {
    let text = line.trim_start();
    let indented = text.len() < line.len();
    match (text.strip_prefix("at "), text.strip_prefix("from ")) {
        (Some(file), _) => indented || source_position(file).is_some(),
        (_, Some(library)) => indented || library.starts_with('/'),
        _ => false,
    }
}

/// The frame that the joined text, without its number, shows; none when gdb did not write it.
pub(in crate::trace) fn frame(text: &str, index: u32, budget: &mut Budget) -> Option<Frame> {
    let mut frame = bare_frame(index);
    if text.starts_with("<signal handler called>") {
        frame.signal_handler = true;
        return Some(frame);
    }
    if text == "<function called from gdb>" || text == "<cross-architecture call>" {
        return Some(frame);
    }
    let Split { address, name, arguments, place } = split(text);
    if !written_by_gdb(address, name, arguments) {
        return None;
    }
    frame.address = address;
    frame.function = (!name.is_empty() && name != "??").then(|| name.to_owned());
    set_place(&mut frame, place);
    frame.arguments = value::arguments(arguments.unwrap_or_default(), budget);
    Some(frame)
}

/// gdb prints arguments with their names, or none at all; other printers put files and modules
/// into the parentheses.
fn written_by_gdb(address: Option<RuntimeAddress>, name: &str, arguments: Option<&str>) -> bool {
    match arguments {
        None => address.is_some() && !name.is_empty() && !name.contains([' ', '/']),
        Some(arguments) => {
            let named = arguments.is_empty() || arguments == "..." || arguments.contains('=');
            named && (address.is_some() || !name.is_empty())
        }
    }
}

fn bare_frame(index: u32) -> Frame {
    Frame {
        index,
        lines: Lines { piece: None, first: 0, last: 0 },
        physical: 0,
        pc: Pc::Exact,
        address: None,
        function: None,
        offset: None,
        module: None,
        module_offset: None,
        file: None,
        line: None,
        column: None,
        arguments: Vec::new(),
        locals: Vec::new(),
        guess: false,
        signal_handler: false,
    }
}

/// ` at FILE:LINE`, ` from LIBRARY`; with Python's frame filters a library stands after ` at `.
fn set_place(frame: &mut Frame, place: &str) {
    if let Some(library) = place.strip_prefix("from ") {
        frame.module = Some(library.to_owned());
    } else if let Some(place) = place.strip_prefix("at ") {
        match source_position(place) {
            Some((file, line)) => {
                frame.file = Some(file.to_owned());
                frame.line = Some(line);
            }
            None => frame.module = Some(place.to_owned()),
        }
    }
}

fn source_position(text: &str) -> Option<(&str, u32)> {
    let (file, line) = text.rsplit_once(':')?;
    (!file.is_empty()).then_some(())?;
    Some((file, line.parse().ok()?))
}

/// The parts of a frame's text.
#[derive(Debug, PartialEq)]
struct Split<'a> {
    address: Option<RuntimeAddress>,
    name: &'a str,
    /// Between the parentheses; none where there are no parentheses.
    arguments: Option<&'a str>,
    /// `at …` or `from …`, or empty.
    place: &'a str,
}

fn split(text: &str) -> Split<'_> {
    let (address, call) = address(text);
    let call = before_warning(call);
    match parentheses(call) {
        Some((open, close)) => Split {
            address,
            name: call.get(..open).unwrap_or_default().trim(),
            arguments: Some(call.get(open + 1..close).unwrap_or_default().trim()),
            place: call.get(close + 1..).unwrap_or_default().trim(),
        },
        None => {
            let place = [" at ", " from "].iter().filter_map(|word| call.find(word)).min();
            let (name, place) =
                call.split_at_checked(place.unwrap_or(call.len())).unwrap_or((call, ""));
            Split { address, name: name.trim(), arguments: None, place: place.trim() }
        }
    }
}

/// `0x00007f5fb5929b55 in `, and what follows.
fn address(text: &str) -> (Option<RuntimeAddress>, &str) {
    let split = text.split_once(" in ").and_then(|(address, call)| {
        let address = address.parse().ok()?;
        Some((Some(address), call.trim_start()))
    });
    split.unwrap_or((None, text))
}

/// Without the reason why the stack ends, which can stand on the last frame's line.
fn before_warning(text: &str) -> &str {
    text.split_once("Backtrace stopped: ").map_or(text, |(call, _)| call.trim_end())
}

/// The parentheses around the arguments. Names have parentheses too (`f(int) const`,
/// `(anonymous namespace)::g`), file names can: it is the first pair behind a blank with nothing
/// but a place after it. Where the text ends inside a pair, that one.
fn parentheses(text: &str) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut depth = 0usize;
    let mut open = 0;
    while let Some(&byte) = bytes.get(at) {
        let mut next = at + 1;
        match byte {
            b'(' | b'[' | b'{' => {
                if depth == 0 {
                    open = at;
                }
                depth += 1;
            }
            b')' | b']' | b'}' if depth > 0 => {
                depth -= 1;
                if depth == 0
                    && starts_arguments(bytes, open)
                    && ends_arguments(bytes.get(next..).unwrap_or_default())
                {
                    return Some((open, at));
                }
            }
            b'"' => next = string_end(bytes, next).unwrap_or(bytes.len()),
            b'\'' => next = after_character(bytes, at).unwrap_or(next),
            _ => {}
        }
        at = next;
    }
    (depth > 0 && starts_arguments(bytes, open)).then_some((open, bytes.len()))
}

fn starts_arguments(bytes: &[u8], open: usize) -> bool {
    bytes.get(open) == Some(&b'(') && (open == 0 || bytes.get(open - 1) == Some(&b' '))
}

fn ends_arguments(rest: &[u8]) -> bool {
    let rest = rest.trim_ascii_start();
    let word = rest.split(|&byte| byte == b' ').next().unwrap_or_default();
    matches!(word, b"" | b"at" | b"from")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Frame {
        frame(text, 0, &mut Budget::default()).unwrap()
    }

    #[test]
    fn names_have_parentheses_too() {
        for name in [
            "main",
            "*__GI_raise",
            "operator()",
            "(anonymous namespace)::f",
            "foo<int (*)(char)>::operator()",
            "Foo::bar(int) const",
            "Caller<main(int, char**)::<lambda(const A&)> >::operator()(const A &) const",
            "main::{lambda(int)#1}::operator()(int) const",
            "Vec::operator<",
            "Vec::operator->",
            "core::call<&'a str>",
            "<alloc::vec::Vec<T> as core::ops::Drop>::drop",
        ] {
            for (arguments, count) in [("", 0), ("this=0x1, s=0x2 \"a) (b\"", 2)] {
                let read = read(&format!("0x00007f01 in {name} ({arguments}) at a (b)/f.cc:12"));
                assert_eq!(read.function.as_deref(), Some(name));
                assert_eq!(read.arguments.len(), count, "{name}");
                assert_eq!((read.file.as_deref(), read.line), (Some("a (b)/f.cc"), Some(12)));
            }
        }
    }

    #[test]
    fn unknown_functions_and_places() {
        assert_eq!(read("0x0000000000000000 in ?? ()").function, None);
        let library = read("0x41 in ?? () from /lib/with space.so");
        assert_eq!(library.module.as_deref(), Some("/lib/with space.so"));
        let filtered = read("0x41 in  () at /usr/lib/x.so");
        assert_eq!((filtered.function, filtered.module.as_deref()), (None, Some("/usr/lib/x.so")));
        let last = read("0x41 in f ()Backtrace stopped: previous frame identical");
        assert_eq!((last.function.as_deref(), last.module), (Some("f"), None));
    }

    #[test]
    fn a_frame_cut_off_keeps_what_there_is() {
        let cut = read("0x41 in f (a=1, b=0x2 \"tex");
        assert_eq!(cut.function.as_deref(), Some("f"));
        assert_eq!(cut.arguments.len(), 2);
    }

    #[test]
    fn frames_of_other_printers_are_none() {
        for text in [
            "0x55d0c5b6a1c9 in main /tmp/uaf.c:6:10",
            "0x7f3c1a629d8f in __libc_start_call_main (/lib/libc.so.6+0x29d8f)",
            "0x00007f5fb5929b55 raise (libc.so.6 + 0x3e9)",
            "issue is that it (often) fails",
            "",
        ] {
            assert_eq!(frame(text, 0, &mut Budget::default()), None, "{text}");
        }
    }

    #[test]
    fn what_is_lacking_says_what_may_follow() {
        for (text, lacking) in [
            ("0x41 in very_long_name", Lacks::Arguments),
            ("0x41 in f (a=1)", Lacks::Place),
            ("0x41 in f (a=1) from", Lacks::Path),
            ("0x41 in f (a=1) at f.c:1", Lacks::Nothing),
            ("<signal handler called>", Lacks::Nothing),
        ] {
            assert_eq!(lacks(text), lacking, "{text}");
        }
        assert!(is_place("    at f.c:1") && is_place("from /lib/x.so") && is_place("at f.c:1"));
        assert!(!is_place("at home I cannot") && !is_place("from here on"));
    }
}
