//! Which multiple of bytes does a type start at?
//!
//! DWARF says it only where the source did (DW_AT_alignment, DWARF 5 §2.24). Otherwise it is what the
//! ABIs agree on: a number or pointer is aligned to its size, an array as its element, a struct as
//! the strictest of its members. Where they do not agree it is none.

use gimli::{AttributeValue, constants as dw};

use super::reader::{MAX_CHAIN, Reader, is_aggregate, is_transparent};
use super::{Error, Size};
use crate::dwarf::{Die, DieRef};

/// Structs in structs are looked into so deep.
const MAX_NESTING: usize = 24;

/// No ABI aligns a number to more.
const MOST: u64 = 16;

impl<'a> Reader<'_, 'a> {
    /// The alignment of a type; none where it is not certain.
    pub(super) fn alignment_at(&self, at: DieRef) -> Result<Option<u64>, Error> {
        self.known_alignment(at, MAX_NESTING)
    }

    /// A struct has many members of few types: each is looked at once.
    fn known_alignment(&self, at: DieRef, nesting: usize) -> Result<Option<u64>, Error> {
        if let Some(known) = self.alignments.borrow().get(&at) {
            return Ok(*known);
        }
        let typed = self.types.borrow().get(&at).cloned();
        let found = match typed.as_ref().and_then(|typed| typed.declared.as_ref()) {
            Some(declared) => self.alignment_within(declared, nesting)?,
            None => self.alignment_within(&self.die(at)?, nesting)?,
        };
        self.alignments.borrow_mut().insert(at, found);
        Ok(found)
    }

    fn alignment_within(&self, die: &Die<'a>, nesting: usize) -> Result<Option<u64>, Error> {
        let mut current = self.completed(die.clone())?;
        for _ in 0..MAX_CHAIN {
            if let Some(stated) = current.unsigned(dw::DW_AT_alignment) {
                return Ok(Some(stated).filter(|stated| stated.is_power_of_two()));
            }
            let tag = current.tag();
            match tag {
                dw::DW_TAG_base_type
                | dw::DW_TAG_enumeration_type
                | dw::DW_TAG_pointer_type
                | dw::DW_TAG_reference_type
                | dw::DW_TAG_rvalue_reference_type => return self.natural(&current),
                // A vector is aligned to its size, which an array is not.
                dw::DW_TAG_array_type if current.flag(dw::DW_AT_GNU_vector) => return Ok(None),
                // `_Atomic` may make a struct stricter than its members.
                dw::DW_TAG_atomic_type => return Ok(None),
                dw::DW_TAG_array_type => {}
                tag if is_aggregate(tag) => return self.of_aggregate(&current, nesting),
                tag if is_transparent(tag) => {}
                _ => return Ok(None),
            }
            match self.type_of(&current)? {
                Some(next) => current = self.completed(next)?,
                None => return Ok(None),
            }
        }
        Err(Error::TooDeep)
    }

    fn natural(&self, die: &Die<'a>) -> Result<Option<u64>, Error> {
        let Size::Known(mut size) = self.size_of(die)? else { return Ok(None) };
        if die.value(dw::DW_AT_encoding) == Some(AttributeValue::Encoding(dw::DW_ATE_complex_float))
        {
            size /= 2;
        }
        // 32-bit ABIs differ in how they align what is wider than a register.
        let agreed = MOST.min(match die.unit().address_size() {
            8 => MOST,
            narrow => narrow.into(),
        });
        Ok(Some(size).filter(|size| size.is_power_of_two() && *size <= agreed))
    }

    fn of_aggregate(&self, die: &Die<'a>, nesting: usize) -> Result<Option<u64>, Error> {
        if let Some(known) = self.alignments.borrow().get(&die.at()) {
            return Ok(*known);
        }
        let found = match nesting.checked_sub(1) {
            Some(nesting) if !die.is_declaration() => self.strictest(die, nesting)?,
            _ => None,
        };
        self.alignments.borrow_mut().insert(die.at(), found);
        Ok(found)
    }

    /// The strictest of the members; 1 where they show that the type is packed.
    fn strictest(&self, die: &Die<'a>, nesting: usize) -> Result<Option<u64>, Error> {
        let parts = self.known_parts(die)?;
        if parts.why.is_some() {
            return Ok(None);
        }
        let mut strictest = 1;
        for member in &parts.members {
            let align = match (member.align, member.type_die) {
                (Some(stated), _) => Some(stated).filter(|stated| stated.is_power_of_two()),
                (None, Some(declared)) => self.known_alignment(declared, nesting)?,
                (None, None) => None,
            };
            let Some(align) = align else { return Ok(None) };
            let is_packed = member.offset.is_some_and(|offset| !offset.is_multiple_of(align));
            if member.bits.is_none() && is_packed {
                return Ok(Some(1));
            }
            strictest = strictest.max(align);
        }
        let Size::Known(size) = self.size_of(die)? else { return Ok(None) };
        Ok(Some(if size.is_multiple_of(strictest) { strictest } else { 1 }))
    }
}
