//! A survey of all types finds what questions by name find.

use std::collections::BTreeSet;
use std::sync::Arc;

use dbgmate::binary::{Binary, DebugSources};
use dbgmate::dwarf::DebugFile;
use dbgmate::job::Job;
use dbgmate::types::{self, Question, Survey, Surveyor, TypeName};

use crate::toolchain::{Compiled, GCC, GXX};

/// What two units have alike, and what each has in its own way.
const COMMON: &str = "
    typedef struct same same; struct same { int x; };
    struct outer { struct inner in; struct inner *to; };
    struct nameless { struct { FIRST a; } in; };
    typedef struct { FIRST a; } by_typedef;
    struct of_typedef { by_typedef it; };
    struct array { FIRST a[2]; };
    enum values { ONE = VALUE };
    struct outer o; struct nameless n; struct of_typedef t; struct array a; enum values v; struct same s;
";

fn unit(inner: &str, first: &str, value: &str, name: &str) -> String {
    let text = COMMON.replace("FIRST", first).replace("VALUE", value);
    format!("struct inner {{ {inner} }};\n{text}").replace(" o;", &format!(" o{name};"))
}

/// The layouts of each name, by survey and by name: as many, of the same types and sizes.
fn layouts(compiled: &Compiled) -> Vec<(String, usize)> {
    let job = Job::new();
    let binary = Binary::open(&job, compiled.path(), &DebugSources::default()).unwrap();
    let file = DebugFile::new(Arc::new(binary));
    let survey = Survey::of(&job, &file, 2).unwrap();
    let surveyor = Surveyor::new(&job, &file, &survey).unwrap();
    let mut all = Vec::new();
    for text in survey.names() {
        let surveyed = surveyor.layouts(text, None).unwrap();
        let name = TypeName { keyword: None, scope: vec![], is_full: false, name: text.to_owned() };
        let question = Question { name: &name, path: None, language: None, threads: 1 };
        let found = types::find(&job, &file, &question).unwrap();
        let facts = |all: &[types::LayoutMatch]| -> BTreeSet<String> {
            all.iter().map(|it| format!("{} {:?}", it.layout.type_name, it.layout.size)).collect()
        };
        assert_eq!(facts(&surveyed), facts(&found), "{text}");
        all.push((text.to_owned(), surveyed.len()));
    }
    all
}

#[test]
fn definitions_are_told_apart_by_what_is_their_own() {
    let (one, other) = (unit("int a;", "int", "1", "1"), unit("int b;", "unsigned", "2", "2"));
    let other = other.replace(" n;", " n2;").replace(" t;", " t2;");
    let other = other.replace("struct array a;", "struct array a2;");
    let other = other.replace("enum values v; struct same s;", "enum values v2; struct same s2;");
    let compiled = GCC.compile_all(&[("one", &one), ("other", &other)]).unwrap();
    let layouts = layouts(&compiled);
    for (name, count) in [
        ("same", 1),
        // Their members are other types, of the same names and sizes: that is told there.
        ("outer", 1),
        ("of_typedef", 1),
        ("inner", 2),
        ("nameless", 2),
        ("by_typedef", 2),
        ("array", 2),
        ("values", 2),
    ] {
        let found = layouts.iter().find(|(found, _)| found == name).map(|(_, count)| *count);
        assert_eq!(found, Some(count), "{name}: {layouts:?}");
    }
}

#[test]
fn scopes_tell_members_of_one_name_apart() {
    let unit = |scope: &str, name: &str| {
        format!(
            "namespace a {{ struct x {{ int i; }}; }} namespace b {{ struct x {{ int i; }}; }}
             struct holder {{ {scope}::x it; }}; holder {name};"
        )
    };
    let (one, other) = (unit("a", "one"), unit("b", "two"));
    let compiled = GXX.compile_all(&[("one", &one), ("two", &other)]).unwrap();
    let layouts = layouts(&compiled);
    assert!(layouts.contains(&("holder".to_owned(), 2)), "{layouts:?}");
}

#[test]
fn what_rust_says_of_an_alignment_holds() {
    let text = r#"
        #![crate_type = "cdylib"]
        #[repr(align(16))] pub struct Strict(u8);
        #[repr(packed(8))] pub struct Packed { pub a: u128, pub b: u8 }
        #[unsafe(no_mangle)] pub fn keep(p: &Packed, s: &Strict) -> u8 { p.b + s.0 }
    "#;
    let Some(compiled) = crate::rust::built("aligned", text) else { return };
    let job = Job::new();
    let binary = Binary::open(&job, compiled.path(), &DebugSources::default()).unwrap();
    let file = DebugFile::new(Arc::new(binary));
    let survey = Survey::of(&job, &file, 1).unwrap();
    let surveyor = Surveyor::new(&job, &file, &survey).unwrap();
    // A number of sixteen bytes is aligned to eight or to sixteen: that depends on the version.
    for (name, align) in [("Strict", Some(16)), ("Packed", Some(8)), ("u128", None)] {
        let found = surveyor.layouts(name, None).unwrap();
        assert_eq!(surveyor.alignment(found[0].layout.die).unwrap(), align, "{name}");
    }
}
