//! What does systemd-coredump say of a program that died?
//!
//! ```text
//!            PID: 6026 (libvirtd)
//!         Signal: 11 (SEGV)
//!     Executable: /usr/sbin/libvirtd
//!        Message: Process 6026 (libvirtd) of user 0 dumped core.
//!                 Module libvirt.so.0 from rpm libvirt-9.0.0-1.fc38.x86_64
//!                 Module libc.so.6 with build-id 93ac61ec5a8eb1396f9fbd350e3169a558528a40
//!                 Stack trace of thread 6026:
//!                 #0  0x00007f5fb5929b55 raise (libc.so.6 + 0x38b55)
//!                 #1  0x000055d0c0de1234 n/a (libvirtd + 0x1234)
//!                 ELF object binary architecture: AMD x86-64
//! ```
//! (systemd, src/shared/elf-util.c, `frame_callback`; src/coredump/coredumpctl.c, `print_info`.) The
//! offset is counted from the module's first mapping; the address is as in the machine. Rule: of the
//! list of fields only those are known that tell more than the stack does.

use super::gdb::is_function_name;
use super::parts::{address, in_module, is_identifier};
use super::{Format, Numbered, Says, Start, Told, bare_frame, number};
use crate::trace::model::{Frame, Lines, Module, ModuleSource, Thread};
use crate::trace::search;

/// The frame of this number, if systemd-coredump wrote what follows the number.
pub(super) fn frame(rest: &str, index: u32) -> Option<Told> {
    let (address, rest) = address(rest)?;
    let (name, module, offset) = in_module(rest.strip_prefix(' ')?)?;
    let spaced = search::contains(rest, " + 0x");
    (spaced && is_function_name(name) && !name.starts_with("in ")).then_some(())?;
    let frame = Frame {
        address: Some(address),
        function: Some(name).filter(|name| *name != "n/a").map(str::to_owned),
        module: Some(module).filter(|module| *module != "n/a").map(str::to_owned),
        module_offset: Some(offset),
        ..bare_frame(index)
    };
    Some(Told { format: Format::Coredump, number: Numbered::Printed, frame, build_id: None })
}

/// What another line says.
pub(super) fn start(text: &str) -> Option<Start<'_>> {
    if let Some(module) = module(text) {
        return Some(Start::Module(Format::Coredump, module));
    }
    let says =
        thread(text).or_else(|| field(text)).or_else(|| is_remark(text).then_some(Says::Remark))?;
    Some(Start::Says(Format::Coredump, says))
}

/// `Module libc.so.6 with build-id 93ac…`, `Found module …`, `Module X without build-id.`
fn module(text: &str) -> Option<Module> {
    let rest = text.strip_prefix("Found module ").or_else(|| text.strip_prefix("Module "))?;
    let (path, build_id) = rest.split_once(" with build-id")?;
    let build_id = build_id.trim_start_matches([':', ' ']).trim_end_matches('.');
    let hex = !build_id.is_empty() && build_id.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then(|| Module {
        path: path.to_owned(),
        build_id: Some(build_id.to_ascii_lowercase()),
        bias: None,
        start: None,
        end: None,
        file_offset: None,
        source: ModuleSource::ModuleList,
        lines: Lines::default(),
    })
}

fn thread(text: &str) -> Option<Says<'_>> {
    let (id, rest) = number(text.strip_prefix("Stack trace of thread ")?)?;
    (rest == ":")
        .then(|| Says::Heading { thread: Some(Thread { lwp: Some(id), ..Thread::default() }) })
}

/// `Signal: 11 (SEGV)`, `Executable: /usr/sbin/libvirtd`; other fields of the list.
fn field(text: &str) -> Option<Says<'_>> {
    const OTHERS: [&str; 18] = [
        "PID",
        "UID",
        "GID",
        "Timestamp",
        "Command Line",
        "Control Group",
        "Unit",
        "Slice",
        "Boot ID",
        "Machine ID",
        "Hostname",
        "Storage",
        "Size on Disk",
        "Disk Size",
        "Owner UID",
        "Session",
        "Package",
        "build-id",
    ];
    let (name, value) = text.split_once(": ")?;
    match name {
        "Signal" => {
            let (_, name) = number::<u32>(value)?;
            let name = name.strip_prefix(" (")?.strip_suffix(')')?;
            Some(Says::Signal { name, meaning: None })
        }
        "Executable" if value.starts_with('/') => Some(Says::Program { path: value }),
        "Message" if value.starts_with("Process ") => Some(Says::Remark),
        _ => OTHERS.contains(&name).then_some(Says::Remark),
    }
}

fn is_remark(text: &str) -> bool {
    let module = text.strip_prefix("Module ").is_some_and(|rest| {
        rest.contains(" from deb ")
            || rest.contains(" from rpm ")
            || rest.ends_with(" without build-id.")
    });
    let process = text.strip_prefix("Process ").and_then(number::<u64>).is_some_and(|(_, rest)| {
        rest.ends_with(" dumped core.") && is_identifier(rest.get(2..3).unwrap_or("x"))
    });
    module || process || text.starts_with("ELF object binary architecture: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_says_where_in_its_module_it_is() {
        for (line, function, module) in [
            ("0x00007f5fb5929b55 raise (libc.so.6 + 0x38b55)", Some("raise"), Some("libc.so.6")),
            ("0x00007f5fb5929b55 n/a (n/a + 0x38b55)", None, None),
            (
                "0x00007f5fb5929b55 _ZN3Foo3barEi (/usr/bin/a (deleted) + 0x38b55)",
                Some("_ZN3Foo3barEi"),
                Some("/usr/bin/a (deleted)"),
            ),
        ] {
            let frame = frame(line, 0).unwrap().frame;
            assert_eq!((frame.function.as_deref(), frame.module.as_deref()), (function, module));
            assert_eq!(frame.module_offset.unwrap().0, 0x38b55);
        }
        for line in ["0x1 in f (a=1)", "0x1 f (lib.so+0x1)", "0x1 and then it died (x + 0x1)", ""] {
            assert!(frame(line, 0).is_none(), "{line}");
        }
    }

    #[test]
    fn fields_that_tell_more_are_known() {
        let says = |text| match start(text) {
            Some(Start::Says(_, says)) => Some(says),
            _ => None,
        };
        assert_eq!(says("Signal: 11 (SEGV)"), Some(Says::Signal { name: "SEGV", meaning: None }));
        assert_eq!(says("Executable: /usr/bin/a b"), Some(Says::Program { path: "/usr/bin/a b" }));
        assert_eq!(says("Signal: none"), None);
        let Some(Start::Module(_, module)) = start("Module libc.so.6 with build-id 93AC") else {
            panic!()
        };
        assert_eq!((module.path.as_str(), module.build_id.as_deref()), ("libc.so.6", Some("93ac")));
    }
}
