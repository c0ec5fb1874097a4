//! Which parts of which files were mapped where?
//!
//! ```text
//! 7f5fba780000-7f5fba7c5000 r-xp 00012000 fd:00 131  /usr/lib64/libxenlight.so.2.0   (Linux, fs/proc/task_mmu.c)
//!       0x7ffff7df4000     0x7ffff7f4a000   0x156000    0x26000  r-xp   /usr/lib/libc.so.6
//! ```
//! The second is gdb's `info proc mappings` (gdb/linux-tdep.c, `linux_info_proc`); a core's has no
//! column of permissions before gdb 12. glibc printed the first as `======= Memory map: ========`
//! until release 2.25. Rule: only what a file is mapped to is a module.

use super::parts::{address, hexadecimal, range};
use super::{Format, Says, Start, number};
use crate::address::{FileOffset, RuntimeAddress};
use crate::trace::model::{Lines, Module, ModuleSource};

/// The mapping on this line, or what stands around the list.
pub(super) fn start(text: &str) -> Option<Start<'_>> {
    if is_heading(text) {
        return Some(Start::Says(Format::Maps, Says::Remark));
    }
    let mapping = of_kernel(text).or_else(|| of_gdb(text))?;
    Some(match mapping.file() {
        Some(_) => Start::Module(Format::Maps, mapping.module()),
        None => Start::Says(Format::Maps, Says::Remark),
    })
}

fn is_heading(text: &str) -> bool {
    text == "Mapped address spaces:"
        || text.starts_with("Start Addr ") && text.contains(" End Addr ")
        || text == "======= Memory map: ========"
        || text.strip_prefix("process ").is_some_and(|id| id.parse::<u32>().is_ok())
}

/// One line of a list.
struct Mapping<'a> {
    start: RuntimeAddress,
    end: RuntimeAddress,
    offset: FileOffset,
    name: &'a str,
}

impl Mapping<'_> {
    /// The file, where it is one: not `[heap]`, not a device or a memory file.
    fn file(&self) -> Option<&str> {
        let kept =
            |file: &&str| !["/dev/", "/memfd:", "/SYSV"].iter().any(|no| file.starts_with(no));
        Some(self.name).filter(|name| name.starts_with('/')).filter(kept)
    }

    fn module(&self) -> Module {
        Module {
            path: self.name.to_owned(),
            build_id: None,
            bias: None,
            start: Some(self.start),
            end: Some(self.end),
            file_offset: Some(self.offset),
            source: ModuleSource::Maps,
            lines: Lines::default(),
        }
    }
}

/// `START-END PERMS OFFSET DEVICE INODE  NAME`
fn of_kernel(text: &str) -> Option<Mapping<'_>> {
    let (start, end, rest) = range(text)?;
    let (permissions, rest) = rest.strip_prefix(' ')?.split_once(' ')?;
    is_permissions(permissions).then_some(())?;
    let (offset, rest) = hexadecimal(rest)?;
    let (device, rest) = rest.strip_prefix(' ')?.split_once(' ')?;
    device.contains(':').then_some(())?;
    let (_, name) = number::<u64>(rest)?;
    Some(Mapping { start, end, offset: FileOffset(offset), name: name.trim() })
}

/// `0xSTART 0xEND 0xSIZE 0xOFFSET [PERMS] NAME`
fn of_gdb(text: &str) -> Option<Mapping<'_>> {
    let column = |text| {
        let (value, rest) = address(str::trim_start(text))?;
        (rest.is_empty() || rest.starts_with([' ', '\t'])).then_some((value, rest))
    };
    let (start, rest) = column(text)?;
    let (end, rest) = column(rest)?;
    let (size, rest) = column(rest)?;
    let (offset, rest) = column(rest)?;
    (start.0.checked_add(size.0) == Some(end.0)).then_some(())?;
    let rest = rest.trim();
    let name = match rest.split_once([' ', '\t']) {
        Some((permissions, name)) if is_permissions(permissions) => name.trim_start(),
        _ if is_permissions(rest) => "",
        _ => rest,
    };
    Some(Mapping { start, end, offset: FileOffset(offset.0), name })
}

fn is_permissions(text: &str) -> bool {
    text.len() == 4
        && text
            .bytes()
            .zip(*b"rwxp")
            .all(|(byte, set)| byte == b'-' || byte == set || byte == b's' && set == b'p')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(line: &str) -> Option<(String, u64, u64, u64)> {
        match start(line)? {
            Start::Module(_, module) => {
                let (start, end) = (module.start?.0, module.end?.0);
                Some((module.path, start, end, module.file_offset?.0))
            }
            _ => None,
        }
    }

    #[test]
    fn a_mapping_of_a_file_is_a_module() {
        let expected = Some(("/usr/lib/a b.so (deleted)".to_owned(), 0x1000, 0x2000, 0x30));
        for line in [
            "00001000-00002000 r-xp 00000030 fd:00 131    /usr/lib/a b.so (deleted)",
            "0x1000             0x2000     0x1000       0x30  r-xp   /usr/lib/a b.so (deleted)",
            "0x1000             0x2000     0x1000       0x30   /usr/lib/a b.so (deleted)",
        ] {
            assert_eq!(module(line), expected, "{line}");
        }
    }

    #[test]
    fn what_is_no_file_is_no_module() {
        for line in [
            "7ffc1000-7ffc2000 rw-p 00000000 00:00 0      [stack]",
            "7ffc1000-7ffc2000 rw-s 00000000 00:05 7      /dev/zero (deleted)",
            "0x1000 0x2000 0x1000 0x0 rw-p",
            "Start Addr           End Addr       Size     Offset  Perms  objfile",
        ] {
            assert!(matches!(start(line), Some(Start::Says(..))), "{line}");
        }
        for line in
            ["0x1000 0x2000 0x3000 0x0 /a", "1000-2000 rwx 0 0:0 1 /a", "0x1000", "process x"]
        {
            assert_eq!(start(line), None, "{line}");
        }
    }
}
