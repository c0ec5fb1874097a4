//! Bit fields: which bits, in every DWARF version and both byte orders.

use super::case::Case;
use super::toolchain::GCC;

#[test]
fn neighbours_share_a_storage_unit() {
    Case::new("struct s { unsigned a : 1, b : 3, c : 12; unsigned char d : 2; int last; };")
        .members("struct s", &["last"])
        .bits("struct s", &["a", "b", "c", "d"])
        .check_everywhere();
}

#[test]
fn signed_boolean_and_enum_fields() {
    Case::new(
        "enum e { A, B, C = 100 };
         struct s { int a : 5; _Bool b : 1; enum e c : 8; signed char d : 4; long long e : 40; };",
    )
    .members("struct s", &[])
    .bits("struct s", &["a", "b", "c", "d", "e"])
    .check_everywhere();
}

#[test]
fn zero_width_and_unnamed_fields_move_the_next() {
    Case::new(
        "struct s { unsigned a : 3; unsigned : 0; unsigned b : 5; unsigned : 7; unsigned c : 9; };",
    )
    .members("struct s", &[])
    .bits("struct s", &["a", "b", "c"])
    .check_everywhere();
}

#[test]
fn packed_fields_straddle_bytes_and_storage_units() {
    Case::new(
        "struct __attribute__((packed)) s {
             unsigned a : 7; unsigned long long b : 33; unsigned c : 30; int d : 17; char last; };",
    )
    .members("struct s", &["last"])
    .bits("struct s", &["a", "b", "c", "d"])
    .check_everywhere();
}

#[test]
fn a_field_of_the_full_width_is_still_a_field() {
    Case::new("struct s { char before; unsigned a : 32; unsigned long long b : 64; char c : 8; };")
        .members("struct s", &["before"])
        .bits("struct s", &["a", "b", "c"])
        .check_everywhere();
}

#[test]
fn fields_count_from_the_type_asked_for() {
    Case::new(
        "struct flags { unsigned a : 4, b : 4; unsigned short c : 11; };
         struct s { char x; struct flags f; struct { unsigned y : 3, z : 9; }; struct flags g[2]; };",
    )
    .members("struct s", &["f", "g"])
    .bits("struct s", &["f.a", "f.b", "f.c", "y", "z", "g[1].b", "g[1].c"])
    .check_everywhere();
}

#[test]
fn union_fields_all_start_at_its_start() {
    Case::new("union u { unsigned a : 3; unsigned long long b : 50; unsigned char c : 8; };")
        .members("union u", &[])
        .bits("union u", &["a", "b", "c"])
        .check_everywhere();
}

#[test]
fn fields_of_typedefs_and_qualified_types() {
    Case::new(
        "typedef unsigned long long u64; typedef const u64 cu64;
         struct s { cu64 a : 20; volatile u64 b : 30; u64 c : 14; };",
    )
    .members("struct s", &[])
    .bits("struct s", &["a", "b", "c"])
    .check_everywhere();
}

#[test]
fn unused_bits_between_fields_are_holes() {
    let source = "struct s { unsigned a : 3; unsigned : 2; unsigned b : 4; int c; char d; } s;";
    let layout = GCC.compile(source).unwrap().layout("struct s");
    let holes: Vec<_> = layout.holes.iter().map(|hole| (hole.bit_offset, hole.bit_size)).collect();
    assert_eq!(holes, [(3, 2), (9, 23)]);
    assert_eq!(layout.padding, 3);
}
