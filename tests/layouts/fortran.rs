//! Fortran: derived types that extend others, arrays by columns from any index, texts, complex numbers.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use dbgmate::binary::{Binary, DebugSources};
use dbgmate::dwarf::DebugFile;
use dbgmate::job::Job;
use dbgmate::types::{self, Decoded};

use super::toolchain::{find_in, run};

/// How members are spelled.
const SPELLED: [(&str, &str, &str); 6] = [
    ("grid", "cells", "real(kind=8) [3][0..4]"),
    ("grid", "label", "character(len=7)"),
    ("grid", "codes", "character(len=2) [-1..1]"),
    ("grid", "next", "struct shapes::grid *"),
    ("grid", "title", "character(len=:) *"),
    ("circle", "point", "struct shapes::point"),
];

/// What the source gives them.
const VALUES: [(&str, &[&str]); 3] = [
    (
        "grid",
        &[
            "size = 3",
            "cells[1][0] = 0.5",
            "cells[3][0] = 1.5",
            "cells[1][1] = 2",
            "cells[3][4] = 7.5",
            "corners[2].x = 1",
            "corners[4].tag = -7",
            "corners[5].tag = 3",
            "label = \"a \\\"b\\\" c\"",
            "codes[-1] = \"xy\"",
            "codes[1] = \"uv\"",
            "cube[2][1][1] = 2",
            "cube[1][3][2] = 11",
            "z = 1.5 - 2i",
            "next = 0x0",
        ],
    ),
    ("circle", &["point.x = 4", "point.tag = 6", "radius = 2.5", "filled = true"]),
    ("both", &["a = 7", "b = 0.25"]),
];

/// The values at any depth, as `path = text`.
fn said(value: &Decoded, path: &str, all: &mut Vec<String>) {
    for inner in &value.values {
        let path = match (path, inner.name.starts_with('[')) {
            ("", _) => inner.name.clone(),
            (path, true) => format!("{path}{}", inner.name),
            (path, false) => format!("{path}.{}", inner.name),
        };
        all.extend(inner.text.as_ref().map(|text| format!("{path} = {text}")));
        said(inner, &path, all);
    }
}

/// Where a member is, and its size.
fn place(program: &Path, type_name: &str, path: &str) -> (Option<u64>, Option<u64>) {
    let [found] = find_in(program, type_name, Some(path), None).unwrap().try_into().unwrap();
    let selected = found.selected.unwrap();
    let member = selected.member.view();
    (member.offset(), member.size().known())
}

/// What bytes in hexadecimal say.
fn decoded(file: &DebugFile, program: &Path, type_name: &str, bytes: &str) -> Vec<String> {
    let [found] = find_in(program, type_name, None, None).unwrap().try_into().unwrap();
    let digits = (0..bytes.len() / 2).map(|at| &bytes[2 * at..2 * at + 2]);
    let bytes: Vec<u8> = digits.map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
    let value = types::decode(&Job::new(), file, found.layout.die, &bytes, 1).unwrap();
    let mut all = Vec::new();
    said(&value, "", &mut all);
    all
}

#[test]
fn derived_types_are_laid_out_as_the_compiler_says() {
    for flags in [&["-g"][..], &["-g", "-O2"], &["-gdwarf-4"], &["-gdwarf-3", "-gstrict-dwarf"]] {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("shapes");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/shapes.f90");
        let mut compiler = Command::new("gfortran");
        compiler.args(flags).arg(source).arg("-o").arg(&program).current_dir(&folder);
        if run(&mut compiler).is_none() {
            return;
        }
        let printed = Command::new(&program).output().unwrap();
        let printed = String::from_utf8(printed.stdout).unwrap();
        let binary = Binary::open(&Job::new(), &program, &DebugSources::default()).unwrap();
        let file = DebugFile::new(Arc::new(binary));
        let (mut places, mut objects) = (0, 0);
        for line in printed.lines() {
            match line.split_whitespace().collect::<Vec<_>>().as_slice() {
                [name, path, offset, size] => {
                    let expected = (offset.parse().ok(), size.parse().ok());
                    assert_eq!(place(&program, name, path), expected, "{flags:?}: {line}");
                    places += 1;
                }
                [name, bytes] => {
                    let said = decoded(&file, &program, name, bytes);
                    let (_, values) = VALUES.iter().find(|(of, _)| of == name).unwrap();
                    for expected in *values {
                        let is_said = said.iter().any(|said| said == expected);
                        assert!(is_said, "{flags:?}: {expected}: {said:#?}");
                    }
                    objects += 1;
                }
                _ => panic!("{line}"),
            }
        }
        assert_eq!((places, objects), (16, VALUES.len()), "{printed}");
        for (name, path, spelled) in SPELLED {
            let [found] = find_in(&program, name, Some(path), None).unwrap().try_into().unwrap();
            assert_eq!(
                found.selected.unwrap().member.view().type_name(),
                spelled,
                "{flags:?} {path}"
            );
        }
    }
}
