//! Members as nearly all are, read by the places of their attributes in the entry.
//!
//! A declaration says for all its entries which attributes they have and in which form (DWARF 5 §7.5.3): where none
//! of these varies in length, each attribute is so many bytes behind the code, and the others need not be looked at.

use std::cell::RefCell;

use gimli::{
    Abbreviation, AttributeSpecification, DebugStrOffset, Endianity, Format, Reader, RunTimeEndian,
    Unit, UnitHeader, UnitOffset, constants as dw,
};

use super::Slice;
use super::abbreviations::short_uleb128;

/// Codes from here on are not remembered: no unit has so many declarations.
const MAX_CODES: usize = 1 << 12;

/// A member that has a type and a constant place, and says nothing else: it is not aligned by the source, and may
/// be named by whom its struct lets.
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

/// Where a number is.
#[derive(Clone, Copy, Debug)]
enum Constant {
    /// In the declaration.
    Said(u64),
    /// So many bytes behind the code, in one byte, two, or four.
    Byte(u16),
    Short(u16),
    Word(u16),
}

/// What is known of the declaration with a code.
#[derive(Clone, Copy, Debug)]
enum Known {
    Nothing,
    /// Its entries are no plain members.
    Other,
    Plain(Plan),
}

/// The declarations of one unit that members of structs were met of.
#[derive(Debug, Default)]
pub(super) struct PlainMembers {
    by_code: RefCell<Vec<Known>>,
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
        let position = usize::try_from(code).ok()?;
        let known = self.by_code.borrow().get(position).copied().unwrap_or(Known::Nothing);
        let plan = match known {
            Known::Plain(plan) => plan,
            Known::Other => return None,
            Known::Nothing => self.learn(position, &unit.header, unit.abbreviations.get(code)?)?,
        };
        let size = entry.len() - attributes.len() + usize::from(plan.size);
        Some((plan.read(attributes)?, size))
    }

    fn learn(
        &self,
        position: usize,
        header: &UnitHeader<Slice<'_>>,
        declaration: &Abbreviation,
    ) -> Option<Plan> {
        let plan = Plan::of(declaration, header);
        let mut by_code = self.by_code.borrow_mut();
        if position < MAX_CODES && by_code.len() <= position {
            by_code.resize(position + 1, Known::Nothing);
        }
        if let Some(known) = by_code.get_mut(position) {
            *known = plan.map_or(Known::Other, Known::Plain);
        }
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
        // One without the other is what older versions write.
        if bit_offset.is_some() != bit_size.is_some() {
            return None;
        }
        Some(Plan { name, target: target?, place, bits: bit_offset.zip(bit_size), size })
    }

    #[inline]
    fn read(&self, attributes: Slice<'_>) -> Option<PlainMember> {
        let bytes = attributes.slice().get(..self.size.into())?;
        let entry = Entry { bytes, endian: attributes.endian() };
        let name = match self.name {
            Some(at) => Some(DebugStrOffset(entry.word(at)? as usize)),
            None => None,
        };
        let bits = match self.bits {
            Some((offset, size)) => Some((entry.constant(offset)?, entry.constant(size)?)),
            None => None,
        };
        let target = UnitOffset(entry.word(self.target)? as usize);
        Some(PlainMember { name, target, place: entry.constant(self.place)?, bits })
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
struct Entry<'a> {
    bytes: &'a [u8],
    endian: RunTimeEndian,
}

impl Entry<'_> {
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
