//! What compilers write rarely, or old ones did: built entry by entry, in both byte orders.

use dbgmate::types::{LayoutMatch, Size};
use gimli::write::{AttributeValue, Expression, UnitEntryId};
use gimli::{RunTimeEndian, constants as dw};

use super::dies::Dies;
use super::toolchain::find_in;

const ENDIANS: [RunTimeEndian; 2] = [RunTimeEndian::Little, RunTimeEndian::Big];

/// Every layout of `struct s`, or of a member of it.
fn find(dies: Dies, path: Option<&str>) -> Vec<LayoutMatch> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("made.o");
    std::fs::write(&file, dies.elf()).unwrap();
    find_in(&file, "struct s", path, None).unwrap()
}

/// A member's first bit, and its bytes.
type Extent = (Option<u64>, Option<u64>);

/// The members of `struct s`, which has one layout.
fn members(dies: Dies) -> Vec<Extent> {
    let [found] = find(dies, None).try_into().unwrap();
    let member = |member: dbgmate::types::Member<'_>| {
        let bits = member.bits();
        let offset = bits.map(|bits| bits.offset).or(member.offset().map(|offset| offset * 8));
        (offset, member.size().known())
    };
    found.layout.members.iter().map(member).collect()
}

fn data(value: u64) -> AttributeValue {
    AttributeValue::Udata(value)
}

/// A member of `struct s` with these attributes, in a unit of its own.
fn one_member(dies: &mut Dies, attributes: &[(gimli::DwAt, AttributeValue)]) {
    let int = dies.int();
    let whole = dies.aggregate(dw::DW_TAG_structure_type, "s", 16);
    let member = dies.add(whole, dw::DW_TAG_member);
    dies.set(member, dw::DW_AT_name, AttributeValue::String("m".into()));
    dies.type_of(member, int);
    for (name, value) in attributes {
        dies.set(member, *name, value.clone());
    }
}

fn placed(
    version: u16,
    endian: RunTimeEndian,
    attributes: &[(gimli::DwAt, AttributeValue)],
) -> Option<u64> {
    let mut dies = Dies::of(version, endian, dw::DW_LANG_C99);
    one_member(&mut dies, attributes);
    members(dies)[0].0
}

#[test]
fn data_bit_offset_counts_from_the_containers_start_and_overrides_the_rest() {
    for endian in ENDIANS {
        let attributes = [
            (dw::DW_AT_bit_size, data(3)),
            (dw::DW_AT_data_bit_offset, data(37)),
            (dw::DW_AT_data_member_location, data(8)),
            (dw::DW_AT_bit_offset, data(1)),
        ];
        assert_eq!(placed(4, endian, &attributes), Some(37), "{endian:?}");
    }
}

#[test]
fn bit_offset_counts_from_the_top_of_the_storage_unit_in_either_byte_order() {
    // DWARF 3 §5.5.6, figure 8: little endian 8·loc + 8·byte_size − bit_offset − bit_size, big endian
    // 8·loc + bit_offset.
    for (endian, expected) in [(ENDIANS[0], 8 * 4 + 32 - 5 - 3), (ENDIANS[1], 8 * 4 + 5)] {
        for version in [2, 3] {
            let mut attributes = vec![
                (dw::DW_AT_byte_size, data(4)),
                (dw::DW_AT_bit_size, data(3)),
                (dw::DW_AT_bit_offset, data(5)),
                (dw::DW_AT_data_member_location, data(4)),
            ];
            assert_eq!(
                placed(version, endian, &attributes),
                Some(expected),
                "{version} {endian:?}"
            );
            // Without a size of its own the type's counts: `int` has 4 bytes too.
            attributes.remove(0);
            assert_eq!(
                placed(version, endian, &attributes),
                Some(expected),
                "{version} {endian:?}"
            );
        }
    }
}

#[test]
fn a_negative_bit_offset_reaches_outside_of_its_storage_unit() {
    // A packed field of 31 bits that starts 6 bits into its unit of 32 (GCC: DW_AT_bit_offset −5).
    let attributes = [
        (dw::DW_AT_byte_size, data(4)),
        (dw::DW_AT_bit_size, data(31)),
        (dw::DW_AT_bit_offset, AttributeValue::Sdata(-5)),
        (dw::DW_AT_data_member_location, data(0)),
    ];
    assert_eq!(placed(3, RunTimeEndian::Little, &attributes), Some(32 + 5 - 31));
}

#[test]
fn a_place_is_a_constant_or_an_expression_that_folds_to_one() {
    let location = dw::DW_AT_data_member_location;
    let expression = |build: &dyn Fn(&mut Expression)| {
        let mut expression = Expression::new();
        build(&mut expression);
        AttributeValue::Exprloc(expression)
    };
    let plus_uconst = expression(&|e| e.op_plus_uconst(12));
    let plus = expression(&|e| {
        e.op_constu(12);
        e.op(dw::DW_OP_plus);
    });
    let dynamic = expression(&|e| {
        e.op(dw::DW_OP_dup);
        e.op_deref();
        e.op(dw::DW_OP_plus);
    });
    for endian in ENDIANS {
        for version in [2, 3, 4, 5] {
            for value in [&plus_uconst, &plus] {
                let attributes = [(location, value.clone())];
                assert_eq!(placed(version, endian, &attributes), Some(96), "{version} {endian:?}");
            }
            assert_eq!(placed(version, endian, &[(location, dynamic.clone())]), None);
            assert_eq!(placed(version, endian, &[]), Some(0), "absent is 0");
        }
    }
}

#[test]
fn four_and_eight_bytes_of_dwarf_3_are_a_constant_place() {
    // Formally they are offsets into a list of locations (DWARF 3 §7.5.4); no producer means that.
    for endian in ENDIANS {
        for value in [AttributeValue::Data4(12), AttributeValue::Data8(12)] {
            let attributes = [(dw::DW_AT_data_member_location, value)];
            assert_eq!(placed(3, endian, &attributes), Some(96), "{endian:?}");
        }
    }
}

/// A `struct s` with an array `m` of two-byte numbers, and `end` behind it.
fn array(language: gimli::DwLang, build: impl Fn(&mut Dies, UnitEntryId)) -> Dies {
    let mut dies = Dies::of(4, RunTimeEndian::Little, language);
    let short = dies.named(dw::DW_TAG_base_type, "short");
    dies.set(short, dw::DW_AT_byte_size, data(2));
    let array = dies.add(dies.root(), dw::DW_TAG_array_type);
    dies.type_of(array, short);
    build(&mut dies, array);
    let whole = dies.aggregate(dw::DW_TAG_structure_type, "s", 64);
    dies.member(whole, "m", array, 4);
    dies.member(whole, "end", short, 60);
    dies
}

fn dimension(dies: &mut Dies, array: UnitEntryId, attributes: &[(gimli::DwAt, AttributeValue)]) {
    let range = dies.add(array, dw::DW_TAG_subrange_type);
    for (name, value) in attributes {
        dies.set(range, *name, value.clone());
    }
}

fn array_size(language: gimli::DwLang, build: impl Fn(&mut Dies, UnitEntryId)) -> Option<u64> {
    members(array(language, build))[0].1
}

#[test]
fn the_default_lower_bound_is_the_languages() {
    for (language, count) in [
        (dw::DW_LANG_C99, 6),
        (dw::DW_LANG_C_plus_plus, 6),
        (dw::DW_LANG_Rust, 6),
        (dw::DW_LANG_Go, 6),
        (dw::DW_LANG_Fortran90, 5),
        (dw::DW_LANG_Ada95, 5),
        (dw::DW_LANG_Pascal83, 5),
    ] {
        let upper = (dw::DW_AT_upper_bound, data(5));
        let size = array_size(language, |dies, array| {
            dimension(dies, array, std::slice::from_ref(&upper))
        });
        assert_eq!(size, Some(2 * count), "{language}");
        let bounds = [upper.clone(), (dw::DW_AT_lower_bound, AttributeValue::Sdata(-2))];
        let size = array_size(language, |dies, array| dimension(dies, array, &bounds));
        assert_eq!(size, Some(2 * 8), "{language}");
    }
}

#[test]
fn every_dimension_counts() {
    let size = array_size(dw::DW_LANG_C99, |dies, array| {
        dimension(dies, array, &[(dw::DW_AT_count, data(3))]);
        dimension(dies, array, &[(dw::DW_AT_upper_bound, data(4))]);
    });
    assert_eq!(size, Some(2 * 3 * 5));
}

#[test]
fn elements_may_be_further_apart_than_they_are_large() {
    for (stride, value) in [(dw::DW_AT_byte_stride, 6), (dw::DW_AT_bit_stride, 48)] {
        let strided = || {
            array(dw::DW_LANG_C99, |dies, array| {
                dies.set(array, stride, data(value));
                dimension(dies, array, &[(dw::DW_AT_count, data(4))]);
            })
        };
        assert_eq!(members(strided())[0].1, Some(24));
        let [found] = find(strided(), Some("m[3]")).try_into().unwrap();
        let selected = found.selected.unwrap();
        let element = selected.member.view();
        assert_eq!((element.offset(), element.size()), (Some(4 + 18), Size::Known(2)));
    }
    let odd = |dies: &mut Dies, array| {
        dies.set(array, dw::DW_AT_bit_stride, data(3));
        dimension(dies, array, &[(dw::DW_AT_count, data(4))]);
    };
    // Ada packs them: the last byte is not full.
    assert_eq!(array_size(dw::DW_LANG_C99, odd), Some(2));
    let [found] = find(array(dw::DW_LANG_C99, odd), Some("m[3]")).try_into().unwrap();
    let bits = found.selected.unwrap().member.view().bits().unwrap();
    assert_eq!((bits.offset, bits.size), (4 * 8 + 9, 3));
}

#[test]
fn a_length_that_run_time_decides_is_unknown_and_not_0() {
    let mut expression = Expression::new();
    expression.op_fbreg(-24);
    let at_run_time = AttributeValue::Exprloc(expression);
    for attribute in [dw::DW_AT_upper_bound, dw::DW_AT_count, dw::DW_AT_byte_stride] {
        let bounds = [(attribute, at_run_time.clone())];
        let size = array_size(dw::DW_LANG_C99, |dies, array| dimension(dies, array, &bounds));
        assert_eq!(size, None, "{attribute}");
    }
    let lower = [(dw::DW_AT_upper_bound, data(4)), (dw::DW_AT_lower_bound, at_run_time)];
    assert_eq!(array_size(dw::DW_LANG_C99, |dies, array| dimension(dies, array, &lower)), None);
}

/// The size of a text with a length of its own is that of the length before DWARF 5 (DWARF 4 §5.9).
#[test]
fn the_size_of_a_texts_length_is_not_that_of_the_text() {
    let texts =
        [(4, false, Some(8), "len=8"), (4, true, None, "len=:"), (5, true, Some(8), "len=8")];
    for (version, has_length, size, spelled) in texts {
        let mut dies = Dies::of(version, RunTimeEndian::Little, dw::DW_LANG_Fortran90);
        let text = dies.add(dies.root(), dw::DW_TAG_string_type);
        dies.set(text, dw::DW_AT_byte_size, data(8));
        if has_length {
            let mut expression = Expression::new();
            expression.op_fbreg(-24);
            dies.set(text, dw::DW_AT_string_length, AttributeValue::Exprloc(expression));
        }
        let whole = dies.aggregate(dw::DW_TAG_structure_type, "s", 16);
        dies.member(whole, "m", text, 0);
        let [found] = find(dies, None).try_into().unwrap();
        let member = found.layout.members.get(0).unwrap();
        assert_eq!(member.size().known(), size);
        assert_eq!(member.type_name(), &format!("character({spelled})"));
    }
}

/// GCC before 8 wrote `[0]` as it wrote `[]`: without a bound.
#[test]
fn an_array_without_a_bound_is_flexible_only_where_it_ends_a_struct_that_has_more() {
    let made = |members: &[(&str, bool)]| {
        let mut dies = Dies::new();
        let int = dies.int();
        let array = dies.add(dies.root(), dw::DW_TAG_array_type);
        dies.type_of(array, int);
        dimension(&mut dies, array, &[]);
        let whole = dies.aggregate(dw::DW_TAG_structure_type, "s", 8);
        for (name, is_array) in members {
            dies.member(whole, name, if *is_array { array } else { int }, 4);
        }
        dies
    };
    let sizes = |dies| members(dies).into_iter().map(|member| member.1).collect::<Vec<_>>();
    assert_eq!(sizes(made(&[("a", false), ("m", true)])), [Some(4), None]);
    assert_eq!(sizes(made(&[("m", true), ("a", false)])), [Some(0), Some(4)]);
    assert_eq!(sizes(made(&[("m", true)])), [Some(0)]);
}
