//! Members as nearly all are, read by the places of their attributes in the entry.
//!
//! A declaration says for all its entries which attributes they have and in which form (DWARF 5 §7.5.3): where none
//! of these varies in length, each attribute is so many bytes behind the code, and the others need not be looked at.

use std::cell::RefCell;

use gimli::{
    Abbreviation, AttributeSpecification, DebugStrOffset, Endianity, Format, Reader, RunTimeEndian,
    Unit, UnitHeader, UnitOffset, constants as dw,
};
use rustc_hash::FxHashMap;

use super::Slice;
use super::abbreviations::short_uleb128;

/// A member whose place and type are constants of a fixed size, and that says nothing that few do: no alignment of
/// its own, no access, no reason why it is not in the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainMember {
    /// DW_AT_name, in .debug_str; a struct or union inside another may have none.
    pub name: Option<DebugStrOffset>,
    /// DW_AT_type.
    pub target: UnitOffset,
    /// DW_AT_data_member_location, in bytes; absent it is 0 (DWARF 5 §5.7.6).
    pub place: u64,
    /// Of a bit field, DW_AT_data_bit_offset and DW_AT_bit_size.
    pub bits: Option<(u64, u64)>,
}

/// Where the attributes of such members are, in bytes behind the code, by the declaration.
#[derive(Clone, Copy, Debug)]
struct Plan {
    name: Option<u16>,
    target: u16,
    place: Constant,
    bits: Option<(Constant, Constant)>,
    /// What all attributes take.
    size: u16,
}

/// Where a number is: in the declaration itself, or so many bytes behind the code, in one byte, two, or four.
#[derive(Clone, Copy, Debug)]
enum Constant {
    Said(u64),
    Byte(u16),
    Short(u16),
    Word(u16),
}

/// The declarations of one unit that entries were met of, by their codes.
#[derive(Debug, Default)]
pub(super) struct PlainMembers {
    /// None for those whose entries are no plain members.
    met: RefCell<FxHashMap<u64, Option<Plan>>>,
}

impl PlainMembers {
    /// Reads an entry with its code, if it is a plain member, and how many bytes it takes.
    #[inline]
    pub(super) fn read(
        &self,
        unit: &Unit<Slice<'_>>,
        entry: Slice<'_>,
    ) -> Option<(PlainMember, usize)> {
        let mut attributes = entry;
        let code = short_uleb128(&mut attributes).ok()?;
        let met = self.met.borrow().get(&code).copied();
        let plan = match met {
            Some(plan) => plan?,
            None => self.meet(code, unit)?,
        };
        let size = entry.len() - attributes.len() + usize::from(plan.size);
        Some((plan.read(attributes)?, size))
    }

    fn meet(&self, code: u64, unit: &Unit<Slice<'_>>) -> Option<Plan> {
        let plan = Plan::of(unit.abbreviations.get(code)?, &unit.header);
        self.met.borrow_mut().insert(code, plan);
        plan
    }
}

impl Plan {
    /// None where the entries are something else, or one of their attributes varies in length.
    fn of(declaration: &Abbreviation, header: &UnitHeader<Slice<'_>>) -> Option<Plan> {
        let is_member = declaration.tag() == dw::DW_TAG_member && !declaration.has_children();
        if !is_member || header.format() != Format::Dwarf32 {
            return None;
        }
        let (mut name, mut target, mut place, mut size) = (None, None, Constant::Said(0), 0_u16);
        let (mut bit_offset, mut bit_size) = (None, None);
        for attribute in declaration.attributes() {
            match (attribute.name(), attribute.form()) {
                (dw::DW_AT_name, dw::DW_FORM_strp) => name = Some(size),
                (dw::DW_AT_type, dw::DW_FORM_ref4) => target = Some(size),
                (dw::DW_AT_data_member_location, _) => place = Constant::of(attribute, size)?,
                (dw::DW_AT_data_bit_offset, _) => bit_offset = Some(Constant::of(attribute, size)?),
                (dw::DW_AT_bit_size, _) => bit_size = Some(Constant::of(attribute, size)?),
                (dw::DW_AT_decl_file | dw::DW_AT_decl_line | dw::DW_AT_decl_column, _) => {}
                _ => return None,
            }
            let its_size = u16::try_from(attribute.size(header)?).ok()?;
            size = size.checked_add(its_size)?;
        }
        // A size alone is what DWARF 2 and 3 have, with a place that counts from the top of a storage unit.
        if bit_offset.is_some() != bit_size.is_some() {
            return None;
        }
        Some(Plan { name, target: target?, place, bits: bit_offset.zip(bit_size), size })
    }

    #[inline]
    fn read(&self, attributes: Slice<'_>) -> Option<PlainMember> {
        let bytes = attributes.slice().get(..self.size.into())?;
        let attributes = Attributes { bytes, endian: attributes.endian() };
        let name = match self.name {
            Some(at) => Some(DebugStrOffset(attributes.word(at)? as usize)),
            None => None,
        };
        let bits = match self.bits {
            Some((offset, size)) => {
                Some((attributes.constant(offset)?, attributes.constant(size)?))
            }
            None => None,
        };
        let target = UnitOffset(attributes.word(self.target)? as usize);
        Some(PlainMember { name, target, place: attributes.constant(self.place)?, bits })
    }
}

impl Constant {
    fn of(attribute: &AttributeSpecification, at: u16) -> Option<Constant> {
        match attribute.form() {
            dw::DW_FORM_implicit_const => {
                Some(Constant::Said(u64::try_from(attribute.implicit_const_value()?).ok()?))
            }
            dw::DW_FORM_data1 => Some(Constant::Byte(at)),
            dw::DW_FORM_data2 => Some(Constant::Short(at)),
            dw::DW_FORM_data4 => Some(Constant::Word(at)),
            _ => None,
        }
    }
}

/// The attributes of one entry.
struct Attributes<'a> {
    bytes: &'a [u8],
    endian: RunTimeEndian,
}

impl Attributes<'_> {
    #[inline]
    fn constant(&self, constant: Constant) -> Option<u64> {
        match constant {
            Constant::Said(number) => Some(number),
            Constant::Byte(at) => self.bytes.get(usize::from(at)).map(|byte| (*byte).into()),
            Constant::Short(at) => self.short(at).map(u64::from),
            Constant::Word(at) => self.word(at).map(u64::from),
        }
    }

    #[inline]
    fn short(&self, at: u16) -> Option<u16> {
        let bytes = self.bytes.get(usize::from(at)..)?.get(..2)?;
        Some(self.endian.read_u16(bytes))
    }

    #[inline]
    fn word(&self, at: u16) -> Option<u32> {
        let bytes = self.bytes.get(usize::from(at)..)?.get(..4)?;
        Some(self.endian.read_u32(bytes))
    }
}
