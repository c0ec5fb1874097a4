//! What do the sanitizers of LLVM and GCC report, and on which stacks?
//!
//! ```text
//! ==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010 at pc 0x… bp 0x… sp 0x…
//! READ of size 4 at 0x602000000010 thread T0
//!     #0 0x55d0 in read_it /src/uaf.c:7:12
//!     #1 0x7f00 in main (/lib/libc.so.6+0x27249) (BuildId: 93ac61ec…)
//! freed by thread T0 here:
//! WARNING: ThreadSanitizer: data race (pid=7)
//!     #0 write_it race.c:5 (a.out+0x11f4)
//! uaf.c:7:12: runtime error: signed integer overflow: …
//! ```
//! (compiler-rt, sanitizer_common/sanitizer_stacktrace_printer.cpp, `RenderFrame`.) Addresses are moved
//! back into the call before they are printed; a module's offset is counted from its load bias. Inlined
//! functions are frames with the same address.

use std::sync::LazyLock;

use memchr::memmem;

use super::gdb::is_function_name;
use super::parts::{
    address, begins_with, begins_with_any, in_module, name_and_place, place, symbol,
};
use super::{Fault, Format, Numbered, Says, Start, Told, bare_frame, number};
use crate::address::Pc;
use crate::trace::model::{Frame, Thread};
use crate::trace::nesting::Nesting;
use crate::trace::search;

/// The tools by the name they call themselves.
const TOOLS: [&str; 7] = [
    "AddressSanitizer",
    "HWAddressSanitizer",
    "LeakSanitizer",
    "MemorySanitizer",
    "ThreadSanitizer",
    "UndefinedBehaviorSanitizer",
    "DataFlowSanitizer",
];

/// The frame of this number, if a sanitizer wrote what follows the number.
pub(super) fn frame(rest: &str, index: u32) -> Option<Told> {
    let mut frame = Frame { pc: Pc::Adjusted, ..bare_frame(index) };
    let (text, build) = without_build_id(rest);
    let (text, module) = match in_module(text) {
        Some((before, module, offset)) => {
            frame.module_offset = Some(offset);
            frame.module = Some(module.to_owned());
            (before, true)
        }
        None => (text.strip_suffix("(<unknown module>)").map_or(text, str::trim_end), false),
    };
    let unknown = !module && text.len() < rest.len();
    let name = match address(text) {
        Some((at, rest)) => {
            frame.address = Some(at);
            match rest.strip_prefix(" in ") {
                Some(name) => name.trim(),
                None if rest.trim().is_empty() && (module || unknown) => "",
                None => return None,
            }
        }
        None if module => text,
        None => return None,
    };
    let placed = set_function(&mut frame, name)?;
    (module || placed || unknown).then_some(())?;
    Some(Told { format: Format::Sanitizer, number: Numbered::Printed, frame, build_id: build })
}

/// Fills in `NAME PLACE`, `NAME+0xOFFSET` or `<null> <null>`; whether there is a place, and nothing
/// where another printer wrote this.
fn set_function(frame: &mut Frame, text: &str) -> Option<bool> {
    let text = text.strip_suffix("<null>").map_or(text, str::trim_end);
    let text = if text == "<null>" { "" } else { text };
    let (name, place) = match name_and_place(text) {
        Some((name, place)) => (name, Some(place)),
        None => (text, None),
    };
    // gdb's: `f (a=1) at f.c:7`.
    let mut nesting = Nesting::default();
    nesting.read(name);
    if nesting.is_open() || name.ends_with(" at") {
        return None;
    }
    let (name, offset) = symbol(name);
    (name.is_empty() || is_function_name(name)).then_some(())?;
    frame.function = Some(name).filter(|name| !name.is_empty()).map(str::to_owned);
    frame.offset = offset;
    let placed = place.is_some();
    if let Some(place) = place {
        frame.file = Some(place.file);
        frame.line = Some(place.line).filter(|line| *line > 0);
        frame.column = place.column.filter(|column| *column > 0);
    }
    Some(placed)
}

/// The text before ` (BuildId: …)`, and the build-id.
pub(super) fn without_build_id(text: &str) -> (&str, Option<String>) {
    let split = text.strip_suffix(')').and_then(|text| search::rsplit_once(text, " (BuildId: "));
    match split {
        Some((before, id)) if id.bytes().all(|byte| byte.is_ascii_hexdigit()) && !id.is_empty() => {
            (before, Some(id.to_ascii_lowercase()))
        }
        _ => (text, None),
    }
}

/// What a line around the stacks says.
pub(super) fn start(text: &str) -> Option<Start<'_>> {
    let says = report(text)
        .or_else(|| heading(text))
        .or_else(|| is_remark(text).then_some(Says::Remark))?;
    Some(Start::Says(Format::Sanitizer, says))
}

/// `==7==ERROR: AddressSanitizer: …`, `WARNING: ThreadSanitizer: data race (pid=7)`
fn report(text: &str) -> Option<Says<'_>> {
    let text = match text.strip_prefix("==") {
        Some(pid) => number::<u64>(pid)?.1.strip_prefix("==")?,
        None => text,
    };
    let said = text.strip_prefix("ERROR: ").or_else(|| text.strip_prefix("WARNING: "))?;
    let (tool, what) = said.split_once(": ")?;
    TOOLS.contains(&tool).then_some(())?;
    let on = [" on address ", " on unknown address ", " on "].into_iter();
    let (what, address, rest) = on
        .filter_map(|on| {
            let (before, rest) = what.split_once(on)?;
            let (address, rest) = address(rest)?;
            Some((before, Some(address), rest))
        })
        .next()
        .unwrap_or((what, None, ""));
    Some(Says::Fault(Fault { what, address, place: None, thread: faulting(rest) }))
}

/// `… (pc 0x1 bp 0x2 sp 0x3 T0)`, `… in thread T0:`
fn faulting(text: &str) -> Option<Box<Thread>> {
    let (_, rest) = text.split_once(" T")?;
    let (id, rest) = number(rest)?;
    let thread = Thread { number: Some(id), ..Thread::default() };
    rest.starts_with([')', ':', ' ']).then(|| Box::new(thread))
}

/// `FILE:LINE:COLUMN: runtime error: …`
pub(super) fn runtime_error(text: &str) -> Option<Start<'_>> {
    const ERROR: &str = ": runtime error: ";
    static ERRORS: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(ERROR));
    let at = ERRORS.find(text.as_bytes())?;
    let (at, what) = (text.get(..at)?, text.get(at + ERROR.len()..)?);
    let fault = Fault { what, place: Some(place(at)?), ..Fault::default() };
    Some(Start::Says(Format::Sanitizer, Says::Fault(fault)))
}

/// The line above a stack.
fn heading(text: &str) -> Option<Says<'_>> {
    const STARTS: [&str; 14] = [
        "READ of size ",
        "WRITE of size ",
        "freed by thread ",
        "previously allocated by thread ",
        "allocated by thread ",
        "Previous read of size ",
        "Previous write of size ",
        "Previous atomic ",
        "Read of size ",
        "Write of size ",
        "Atomic ",
        "Direct leak of ",
        "Indirect leak of ",
        "Uninitialized value was ",
    ];
    const MIDST: [(&str, &str); 5] = [
        ("Address 0x", " is located in stack of thread T"),
        ("Thread T", " created by "),
        ("Mutex M", " created at:"),
        ("Mutex M", " acquired here "),
        ("Location is ", ""),
    ];
    let started = begins_with_any(text, &STARTS);
    let sure = |(start, midst): &(&str, &str)| begins_with(text, start) && text.contains(midst);
    (started || MIDST.iter().any(sure)).then(|| Says::Heading { thread: thread(text) })
}

/// `thread T1`, `thread T2 'name'`, `main thread`.
fn thread(text: &str) -> Option<Thread> {
    // `Thread T1 … created by main thread at:` is the stack of the creator.
    if text.contains("main thread") {
        return Some(Thread { number: Some(0), ..Thread::default() });
    }
    let (_, rest) = search::split_once(text, "hread T")?;
    let (number, _) = number(rest)?;
    Some(Thread { number: Some(number), ..Thread::default() })
}

fn is_remark(text: &str) -> bool {
    // The rules above reports: ThreadSanitizer's, and the others'.
    const RULES: [usize; 2] = [18, 65];
    let rule = RULES.contains(&text.len()) && text.bytes().all(|byte| byte == b'=');
    const STARTS: [&str; 7] = [
        "SUMMARY: ",
        "Shadow bytes around the buggy address",
        "Shadow byte legend ",
        "Hint: address points to ",
        "Hint: this fault was caused by ",
        "HINT: ",
        "AddressSanitizer can not provide additional info",
    ];
    let located = || {
        let (_, rest) = address(text)?;
        Some(rest.starts_with(" is located ") || rest.starts_with(" is a wild pointer"))
    };
    let shadow = || {
        let (_, rest) = address(text.strip_prefix("=>").unwrap_or(text))?;
        let bytes = rest.strip_prefix(": ").or_else(|| rest.strip_prefix(":["))?;
        Some(
            bytes.len() >= 2
                && bytes.bytes().all(|byte| byte.is_ascii_hexdigit() || b" []".contains(&byte)),
        )
    };
    let aborting = text.strip_prefix("==").and_then(number::<u64>).is_some_and(|(_, rest)| {
        ["==ABORTING", "==Register values:", "==HINT: ", "==Hint: ", "==The signal is caused by "]
            .iter()
            .any(|end| rest.starts_with(end))
    });
    let named = || text.split_once(':').is_some_and(|(tool, _)| TOOLS.contains(&tool));
    rule || named()
        || begins_with_any(text, &STARTS)
        || located() == Some(true)
        || shadow() == Some(true)
        || aborting
}

/// `  Heap left redzone:       fa`: what the shadow bytes above mean.
pub(super) fn is_legend(text: &str) -> bool {
    let Some((name, bytes)) = text.split_once(':') else { return false };
    let bytes = bytes.trim();
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b' ' || byte == b'-')
        && (2..=20).contains(&bytes.len())
        && bytes.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<Frame> {
        frame(line, 0).map(|told| told.frame)
    }

    #[test]
    fn where_an_address_is_on_a_stack_heads_that_stack() {
        let line = "Address 0x7ffd00001234 is located in stack of thread T1 at offset 36 in frame";
        let thread = Thread { number: Some(1), ..Thread::default() };
        let says = Says::Heading { thread: Some(thread) };
        assert_eq!(start(line), Some(Start::Says(Format::Sanitizer, says)));
        assert_eq!(start("Address 0x12 is located in my stack"), None);
    }

    #[test]
    fn frames_with_source_module_or_neither() {
        for (line, function, file, module) in [
            (
                "0x4f in ns::f(int, char const*) /a b/c.cc:12:3",
                Some("ns::f(int, char const*)"),
                Some("/a b/c.cc"),
                None,
            ),
            ("0x4f in f c.c:12", Some("f"), Some("c.c"), None),
            ("0x4f in f (/lib/a.so+0x1f) (BuildId: 93ac)", Some("f"), None, Some("/lib/a.so")),
            ("0x4f in f+0x2 (/lib/a.so+0x1f)", Some("f"), None, Some("/lib/a.so")),
            ("0x4f  (/lib/a.so+0x1f)", None, None, Some("/lib/a.so")),
            ("0x4f  (<unknown module>)", None, None, None),
            ("f c.c:12 (a.out+0x1f)", Some("f"), Some("c.c"), Some("a.out")),
            ("f <null> (a.out+0x1f)", Some("f"), None, Some("a.out")),
            ("<null> <null> (a.out+0x1f)", None, None, Some("a.out")),
        ] {
            let frame = read(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(
                (frame.function.as_deref(), frame.file.as_deref()),
                (function, file),
                "{line}"
            );
            assert_eq!((frame.module.as_deref(), frame.pc), (module, Pc::Adjusted), "{line}");
        }
    }

    #[test]
    fn other_printers_and_people_write_no_such_frames() {
        for line in [
            "0x4f in f (",
            "0x4f in f at c.c:12",
            "0x4f in f",
            "0x4f f (lib.so + 0x1f)",
            "I saw it too in f c.c:12",
            "crash in my code (a.out+0x1f) twice",
            "",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }

    #[test]
    fn reports_are_told_by_the_tools_name() {
        let says = |text| match start(text) {
            Some(Start::Says(_, says)) => Some(says),
            _ => None,
        };
        let line =
            "==7==ERROR: AddressSanitizer: SEGV on unknown address 0x01 (pc 0x2 bp 0x3 sp 0x4 T0)";
        let fault = |what| Fault { what, ..Fault::default() };
        let at_one = Fault {
            address: Some(crate::address::RuntimeAddress(1)),
            thread: faulting(" T0)"),
            ..fault("SEGV")
        };
        assert_eq!(says(line), Some(Says::Fault(at_one)));
        let line = "==7==ERROR: AddressSanitizer: attempting double-free on 0x60 in thread T3:";
        let address = Some(crate::address::RuntimeAddress(0x60));
        let twice = fault("attempting double-free");
        assert_eq!(
            says(line),
            Some(Says::Fault(Fault { address, thread: faulting(" T3:"), ..twice }))
        );
        let race = "data race (pid=7)";
        assert_eq!(
            says("WARNING: ThreadSanitizer: data race (pid=7)"),
            Some(Says::Fault(fault(race)))
        );
        assert_eq!(says("ERROR: OtherTool: data race"), None);
        let made = says("Thread T2 'x' (tid=7, running) created by main thread at:");
        assert!(matches!(
            made,
            Some(Says::Heading { thread: Some(Thread { number: Some(0), .. }) })
        ));
        assert_eq!(says("Freed by nobody"), None);
    }
}
