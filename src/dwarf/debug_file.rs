//! What is read once of a binary's DWARF and shared by all questions.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gimli::EndianSlice;

use super::units::Units;
use super::{Index, Slice, View};
use crate::binary::{Binary, DebugInfo};
use crate::job::{Job, Stopped};

/// The DWARF of one binary: its unit headers, and its name index once a question needs it.
#[derive(Debug)]
pub struct DebugFile {
    binary: Arc<Binary>,
    units: Units,
    index: Mutex<Slot>,
    built: Condvar,
}

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
        *self.file.lock() = self.index.take().map_or(Slot::Absent, Slot::Built);
        self.file.built.notify_all();
    }
}

/// How often one who waits asks whether it still may.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl DebugFile {
    /// Reads the unit headers; none where the binary has no debug info.
    pub fn new(binary: Arc<Binary>) -> DebugFile {
        let units = Units::read(&load(&binary));
        DebugFile { binary, units, index: Mutex::new(Slot::Absent), built: Condvar::new() }
    }

    /// The binary whose debug info this is.
    pub fn binary(&self) -> &Arc<Binary> {
        &self.binary
    }

    /// How many units it has.
    pub fn unit_count(&self) -> usize {
        self.units.entries().len()
    }

    /// A view to read DIEs with, for one question on one thread.
    pub fn view(&self) -> View<'_> {
        View::new(self, load(&self.binary))
    }

    /// The name index: built by the first who asks, with so many threads; others wait for it as long
    /// as their own job may.
    pub fn index(&self, job: &Job, threads: usize) -> Result<Arc<Index>, Stopped> {
        let mut slot = self.lock();
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
        match &*self.lock() {
            Slot::Built(index) => Some(Arc::clone(index)),
            Slot::Absent | Slot::Building => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What of the debug info cannot be read, in a sentence.
    pub fn problem(&self) -> Option<String> {
        let sections = self.binary.debug_info().and_then(|debug| debug.sections().problem());
        let units = || self.units.problem().map(|error| format!("its later units: {error}"));
        sections.or_else(units)
    }

    pub(super) fn units(&self) -> &Units {
        &self.units
    }
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
