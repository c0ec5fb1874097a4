//! Members as nearly all are, read by the places of their attributes in the entry.
//!
//! A declaration says for all its entries which attributes they have and in which form (DWARF 5 §7.5.3): where none
//! of these varies in length, each attribute is so many bytes behind the code, and the others need not be looked at.

use std::cell::RefCell;

use gimli::{
    Abbreviation, AttributeSpecification, DebugStrOffset, Endianity, Format, Reader, RunTimeEndian,
    UnitHeader, UnitOffset, constants as dw,
};

use super::abbreviations::short_uleb128;
use super::unit_view::text_at;
use super::{DieRef, Slice, UnitView};

/// A member whose place and type are constants of a fixed size, and that says nothing that few do: no access, no
/// reason why it is not in the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainMember<'a> {
    /// DW_AT_name; a struct or union inside another may have none, and then it is empty.
    pub name: &'a [u8],
    /// DW_AT_type.
    pub target: DieRef,
    /// DW_AT_data_member_location, in bytes; absent it is 0 (DWARF 5 §5.7.6).
    pub place: u64,
    /// Of a bit field, DW_AT_data_bit_offset and DW_AT_bit_size.
    pub bits: Option<(u64, u64)>,
    /// DW_AT_alignment, in bytes.
    pub align: Option<u64>,
}

/// Such an entry takes so many bytes at most, a name that is there not counted.
const MOST: usize = 32;

/// Where the attributes of such members are, by the declaration: in bytes from the first behind the code, or
/// behind the name that is there.
#[derive(Clone, Copy, Debug)]
struct Plan {
    name: Name,
    target: u8,
    place: Constant,
    bits: Option<(Constant, Constant)>,
    align: Option<Constant>,
    /// What all attributes take, but for a name that is there.
    size: u8,
}

/// Where a name is.
#[derive(Clone, Copy, Debug)]
enum Name {
    None,
    /// In the entry, before the other attributes: compilers put those there that are shorter than a reference.
    Here,
    /// In .debug_str, at the offset that is so many bytes behind the code.
    Elsewhere(u8),
}

/// Where a number is: so many bytes behind the code, or in the declaration itself. Which it is changes from one
/// member to the next, so that there is one way to read all of them: four bytes, and what is wanted of these.
#[derive(Clone, Copy, Debug)]
struct Constant {
    said: u32,
    /// Those of the bits that are its own: none, or the bits of one byte, two, or four.
    mask: u32,
    at: u8,
    /// How many others are below.
    shift: u8,
}

/// The declarations of one unit that entries were met of, each at its code by the number of places. One that
/// others were met of since is looked at again.
#[derive(Debug, Default)]
pub(super) struct PlainMembers(RefCell<Vec<Met>>);

/// As many are remembered. A unit of C has some twenty declarations of members.
const PLACES: usize = 32;

/// A declaration; none has the code 0.
#[derive(Clone, Copy, Debug, Default)]
struct Met {
    code: u64,
    /// None for one whose entries are no plain members.
    plan: Option<Plan>,
}

impl<'a> UnitView<'a> {
    /// Reads an entry with its code, if it is a plain member, and how many bytes it takes.
    #[inline(always)]
    pub(super) fn plain_member(&self, entry: Slice<'a>) -> Option<(PlainMember<'a>, usize)> {
        let mut attributes = entry;
        let code = short_uleb128(&mut attributes).ok()?;
        let met = self.plain_members.0.borrow();
        let plan = match met.get(code as usize % PLACES) {
            Some(known) if known.code == code => known.plan.as_ref()?,
            _ => {
                drop(met);
                &self.meet_declaration(code)?
            }
        };
        plan.read(self, entry, attributes)
    }

    #[cold]
    fn meet_declaration(&self, code: u64) -> Option<Plan> {
        let declaration = self.unit.abbreviations.get(code)?;
        let plan = Plan::of(declaration, &self.unit.header, self.endian());
        let mut met = self.plain_members.0.borrow_mut();
        met.resize(PLACES, Met::default());
        if let Some(place) = met.get_mut(code as usize % PLACES) {
            *place = Met { code, plan };
        }
        plan
    }
}

impl Plan {
    /// None where the entries are something else, or one of their attributes varies in length.
    fn of(
        declaration: &Abbreviation,
        header: &UnitHeader<Slice<'_>>,
        endian: RunTimeEndian,
    ) -> Option<Plan> {
        let is_member = declaration.tag() == dw::DW_TAG_member && !declaration.has_children();
        if !is_member || header.format() != Format::Dwarf32 {
            return None;
        }
        let (mut name, mut target, mut place, mut size) =
            (Name::None, None, Constant::said(0), 0_u8);
        let (mut bit_offset, mut bit_size, mut align) = (None, None, None);
        let constant = |attribute, at| Constant::of(attribute, at, endian);
        for (position, attribute) in declaration.attributes().iter().enumerate() {
            match (attribute.name(), attribute.form()) {
                (dw::DW_AT_name, dw::DW_FORM_string) if position == 0 => {
                    name = Name::Here;
                    continue;
                }
                (dw::DW_AT_name, dw::DW_FORM_strp) if matches!(name, Name::None) => {
                    name = Name::Elsewhere(size);
                }
                (dw::DW_AT_type, dw::DW_FORM_ref4) => target = Some(size),
                (dw::DW_AT_data_member_location, _) => place = constant(attribute, size)?,
                (dw::DW_AT_data_bit_offset, _) => bit_offset = Some(constant(attribute, size)?),
                (dw::DW_AT_bit_size, _) => bit_size = Some(constant(attribute, size)?),
                (dw::DW_AT_alignment, _) => align = Some(constant(attribute, size)?),
                (dw::DW_AT_decl_file | dw::DW_AT_decl_line | dw::DW_AT_decl_column, _) => {}
                _ => return None,
            }
            let its_size = u8::try_from(attribute.size(header)?).ok()?;
            size = size.checked_add(its_size).filter(|size| usize::from(*size) <= MOST)?;
        }
        // A size alone is what DWARF 2 and 3 have, with a place that counts from the top of a storage unit.
        if bit_offset.is_some() != bit_size.is_some() {
            return None;
        }
        let (target, bits) = (target?, bit_offset.zip(bit_size));
        Some(Plan { name, target, place, bits, align, size })
    }

    /// Reads an entry, whose `attributes` are behind its code.
    #[inline(always)]
    fn read<'a>(
        &self,
        unit: &UnitView<'a>,
        entry: Slice<'a>,
        mut attributes: Slice<'a>,
    ) -> Option<(PlainMember<'a>, usize)> {
        let mut name: &[u8] = &[];
        if let Name::Here = self.name {
            name = text_at(attributes.slice())?;
            attributes.skip(name.len() + 1).ok()?;
        }
        let size = entry.len() - attributes.len() + usize::from(self.size);
        let endian = attributes.endian();
        let attributes = Attributes { bytes: attributes.slice().first_chunk()?, endian };
        if let Name::Elsewhere(at) = self.name {
            let offset = DebugStrOffset(attributes.word(at) as usize);
            name = unit.string_at(offset).unwrap_or_default();
        }
        let constant = |it| attributes.constant(it);
        let bits = self.bits.map(|(offset, size)| (constant(offset), constant(size)));
        let target = unit.die_ref(UnitOffset(attributes.word(self.target) as usize));
        let (place, align) = (constant(self.place), self.align.map(constant));
        Some((PlainMember { name, target, place, bits, align }, size))
    }
}

impl Constant {
    const fn said(number: u32) -> Constant {
        Constant { said: number, mask: 0, at: 0, shift: 0 }
    }

    fn of(attribute: &AttributeSpecification, at: u8, endian: RunTimeEndian) -> Option<Constant> {
        let width = match attribute.form() {
            dw::DW_FORM_implicit_const => {
                let said = u32::try_from(attribute.implicit_const_value()?).ok()?;
                return Some(Constant::said(said));
            }
            dw::DW_FORM_data1 => 8,
            dw::DW_FORM_data2 => 16,
            dw::DW_FORM_data4 => 32,
            _ => return None,
        };
        let shift = if endian.is_big_endian() { 32 - width } else { 0 };
        Some(Constant { said: 0, mask: u32::MAX >> (32 - width), at, shift })
    }
}

/// The attributes of one entry, and what follows: a number of one byte is read with three behind it. The last
/// entries of a unit may have less behind them, and are read as others are.
struct Attributes<'a> {
    bytes: &'a [u8; MOST + 4],
    endian: RunTimeEndian,
}

impl Attributes<'_> {
    #[inline]
    fn constant(&self, constant: Constant) -> u64 {
        u64::from(self.word(constant.at) >> constant.shift & constant.mask | constant.said)
    }

    #[inline]
    fn word(&self, at: u8) -> u32 {
        let at = usize::from(at) % MOST;
        let bytes = self.bytes.get(at..at + 4).and_then(|bytes| bytes.first_chunk());
        let word = bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes));
        if self.endian.is_big_endian() { word.swap_bytes() } else { word }
    }
}
