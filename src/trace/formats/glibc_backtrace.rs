//! What does glibc's `backtrace_symbols` print?
//!
//! ```text
//! ======= Backtrace: =========
//! /lib/x86_64-linux-gnu/libc.so.6(abort+0x12b)[0x7f5fb592b131]
//! /usr/sbin/libvirtd(+0x1f2e3) [0x55d0c0de1234]
//! ./a.out() [0x401136]
//! [0x7ffc1234]
//! ```
//! (debug/backtracesyms.c, `__backtrace_symbols`; the blank is missing in `backtrace_symbols_fd`.) All
//! are return addresses: the innermost frame is the one that asked. Without a symbol the offset is
//! counted from the load bias.

use super::parts::{address, hexadecimal, is_identifier};
use super::{Format, Numbered, Says, Start, Told, bare_frame};
use crate::address::{ModuleOffset, Pc, RuntimeAddress};
use crate::trace::model::Frame;

/// The frame on this line.
pub(super) fn frame(text: &str) -> Option<Told> {
    let (before, address) = behind(text)?;
    let mut frame = Frame { address: Some(address), pc: Pc::Return, ..bare_frame(0) };
    if is_bare_file(before, text) {
        frame.module = Some(before.to_owned());
    } else if !before.is_empty() {
        let (file, inner) = before.strip_suffix(')')?.rsplit_once('(')?;
        let plain = file.starts_with(['/', '.']) || !file.contains(' ');
        (!file.is_empty() && plain).then_some(())?;
        frame.module = Some(file.to_owned());
        set_symbol(&mut frame, inner)?;
    }
    Some(Told { format: Format::GlibcBacktrace, number: Numbered::Loose, frame, build_id: None })
}

/// `clang[0x4120cc]`, as LLVM writes where it finds no symbol: no person writes such an address.
fn is_bare_file(before: &str, text: &str) -> bool {
    const DIGITS: usize = 6;
    let rest = text.get(before.len()..).unwrap_or_default();
    !before.is_empty()
        && !before.contains([' ', '(', ')'])
        && rest.starts_with('[')
        && rest.len() >= "[0x]".len() + DIGITS
}

/// `[0x7f5f…]` at the end of the text, and what is before it.
fn behind(text: &str) -> Option<(&str, RuntimeAddress)> {
    let (before, inner) = text.strip_suffix(']')?.rsplit_once('[')?;
    let (address, rest) = address(inner)?;
    rest.is_empty().then(|| (before.trim_end(), address))
}

/// `SYMBOL+0x1f`, `SYMBOL-0x1f`, `+0x1f` or nothing.
fn set_symbol(frame: &mut Frame, inner: &str) -> Option<()> {
    if inner.is_empty() {
        return Some(());
    }
    let at = inner.rfind(['+', '-'])?;
    let (symbol, offset) = inner.split_at_checked(at)?;
    let (offset, rest) = hexadecimal(offset.get(1..)?.strip_prefix("0x")?)?;
    rest.is_empty().then_some(())?;
    let before = inner.as_bytes().get(at) == Some(&b'-');
    match symbol {
        "" if before => frame.module_offset = Some(ModuleOffset(offset.wrapping_neg())),
        "" => frame.module_offset = Some(ModuleOffset(offset)),
        symbol => {
            is_identifier(symbol).then_some(())?;
            frame.function = Some(symbol.to_owned());
            frame.offset = (!before).then_some(offset);
        }
    }
    Some(())
}

/// The heading that glibc printed until 2.25.
pub(super) fn start(text: &str) -> Option<Start<'_>> {
    let heading = Says::Heading { thread: None };
    let is_heading = text.starts_with("======= Backtrace: =");
    is_heading.then_some(Start::Says(Format::GlibcBacktrace, heading))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_all_kinds() {
        for (line, module, function, offset, in_module) in [
            (
                "/lib/libc.so.6(abort+0x12b)[0x7f01]",
                Some("/lib/libc.so.6"),
                Some("abort"),
                Some(0x12b),
                None,
            ),
            ("./a.out(+0x1f2e) [0x7f01]", Some("./a.out"), None, None, Some(0x1f2e)),
            ("/x (y)/a() [0x7f01]", Some("/x (y)/a"), None, None, None),
            ("[0x7f01]", None, None, None, None),
            ("clang[0x00007f01]", Some("clang"), None, None, None),
        ] {
            let frame = frame(line).unwrap().frame;
            assert_eq!(frame.address, Some(RuntimeAddress(0x7f01)), "{line}");
            assert_eq!((frame.module.as_deref(), frame.function.as_deref()), (module, function));
            assert_eq!((frame.offset, frame.module_offset.map(|o| o.0)), (offset, in_module));
        }
        for line in ["see [0x12]", "[1]", "a b(f+0x1) [0x1]", "f(x) [0x1]", "]", "[0x]", "()[0x1]"]
        {
            assert!(frame(line).is_none(), "{line}");
        }
    }
}
