//! A hash of everything a layout shows, without building it.
//!
//! A header's struct is defined anew in every unit that includes it: task_struct two thousand times
//! in a kernel. Hashing them tells which are alike; only one of each shape is then read in full. The
//! hash may tell layouts apart that read alike (a merge follows), never the other way round.

use std::hash::{Hash, Hasher};

use gimli::{AttributeValue, constants as dw};
use rustc_hash::{FxHashMap, FxHasher};

use super::location::location;
use super::reader::{Reader, is_aggregate, is_transparent};
use super::{Error, Size};
use crate::dwarf::{Die, DieRef, Language};

/// Types nested deeper than this are a cycle in damaged debug info.
const MAX_DEPTH: usize = 96;

/// Hashes types, remembering those it has met in one unit: the next unit has its own copies.
#[derive(Debug)]
pub(super) struct Shapes<'r, 'v, 'a> {
    reader: &'r Reader<'v, 'a>,
    unit: Option<DieRef>,
    known: FxHashMap<(DieRef, Through), u64>,
}

/// How a type is met: as bytes of the layout, or behind a pointer, where only its name shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Through {
    Value,
    Pointer,
}

impl<'r, 'v, 'a> Shapes<'r, 'v, 'a> {
    pub(super) fn new(reader: &'r Reader<'v, 'a>) -> Self {
        Shapes { reader, unit: None, known: FxHashMap::default() }
    }

    /// The hash of a type that is asked for.
    pub(super) fn of(&mut self, die: &Die<'a>) -> Result<u64, Error> {
        if self.unit.replace(die.unit().root()) != Some(die.unit().root()) {
            self.known.clear();
        }
        self.shape(die, Through::Value, 0)
    }

    fn shape(&mut self, die: &Die<'a>, through: Through, depth: usize) -> Result<u64, Error> {
        if depth > MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        let key = (die.at(), through);
        if let Some(shape) = self.known.get(&key) {
            return Ok(*shape);
        }
        let mut hasher = FxHasher::default();
        self.feed(die, through, depth, &mut hasher)?;
        let shape = hasher.finish();
        self.known.insert(key, shape);
        Ok(shape)
    }

    /// The shape of the type that a DIE refers to, and 0 for `void`: types met before are not even
    /// read again.
    fn target(&mut self, from: &Die<'a>, through: Through, depth: usize) -> Result<u64, Error> {
        let Some(at) = self.reader.view.type_of(from)? else { return Ok(0) };
        match self.known.get(&(at, through)) {
            Some(shape) => Ok(*shape),
            None => self.shape(&self.reader.die_from(from, at)?, through, depth + 1),
        }
    }

    fn feed(
        &mut self,
        die: &Die<'a>,
        through: Through,
        depth: usize,
        hasher: &mut FxHasher,
    ) -> Result<(), Error> {
        (die.tag().0, die.language(), die.is_declaration()).hash(hasher);
        self.feed_name(die, hasher);
        for attribute in [dw::DW_AT_byte_size, dw::DW_AT_alignment] {
            (die.unsigned(attribute), die.is_dynamic(attribute)).hash(hasher);
        }
        // What is behind a pointer shows by name only, and may lead back to where we came from.
        if through == Through::Pointer && die.has(dw::DW_AT_name) && !is_pointer_like(die) {
            if die.language() != Language::C {
                self.reader.scope(die)?.hash(hasher);
            }
            return Ok(());
        }
        match die.tag() {
            tag if is_aggregate(tag) => {
                let completed = self.reader.completed(die.clone())?;
                if completed.at() != die.at() {
                    return self.feed(&completed, through, depth + 1, hasher);
                }
                self.feed_members(die, through, depth, hasher)?;
            }
            dw::DW_TAG_enumeration_type => self.feed_members(die, through, depth, hasher)?,
            dw::DW_TAG_array_type => {
                for extent in self.reader.extents(die)? {
                    extent.hash(hasher);
                }
                self.target(die, through, depth)?.hash(hasher);
            }
            dw::DW_TAG_subroutine_type => {
                self.feed_members(die, Through::Pointer, depth, hasher)?;
                self.target(die, Through::Pointer, depth)?.hash(hasher);
            }
            tag if is_transparent(tag) => self.target(die, through, depth)?.hash(hasher),
            _ => self.target(die, Through::Pointer, depth)?.hash(hasher),
        }
        Ok(())
    }
    /// Linkers merge equal strings: the place of one says as much as its text, and is cheaper.
    fn feed_name(&self, die: &Die<'a>, hasher: &mut FxHasher) {
        match die.value(dw::DW_AT_name) {
            Some(AttributeValue::DebugStrRef(offset)) => offset.0.hash(hasher),
            Some(_) => self.reader.view.name(die).hash(hasher),
            None => {}
        }
    }

    fn feed_members(
        &mut self,
        die: &Die<'a>,
        through: Through,
        depth: usize,
        hasher: &mut FxHasher,
    ) -> Result<(), Error> {
        for child in die.children() {
            self.reader.count()?;
            let child = match child {
                Ok(child) => child,
                Err(error) => {
                    error.to_string().hash(hasher);
                    break;
                }
            };
            match child.tag() {
                dw::DW_TAG_member | dw::DW_TAG_inheritance => {
                    self.feed_member(&child, through, depth, hasher)?;
                }
                dw::DW_TAG_enumerator => {
                    self.feed_name(&child, hasher);
                    child.unsigned(dw::DW_AT_const_value).hash(hasher);
                    child.signed(dw::DW_AT_const_value).hash(hasher);
                }
                dw::DW_TAG_variant_part | dw::DW_TAG_variant => {
                    self.feed_members(&child, through, depth + 1, hasher)?;
                }
                dw::DW_TAG_formal_parameter | dw::DW_TAG_unspecified_parameters => {
                    child.tag().0.hash(hasher);
                    self.target(&child, Through::Pointer, depth)?.hash(hasher);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn feed_member(
        &mut self,
        member: &Die<'a>,
        through: Through,
        depth: usize,
        hasher: &mut FxHasher,
    ) -> Result<(), Error> {
        let is_static = (member.is_declaration(), member.flag(dw::DW_AT_external));
        (member.tag().0, is_static).hash(hasher);
        self.feed_name(member, hasher);
        // The type's shape holds its size; only the older bit fields are placed by it.
        let storage = match older_bit_field_type(self.reader, member)? {
            Some(declared) => self.reader.size_of(&declared)?,
            None => Size::Dynamic,
        };
        location(member, storage)?.hash(hasher);
        self.target(member, through, depth)?.hash(hasher);
        Ok(())
    }
}

/// The type of a bit field that DWARF 2 and 3 place from the end of its storage unit.
fn older_bit_field_type<'a>(
    reader: &Reader<'_, 'a>,
    member: &Die<'a>,
) -> Result<Option<Die<'a>>, Error> {
    if member.has(dw::DW_AT_bit_offset) { reader.type_of(member) } else { Ok(None) }
}

/// Types whose spelling goes on behind them: the chain is followed to a type with a name.
fn is_pointer_like(die: &Die<'_>) -> bool {
    matches!(
        die.tag(),
        dw::DW_TAG_pointer_type
            | dw::DW_TAG_reference_type
            | dw::DW_TAG_rvalue_reference_type
            | dw::DW_TAG_ptr_to_member_type
            | dw::DW_TAG_array_type
            | dw::DW_TAG_subroutine_type
    )
}
