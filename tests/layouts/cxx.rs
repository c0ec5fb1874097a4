//! C++: bases, templates, namespaces, and members that are none.

use dbgmate::api::layout::LayoutForm;
use dbgmate::types::{Kind, Layout, MemberKind, Reach, diff};

use super::case::Case;
use super::toolchain::{GXX, Toolchain};

const fn gxx(flags: &'static [&'static str]) -> Toolchain {
    Toolchain { program: "g++", flags }
}

const EVERYWHERE: &[Toolchain] = &[
    GXX,
    // DWARF 2 has no namespaces.
    gxx(&["-c", "-gdwarf-3", "-gstrict-dwarf"]),
    gxx(&["-c", "-gdwarf-4"]),
    gxx(&["-c", "-gdwarf-4", "-fdebug-types-section"]),
    gxx(&["-c", "-gdwarf-5", "-fdebug-types-section"]),
    Toolchain { program: "clang++", flags: &["-c", "-gdwarf-4", "-std=c++20"] },
    Toolchain { program: "clang++", flags: &["-c", "-gdwarf-5", "-std=c++20"] },
];

fn check(case: Case) {
    for toolchain in EVERYWHERE {
        case.check(*toolchain);
    }
}

#[test]
fn members_of_bases_are_found_through_any_number_of_them() {
    // offsetof of such types is known to compilers, though the standard promises it for fewer.
    check(
        Case::new(
            "#pragma GCC diagnostic ignored \"-Winvalid-offsetof\"
             struct a { int x; }; struct b : a { char y; }; struct c { long z; };
             struct d : b, c { short w; };",
        )
        .members("d", &["x", "y", "z", "w"])
        .members("b", &["x", "y"]),
    );
}

#[test]
fn bases_are_shown_with_their_offsets() {
    let source = "struct empty {}; struct a { int x; }; struct c { long z; };
                  struct d : empty, a, c { short w; }; d x;";
    for toolchain in EVERYWHERE {
        let Some(compiled) = toolchain.compile(source) else { continue };
        let layout = compiled.layout("d");
        let bases = layout.members.iter().filter(|member| member.kind() == MemberKind::Base);
        let bases: Vec<_> =
            bases.map(|base| (base.type_name().clone(), base.offset().unwrap())).collect();
        let expected = [("empty".into(), 0), ("a".into(), 0), ("c".into(), 8)];
        assert_eq!(bases, expected, "{toolchain}");
    }
}

#[test]
fn a_virtual_base_has_no_constant_offset_and_says_so() {
    let source = "struct a { int x; virtual int f(); }; int a::f() { return x; }
                  struct b : virtual a { int y; int f(); }; int b::f() { return y; } b z;";
    for toolchain in EVERYWHERE {
        let Some(compiled) = toolchain.compile(source) else { continue };
        let layout = compiled.layout("b");
        let base = layout.members.iter().find(|member| member.kind() == MemberKind::Base).unwrap();
        assert_eq!((base.offset(), base.type_name().as_str()), (None, "a"), "{toolchain}");
        assert!(base.why().unwrap().contains("run time"), "{toolchain}");
        assert!(base.inside().all(|member| member.offset().is_none()), "{toolchain}");
        assert_eq!(compiled.member("b", "y").offset(), Some(8), "{toolchain}");
        assert_eq!(compiled.member("b", "x").offset(), None, "{toolchain}");
        assert!(layout.holes.is_empty(), "where the base lies, no hole is known: {toolchain}");
    }
}

#[test]
fn a_bit_field_of_a_virtual_base_keeps_its_width() {
    let source = "struct a { int x; int f : 3; unsigned long g : 40; virtual int v(); }; int a::v() { return x; }
                  struct b : virtual a { int y; }; struct c : b { int z; }; c q;";
    for toolchain in EVERYWHERE {
        let Some(compiled) = toolchain.compile(source) else { continue };
        for (name, path, width) in [("b", "f", 3), ("c", "g", 40), ("a", "g", 40)] {
            let member = compiled.member(name, path);
            assert_eq!(member.bit_size(), Some(width), "{path} of {name} by {toolchain}");
            assert_eq!(member.offset().is_some(), name == "a", "{path} of {name} by {toolchain}");
        }
        assert_eq!(compiled.member("b", "x").bit_size(), None, "{toolchain}");
        let text = compiled.rendered("c", LayoutForm::Layout);
        let is_shown = |line: &str| line.contains("int f : 3;") && line.contains("? 3 bits");
        assert!(text.lines().any(is_shown), "{text}");
        let script = compiled.rendered("b", LayoutForm::Script);
        assert!(script.contains("f => ?"), "{script}");
    }
}

/// Where a virtual base is depends on the object: that it has changed is told of itself.
#[test]
fn what_moves_inside_a_virtual_base_is_its_own_change() {
    let built = |members: &str| {
        let source = format!("struct a {{ {members} }}; struct b : virtual a {{ char d; }}; b z;");
        let compiled = GXX.compile(&source).unwrap();
        (compiled.layout("a"), compiled.layout("b"))
    };
    let (old, new) =
        (built("int z; int x : 3; short c, d;"), built("int z; int x : 4; short d, c;"));
    let paths = |old: &Layout, new: &Layout| {
        let changes = diff(old, new, Reach::Whole, None).unwrap().into_iter();
        changes.map(|change| change.path).collect::<Vec<_>>()
    };
    assert_eq!(paths(&old.0, &new.0), ["x", "d", "c"]);
    assert_eq!(paths(&old.1, &new.1), [] as [&str; 0]);
}

#[test]
fn a_null_pointers_type_has_a_pointers_size() {
    let layout =
        GXX.compile("struct s { char c; decltype(nullptr) n; char d; }; s x;").unwrap().layout("s");
    assert_eq!(layout.members.get(1).unwrap().size().known(), Some(8));
    assert_eq!((layout.holes.len(), layout.padding), (1, 7));
}

#[test]
fn the_pointer_to_virtual_functions_is_a_member() {
    let source = "struct a { virtual int f(); int x; }; int a::f() { return x; } a *p;";
    for toolchain in EVERYWHERE {
        let Some(compiled) = toolchain.compile(source) else { continue };
        let layout = compiled.layout("a");
        let first = layout.members.get(0).unwrap();
        assert!(first.name().starts_with("_vptr"), "{:?} by {toolchain}", first.name());
        assert_eq!((first.offset(), first.size().known()), (Some(0), Some(8)), "{toolchain}");
    }
}

#[test]
fn static_members_functions_and_nested_types_take_no_place() {
    let source =
        "struct s { static int count; static const int k = 3; enum e { A }; struct in { int q; };
                  typedef int number; int f(int); int a; number b; in c; };
                  int s::count; s x;";
    for toolchain in EVERYWHERE {
        let Some(compiled) = toolchain.compile(source) else { continue };
        let layout = compiled.layout("s");
        let names: Vec<_> = layout.members.iter().map(|member| member.name()).collect();
        assert_eq!(names, ["a", "b", "c"], "{toolchain}");
        assert_eq!(layout.size.known(), Some(12), "{toolchain}");
        assert_eq!(compiled.member("s", "c.q").offset(), Some(8), "{toolchain}");
    }
}

#[test]
fn members_may_share_bytes_where_they_have_no_unique_address() {
    check(
        Case::new(
            "struct empty {}; struct s { [[no_unique_address]] empty e; int a; char b; };
             struct t { [[no_unique_address]] s in; char tail; };",
        )
        .members("s", &["a", "b"])
        .members("t", &["tail"]),
    );
}

#[test]
fn names_are_found_with_and_without_their_scope() {
    let source =
        "namespace n { namespace m { struct s { int a; struct in { char b; long c; }; in i; }; } }
                  namespace o { struct s { long a[2]; }; } n::m::s x; o::s y;";
    for toolchain in EVERYWHERE {
        let Some(compiled) = toolchain.compile(source) else { continue };
        for (name, size) in [("n::m::s", 24), ("m::s", 24), ("::o::s", 16), ("struct o::s", 16)] {
            assert_eq!(compiled.layout(name).size.known(), Some(size), "{name} by {toolchain}");
        }
        assert_eq!(compiled.find("s", None).unwrap().len(), 2, "{toolchain}");
        let inner = compiled.layout("n::m::s::in");
        assert_eq!(inner.type_name, "struct n::m::s::in", "{toolchain}");
        assert_eq!(compiled.find("n::s", None).unwrap(), [], "{toolchain}");
    }
}

#[test]
fn classes_and_structs_answer_to_either_keyword() {
    let compiled = GXX.compile("class c { public: int a; }; c x;").unwrap();
    assert_eq!(compiled.layout("struct c").kind, Kind::Class);
    assert_eq!(compiled.layout("class c").kind, Kind::Class);
    assert_eq!(compiled.layout("c").type_name, "class c");
}

#[test]
fn template_instances_are_types_of_their_own() {
    let source = "template <class T> struct one { T only; }; one<one<one<char>>> w;
                  template <class T, int N> struct box { T value[N]; char end; };
                  namespace n { struct in { long a; }; }
                  box<int, 3> x; box<n::in, 2> y; box<box<char, 1>, 4> z;";
    for toolchain in EVERYWHERE {
        let Some(compiled) = toolchain.compile(source) else { continue };
        assert_eq!(compiled.member("box<int, 3>", "end").offset(), Some(12), "{toolchain}");
        assert_eq!(compiled.member("box<n::in, 2>", "value[1].a").offset(), Some(8), "{toolchain}");
        for name in ["box<box<char, 1>, 4>", "box<box<char,1>,4>"] {
            assert_eq!(compiled.member(name, "end").offset(), Some(8), "{name} by {toolchain}");
        }
        for name in ["one<one<one<char>>>", "one<one<one<char> > >"] {
            assert_eq!(compiled.layout(name).size.known(), Some(1), "{name} by {toolchain}");
        }
    }
}

#[test]
fn references_and_pointers_to_members_have_their_size() {
    check(
        Case::new(
            "struct s { int a; }; struct holder { char c; int s::*data; int (s::*function)(int); char end; };",
        )
        .members("holder", &["data", "function", "end"]),
    );
}

#[test]
fn c_and_cxx_definitions_of_one_name_can_be_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one.c"), folder.path().join("two.cc"));
    std::fs::write(&one, "struct s { int a; } x;").unwrap();
    std::fs::write(&two, "struct s { int a; }; s y;").unwrap();
    let library = folder.path().join("both.so");
    let mut gcc = std::process::Command::new("gcc");
    gcc.args(GXX.flags).arg("-o").arg(&library).args([&one, &two]);
    super::toolchain::run(&mut gcc).unwrap();
    let found = super::toolchain::find_in(&library, "struct s", None, None).unwrap();
    assert_eq!(found.len(), 2, "languages are not mixed");
    for language in [dbgmate::dwarf::Language::C, dbgmate::dwarf::Language::Cxx] {
        let found = super::toolchain::find_in(&library, "struct s", None, Some(language)).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].layout.language, language);
    }
}

#[test]
fn a_declaration_leads_to_the_definition_in_its_own_scope() {
    let user =
        "namespace a { struct s; typedef s t; t *x; } namespace b { struct s; typedef s u; u *y; }
                struct s; typedef s v; v *z;";
    let definitions =
        "namespace a { struct s { char c[3]; } d; } namespace b { struct s { char c[5]; } d; }
                       struct s { char c[7]; } d;";
    for toolchain in [GXX, Toolchain { program: "clang++", flags: GXX.flags }] {
        let units = [("user", user), ("definitions", definitions)];
        let Some(compiled) = toolchain.compile_all(&units) else { continue };
        for (name, size) in [("a::t", 3), ("b::u", 5), ("v", 7), ("::s", 7), ("a::s", 3)] {
            assert_eq!(compiled.layout(name).size.known(), Some(size), "{name} by {toolchain}");
        }
        assert_eq!(compiled.find("struct s", None).unwrap().len(), 3);
    }
}
