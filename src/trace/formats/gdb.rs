//! gdb's frames and values: what do `bt`, `frame` and `print` say?
//!
//! ```text
//! #%-2d [0xPC in ]FUNCTION (ARGUMENTS)[ at FILE:LINE][ from LIBRARY]
//! $4 = VALUE
//! ```
//! (gdb/stack.c `print_frame`). A long frame wraps between arguments, before the arguments, before
//! ` at ` and before ` from `. Rule: the text given here is one logical line, joined already.

use memchr::memchr_iter;

use super::{Start, bare_frame, number, parts};
use crate::address::{ModuleOffset, RuntimeAddress};
use crate::trace::budget::Budget;
use crate::trace::model::{Frame, SourceLine};
use crate::trace::nesting::{Nesting, after_character, next_mark, string_end};
use crate::trace::steps::took;
use crate::trace::{notation, search, value};

/// The frame that the kernel has made.
pub(in crate::trace) const SIGNAL_HANDLER: &str = "<signal handler called>";

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
    let (expression, rest) = search::split_once(shown, " = ")?;
    let expression = match expression.strip_prefix('/') {
        Some(formatted) => formatted.split_once(' ')?.1,
        None => expression,
    };
    (!has_words(expression)).then_some(())?;
    Some(Start::Value { number: None, expression: Some(expression), rest })
}

/// Whether two words stand side by side, outside a cast: a sentence, not an expression.
fn has_words(text: &str) -> bool {
    let mut depth = 0usize;
    text.as_bytes().windows(3).any(|bytes| {
        match bytes[0] {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        depth == 0 && bytes[1] == b' ' && word(bytes[0]) && word(bytes[2])
    })
}

fn equals(text: &str) -> Option<&str> {
    text.strip_prefix(" =").filter(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// Whether the text has arguments as gdb prints them, behind a blank: no other printer does.
pub(in crate::trace) fn has_arguments(text: &str) -> bool {
    memchr_iter(b'(', text.as_bytes()).any(|at| {
        if !text.get(..at).is_some_and(|before| before.ends_with(' ')) {
            return false;
        }
        // Where a wrapped line was joined, blanks come first.
        let inner = text.get(at + 1..).unwrap_or_default().trim_start();
        let ends = |rest: &str| {
            ["", " at ", " from ", "Backtrace"].iter().any(|end| match *end {
                "" => rest.is_empty(),
                end => rest.starts_with(end),
            })
        };
        inner.strip_prefix(')').is_some_and(ends)
            || inner.starts_with('=')
            || inner.starts_with("...)")
            || notation::argument_name(inner).is_some()
    })
}

/// What a frame's text still lacks, its brackets being closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::trace) enum Lacks {
    /// Nothing: the next line is something else.
    Nothing,
    /// ` in FUNCTION`, behind the address.
    Call,
    /// What ` in` names.
    Name,
    /// The arguments: they may stand on the next line.
    Arguments,
    /// ` at FILE:LINE` or ` from LIBRARY`: they may stand on the next line.
    Place,
    /// What ` at` or ` from` names, cut off by a mail program.
    Path,
    /// The rest of a file's name and its line, cut off by a terminal in the midst of the name.
    RestOfPath,
    /// Why the stack ends, behind the first word of it.
    Reason,
}

/// What the text of a frame, without its number, may be continued with.
pub(in crate::trace) fn lacks(text: &str) -> Lacks {
    if text.starts_with('<') {
        return Lacks::Nothing;
    }
    if before_first_word(text).is_some() {
        return Lacks::Reason;
    }
    match parts::address(text) {
        Some((_, "")) => return Lacks::Call,
        Some((_, " in")) => return Lacks::Name,
        _ => {}
    }
    match split(text) {
        Split { arguments: None, .. } => Lacks::Arguments,
        Split { place: "", .. } => Lacks::Place,
        Split { place: "at" | "from", .. } => Lacks::Path,
        Split { place, .. } if is_cut_path(place) => Lacks::RestOfPath,
        _ => Lacks::Nothing,
    }
}

/// Whether a line can be the place that a wrapped frame lacks.
pub(in crate::trace) fn is_place(line: &str) -> bool {
    let text = line.trim_start();
    let indented = text.len() < line.len();
    let first = text.split(' ').next();
    is_whole_place(text) || indented && (first == Some("at") || first == Some("from"))
}

/// Whether the text is the word before a place, alone on its line.
pub(in crate::trace) fn begins_place(text: &str) -> bool {
    matches!(text, "at" | "from")
}

/// Whether the text is a place beyond doubt.
pub(in crate::trace) fn is_whole_place(text: &str) -> bool {
    match (text.strip_prefix("at "), text.strip_prefix("from ")) {
        (Some(file), _) => source_position(file).is_some(),
        (_, Some(library)) => library.starts_with('/'),
        _ => false,
    }
}

fn is_cut_path(place: &str) -> bool {
    let file = place.strip_prefix("at ");
    let whole = |file| source_position(file).is_some() || source_and_library(file).is_some();
    file.is_some_and(|file| !whole(file) && !file.contains(".so"))
}

/// Whether a line can be the rest of a file's name and its line. What begins with a bracket had a blank before
/// it: `a (copy)/b.c:4`.
pub(in crate::trace) fn is_rest_of_path(line: &str) -> bool {
    !line.starts_with('(') && !line.contains([' ', '\t']) && source_position(line).is_some()
}

/// Whether a line ends as a path with its line number does; folders can have blanks in their names.
pub(in crate::trace) fn ends_in_path(line: &str) -> bool {
    source_position(line).is_some_and(|(path, _)| path.contains('/'))
}

/// Whether a line can be what the ` at` or ` from` at the end of the line before names.
pub(in crate::trace) fn is_path(line: &str) -> bool {
    let text = line.trim();
    !text.contains([' ', '\t']) || text.starts_with('/') && source_position(text).is_some()
}

/// The frame that the joined text, without its number, shows; none when gdb did not write it.
pub(in crate::trace) fn frame(text: &str, index: u32, budget: &mut Budget) -> Option<Frame> {
    let mut frame = bare_frame(index);
    if text.starts_with(SIGNAL_HANDLER) {
        frame.signal_handler = true;
        return Some(frame);
    }
    if text == "<function called from gdb>" || text == "<cross-architecture call>" {
        return Some(frame);
    }
    let Split { address, name, arguments, place } = split(text);
    let (name, guess) = name.strip_prefix("? ").map_or((name, false), |name| (name, true));
    if !written_by_gdb(address, name, &arguments) {
        return None;
    }
    frame.address = address;
    // Frame filters put it where a name would stand.
    frame.signal_handler = name == SIGNAL_HANDLER;
    let unnamed = name.is_empty() || name == "??" || frame.signal_handler;
    if !unnamed {
        let (name, offset) = parts::symbol(name);
        (frame.function, frame.offset) = (Some(name.to_owned()), offset);
    }
    frame.guess = guess;
    set_place(&mut frame, place);
    if let Some(Parenthesized { text, closed }) = arguments {
        frame.arguments = value::arguments(text, budget);
        if !closed && !ends_between_arguments(text) {
            // Cut off in its midst: `fd=3` may have been `fd=38`.
            frame.arguments.pop();
        }
    }
    Some(frame)
}

/// Leaves in a frame that the end of the paste cut off what no more text could have changed.
pub(in crate::trace) fn keep_certain(frame: &mut Frame, text: &str) {
    if split(text).arguments.is_none() {
        (frame.function, frame.offset) = (None, None);
    }
    frame.module_offset = None;
    // `[kernel.kallsyms]` is whole with its bracket.
    frame.module.take_if(|module| !module.contains(".so") && !module.ends_with(']'));
}

/// gdb prints arguments with their names, or none at all; other printers put files and modules
/// into the parentheses. Where there is no address, a person's list (`#7 Crash when x ()`) must
/// not be taken for a frame.
fn written_by_gdb(
    address: Option<RuntimeAddress>,
    name: &str,
    arguments: &Option<Parenthesized<'_>>,
) -> bool {
    match arguments {
        None => address.is_some() && !name.is_empty() && !name.contains([' ', '/']),
        Some(Parenthesized { text, closed }) => {
            let named = text.is_empty()
                || *text == "..."
                || text.starts_with('=')
                || notation::argument_name(text).is_some()
                || !closed && !text.contains([' ', '/']);
            named && (address.is_some() || is_function_name(name))
        }
    }
}

/// Whether the text can be a function's name as gdb prints it: one word, unless C++ or Rust put
/// blanks into it (`Foo::bar(int) const`, `operator new`, `<T as U>::f`).
pub(super) fn is_function_name(name: &str) -> bool {
    let odd = || ["::", "operator", "thunk to "].iter().any(|sign| name.contains(sign));
    !name.is_empty() && (!name.contains(' ') || name.contains(['(', '<', '[', '{']) || odd())
}

/// Whether arguments that nothing closes end behind a comma: the last of them is whole.
fn ends_between_arguments(arguments: &str) -> bool {
    let mut nesting = Nesting::default();
    nesting.read(arguments);
    arguments.ends_with(',') && !nesting.is_open()
}

/// ` at FILE:LINE`, ` from LIBRARY`, or both; with Python's frame filters a library stands after ` at `.
fn set_place(frame: &mut Frame, place: &str) {
    if let Some(library) = place.strip_prefix("from ") {
        set_library(frame, library);
    } else if let Some(place) = place.strip_prefix("at ") {
        if let Some((source, library)) = source_and_library(place) {
            set_library(frame, library);
            set_source(frame, source);
        } else if let Some(source) = source_position(place) {
            set_source(frame, source);
        } else if place.starts_with('/') || place.contains(".so") {
            // The loader's name of a library; else it is a file whose line was cut off.
            set_library(frame, place);
        }
    }
}

fn set_source(frame: &mut Frame, (file, line): (&str, u32)) {
    (frame.file, frame.line) = (Some(file.to_owned()), Some(line));
}

/// `LIBRARY`, `LIBRARY+0xOFFSET`; `??+0xOFFSET` where only the place in it is known.
fn set_library(frame: &mut Frame, library: &str) {
    let (library, offset) = parts::symbol(library);
    frame.module_offset = offset.map(ModuleOffset);
    frame.module = (offset.is_none() || library != "??").then(|| library.to_owned());
}

/// `FILE:LINE from LIBRARY`.
fn source_and_library(text: &str) -> Option<((&str, u32), &str)> {
    let (source, library) = search::rsplit_once(text, " from ")?;
    Some((source_position(source)?, library))
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
    /// None where there are no parentheses.
    arguments: Option<Parenthesized<'a>>,
    /// `at …` or `from …`, or empty.
    place: &'a str,
}

/// What stands between the parentheses.
#[derive(Debug, PartialEq)]
struct Parenthesized<'a> {
    text: &'a str,
    closed: bool,
}

fn split(text: &str) -> Split<'_> {
    took(text.len());
    let (address, call) = address(text);
    let call = before_warning(call);
    match parentheses(call) {
        Some((open, close)) => Split {
            address,
            name: call.get(..open).unwrap_or_default().trim(),
            arguments: Some(Parenthesized {
                text: call.get(open + 1..close).unwrap_or_default().trim(),
                closed: close < call.len(),
            }),
            place: call.get(close + 1..).unwrap_or_default().trim(),
        },
        None => {
            let place = [" at ", " from "].iter().filter_map(|word| search::find(call, word)).min();
            let (name, place) =
                call.split_at_checked(place.unwrap_or(call.len())).unwrap_or((call, ""));
            Split { address, name: name.trim(), arguments: None, place: place.trim() }
        }
    }
}

/// `0x00007f5fb5929b55 in `, and what follows.
fn address(text: &str) -> (Option<RuntimeAddress>, &str) {
    let split = parts::address(text)
        .and_then(|(address, rest)| Some((Some(address), rest.strip_prefix(" in ")?.trim_start())));
    split.unwrap_or((None, text))
}

/// Without the reason why the stack ends, which can stand on the last frame's line.
fn before_warning(text: &str) -> &str {
    let is_warning =
        |at: &usize| text.get(*at..).is_some_and(|rest| rest.starts_with("Backtrace stopped:"));
    match memchr_iter(b'B', text.as_bytes()).find(is_warning) {
        Some(at) => text.get(..at).unwrap_or_default().trim_end(),
        None => before_first_word(text).unwrap_or(text),
    }
}

/// What stands before the first word of that reason, where a mail has broken the line behind it.
fn before_first_word(text: &str) -> Option<&str> {
    text.strip_suffix("Backtrace").filter(|before| before.ends_with(')'))
}

/// What that reason goes on with.
pub(in crate::trace) const STOPPED: &str = "stopped: ";

/// The parentheses around the arguments. Names have parentheses too (`f(int) const`,
/// `(anonymous namespace)::g`), file names can: it is the first pair behind a blank with nothing
/// but a place after it. Where the text ends inside a pair, that one.
fn parentheses(text: &str) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut depth = 0usize;
    let mut open = 0;
    while let Some((mark, byte)) = next_mark(bytes, at) {
        at = mark;
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

/// `0x… in f (…)` or `f (…) at f.c:1`, as far as its first line can tell.
pub(in crate::trace) fn may_be_stop_frame(line: &str) -> bool {
    let text = line.trim();
    (text.starts_with("0x") && text.contains(" in ")) || text.contains(" (")
}

/// What `bt full` prints under a frame instead of local variables.
pub(in crate::trace) fn has_no_locals(text: &str) -> bool {
    text == "No locals." || text == "No symbol table info available."
}

/// `1020\t    assert(fd == ev->fd);`
pub(in crate::trace) fn source_line(text: &str) -> Option<SourceLine> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, source) = text.split_at_checked(end)?;
    let separated = source.is_empty() || source.starts_with(['\t', ' ']);
    separated.then_some(())?;
    // gdb puts its complaint where the source would stand.
    let source = if source.ends_with(": No such file or directory.") { "" } else { source.trim() };
    Some(SourceLine { line: number.parse().ok()?, text: source.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Frame {
        frame(text, 0, &mut Budget::default()).unwrap()
    }

    #[test]
    fn a_display_shows_an_expression() {
        for text in ["1: *ev = 1", "1: /x (unsigned int) fd = 1", "2: a [1] == b = 1"] {
            assert!(value_start(text).is_some(), "{text}");
        }
        assert_eq!(value_start("1: I think fd = 43 is bad"), None);
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
        let filtered = read("0x41 in <signal handler called> () at /lib/x.so");
        assert_eq!((filtered.function, filtered.signal_handler), (None, true));
        // A mail may have broken the reason anywhere.
        for reason in ["Backtrace", "Backtrace stopped:", "Backtrace stopped: previous frame"] {
            let last = read(&format!("0x41 in f (){reason}"));
            assert_eq!((last.function.as_deref(), last.module), (Some("f"), None), "{reason}");
        }
    }

    #[test]
    fn what_other_printers_say_too() {
        for (text, function, offset, module, at, guess) in [
            ("f+0x1f () from a.so+0x12", Some("f"), Some(0x1f), Some("a.so"), Some(0x12), false),
            ("?? () from ??+0x12", None, None, None, Some(0x12), false),
            ("0x41 in ? f+0x0 () from m", Some("f"), Some(0), Some("m"), None, true),
            ("? ?? ()", None, None, None, None, true),
            ("f () at a b.c:7 from x+0x1", Some("f"), None, Some("x"), Some(1), false),
        ] {
            let read = read(text);
            assert_eq!((read.function.as_deref(), read.offset), (function, offset), "{text}");
            let module_offset = read.module_offset.map(|offset| offset.0);
            assert_eq!((read.module.as_deref(), module_offset), (module, at), "{text}");
            assert_eq!((read.guess, read.line), (guess, text.contains(".c:7").then_some(7)));
            let placed = text.contains(" from ");
            assert_eq!(lacks(text) == Lacks::Nothing, placed, "{text}");
        }
        let mut cut = read("f () from a.so+0x12");
        keep_certain(&mut cut, "f () from a.so+0x12");
        assert_eq!((cut.module.as_deref(), cut.module_offset), (Some("a.so"), None));
    }

    #[test]
    fn a_frame_cut_off_keeps_what_is_certain() {
        for (text, arguments) in [
            ("0x41 in f (a=1, b=0x2 \"tex", 1),
            ("0x41 in f (a=1, b=3", 1),
            ("0x41 in f (a=1, b=3,", 2),
            ("0x41 in f (a={1,", 0),
            ("0x41 in f (a=1) at libxl_even", 1),
            ("0x41 in f (a=1) at ../nptl/sysdeps/u", 1),
        ] {
            let cut = read(text);
            assert_eq!((cut.function.as_deref(), cut.module), (Some("f"), None), "{text}");
            assert_eq!(cut.arguments.len(), arguments, "{text}");
        }
    }

    #[test]
    fn at_the_end_of_the_text_a_name_may_be_cut() {
        for (text, function) in [
            ("0x41 in libxl_osevent_occu", None),
            ("0x41 in f () from /usr/lib64/libxen", Some("f")),
            ("0x41 in f () at /usr/lib64/libxen", Some("f")),
        ] {
            let mut cut = read(text);
            keep_certain(&mut cut, text);
            assert_eq!((cut.function.as_deref(), cut.module), (function, None), "{text}");
        }
    }

    #[test]
    fn frames_of_other_printers_are_none() {
        for text in [
            "0x55d0c5b6a1c9 in main /tmp/uaf.c:6:10",
            "0x7f3c1a629d8f in __libc_start_call_main (/lib/libc.so.6+0x29d8f)",
            "0x00007f5fb5929b55 raise (libc.so.6 + 0x3e9)",
            "issue is that it (often) fails",
            "crash in foo (arg=1)",
            "Crash when starting a domain ()",
            "is my favourite (because x=1) at a.c:1",
            "",
        ] {
            assert_eq!(frame(text, 0, &mut Budget::default()), None, "{text}");
        }
    }

    #[test]
    fn what_is_lacking_says_what_may_follow() {
        for (text, lacking) in [
            ("0x41", Lacks::Call),
            ("0x41 in", Lacks::Name),
            ("0x41 in very_long_name", Lacks::Arguments),
            ("0x41 in f (a=1)", Lacks::Place),
            ("0x41 in f (a=1) from", Lacks::Path),
            ("0x41 in f (a=1) at ../sysdeps/u", Lacks::RestOfPath),
            ("0x41 in f (a=1)Backtrace", Lacks::Reason),
            ("0x41 in f (a=1) at f.c:1", Lacks::Nothing),
            ("0x41 in  () at /usr/lib/x.so.2", Lacks::Nothing),
            ("<signal handler called>", Lacks::Nothing),
        ] {
            assert_eq!(lacks(text), lacking, "{text}");
        }
        assert!(is_place("    at f.c:1") && is_place("from /lib/x.so") && is_place("at f.c:1"));
        assert!(!is_place("at home I cannot") && !is_place("from here on"));
    }
}
