//! What a member leads to that its layout does not show: the elements of an array, and what has no name
//! behind a pointer.

use std::cell::Cell;
use std::sync::Arc;

use gimli::constants as dw;

use super::layout::Nesting;
use super::reader::{Reader, is_aggregate};
use super::{Error, Member, Parts};
use crate::dwarf::{DebugFile, DieRef, Index, View};
use crate::job::{Job, Stopped};

/// In one file so many members are looked behind; damage may lead further.
const MOST_LOOKS: usize = 1 << 14;

/// A file whose members are looked behind, on one thread.
#[derive(Debug)]
pub struct Ground<'b> {
    job: &'b Job,
    view: View<'b>,
    index: Arc<Index>,
}

impl<'b> Ground<'b> {
    /// For layouts of this file.
    pub fn new(job: &'b Job, file: &'b DebugFile, threads: usize) -> Result<Self, Stopped> {
        Ok(Ground { job, view: file.view(), index: file.index(job, threads)? })
    }

    /// Reads what members lead to.
    pub fn behind(&self) -> Behind<'_, 'b> {
        let reader = Reader::new(self.job, &self.view, &self.index);
        Behind { job: self.job, reader, looks: Cell::new(0) }
    }
}

/// Reads what members lead to, each struct there once.
#[derive(Debug)]
pub struct Behind<'v, 'b> {
    job: &'v Job,
    reader: Reader<'v, 'b>,
    looks: Cell<usize>,
}

/// What a member leads to.
#[derive(Debug)]
pub(super) struct Led {
    /// `[]` for each array, `->` for a pointer.
    pub(super) by: String,
    /// Where the struct or union there is.
    pub(super) die: DieRef,
    /// What that consists of.
    pub(super) parts: Arc<Parts>,
    /// It is in the member's own bytes.
    pub(super) is_part: bool,
}

impl Behind<'_, '_> {
    /// Starts anew with how often it may look, and how much it may read.
    pub(super) fn begin(&self) -> Result<(), Stopped> {
        self.looks.set(0);
        self.reader.begin();
        self.job.check()
    }

    /// What a member leads to, where that has no name of its own; elements of arrays also where it has one,
    /// if `with_named`. None for what its layout shows.
    pub(super) fn member(&self, member: &Member, with_named: bool) -> Result<Option<Led>, Error> {
        let has_unnamed = member.type_name.contains("{...}");
        let has_elements = with_named && member.type_name.contains('[');
        if member.parts.is_some() || !(has_unnamed || has_elements) {
            return Ok(None);
        }
        self.looks.set(self.looks.get() + 1);
        if self.looks.get() > MOST_LOOKS {
            return Err(Error::TooMany);
        }
        // What is known already is read without a DIE being counted.
        self.job.check()?;
        self.read(member, with_named)
    }

    fn read(&self, member: &Member, with_named: bool) -> Result<Option<Led>, Error> {
        let reader = &self.reader;
        reader.begin_answer();
        let Some(at) = member.type_die else { return Ok(None) };
        let (mut die, mut by, mut is_part, mut has_name) =
            (reader.die(at)?, String::new(), true, false);
        loop {
            has_name |= reader.view.name(&die).is_some();
            let Some(next) = reader.underlying(die)? else { return Ok(None) };
            match next.tag() {
                dw::DW_TAG_array_type if is_part => {
                    reader.extents(&next)?.iter().for_each(|_| by.push_str("[]"));
                }
                dw::DW_TAG_pointer_type | dw::DW_TAG_reference_type if is_part => {
                    by.push_str("->");
                    is_part = false;
                }
                tag if is_aggregate(tag) && !next.is_declaration() && !by.is_empty() => {
                    has_name |= reader.view.name(&next).is_some();
                    if has_name && !(is_part && with_named) {
                        return Ok(None);
                    }
                    let nesting = if with_named && is_part { Nesting::Deep } else { Nesting::Own };
                    let parts = reader.parts(
                        next.unit(),
                        next.at(),
                        reader.size_of(&next)?,
                        nesting,
                        None,
                    )?;
                    return Ok(Some(Led { by, die: next.at(), parts, is_part }));
                }
                _ => return Ok(None),
            }
            let Some(target) = reader.type_of(&next)? else { return Ok(None) };
            die = target;
        }
    }
}
