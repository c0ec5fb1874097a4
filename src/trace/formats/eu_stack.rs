//! What do `eu-stack` and `pstack` of elfutils print?
//!
//! ```text
//! PID 6026 - process
//! TID 6026:
//! #0  0x00007f5fb5929b55     raise - libc.so.6
//! #1  0x00007f5fb592b131 - 1 abort - libc.so.6
//!     [93ac61ec5a8eb1396f9fbd350e3169a558528a40]@0x7f5fb58f1000+0x3a130
//!     ../stdlib/abort.c:79:7
//! 0x00007f5fb58f1000-0x00007f5fb5ad2f50 libc.so.6
//!   [93ac61ec5a8eb1396f9fbd350e3169a558528a40]
//!   /lib/x86_64-linux-gnu/libc.so.6
//! ```
//! (src/stack.c, `print_frame`.) The address is as in the machine, ` - 1` says that the call before it
//! was looked up; the offset behind the module's start is of the address looked up. A list of modules
//! comes at the end.

use super::gdb::is_function_name;
use super::parts::{address, hexadecimal, place, range};
use super::{Adds, Format, Numbered, Says, Start, Told, bare_frame, number};
use crate::address::RuntimeAddress;
use crate::trace::model::{Frame, Lines, Module, ModuleSource, Thread};
use crate::trace::search;

/// The frame of this number, if eu-stack wrote what follows the number.
pub(super) fn frame(rest: &str, index: u32) -> Option<Told> {
    let (address, rest) = address(rest)?;
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    let rest = rest.strip_prefix("- 1 ").unwrap_or(rest).trim();
    let (name, module) = match search::split_once(rest, " - ") {
        Some((name, module)) => (name, Some(module)),
        None => match rest.strip_prefix("- ") {
            Some(module) => ("", Some(module)),
            None => (rest, None),
        },
    };
    // The demangler's note that the compiler has made a part or a copy of the function.
    let shown = search::split_once(name, " [clone ").map_or(name, |(name, _)| name);
    let one_word = |module: &str| !module.is_empty() && !module.contains(' ');
    let named = is_function_name(shown)
        && name != "in"
        && !name.starts_with("in ")
        && !search::contains(name, " ()");
    let plausible = match module {
        Some(module) => one_word(module) && (named || name.is_empty()),
        None => named && (!name.contains('(') || name.contains("::") || has_parameters(shown)),
    };
    plausible.then_some(())?;
    let frame = Frame {
        address: Some(address),
        function: Some(name).filter(|name| !name.is_empty()).map(str::to_owned),
        module: module.map(str::to_owned),
        ..bare_frame(index)
    };
    Some(Told { format: Format::EuStack, number: Numbered::Printed, frame, build_id: None })
}

/// `f(int, char const*)`, `f(int (*)(char)) const`: C++ puts no blank before the parameters, a sentence does.
fn has_parameters(name: &str) -> bool {
    let before = name.split('(').next().unwrap_or_default();
    !before.is_empty() && !before.contains(' ') && (name.ends_with(')') || name.ends_with("const"))
}

/// The frame of this number that has nothing but an address.
pub(in crate::trace) fn bare(text: &str, index: u32) -> Option<Told> {
    let (address, rest) = address(text)?;
    let rest = rest.trim();
    (rest.is_empty() || rest == "- 1").then_some(())?;
    let frame = Frame { address: Some(address), ..bare_frame(index) };
    Some(Told { format: Format::EuStack, number: Numbered::Printed, frame, build_id: None })
}

/// What another line says.
pub(super) fn start(text: &str) -> Option<Start<'_>> {
    let thread = |rest: &str| {
        let (id, rest) = number(rest)?;
        (rest == ":")
            .then(|| Says::Heading { thread: Some(Thread { lwp: Some(id), ..Thread::default() }) })
    };
    if let Some(says) = text.strip_prefix("TID ").and_then(thread) {
        return Some(Start::Says(Format::EuStack, says));
    }
    let process = text.strip_prefix("PID ").and_then(number::<u64>);
    if process.is_some_and(|(_, rest)| rest.starts_with(" - ") && !rest.ends_with('.')) {
        return Some(Start::Says(Format::EuStack, Says::Remark));
    }
    module(text)
}

/// `0xSTART-0xEND NAME`
fn module(text: &str) -> Option<Start<'_>> {
    let (start, end, name) = range(text.starts_with("0x").then_some(text)?)?;
    let path = name.strip_prefix(' ')?;
    (!path.is_empty() && !path.contains(' ')).then_some(())?;
    Some(Start::Module(
        Format::EuStack,
        Module {
            path: path.to_owned(),
            build_id: None,
            bias: None,
            start: Some(start),
            end: Some(end),
            file_offset: None,
            source: ModuleSource::ModuleList,
            lines: Lines::default(),
        },
    ))
}

/// What the line adds to the frame or module above.
pub(super) fn adds(text: &str) -> Option<Adds> {
    if let Some((id, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        let hex = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        hex.then_some(())?;
        let build_id = id.to_ascii_lowercase();
        if rest.is_empty() {
            return Some(Adds::BuildId(build_id));
        }
        let (start, offset) = address(rest.strip_prefix('@')?)?;
        let (_, end) = hexadecimal(offset.strip_prefix("+0x")?)?;
        return end.is_empty().then_some(Adds::Module { build_id, start: RuntimeAddress(start.0) });
    }
    match place(text) {
        Some(place) => Some(Adds::Place(place)),
        None => (!text.contains(' ')).then(|| Adds::Path(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_with_and_without_module() {
        for (line, function, module) in [
            ("0x00007f5fb592b131 abort", Some("abort"), None),
            ("0x00007f5fb592b131 - 1 abort - libc.so.6", Some("abort"), Some("libc.so.6")),
            ("0x00007f5fb592b131     abort - libc.so.6", Some("abort"), Some("libc.so.6")),
            ("0x00007f5fb592b131 - 1 - libc.so.6", None, Some("libc.so.6")),
            ("0x00007f5fb592b131 ns::f(int, char const*)", Some("ns::f(int, char const*)"), None),
            (
                "0x00007f5fb592b131 - 1 foo(int, char) [clone .part.0]",
                Some("foo(int, char) [clone .part.0]"),
                None,
            ),
            ("0x00007f5fb592b131 f(int (*)(int), long)", Some("f(int (*)(int), long)"), None),
        ] {
            let frame = frame(line, 0).unwrap().frame;
            assert_eq!((frame.function.as_deref(), frame.module.as_deref()), (function, module));
        }
        for line in [
            "0x1 f (a)",
            "0x1 in f (a=1) at f.c:1",
            "0x1 is where it died",
            "0x1 in ?? ()",
            "0x1",
            "abort",
        ] {
            assert!(frame(line, 0).is_none(), "{line}");
        }
    }

    #[test]
    fn lines_below_add_to_what_is_above() {
        let added = adds("[93AC]@0x7f01000+0x3a130");
        assert_eq!(
            added,
            Some(Adds::Module { build_id: "93ac".to_owned(), start: RuntimeAddress(0x7f01000) })
        );
        assert!(matches!(adds("../stdlib/abort.c:79:7"), Some(Adds::Place(_))));
        assert!(adds("my own words").is_none() && adds("[x]").is_none());
    }
}
