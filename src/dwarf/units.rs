//! The unit headers of a debug file (DWARF 5 §7.5.1), read once: which unit holds an offset, and
//! which type unit has a signature.

use std::sync::{Arc, OnceLock};

use gimli::{Abbreviations, UnitHeader, UnitType};
use rustc_hash::FxHashMap;

use super::{DieRef, DieSection, FileId, Slice};

/// One unit: where it is, and its abbreviations once they are needed.
#[derive(Debug)]
pub(crate) struct UnitEntry {
    /// The section it is in.
    pub(crate) section: DieSection,
    /// The offset of its header.
    pub(crate) start: u64,
    /// The offset past its last byte.
    pub(crate) end: u64,
    /// Its abbreviations: parsed on first use.
    pub(crate) abbreviations: OnceLock<Arc<Abbreviations>>,
}

/// The place of a unit among all that a binary's debug info has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Place {
    /// The file it is in.
    pub(super) file: FileId,
    /// Its position in that file's [`Units`].
    pub(super) position: u32,
}

/// All units of one file, by section and offset.
#[derive(Debug, Default)]
pub(crate) struct Units {
    file: FileId,
    entries: Vec<UnitEntry>,
    signatures: FxHashMap<u64, DieRef>,
    problem: Option<gimli::Error>,
}

impl Units {
    /// Reads the headers. A damaged one ends its section: where the next begins is unknown.
    pub(crate) fn read(file: FileId, dwarf: &gimli::Dwarf<Slice<'_>>) -> Units {
        let mut units = Units { file, ..Units::default() };
        let mut headers = dwarf.units();
        units.read_section(DieSection::Info, || headers.next());
        let mut headers = dwarf.type_units();
        units.read_section(DieSection::Types, || headers.next());
        units
    }

    /// Those of the main file, known from an earlier reading.
    pub(super) fn known(
        places: impl Iterator<Item = (DieSection, u64, u64)>,
        signatures: impl Iterator<Item = (u64, DieRef)>,
    ) -> Units {
        let entry = |(section, start, end)| UnitEntry {
            section,
            start,
            end,
            abbreviations: OnceLock::new(),
        };
        let (entries, signatures) = (places.map(entry).collect(), signatures.collect());
        Units { file: FileId::Main, entries, signatures, problem: None }
    }

    fn read_section<'a>(
        &mut self,
        section: DieSection,
        mut next: impl FnMut() -> gimli::Result<Option<UnitHeader<Slice<'a>>>>,
    ) {
        loop {
            match next() {
                Ok(Some(header)) => self.add(section, &header),
                Ok(None) => break,
                Err(error) => {
                    self.problem = Some(error);
                    break;
                }
            }
        }
    }

    fn add(&mut self, section: DieSection, header: &UnitHeader<Slice<'_>>) {
        let start = header.offset().0 as u64;
        if let UnitType::Type { type_signature, type_offset }
        | UnitType::SplitType { type_signature, type_offset } = header.type_()
        {
            let die = DieRef::new(self.file, section, start + type_offset.0 as u64);
            self.signatures.insert(type_signature.0, die);
        }
        self.entries.push(UnitEntry {
            section,
            start,
            end: start + header.length_including_self() as u64,
            abbreviations: OnceLock::new(),
        });
    }

    /// The places of all units.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> + '_ {
        let file = self.file;
        (0..self.entries.len() as u32).map(move |position| Place { file, position })
    }

    /// The units, in order.
    pub(crate) fn entries(&self) -> &[UnitEntry] {
        &self.entries
    }

    /// The position of the unit that holds a DIE of this file.
    pub(crate) fn position_of(&self, die: DieRef) -> Option<usize> {
        let key = (die.section(), die.offset());
        let after = self.entries.partition_point(|unit| (unit.section, unit.start) <= key);
        let position = after.checked_sub(1)?;
        let unit = self.entries.get(position)?;
        (unit.section == die.section() && die.offset() < unit.end).then_some(position)
    }

    /// The signatures of type units, and their types.
    pub(super) fn signatures(&self) -> impl Iterator<Item = (u64, DieRef)> + '_ {
        self.signatures.iter().map(|(signature, die)| (*signature, *die))
    }

    /// The type DIE of the type unit with this signature.
    pub(crate) fn by_signature(&self, signature: u64) -> Option<DieRef> {
        self.signatures.get(&signature).copied()
    }

    /// Why the units after some point are missing, if they are.
    pub(crate) fn problem(&self) -> Option<gimli::Error> {
        self.problem
    }
}
