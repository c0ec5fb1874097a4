//! What a name leads to: typedefs, pointers, enums, several definitions, declarations.

use dbgmate::types::{Error, Kind, Number};

use super::case::Case;
use super::toolchain::{EVERYWHERE, GCC};

#[test]
fn a_typedef_names_an_anonymous_struct() {
    Case::new("typedef struct { char a; int b; } t; typedef t u; struct s { t x; u y; };")
        .members("t", &["a", "b"])
        .members("struct s", &["x.b", "y.b"])
        .check_everywhere();
    let compiled = GCC.compile("typedef struct { char a; int b; } t; t x;").unwrap();
    assert_eq!(compiled.layout("t").type_name, "t");
    assert_eq!(compiled.layout("typedef t").type_name, "t");
    assert_eq!(compiled.find("struct t", None).unwrap(), []);
}

#[test]
fn a_tag_and_its_typedef_are_one_answer() {
    let source = "typedef struct ev ev; struct ev { int fd; ev *next; }; ev x;";
    let layout = GCC.compile(source).unwrap().layout("ev");
    assert_eq!(layout.type_name, "struct ev");
    assert_eq!(layout.members.get(1).unwrap().type_name(), "ev *");
}

#[test]
fn a_pointers_typedef_leads_to_what_it_points_to() {
    let source =
        "struct dom { long id; }; typedef struct dom *domPtr; typedef domPtr again; again x;";
    let layout = GCC.compile(source).unwrap().layout("again");
    assert_eq!(layout.type_name, "struct dom");
    assert_eq!(layout.via, ["again", "domPtr", "*"]);
}

#[test]
fn a_pointer_to_a_pointer_is_a_pointer() {
    let source = "struct dom { long id; }; typedef struct dom **list; list x;";
    let layout = GCC.compile(source).unwrap().layout("list");
    assert_eq!((layout.kind, layout.size.known()), (Kind::Other, Some(8)));
}

#[test]
fn enums_have_all_values_of_every_width() {
    let source = "enum small { A, B = 200, C = 255 };
        enum negative { N = -1, M = -128, P = 127 };
        enum wide { W = 0x7fffffffffffffffLL, V = -0x7fffffffffffffffLL - 1 };
        enum unsigned_wide { U = 0xffffffffffffffffULL, Z = 0 };
        enum small a; enum negative b; enum wide c; enum unsigned_wide d;";
    for toolchain in EVERYWHERE {
        let Some(compiled) = toolchain.compile(source) else { continue };
        let check = |name: &str, expected: &[i128]| {
            let values = compiled.layout(name).enumerators.into_iter().map(|each| each.value);
            let expected = expected.iter().map(|value| Number::from(*value));
            assert!(values.eq(expected), "{name} by {toolchain}");
        };
        check("enum small", &[0, 200, 255]);
        check("enum negative", &[-1, -128, 127]);
        check("enum wide", &[i64::MAX.into(), i64::MIN.into()]);
        check("enum unsigned_wide", &[u64::MAX.into(), 0]);
    }
}

#[test]
fn equal_definitions_merge_and_others_stand_apart() {
    let small = "struct s { int a; char b; }; struct s x1;";
    let equal = "typedef int number; struct s { int a; char b; }; struct s x2;";
    let large = "struct s { int a; long b; }; struct s x3;";
    let sources = [("one", small), ("two", equal), ("three", large)];
    let found = GCC.compile_all(&sources).unwrap().find("struct s", None).unwrap();
    let shown: Vec<_> =
        found.iter().map(|found| (found.units, found.layout.size.known().unwrap())).collect();
    assert_eq!(shown, [(2, 8), (1, 16)]);
    let declared: Vec<_> =
        found.iter().map(|found| found.layout.declared_at.clone().unwrap().0).collect();
    assert!(declared[0].ends_with("one.c") && declared[1].ends_with("three.c"), "{declared:?}");
}

#[test]
fn definitions_that_differ_deep_inside_stand_apart() {
    let unit = |inner: &str, object: &str| {
        format!(
            "struct deep {{ {inner} }}; struct s {{ struct {{ struct deep d, e[2]; }} m; }}; struct s {object};"
        )
    };
    let (one, two) = (unit("int a;", "x1"), unit("unsigned a;", "x2"));
    let compiled = GCC.compile_all(&[("one", &one), ("two", &two)]).unwrap();
    assert_eq!(compiled.find("struct s", None).unwrap().len(), 2, "the member's type differs");
    let unit = |inner: &str, object: &str| {
        format!(
            "struct deep {{ {inner} }}; struct s {{ struct {{ struct deep e[4]; }} m; }}; struct s {object};"
        )
    };
    let (one, two) = (unit("int a, b;", "x1"), unit("int b, a;", "x2"));
    let compiled = GCC.compile_all(&[("one", &one), ("two", &two)]).unwrap();
    let found = compiled.find("struct s", Some("m.e[1].a")).unwrap();
    let offsets: Vec<_> = found
        .iter()
        .map(|found| found.selected.as_ref().unwrap().member.view().offset().unwrap())
        .collect();
    assert_eq!(offsets.len(), 2, "the order of members differs");
    assert!(offsets.contains(&8) && offsets.contains(&12), "{offsets:?}");
}

#[test]
fn a_member_of_one_definition_only_is_found_there() {
    let (one, two) = ("struct s { int a; } x1;", "struct s { char b[3]; int a, c; } x2;");
    let compiled = GCC.compile_all(&[("one", one), ("two", two)]).unwrap();
    assert_eq!(compiled.member("struct s", "c").offset(), Some(8));
    assert_eq!(compiled.find("struct s", Some("a")).unwrap().len(), 2);
}

#[test]
fn pointees_of_one_name_that_differ_do_not_split_a_struct() {
    let one =
        "struct other { int a; }; struct s { struct other *p; }; struct s x1; struct other o1;";
    let two =
        "struct other { long b; }; struct s { struct other *p; }; struct s x2; struct other o2;";
    let compiled = GCC.compile_all(&[("one", one), ("two", two)]).unwrap();
    let found = compiled.find("struct s", None).unwrap();
    assert_eq!(found.iter().map(|found| found.units).collect::<Vec<_>>(), [2]);
    assert_eq!(compiled.find("struct other", None).unwrap().len(), 2);
}

#[test]
fn local_types_of_functions_are_found() {
    let source = "int f(void) { struct local { char a; short b; } x = {1, 2}; return x.b; }
                  int g(void) { struct local { int c; } x = {3}; return x.c; }";
    let compiled = GCC.compile(source).unwrap();
    assert_eq!(compiled.find("struct local", None).unwrap().len(), 2);
}

#[test]
fn a_declaration_is_no_layout() {
    let compiled = GCC.compile("struct hidden; struct hidden *p; typedef struct hidden h; h *q;");
    let compiled = compiled.unwrap();
    assert_eq!(compiled.find("struct hidden", None).unwrap(), []);
    assert_eq!(compiled.find("h", None).unwrap(), []);
}

#[test]
fn a_declaration_leads_to_the_definition_of_another_unit() {
    let one = "struct hidden; typedef struct hidden h; h *p;";
    let two = "struct hidden { char a; int b; }; struct hidden x;";
    let compiled = GCC.compile_all(&[("one", one), ("two", two)]).unwrap();
    let layout = compiled.layout("h");
    assert_eq!((layout.type_name.as_str(), layout.via), ("struct hidden", vec!["h".to_owned()]));
    assert_eq!(compiled.member("h", "b").offset(), Some(4));
}

#[test]
fn a_declaration_leads_to_every_definition_that_differs() {
    let one = "struct hidden; typedef struct hidden h; h *p;";
    let two = "struct hidden { char a; }; struct hidden x;";
    let three = "struct hidden { long a; }; struct hidden y;";
    let sources = [("one", one), ("two", two), ("three", three)];
    assert_eq!(GCC.compile_all(&sources).unwrap().find("h", None).unwrap().len(), 2);
}

#[test]
fn keywords_choose_between_a_tag_and_a_typedef() {
    let source =
        "struct both { int a; }; typedef union { char c[3]; } both; struct both x; both y;";
    let compiled = GCC.compile(source).unwrap();
    assert_eq!(compiled.layout("struct both").kind, Kind::Struct);
    assert_eq!(compiled.layout("typedef both").kind, Kind::Union);
    assert_eq!(compiled.find("both", None).unwrap().len(), 2);
    assert_eq!(compiled.find("enum both", None).unwrap(), []);
}

#[test]
fn function_and_number_types_are_answers_too() {
    let source =
        "typedef int callback(void *, int); callback *c; typedef unsigned long size; size s;";
    let compiled = GCC.compile(source).unwrap();
    assert_eq!(compiled.layout("callback").type_name, "int (void *, int)");
    let size = compiled.layout("size");
    assert_eq!((size.type_name.as_str(), size.size.known()), ("long unsigned int", Some(8)));
}

#[test]
fn a_path_that_leaves_the_type_names_the_step_and_the_members() {
    let source = "struct s { int a; struct { int b; }; int c[2]; struct s *next; } x;";
    let compiled = GCC.compile(source).unwrap();
    let failure = |path| match compiled.find("struct s", Some(path)) {
        Err(Error::NoSuchMember { step, inside, members }) => (step, inside, members.join(" ")),
        other => panic!("{path}: {other:?}"),
    };
    let all = "a b c next".to_owned();
    assert_eq!(failure("d"), ("d".into(), "struct s".into(), all.clone()));
    assert_eq!(failure("a.x"), ("x".into(), "int".into(), String::new()));
    assert_eq!(failure("c[2]"), ("[2]".into(), "int [2]".into(), String::new()));
    assert_eq!(failure("a[0]"), ("[0]".into(), "int".into(), String::new()));
    assert_eq!(failure("next.a"), ("a".into(), "struct s *".into(), String::new()));
}

/// As libxl's LIBXL_TAILQ_ENTRY and libvirt's GObject parents and `virDomainPtr` are.
#[test]
fn what_macros_and_parents_hide_is_shown_as_the_structs_they_are() {
    let source = "
        #define ENTRY(type) struct { struct type *le_next; struct type **le_prev; }
        typedef struct ev ev; struct ev { int fd; ENTRY(ev) entry; short events; };
        typedef ev *evPtr; typedef const struct ev *constEvPtr;
        typedef struct { void *g_class; } GTypeInstance;
        typedef struct { GTypeInstance g_type_instance; unsigned ref_count; void *qdata; } GObject;
        typedef struct _vir vir; struct _vir { GObject parent; int x; }; vir v; evPtr p; constEvPtr q;";
    Case::new(source)
        .members("ev", &["entry.le_next", "entry.le_prev", "events"])
        .members("vir", &["parent.g_type_instance.g_class", "parent.qdata", "x"])
        .check_everywhere();
    let compiled = GCC.compile(&format!("{source} ev e;")).unwrap();
    for name in ["evPtr", "constEvPtr", "ev", "struct ev"] {
        assert_eq!(compiled.layout(name).type_name, "struct ev", "{name}");
    }
    assert_eq!(compiled.layout("evPtr").via, ["evPtr", "*", "ev"]);
    let layout = compiled.layout("ev");
    let entry = layout.members.get(1).unwrap();
    assert_eq!((entry.type_name().as_str(), entry.members().len()), ("struct {...}", 2));
}
