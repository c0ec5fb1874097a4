//! What is read once of a binary's DWARF and shared by all questions.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use gimli::{Encoding, EndianSlice, UnitHeader};
use rustc_hash::FxHashMap;

use super::abbreviations::Abbreviations;
use super::units::Units;
use super::{DieSection, Error, Index, Slice, View};
use crate::binary::{Binary, DebugInfo};
use crate::job::{Job, Stopped};

/// The DWARF of one binary: unit headers, abbreviations and the name index, each once a question
/// needs it.
#[derive(Debug)]
pub struct DebugFile {
    binary: Arc<Binary>,
    units: OnceLock<Units>,
    abbreviations: Mutex<Tables>,
    index: Mutex<Slot>,
    built: Condvar,
}

/// The abbreviation tables read so far, by where they start and for which encoding: after LTO,
/// thousands of units share one.
#[derive(Debug, Default)]
struct Tables {
    known: FxHashMap<(usize, Encoding), Arc<Abbreviations>>,
    bytes: usize,
}

/// Tables are kept up to so many bytes together; a kernel's take 8 MB.
const MAX_TABLES: usize = 64 << 20;

/// The state of the name index.
#[derive(Debug)]
enum Slot {
    Absent,
    /// By one thread; the others wait.
    Building,
    Built(Arc<Index>),
}

/// Leaves the slot as it should be, also when the build was stopped or panicked.
struct Outcome<'f> {
    file: &'f DebugFile,
    index: Option<Arc<Index>>,
}

impl Drop for Outcome<'_> {
    fn drop(&mut self) {
        *lock(&self.file.index) = self.index.take().map_or(Slot::Absent, Slot::Built);
        self.file.built.notify_all();
    }
}

/// How often one who waits asks whether it still may.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl DebugFile {
    /// Reads nothing yet.
    pub fn new(binary: Arc<Binary>) -> DebugFile {
        DebugFile {
            binary,
            units: OnceLock::new(),
            abbreviations: Mutex::default(),
            index: Mutex::new(Slot::Absent),
            built: Condvar::new(),
        }
    }

    /// The binary whose debug info this is.
    pub fn binary(&self) -> &Arc<Binary> {
        &self.binary
    }

    /// How many units it has.
    pub fn unit_count(&self) -> usize {
        self.units().entries().len()
    }

    /// Where the headers of the units in .debug_info are.
    pub fn unit_starts(&self) -> impl Iterator<Item = u64> + '_ {
        let units = self.units().entries().iter();
        units.filter(|unit| unit.section == DieSection::Info).map(|unit| unit.start)
    }

    /// A view to read DIEs with, for one question on one thread.
    pub fn view(&self) -> View<'_> {
        View::new(self, load(&self.binary))
    }

    /// The name index: built by the first who asks, with so many threads; others wait for it as long
    /// as their own job may.
    pub fn index(&self, job: &Job, threads: usize) -> Result<Arc<Index>, Stopped> {
        let mut slot = lock(&self.index);
        loop {
            match &*slot {
                Slot::Built(index) => return Ok(Arc::clone(index)),
                Slot::Absent => break,
                Slot::Building => {
                    let waited = self.built.wait_timeout(slot, LOOK_AGAIN);
                    slot = waited.unwrap_or_else(PoisonError::into_inner).0;
                    job.check()?;
                }
            }
        }
        *slot = Slot::Building;
        drop(slot);
        // Whatever happens in there, those who wait are woken, to an index or to build it themselves.
        let mut outcome = Outcome { file: self, index: None };
        let index = Arc::new(Index::build(job, self, threads)?);
        outcome.index = Some(Arc::clone(&index));
        Ok(index)
    }

    /// The name index, if it has been built.
    pub fn indexed(&self) -> Option<Arc<Index>> {
        match &*lock(&self.index) {
            Slot::Built(index) => Some(Arc::clone(index)),
            Slot::Absent | Slot::Building => None,
        }
    }

    /// What of the debug info cannot be read, in a sentence.
    pub fn problem(&self) -> Option<String> {
        let sections = self.binary.debug_info().and_then(|debug| debug.sections().problem());
        let units = || self.units().problem().map(|error| format!("its later units: {error}"));
        sections.or_else(units)
    }

    /// The unit headers; none where the binary has no debug info.
    pub(super) fn units(&self) -> &Units {
        self.units.get_or_init(|| Units::read(&load(&self.binary)))
    }

    /// The abbreviations of a unit, read once for all units that share them.
    pub(super) fn abbreviations<'a>(
        &self,
        dwarf: &gimli::Dwarf<Slice<'a>>,
        header: &UnitHeader<Slice<'a>>,
    ) -> Result<Arc<Abbreviations>, Error> {
        let key = (header.debug_abbrev_offset().0, header.encoding());
        if let Some(table) = lock(&self.abbreviations).known.get(&key) {
            return Ok(Arc::clone(table));
        }
        let section = *gimli::Section::reader(&dwarf.debug_abbrev);
        let table = Arc::new(Abbreviations::read(section, key.0, header)?);
        let mut tables = lock(&self.abbreviations);
        if tables.bytes + table.bytes() <= MAX_TABLES {
            tables.bytes += table.bytes();
            tables.known.insert(key, Arc::clone(&table));
        }
        Ok(table)
    }
}

/// A panic while the lock was held left what it guards whole: each change is one assignment or
/// insertion.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The sections as gimli wants them: in place, empty where the file has none.
fn load(binary: &Binary) -> gimli::Dwarf<Slice<'_>> {
    let endian = binary.identity().endian;
    let sections = binary.debug_info().map(DebugInfo::sections);
    let bytes = |id| -> &[u8] { sections.map_or(&[], |sections| sections.bytes(id)) };
    let loaded = gimli::Dwarf::load(|id| {
        Ok::<_, std::convert::Infallible>(EndianSlice::new(bytes(id), endian))
    });
    match loaded {
        Ok(dwarf) => dwarf,
        Err(never) => match never {},
    }
}
