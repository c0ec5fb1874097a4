//! Members inside members: structs, unions, arrays, and the paths that lead to them.

use dbgmate::types::Size;

use super::case::Case;
use super::toolchain::{CLANG, EVERYWHERE, GCC};

/// Clang writes the typedef, GCC the array behind it.
#[test]
fn a_flexible_array_may_have_a_name_of_its_own() {
    let source = "typedef int flex[]; struct s { char n; short h; flex data; } x;";
    for toolchain in EVERYWHERE {
        let Some(compiled) = toolchain.compile(source) else { continue };
        let layout = compiled.layout("struct s");
        assert_eq!(layout.members.get(2).unwrap().size(), Size::Dynamic, "{toolchain}");
        let holes: Vec<_> = layout.holes.iter().map(|hole| hole.bit_offset / 8).collect();
        assert_eq!((holes, layout.padding), (vec![1], 0), "{toolchain}");
    }
}

#[test]
fn members_at_the_ends_of_every_scalar_type() {
    Case::new(
        "struct s { char c; short s; int i; long l; long long ll; float f; double d;
                    long double ld; void *p; _Bool b; int (*fn)(int); enum { A } e; char last; };",
    )
    .members("struct s", &["c", "s", "i", "l", "ll", "f", "d", "ld", "p", "b", "fn", "e", "last"])
    .check_everywhere();
}

#[test]
fn anonymous_structs_and_unions_are_seen_through_at_any_depth() {
    Case::new(
        "struct s {
             char tag;
             union {
                 struct { int a; union { long b; struct { char c; struct { short d; }; }; }; };
                 struct { char pad[40]; char e; };
             };
             int last;
         };",
    )
    .members("struct s", &["tag", "a", "b", "c", "d", "pad", "e", "last"])
    .check_everywhere();
}

#[test]
fn named_structs_inside_count_from_the_outermost() {
    Case::new(
        "struct inner { char a; long b; };
         struct s { char x; struct { char y; struct inner in; } mid; union { int i; struct inner k; } u; };",
    )
    .members("struct s", &["mid", "mid.y", "mid.in", "mid.in.b", "u.i", "u.k", "u.k.b"])
    .check_everywhere();
}

#[test]
fn arrays_have_every_dimension_and_elements_have_places() {
    Case::new(
        "struct pollfd { int fd; short events, revents; };
         struct s {
             char bytes[256];
             struct pollfd fds[8];
             int grid[3][5][7];
             char many[70000];
             struct { char k; int v[2]; } pairs[4][2];
             char *names[9];
             int (*table[6])(int);
             long (*to_array)[4];
         };",
    )
    .members("struct s", &["bytes", "fds", "grid", "many", "pairs", "names", "table", "to_array"])
    .members("struct s", &["bytes[255]", "fds[3].events", "fds[0].fd", "many[69999]"])
    .members("struct s", &["grid[2]", "grid[2][4]", "grid[2][4][6]", "grid[0][1][0]"])
    .members("struct s", &["pairs[3][1].v[1]", "pairs[3]", "names[8]", "table[5]"])
    .check_everywhere();
}

#[test]
fn a_typedef_of_an_array_in_an_array_is_indexed_like_one() {
    Case::new(
        "typedef int row[4];
         typedef row matrix[3];
         struct s { char c; matrix m; const row r[2]; };",
    )
    .members("struct s", &["m", "m[2]", "m[2][3]", "r[1]", "r[1][2]"])
    .check_everywhere();
}

#[test]
fn a_flexible_array_has_a_place_and_no_size() {
    Case::new(
        "struct s { int count; char data[]; };
         struct t { char kind; struct { short x; } items[]; };",
    )
    .members("struct s", &["count"])
    .members("struct t", &["kind"])
    .unsized_members("struct s", &["data"])
    .unsized_members("struct t", &["items"])
    .check_everywhere();
}

#[test]
fn a_flexible_array_is_one_however_its_type_is_spelled() {
    let source = "struct s { char a; long b; char (*rest[])[8]; } s;
         struct t { char a; long b; volatile char rest[][8]; } t;
         struct u { char a; long b; void (*rest[])(int); } u;";
    for toolchain in EVERYWHERE {
        let Some(compiled) = toolchain.compile(source) else { continue };
        for name in ["struct s", "struct t", "struct u"] {
            let layout = compiled.layout(name);
            let hole = layout.members.get(1).unwrap().offset().unwrap() * 8 - 8;
            let holes: Vec<u64> = layout.holes.iter().map(|hole| hole.bit_size).collect();
            assert_eq!(holes, [hole], "{name} by {toolchain}");
            assert_eq!(compiled.member(name, "rest").size().known(), None);
        }
    }
}

#[test]
fn elements_of_a_flexible_array_are_found() {
    let compiled =
        GCC.compile("struct t { char kind; struct { short x, y; } items[]; } t;").unwrap();
    assert_eq!(compiled.member("struct t", "items[5].y").offset(), Some(2 + 5 * 4 + 2));
}

#[test]
fn an_empty_array_is_empty_and_not_flexible() {
    let source = "struct s { int a; long none[0]; char b; };";
    Case::new(source).members("struct s", &["a", "none", "b"]).check_everywhere();
    let compiled = GCC.compile(&format!("{source} struct s s;")).unwrap();
    assert_eq!(compiled.member("struct s", "none").type_name(), "long int [0]");
    assert!(compiled.find("struct s", Some("none[0]")).is_err(), "it has no elements");
}

#[test]
fn qualifiers_and_typedef_chains_do_not_hide_a_type() {
    Case::new(
        "struct deep { char a; int b; };
         typedef struct deep t1; typedef const t1 t2; typedef volatile t2 t3; typedef t3 t4;
         struct s { char c; t4 d; const volatile int e; t4 f[2]; int *restrict g; };",
    )
    .members("struct s", &["c", "d", "d.b", "e", "f[1].b", "g"])
    .members("t4", &["b"])
    .check_everywhere();
}

#[test]
fn atomic_members_have_the_place_and_the_size_that_the_compiler_gives_them() {
    let source = "struct pair { short a; int b; };
         typedef _Atomic long counter;
         struct s { char c; _Atomic int i; char d; counter l; _Atomic(struct pair) p; struct pair *_Atomic q;
                    _Atomic char f[3]; const _Atomic short g; _Atomic volatile unsigned h; };";
    Case::new(source)
        .members("struct s", &["c", "i", "d", "l", "p", "q", "f", "f[2]", "g", "h"])
        .members("counter", &[])
        .check_everywhere();
    // Told since DWARF 5 (§5.3).
    for toolchain in [GCC, CLANG] {
        let Some(compiled) = toolchain.compile(&format!("{source} struct s s;")) else { continue };
        let spelled = |path| compiled.member("struct s", path).type_name().clone();
        assert_eq!(spelled("i"), "_Atomic int", "{toolchain}");
        assert_eq!(spelled("q"), "struct pair *_Atomic", "{toolchain}");
        assert_eq!(spelled("p"), "_Atomic struct pair", "{toolchain}");
        assert_eq!(spelled("f"), "_Atomic char [3]", "{toolchain}");
        // It is seen through.
        assert_eq!(compiled.member("struct s", "q").size().known(), Some(8), "{toolchain}");
        let pair = compiled.member("struct s", "p").offset().unwrap();
        assert_eq!(compiled.member("struct s", "p.b").offset(), Some(pair + 4), "{toolchain}");
    }
}

#[test]
fn packed_and_aligned_structs_are_as_the_compiler_lays_them_out() {
    Case::new(
        "struct __attribute__((packed)) p { char a; long b; short c; };
         struct __attribute__((packed, aligned(4))) q { char a; struct p b; };
         struct __attribute__((aligned(64))) r { char a; int __attribute__((aligned(16))) b; };
         struct s { char x; struct p p; struct q q; struct r r; char y; };",
    )
    .members("struct p", &["a", "b", "c"])
    .members("struct q", &["b", "b.c"])
    .members("struct r", &["a", "b"])
    .members("struct s", &["p.b", "q.b.b", "r.b", "y"])
    .check_everywhere();
}

#[test]
fn stated_alignment_is_shown() {
    let compiled =
        GCC.compile("struct __attribute__((aligned(64))) r { char a; } r; struct p { int a; } p;");
    let compiled = compiled.unwrap();
    assert_eq!(compiled.layout("struct r").align, Some(64));
    assert_eq!(compiled.layout("struct p").align, None);
}

#[test]
fn a_struct_without_members_has_a_size() {
    Case::new("struct none {}; struct s { struct none n; int a; struct none last; };")
        .members("struct none", &[])
        .members("struct s", &["n", "a", "last"])
        .check_everywhere();
}

#[test]
fn what_only_bit_fields_without_a_name_fill_is_padding() {
    // As Linux's `struct bpf_timer`: C17 §6.7.2.1, and no compiler writes them into DWARF.
    let source = "struct s { unsigned long long :64; unsigned long long :64; }; struct none {};";
    Case::new(source).members("struct s", &[]).members("struct none", &[]).check_everywhere();
    for toolchain in [GCC, CLANG] {
        let Some(compiled) = toolchain.compile(&format!("{source} struct s s; struct none n;"))
        else {
            continue;
        };
        assert_eq!(compiled.layout("struct s").padding, 16, "{toolchain}");
        assert!(compiled.layout("struct s").better_order.is_none(), "{toolchain}");
        assert_eq!(compiled.layout("struct none").padding, 0, "{toolchain}");
    }
}

#[test]
fn unions_overlap_and_keep_their_size() {
    Case::new("union u { char c[5]; long l; struct { short a, b, d; } s; };")
        .members("union u", &["c", "l", "s", "s.d"])
        .check_everywhere();
}

#[test]
fn a_struct_that_points_to_itself_ends() {
    Case::new("struct node { struct node *next, **prev; struct { struct node *n; } in; int v; };")
        .members("struct node", &["next", "prev", "in.n", "v"])
        .check_everywhere();
}

#[test]
fn vectors_and_complex_numbers_have_their_size() {
    Case::new(
        "typedef int v4 __attribute__((vector_size(16)));
         struct s { char c; v4 v; _Complex double z; char d; };",
    )
    .members("struct s", &["v", "z", "d"])
    .check_everywhere();
}
