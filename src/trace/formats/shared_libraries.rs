//! Which libraries does gdb say are loaded, and where does the code of each start?
//!
//! ```text
//! From                To                  Syms Read   Shared Object Library
//! 0x00007f5fba788a00  0x00007f5fba7c9d3c  Yes (*)     /usr/lib64/libxenlight.so.2.0
//!                                         No          linux-vdso.so.1
//! (*): Shared library is missing debugging information.
//! ```
//! (gdb/solib.c, `info_sharedlibrary_command`.) From and To are the bounds of the section .text; they
//! are blank where gdb could not read the file. A column `NS` stands before `Syms Read` when a program
//! has several name spaces.

use super::parts::address;
use super::{Format, Says, Start};
use crate::address::RuntimeAddress;
use crate::trace::model::{Lines, Module, ModuleSource};

/// The library on this line, or what stands around the list.
pub(super) fn start(text: &str) -> Option<Start<'_>> {
    let heading = text.starts_with("From ") && text.contains(" Syms Read ");
    if heading || text.starts_with("(*): Shared library is missing") {
        return Some(Start::Says(Format::Gdb, Says::Remark));
    }
    let (from, rest) = match bounds(text) {
        Some((from, to, rest)) => (Some((from, to)), rest),
        None => (None, text),
    };
    let path = behind_state(rest.trim_start())?;
    // Where no bounds are, the line has to be sure by itself.
    let plausible = from.is_some() || text.starts_with("No  ") && !path.contains(' ');
    plausible.then_some(())?;
    Some(Start::Module(
        Format::Gdb,
        Module {
            path: path.to_owned(),
            build_id: None,
            bias: None,
            start: from.map(|(from, _)| from),
            end: from.map(|(_, to)| to),
            file_offset: None,
            source: ModuleSource::SharedLibraries,
            lines: Lines::default(),
        },
    ))
}

fn bounds(text: &str) -> Option<(RuntimeAddress, RuntimeAddress, &str)> {
    let (from, rest) = address(text)?;
    let (to, rest) = address(rest.strip_prefix("  ")?.trim_start())?;
    (from < to).then_some((from, to, rest.strip_prefix("  ")?))
}

/// The path behind `Yes`, `Yes (*)` or `No`, and a name space's `[[0]]` before that.
fn behind_state(text: &str) -> Option<&str> {
    let text = match text.strip_prefix("[[") {
        Some(space) => space.split_once("]]")?.1.trim_start(),
        None => text,
    };
    let path = text.strip_prefix("Yes (*)").or_else(|| text.strip_prefix("Yes"));
    let path = path.or_else(|| text.strip_prefix("No")).filter(|path| path.starts_with("  "))?;
    Some(path.trim()).filter(|path| !path.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(line: &str) -> Option<(String, Option<RuntimeAddress>)> {
        match start(line)? {
            Start::Module(_, module) => Some((module.path, module.start)),
            _ => None,
        }
    }

    #[test]
    fn a_library_and_where_its_code_starts() {
        let expected = Some(("/lib/a b.so".to_owned(), Some(RuntimeAddress(0x1060))));
        for line in [
            "0x00001060  0x00002000  Yes         /lib/a b.so",
            "0x00001060  0x00002000  Yes (*)     /lib/a b.so",
            "0x00001060  0x00002000  [[0]]  Yes  /lib/a b.so",
        ] {
            assert_eq!(module(line), expected, "{line}");
        }
        assert_eq!(
            module("No          linux-vdso.so.1"),
            Some(("linux-vdso.so.1".to_owned(), None))
        );
    }

    #[test]
    fn other_lines_are_none() {
        for line in ["No  such file", "Yes  it did", "0x1 0x2 Yes /lib/a.so", "From the top", ""] {
            assert_eq!(start(line), None, "{line}");
        }
    }
}
