//! The pass over all entries meets every type with a name, however its unit is written: DWARF 4 and 5, of 32
//! and 64 bits, side by side, forms, orders of attributes, codes of one byte to three, DW_AT_sibling or none,
//! in both byte orders. The entries are made here byte by byte, so that what should be met is known without
//! reading them.

use std::collections::BTreeMap;
use std::sync::Arc;

use dbgmate::binary::{Binary, DebugSources};
use dbgmate::dwarf::{DebugFile, DieRef, DieSection, FileId};
use dbgmate::job::Job;
use gimli::{DwAt, DwForm, DwTag, RunTimeEndian, SectionId, constants as dw};
use proptest::prelude::*;

use super::dies::elf_of;

/// So many names there are.
const NAMES: u8 = 40;

fn name_of(number: u8) -> String {
    format!("{number:0width$}", width = usize::from(number % 7))
}

/// Where a name is when all are behind each other.
fn line_of(number: u8) -> usize {
    (0..number).map(|before| name_of(before).len() + 1).sum()
}

/// Where the offsets begin in .debug_str_offsets for units of 32 bits, and for those of 64.
const FIRST_LIST: usize = 8;
const SECOND_LIST: usize = FIRST_LIST + NAMES as usize * 4 + 16;

/// An entry with all below it.
#[derive(Clone, Debug)]
struct Node {
    tag: DwTag,
    attributes: Vec<Attribute>,
    /// Where among its attributes DW_AT_sibling stands, and in which form.
    sibling: Option<(usize, DwForm)>,
    children: Vec<Node>,
}

/// An attribute; of what kind the entry is decides which may be there.
#[derive(Clone, Debug)]
enum Attribute {
    Name(DwForm, u8),
    Number(DwForm),
    Block(u8),
    Declaration(DwForm, bool),
}

const TYPES: [DwTag; 6] = [
    dw::DW_TAG_structure_type,
    dw::DW_TAG_union_type,
    dw::DW_TAG_enumeration_type,
    dw::DW_TAG_typedef,
    dw::DW_TAG_base_type,
    dw::DW_TAG_class_type,
];

/// Types are found below these, and are not looked for below the last three.
const OTHERS: [DwTag; 9] = [
    dw::DW_TAG_subprogram,
    dw::DW_TAG_lexical_block,
    dw::DW_TAG_variable,
    dw::DW_TAG_formal_parameter,
    dw::DW_TAG_pointer_type,
    dw::DW_TAG_namespace,
    dw::DW_TAG_inlined_subroutine,
    dw::DW_TAG_call_site,
    dw::DW_TAG_subroutine_type,
];

/// What C has below types.
const PARTS: [DwTag; 2] = [dw::DW_TAG_member, dw::DW_TAG_enumerator];

fn attribute() -> impl Strategy<Value = Attribute> {
    let number = prop::sample::select(vec![
        dw::DW_FORM_data1,
        dw::DW_FORM_data2,
        dw::DW_FORM_data4,
        dw::DW_FORM_data8,
        dw::DW_FORM_data16,
        dw::DW_FORM_udata,
        dw::DW_FORM_sdata,
        dw::DW_FORM_implicit_const,
        dw::DW_FORM_block2,
        dw::DW_FORM_addr,
        dw::DW_FORM_addrx,
        dw::DW_FORM_sec_offset,
        dw::DW_FORM_ref_addr,
        dw::DW_FORM_ref_sig8,
        dw::DW_FORM_ref_udata,
        dw::DW_FORM_strx3,
        dw::DW_FORM_indirect,
    ]);
    let text = prop::sample::select(vec![
        dw::DW_FORM_strp,
        dw::DW_FORM_strp,
        dw::DW_FORM_string,
        dw::DW_FORM_line_strp,
        dw::DW_FORM_strx,
        dw::DW_FORM_strx1,
        dw::DW_FORM_strx2,
        dw::DW_FORM_strx3,
        dw::DW_FORM_strx4,
    ]);
    let flag = prop::sample::select(vec![dw::DW_FORM_flag, dw::DW_FORM_flag_present]);
    prop_oneof![
        3 => (text, 0..NAMES).prop_map(|(form, name)| Attribute::Name(form, name)),
        3 => number.prop_map(Attribute::Number),
        1 => (0_u8..200).prop_map(Attribute::Block),
        1 => (flag, any::<bool>()).prop_map(|(form, value)| Attribute::Declaration(form, value)),
    ]
}

fn node(tags: Vec<DwTag>, children: BoxedStrategy<Vec<Node>>) -> impl Strategy<Value = Node> {
    let form = prop::sample::select(vec![dw::DW_FORM_ref4, dw::DW_FORM_ref4, dw::DW_FORM_ref8]);
    let sibling = prop::option::weighted(0.7, (0_usize..6, form));
    let attributes = prop::collection::vec(attribute(), 0..6);
    (prop::sample::select(tags), attributes, sibling, children).prop_map(
        |(tag, mut attributes, sibling, children)| {
            // Each attribute once; numbers have names of their own.
            let mut seen = Vec::new();
            attributes.retain(|attribute| {
                let kind = std::mem::discriminant(attribute);
                let is_new = matches!(attribute, Attribute::Number(_)) || !seen.contains(&kind);
                seen.push(kind);
                is_new
            });
            Node { tag, attributes, sibling, children }
        },
    )
}

/// What stands below the root of a unit of C, or of C++.
fn tree(is_c: bool) -> impl Strategy<Value = Vec<Node>> {
    let all: Vec<DwTag> = TYPES.into_iter().chain(OTHERS).collect();
    let parts = if is_c { PARTS.to_vec() } else { all.clone() };
    let leaf = node(parts.clone(), Just(Vec::new()).boxed());
    let leaves = prop::collection::vec(leaf, 0..3).boxed();
    let low = node(all.clone(), leaves).boxed();
    let high = low.clone().prop_recursive(4, 24, 4, move |inner| {
        let children = prop::collection::vec(inner, 0..4).boxed();
        let below = if is_c { OTHERS.to_vec() } else { all.clone() };
        node(below, children)
    });
    prop::collection::vec(prop_oneof![low, high], 0..8)
}

/// How codes are numbered: so many declarations before those that are used, and then every so many-th.
#[derive(Clone, Copy, Debug)]
struct Codes {
    before: u64,
    step: u64,
}

/// A declaration: its tag, whether it has children, its attributes.
type Declared = (DwTag, bool, Vec<(DwAt, DwForm)>);

/// The types of each name, definitions and declarations.
type Expected = BTreeMap<String, [Vec<DieRef>; 2]>;

/// How a file is written.
#[derive(Clone, Copy, Debug)]
struct Written {
    is_little: bool,
    section: DieSection,
    codes: Codes,
}

impl Written {
    /// With codes that follow each other.
    fn plain(is_little: bool) -> Written {
        let codes = Codes { before: 0, step: 1 };
        Written { is_little, section: DieSection::Info, codes }
    }
}

/// How a unit is.
#[derive(Clone, Copy, Debug)]
struct Encoding {
    version: u16,
    /// Of offsets, in bytes: 4, or 8 in DWARF of 64 bits.
    offset: usize,
    /// Of addresses, in bytes.
    address: u8,
}

const PLAIN: Encoding = Encoding { version: 4, offset: 4, address: 8 };

/// What is in a unit, and whether that is C.
#[derive(Clone, Debug)]
struct Unit {
    is_c: bool,
    nodes: Vec<Node>,
    encoding: Encoding,
}

struct Writer {
    written: Written,
    /// Of the unit at hand.
    encoding: Encoding,
    info: Vec<u8>,
    abbreviations: Vec<u8>,
    texts: Vec<u8>,
    /// Where the table that was written last begins.
    table: usize,
    /// Those of the unit at hand.
    declared: Vec<Declared>,
    unit: usize,
    expected: Expected,
}

fn leb(mut value: u64, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

impl Writer {
    fn number(&self, value: u64, size: usize) -> Vec<u8> {
        match self.written.is_little {
            true => value.to_le_bytes()[..size].to_vec(),
            false => value.to_be_bytes()[8 - size..].to_vec(),
        }
    }

    fn put(&mut self, value: u64, size: usize) {
        let bytes = self.number(value, size);
        self.info.extend(bytes);
    }

    fn patch(&mut self, at: usize, value: u64, size: usize) {
        let bytes = self.number(value, size);
        self.info[at..at + size].copy_from_slice(&bytes);
    }

    fn code_of(&mut self, declared: Declared) -> u64 {
        let position = self.declared.iter().position(|known| *known == declared);
        let position = position.unwrap_or_else(|| {
            self.declared.push(declared);
            self.declared.len() - 1
        });
        self.written.codes.before + position as u64 * self.written.codes.step + 1
    }

    /// A length that stands at the start of what it is of, to be told later.
    fn initial_length(&mut self) {
        if self.encoding.offset == 8 {
            self.put(0xffff_ffff, 4);
        }
        self.put(0, self.encoding.offset);
    }

    fn put_offset(&mut self, offset: usize) {
        self.put(offset as u64, self.encoding.offset);
    }

    /// A unit, in .debug_info or .debug_types.
    fn unit(&mut self, unit: &Unit) {
        let Unit { is_c, nodes, encoding } = unit;
        let (Encoding { version, offset, address }, section) = (*encoding, self.written.section);
        self.encoding = *encoding;
        self.unit = self.info.len();
        self.initial_length();
        let start = self.info.len();
        self.put(version.into(), 2);
        if version == 5 {
            self.info.extend([dw::DW_UT_compile.0, address]);
        }
        let table = self.info.len();
        self.put_offset(0);
        if version == 4 {
            self.info.push(address);
        }
        if section == DieSection::Types {
            // A signature, and where its type is.
            self.put(self.unit as u64, 8);
            self.put_offset(self.info.len() + offset - self.unit);
        }
        let language = (dw::DW_AT_language, dw::DW_FORM_data2);
        let base = (dw::DW_AT_str_offsets_base, dw::DW_FORM_sec_offset);
        let code = self.code_of((dw::DW_TAG_compile_unit, true, vec![language, base]));
        leb(code, &mut self.info);
        let language = if *is_c { dw::DW_LANG_C11 } else { dw::DW_LANG_C_plus_plus_11 };
        self.put(language.0.into(), 2);
        self.put_offset(if offset == 4 { FIRST_LIST } else { SECOND_LIST });
        for node in nodes {
            self.node(node, true);
        }
        self.info.push(0);
        self.patch(start - offset, (self.info.len() - start) as u64, offset);
        let begins = self.table();
        self.patch(table, begins as u64, offset);
    }

    /// Writes the declarations of the unit, unless the unit before it had the same. Where they begin.
    fn table(&mut self) -> usize {
        let mut bytes = Vec::new();
        for code in 1..=self.written.codes.before {
            leb(code, &mut bytes);
            bytes.extend([dw::DW_TAG_label.0 as u8, 0, 0, 0]);
        }
        for declared in std::mem::take(&mut self.declared) {
            let code = self.code_of(declared.clone());
            let (tag, has_children, attributes) = declared;
            leb(code, &mut bytes);
            leb(tag.0.into(), &mut bytes);
            bytes.push(has_children.into());
            for (name, form) in attributes {
                leb(name.0.into(), &mut bytes);
                leb(form.0.into(), &mut bytes);
                if form == dw::DW_FORM_implicit_const {
                    bytes.extend([0xff, 0x01]);
                }
            }
            bytes.extend([0, 0]);
        }
        bytes.push(0);
        self.declared.clear();
        if self.abbreviations.get(self.table..) != Some(&bytes) {
            self.table = self.abbreviations.len();
            self.abbreviations.extend(bytes);
        }
        self.table
    }

    /// An entry; types are met where they are looked for.
    fn node(&mut self, node: &Node, is_met: bool) {
        let start = self.info.len();
        let mut forms: Vec<(DwAt, DwForm)> = Vec::new();
        for (number, attribute) in node.attributes.iter().enumerate() {
            forms.push(match attribute {
                Attribute::Name(form, _) => (dw::DW_AT_name, *form),
                // Names that say nothing to the pass.
                Attribute::Number(form) => (DwAt(0x2300 + number as u16), *form),
                Attribute::Block(_) => (dw::DW_AT_location, dw::DW_FORM_exprloc),
                Attribute::Declaration(form, _) => (dw::DW_AT_declaration, *form),
            });
        }
        let sibling = node.sibling.map(|(at, form)| (at.min(forms.len()), form));
        if let Some((at, form)) = sibling {
            forms.insert(at, (dw::DW_AT_sibling, form));
        }
        let has_children = !node.children.is_empty();
        let code = self.code_of((node.tag, has_children, forms));
        leb(code, &mut self.info);
        let (mut name, mut is_declaration, mut place) = (None, false, None);
        for position in 0..=node.attributes.len() {
            if let Some((at, form)) = sibling
                && at == position
            {
                let size = if form == dw::DW_FORM_ref4 { 4 } else { 8 };
                place = Some((self.info.len(), size));
                self.put(0, size);
            }
            let Some(attribute) = node.attributes.get(position) else { break };
            match attribute {
                Attribute::Name(form, number) => {
                    self.text(*form, *number);
                    name = Some(name_of(*number));
                }
                Attribute::Number(form) => self.value(*form),
                Attribute::Block(length) => {
                    leb((*length).into(), &mut self.info);
                    self.info.extend(vec![0x13; (*length).into()]);
                }
                Attribute::Declaration(form, value) => {
                    is_declaration = *value || *form == dw::DW_FORM_flag_present;
                    if *form == dw::DW_FORM_flag {
                        self.info.push((*value).into());
                    }
                }
            }
        }
        if let Some(name) = name
            && is_met
            && TYPES.contains(&node.tag)
        {
            let die = DieRef::new(FileId::Main, self.written.section, start as u64);
            self.expected.entry(name).or_default()[usize::from(is_declaration)].push(die);
        }
        if has_children {
            let is_looked_into = is_met && !OTHERS[6..].contains(&node.tag);
            // Where nothing leads past the children of one that is not looked into, they are looked at.
            let is_looked_into = is_looked_into || (is_met && sibling.is_none());
            for child in &node.children {
                self.node(child, is_looked_into);
            }
            self.info.push(0);
        }
        if let Some((at, size)) = place {
            self.patch(at, (self.info.len() - self.unit) as u64, size);
        }
    }

    fn text(&mut self, form: DwForm, number: u8) {
        let size = match form {
            dw::DW_FORM_string => {
                self.info.extend(name_of(number).bytes().chain([0]));
                return;
            }
            // Each time a text of its own.
            dw::DW_FORM_strp => {
                self.put_offset(self.texts.len());
                self.texts.extend(name_of(number).bytes().chain([0]));
                return;
            }
            dw::DW_FORM_line_strp => {
                return self.put_offset(line_of(number));
            }
            dw::DW_FORM_strx | dw::DW_FORM_strx1 => 1,
            dw::DW_FORM_strx2 => 2,
            dw::DW_FORM_strx3 => 3,
            _ => 4,
        };
        self.put(number.into(), size);
    }

    /// The texts that are used by number, and where: .debug_line_str, and .debug_str_offsets with a list
    /// for units of 32 bits, and one for those of 64.
    fn numbered(&mut self) -> (Vec<u8>, Vec<u8>) {
        let mut lines = Vec::new();
        let texts = self.texts.len();
        for number in 0..NAMES {
            lines.extend(name_of(number).bytes().chain([0]));
        }
        self.texts.extend(&lines);
        let info = std::mem::take(&mut self.info);
        for (offset, list) in [(4, FIRST_LIST), (8, SECOND_LIST)] {
            self.encoding.offset = offset;
            self.initial_length();
            let length = 4 + usize::from(NAMES) * offset;
            self.patch(self.info.len() - offset, length as u64, offset);
            self.put(5, 2);
            self.put(0, 2);
            assert_eq!(self.info.len(), list);
            for number in 0..NAMES {
                self.put_offset(texts + line_of(number));
            }
        }
        (lines, std::mem::replace(&mut self.info, info))
    }

    fn value(&mut self, form: DwForm) {
        match form {
            dw::DW_FORM_implicit_const => {}
            dw::DW_FORM_udata | dw::DW_FORM_sdata => leb(0x4321, &mut self.info),
            dw::DW_FORM_block2 => {
                self.put(3, 2);
                self.info.extend([0x13; 3]);
            }
            dw::DW_FORM_addr => self.put(0x0202_0202, self.encoding.address.into()),
            dw::DW_FORM_sec_offset | dw::DW_FORM_ref_addr => self.put_offset(0x0202_0202),
            dw::DW_FORM_addrx | dw::DW_FORM_ref_udata => leb(0x8001, &mut self.info),
            dw::DW_FORM_strx3 => self.put(2, 3),
            dw::DW_FORM_indirect => {
                leb(dw::DW_FORM_data2.0.into(), &mut self.info);
                self.put(0x0202, 2);
            }
            // Bytes that would be codes.
            dw::DW_FORM_data1 => self.info.push(2),
            dw::DW_FORM_data2 => self.info.extend([2; 2]),
            dw::DW_FORM_data4 => self.info.extend([2; 4]),
            dw::DW_FORM_data8 | dw::DW_FORM_ref_sig8 => self.info.extend([2; 8]),
            _ => self.info.extend([2; 16]),
        }
    }
}

fn check(units: &[Unit], written: Written, threads: usize) {
    let (info, abbreviations, texts) = (Vec::new(), Vec::new(), vec![0; 7]);
    let (declared, expected) = (Vec::new(), Expected::new());
    let (encoding, table, unit) = (PLAIN, 0, 0);
    let mut writer =
        Writer { written, encoding, info, abbreviations, texts, table, declared, unit, expected };
    units.iter().for_each(|unit| writer.unit(unit));
    let (lines, offsets) = writer.numbered();
    let endian = if written.is_little { RunTimeEndian::Little } else { RunTimeEndian::Big };
    let id = match written.section {
        DieSection::Info => SectionId::DebugInfo,
        DieSection::Types => SectionId::DebugTypes,
    };
    let sections = [
        (id, writer.info),
        (SectionId::DebugAbbrev, writer.abbreviations),
        (SectionId::DebugStr, writer.texts),
        (SectionId::DebugLineStr, lines),
        (SectionId::DebugStrOffsets, offsets),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made.o");
    std::fs::write(&path, elf_of(endian, &sections)).unwrap();
    let binary = Binary::open(&Job::new(), &path, &DebugSources::default()).unwrap();
    let file = DebugFile::new(Arc::new(binary));
    let index = file.index(&Job::new(), threads).unwrap();
    assert_eq!(index.problem(), None);
    let mut met = Expected::new();
    for name in index.names() {
        let found = index.find(name);
        let name = String::from_utf8(name.to_vec()).unwrap();
        met.insert(name, [found.definitions, found.declarations]);
    }
    assert_eq!(met, writer.expected);
}

fn encoding() -> impl Strategy<Value = Encoding> {
    let sizes = (prop::sample::select(vec![4_usize, 4, 8]), prop::sample::select(vec![4_u8, 8]));
    (4_u16..=5, sizes).prop_map(|(version, (offset, address))| Encoding {
        version,
        offset,
        address,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_type_with_a_name_is_met(
        units in prop::collection::vec(
            any::<bool>().prop_flat_map(|is_c| (Just(is_c), tree(is_c))), 1..12),
        encodings in prop::collection::vec(encoding(), 1..4),
        repeated in prop::sample::select(vec![1_usize, 1, 5]),
        alike in any::<bool>(),
        is_little in any::<bool>(),
        section in prop::sample::select(vec![DieSection::Info, DieSection::Info, DieSection::Types]),
        before in prop::sample::select(vec![0_u64, 0, 0, 120, 127, 16_380]),
        step in prop::sample::select(vec![1_u64, 1, 1, 3, 700]),
        threads in 1_usize..4,
    ) {
        let mut units: Vec<_> = std::iter::repeat_n(units, repeated).flatten().collect();
        // Units that differ in nothing but their encodings share what they declare.
        if alike {
            units.sort_by_key(|(_, nodes)| format!("{nodes:?}"));
        }
        let units: Vec<Unit> = units.into_iter().zip(encodings.iter().cycle()).map(
            |((is_c, nodes), encoding)| {
                let version = if section == DieSection::Types { 4 } else { encoding.version };
                Unit { is_c, nodes, encoding: Encoding { version, ..*encoding } }
            }).collect();
        let codes = Codes { before, step };
        check(&units, Written { is_little, section, codes }, threads);
    }
}

#[test]
fn values_far_behind_the_start_of_an_entry_are_read() {
    // The pass looks at so many bytes at a time: names, siblings and ends are before, on and past that.
    let leaf = |tag, attributes| Node { tag, attributes, sibling: None, children: Vec::new() };
    let filler = |sixteens: usize, ones: usize| -> Vec<Attribute> {
        let sixteens = std::iter::repeat_n(dw::DW_FORM_data16, sixteens);
        let ones = std::iter::repeat_n(dw::DW_FORM_data1, ones);
        sixteens.chain(ones).map(Attribute::Number).collect()
    };
    let mut nodes = Vec::new();
    for (sixteens, ones) in (0..18).flat_map(|sixteens| (0..16).map(move |ones| (sixteens, ones))) {
        let mut attributes = filler(sixteens, ones);
        attributes.push(Attribute::Name(dw::DW_FORM_strp, 9));
        nodes.push(leaf(dw::DW_TAG_typedef, attributes));
        let name = vec![Attribute::Name(dw::DW_FORM_strp, 8)];
        nodes.push(Node {
            tag: dw::DW_TAG_call_site,
            attributes: filler(sixteens, ones),
            sibling: Some((usize::MAX, dw::DW_FORM_ref4)),
            children: vec![leaf(dw::DW_TAG_typedef, name)],
        });
        let mut attributes = filler(sixteens, ones);
        attributes.extend([Attribute::Block(5), Attribute::Number(dw::DW_FORM_data2)]);
        nodes.push(leaf(dw::DW_TAG_variable, attributes));
    }
    for is_little in [false, true] {
        check(
            &[Unit { is_c: true, nodes: nodes.clone(), encoding: PLAIN }],
            Written::plain(is_little),
            1,
        );
    }
}

#[test]
fn a_unit_of_very_many_types_is_met_whole() {
    let leaf = |number: usize| Node {
        tag: if number.is_multiple_of(3) { dw::DW_TAG_typedef } else { dw::DW_TAG_base_type },
        attributes: vec![Attribute::Name(
            if number.is_multiple_of(7) { dw::DW_FORM_string } else { dw::DW_FORM_strp },
            (number % 40) as u8,
        )],
        sibling: None,
        children: Vec::new(),
    };
    let nodes = (0..50_000).map(leaf).collect();
    let unit = Unit { is_c: true, nodes, encoding: PLAIN };
    check(&[unit.clone(), unit], Written::plain(true), 2);
}
