//! What a member leads to that its layout does not show: the elements of an array, what has no name behind
//! pointers, and the values of an enum without a name.

use std::cell::Cell;
use std::sync::Arc;

use gimli::constants as dw;

use super::members::Nesting;
use super::reader::{MAX_CHAIN, Reader, is_aggregate};
use super::{Enumerator, Error, Member, Parts};
use crate::dwarf::{DebugFile, Die, DieRef, Index, View};
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
    /// From the member's type on.
    pub(super) by: Vec<Step>,
    /// Where the struct, union or enum there is.
    pub(super) die: DieRef,
    /// What that consists of.
    pub(super) to: There,
    /// It is in the member's own bytes.
    pub(super) is_part: bool,
}

/// One step on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// From an array, in one of its dimensions.
    Element,
    /// From a pointer or a reference.
    Pointee,
}

/// What is there.
#[derive(Debug)]
pub(super) enum There {
    Members(Arc<Parts>),
    Enumerators(Vec<Enumerator>),
}

impl Led {
    /// As C has it, behind a member's path: `at[]`, `to->`, `(*to)[]`, `(*to)->`.
    pub(super) fn path(&self, member: &str) -> String {
        let (mut path, mut is_pointer) = (member.to_owned(), false);
        for step in &self.by {
            if is_pointer {
                path = format!("(*{path})");
            }
            is_pointer = *step == Step::Pointee;
            if !is_pointer {
                path.push_str("[]");
            }
        }
        if is_pointer { path + "->" } else { path }
    }
}

impl<'b> Behind<'_, 'b> {
    /// Starts anew with how often it may look, and how much it may read.
    pub(super) fn begin(&self) -> Result<(), Stopped> {
        self.looks.set(0);
        self.reader.begin();
        self.job.check()
    }

    /// What a member leads to, where that has no name of its own; the structs that arrays consist of also
    /// where they have one, if `with_named`. None for what its layout shows.
    pub(super) fn member(
        &self,
        member: Member<'_>,
        with_named: bool,
    ) -> Result<Option<Led>, Error> {
        let has_unnamed = member.type_name().contains("{...}");
        let has_elements = with_named && member.member_type().is_array;
        if member.parts().is_some() || !(has_unnamed || has_elements) {
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

    fn read(&self, member: Member<'_>, with_named: bool) -> Result<Option<Led>, Error> {
        let reader = &self.reader;
        reader.begin_answer();
        let Some(at) = member.type_die() else { return Ok(None) };
        let (mut die, mut by, mut has_name) = (reader.die(at)?, Vec::new(), false);
        for _ in 0..MAX_CHAIN {
            has_name |= reader.view.name(&die).is_some();
            let Some(next) = reader.underlying(die)? else { return Ok(None) };
            match next.tag() {
                dw::DW_TAG_array_type => {
                    by.extend(reader.extents(&next)?.iter().map(|_| Step::Element));
                }
                dw::DW_TAG_pointer_type | dw::DW_TAG_reference_type => by.push(Step::Pointee),
                _ => {
                    has_name |= reader.view.name(&next).is_some();
                    return self.there(&next, by, has_name, with_named);
                }
            }
            let Some(target) = reader.type_of(&next)? else { return Ok(None) };
            die = target;
        }
        Err(Error::TooDeep)
    }

    /// What is at the end of the way.
    fn there(
        &self,
        die: &Die<'b>,
        by: Vec<Step>,
        has_name: bool,
        with_named: bool,
    ) -> Result<Option<Led>, Error> {
        let is_part = !by.contains(&Step::Pointee);
        let to = match die.tag() {
            _ if die.is_declaration() => return Ok(None),
            dw::DW_TAG_enumeration_type if !has_name => {
                There::Enumerators(self.reader.enumerators(die)?)
            }
            // The layout shows what is in a member that is no array.
            tag if is_aggregate(tag) && !by.is_empty() => {
                let is_wanted = !has_name || is_part && with_named;
                let nesting = if with_named && is_part { Nesting::Deep } else { Nesting::Own };
                if !is_wanted {
                    return Ok(None);
                }
                let size = self.reader.size_of(die)?;
                There::Members(self.reader.parts(die.unit(), die.at(), size, nesting, None)?)
            }
            _ => return Ok(None),
        };
        Ok(Some(Led { by, die: die.at(), to, is_part }))
    }
}
