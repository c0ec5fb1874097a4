//! The bits that no member uses: the layout's holes, what is told of each bit, and the picture say the same.

use std::ops::Range;

use dbgmate::api::layout::LayoutForm;
use dbgmate::job::Job;
use dbgmate::types::{self, Covering, Hole, Layout, Member, MemberKind};
use regex::Regex;

use super::toolchain::{Compiled, EVERYWHERE, GCC, GXX};

/// The bits of a struct; those of members with types of their own are theirs.
pub(super) fn unused(compiled: &Compiled, name: &str) -> Vec<bool> {
    let layout = compiled.layout(name);
    let told = told(compiled, &layout);
    assert_eq!(shown(&layout, &told.used), told.unused, "{name}: {layout:#?}");
    let count = told.unused.iter().filter(|bit| **bit).count();
    // Where a member has no place, more may be unused than is known.
    let (drawn, is_certain) = drawn(&compiled.rendered(name, LayoutForm::Map));
    assert!(count == drawn || count < drawn && !is_certain, "{name}: {count} of {drawn}");
    told.unused
}

/// What `field-at` tells.
struct Told {
    used: Vec<bool>,
    unused: Vec<bool>,
}

fn told(compiled: &Compiled, layout: &Layout) -> Told {
    let bits = layout.size.known().unwrap() * 8;
    let places = types::locate(&Job::new(), compiled.opened(), layout.die, 0..bits, 1).unwrap();
    let (mut used, mut unused) = (vec![false; bits as usize], vec![false; bits as usize]);
    for place in places {
        let end = (place.bits.offset + place.bits.size).min(bits);
        let is_own = !matches!(place.what, Covering::Member { .. }) && place.path.is_empty();
        let all = if is_own { &mut unused } else { &mut used };
        set(all, place.bits.offset..end);
    }
    // What one member of a union leaves unused, others use.
    unused.iter_mut().zip(&used).for_each(|(unused, used)| *unused &= !used);
    Told { used, unused }
}

fn set(all: &mut [bool], bits: Range<u64>) {
    all[bits.start as usize..bits.end as usize].fill(true);
}

/// What the layout shows.
fn shown(layout: &Layout, used: &[bool]) -> Vec<bool> {
    let mut unused = vec![false; used.len()];
    let mut add = |hole: &Hole| set(&mut unused, hole.bit_offset..hole.bit_offset + hole.bit_size);
    layout.holes.iter().for_each(&mut add);
    let bits = used.len() as u64;
    add(&Hole { bit_offset: bits - layout.padding * 8, bit_size: layout.padding * 8 });
    layout.members.iter().for_each(|member| of_member(member, &mut add));
    unused.iter_mut().zip(used).for_each(|(unused, used)| *unused &= !used);
    unused
}

fn of_member(member: Member<'_>, add: &mut impl FnMut(&Hole)) {
    if member.kind() != MemberKind::Field {
        member.holes().for_each(|hole| add(&hole));
        member.inside().for_each(|inner| of_member(inner, add));
    }
}

/// How many bits the picture has as unused, and whether it is certain of them.
fn drawn(map: &str) -> (usize, bool) {
    let unused = Regex::new(r"([·?]) unused[a-z, ]*: (\d+) (byte|bit)").unwrap();
    unused.captures(map).map_or((0, true), |found| {
        let bits = if &found[3] == "byte" { 8 } else { 1 };
        (found[2].parse::<usize>().unwrap() * bits, &found[1] == "·")
    })
}

/// The runs of bytes that no member uses, each with its end.
fn bytes(compiled: &Compiled, name: &str) -> Vec<(usize, usize)> {
    let unused = unused(compiled, name);
    let bytes: Vec<bool> = unused.chunks(8).map(|bits| bits.iter().all(|bit| *bit)).collect();
    let starts = (0..bytes.len()).filter(|at| bytes[*at] && (*at == 0 || !bytes[at - 1]));
    let end = |start| (start..bytes.len()).find(|at| !bytes[*at]).unwrap_or(bytes.len());
    starts.map(|start| (start, end(start))).collect()
}

#[test]
fn behind_the_largest_member_of_a_union_is_padding() {
    let source = "union u { char c[6]; short s; int i; } u; union b { int : 3; unsigned j : 3; } b;
         union f { long l; char c[8]; } f; union n { int : 5; } n;
         struct s { union { char g[5]; short h; }; char f; union u in; } s;";
    for toolchain in EVERYWHERE {
        let Some(compiled) = toolchain.compile(source) else { continue };
        for (name, padding) in [("union u", 2), ("union b", 3), ("union f", 0)] {
            let layout = compiled.layout(name);
            assert_eq!(layout.padding, padding, "{name} by {toolchain}");
        }
        assert_eq!(bytes(&compiled, "union u"), [(6, 8)], "{toolchain}");
        assert_eq!(bytes(&compiled, "struct s"), [(5, 6), (7, 8)], "{toolchain}");
        let holes: Vec<Hole> = compiled.layout("union b").holes;
        assert_eq!(holes.iter().map(|hole| hole.bit_size).collect::<Vec<_>>(), [5], "{toolchain}");
    }
    let compiled = GCC.compile(source).unwrap();
    insta::assert_snapshot!(compiled.rendered("struct s", LayoutForm::Layout), @r"
    struct s { /* source.c:3 */
        union {
            char g[5];   /*     0     5 */
            short int h; /*     0     2 */
            /* 1 byte unused */
        };               /*     0     6 */
        char f;          /*     6     1 */
        /* 1 byte unused */
        union u in;      /*     8     8 */
    };
    /* size 16, 3 members, 2 holes (2 bytes), 1 cache line */
    ");
}

/// The Itanium C++ ABI puts members into the bytes at the end of a base that it does not use.
#[test]
fn what_is_put_into_a_bases_end_is_no_hole() {
    let source = "struct a { virtual int f(); int i; char c; }; int a::f() { return i; }
         struct b : a { char d; short s; }; struct c : b { char e; }; c v;
         struct p { int i; char c; }; struct q : p { long l; }; q w;
         struct r : a { char d; long l; }; r x;
         struct n : a {}; struct o : n { char d; }; o y;
         struct two : p, a { char d; }; two z;";
    let compiled = GXX.compile(source).unwrap();
    for (name, expected) in [
        ("a", vec![(13, 16)]),
        ("b", vec![]),
        ("c", vec![(17, 24)]),
        ("q", vec![(5, 8)]),
        ("r", vec![(14, 16)]),
        ("n", vec![(13, 16)]),
        ("o", vec![(14, 16)]),
        ("two", vec![(13, 16), (21, 24), (25, 32)]),
    ] {
        assert_eq!(bytes(&compiled, name), expected, "{name}");
    }
    insta::assert_snapshot!(compiled.rendered("r", LayoutForm::Layout), @r"
    struct r { /* source.cc:4 */
        <base> a;                 /*     0    16 */
            int (**_vptr.a)(...); /*     0     8 */
            int i;                /*     8     4 */
            char c;               /*    12     1 */
            /* 2 bytes unused */
        char d;                   /*    13     1 */
        long int l;               /*    16     8 */
    };
    /* size 24, 3 members, 1 hole (2 bytes), 1 cache line */
    ");
}

#[test]
fn an_empty_base_uses_nothing() {
    let source = "struct none {}; struct a : none { int x; }; struct b : none {}; a x; b y;
         struct c : none { char k; long l; }; c z;";
    let compiled = GXX.compile(source).unwrap();
    for (name, expected) in [("a", vec![]), ("b", vec![(0, 1)]), ("c", vec![(1, 8)])] {
        assert_eq!(bytes(&compiled, name), expected, "{name}");
    }
    let map = compiled.rendered("a", LayoutForm::Map);
    assert!(map.contains("0 aaaa\n") && !map.contains("unnamed"), "{map}");
}

/// Of `in` the end is used by `tail`, and the rest of it is its own padding.
#[test]
fn what_is_put_into_the_end_of_a_member_without_an_address_is_no_hole() {
    let source =
        "class s { int x; char c; }; struct t { [[no_unique_address]] s in; char tail; }; t x;";
    let compiled = GXX.compile(source).unwrap();
    let layout = compiled.layout("t");
    let holes: Vec<Hole> = layout.members.get(0).unwrap().holes().collect();
    assert_eq!(holes, [Hole { bit_offset: 48, bit_size: 16 }]);
    assert_eq!(compiled.member("t", "in").holes().collect::<Vec<_>>(), holes, "by itself too");
    let at = |byte: u64| {
        let bits = byte * 8..byte * 8 + 8;
        let places = types::locate(&Job::new(), compiled.opened(), layout.die, bits, 1).unwrap();
        places.into_iter().map(|place| place.path).collect::<Vec<_>>()
    };
    assert_eq!(
        (at(4), at(5), at(6)),
        (vec!["in.c".into()], vec!["tail".into()], vec!["in".into()])
    );
}

/// Only run time can tell where a virtual base is: what no other member uses may be the base's.
#[test]
fn where_a_virtual_base_may_be_nothing_is_unused() {
    let source = "struct a { virtual int f(); char c; }; int a::f() { return c; }
         struct b : virtual a { char d; }; struct c : b { int e; }; c x;
         struct p { int i; char c; }; struct d : virtual a, p { }; d y;";
    let compiled = GXX.compile(source).unwrap();
    for name in ["b", "c", "d"] {
        assert!(bytes(&compiled, name).is_empty(), "{name}");
    }
    insta::assert_snapshot!(compiled.rendered("c", LayoutForm::Map), @r"
    struct c /* 32 bytes */
     0 aaaaaaaab???cccc????????????????
    a _vptr.b 0+8  b d 8+1  c e 12+4
    ? unused, or of members whose place is not known: 19 bytes, not shown: 2 members
    ");
    let picture = compiled.rendered("c", LayoutForm::Svg);
    assert!(picture.contains("of members whose place is not known"), "{picture}");
}
