//! lldb's frames: what does `bt` say?
//!
//! ```text
//! * thread #1, name = 'layers', stop reason = breakpoint 1.1
//!   * frame #0: 0x00007ffff7fbc130 liblayers.so`layers_stop(depth=0) at layers.c:18:10
//!     frame #4: 0x0000555555555181 layers`main [inlined] callback at layers_main.c:8:18
//!     frame #5: 0x0000555555555091 layers`___lldb_unnamed_symbol11 + 33
//! [  1] 1A314195-7287-792E-8873-417FC0F8148F-97A7E487 0x00007ffff7fbb000 /opt/liblayers.so
//! ```
//! (lldb/source/Core/Debugger.cpp, the default of `frame-format`.) The last is of `image list`: build-id
//! and first address of each module.

use super::parts::{address, place};
use super::{Format, Numbered, Says, Start, Told, bare_frame, number};
use crate::trace::budget::Budget;
use crate::trace::model::{Argument, Frame, Lines, Module, ModuleSource, Thread};
use crate::trace::nesting::group_end;
use crate::trace::notation::argument_name;
use crate::trace::value;

/// The headings of `register read` (the register sets of lldb/source/Plugins/Process/Utility).
const REGISTERS: [&str; 4] = [
    "General Purpose Registers:",
    "Floating Point Registers:",
    "Advanced Vector Extensions:",
    "Exception State Registers:",
];

/// What the line says.
pub(super) fn start(text: &str) -> Option<Start<'_>> {
    let marked = text.strip_prefix("* ").unwrap_or(text);
    if let Some(rest) = marked.strip_prefix("frame #") {
        let (index, rest) = number(rest)?;
        return frame(rest.strip_prefix(": ")?, index).map(|told| Start::Told(Box::new(told)));
    }
    if let Some(rest) = marked.strip_prefix("thread #") {
        let (id, rest) = number(rest)?;
        rest.starts_with(',').then_some(())?;
        let name = rest.split_once("name = '").and_then(|(_, rest)| rest.split_once('\''));
        let name = name.map(|(name, _)| name.to_owned());
        let thread = Thread { number: Some(id), name, ..Thread::default() };
        return Some(Start::Says(Format::Lldb, Says::Heading { thread: Some(thread) }));
    }
    if REGISTERS.contains(&text) {
        return Some(Start::Says(Format::Lldb, Says::Begins));
    }
    image(text).map(|module| Start::Module(Format::Lldb, module))
}

fn frame(rest: &str, index: u32) -> Option<Told> {
    let (address, rest) = address(rest)?;
    let mut frame = Frame { address: Some(address), ..bare_frame(index) };
    if let Some((module, call)) = rest.trim_start().split_once('`') {
        frame.module = Some(module.to_owned());
        set_call(&mut frame, call);
    }
    let inlined = rest.contains(" [inlined] ") || rest.trim_end().ends_with(" [inlined]");
    let number = if inlined { Numbered::Inlined } else { Numbered::Printed };
    Some(Told { format: Format::Lldb, number, frame, build_id: None })
}

/// `callback(depth=0) at layers.c:18:10`, `main [inlined] callback + 3 at …`, `_start + 33`; behind it may stand that it
/// was optimised and inlined, and that lldb has put in the frame of a tail call.
fn set_call(frame: &mut Frame, call: &str) {
    let call = call.trim_end();
    let without = |call, note| str::strip_suffix(call, note).unwrap_or(call);
    let call = [" [artificial]", " [inlined]", " [opt]"].into_iter().fold(call, without);
    let (call, place) = match call.rsplit_once(" at ").map(|(call, at)| (call, place(at))) {
        Some((before, Some(place))) => (before, Some(place)),
        _ => (call, None),
    };
    if let Some(place) = place {
        (frame.file, frame.line, frame.column) = (Some(place.file), Some(place.line), place.column);
    }
    let call = call.split_once(" [inlined] ").map_or(call, |(_, call)| call);
    let (call, offset) = match call.rsplit_once(" + ").map(|(call, offset)| (call, offset.parse()))
    {
        Some((before, Ok(offset))) => (before, Some(offset)),
        _ => (call, None),
    };
    frame.offset = offset;
    let name = match arguments_start(call) {
        Some(at) => match behind_call_operator(call, at) {
            Some((before, behind)) => format!("{before}(){behind}"),
            None => call.get(..at).unwrap_or_default().to_owned(),
        },
        None => call.to_owned(),
    };
    frame.function = Some(name.trim_end().to_owned()).filter(|name| !name.is_empty());
}

/// What stands around the arguments in the name of a call operator: lldb 14 puts them in place of the `()`
/// of `operator()(int) const`, and writes `operator(this=0x…, at=2)(int) const`.
fn behind_call_operator(text: &str, arguments: usize) -> Option<(&str, &str)> {
    let before = text.get(..arguments)?;
    before.ends_with("operator").then_some(())?;
    let behind = text.get(group_end(text.as_bytes(), arguments)?..)?;
    behind.starts_with('(').then_some((before, behind))
}

/// The arguments of the frame on this line.
pub(in crate::trace) fn arguments(line: &str, budget: &mut Budget) -> Vec<Argument> {
    let Some(at) = arguments_start(line) else { return Vec::new() };
    let inner = line.get(at + 1..).unwrap_or_default();
    // lldb 14 can leave what was behind the first closing parenthesis: `f(call=0x01, value=7)(int), int) at`.
    let closed = group_end(line.as_bytes(), at).and_then(|end| end.checked_sub(at + 2));
    let last = || inner.rfind(") at ").or_else(|| inner.rfind(')')).unwrap_or(inner.len());
    let end = closed.unwrap_or_else(last);
    value::arguments(inner.get(..end).unwrap_or_default(), budget)
}

/// Where `(name=` stands: a C++ function's parameters have no names.
fn arguments_start(text: &str) -> Option<usize> {
    let starts = |at: &usize| {
        let inner = text.get(at + 1..).unwrap_or_default();
        let value = argument_name(inner).and_then(|(_, value)| inner.get(value..));
        value.is_some_and(|value| !value.starts_with('='))
    };
    text.match_indices('(').map(|(at, _)| at).find(starts)
}

/// `[  1] 1A314195-…-97A7E487 0x00007ffff7fbb000 /opt/liblayers.so`
fn image(text: &str) -> Option<Module> {
    let (index, rest) = text.strip_prefix('[')?.split_once("] ")?;
    index.trim().parse::<u32>().ok()?;
    let (id, rest) = rest.split_once(' ')?;
    let plain = id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let (start, path) = address(rest)?;
    let path = path.strip_prefix(' ')?.trim_end();
    (plain && id.contains('-')).then_some(())?;
    Some(Module {
        path: path.to_owned(),
        build_id: Some(id.replace('-', "").to_ascii_lowercase()),
        bias: None,
        start: Some(start),
        end: None,
        file_offset: None,
        source: ModuleSource::ModuleList,
        lines: Lines::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Frame {
        match start(line) {
            Some(Start::Told(told)) => told.frame,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn frames_of_all_kinds() {
        let frame =
            read("* frame #0: 0x01 lib.so`ns::f(depth=0, back=(a`b at a.c:1:2)) at a b.c:18:10");
        assert_eq!(frame.function.as_deref(), Some("ns::f"));
        assert_eq!(
            (frame.file.as_deref(), frame.line, frame.column),
            (Some("a b.c"), Some(18), Some(10))
        );
        let frame = read("frame #4: 0x01 a`main [inlined] callback at m.c:8:18");
        assert_eq!(
            (frame.function.as_deref(), frame.module.as_deref()),
            (Some("callback"), Some("a"))
        );
        let frame = read("frame #4: 0x01 a`operator()(int) + 33");
        assert_eq!((frame.function.as_deref(), frame.offset), (Some("operator()(int)"), Some(33)));
        let frame = read("frame #7: 0x01 a`f(x=1) const at m.cc:146:28 [opt] [artificial]");
        assert_eq!((frame.function.as_deref(), frame.line), (Some("f"), Some(146)));
        let frame = read("frame #1: 0x01 a`bar(x=1) at a.c:9:3 [opt] [inlined]");
        assert_eq!((frame.function.as_deref(), frame.file.as_deref()), (Some("bar"), Some("a.c")));
        assert_eq!((frame.line, frame.column), (Some(9), Some(3)));
        let line =
            "frame #0: 0x01 a`N::operator(this=0x02, s=\"a)(b\")(int, (x)) const at m.cc:8:43";
        let frame = read(line);
        assert_eq!(frame.function.as_deref(), Some("N::operator()(int, (x)) const"));
        assert_eq!((frame.file.as_deref(), frame.line), (Some("m.cc"), Some(8)));
        let arguments = arguments(line, &mut Budget::default());
        let texts: Vec<_> = arguments.iter().map(|a| (&*a.name, &*a.value.text)).collect();
        assert_eq!(texts, [("this", "0x02"), ("s", "\"a)(b\"")]);
        assert_eq!(read("frame #4: 0x01").function, None);
        assert_eq!(start("frame #4 is the one"), None);
    }

    #[test]
    fn an_image_has_its_build_id() {
        let Some(Start::Module(_, module)) =
            start("[  1] 1A31-97A7 0x00007ffff7fbb000 /opt/a b.so ")
        else {
            panic!()
        };
        assert_eq!(
            (module.path.as_str(), module.build_id.as_deref()),
            ("/opt/a b.so", Some("1a3197a7"))
        );
    }
}
