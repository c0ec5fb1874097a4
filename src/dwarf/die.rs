//! One DIE: its tag, its attributes by meaning, its children.

use std::rc::Rc;

use gimli::{DebuggingInformationEntry, DwAt, DwTag, UnitOffset, constants as dw};

use super::walk::skip_to_end;
use super::{DieRef, Error, Language, Slice, UnitView};

/// A debugging information entry (DWARF 5 §2.1), its attributes read.
#[derive(Clone, Debug)]
pub struct Die<'a> {
    at: DieRef,
    pub(super) unit: Rc<UnitView<'a>>,
    pub(super) entry: DebuggingInformationEntry<Slice<'a>>,
    /// Where the first child starts, or the next DIE where there is none.
    after: UnitOffset,
}

impl<'a> Die<'a> {
    pub(super) fn read(unit: Rc<UnitView<'a>>, at: DieRef) -> Result<Die<'a>, Error> {
        let offset = unit.offset_of(at);
        match Die::read_at(&unit, offset)? {
            Some(die) => Ok(die),
            None => Err(gimli::Error::NoEntryAtGivenOffset(at.offset()).into()),
        }
    }

    /// Reads the entry at an offset of the unit; none for the entry that ends a list of children.
    fn read_at(unit: &Rc<UnitView<'a>>, offset: UnitOffset) -> Result<Option<Die<'a>>, Error> {
        let mut entry = DebuggingInformationEntry::null();
        let mut raw = unit.unit.entries_raw(Some(offset))?;
        if !raw.read_entry(&mut entry)? {
            return Ok(None);
        }
        let after = raw.next_offset();
        Ok(Some(Die { at: unit.die_ref(offset), unit: Rc::clone(unit), entry, after }))
    }

    /// Where it is.
    pub fn at(&self) -> DieRef {
        self.at
    }

    /// What it describes.
    pub fn tag(&self) -> DwTag {
        self.entry.tag
    }

    /// The unit it is in.
    pub fn unit(&self) -> &Rc<UnitView<'a>> {
        &self.unit
    }

    /// The language of its unit.
    pub fn language(&self) -> Language {
        self.unit.language()
    }

    /// Whether the attribute is there.
    pub fn has(&self, name: DwAt) -> bool {
        self.entry.has_attr(name)
    }

    /// Whether it only says that the type exists, not what it is: a declaration, or the stand-in for
    /// a type unit's DIE.
    pub fn is_declaration(&self) -> bool {
        self.flag(dw::DW_AT_declaration) || self.has(dw::DW_AT_signature)
    }

    /// Whether it may have children; the list can be empty.
    pub fn has_children(&self) -> bool {
        self.entry.has_children
    }

    /// From its own offset in the section to the one after all below it.
    pub(super) fn extent(&self) -> Result<(u64, u64), Error> {
        Ok((self.at.offset(), self.unit.die_ref(self.end()?).offset()))
    }

    /// Its children, in order.
    pub fn children(&self) -> Children<'a> {
        Children { unit: Rc::clone(&self.unit), next: self.first_child() }
    }

    /// Where its first child is, or the end of its list; none where it can have no children. Producers
    /// leave out the terminating null at the end of a unit: that ends the list too.
    pub(super) fn first_child(&self) -> Option<UnitOffset> {
        let first = self.entry.has_children.then_some(self.after);
        first.filter(|offset| *offset < self.unit.end())
    }

    /// The offset at which the DIE after this one and its children starts, where the producer says
    /// so (DW_AT_sibling) and it lies ahead.
    fn sibling(&self) -> Option<UnitOffset> {
        match self.entry.attr_value(dw::DW_AT_sibling)? {
            gimli::AttributeValue::UnitRef(offset)
                if offset >= self.after && offset < self.unit.end() =>
            {
                Some(offset)
            }
            _ => None,
        }
    }

    /// How many bytes all below this DIE takes, where the producer says so.
    pub fn children_size(&self) -> Option<usize> {
        Some(self.sibling()?.0 - self.after.0)
    }

    /// The offset after this DIE and all below it.
    fn end(&self) -> Result<UnitOffset, Error> {
        if !self.entry.has_children {
            return Ok(self.after);
        }
        if let Some(sibling) = self.sibling() {
            return Ok(sibling);
        }
        let mut raw = self.unit.unit.entries_raw(Some(self.after))?;
        skip_to_end(&mut raw)?;
        Ok(raw.next_offset())
    }
}

/// The children of a DIE, one after the other; damage ends them with an error.
#[derive(Debug)]
pub struct Children<'a> {
    unit: Rc<UnitView<'a>>,
    next: Option<UnitOffset>,
}

impl<'a> Iterator for Children<'a> {
    type Item = Result<Die<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let offset = self.next.take().filter(|offset| *offset < self.unit.end())?;
        let step = || -> Result<Option<(Die<'a>, UnitOffset)>, Error> {
            let Some(die) = Die::read_at(&self.unit, offset)? else { return Ok(None) };
            let end = die.end()?;
            Ok(Some((die, end)))
        };
        match step() {
            Ok(None) => None,
            Ok(Some((die, end))) => {
                self.next = Some(end);
                Some(Ok(die))
            }
            Err(error) => Some(Err(error)),
        }
    }
}
