//! Variant parts (DWARF 5 §5.7.10): which variant is there, with lists and ranges of discriminants as
//! Ada and Pascal have them, built entry by entry; and as rustc writes them.

use std::sync::Arc;

use dbgmate::binary::{Binary, DebugSources};
use dbgmate::dwarf::DebugFile;
use dbgmate::job::Job;
use dbgmate::types::{self, Decoded, Layout};
use gimli::write::{AttributeValue, UnitEntryId};
use gimli::{RunTimeEndian, constants as dw};

use super::dies::Dies;
use super::rust;
use super::toolchain::find_in;

const ENDIANS: [RunTimeEndian; 2] = [RunTimeEndian::Little, RunTimeEndian::Big];

/// Items of DW_AT_discr_list: DW_DSC_label and DW_DSC_range, values in LEB128.
const LABEL: u8 = 0;
const RANGE: u8 = 1;

/// A file of one record `s`.
struct Made {
    folder: tempfile::TempDir,
}

impl Made {
    fn new(dies: Dies) -> Made {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("made.o"), dies.elf()).unwrap();
        Made { folder }
    }

    fn layout(&self) -> Layout {
        let path = self.folder.path().join("made.o");
        let [found] = find_in(&path, "struct s", None, None).unwrap().try_into().unwrap();
        found.layout
    }

    /// The members that have a place in bytes, by name and what they say; and what is wrong.
    fn decode(&self, bytes: &[u8]) -> (Vec<String>, Option<String>) {
        let path = self.folder.path().join("made.o");
        let value = decode(&path, &self.layout(), bytes);
        let said = |value: &Decoded| format!("{}={}", value.name, value.text.clone().unwrap());
        (value.values.iter().map(said).collect(), value.why)
    }

    /// When the members are there, those that always are left out.
    fn when(&self) -> Vec<(String, String)> {
        let layout = self.layout();
        let members = layout.members.iter().filter(|member| !member.variants().is_empty());
        let all = members.map(|member| {
            let when: Vec<String> = member.variants().iter().map(ToString::to_string).collect();
            (member.name().to_owned(), when.join(" and "))
        });
        all.collect()
    }
}

fn decode(path: &std::path::Path, layout: &Layout, bytes: &[u8]) -> Decoded {
    let binary = Binary::open(&Job::new(), path, &DebugSources::default()).unwrap();
    let file = DebugFile::new(Arc::new(binary));
    types::decode(&Job::new(), &file, layout.die, bytes, 1).unwrap()
}

/// A record of a byte and what it tells apart.
struct Record {
    dies: Dies,
    whole: UnitEntryId,
    byte: UnitEntryId,
}

impl Record {
    fn new(endian: RunTimeEndian, encoding: gimli::DwAte) -> Record {
        let mut dies = Dies::of(4, endian, dw::DW_LANG_Ada95);
        let byte = dies.named(dw::DW_TAG_base_type, "byte");
        dies.set(byte, dw::DW_AT_byte_size, AttributeValue::Udata(1));
        dies.set(byte, dw::DW_AT_encoding, AttributeValue::Encoding(encoding));
        let whole = dies.aggregate(dw::DW_TAG_structure_type, "s", 2);
        Record { dies, whole, byte }
    }

    /// A variant part whose discriminant, `tag` in the byte at `at`, is a member of `of`.
    fn part(&mut self, parent: UnitEntryId, of: Option<UnitEntryId>, at: u64) -> UnitEntryId {
        let part = self.dies.add(parent, dw::DW_TAG_variant_part);
        let tag = self.dies.member(of.unwrap_or(part), "tag", self.byte, at);
        self.dies.set(part, dw::DW_AT_discr, AttributeValue::UnitRef(tag));
        part
    }

    /// A variant with a member of a byte at 1.
    fn variant(&mut self, part: UnitEntryId, name: &str) -> UnitEntryId {
        let variant = self.dies.add(part, dw::DW_TAG_variant);
        self.dies.member(variant, name, self.byte, 1);
        variant
    }

    fn listed(&mut self, part: UnitEntryId, name: &str, list: &[u8]) -> UnitEntryId {
        let variant = self.variant(part, name);
        self.dies.set(variant, dw::DW_AT_discr_list, AttributeValue::Block(list.to_vec()));
        variant
    }

    fn valued(&mut self, part: UnitEntryId, name: &str, value: AttributeValue) -> UnitEntryId {
        let variant = self.variant(part, name);
        self.dies.set(variant, dw::DW_AT_discr_value, value);
        variant
    }

    fn made(self) -> Made {
        Made::new(self.dies)
    }
}

#[test]
fn a_variant_is_there_with_each_value_of_its_list() {
    for endian in ENDIANS {
        let mut record = Record::new(endian, dw::DW_ATE_unsigned);
        let part = record.part(record.whole, None, 0);
        record.listed(part, "few", &[LABEL, 1, RANGE, 5, 9, LABEL, 0x80, 0x01]);
        record.listed(part, "high", &[RANGE, 0xf0, 0x01, 0xff, 0x01]);
        record.valued(part, "two", AttributeValue::Data1(2));
        let made = record.made();
        let when = [("few", "1, 5..=9, 128"), ("high", "240..=255"), ("two", "2")];
        assert_eq!(made.when(), when.map(|(name, when)| (name.to_owned(), when.to_owned())));
        for tag in 0..=255 {
            let (values, why) = made.decode(&[tag, 77]);
            let name = match tag {
                1 | 5..=9 | 128 => Some("few"),
                240..=255 => Some("high"),
                2 => Some("two"),
                _ => None,
            };
            let expected = name.map(|name| format!("{name}=77"));
            let first = format!("tag={tag}");
            assert_eq!(
                values,
                [first].into_iter().chain(expected).collect::<Vec<_>>(),
                "{endian:?}"
            );
            let said = format!("no variant has {tag} as tag");
            assert_eq!(why, name.is_none().then_some(said), "{endian:?}");
        }
    }
}

#[test]
fn negative_discriminants_are_told_by_the_type_behind() {
    let mut record = Record::new(RunTimeEndian::Little, dw::DW_ATE_signed);
    // A subrange of it, as Ada and Pascal write `-100 .. 100`: its size is that of the type behind.
    let range = record.dies.named(dw::DW_TAG_subrange_type, "few");
    record.dies.type_of(range, record.byte);
    let byte = std::mem::replace(&mut record.byte, range);
    let part = record.part(record.whole, None, 0);
    record.byte = byte;
    record.listed(part, "below", &[RANGE, 0x9c, 0x7f, 0x7f]);
    record.valued(part, "least", AttributeValue::Data1(0x80));
    record.listed(part, "above", &[LABEL, 0, RANGE, 1, 0xe4, 0x00]);
    let made = record.made();
    let when = [("below", "-100..=-1"), ("least", "-128"), ("above", "0, 1..=100")];
    assert_eq!(made.when(), when.map(|(name, when)| (name.to_owned(), when.to_owned())));
    for tag in i8::MIN..=i8::MAX {
        let (values, _) = made.decode(&[tag as u8, 5]);
        let expected = match tag {
            -128 => Some("least=5"),
            -100..=-1 => Some("below=5"),
            0..=100 => Some("above=5"),
            _ => None,
        };
        assert_eq!(values.get(1).map(String::as_str), expected, "{tag}");
    }
}

#[test]
fn a_value_written_in_fewer_bytes_than_the_discriminant_has_its_sign() {
    // LLVM's smallest form: −17 of an `i16` is one byte. What cannot be negative is not.
    for (encoding, expected) in [(dw::DW_ATE_signed, "-17"), (dw::DW_ATE_unsigned, "239")] {
        let mut record = Record::new(RunTimeEndian::Little, encoding);
        record.dies.set(record.byte, dw::DW_AT_byte_size, AttributeValue::Udata(2));
        let part = record.part(record.whole, None, 0);
        record.valued(part, "one", AttributeValue::Data1(0xef));
        record.valued(part, "two", AttributeValue::Data2(300));
        let made = record.made();
        let when = [("one", expected), ("two", "300")];
        assert_eq!(made.when(), when.map(|(name, when)| (name.to_owned(), when.to_owned())));
    }
}

#[test]
fn values_of_sixteen_bytes_are_read_in_the_files_order() {
    for endian in ENDIANS {
        for (encoding, expected) in [
            (dw::DW_ATE_signed, "-2"),
            (dw::DW_ATE_unsigned, "340282366920938463463374607431768211454"),
        ] {
            let value = u128::MAX - 1;
            let bytes = match endian {
                RunTimeEndian::Little => value.to_le_bytes(),
                RunTimeEndian::Big => value.to_be_bytes(),
            };
            for value in [AttributeValue::Block(bytes.to_vec()), AttributeValue::Data16(value)] {
                let mut record = Record::new(endian, encoding);
                record.dies.set(record.byte, dw::DW_AT_byte_size, AttributeValue::Udata(16));
                let part = record.part(record.whole, None, 0);
                record.valued(part, "wide", value);
                let made = record.made();
                assert_eq!(made.when(), [("wide".to_owned(), expected.to_owned())], "{endian:?}");
                let (values, _) = made.decode(&[&bytes[..], &[0]].concat());
                assert_eq!(values[0], format!("tag={expected}"), "{endian:?}");
            }
        }
    }
}

#[test]
fn which_variant_is_the_other_is_not_told_where_one_cannot_be_read() {
    let mut record = Record::new(RunTimeEndian::Little, dw::DW_ATE_unsigned);
    let part = record.part(record.whole, None, 0);
    record.listed(part, "damaged", &[RANGE, 1]);
    record.valued(part, "two", AttributeValue::Data1(2));
    record.variant(part, "rest");
    let made = record.made();
    assert_eq!(made.decode(&[2, 3]), (vec!["tag=2".to_owned(), "two=3".to_owned()], None));
    let (values, why) = made.decode(&[1, 3]);
    assert_eq!(values, ["tag=1"]);
    assert_eq!(why.as_deref(), Some("no variant whose values can be read has 1 as tag"));
}

#[test]
fn a_variant_without_values_is_there_with_all_others() {
    // Without either attribute, or with a list of nothing.
    for is_empty_list in [false, true] {
        let mut record = Record::new(RunTimeEndian::Little, dw::DW_ATE_unsigned);
        let part = record.part(record.whole, None, 0);
        match is_empty_list {
            false => record.variant(part, "rest"),
            true => record.listed(part, "rest", &[]),
        };
        record.listed(part, "some", &[RANGE, 3, 4]);
        // With 9 there is nothing: a variant, but one without members.
        let none = record.dies.add(part, dw::DW_TAG_variant);
        record.dies.set(none, dw::DW_AT_discr_value, AttributeValue::Data1(9));
        let made = record.made();
        for (tag, expected) in [(2, vec!["tag=2", "rest=1"]), (3, vec!["tag=3", "some=1"])] {
            let (values, why) = made.decode(&[tag, 1]);
            assert_eq!((values.iter().map(String::as_str).collect(), why), (expected, None));
        }
        assert_eq!(made.decode(&[9, 1]), (vec!["tag=9".to_owned()], None));
    }
}

#[test]
fn a_discriminant_may_be_a_member_of_the_record_around() {
    let mut record = Record::new(RunTimeEndian::Little, dw::DW_ATE_unsigned);
    let part = record.part(record.whole, Some(record.whole), 0);
    record.listed(part, "a", &[RANGE, 0, 7]);
    record.variant(part, "b");
    let made = record.made();
    assert_eq!(made.decode(&[7, 1]), (vec!["tag=7".to_owned(), "a=1".to_owned()], None));
    assert_eq!(made.decode(&[8, 1]), (vec!["tag=8".to_owned(), "b=1".to_owned()], None));
}

#[test]
fn a_variant_in_a_variant_is_there_with_both() {
    let mut record = Record::new(RunTimeEndian::Little, dw::DW_ATE_unsigned);
    let part = record.part(record.whole, None, 0);
    let outer = record.valued(part, "outer", AttributeValue::Data1(1));
    record.valued(part, "other", AttributeValue::Data1(2));
    let inner = record.part(outer, None, 1);
    record.listed(inner, "inner", &[RANGE, 10, 20]);
    let made = record.made();
    let when = [("outer", "1"), ("tag", "1"), ("inner", "1 and 10..=20"), ("other", "2")];
    assert_eq!(made.when(), when.map(|(name, when)| (name.to_owned(), when.to_owned())));
    let values = |bytes: [u8; 2]| made.decode(&bytes).0;
    assert_eq!(values([1, 15]), ["tag=1", "outer=15", "tag=15", "inner=15"]);
    assert_eq!(values([1, 21]), ["tag=1", "outer=21", "tag=21"]);
    assert_eq!(values([2, 15]), ["tag=2", "other=15"]);
}

#[test]
fn records_that_differ_behind_a_variant_are_distinct() {
    // In a later variant, in a member of one in another, and behind the part.
    let names = [["a", "b", "c"], ["x", "b", "c"], ["a", "x", "c"], ["a", "b", "x"]];
    let mut record = Record::new(RunTimeEndian::Little, dw::DW_ATE_unsigned);
    for [nested, later, behind] in names {
        record.whole = record.dies.aggregate(dw::DW_TAG_structure_type, "s", 2);
        let part = record.part(record.whole, None, 0);
        let outer = record.valued(part, "outer", AttributeValue::Data1(1));
        let inner = record.part(outer, None, 1);
        record.listed(inner, nested, &[RANGE, 10, 20]);
        record.valued(part, later, AttributeValue::Data1(2));
        record.dies.member(record.whole, behind, record.byte, 1);
    }
    let made = record.made();
    let found = find_in(&made.folder.path().join("made.o"), "struct s", None, None).unwrap();
    // The one without members is that which every record begins with.
    assert_eq!(found.len(), 1 + names.len());
    assert!(found.iter().all(|found| found.units == 1));
}

#[test]
fn a_list_that_cannot_be_read_is_nobodys() {
    // Cut within a range, an unknown descriptor, a number without end.
    for list in [vec![RANGE, 1], vec![7, 1], [vec![LABEL], vec![0xff; 40]].concat()] {
        let mut record = Record::new(RunTimeEndian::Little, dw::DW_ATE_unsigned);
        let part = record.part(record.whole, None, 0);
        record.listed(part, "damaged", &list);
        record.valued(part, "sound", AttributeValue::Data1(1));
        let made = record.made();
        assert_eq!(made.when(), [("sound".to_owned(), "1".to_owned())]);
        assert_eq!(made.decode(&[1, 3]).0, ["tag=1", "sound=3"]);
    }
}

#[test]
fn variants_that_nothing_tells_apart_are_all_shown() {
    let mut record = Record::new(RunTimeEndian::Little, dw::DW_ATE_unsigned);
    // A Pascal record whose tag is not kept: the part has the type of it.
    let part = record.dies.add(record.whole, dw::DW_TAG_variant_part);
    record.dies.type_of(part, record.byte);
    record.valued(part, "a", AttributeValue::Data1(1));
    record.valued(part, "b", AttributeValue::Data1(2));
    let why = "nothing tells which of its 2 variants it is".to_owned();
    let both = vec!["a=3".to_owned(), "b=3".to_owned()];
    assert_eq!(record.made().decode(&[0, 3]), (both, Some(why)));
}

#[test]
fn bytes_that_end_before_the_discriminant_do_not_say_which_variant_it_is() {
    let mut record = Record::new(RunTimeEndian::Little, dw::DW_ATE_unsigned);
    let part = record.part(record.whole, None, 0);
    record.variant(part, "rest");
    let made = record.made();
    let value = decode(&made.folder.path().join("made.o"), &made.layout(), &[]);
    assert_eq!(value.values.len(), 1, "only the discriminant: {value:?}");
    assert!(value.why.unwrap().contains("end before it"));
}

#[test]
fn what_a_rust_enum_holds_is_decoded_and_nothing_else() {
    let Some(compiled) = rust::compiled() else { return };
    let said = super::case::Said::read(&compiled);
    let layout = compiled.layout("Data");
    let variants = |bytes: &[u8]| -> (Vec<String>, Option<String>) {
        let value = decode(compiled.path(), &layout, bytes);
        let names = value.values.iter().map(|value| value.name.clone());
        (names.filter(|name| name != "<discriminant>").collect(), value.why)
    };
    let (tuple, _) = said.object("TUPLE");
    assert_eq!(variants(&tuple), (vec!["Tuple".to_owned()], None));
    let (fields, _) = said.object("FIELDS");
    assert_eq!(variants(&fields), (vec!["Fields".to_owned()], None));
    // No variant of three has this: the value is damaged, or of another type.
    let mut outside = fields.clone();
    let at = layout.members.get(0).unwrap().offset().unwrap() as usize;
    outside[at] = 99;
    let (names, why) = variants(&outside);
    assert_eq!(names, Vec::<String>::new());
    assert!(why.unwrap().contains("no variant has 99"));
}
