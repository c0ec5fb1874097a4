//! Assertions in C, given back to the compiler that laid the types out.

use std::fs;
use std::process::Command;

use dbgmate::api::layout::LayoutForm;
use regex::Regex;

use super::toolchain::{EVERYWHERE, GCC, Toolchain};

const SOURCE: &str = include_str!("../fixtures/layouts_asserts.c");

const TYPES: &[&str] =
    &["struct everything", "union either", "named_by_typedef", "struct aligned", "enum values"];

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

#[test]
fn another_language_has_none() {
    let compiled = super::toolchain::GXX.compile("struct s { int a; }; s x;").unwrap();
    let asserts = compiled.rendered("struct s", LayoutForm::Asserts);
    assert!(asserts.contains("/* no assertions: the language is c++, not c */"), "{asserts}");
    assert!(!asserts.contains("_Static_assert"), "{asserts}");
}
