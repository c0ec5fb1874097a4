//! Rust: members the compiler reorders, unions, enums with and without data.

use std::process::Command;

use dbgmate::types::Member;

use super::case::Said;
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
    let folder = tempfile::tempdir().unwrap();
    let (source, library) = (folder.path().join("shapes.rs"), folder.path().join("shapes.so"));
    std::fs::write(&source, SOURCE).unwrap();
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
            assert_eq!(compiled.member(name, path).offset, Some(next()), "{name}.{path}");
        }
    }
    assert_eq!(compiled.member("Reordered", "e[2]").size.known(), Some(2));
    assert_eq!(compiled.member("Either", "b").size.known(), Some(12));
}

#[test]
fn plain_enums_have_their_values() {
    let Some(compiled) = compiled() else { return };
    let values = |name: &str| -> Vec<i128> {
        compiled.layout(name).enumerators.iter().map(|each| each.value).collect()
    };
    assert_eq!(values("Plain"), [1, 200]);
    assert_eq!(values("Signed"), [-1, 100]);
}

#[test]
fn what_variants_hold_is_where_the_values_are() {
    let Some(compiled) = compiled() else { return };
    let said = Said::read(&compiled);
    let bytes_of = |object: &str, member: &Member| -> Vec<u8> {
        let start = member.offset.unwrap() as usize;
        let (bytes, _) = said.object(object);
        bytes[start..start + member.size.known().unwrap() as usize].to_vec()
    };
    let bytes_at = |object, path| bytes_of(object, &compiled.member("Data", path));
    assert_eq!(bytes_at("TUPLE", "Tuple.__0"), 0x1122_3344_u32.to_le_bytes());
    assert_eq!(bytes_at("TUPLE", "Tuple.__1"), [0x55]);
    assert_eq!(bytes_at("FIELDS", "Fields.x"), 0x1122_3344_5566_7788_u64.to_le_bytes());
    assert_eq!(bytes_at("FIELDS", "Fields.y"), [0x99]);
    let discriminant = &compiled.layout("Data").members[0];
    assert_eq!(discriminant.name, "<discriminant>");
    assert_ne!(bytes_of("FIELDS", discriminant), bytes_of("TUPLE", discriminant));
}
