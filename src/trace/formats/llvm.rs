//! Where did a program of LLVM crash, by its own stack?
//!
//! ```text
//! PLEASE submit a bug report to https://github.com/llvm/llvm-project/issues/ and include the crash backtrace
//! Stack dump:
//! 0.    Program arguments: clang -c crash.c
//!  #0 0x00007fb3ec4a5291 llvm::sys::PrintStackTrace(llvm::raw_ostream&, int) (/lib/libLLVM-14.so.1+0xea5291)
//!  #3 0x00007fb3ec3cb83f (/lib/libLLVM-14.so.1+0xdcb83f)
//! #31 0x00007fb3eb44524a __libc_start_call_main ./csu/../sysdeps/nptl/libc_start_call_main.h:74:3
//! ```
//! (llvm/lib/Support/Signals.cpp, `printSymbolizedStackTrace`.) All are return addresses, as in the
//! machine: the innermost frame is the one that printed.

use super::gdb::is_function_name;
use super::parts::{address, in_module, name_and_place, symbol};
use super::sanitizer::without_build_id;
use super::{Fault, Format, Numbered, Says, Start, Told, bare_frame, number};
use crate::address::Pc;
use crate::trace::model::Frame;
use crate::trace::search;

/// The frame of this number, if LLVM wrote what follows the number.
pub(super) fn frame(rest: &str, index: u32) -> Option<Told> {
    let (rest, build_id) = without_build_id(rest);
    let (address, rest) = address(rest)?;
    let rest = rest.strip_prefix(' ')?;
    let mut frame = Frame { address: Some(address), pc: Pc::Return, ..bare_frame(index) };
    let name = match in_module(rest) {
        Some((before, module, offset)) => {
            (!search::contains(rest, " + 0x")).then_some(())?;
            (frame.module, frame.module_offset) = (Some(module.to_owned()), Some(offset));
            before
        }
        None => {
            let (name, place) = name_and_place(rest)?;
            (frame.file, frame.line, frame.column) =
                (Some(place.file), Some(place.line), place.column);
            name
        }
    };
    let (name, offset) = symbol(name);
    let known = name.is_empty() || is_function_name(name) && !name.starts_with("in ");
    (known && !name.ends_with(" at")).then_some(())?;
    frame.function = Some(name).filter(|name| !name.is_empty()).map(str::to_owned);
    frame.offset = offset;
    Some(Told { format: Format::Llvm, number: Numbered::Printed, frame, build_id })
}

/// What another line says.
pub(super) fn start(text: &str) -> Option<Start<'_>> {
    let says = if text.starts_with("PLEASE submit a bug report") || text.starts_with("LLVM ERROR: ")
    {
        Says::Fault(Fault { what: text, ..Fault::default() })
    } else if text == "Stack dump:" || text.starts_with("Stack dump without symbol names") {
        Says::Heading { thread: None }
    } else {
        return None;
    };
    Some(Start::Says(Format::Llvm, says))
}

/// `0.    Program arguments: …`: what the program was doing, below `Stack dump:`.
pub(super) fn is_activity(text: &str) -> bool {
    number::<u32>(text).is_some_and(|(_, rest)| rest.starts_with(".\t"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_with_module_or_source() {
        for (line, function, module) in [
            (
                "0x01 a::b(c const&, int) (/lib/x.so+0xea5291)",
                Some("a::b(c const&, int)"),
                Some("/lib/x.so"),
            ),
            ("0x01 (/lib/x.so+0xdcb83f)", None, Some("/lib/x.so")),
            ("0x01 call_init ./csu/../csu/libc-start.c:128:20", Some("call_init"), None),
        ] {
            let frame = frame(line, 0).unwrap().frame;
            assert_eq!((frame.function.as_deref(), frame.module.as_deref()), (function, module));
        }
        for line in
            ["0x01 in f (/lib/x.so+0x1)", "0x01 f - libc.so.6", "0x01 f (a.so + 0x1)", "f x.c:1"]
        {
            assert!(frame(line, 0).is_none(), "{line}");
        }
    }
}
