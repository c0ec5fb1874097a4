//! Compressed sections, in every kind of file that debug info comes in, as objcopy compresses them.

use std::fmt::Write;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use dbgmate::binary::Sections;
use gimli::SectionId;

use super::made::{Made, has, open, run};

const FORMATS: [&str; 3] = ["zlib", "zlib-gnu", "zstd"];

const SECTIONS: [SectionId; 4] =
    [SectionId::DebugInfo, SectionId::DebugAbbrev, SectionId::DebugStr, SectionId::DebugStrOffsets];

/// Enough types for compression to pay: objcopy leaves a section alone where it does not.
fn source() -> String {
    let mut text = String::new();
    for number in 0..200 {
        writeln!(
            text,
            "struct type_{number} {{ int first_{number}; long b_{number}; }} x{number};"
        )
        .unwrap();
    }
    text
}

/// A copy with compressed sections; none where objcopy does not know the format, which is said.
fn compress(format: &str, file: &Path, copy: &Path) -> Option<()> {
    let help = run(Command::new("objcopy").arg("--help"));
    let option = help.split("--compress-debug-sections[=").nth(1).unwrap();
    if !option.split(']').next().unwrap().contains(format) {
        let line = format!("skipped: this objcopy does not compress with {format}\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return None;
    }
    let option = format!("--compress-debug-sections={format}");
    run(Command::new("objcopy").arg(option).args([file, copy]));
    let shown = run(Command::new("readelf").args(["--sections", "--wide"]).arg(copy));
    // `C` among the flags, or the older name: something must have been compressed.
    let is_compressed = |line: &str| {
        let mut words = line.split(']').nth(1).unwrap_or_default().split_whitespace();
        words.next().is_some_and(|name| name.starts_with(".zdebug_"))
            || words.nth(5).is_some_and(|flags| flags.contains('C'))
    };
    assert!(shown.lines().any(is_compressed), "{format}: {shown}");
    Some(())
}

fn contents(sections: &Sections) -> Vec<Vec<u8>> {
    let own = SECTIONS.iter().map(|id| sections.bytes(*id).to_owned());
    let contents: Vec<_> =
        own.chain(SECTIONS.iter().map(|id| sections.dwo_bytes(*id).to_owned())).collect();
    assert_eq!(sections.problem(), None);
    assert!(contents.iter().any(|bytes| !bytes.is_empty()));
    contents
}

/// Replaces `file` by its compressed self, and returns what `read` finds before and after.
fn before_and_after(
    file: &Path,
    format: &str,
    read: impl Fn() -> Vec<Vec<u8>>,
) -> Option<[Vec<Vec<u8>>; 2]> {
    let before = read();
    let copy = file.with_extension("copy");
    compress(format, file, &copy)?;
    fs::rename(copy, file).unwrap();
    Some([before, read()])
}

fn debug_info(library: &Path) -> Vec<Vec<u8>> {
    contents(open(library, &[]).debug_info().unwrap().sections())
}

#[test]
fn in_the_file_itself_and_in_an_object() {
    for format in FORMATS {
        let made = Made::new();
        let library = made.library("a.so", &source(), &[]);
        let Some([before, after]) = before_and_after(&library, format, || debug_info(&library))
        else {
            continue;
        };
        assert!(before == after, "{format}");
        let object = made.compile("a.o", &source(), &["-c"]);
        let both = before_and_after(&object, format, || debug_info(&object)).unwrap();
        assert!(both[0] == both[1], "{format}");
    }
}

#[test]
fn in_a_separate_debug_file() {
    for format in FORMATS {
        let made = Made::new();
        let library = made.library("a.so", &source(), &[]);
        let debug = made.split(&library, "away/a.debug");
        let id = open(&library, &[]).build_id().unwrap().to_string();
        let place = format!("debug/.build-id/{}/{}.debug", &id[..2], &id[2..]);
        let filed = made.place(&place);
        fs::rename(debug, &filed).unwrap();
        let folders: [PathBuf; 1] = [made.path("debug")];
        let read = || contents(open(&library, &folders).debug_info().unwrap().sections());
        let Some([before, after]) = before_and_after(&filed, format, read) else { continue };
        assert!(before == after, "{format}");
        // The checksum of a debug link is that of the compressed file.
        let linked = made.place("a.debug");
        fs::rename(filed, &linked).unwrap();
        super::made::link(&library, &linked);
        assert!(debug_info(&library) == before, "{format}");
    }
}

#[test]
fn in_a_supplement() {
    if !has("dwz") {
        return;
    }
    for format in FORMATS {
        let made = Made::new();
        let libraries = ["a.so", "b.so"].map(|name| made.library(name, &source(), &[]));
        let supplement = made.path("sup");
        run(Command::new("dwz").arg("-m").arg(&supplement).args(&libraries));
        let read = || {
            let binary = open(&libraries[0], &[]);
            contents(binary.debug_info().unwrap().supplement().unwrap().sections())
        };
        let Some([before, after]) = before_and_after(&supplement, format, read) else { continue };
        assert!(before == after, "{format}");
    }
}

#[test]
fn in_split_files_and_packages() {
    for format in FORMATS {
        let made = Made::new();
        let library = made.library("a.so", &source(), &["-gdwarf-4", "-gsplit-dwarf"]);
        let dwo = super::split::find(&open(&library, &[])).unwrap().path().to_owned();
        let read = || contents(super::split::find(&open(&library, &[])).unwrap().sections());
        let package = made.path("a.so.dwp");
        let away = made.path("away");
        let has_dwp = has("dwp");
        if has_dwp {
            super::split::pack("dwp", &library, &away);
        }
        let Some([before, after]) = before_and_after(&dwo, format, read) else { continue };
        assert!(before == after, "{format}");
        if has_dwp {
            fs::rename(&away, &package).unwrap();
            let both = before_and_after(&package, format, read).unwrap();
            assert!(both[0] == both[1], "{format}");
        }
    }
}
