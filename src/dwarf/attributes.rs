//! Attributes by meaning: names, references, constants, places in source text.

use gimli::{AttributeValue, DwAt, constants as dw};

use super::{Die, DieRef, Error, Slice, UnitView, View};

/// A constant that cannot be negative, from a value as written. Section offsets count as constants:
/// DWARF 3 wrote member locations in forms that it also gave to list offsets, and producers meant
/// constants.
#[inline]
pub fn unsigned(value: AttributeValue<Slice<'_>>) -> Option<u64> {
    match value {
        AttributeValue::SecOffset(offset) => Some(offset as u64),
        AttributeValue::Sdata(value) => u64::try_from(value).ok(),
        value => value.udata_value(),
    }
}

/// A constant that may be negative, from a value as written.
#[inline]
pub fn signed(value: AttributeValue<Slice<'_>>) -> Option<i64> {
    match value {
        AttributeValue::Udata(value) => i64::try_from(value).ok(),
        value => value.sdata_value(),
    }
}

impl<'a> Die<'a> {
    /// A flag (DW_FORM_flag, DW_FORM_flag_present); absent is false.
    pub fn flag(&self, name: DwAt) -> bool {
        matches!(self.entry.attr_value(name), Some(AttributeValue::Flag(true)))
    }

    /// A constant that cannot be negative.
    pub fn unsigned(&self, name: DwAt) -> Option<u64> {
        unsigned(self.entry.attr_value_raw(name)?)
    }

    /// A constant that may be negative.
    pub fn signed(&self, name: DwAt) -> Option<i64> {
        signed(self.entry.attr_value_raw(name)?)
    }

    /// The value by the attribute's class, for attributes whose classes differ in meaning.
    pub fn value(&self, name: DwAt) -> Option<AttributeValue<Slice<'a>>> {
        self.entry.attr_value(name)
    }

    /// The value as written, for attributes with several meanings.
    pub fn raw(&self, name: DwAt) -> Option<AttributeValue<Slice<'a>>> {
        self.entry.attr_value_raw(name)
    }

    /// Whether the attribute holds an expression or a reference: known at run time only.
    pub fn is_dynamic(&self, name: DwAt) -> bool {
        matches!(
            self.entry.attr_value(name),
            Some(
                AttributeValue::Exprloc(_)
                    | AttributeValue::UnitRef(_)
                    | AttributeValue::DebugInfoRef(_)
                    | AttributeValue::LocationListsRef(_)
                    | AttributeValue::Block(_)
            )
        )
    }
}

impl Die<'_> {
    /// DW_AT_decl_file, a number of its unit's line table, and DW_AT_decl_line.
    pub fn declared_at(&self) -> Option<(u64, u64)> {
        let line = self.unsigned(dw::DW_AT_decl_line)?;
        match self.entry.attr_value(dw::DW_AT_decl_file)? {
            AttributeValue::FileIndex(number) => Some((number, line)),
            value => Some((value.udata_value()?, line)),
        }
    }
}

impl<'a> View<'a> {
    /// The name of a DIE, as bytes of the string section; none where it has no name.
    pub fn name(&self, die: &Die<'a>) -> Option<&'a [u8]> {
        self.text(die, dw::DW_AT_name)
    }

    /// The text of an attribute; none where it has none.
    pub fn text(&self, die: &Die<'a>, name: DwAt) -> Option<&'a [u8]> {
        self.string(&die.unit, die.entry.attr_value(name)?)
    }

    /// The text of an attribute of a unit's DIE, as bytes of its section; none where it is no text.
    pub fn string(
        &self,
        unit: &UnitView<'a>,
        value: AttributeValue<Slice<'a>>,
    ) -> Option<&'a [u8]> {
        Some(unit.dwarf().attr_string(&unit.unit, value).ok()?.slice())
    }

    /// Where a reference attribute leads; none where the DIE has no such attribute.
    pub fn reference(&self, die: &Die<'a>, name: DwAt) -> Result<Option<DieRef>, Error> {
        match die.entry.attr_value(name) {
            Some(value) => self.follow(&die.unit, value),
            None => Ok(None),
        }
    }

    /// DW_AT_type: none stands for `void` (DWARF 5 §5.2).
    pub fn type_of(&self, die: &Die<'a>) -> Result<Option<DieRef>, Error> {
        self.reference(die, dw::DW_AT_type)
    }

    /// DW_AT_decl_file, by its name, and DW_AT_decl_line.
    pub fn declared_at(&self, die: &Die<'a>) -> Option<(String, u64)> {
        let (number, line) = die.declared_at()?;
        Some((self.file_name(&die.unit, number)?, line))
    }
}
