//! What the entry of a member says (DWARF 5 §5.7.6), whatever that is, read in one go. What nearly all of C say is
//! read without it (`src/dwarf/plain_member.rs`).

use gimli::{AttributeValue, DebugStrOffset, DwAt, UnitOffset, constants as dw};

use crate::dwarf::{Die, DieRef, Slice, UnitView, View, signed, unsigned};
use crate::types::{Access, Error};

/// A value as written. Nearly all are of one form, and take fewer bytes than one that may be any: to copy
/// such a one takes longer than to read it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Value<'a, T> {
    #[default]
    Absent,
    Usual(T),
    Other(AttributeValue<Slice<'a>>),
}

/// The attributes of a member, or of a base class, that a layout is made of.
#[derive(Clone, Debug, Default)]
pub(super) struct MemberEntry<'a> {
    /// DW_AT_name.
    name: Value<'a, DebugStrOffset>,
    /// DW_AT_type.
    target: Value<'a, UnitOffset>,
    /// DW_AT_data_member_location, in bytes where it is a constant.
    pub(super) place: Value<'a, u64>,
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

    /// The name; empty where it has none.
    #[inline]
    pub(super) fn name(&self, view: &View<'a>, unit: &UnitView<'a>) -> &'a [u8] {
        let name = match self.name {
            Value::Absent => None,
            Value::Usual(offset) => unit.string_at(offset),
            Value::Other(value) => view.string(unit, value),
        };
        name.unwrap_or_default()
    }

    /// Where the type is; none for `void`.
    #[inline]
    pub(super) fn target(
        &self,
        view: &View<'a>,
        unit: &UnitView<'a>,
    ) -> Result<Option<DieRef>, Error> {
        match self.target {
            Value::Absent => Ok(None),
            Value::Usual(offset) => Ok(Some(unit.die_ref(offset))),
            Value::Other(value) => Ok(view.follow(unit, value)?),
        }
    }

    /// Takes an attribute as written.
    #[inline]
    pub(super) fn take(&mut self, name: DwAt, value: AttributeValue<Slice<'a>>) {
        match name {
            dw::DW_AT_name => {
                self.name = match value {
                    AttributeValue::DebugStrRef(offset) => Value::Usual(offset),
                    value => Value::Other(value),
                }
            }
            dw::DW_AT_type => {
                self.target = match value {
                    AttributeValue::UnitRef(offset) => Value::Usual(offset),
                    value => Value::Other(value),
                }
            }
            dw::DW_AT_data_member_location => {
                self.place = match unsigned(value) {
                    Some(bytes) => Value::Usual(bytes),
                    None => Value::Other(value),
                }
            }
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
