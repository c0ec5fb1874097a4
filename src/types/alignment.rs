//! Which multiple of bytes does a type start at?
//!
//! DWARF says it only where the source did (DW_AT_alignment, DWARF 5 §2.24). Otherwise it is what the
//! ABIs agree on: a number or pointer is aligned to its size, an array as its element, a struct as
//! the strictest of its members. Where they do not agree it is none.

use gimli::{AttributeValue, constants as dw};

use super::location::{Location, location};
use super::member_entry::MemberEntry;
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
        self.known_alignment(at, MAX_NESTING, || self.die(at))
    }

    /// A struct has many members of few types: each is looked at once.
    fn known_alignment(
        &self,
        at: DieRef,
        nesting: usize,
        read: impl FnOnce() -> Result<Die<'a>, Error>,
    ) -> Result<Option<u64>, Error> {
        if let Some(known) = self.alignments.borrow().get(&at) {
            return Ok(*known);
        }
        let found = self.alignment_within(&read()?, nesting)?;
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
        let mut strictest = 1;
        let (unit, mut children) = (die.unit(), die.walk_children()?);
        while let Some(walk) = &mut children {
            let mut member = MemberEntry::default();
            let Some(step) = walk.step(|name, value| member.take(name, value))? else { break };
            walk.skip_children(step)?;
            self.count()?;
            let is_member = step.tag == dw::DW_TAG_member && !member.is_static;
            if !is_member && step.tag != dw::DW_TAG_inheritance {
                continue;
            }
            let align = match (member.align, self.target(unit, &member)?) {
                (Some(stated), _) => Some(stated).filter(|stated| stated.is_power_of_two()),
                (None, Some(declared)) => {
                    self.known_alignment(declared, nesting, || self.die_near(unit, declared))?
                }
                (None, None) => None,
            };
            let Some(align) = align else { return Ok(None) };
            if let Location::Bytes(offset) = location(unit, &member, Size::Dynamic)
                && !offset.is_multiple_of(align)
            {
                return Ok(Some(1));
            }
            strictest = strictest.max(align);
        }
        let Size::Known(size) = self.size_of(die)? else { return Ok(None) };
        Ok(Some(if size.is_multiple_of(strictest) { strictest } else { 1 }))
    }
}
