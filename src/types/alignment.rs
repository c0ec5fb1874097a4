//! Which multiple of bytes does a type start at?
//!
//! DWARF says it only where the source did (DW_AT_alignment, DWARF 5 §2.24). Otherwise it is what the
//! ABIs agree on: a number or pointer is aligned to its size, an array as its element, a struct as
//! the strictest of its members. Where they do not agree it is none.

use gimli::{AttributeValue, RunTimeEndian, constants as dw};

use super::members::MemberType;
use super::reader::{MAX_CHAIN, Reader, is_aggregate, is_transparent};
use super::{Error, Location, Member, Size};
use crate::dwarf::{Die, DieRef, Language};

/// Structs in structs are looked into so deep, which is deeper than layouts are shown.
const MAX_NESTING: usize = 64;

/// What the ABIs of machines of a kind agree on: numbers up to this many bytes are aligned to their size.
/// i386 aligns no number to more than four bytes in a struct, s390x none to more than eight, m68k none to
/// more than two, AVR none at all.
fn agreed(address_size: u8, endian: RunTimeEndian) -> u64 {
    match (address_size, endian) {
        (8, RunTimeEndian::Little) => 16,
        (8, RunTimeEndian::Big) => 8,
        (4, RunTimeEndian::Little) => 4,
        (4, RunTimeEndian::Big) => 2,
        _ => 1,
    }
}

/// What was found out about a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Alignment {
    /// None where it is not certain.
    bytes: Option<u64>,
    /// How many structs are in one another to its bottom: whether that was too deep to be looked into must
    /// not depend on what was asked before.
    height: usize,
}

impl Alignment {
    const UNCERTAIN: Alignment = Alignment { bytes: None, height: 0 };

    fn of(bytes: Option<u64>) -> Alignment {
        Alignment { bytes, height: 0 }
    }

    #[inline]
    fn within(self, nesting: usize) -> Result<Alignment, Error> {
        if self.height > nesting { Err(Error::TooDeep) } else { Ok(self) }
    }
}

impl<'a> Reader<'_, 'a> {
    /// The alignment of a type; none where it is not certain.
    pub(super) fn alignment_at(&self, at: DieRef) -> Result<Option<u64>, Error> {
        match self.known_alignment(at, MAX_NESTING) {
            Ok(known) => Ok(known.bytes),
            Err(Error::TooDeep) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The same of a type that members have: it keeps it.
    #[inline]
    pub(super) fn alignment_of(&self, its: &MemberType) -> Result<Option<u64>, Error> {
        match its.align.get() {
            Some(known) => Ok(*known),
            None => self.learn_alignment_of(its),
        }
    }

    #[cold]
    fn learn_alignment_of(&self, its: &MemberType) -> Result<Option<u64>, Error> {
        let align = its.die.map_or(Ok(None), |at| self.alignment_at(at))?;
        Ok(*its.align.get_or_init(|| align))
    }

    /// A struct has many members of few types: each is looked at once.
    fn known_alignment(&self, at: DieRef, nesting: usize) -> Result<Alignment, Error> {
        if let Some(known) = self.known.borrow().alignment(at) {
            return known.within(nesting);
        }
        let found = self.alignment_within(&self.die(at)?, nesting)?;
        self.known.borrow_mut().learn_alignment(at, found);
        Ok(found)
    }

    fn alignment_within(&self, die: &Die<'a>, nesting: usize) -> Result<Alignment, Error> {
        let mut current = self.completed(die.clone())?;
        for _ in 0..MAX_CHAIN {
            let tag = current.tag();
            if let Some(stated) = current.unsigned(dw::DW_AT_alignment) {
                // rustc states what holds: `packed(8)` overrules members that ask for more.
                let is_to_be_compared = is_aggregate(tag) && current.language() != Language::Rust;
                let natural = match is_to_be_compared {
                    true => self.of_aggregate(&current, nesting)?,
                    false => Alignment::UNCERTAIN,
                };
                return Ok(Alignment { bytes: certain(stated, natural.bytes), ..natural });
            }
            match tag {
                dw::DW_TAG_base_type
                | dw::DW_TAG_enumeration_type
                | dw::DW_TAG_pointer_type
                | dw::DW_TAG_reference_type
                | dw::DW_TAG_rvalue_reference_type => {
                    return self.natural(&current).map(Alignment::of);
                }
                // A vector is aligned to its size, which an array is not.
                dw::DW_TAG_array_type if current.flag(dw::DW_AT_GNU_vector) => {
                    return Ok(Alignment::UNCERTAIN);
                }
                // So may be one that Ada packs.
                dw::DW_TAG_array_type if current.has(dw::DW_AT_bit_stride) => {
                    return Ok(Alignment::UNCERTAIN);
                }
                // `_Atomic` may make a struct stricter than its members.
                dw::DW_TAG_atomic_type => return Ok(Alignment::UNCERTAIN),
                dw::DW_TAG_array_type => {}
                tag if is_aggregate(tag) => return self.of_aggregate(&current, nesting),
                tag if is_transparent(tag) => {}
                _ => return Ok(Alignment::UNCERTAIN),
            }
            match self.type_of(&current)? {
                Some(next) => current = self.completed(next)?,
                None => return Ok(Alignment::UNCERTAIN),
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
        let agreed = agreed(die.unit().address_size(), die.unit().endian());
        // Before 1.77, rustc aligned those of sixteen bytes to eight on x86-64.
        let agreed = if die.language() == Language::Rust { agreed.min(8) } else { agreed };
        Ok(Some(size).filter(|size| size.is_power_of_two() && *size <= agreed))
    }

    fn of_aggregate(&self, die: &Die<'a>, nesting: usize) -> Result<Alignment, Error> {
        // GNAT aligns a packed record to its size where that is small, and any as its source says.
        if die.language() == Language::Other {
            return Ok(Alignment::UNCERTAIN);
        }
        if let Some(known) = self.known.borrow().alignment(die.at()) {
            return known.within(nesting);
        }
        let nesting = nesting.checked_sub(1).ok_or(Error::TooDeep)?;
        let found = match die.is_declaration() {
            true => Alignment::UNCERTAIN,
            false => self.strictest(die, nesting)?,
        };
        self.known.borrow_mut().learn_alignment(die.at(), found);
        Ok(found)
    }

    /// The strictest of the members. Where one stands at no multiple of its own, the type is packed, or
    /// that member is: only an odd size shows that nothing is aligned.
    fn strictest(&self, die: &Die<'a>, nesting: usize) -> Result<Alignment, Error> {
        let parts = self.known_parts(die)?;
        let mut height = 1;
        if parts.why.is_some() {
            return Ok(Alignment { bytes: None, height });
        }
        let (mut strictest, mut is_packed) = (1, false);
        for member in parts.members.iter() {
            let natural = match member.type_die() {
                Some(declared) => self.known_alignment(declared, nesting)?,
                None => Alignment::UNCERTAIN,
            };
            height = height.max(natural.height + 1);
            let Some(align) = member_alignment(member, natural.bytes) else {
                return Ok(Alignment { bytes: None, height });
            };
            let offset = byte_offset(member);
            is_packed |= offset.is_some_and(|offset| !offset.is_multiple_of(align));
            strictest = strictest.max(align);
        }
        let Size::Known(size) = self.size_of(die)? else {
            return Ok(Alignment { bytes: None, height });
        };
        is_packed |= !size.is_multiple_of(strictest);
        let bytes = match is_packed {
            false => Some(strictest),
            true => (size % 2 == 1).then_some(1),
        };
        Ok(Alignment { bytes, height })
    }
}

/// What is stated, where it is certain. GCC states what holds; Clang the attribute of the source, which
/// members that ask for more overrule unless the type is packed: then it may be either.
fn certain(stated: u64, natural: Option<u64>) -> Option<u64> {
    Some(stated).filter(|at| at.is_power_of_two() && natural.is_none_or(|natural| natural <= *at))
}

/// The alignment of a member, by what it states, its place, and the alignment of its type.
#[inline]
pub(super) fn member_alignment(member: Member<'_>, natural: Option<u64>) -> Option<u64> {
    let is_aligned =
        |natural: &u64| byte_offset(member).is_none_or(|offset| offset.is_multiple_of(*natural));
    match member.align() {
        Some(stated) => certain(stated, natural.filter(is_aligned)),
        None => natural,
    }
}

/// Where a member starts that is no bit field.
#[inline]
fn byte_offset(member: Member<'_>) -> Option<u64> {
    match member.location {
        Location::Bytes(offset) => Some(offset),
        Location::Bits(_) | Location::Dynamic { .. } => None,
    }
}
