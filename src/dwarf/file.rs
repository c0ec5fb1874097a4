//! One of the files that a binary's debug info is in: the main one, its supplement (DWARF 5 §7.3.6), or
//! that of a split unit (§7.3.2).

use std::sync::{Arc, Mutex, OnceLock};

use gimli::{DebugInfoOffset, Encoding, Reader, UnitHeader};
use rustc_hash::FxHashMap;

use super::abbreviations::Abbreviations;
use super::debug_file::lock;
use super::units::{UnitEntry, Units};
use super::{DieSection, Error, FileId, Slice};

/// What is read once of one file: unit headers and abbreviations, each once a question needs it.
#[derive(Debug, Default)]
pub(super) struct FileTables {
    units: OnceLock<Units>,
    abbreviations: Mutex<Tables>,
}

impl FileTables {
    /// The unit headers, for one who has not loaded the sections.
    pub(super) fn units<'a>(
        &self,
        id: FileId,
        dwarf: impl FnOnce() -> gimli::Dwarf<Slice<'a>>,
    ) -> &Units {
        self.units.get_or_init(|| Units::read(id, &dwarf()))
    }

    /// Takes over unit headers that are known, unless they have been read.
    pub(super) fn know_units(&self, units: impl FnOnce() -> Units) {
        self.units.get_or_init(units);
    }
}

/// The abbreviation tables read so far, by where they start and for which encoding: after LTO,
/// thousands of units share one.
#[derive(Debug, Default)]
struct Tables {
    known: FxHashMap<(usize, Encoding), Arc<Abbreviations>>,
    bytes: usize,
}

/// A table that a pass over all units has read last: of which file, where it starts, and for which encoding.
pub(super) type Table = (FileId, usize, Encoding, Arc<Abbreviations>);

/// Tables are kept up to so many bytes together; a kernel's take 20 MB.
const MAX_TABLES: usize = 64 << 20;

/// One question's eyes on one file.
#[derive(Debug)]
pub(super) struct FileView<'a> {
    /// Which one it is.
    pub(super) id: FileId,
    /// Its sections.
    pub(super) dwarf: gimli::Dwarf<Slice<'a>>,
    tables: &'a FileTables,
}

impl<'a> FileView<'a> {
    pub(super) fn new(
        id: FileId,
        dwarf: gimli::Dwarf<Slice<'a>>,
        tables: &'a FileTables,
    ) -> FileView<'a> {
        FileView { id, dwarf, tables }
    }

    /// The unit headers.
    pub(super) fn units(&self) -> &'a Units {
        self.tables.units.get_or_init(|| Units::read(self.id, &self.dwarf))
    }

    /// The abbreviations of a unit, read once for all units that share them.
    pub(super) fn abbreviations(
        &self,
        header: &UnitHeader<Slice<'a>>,
    ) -> Result<Arc<Abbreviations>, Error> {
        let key = (header.debug_abbrev_offset().0, header.encoding());
        if let Some(table) = lock(&self.tables.abbreviations).known.get(&key) {
            return Ok(Arc::clone(table));
        }
        let mut table = self.read_abbreviations(header)?;
        table.shrink();
        let table = Arc::new(table);
        self.keep_abbreviations(header, &table);
        Ok(table)
    }

    /// The same for a pass over all units, which is done with a table when the next unit has another: it
    /// keeps those that are larger than their unit, so that reading them again costs less than the units.
    pub(super) fn passing_abbreviations(
        &self,
        header: &UnitHeader<Slice<'a>>,
        last: &mut Option<Table>,
    ) -> Result<Arc<Abbreviations>, Error> {
        let (offset, encoding) = (header.debug_abbrev_offset().0, header.encoding());
        if let Some((file, start, of, table)) = last
            && (*file, *start, *of) == (self.id, offset, encoding)
        {
            return Ok(Arc::clone(table));
        }
        if let Some(table) = lock(&self.tables.abbreviations).known.get(&(offset, encoding)) {
            return Ok(Arc::clone(table));
        }
        let mut table = self.read_abbreviations(header)?;
        let is_kept = table.bytes() > header.length_including_self();
        if is_kept {
            table.shrink();
        }
        let table = Arc::new(table);
        if is_kept {
            self.keep_abbreviations(header, &table);
        }
        *last = Some((self.id, offset, encoding, Arc::clone(&table)));
        Ok(table)
    }

    fn read_abbreviations(&self, header: &UnitHeader<Slice<'a>>) -> Result<Abbreviations, Error> {
        let section = *gimli::Section::reader(&self.dwarf.debug_abbrev);
        Abbreviations::read(section, header.debug_abbrev_offset().0, header)
    }

    fn keep_abbreviations(&self, header: &UnitHeader<Slice<'a>>, table: &Arc<Abbreviations>) {
        let mut tables = lock(&self.tables.abbreviations);
        if tables.bytes + table.bytes() <= MAX_TABLES {
            tables.bytes += table.bytes();
            let key = (header.debug_abbrev_offset().0, header.encoding());
            tables.known.insert(key, Arc::clone(table));
        }
    }

    /// Reads a unit's header again: it borrows the section, so the unit table cannot keep it.
    pub(super) fn header(&self, entry: &UnitEntry) -> Result<UnitHeader<Slice<'a>>, Error> {
        let offset = usize::try_from(entry.start).unwrap_or(usize::MAX);
        Ok(match entry.section {
            DieSection::Info => self.dwarf.unit_header(DebugInfoOffset(offset))?,
            DieSection::Types => {
                let cut = self.dwarf.debug_types.borrow(|section| from(*section, offset));
                let header = cut.units().next()?;
                let header = header.ok_or(gimli::Error::NoEntryAtGivenOffset(entry.start))?;
                moved_to(&header, offset)
            }
        })
    }
}

/// A section from an offset on; nothing where the offset is past its end.
fn from(mut section: Slice<'_>, offset: usize) -> Slice<'_> {
    let length = section.len();
    // Cannot fail: never more than its length is skipped.
    let _ = section.skip(offset.min(length));
    section
}

/// A header that was read from a section cut at the unit's start, put back in its place: gimli
/// reads .debug_types (unlike .debug_info) from the front only.
fn moved_to<'a>(header: &UnitHeader<Slice<'a>>, offset: usize) -> UnitHeader<Slice<'a>> {
    let entries = header.range_from(header.root_offset()..);
    UnitHeader::new(
        header.encoding(),
        header.unit_length(),
        header.type_(),
        header.debug_abbrev_offset(),
        header.section(),
        gimli::UnitSectionOffset(offset),
        entries.unwrap_or_default(),
    )
}
