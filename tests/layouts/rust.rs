//! Rust: members the compiler reorders, unions, enums with and without data.

use std::process::Command;

use dbgmate::types::{Member, Number, Reach, Variant, diff};

use super::case::Said;
use super::decode::decode;
use super::toolchain::{Compiled, run};

const SOURCE: &str = r#"
#![crate_type = "cdylib"]
pub struct Reordered { pub a: u8, pub b: u64, pub c: u16, pub d: (u8, u32), pub e: [u16; 3] }
#[repr(C)] pub struct Fixed { pub a: u8, pub b: u64, pub c: u16 }
#[repr(C, packed)] pub struct Packed { pub a: u8, pub b: u64 }
pub union Either { pub a: u32, pub b: [u8; 12] }
#[repr(u8)] pub enum Plain { A = 1, B = 200 }
#[repr(i8)] pub enum Signed { A = -1, B = 100 }
pub enum Data { Unit, Tuple(u32, u8), Fields { x: u64, y: u8 } }

use std::mem::offset_of;
#[unsafe(no_mangle)] pub static NUMBERS: [usize; 14] = [
    size_of::<Reordered>(), offset_of!(Reordered, a), offset_of!(Reordered, b),
    offset_of!(Reordered, c), offset_of!(Reordered, d), offset_of!(Reordered, d.0),
    offset_of!(Reordered, d.1), offset_of!(Reordered, e),
    size_of::<Fixed>(), offset_of!(Fixed, b), offset_of!(Fixed, c),
    size_of::<Packed>(), offset_of!(Packed, b), size_of::<Either>(),
];
#[unsafe(no_mangle)] pub static TUPLE: Data = Data::Tuple(0x1122_3344, 0x55);
#[unsafe(no_mangle)] pub static FIELDS: Data = Data::Fields { x: 0x1122_3344_5566_7788, y: 0x99 };
#[unsafe(no_mangle)] pub fn keep(
    r: &Reordered, f: &Fixed, p: &Packed, e: &Either, d: &Data, n: &Plain, s: &Signed,
) -> u64 {
    let sum = r.b + f.b + p.b + u64::from(matches!(n, Plain::A)) + u64::from(matches!(s, Signed::A));
    sum + u64::from(unsafe { e.a }) + u64::from(matches!(d, Data::Unit))
}
"#;

/// The source, compiled; none where there is no rustc.
pub(super) fn compiled() -> Option<Compiled> {
    built("shapes", SOURCE)
}

pub(super) fn built(name: &str, text: &str) -> Option<Compiled> {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join(name).with_extension("rs");
    let library = source.with_extension("so");
    std::fs::write(&source, text).unwrap();
    let mut rustc = Command::new("rustc");
    run(rustc.args(["--edition=2024", "-g", "-o"]).arg(&library).arg(&source))?;
    Some(Compiled::new(library, "rustc".to_owned(), folder))
}

#[test]
fn reordered_members_are_where_the_compiler_put_them() {
    let Some(compiled) = compiled() else { return };
    let mut numbers = Said::read(&compiled).numbers("NUMBERS").into_iter();
    let mut next = || numbers.next().unwrap();
    for (name, paths) in [
        ("Reordered", ["a", "b", "c", "d", "d.__0", "d.__1", "e"].as_slice()),
        ("Fixed", &["b", "c"]),
        ("Packed", &["b"]),
        ("shapes::Either", &[]),
    ] {
        assert_eq!(compiled.layout(name).size.known(), Some(next()), "size of {name}");
        for path in paths {
            assert_eq!(compiled.member(name, path).offset(), Some(next()), "{name}.{path}");
        }
    }
    assert_eq!(compiled.member("Reordered", "e[2]").size().known(), Some(2));
    assert_eq!(compiled.member("Either", "b").size().known(), Some(12));
}

#[test]
fn plain_enums_have_their_values() {
    let Some(compiled) = compiled() else { return };
    let values = |name: &str| -> Vec<Number> {
        compiled.layout(name).enumerators.iter().map(|each| each.value).collect()
    };
    assert_eq!(values("Plain"), [1_i128, 200].map(Number::from));
    assert_eq!(values("Signed"), [-1_i128, 100].map(Number::from));
}

#[test]
fn what_variants_hold_is_where_the_values_are() {
    let Some(compiled) = compiled() else { return };
    let said = Said::read(&compiled);
    let bytes_of = |object: &str, member: Member<'_>| -> Vec<u8> {
        let start = member.offset().unwrap() as usize;
        let (bytes, _) = said.object(object);
        bytes[start..start + member.size().known().unwrap() as usize].to_vec()
    };
    let bytes_at = |object, path| bytes_of(object, compiled.member("Data", path));
    assert_eq!(bytes_at("TUPLE", "Tuple.__0"), 0x1122_3344_u32.to_le_bytes());
    assert_eq!(bytes_at("TUPLE", "Tuple.__1"), [0x55]);
    assert_eq!(bytes_at("FIELDS", "Fields.x"), 0x1122_3344_5566_7788_u64.to_le_bytes());
    assert_eq!(bytes_at("FIELDS", "Fields.y"), [0x99]);
    let layout = compiled.layout("Data");
    let discriminant = layout.members.get(0).unwrap();
    assert_eq!(discriminant.name(), "<discriminant>");
    assert_ne!(bytes_of("FIELDS", discriminant), bytes_of("TUPLE", discriminant));
}

const MORE: &str = r#"
#![crate_type = "cdylib"]
pub enum Niche { Empty, Full(&'static u8) }
#[repr(i8)] pub enum Signed { Below(u8) = -3, Above(u16) = 100 }
pub enum Broad { Empty, One(u128), Two(i128, i128) }
#[unsafe(no_mangle)] pub static BROAD: Broad = Broad::Two(-1, 5);
pub enum Shared { Yes(bool), No, Maybe, Number(bool, u16) }
pub struct Wide {
    pub a: u8, pub list: &'static [u16], pub text: &'static str, pub any: &'static (dyn Fn(u8) -> u16 + Sync),
    pub t: (u8, u32, u8), pub n: Niche, pub b: Option<Box<u32>>,
}
use std::mem::offset_of;
#[unsafe(no_mangle)] pub static NUMBERS: [usize; 13] = [
    size_of::<Wide>(), offset_of!(Wide, a), offset_of!(Wide, list), offset_of!(Wide, text),
    offset_of!(Wide, any), offset_of!(Wide, t), offset_of!(Wide, t.0), offset_of!(Wide, t.1),
    offset_of!(Wide, t.2), offset_of!(Wide, n), offset_of!(Wide, b), size_of::<Niche>(), size_of::<Shared>(),
];
static BYTE: u8 = 7;
#[unsafe(no_mangle)] pub static FULL: Niche = Niche::Full(&BYTE);
#[unsafe(no_mangle)] pub static EMPTY: Niche = Niche::Empty;
#[unsafe(no_mangle)] pub static NUMBER: Shared = Shared::Number(true, 0x1234);
#[inline(never)] fn call(f: &dyn Fn(u64) -> u64) -> u64 { f(3) }
#[unsafe(no_mangle)] pub fn keep(w: &Wide, s: &Signed, a: u64, b: u8) -> u64 {
    let b = if let Signed::Below(n) = s { b + n } else { b };
    call(&move |n| n + a + u64::from(b)) + u64::from(w.a)
}
"#;

/// The bytes of an object of eight, as a number.
fn bits_of(said: &Said, name: &str) -> i128 {
    i128::from(u64::from_le_bytes(said.object(name).0.try_into().unwrap()))
}

fn more() -> Option<Compiled> {
    built("more", MORE)
}

#[test]
fn a_discriminant_may_have_sixteen_bytes() {
    let Some(compiled) = more() else { return };
    let (bytes, _) = Said::read(&compiled).object("BROAD");
    let tag = Number::from(u128::from_le_bytes(bytes[..16].try_into().unwrap()));
    let layout = compiled.layout("Broad");
    assert_eq!(layout.size.known(), Some(bytes.len() as u64));
    let two = layout.members.iter().next_back().unwrap();
    assert_eq!(
        (two.name(), two.variants()),
        ("Two", [Variant::Values(vec![tag..=tag])].as_slice())
    );
}

#[test]
fn niches_and_default_variants_take_no_place_of_their_own() {
    let Some(compiled) = more() else { return };
    let said = Said::read(&compiled);
    let numbers = said.numbers("NUMBERS");
    for (name, size) in [("Niche", numbers[11]), ("Shared", numbers[12])] {
        let layout = compiled.layout(name);
        assert_eq!(layout.size.known(), Some(size), "{name}");
        assert_eq!(layout.members.get(0).unwrap().name(), "<discriminant>", "{name}");
    }
    let when = |name: &str| -> Vec<Vec<Variant>> {
        compiled.layout(name).members.iter().map(|member| member.variants().to_vec()).collect()
    };
    let value = |value: i128| vec![Variant::Values(vec![value.into()..=value.into()])];
    // A null pointer is the other variant: its bytes are the discriminant's.
    let empty = value(bits_of(&said, "EMPTY"));
    assert_eq!(when("Niche"), [vec![], empty, vec![Variant::Otherwise]]);
    assert_eq!(when("Signed"), [vec![], value(-3), value(100)]);
    // The variant that all other values of the discriminant mean lies where they are.
    let full = compiled.member("Niche", "Full.__0");
    assert_eq!((full.offset(), full.size().known()), (Some(0), Some(8)));
    assert_eq!(compiled.layout("Niche").members.get(0).unwrap().offset(), Some(0));
    let (bytes, _) = said.object("NUMBER");
    let at = |path| compiled.member("Shared", path).offset().unwrap() as usize;
    assert_eq!(bytes[at("Number.__0")], 1);
    assert_eq!(bytes[at("Number.__1")..][..2], 0x1234_u16.to_le_bytes());
}

#[test]
fn tuples_wide_references_and_boxes_are_found_by_their_names() {
    let Some(compiled) = more() else { return };
    let numbers = Said::read(&compiled).numbers("NUMBERS");
    let wide = compiled.layout("Wide");
    assert_eq!(wide.size.known(), Some(numbers[0]));
    let paths = ["a", "list", "text", "any", "t", "t.__0", "t.__1", "t.__2", "n", "b"];
    for (path, offset) in paths.into_iter().zip(&numbers[1..]) {
        assert_eq!(compiled.member("Wide", path).offset(), Some(*offset), "{path}");
    }
    // Sorted by offset before holes are sought: what no member uses is less than a word.
    let unused: u64 = wide.holes.iter().map(|hole| hole.bit_size).sum::<u64>() + wide.padding * 8;
    let used: u64 = wide.members.iter().map(|member| member.size().known().unwrap() * 8).sum();
    assert_eq!(used + unused, numbers[0] * 8);
    assert_eq!(compiled.member("&[u16]", "length").offset(), Some(8));
    assert_eq!(compiled.member("&str", "data_ptr").type_name(), "*mut u8");
    let tuple = compiled.member("(u8, u32, u8)", "__1").offset();
    assert_eq!(tuple, Some(numbers[7] - numbers[5]));
    let any = &compiled.member("Wide", "any").type_name().clone();
    assert_eq!(compiled.member(any, "vtable").offset(), Some(8), "{any}");
}

#[test]
fn closures_hold_what_they_have_captured() {
    let Some(compiled) = more() else { return };
    let closure = compiled.layout("keep::{closure_env#0}");
    assert_eq!(closure.size.known(), Some(16));
    let mut sizes: Vec<_> = closure.members.iter().map(|member| member.size().known()).collect();
    sizes.sort();
    assert_eq!(sizes, [Some(1), Some(8)]);
}

const WIDE: &str = r#"
#![crate_type = "cdylib"]
use std::num::NonZero;
pub enum Never {}
#[repr(i16)] pub enum Short { Below(u8) = -17, Above(u16) = 300 }
#[repr(i128)] pub enum Signed { Least(u8) = i128::MIN, Most(u16) = i128::MAX }
#[repr(u128)] pub enum Unsigned { Few = 5, Most = u128::MAX }
pub enum Only { This = 7 }
pub struct Wide {
    pub none: Option<u128>, pub some: Option<u128>, pub niche: Option<NonZero<i128>>, pub short: Short,
    pub least: Signed, pub most: Signed, pub large: Unsigned, pub only: Only, pub unit: (), pub sure: Result<Never, u32>,
}
#[unsafe(no_mangle)] pub static VALUE: Wide = Wide {
    none: None, some: Some(3), niche: None, short: Short::Below(9), least: Signed::Least(1), most: Signed::Most(2),
    large: Unsigned::Most, only: Only::This, unit: (), sure: Err(6),
};
"#;

/// Of each member of `Wide` what it says, or the variant that is there.
const WIDE_SAYS: [(&str, &[&str]); 10] = [
    ("none", &["None"]),
    ("some", &["Some"]),
    ("niche", &["None"]),
    ("short", &["Below"]),
    ("least", &["Least"]),
    ("most", &["Most"]),
    ("large", &["Most (340282366920938463463374607431768211455)"]),
    ("only", &["This"]),
    ("unit", &[]),
    // Without a discriminant: that `Never` has no values is not said.
    ("sure", &["Ok", "Err"]),
];

#[test]
fn discriminants_of_any_size_tell_the_variant() {
    let Some(compiled) = built("wide", WIDE) else { return };
    let (bytes, _) = Said::read(&compiled).object("VALUE");
    let value = decode(&compiled, "Wide", &bytes);
    for (name, expected) in WIDE_SAYS {
        let member = value.values.iter().find(|member| member.name == name).unwrap();
        let inner = member.values.iter().map(|inner| inner.name.clone());
        let says = member.text.clone().into_iter().chain(inner);
        let says: Vec<_> = says.filter(|says| says != "<discriminant>").collect();
        assert_eq!(says, expected, "{name}: {member:#?}");
        let why = (name == "sure").then_some("nothing tells which of its 2 variants it is");
        assert_eq!(member.why.as_deref(), why, "{name}");
    }
}

#[test]
fn a_variant_that_is_there_with_another_value_has_changed() {
    let with = |value: &str| {
        let text = format!(
            "#![crate_type = \"cdylib\"]
            #[repr(u16)] pub enum Kind {{ Same(u8) = 1, Moved(u32) = {value} }}
            #[unsafe(no_mangle)] pub fn keep(kind: &Kind) -> usize {{ kind as *const Kind as usize }}"
        );
        built("kinds", &text).map(|compiled| compiled.layout("Kind"))
    };
    let (Some(old), Some(new)) = (with("2"), with("300")) else { return };
    assert_eq!(diff(&old, &old, Reach::Whole, None), Ok(Vec::new()));
    let changes = diff(&old, &new, Reach::Whole, None).unwrap();
    let paths: Vec<_> = changes.iter().map(|change| change.path.as_str()).collect();
    assert_eq!(paths, ["Moved"]);
}

/// bindgen makes of a struct that C only declares an empty one of the same name.
#[test]
fn an_opaque_struct_of_rust_does_not_stand_for_the_one_of_c() {
    let folder = tempfile::tempdir().unwrap();
    let rust = "#![no_std]\n#![allow(non_camel_case_types)]
        #[repr(C)] pub struct hidden { _unused: [u8; 0] }
        #[unsafe(no_mangle)] pub extern \"C\" fn take(x: &hidden) -> usize { x as *const hidden as usize }";
    let c = "struct hidden { int a; long b; } kept;";
    let user = "struct hidden; struct user { struct hidden *to; } user; struct hidden *p;";
    for (name, text) in [("a.rs", rust), ("b.c", c), ("c.c", user)] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition=2024", "--crate-type=lib", "--emit=obj", "-Cpanic=abort", "-g"]);
    if run(rustc.args(["-o", "a.o", "a.rs"]).current_dir(&folder)).is_none() {
        return;
    }
    let mut gcc = Command::new("gcc");
    let flags = ["-shared", "-fPIC", "-nostdlib", "-g", "-o", "both.so", "a.o", "b.c", "c.c"];
    run(gcc.args(flags).current_dir(&folder)).unwrap();
    let library = folder.path().join("both.so");
    let find = |name, language| super::toolchain::find_in(&library, name, None, language).unwrap();
    let found = find("struct hidden", None);
    let sizes: Vec<_> = found.iter().map(|found| found.layout.size.known()).collect();
    assert_eq!((sizes.len(), sizes.contains(&Some(0)), sizes.contains(&Some(16))), (2, true, true));
    let found = find("struct hidden", Some(dbgmate::dwarf::Language::C));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].layout.size.known(), Some(16));
}
