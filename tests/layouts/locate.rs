//! What is at an offset: the path that is told leads back to it, and what no member covers is told.

use dbgmate::job::Job;
use dbgmate::types::{self, Covering, Place};

use crate::toolchain::{Compiled, GCC, GXX, Toolchain};

const SOURCE: &str = r"
struct point { short x; int y; };
union either { long number; struct { char tag; char text[5]; }; struct point at; };
struct all {
    char first;
    struct point points[3];
    unsigned low : 3, high : 7;
    union either either;
    int grid[2][3];
    struct { int unnamed; char tail; };
    char last;
    struct point more[];
} g;
";

const M32: Toolchain =
    Toolchain { program: "gcc", flags: &["-m32", "-shared", "-fPIC", "-nostdlib", "-g"] };

fn locate(compiled: &Compiled, name: &str, bits: std::ops::Range<u64>) -> Vec<Place> {
    let die = compiled.layout(name).die;
    types::locate(&Job::new(), compiled.opened(), die, bits, 1).unwrap()
}

fn at(compiled: &Compiled, name: &str, byte: u64) -> Vec<String> {
    let places = locate(compiled, name, byte * 8..byte * 8 + 8);
    let told = |place: &Place| match place.what {
        Covering::Member { .. } => place.path.clone(),
        Covering::Hole => format!("hole in {:?}", place.path),
        Covering::Padding => format!("padding of {:?}", place.path),
    };
    places.iter().map(told).collect()
}

/// By the x86-64 psABI: short 2, int 4, long 8, each aligned to its size.
#[test]
fn members_elements_holes_and_padding_are_told() {
    let compiled = GCC.compile(SOURCE).unwrap();
    for (byte, expected) in [
        (0, vec!["first"]),
        (1, vec!["hole in \"\""]),
        (4, vec!["points[0].x"]),
        (6, vec!["hole in \"points[0]\""]),
        (8, vec!["points[0].y"]),
        (27, vec!["points[2].y"]),
        (28, vec!["low", "high"]),
        (29, vec!["high", "hole in \"\""]),
        (30, vec!["hole in \"\""]),
        (32, vec!["either.number", "either.tag", "either.at.x"]),
        (34, vec!["either.number", "either.text[1]", "hole in \"either.at\""]),
        (40, vec!["grid[0][0]"]),
        (63, vec!["grid[1][2]"]),
        (64, vec!["unnamed"]),
        (68, vec!["tail"]),
        (69, vec!["hole in \"\""]),
        (72, vec!["last"]),
        // The array begins where the size ends, or before.
        (76, vec!["more[0].x"]),
        (87, vec!["hole in \"more[1]\""]),
    ] {
        let mut told = at(&compiled, "struct all", byte);
        told.sort();
        let mut expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        expected.sort();
        assert_eq!(told, expected, "byte {byte}");
    }
    assert_eq!(at(&compiled, "struct point", 8), Vec::<String>::new());
}

#[test]
fn a_unions_end_is_padding() {
    let source = "struct s { union { char c[6]; long l; } a; union { char d[9]; int e; }; char f;
         union { char g[5]; short h; } i[2]; union { int : 3; unsigned j : 3; } k; } g;";
    let compiled = GCC.compile(source).unwrap();
    for (byte, expected) in [
        (7, vec!["a.l"]),
        (16, vec!["d[8]"]),
        (17, vec!["hole in \"\""]),
        (20, vec!["f"]),
        (27, vec!["padding of \"i[0]\""]),
        (28, vec!["i[1].g[0]", "i[1].h"]),
        (36, vec!["k.j", "padding of \"k\""]),
        (39, vec!["padding of \"k\""]),
    ] {
        assert_eq!(at(&compiled, "struct s", byte), expected, "byte {byte}");
    }
}

/// The Itanium C++ ABI puts members into the bytes at the end of a base that it does not use.
#[test]
fn the_end_of_a_base_is_what_comes_next() {
    let source = "struct a { virtual int f(); int i; char c; }; int a::f() { return i; }
         struct b : a { char d; short s; }; struct c : b { char e; }; c x;
         struct p { int i; char c; }; struct q : p { long l; }; q y;
         struct r : a { char d; long l; }; r z;";
    let compiled = GXX.compile(source).unwrap();
    for (name, byte, expected) in [
        ("c", 12, "c"),
        ("c", 13, "d"),
        ("c", 14, "s"),
        ("c", 16, "e"),
        ("c", 17, "padding of \"\""),
        ("r", 14, "hole in \"\""),
        ("q", 5, "hole in \"\""),
    ] {
        assert_eq!(at(&compiled, name, byte), [expected], "{name} {byte}");
    }
}

/// Whatever is told of a byte, the path asked for by itself covers that byte.
/// Each of the elements is a hole: as many places as of members, and no more.
#[test]
fn more_places_than_are_listed_are_an_error() {
    let compiled = GXX
        .compile("struct e {}; struct a { e empty[2000000000]; int z; }; a *p; int f(a *a) { return a->z; }")
        .unwrap();

    let die = compiled.layout("struct a").die;
    let found = types::locate(&Job::new(), compiled.opened(), die, 0..16_000_000_000, 1);
    assert_eq!(found, Err(types::Error::TooMany));
}

#[test]
fn every_path_leads_back() {
    let cxx = "struct base { virtual int v(); int b; }; struct derived : base { int v(); char c; base in[2]; };\n\
               int base::v() { return b; } int derived::v() { return c; }";
    let both =
        [(GCC, SOURCE, "struct all"), (M32, SOURCE, "struct all"), (GXX, cxx, "struct derived")];
    for (toolchain, source, name) in both {
        let compiled = toolchain.compile(source).unwrap();
        let size = compiled.layout(name).size.known().unwrap();
        for byte in 0..size {
            let places = locate(&compiled, name, byte * 8..byte * 8 + 8);
            assert!(!places.is_empty(), "byte {byte} by {toolchain}");
            for place in places {
                let Covering::Member { type_name, .. } = &place.what else { continue };
                let path = place.path.clone();
                // The dot in this name of GCC's is none of a path.
                if path.contains("_vptr.") {
                    continue;
                }
                let member = compiled.member(name, &path);
                assert_eq!(member.type_name(), type_name, "{path}");
                let bits =
                    member.bits().map(|bits| (bits.offset, bits.size)).unwrap_or_else(|| {
                        (member.offset().unwrap() * 8, member.size().known().unwrap() * 8)
                    });
                assert_eq!(bits, (place.bits.offset, place.bits.size), "{path}");
                assert!(bits.0 < byte * 8 + 8 && byte * 8 < bits.0 + bits.1, "{path}");
            }
        }
    }
}
