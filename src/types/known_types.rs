//! What the types of one file come to: each is met in many structs, and by many questions.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

use super::Parts;
use super::alignment::Alignment;
use super::members::Shown;
use crate::dwarf::DieRef;

/// Types that are remembered at most: a question about all of them meets a million.
const MAX_TYPES: usize = 1 << 14;

/// Entries of all kinds that are kept between questions at most; a member takes 56 bytes and its name, what a type
/// shows some 170.
const MAX_KEPT: usize = 1 << 16;

/// What was found out about types that members have, for later questions to the same file.
///
/// A question takes all of it and gives it back with what it has added: nothing is locked while it reads.
/// One that is asked meanwhile begins with nothing.
#[derive(Debug, Default)]
pub(super) struct KnownTypes {
    between_questions: Mutex<Table>,
}

impl KnownTypes {
    pub(super) fn take(&self) -> Table {
        std::mem::take(&mut self.lock())
    }

    /// Of two that were given back, what knows more is kept.
    pub(super) fn give_back(&self, table: Table) {
        let mut kept = self.lock();
        if (kept.len()..=MAX_KEPT).contains(&table.len()) {
            *kept = table;
        }
    }

    /// A panic while the lock was held left the table whole: each change is one assignment.
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.between_questions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same in the hands of one question.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// What members show of their types.
    shown: FxHashMap<DieRef, Shown>,
    /// How many drafts were begun.
    drafts: u64,
    /// What structs and unions consist of, at any depth.
    parts: FxHashMap<DieRef, Arc<Parts>>,
    /// How many members these have themselves.
    members: usize,
    /// The alignments of types that were looked into.
    alignments: FxHashMap<DieRef, Alignment>,
    /// The names of files, by the root of the unit and the number they have there: for one, the unit's
    /// whole list is read.
    file_names: FxHashMap<(DieRef, u64), Option<Arc<str>>>,
}

impl Table {
    /// How many entries it holds.
    fn len(&self) -> usize {
        self.shown.len()
            + self.parts.len()
            + self.members
            + self.alignments.len()
            + self.file_names.len()
    }

    #[inline]
    pub(super) fn shown(&self, at: DieRef) -> Option<&Shown> {
        self.shown.get(&at)
    }

    pub(super) fn learn_shown(&mut self, at: DieRef, shown: Shown) {
        if self.shown.len() >= MAX_TYPES {
            self.shown.clear();
        }
        self.shown.insert(at, shown);
    }

    /// A number for a draft that no other has.
    pub(super) fn next_draft(&mut self) -> u64 {
        self.drafts += 1;
        self.drafts
    }

    #[inline]
    pub(super) fn parts(&self, at: DieRef) -> Option<&Arc<Parts>> {
        self.parts.get(&at)
    }

    pub(super) fn learn_parts(&mut self, at: DieRef, parts: &Arc<Parts>) {
        let replaced = self.parts.insert(at, Arc::clone(parts));
        self.members += parts.members.len();
        self.members -= replaced.map_or(0, |replaced| replaced.members.len());
    }

    #[inline]
    pub(super) fn alignment(&self, at: DieRef) -> Option<Alignment> {
        self.alignments.get(&at).copied()
    }

    pub(super) fn file_name(&self, file: (DieRef, u64)) -> Option<&Option<Arc<str>>> {
        self.file_names.get(&file)
    }

    pub(super) fn learn_file_name(&mut self, file: (DieRef, u64), name: &Option<Arc<str>>) {
        self.file_names.insert(file, name.clone());
    }

    pub(super) fn learn_alignment(&mut self, at: DieRef, alignment: Alignment) {
        self.alignments.insert(at, alignment);
    }
}
