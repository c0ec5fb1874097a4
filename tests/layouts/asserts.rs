//! Assertions in C, given back to the compiler that laid the types out.

use std::fs;
use std::process::Command;

use dbgmate::api::layout::LayoutForm;
use regex::Regex;

use super::toolchain::{CLANGXX, EVERYWHERE, GCC, GXX, Toolchain};

const SOURCE: &str = include_str!("../fixtures/layouts_asserts.c");

const CXX_SOURCE: &str = include_str!("../fixtures/layouts_asserts.cc");

const TYPES: &[&str] = &[
    "struct everything",
    "union either",
    "named_by_typedef",
    "struct aligned",
    "struct stricter_inside",
    "enum values",
];

/// What the compiler says of the assertions below the source, on lines of its own choice.
fn said(toolchain: Toolchain, source: &str, asserts: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("asserted.c");
    fs::write(&path, format!("{source}\n{asserts}")).unwrap();
    let mut command = Command::new(toolchain.program);
    command.args(toolchain.flags.iter().filter(|flag| flag.starts_with("-m")));
    command.args(["-fsyntax-only", "-Wall", "-Wextra", "-Werror"]).arg(&path);
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn they_hold_for_the_compiler_that_wrote_the_debug_info() {
    for toolchain in EVERYWHERE {
        let Some(compiled) = toolchain.compile(SOURCE) else { continue };
        for name in TYPES {
            let asserts = compiled.rendered(name, LayoutForm::Asserts);
            assert!(asserts.contains("_Static_assert(sizeof"), "{name} by {toolchain}:\n{asserts}");
            let (holds, errors) = said(*toolchain, SOURCE, &asserts);
            assert!(holds, "{name} by {toolchain}:\n{asserts}\n{errors}");
        }
    }
}

#[test]
fn each_fails_when_its_number_is_wrong() {
    let compiled = GCC.compile(SOURCE).unwrap();
    let number = Regex::new(r"== (-?\d+)").unwrap();
    for name in TYPES {
        let asserts = compiled.rendered(name, LayoutForm::Asserts);
        let wrong = number.replace_all(&asserts, "== 1 + $1");
        let count = asserts.matches("_Static_assert").count();
        let (_, errors) = said(GCC, SOURCE, &wrong);
        assert_eq!(errors.matches("static assertion failed").count(), count, "{name}:\n{errors}");
    }
}

#[test]
fn every_member_that_c_can_ask_for_is_asserted() {
    let compiled = GCC.compile(SOURCE).unwrap();
    // It changes with the folder.
    let build_id = Regex::new("build-id [0-9a-f]+").unwrap();
    let asserts = |name| compiled.rendered(name, LayoutForm::Asserts);
    let shown = |name| build_id.replace_all(&asserts(name), "build-id …").into_owned();
    insta::assert_snapshot!(shown("struct everything"));
    insta::assert_snapshot!(shown("struct everything.many[1].y"));
}

#[test]
fn of_several_definitions_the_first_is_asserted() {
    let sources = [("a", "struct s { int a; } x1;"), ("b", "struct s { long a, b; } x2;")];
    let compiled = GCC.compile_all(&sources).unwrap();
    let asserts = compiled.rendered("struct s", LayoutForm::Asserts);
    assert_eq!(asserts.matches("_Static_assert(sizeof(struct s)").count(), 2, "{asserts}");
    let holds: Vec<bool> = sources.iter().map(|(_, text)| said(GCC, text, &asserts).0).collect();
    assert_eq!(holds.iter().filter(|holds| **holds).count(), 1, "{asserts}");
}

const CXX_TYPES: &[&str] = &[
    "outer::derived",
    "outer::box<int>",
    "outer::counted_box<int, 3>",
    "outer::nameless",
    "outer::hidden",
    "outer::open",
    "outer::scoped",
    "outer::plain",
];

/// As [`said`], of a C++ compiler. It warns of offsets in types that are not of standard layout.
fn said_of_cxx(toolchain: Toolchain, asserts: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("asserted.cc");
    fs::write(&path, format!("{CXX_SOURCE}\n{asserts}")).unwrap();
    let mut command = Command::new(toolchain.program);
    command.args(["-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Wno-invalid-offsetof"]);
    let output = command.arg(&path).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn they_hold_for_a_compiler_of_cxx() {
    let number = Regex::new(r"== (-?\d+)").unwrap();
    let failed = Regex::new("static(_| )assert(ion)? failed").unwrap();
    for toolchain in [GXX, CLANGXX] {
        let compiled = toolchain.compile(CXX_SOURCE).unwrap();
        for name in CXX_TYPES {
            let asserts = compiled.rendered(name, LayoutForm::Asserts);
            assert!(asserts.contains("static_assert(sizeof("), "{name} by {toolchain}:\n{asserts}");
            let (holds, errors) = said_of_cxx(toolchain, &asserts);
            assert!(holds, "{name} by {toolchain}:\n{asserts}\n{errors}");
            let wrong = number.replace_all(&asserts, "== 1 + $1");
            let (_, errors) = said_of_cxx(toolchain, &wrong);
            let count = asserts.matches("static_assert(").count();
            assert_eq!(failed.find_iter(&errors).count(), count, "{name}:\n{errors}");
        }
    }
}

#[test]
fn what_cxx_lets_nobody_ask_for_is_a_comment() {
    let compiled = GXX.compile(CXX_SOURCE).unwrap();
    let build_id = Regex::new("build-id [0-9a-f]+").unwrap();
    let shown = |name| {
        let asserts = compiled.rendered(name, LayoutForm::Asserts);
        build_id.replace_all(&asserts, "build-id …").into_owned()
    };
    let names = ["outer::derived", "outer::hidden", "outer::scoped", "outer::nameless"];
    let all = names.map(shown).concat();
    for expected in [
        "/* outer::base at 0: a base has no name to ask by */",
        "/* secret int at 8: it is private */",
        "/* kept int at 12: it is protected */",
        "static_assert(offsetof(class outer::hidden, open) == 16, \"offsetof(class outer::hidden, open)\");",
        "/* deep long int at 0: it is private */",
        "static_assert(offsetof(class outer::nameless, shown) == 8, ",
        "/* low: bit field at 28, bits 0-2 */",
        "/* to int & at 32: a reference has no place in the language */",
        "static_assert(static_cast<long long>(outer::scoped::A) == -5, ",
    ] {
        assert!(all.contains(expected), "{expected}\n{all}");
    }
}

#[test]
fn another_language_has_none() {
    let Some(compiled) = super::rust::compiled() else { return };
    let asserts = compiled.rendered("Fixed", LayoutForm::Asserts);
    assert!(
        asserts.contains("/* no assertions: the language is rust, not c or c++ */"),
        "{asserts}"
    );
    assert!(!asserts.contains("_Static_assert"), "{asserts}");
}
