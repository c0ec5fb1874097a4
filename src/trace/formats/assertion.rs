//! A failed assertion: which expression, where, in which program?
//!
//! ```text
//! libvirtd: libxl_event.c:1020: libxl_osevent_occurred_fd: Assertion `fd == ev->fd' failed.
//! Assertion failed: fd == ev->fd (libxl_event.c: libxl_osevent_occurred_fd: 1020)
//! libvirt:ERROR:vircgroup.c:12:virCgroupNew: assertion failed: (group)
//! ```
//! glibc (assert/assert.c; other languages: `translated`), musl (src/exit/assert.c), GLib (glib/gtestutils.c). Rule: the same is
//! in the arguments of the C library's function in a backtrace, where it was built with debug info.

use super::translated::translated;
use crate::public_name::public_name;
use crate::trace::model::{EventKind, Frame};

/// What the line says, if it is a C library's about an assertion.
pub(super) fn assertion(text: &str) -> Option<EventKind> {
    glibc(text).or_else(|| musl(text)).or_else(|| glib(text))
}

/// The same in another language.
pub(super) fn in_translation(text: &str) -> Option<EventKind> {
    let said = translated(text)?;
    Some(of_glibc(said.position, said.line, said.function, said.expression))
}

/// `PROGRAM: FILE:LINE: FUNCTION: Assertion 'EXPRESSION' failed.`; the quotes vary, and a C++
/// function is printed with its parameters.
fn glibc(text: &str) -> Option<EventKind> {
    let (before, rest) = text.split_once("Assertion ")?;
    let quoted = rest.trim_start().strip_prefix(OPENING)?;
    let (expression, after) = quoted.rsplit_once(" failed")?;
    ends_the_line(after).then_some(())?;
    let expression = expression.strip_suffix(CLOSING)?;
    let (position, line, function) = file_and_line(before)?;
    Some(of_glibc(position, line, function, expression))
}

/// What stands before the line's number is `PROGRAM: FILE`, behind it `FUNCTION: `.
fn of_glibc(position: &str, line: u32, function: &str, expression: &str) -> EventKind {
    let (program, file) = match position.rsplit_once(": ") {
        Some((program, file)) => (Some(last_word(program)), file),
        None => (None, position),
    };
    let function = function.trim().trim_end_matches(':').trim_end();
    event(expression, Some(file), Some(line), Some(function), program)
}

/// The quotes before an expression, as they are printed and as pastes make them.
pub(super) const OPENING: [char; 11] = ['`', '\'', '"', '´', '«', '»', '‘', '“', '”', '„', '『'];
/// Those behind it.
pub(super) const CLOSING: [char; 10] = ['`', '\'', '"', '´', '»', '«', '’', '“', '”', '』'];

/// Whether what follows `failed` is none of a person's words: a shell's `Aborted`, a pid.
fn ends_the_line(after: &str) -> bool {
    let after = after.strip_prefix('.').unwrap_or(after).trim();
    let after = after.strip_suffix("(core dumped)").unwrap_or(after).trim_end();
    let pid = after.trim_matches(['[', ']', '(', ')']);
    after.is_empty() || after == "Aborted" || pid.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the line is glibc's, cut off before `failed`; the rest may stand on the next line.
pub(super) fn begins(text: &str) -> bool {
    let Some((before, rest)) = text.split_once("Assertion") else { return false };
    let rest = rest.trim_start();
    let open = rest.is_empty() || rest.starts_with(OPENING);
    open && !rest.contains(" failed") && file_and_line(before).is_some()
}

/// Whether the line can follow one that [`begins`] an assertion.
pub(in crate::trace) fn goes_on_with(text: &str, line: &str) -> bool {
    let line = line.trim_start();
    let quoted = text.ends_with(CLOSING) || line.starts_with(OPENING);
    let expression = !text.ends_with("Assertion") && line.contains(" failed");
    if quoted { line.starts_with("failed") || line.starts_with(OPENING) } else { expression }
}

/// What the joined lines say that [`begins`] found; the last words may be cut off.
pub(in crate::trace) fn joined(text: &str) -> Option<EventKind> {
    glibc(text).or_else(|| glibc(&format!("{text} failed.")))
}

/// `FILE:LINE: ` in front of a function: the file and what is before it, the line, the function.
fn file_and_line(text: &str) -> Option<(&str, u32, &str)> {
    text.match_indices(':').find_map(|(at, _)| {
        let (digits, function) = text.get(at + 1..)?.split_once(':')?;
        // A clock's `08:00:01` has no blank behind its colon.
        let function = function.strip_prefix(' ')?;
        Some((text.get(..at)?, digits.parse().ok()?, function))
    })
}

/// The program, without what a syslog puts before it: `host libvirtd[12]: libvirtd`.
fn last_word(program: &str) -> &str {
    program.rsplit(' ').next().unwrap_or(program)
}

/// `Assertion failed: EXPRESSION (FILE: FUNCTION: LINE)`
fn musl(text: &str) -> Option<EventKind> {
    let rest = text.strip_prefix("Assertion failed: ")?;
    let (expression, place) = rest.strip_suffix(')')?.rsplit_once(" (")?;
    let (place, line) = place.rsplit_once(": ")?;
    let (file, function) = place.split_once(": ")?;
    Some(event(expression, Some(file), Some(line.parse().ok()?), Some(function), None))
}

/// `PROGRAM:ERROR:FILE:LINE:FUNCTION: assertion failed: (EXPRESSION)`, or with the values that were
/// compared, `assertion failed (a == b): (1 == 2)`; a test in TAP bails out with it.
fn glib(text: &str) -> Option<EventKind> {
    let (before, said) = text.split_once(": assertion failed")?;
    let expression = match said.strip_prefix(": ") {
        Some(expression) => expression,
        None => said.strip_prefix(" (")?.split_once("): ")?.0,
    };
    let before = before.strip_prefix("Bail out! ").unwrap_or(before);
    let (program, place) = before.split_once("ERROR:")?;
    let mut parts = place.splitn(3, ':');
    let (file, line, function) = (parts.next()?, parts.next()?, parts.next()?);
    let expression =
        expression.strip_prefix('(').and_then(|e| e.strip_suffix(')')).unwrap_or(expression);
    let program = program.strip_suffix(':').filter(|program| !program.is_empty());
    Some(event(expression, Some(file), Some(line.parse().ok()?), Some(function), program))
}

/// The assertion that failed in this stack, and the position of the frame that says so.
pub(in crate::trace) fn in_frames(frames: &[Frame]) -> Option<(usize, EventKind)> {
    ["__assert_fail", "__assert_fail_base", "g_assertion_message_expr"].iter().find_map(|name| {
        let named = |frame: &Frame| {
            let function = frame.function.as_deref().filter(|_| !frame.arguments.is_empty());
            function.is_some_and(|function| public_name(function) == *name)
        };
        // It is the cause of the abort below it: near the top, if at all.
        let at = frames.iter().take(32).position(named)?;
        Some((at, from_arguments(frames.get(at)?)?))
    })
}

fn from_arguments(frame: &Frame) -> Option<EventKind> {
    let value = |name: &str| frame.arguments.iter().find(|a| a.name == name).map(|a| &a.value);
    let string = |name: &str| value(name).and_then(|value| value.string.as_deref());
    let expression = string("assertion").or_else(|| string("expr"))?;
    let line = value("line").and_then(|value| value.text.parse().ok());
    let function = string("function").or_else(|| string("func"));
    Some(event(expression, string("file"), line, function, None))
}

fn event(
    expression: &str,
    file: Option<&str>,
    line: Option<u32>,
    function: Option<&str>,
    program: Option<&str>,
) -> EventKind {
    EventKind::Assertion {
        expression: expression.to_owned(),
        file: file.map(str::to_owned),
        line,
        function: function.filter(|name| !name.is_empty()).map(str::to_owned),
        program: program.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_fd(program: Option<&str>) -> Option<EventKind> {
        let function = Some("libxl_osevent_occurred_fd");
        Some(event("fd == ev->fd", Some("libxl_event.c"), Some(1020), function, program))
    }

    #[test]
    fn the_c_libraries_lines_say_the_same() {
        for (line, program) in [
            (
                "libvirtd: libxl_event.c:1020: libxl_osevent_occurred_fd: Assertion `fd == ev->fd' failed.",
                Some("libvirtd"),
            ),
            (
                "libvirtd: libxl_event.c:1020: libxl_osevent_occurred_fd: Assertion 'fd == ev->fd' failed.",
                Some("libvirtd"),
            ),
            (
                "Nov 12 08:00:01 host libvirtd[77]: libvirtd: libxl_event.c:1020: libxl_osevent_occurred_fd: Assertion \u{2018}fd == ev->fd\u{2019} failed.",
                Some("libvirtd"),
            ),
            (
                "Assertion failed: fd == ev->fd (libxl_event.c: libxl_osevent_occurred_fd: 1020)",
                None,
            ),
            (
                "libvirtd:ERROR:libxl_event.c:1020:libxl_osevent_occurred_fd: assertion failed: (fd == ev->fd)",
                Some("libvirtd"),
            ),
            (
                "ERROR:libxl_event.c:1020:libxl_osevent_occurred_fd: assertion failed (fd == ev->fd): (1 == 2)",
                None,
            ),
            (
                "Bail out! ERROR:libxl_event.c:1020:libxl_osevent_occurred_fd: assertion failed: (fd == ev->fd)",
                None,
            ),
        ] {
            assert_eq!(assertion(line), of_fd(program), "{line}");
        }
    }

    #[test]
    fn a_cxx_function_keeps_its_parameters() {
        let line = "a.out: /src/a b.cc:12: void ns::f(int): Assertion `x != \"' failed\"' failed.";
        let file = Some("/src/a b.cc");
        let expected =
            event("x != \"' failed\"", file, Some(12), Some("void ns::f(int)"), Some("a.out"));
        assert_eq!(assertion(line), Some(expected));
    }

    #[test]
    fn talk_of_assertions_is_none() {
        for line in
            ["Assertion `x' failed.", "the Assertion failed", "Assertion failed: x", "", "1:2:"]
        {
            assert_eq!(assertion(line), None, "{line}");
        }
        let quoted = "I do not see libvirtd: f.c:1: f: Assertion `x' failed. any more since 4.2.2";
        assert_eq!(assertion(quoted), None);
        assert!(!begins(quoted) && !begins("the Assertion"));
    }

    #[test]
    fn a_shell_or_a_pid_may_follow() {
        for end in ["", ".", ". Aborted", ". Aborted (core dumped)", ". [4836]"] {
            let line = format!(
                "libvirtd: libxl_event.c:1020: libxl_osevent_occurred_fd: Assertion `fd == ev->fd' failed{end}"
            );
            assert_eq!(assertion(&line), of_fd(Some("libvirtd")), "{line}");
        }
    }

    #[test]
    fn quotes_vary() {
        for (open, close) in [('\u{b4}', '\''), ('\u{ab}', '\u{bb}'), ('"', '"')] {
            let line = format!(
                "libvirtd: libxl_event.c:1020: libxl_osevent_occurred_fd: Assertion {open}fd == ev->fd{close} failed."
            );
            assert_eq!(assertion(&line), of_fd(Some("libvirtd")), "{line}");
        }
    }

    #[test]
    fn a_line_cut_off_says_what_it_can() {
        let begun =
            "libvirtd: libxl_event.c:1020: libxl_osevent_occurred_fd: Assertion `fd == ev->fd'";
        assert!(
            begins(begun) && goes_on_with(begun, " failed.") && !goes_on_with(begun, "It failed")
        );
        assert_eq!(joined(begun), of_fd(Some("libvirtd")));
        assert_eq!(joined(begun.strip_suffix("fd'").unwrap()), None);
    }
}
