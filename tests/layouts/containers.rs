//! How the debug info is packed: compressed, deduplicated, split over sections and units.

use std::process::Command;

use super::case::Case;
use super::toolchain::{EVERYWHERE, GCC, Toolchain};

const SOURCE: &str = "struct in { char a; long b; }; struct s { char c; struct in d[3]; } x;";

#[test]
fn sections_compressed_with_zstd_are_read() {
    let mut objcopy = Command::new("objcopy");
    let compressed = objcopy.arg("--compress-debug-sections=zstd");
    let Some(compiled) = GCC.compile(SOURCE).unwrap().changed_by(compressed) else { return };
    assert_eq!(compiled.member("struct s", "d[2].b").offset(), Some(48));
}

#[test]
fn units_that_dwz_has_shared_out_are_read() {
    // dwz moves what two units share into a partial unit, and refers to it across units.
    let unit = |object: &str| {
        format!(
            "struct in {{ char a; long b; struct in *next; }};
             struct s {{ char c; struct in d[3]; struct {{ int e; struct in f; }}; }} {object};"
        )
    };
    let (one, two) = (unit("x1"), unit("x2"));
    let compiled = GCC.compile_all(&[("one", &one), ("two", &two)]).unwrap();
    let Some(compiled) = compiled.changed_by(&mut Command::new("dwz")) else { return };
    assert_eq!(compiled.member("struct s", "d[2].b").offset(), Some(8 + 2 * 24 + 8));
    assert_eq!(compiled.member("struct s", "f.next").offset(), Some(8 + 3 * 24 + 8 + 16));
}

#[test]
fn what_dwz_has_moved_out_of_two_files_is_read_by_the_one_that_had_it() {
    let shared = "struct in { char a; long b; struct in *next; char name[64]; };
        struct s { char c; struct in d[3]; struct { int e; struct in f; }; int more[7]; };";
    let unit = |own: &str| format!("{shared} struct {own} {{ struct s s; int own; }} x_{own};");
    let other = |own: &str| {
        let twice = "struct only_there { long a; char b[99]; struct only_there *c; } only;";
        format!("{} {twice}", unit(own))
    };
    let one = GCC.compile(&unit("one")).unwrap();
    let files = [("a", &other("two")), ("b", &other("three"))];
    let others = files.map(|(_, text)| GCC.compile(text).unwrap());
    let folder = one.path().parent().unwrap();
    let supplement = folder.join("supplement");
    let mut dwz = Command::new("dwz");
    dwz.arg("-m").arg(&supplement).arg("-M").arg(&supplement);
    dwz.args(others.iter().map(|other| other.path()));
    let Some(one) = one.changed_by(&mut dwz) else { return };
    assert!(supplement.exists());
    assert_eq!(one.member("struct s", "d[2].b").offset(), Some(8 + 2 * 88 + 8));
    assert_eq!(one.member("struct one", "s.f.next").offset(), Some(8 + 3 * 88 + 8 + 16));
    let declared = one.layout("struct s").declared_at.unwrap();
    assert!(declared.0.ends_with("source.c"), "{declared:?}");
    // The others share it, and this file has nothing of it.
    assert_eq!(one.find("struct only_there", None).unwrap(), []);
    assert_eq!(others[0].layout("struct only_there").size.known(), Some(120));
}

#[test]
fn an_executable_that_keeps_its_relocations_is_final_already() {
    let flags = &["-shared", "-fPIC", "-nostdlib", "-g", "-Wl,--emit-relocs"];
    let units = [("one", SOURCE), ("two", "struct t { short a; struct { int b; } c; } y;")];
    let compiled = Toolchain { program: "gcc", flags }.compile_all(&units).unwrap();
    assert_eq!(compiled.member("struct s", "d[2].b").offset(), Some(48));
    assert_eq!(compiled.member("struct t", "c.b").offset(), Some(4));
}

#[test]
fn optimised_code_has_the_same_types() {
    let flags =
        &["-shared", "-fPIC", "-nostdlib", "-g", "-O3", "-fno-eliminate-unused-debug-types"];
    Case::new(SOURCE)
        .members("struct s", &["c", "d[2].b"])
        .check(Toolchain { program: "gcc", flags });
}

#[test]
fn linked_relocatable_files_are_read() {
    // `ld -r` joins units: their references into .debug_str are relocated with large addends.
    let flags = &["-r", "-nostdlib", "-g"];
    let units = [("one", SOURCE), ("two", "struct t { short a; struct { int b; } c; } y;")];
    let compiled = Toolchain { program: "gcc", flags }.compile_all(&units).unwrap();
    assert_eq!(compiled.member("struct s", "d[2].b").offset(), Some(48));
    assert_eq!(compiled.member("struct t", "c.b").offset(), Some(4));
}

#[test]
fn the_place_of_the_declaration_is_the_source_file_and_line() {
    for toolchain in EVERYWHERE {
        let Some(compiled) = toolchain.compile("\n\nstruct s { int a; };\nstruct s x;") else {
            continue;
        };
        // Optimisers that join units name files in full, others as they were given.
        let (file, line) = compiled.layout("struct s").declared_at.unwrap();
        assert!(file.ends_with("source.c"), "{file} by {toolchain}");
        assert_eq!(line, 3, "{toolchain}");
    }
}

/// DW_FORM_ref_addr is as large as an address in DWARF 2, and as an offset since (DWARF 3 §7.5.4).
#[test]
fn references_across_units_are_as_large_as_their_version_says() {
    let units = [("one", SOURCE), ("two", "struct t { short a; struct { int b; } c; } y;")];
    for version in ["-gdwarf-2", "-gdwarf-3", "-gdwarf-4", "-gdwarf-5"] {
        for bits in ["-m64", "-m32"] {
            let strict = "-gstrict-dwarf";
            let flags: &[&str] =
                &["-shared", "-fPIC", "-nostdlib", version, strict, "-flto", "-O2", bits];
            let flags: &'static [&'static str] = flags.to_vec().leak();
            let compiled = Toolchain { program: "gcc", flags }.compile_all(&units).unwrap();
            let mut readelf = Command::new("readelf");
            let shown = readelf.arg("--debug-dump=abbrev").arg(compiled.path()).output().unwrap();
            let shown = String::from_utf8(shown.stdout).unwrap();
            assert!(shown.contains("DW_FORM_ref_addr"), "gcc refers across units: {flags:?}");
            let (in_struct, between) = if bits == "-m64" { (8, 16) } else { (4, 8) };
            let offset = compiled.member("struct s", "d[2].b").offset();
            assert_eq!(offset, Some(in_struct + 2 * between + in_struct), "{flags:?}");
            assert_eq!(compiled.member("struct t", "c.b").offset(), Some(4), "{flags:?}");
        }
    }
}
