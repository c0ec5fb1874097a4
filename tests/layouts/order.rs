//! Better orders of members, compiled in that order: the compiler says how large the struct is then.

use std::fs;
use std::process::Command;

use dbgmate::api::layout::LayoutForm;

use super::toolchain::{Compiled, GCC, GXX, Toolchain, run};

/// What members are made of; `@` stands for the name.
const DECLARATIONS: &[&str] = &[
    "char @",
    "short @",
    "int @",
    "long @",
    "long long @",
    "double @",
    "void *@",
    "_Bool @",
    "long double @",
    "float _Complex @",
    "enum e @",
    "char @[5]",
    "short @[3]",
    "struct inner @",
    "struct inner @[2]",
    "struct squeezed @",
    "union u @",
    "void (*@)(int)",
    "unsigned @ : 3",
    "unsigned @ : 17",
    "unsigned char @ : 5",
    "unsigned long long @ : 33",
    "int @ __attribute__((aligned(16)))",
    "stricter @",
    "struct { char a; long b; } @",
    "_Atomic int @",
];

const TYPES: &str = "
    enum e { A };
    struct inner { char a; int b; char c; };
    struct __attribute__((packed)) squeezed { char a; long b; };
    union u { char a; short b[3]; };
    typedef int stricter __attribute__((aligned(8)));
";

/// The next of a row of numbers that look random (Knuth's MMIX generator).
pub(super) fn next(state: &mut u64, below: usize) -> usize {
    *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    (*state >> 33) as usize % below
}

/// A struct's members as they are declared.
fn declarations(state: &mut u64) -> Vec<String> {
    let count = 2 + next(state, 8);
    let member = |number: usize| {
        let declaration = DECLARATIONS[next(state, DECLARATIONS.len())];
        declaration.replace('@', &format!("m{number}"))
    };
    (0..count).map(member).collect()
}

fn defined(name: &str, members: &[String]) -> String {
    format!("struct {name} {{ {}; }};", members.join("; "))
}

/// How many orders were better.
fn check(toolchain: Toolchain, structs: usize) -> Option<usize> {
    let mut state = 42;
    let all: Vec<Vec<String>> = (0..structs).map(|_| declarations(&mut state)).collect();
    let mut source = TYPES.to_owned();
    for (number, members) in all.iter().enumerate() {
        source +=
            &format!("{} struct s{number} x{number};\n", defined(&format!("s{number}"), members));
    }
    let compiled = toolchain.compile(&source)?;
    let mut asked = TYPES.to_owned();
    let mut better = 0;
    for (number, members) in all.iter().enumerate() {
        let layout = compiled.layout(&format!("struct s{number}"));
        assert!(!layout.packed, "{members:?}");
        let Some(found) = &layout.better_order else { continue };
        let mut sorted = found.order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..members.len()).collect::<Vec<_>>(), "each member once");
        assert_eq!(found.saves(&layout), layout.size.known().unwrap() - found.size);
        assert!(found.saves(&layout) > 0);
        let members: Vec<String> = found.order.iter().map(|at| members[*at].clone()).collect();
        let size = found.size;
        asked += &defined(&format!("t{number}"), &members);
        asked += &format!("_Static_assert(sizeof(struct t{number}) == {size}, \"t{number}\");\n");
        better += 1;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("asked.c");
    fs::write(&path, asked).unwrap();
    let flags = toolchain.flags.iter().filter(|flag| flag.starts_with("-m"));
    run(Command::new(toolchain.program).args(flags).arg("-fsyntax-only").arg(&path))?;
    Some(better)
}

#[test]
fn a_struct_in_its_better_order_has_the_size_that_was_told() {
    for (program, flags) in [
        ("gcc", ["-c", "-g"].as_slice()),
        ("gcc", &["-c", "-g", "-m32"]),
        ("clang", &["-c", "-g"]),
        ("powerpc64-linux-gnu-gcc-12", &["-c", "-g"]),
    ] {
        let toolchain = Toolchain { program, flags };
        let Some(better) = check(toolchain, 300) else { continue };
        // Most random structs waste bytes; on 32 bits fewer are understood.
        assert!(better > 40, "{better} by {toolchain}");
    }
}

fn gcc(source: &str) -> Compiled {
    GCC.compile(source).unwrap()
}

#[test]
fn no_order_is_told_where_there_is_none_or_it_is_not_certain() {
    for source in [
        "struct s { long a; int b; char c; } x;",
        "struct s { char a; char b; } x;",
        "struct __attribute__((packed)) s { char a; long b; char c; } x;",
        // The debug info has no bit fields without a name: what is between is not known.
        "struct s { char a; int b : 3; int : 20; int c : 3; long d; char e; } x;",
        "struct s { char a; int b __attribute__((vector_size(16))); char c; } x;",
        // What a bit field's stricter type does is not the same everywhere.
        "typedef unsigned char strict __attribute__((aligned(4)));
         struct s { int a; strict b : 6; void *c; char d; } x;",
        // The inner struct may be aligned to one byte or to two.
        "#pragma pack(2)
         struct i { short a; long b; };
         #pragma pack()
         struct s { char a; int b; struct i c; long d; char e; } x;",
    ] {
        assert_eq!(gcc(source).layout("struct s").better_order, None, "{source}");
    }
    let classes = GXX.compile("struct s { char a; long b; char c; }; s x;").unwrap();
    assert_eq!(classes.layout("struct s").better_order, None);
}

#[test]
fn a_flexible_array_stays_last() {
    let layout = gcc("struct s { char a; long b; char c; char d[]; } x;").layout("struct s");
    let better = layout.better_order.unwrap();
    assert_eq!((better.size, better.order), (16, vec![1, 0, 2, 3]));
}

#[test]
fn what_ends_in_a_flexible_array_stays_last() {
    for inner in
        ["struct { int n; char d[]; } d", "union { int n; struct { int m; char d[]; }; } d"]
    {
        let layout = gcc(&format!("struct s {{ char a; long b; char c; {inner}; }} x;"));
        let order = layout.layout("struct s").better_order.map(|better| better.order);
        assert!(order.is_none_or(|order| order.last() == Some(&3)), "{inner}");
    }
}

#[test]
fn packed_and_aligned_types_are_seen() {
    for (source, packed) in [
        ("struct __attribute__((packed)) s { char a; long b; } x;", true),
        ("struct __attribute__((packed)) s { long b; char a; } x;", true),
        ("struct s { char a; long b; } x;", false),
        ("struct s { char a; int b __attribute__((aligned(32))); } x;", false),
        ("struct s { char a; long b __attribute__((packed)); } x;", true),
        (
            "struct __attribute__((packed)) i { char a; int b; }; struct s { char a; struct i b[2]; } x;",
            false,
        ),
        // Whose alignment is not known does not hide the others.
        (
            "struct s { int a __attribute__((vector_size(16))); char b; long c __attribute__((packed)); } x;",
            true,
        ),
    ] {
        assert_eq!(gcc(source).layout("struct s").packed, packed, "{source}");
    }
}

#[test]
fn the_layout_form_tells_the_order_and_the_marks() {
    let compiled = gcc(
        "struct s { char a; long b; char c; union { int d; short e; }; };
         struct s x;
         struct __attribute__((packed, aligned(4))) p { char a; int b; short c __attribute__((aligned(8))); } y;",
    );
    insta::assert_snapshot!(compiled.rendered("struct s", LayoutForm::Layout), @r#"
    struct s { /* source.c:1 */
        char a;          /*     0     1 */
        /* 7 bytes unused */
        long int b;      /*     8     8 */
        char c;          /*    16     1 */
        /* 3 bytes unused */
        union {
            int d;       /*    20     4 */
            short int e; /*    20     2 */
        };               /*    20     4 */
    };
    /* size 24, 4 members, 2 holes (10 bytes), 1 cache line */
    /* 8 bytes fewer in another order, size 16: b, <unnamed at 20>, a, c */
    "#);
    insta::assert_snapshot!(compiled.rendered("struct p", LayoutForm::Layout), @r#"
    struct p { /* source.c:3 */
        char a;      /*     0     1 */
        int b;       /*     1     4 */
        /* 3 bytes unused */
        short int c; /*     8     2  aligned(8) */
    };
    /* size 16, align 8, packed, 3 members, 1 hole (3 bytes), 6 bytes at the end unused, 1 cache line */
    "#);
}

#[test]
fn cache_lines_are_marked_in_structs_without_a_name_too() {
    let compiled = gcc(
        "struct s { struct { long a[8]; int b; union { long c[20]; struct { long d[9]; long e; }; }; }; int f; } x;",
    );
    insta::assert_snapshot!(compiled.rendered("struct s", LayoutForm::Layout), @r#"
    struct s { /* source.c:1 */
        struct {
            long int a[8];         /*     0    64 */
            /* --- cache line 1 (at 64) --- */
            int b;                 /*    64     4 */
            /* 4 bytes unused */
            union {
                long int c[20];    /*    72   160 */
                struct {
                    long int d[9]; /*    72    72 */
                    long int e;    /*   144     8 */
                };                 /*    72    80 */
            };                     /*    72   160 */
        };                         /*     0   232 */
        /* --- cache line 3 (at 192, 40 bytes ago) --- */
        int f;                     /*   232     4 */
    };
    /* size 240, 2 members, 1 hole (4 bytes), 4 bytes at the end unused, 4 cache lines */
    "#);
}

/// GCC for big-endian machines that align less than others.
const OTHERS: &[Toolchain] = &[
    Toolchain { program: "s390x-linux-gnu-gcc-12", flags: &["-c", "-g"] },
    Toolchain { program: "m68k-linux-gnu-gcc-12", flags: &["-c", "-g"] },
    Toolchain { program: "gcc", flags: &["-c", "-g", "-m32"] },
];

#[test]
fn what_a_machine_aligns_less_is_not_packed() {
    let source = "struct s { long long a; long double b; char c; int d; double e; char f; } x;";
    for toolchain in OTHERS {
        let Some(compiled) = toolchain.compile(source) else { continue };
        assert!(!compiled.layout("struct s").packed, "{toolchain}");
    }
}
