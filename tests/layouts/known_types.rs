//! What earlier questions have found out about types makes later ones faster, and no other.

use std::path::Path;
use std::sync::Arc;

use dbgmate::binary::{Binary, DebugSources};
use dbgmate::dwarf::DebugFile;
use dbgmate::job::Job;
use dbgmate::types::{self, LayoutMatch, Layouts, Question, TypeName};
use gimli::constants as dw;

use crate::dies::Dies;
use crate::toolchain::{CLANGXX, Compiled, GCC, GXX};

/// More levels than are shown, and types that are met in several ways.
fn source() -> String {
    let mut source = "struct elsewhere; typedef unsigned long word; enum colour { RED };
        struct level0 { word w; colour c : 3; elsewhere *to; struct { char a; word b; }; };
        struct base { char c; }; struct derived : virtual base, level0 { bool b; };"
        .to_owned();
    for level in 1..60 {
        let below = level - 1;
        source += &format!(
            "struct level{level} {{ char c; level{below} in; const level{below} *to[2]; }};"
        );
    }
    source + "union both { level3 l; level59 *to; derived *d; }; both b; level59 l; derived d;"
}

struct Asked {
    file: DebugFile,
}

impl Asked {
    fn new(compiled: &Compiled) -> Asked {
        Asked::open(compiled.path())
    }

    fn open(path: &Path) -> Asked {
        let binary = Binary::open(&Job::new(), path, &DebugSources::default()).unwrap();
        Asked { file: DebugFile::new(Arc::new(binary)) }
    }

    fn anew(&self, layouts: &Layouts, name: &str) -> Vec<LayoutMatch> {
        let name = TypeName::parse(name).unwrap();
        let question = Question { name: &name, path: None, language: None, threads: 1 };
        let found = layouts.find_anew(&Job::new(), &self.file, &question).unwrap();
        let without = types::find(&Job::new(), &self.file, &question).unwrap();
        assert!(found == without, "{name}");
        found
    }
}

#[test]
fn what_is_known_of_types_changes_no_answer() {
    let levels = (0..60).map(|level| format!("struct level{level}"));
    let others = ["union both", "struct derived", "struct base", "enum colour"];
    let up: Vec<String> = others.map(str::to_owned).into_iter().chain(levels).collect();
    let down: Vec<String> = up.iter().rev().cloned().collect();
    for compiler in [GXX, CLANGXX] {
        let compiled = compiler.compile(&source()).unwrap();
        let asked = Asked::new(&compiled);
        for order in [&up, &down] {
            let layouts = Layouts::default();
            for name in order.iter().chain(order) {
                assert!(!asked.anew(&layouts, name).is_empty(), "{name}");
            }
        }
    }
}

#[test]
fn a_type_nested_too_deep_spoils_none_that_is_in_it() {
    let mut source = "struct level0 { char a; long b; char c; };".to_owned();
    for level in 1..90 {
        let below = level - 1;
        source += &format!("struct level{level} {{ char a; struct level{below} in; char b; }};");
    }
    source += "struct __attribute__((packed)) squeezed { struct level89 deep; char c; struct level30 in; }
        s;";
    let compiled = GCC.compile(&source).unwrap();
    let (asked, layouts) = (Asked::new(&compiled), Layouts::default());
    let levels = (0..90).rev().map(|level| format!("struct level{level}"));
    for name in std::iter::once("struct squeezed".to_owned()).chain(levels) {
        let found = asked.anew(&layouts, &name);
        // That `in` stands at an odd offset shows it.
        let is_packed = name == "struct squeezed";
        assert!(found.iter().all(|found| found.layout.packed == is_packed), "{name}");
    }
}

#[test]
fn questions_at_once_know_what_they_need() {
    let compiled = GXX.compile(&source()).unwrap();
    let (asked, layouts) = (Asked::new(&compiled), Layouts::default());
    std::thread::scope(|threads| {
        for start in 0..8 {
            let (asked, layouts) = (&asked, &layouts);
            threads.spawn(move || {
                for level in (start..60).step_by(3) {
                    asked.anew(layouts, &format!("struct level{level}"));
                }
            });
        }
    });
}

#[test]
fn a_name_that_reads_like_another_is_another() {
    // As g++ names one of its own: the word is part of the name.
    let mut dies = Dies::new();
    let int = dies.int();
    let whole = dies.aggregate(dw::DW_TAG_structure_type, "typedef made", 4);
    dies.member(whole, "m", int, 0);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made.o");
    std::fs::write(&path, dies.elf()).unwrap();
    let typedef = TypeName::parse("typedef made").unwrap();
    let own = TypeName { keyword: None, name: "typedef made".to_owned(), ..typedef.clone() };
    assert_eq!(typedef.to_string(), own.to_string());
    for order in [[&typedef, &own], [&own, &typedef]] {
        let (asked, layouts) = (Asked::open(&path), Layouts::default());
        for name in order {
            let question = Question { name, path: None, language: None, threads: 1 };
            let anew = layouts.find_anew(&Job::new(), &asked.file, &question).unwrap();
            let found = layouts.find(&Job::new(), &asked.file, &question).unwrap();
            let is_there = name.keyword.is_none();
            assert_eq!((found.len(), anew.len()), (is_there.into(), is_there.into()), "{order:?}");
        }
    }
}
