//! What the entry of a member says (DWARF 5 §5.7.6), read in one go: a struct has hundreds.

use gimli::{AttributeValue, DwAt, constants as dw};

use super::{Access, Error};
use crate::dwarf::{Die, Slice, signed, unsigned};

/// The attributes of a member, or of a base class, that a layout is made of.
#[derive(Clone, Debug, Default)]
pub(super) struct MemberEntry<'a> {
    /// DW_AT_name.
    pub(super) name: Option<AttributeValue<Slice<'a>>>,
    /// DW_AT_type.
    pub(super) target: Option<AttributeValue<Slice<'a>>>,
    /// DW_AT_data_member_location.
    pub(super) place: Option<AttributeValue<Slice<'a>>>,
    /// DW_AT_data_bit_offset.
    pub(super) data_bit_offset: Option<u64>,
    /// DW_AT_bit_offset, of DWARF 2 and 3.
    pub(super) bit_offset: Option<i64>,
    /// DW_AT_bit_size.
    pub(super) bit_size: Option<u64>,
    /// DW_AT_byte_size.
    pub(super) byte_size: Option<u64>,
    /// DW_AT_alignment, in bytes.
    pub(super) align: Option<u64>,
    /// DW_AT_accessibility.
    pub(super) access: Option<Access>,
    /// It has no place in the object: DWARF 5 gives a static member DW_TAG_variable, older versions
    /// have one that is only declared (DWARF 4 §5.5.6).
    pub(super) is_static: bool,
}

impl<'a> MemberEntry<'a> {
    /// What a DIE says as a member.
    pub(super) fn of(die: &Die<'a>) -> Result<MemberEntry<'a>, Error> {
        let mut entry = MemberEntry::default();
        die.unit().walk(die.at())?.step(|name, value| entry.take(name, value))?;
        Ok(entry)
    }

    /// Takes an attribute as written.
    #[inline]
    pub(super) fn take(&mut self, name: DwAt, value: AttributeValue<Slice<'a>>) {
        match name {
            dw::DW_AT_name => self.name = Some(value),
            dw::DW_AT_type => self.target = Some(value),
            dw::DW_AT_data_member_location => self.place = Some(value),
            dw::DW_AT_data_bit_offset => self.data_bit_offset = unsigned(value),
            dw::DW_AT_bit_offset => self.bit_offset = signed(value),
            dw::DW_AT_bit_size => self.bit_size = unsigned(value),
            dw::DW_AT_byte_size => self.byte_size = unsigned(value),
            dw::DW_AT_alignment => self.align = unsigned(value),
            dw::DW_AT_accessibility => self.access = Some(access(unsigned(value))),
            dw::DW_AT_declaration | dw::DW_AT_external => {
                self.is_static |= value == AttributeValue::Flag(true);
            }
            _ => {}
        }
    }
}

fn access(code: Option<u64>) -> Access {
    match code.and_then(|code| u8::try_from(code).ok()).map(gimli::DwAccess) {
        Some(dw::DW_ACCESS_private) => Access::Private,
        Some(dw::DW_ACCESS_protected) => Access::Protected,
        _ => Access::Public,
    }
}
