//! What is read once of a binary's DWARF and shared by all questions.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use gimli::{EndianSlice, SectionId};

use super::answers::Answers;
use super::file::{FileTables, FileView};
use super::split::Splits;
use super::units::{Place, Units};
use super::{DieSection, FileId, Index, IndexCache, Slice, View, Watch};
use crate::binary::{Binary, DebugInfo, Sections, Supplement};
use crate::job::{Job, Stopped};

/// The DWARF of one binary: unit headers, abbreviations and the name index, each once a question
/// needs it.
#[derive(Debug)]
pub struct DebugFile {
    binary: Arc<Binary>,
    cache: Option<Arc<IndexCache>>,
    main: FileTables,
    supplement: FileTables,
    splits: OnceLock<Splits>,
    index: Mutex<Slot>,
    built: Condvar,
    answers: Answers,
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
        *lock(&self.file.index) = self.index.take().map_or(Slot::Absent, Slot::Built);
        self.file.built.notify_all();
    }
}

/// How often one who waits asks whether it still may.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

impl DebugFile {
    /// Reads nothing yet.
    pub fn new(binary: Arc<Binary>) -> DebugFile {
        DebugFile::with_cache(binary, None)
    }

    /// The same, with a folder where the name index may be, or else is left for later processes.
    pub fn with_cache(binary: Arc<Binary>, cache: Option<Arc<IndexCache>>) -> DebugFile {
        DebugFile {
            binary,
            cache,
            main: FileTables::default(),
            supplement: FileTables::default(),
            splits: OnceLock::new(),
            index: Mutex::new(Slot::Absent),
            built: Condvar::new(),
            answers: Answers::default(),
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

    /// How many bytes the units of the main file take.
    pub(super) fn unit_bytes(&self) -> u64 {
        let units = self.units().entries().iter();
        units.map(|unit| unit.end.saturating_sub(unit.start)).fold(0, u64::saturating_add)
    }

    /// Gives back the memory of the entries that a pass over all of them has read: by a thread of its
    /// own, that nobody waits for.
    pub(super) fn release_entries(&self) {
        let binary = Arc::clone(&self.binary);
        let release = move || {
            let sections = binary.debug_info().map(DebugInfo::sections);
            sections.into_iter().for_each(|sections| sections.release(SectionId::DebugInfo));
        };
        // Where no thread is to be had, it is given back at the end.
        let _ = Builder::new().spawn(release);
    }

    /// Takes over where the units are, of which none is of a type: their headers are all over the file.
    pub(super) fn know_units(&self, extents: &[(u64, u64)]) {
        let places = extents.iter().map(|(start, end)| (DieSection::Info, *start, *end));
        self.main.know_units(|| Units::known(places, std::iter::empty()));
    }

    /// The units of the main file.
    pub(super) fn unit_places(&self) -> impl Iterator<Item = Place> + '_ {
        self.units().places()
    }

    /// A view to read DIEs with, for one question on one thread.
    pub fn view(&self) -> View<'_> {
        View::new(self, FileView::new(FileId::Main, self.dwarf(), &self.main))
    }

    /// The sections of the main file, with those of its supplement.
    pub fn dwarf(&self) -> gimli::Dwarf<Slice<'_>> {
        let debug_info = self.binary.debug_info();
        let mut dwarf = self.load(debug_info.map(DebugInfo::sections));
        let supplement = debug_info.and_then(DebugInfo::supplement);
        if let Some(supplement) = supplement {
            dwarf.set_sup(self.load(Some(supplement.sections())));
        }
        dwarf
    }

    /// Eyes on the supplement; none where there is none.
    pub(super) fn supplement(&self) -> Option<FileView<'_>> {
        let sections = self.binary.debug_info()?.supplement()?.sections();
        Some(FileView::new(FileId::Supplement, self.load(Some(sections)), &self.supplement))
    }

    /// The files of split units.
    pub(super) fn splits(&self) -> &Splits {
        self.splits.get_or_init(|| Splits::new(self.unit_count()))
    }

    /// The sections as gimli wants them: in place, empty where the file has none.
    fn load<'a>(&self, sections: Option<&'a Sections>) -> gimli::Dwarf<Slice<'a>> {
        let endian = self.binary.identity().endian;
        let bytes = |id| -> &[u8] { sections.map_or(&[], |sections| sections.bytes(id)) };
        let loaded = gimli::Dwarf::load(|id| {
            Ok::<_, std::convert::Infallible>(EndianSlice::new(bytes(id), endian))
        });
        match loaded {
            Ok(dwarf) => dwarf,
            Err(never) => match never {},
        }
    }

    /// The name index: built by the first who asks, with so many threads; others wait for it as long
    /// as their own job may.
    pub fn index(&self, job: &Job, threads: usize) -> Result<Arc<Index>, Stopped> {
        Ok(self.index_watched(job, threads, || ())?.0)
    }

    /// The same, watched while it is built, on each thread by another one. They are returned; none where
    /// nothing had to be read.
    pub fn index_watched<'a, W: Watch<'a>>(
        &'a self,
        job: &Job,
        threads: usize,
        watch: impl Fn() -> W + Sync,
    ) -> Result<(Arc<Index>, Vec<W>), Stopped> {
        let mut slot = lock(&self.index);
        loop {
            match &*slot {
                Slot::Built(index) => return Ok((Arc::clone(index), Vec::new())),
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
        let (index, watchers) = Index::of(job, self, self.cache.as_deref(), threads, &watch)?;
        let index = Arc::new(index);
        self.main.know_units(|| index.units());
        outcome.index = Some(Arc::clone(&index));
        Ok((index, watchers))
    }

    /// The name index, if it has been built.
    pub fn indexed(&self) -> Option<Arc<Index>> {
        match &*lock(&self.index) {
            Slot::Built(index) => Some(Arc::clone(index)),
            Slot::Absent | Slot::Building => None,
        }
    }

    /// What was found out about a question to this very file, by this process or an earlier one.
    pub fn recall(&self, question: &str) -> Option<Vec<u8>> {
        if let Some(held) = self.answers.get(question) {
            return Some(held);
        }
        let answer = self.cache.as_ref()?.recall(self.indexed()?.key()?, question)?;
        self.answers.hold(question, &answer);
        Some(answer)
    }

    /// Holds what was found out, for as long as this lives.
    pub fn hold(&self, question: &str, answer: &[u8]) {
        self.answers.hold(question, answer);
    }

    /// Keeps it for later processes, where the index is kept too.
    pub fn remember(&self, question: &str, answer: &[u8]) {
        if let (Some(cache), Some(index)) = (&self.cache, self.indexed())
            && let Some(key) = index.key()
        {
            cache.remember(key, question, answer);
        }
    }

    /// What keeps all of the debug info from being there, in a sentence: a section that cannot be
    /// unpacked, a file that was not found.
    pub fn missing(&self) -> Option<String> {
        let debug_info = self.binary.debug_info()?;
        let supplement = debug_info.supplement().map(Supplement::sections);
        let mut sections = [Some(debug_info.sections()), supplement].into_iter().flatten();
        if let Some(problem) = sections.find_map(Sections::problem) {
            return Some(problem);
        }
        let name = debug_info.missing_supplement()?;
        Some(format!("what it shares with other files is in {name}, which was not found"))
    }

    /// What of the debug info cannot be read, in a sentence.
    pub fn problem(&self) -> Option<String> {
        let units = || self.units().problem().map(|error| format!("its later units: {error}"));
        self.missing().or_else(units)
    }

    /// The unit headers of the main file; none where the binary has no debug info.
    pub(super) fn units(&self) -> &Units {
        self.main.units(FileId::Main, || self.dwarf())
    }
}

/// A panic while the lock was held left what it guards whole: each change is one assignment or
/// insertion.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
