//! What does Android write into a tombstone when a native program dies?
//!
//! ```text
//! pid: 6026, tid: 6027, name: Binder:6026_1  >>> /system/bin/mediaserver <<<
//! signal 6 (SIGABRT), code -1 (SI_QUEUE), fault addr --------
//! Abort message: 'ubsan: add-overflow'
//! backtrace:
//!       #00 pc 000000000004f9b8  /apex/com.android.runtime/lib64/bionic/libc.so (abort+164) (BuildId: 93ac61ec)
//! ```
//! (system/core/debuggerd, libdebuggerd/tombstone_proto_to_text.cpp.) `pc` is the file's own address, moved
//! back into the call already.

use super::parts::hexadecimal;
use super::sanitizer::without_build_id;
use super::{Fault, Format, Numbered, Says, Start, Told, bare_frame, number};
use crate::address::{ModuleOffset, Pc};
use crate::trace::model::{Frame, Thread};
use crate::trace::search;

/// The frame of this number, if debuggerd wrote what follows the number.
pub(super) fn frame(rest: &str, index: u32) -> Option<Told> {
    let (at, rest) = hexadecimal(rest.strip_prefix("pc ")?)?;
    let (rest, build_id) =
        without_build_id(rest.strip_prefix("  ").or_else(|| rest.strip_prefix(' '))?);
    let (module, function) = match rest
        .strip_suffix(')')
        .and_then(|rest| search::split_once(rest, " ("))
    {
        Some((module, function)) if !function.starts_with("offset ") => (module, Some(function)),
        _ => (rest, None),
    };
    let (name, offset) = match function.and_then(|name| name.rsplit_once('+')) {
        Some((name, offset)) => (Some(name), offset.parse().ok()),
        None => (function, None),
    };
    let frame = Frame {
        pc: Pc::Adjusted,
        module: Some(module.trim().to_owned()).filter(|module| !module.is_empty()),
        module_offset: Some(ModuleOffset(at)),
        function: name.map(str::to_owned),
        offset,
        ..bare_frame(index)
    };
    Some(Told { format: Format::Android, number: Numbered::Printed, frame, build_id })
}

/// What another line says.
pub(super) fn start(text: &str) -> Option<Start<'_>> {
    let says = if let Some(rest) = text.strip_prefix("signal ") {
        let (name, rest) = number::<u32>(rest)?.1.strip_prefix(" (")?.split_once(')')?;
        Says::Signal { name, meaning: Some(rest.strip_prefix(", ")?) }
    } else if let Some(rest) = text.strip_prefix("Abort message: ") {
        Says::Fault(Fault { what: rest.trim_matches('\''), ..Fault::default() })
    } else if let Some(path) = text.strip_prefix("Cmdline: ") {
        Says::Program { path: path.split(' ').next().unwrap_or(path) }
    } else if text == "backtrace:" {
        Says::Heading { thread: None }
    } else if let Some(thread) = thread(text) {
        Says::Heading { thread: Some(thread) }
    } else {
        let known = text.starts_with("*** *** *** ***") || text.starts_with("Build fingerprint: ");
        known.then_some(Says::Remark)?
    };
    Some(Start::Says(Format::Android, says))
}

/// `pid: 4512, tid: 4513, name: worker  >>> /system/bin/app <<<`
fn thread(text: &str) -> Option<Thread> {
    let (_, rest) = number::<u64>(text.strip_prefix("pid: ")?)?;
    let (lwp, rest) = number(rest.strip_prefix(", tid: ")?)?;
    let name =
        rest.strip_prefix(", name: ").map(|name| name.split("  >>> ").next().unwrap_or(name));
    let name = name.map(|name| name.trim_end().to_owned()).filter(|name| !name.is_empty());
    Some(Thread { lwp: Some(lwp), name, ..Thread::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_gives_its_place_in_the_file() {
        let told =
            frame("pc 000000000004f9b8  /a b/libc.so (ns::f(int)+164) (BuildId: 93AC)", 0).unwrap();
        assert_eq!(
            (told.frame.module.as_deref(), told.build_id.as_deref()),
            (Some("/a b/libc.so"), Some("93ac"))
        );
        assert_eq!(
            (told.frame.function.as_deref(), told.frame.offset),
            (Some("ns::f(int)"), Some(164))
        );
        assert_eq!(told.frame.module_offset, Some(ModuleOffset(0x4f9b8)));
        let old = frame("pc 0004f9b8  /system/lib/libc.so", 0).unwrap().frame;
        assert_eq!((old.function, old.module.as_deref()), (None, Some("/system/lib/libc.so")));
        assert!(frame("0x1 in f ()", 0).is_none());
    }
}
