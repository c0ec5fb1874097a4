//! A DIE and what is below it, read front to back without being kept: for passes over many.

use std::rc::Rc;

use gimli::{AttributeValue, DwAt, DwTag, EntriesRaw, Reader, UnitOffset, constants as dw};

use super::plain_member::PlainMember;
use super::{Die, DieRef, Error, Slice, UnitView, View};

/// A position in a unit's entries.
#[derive(Debug)]
pub struct Walk<'u, 'a> {
    unit: &'u UnitView<'a>,
    /// From there to the end of the unit.
    input: Slice<'a>,
}

/// One entry that was walked over; its attributes went to the visitor.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// What it describes.
    pub tag: DwTag,
    /// Whether its children come next.
    pub has_children: bool,
    /// Where the producer says the entry after its children is.
    sibling: Option<gimli::UnitOffset>,
}

impl<'a> View<'a> {
    /// The unit of a DIE: `near` itself for the references that stay in their unit, as most do.
    pub fn unit_of(&self, at: DieRef, near: &Rc<UnitView<'a>>) -> Result<Rc<UnitView<'a>>, Error> {
        if near.holds(at) { Ok(Rc::clone(near)) } else { Ok(Rc::clone(self.die(at)?.unit())) }
    }
}

impl<'a> UnitView<'a> {
    /// Starts at a DIE of this unit.
    pub fn walk(&self, at: DieRef) -> Result<Walk<'_, 'a>, Error> {
        Ok(Walk { unit: self, input: self.unit.header.range_from(self.offset_of(at)..)? })
    }
}

impl<'a> Die<'a> {
    /// Starts at its first child; none where it can have no children.
    pub fn walk_children(&self) -> Result<Option<Walk<'_, 'a>>, Error> {
        let Some(first) = self.first_child() else { return Ok(None) };
        let input = self.unit.unit.header.range_from(first..)?;
        Ok(Some(Walk { unit: &self.unit, input }))
    }
}

impl<'u, 'a> Walk<'u, 'a> {
    /// The reference of the next entry.
    pub fn next(&self) -> DieRef {
        self.unit.die_ref(self.offset())
    }

    fn offset(&self) -> UnitOffset {
        UnitOffset(self.unit.end().0 - self.input.len())
    }

    /// Reads the next entry if it is a plain member, and stays before it otherwise.
    #[inline(always)]
    pub fn plain_member(&mut self) -> Option<PlainMember<'a>> {
        let (member, size) = self.unit.plain_member(self.input)?;
        self.input.skip(size).ok()?;
        Some(member)
    }

    /// Reads the next entry and shows its attributes as written, but for where it is declared in the
    /// source: these are three of six, and nobody asks for them here. None at the end of a list of
    /// children, which is passed, and of the unit (producers leave out the last terminators).
    pub fn step(
        &mut self,
        mut visit: impl FnMut(DwAt, AttributeValue<Slice<'a>>),
    ) -> Result<Option<Step>, Error> {
        if self.input.is_empty() {
            return Ok(None);
        }
        let mut raw = self.raw();
        let Some(abbreviation) = raw.read_abbreviation()? else {
            self.go_to(raw.next_offset())?;
            return Ok(None);
        };
        let mut sibling = None;
        let mut rest = abbreviation.attributes();
        while let Some((first, behind)) = rest.split_first() {
            if is_place_in_source(first.name()) {
                let run = rest.iter().take_while(|next| is_place_in_source(next.name())).count();
                let (passed, behind) = rest.split_at(run);
                raw.skip_attributes(passed)?;
                rest = behind;
                continue;
            }
            let value = raw.read_attribute_inline(*first)?.raw_value();
            match (first.name(), value) {
                (dw::DW_AT_sibling, AttributeValue::UnitRef(offset)) => sibling = Some(offset),
                (name, value) => visit(name, value),
            }
            rest = behind;
        }
        let (tag, has_children) = (abbreviation.tag(), abbreviation.has_children());
        self.go_to(raw.next_offset())?;
        Ok(Some(Step { tag, has_children, sibling }))
    }

    /// Steps over the children of the entry just read.
    pub fn skip_children(&mut self, step: Step) -> Result<(), Error> {
        if !step.has_children {
            return Ok(());
        }
        let ahead = |offset: &UnitOffset| *offset >= self.offset() && *offset < self.unit.end();
        if let Some(sibling) = step.sibling.filter(ahead) {
            return self.go_to(sibling);
        }
        let mut raw = self.raw();
        skip_to_end(&mut raw)?;
        self.go_to(raw.next_offset())
    }

    /// gimli's reader of entries, from here on.
    fn raw(&self) -> EntriesRaw<'u, Slice<'a>> {
        let unit = &self.unit.unit;
        EntriesRaw::new(self.input, unit.encoding(), &unit.abbreviations, self.offset())
    }

    /// Goes on to an offset that is not before this one.
    fn go_to(&mut self, offset: UnitOffset) -> Result<(), Error> {
        Ok(self.input.skip(offset.0.saturating_sub(self.offset().0))?)
    }
}

/// Where something is declared (DWARF 5 §2.14).
fn is_place_in_source(name: DwAt) -> bool {
    matches!(name, dw::DW_AT_decl_file | dw::DW_AT_decl_line | dw::DW_AT_decl_column)
}

/// DIEs nested deeper than this are damage. A level that is walked through to find where a DIE ends
/// is walked again for the next DIE inside: without a bound that is quadratic.
pub(super) const MAX_DEPTH: u64 = 256;

/// Reads past the end of a list of children whose first is next.
pub(super) fn skip_to_end(raw: &mut EntriesRaw<'_, Slice<'_>>) -> Result<(), Error> {
    let mut depth = 1_u64;
    while depth > 0 {
        if depth > MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        match raw.read_abbreviation()? {
            None => depth -= 1,
            Some(abbreviation) => {
                raw.skip_attributes(abbreviation.attributes())?;
                depth += u64::from(abbreviation.has_children());
            }
        }
    }
    Ok(())
}
