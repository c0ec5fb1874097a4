//! Supplements: what dwz moves out of several files to keep it once.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use dbgmate::binary::{Binary, How};
use gimli::SectionId;

use super::made::{Made, OTHER, SOURCE, has, open, run, why};

/// Two libraries that share types, and the supplement that dwz makes of them with these options.
fn shared(made: &Made, version: &str, options: &[&str]) -> Option<[PathBuf; 2]> {
    if !has("dwz") {
        return None;
    }
    let flags = [version];
    let libraries = [
        made.library("lib/a.so", SOURCE, &flags),
        made.library("lib/b.so", &format!("{SOURCE} int g(void) {{ return 1; }}"), &flags),
    ];
    run(Command::new("dwz")
        .args(options)
        .arg("-m")
        .arg(made.place("dwz/.dwz/both.debug"))
        .args(&libraries));
    Some(libraries)
}

fn supplement_of(binary: &Binary) -> &Path {
    let debug_info = binary.debug_info().unwrap();
    assert_eq!(debug_info.missing_supplement(), None);
    let tried = debug_info.supplement_tried();
    debug_info.supplement().unwrap_or_else(|| panic!("{tried:#?}")).path()
}

/// Checks that it is missing, by this name, and that the debug info is there all the same.
fn is_missing(binary: &Binary, name: &str) {
    let debug_info = binary.debug_info().unwrap();
    assert!(debug_info.supplement().is_none());
    assert_eq!(debug_info.missing_supplement(), Some(name));
    assert!(!debug_info.sections().bytes(SectionId::DebugInfo).is_empty());
}

/// The build-id that a file names, as readelf shows it.
fn id_in_link(file: &Path) -> String {
    let shown = run(Command::new("readelf").args(["--debug-dump=links"]).arg(file));
    let digits = shown.split("Build-ID (0x14 bytes):").nth(1).unwrap().lines().nth(1).unwrap();
    digits.split_whitespace().collect()
}

#[test]
fn it_is_found_as_named_whatever_dwarf_version() {
    for (version, options) in [
        ("-gdwarf-4", &["-r"][..]),
        ("-gdwarf-5", &["-r"]),
        ("-gdwarf-5", &["-r", "--dwarf-5"]),
        ("-gdwarf-4", &[]),
    ] {
        let made = Made::new();
        let Some([library, _]) = shared(&made, version, options) else { return };
        let binary = open(&library, &[]);
        let found = supplement_of(&binary).canonicalize().unwrap();
        assert_eq!(found, made.path("dwz/.dwz/both.debug").canonicalize().unwrap());
        let supplement = binary.debug_info().unwrap().supplement().unwrap();
        assert_eq!(supplement.how(), &How::Named);
        // What both share is a struct, or at least its name.
        let names = supplement.sections().bytes(SectionId::DebugStr);
        assert!(!names.is_empty(), "{version} {options:?}");
        assert!(binary.is_current());
        fs::remove_file(found).unwrap();
        assert!(!binary.is_current());
    }
}

#[test]
fn a_name_starts_where_the_debug_file_is_and_where_it_really_is() {
    let made = Made::new();
    let Some([library, _]) = shared(&made, "-gdwarf-4", &["-r"]) else { return };
    // As Fedora ships it: a link in .build-id leads to the debug file.
    let id = open(&library, &[]).build_id().unwrap().to_string();
    let debug = made.split(&library, "debug/lib/a.so.debug");
    let supplement = made.place("debug/dwz/.dwz/both.debug");
    fs::rename(made.path("dwz/.dwz/both.debug"), &supplement).unwrap();
    let filed = made.place(&format!("debug/.build-id/{}/{}.debug", &id[..2], &id[2..]));
    symlink(&debug, &filed).unwrap();
    let binary = open(&library, &[made.path("debug")]);
    assert_eq!(binary.debug_info().unwrap().path(), filed);
    let found = supplement_of(&binary).canonicalize().unwrap();
    assert_eq!(found, supplement.canonicalize().unwrap());
}

#[test]
fn it_is_found_in_another_debug_folder_by_build_id_and_by_name() {
    for by_id in [How::BuildId, How::Named] {
        let made = Made::new();
        let name = "-M/nowhere/.dwz/x86/both.debug";
        let Some([library, _]) = shared(&made, "-gdwarf-4", &[name]) else { return };
        is_missing(&open(&library, &[]), "/nowhere/.dwz/x86/both.debug");
        let id = id_in_link(&library);
        let place = match by_id {
            How::BuildId => format!("debug/.build-id/{}/{}.debug", &id[..2], &id[2..]),
            _ => "debug/.dwz/x86/both.debug".to_owned(),
        };
        let place = made.place(&place);
        let before = open(&library, &[made.path("debug")]);
        fs::rename(made.path("dwz/.dwz/both.debug"), &place).unwrap();
        assert!(!before.is_current());
        let binary = open(&library, &[made.path("debug")]);
        assert_eq!(supplement_of(&binary), place);
        assert_eq!(binary.debug_info().unwrap().supplement().unwrap().how(), &by_id);
    }
}

#[test]
fn the_supplement_of_another_build_does_not_count() {
    let made = Made::new();
    let Some([library, _]) = shared(&made, "-gdwarf-4", &["-M/nowhere/.dwz/both.debug"]) else {
        return;
    };
    let place = made.place("debug/.dwz/both.debug");
    fs::copy(made.library("other.so", OTHER, &[]), &place).unwrap();
    let binary = open(&library, &[made.path("debug")]);
    is_missing(&binary, "/nowhere/.dwz/both.debug");
    let tried = binary.debug_info().unwrap().supplement_tried();
    assert_eq!(why(tried, &place), "its build-id is another one");
    assert_eq!(why(tried, Path::new("/nowhere/.dwz/both.debug")), "it does not exist");
}

/// A library whose link to a supplement has these bytes.
fn linking(made: &Made, section: &str, link: &[u8]) -> PathBuf {
    let library = made.library("a.so", SOURCE, &[]);
    let link = made.write("link", link);
    let option = format!("--add-section={section}={}", link.display());
    run(Command::new("objcopy").arg(option).arg(&library));
    library
}

#[test]
fn hostile_names_lead_nowhere() {
    let made = Made::new();
    let fifo = made.path("fifo");
    run(Command::new("mkfifo").arg(&fifo));
    for (name, why_not) in [
        ("/etc/shadow", "it is not an ELF file"),
        ("/dev/zero", "it is a device"),
        (fifo.to_str().unwrap(), "it is a FIFO"),
        ("/", "it is a folder"),
        ("../../../../../../../../../../etc/passwd", "it is not an ELF file"),
        ("a.so", "its build-id is another one"),
    ] {
        let link = [name.as_bytes(), b"\0abcdefghijklmnopqrst"].concat();
        let library = linking(&made, ".gnu_debugaltlink", &link);
        let binary = open(&library, &[]);
        is_missing(&binary, name);
        let tried = binary.debug_info().unwrap().supplement_tried();
        // Another person than root may not even read some of them.
        let denied = tried[0].why.contains("Permission denied");
        assert!(denied || tried[0].why == why_not, "{name}: {tried:?}");
    }
}

#[test]
fn a_damaged_link_is_said_to_be() {
    let made = Made::new();
    for (section, link, why_not) in [
        (".gnu_debugaltlink", &b"/no/end"[..], "Missing ELF .gnu_debugaltlink filename"),
        (".gnu_debugaltlink", b"/no/id\0", "it has no build-id to know the supplement by"),
        (".gnu_debugaltlink", b"\0abcdefgh", "it names no file"),
        (".debug_sup", b"\x06\0\0x\0\x02ab", "6"),
        (".debug_sup", b"\x05\0\0x\0\x7fab", ""),
    ] {
        let binary = open(&linking(&made, section, link), &[]);
        is_missing(&binary, "a supplement");
        let tried = &binary.debug_info().unwrap().supplement_tried()[0];
        assert!(tried.why.starts_with("its link to a supplement cannot be used: "), "{tried:?}");
        assert!(tried.why.contains(why_not), "{tried:?}");
    }
}
