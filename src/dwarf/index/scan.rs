//! One pass over the entries of all units: the types with a name.
//!
//! Units are spread over threads. An entry that is no type costs the reading of its code and a step
//! over its attributes; of a type its place is kept, and which name it has. Names come up again and
//! again: linkers put each text into .debug_str once, so that its offset tells them apart.
//!
//! Whoever makes the index for the sake of one name may look at its definitions meanwhile ([`Watch`]): what
//! is read of their unit is at hand.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use gimli::{UnitOffset, constants as dw};
use rustc_hash::FxHashMap;

use super::super::entries::{Entry, Name};
use super::super::file::Table;
use super::super::units::{Place, UnitEntry};
use super::super::{DebugFile, DieRef, Entries, Error, FileId, Language, Root, Target, View};
use crate::job::{Job, Progress, Stopped};

/// Looks at the definitions of some names while all units are gone through, on one thread.
pub trait Watch<'a>: Send {
    /// Whether definitions of this name are looked at.
    fn is_wanted(&self, name: &[u8]) -> bool;

    /// Takes a look at a definition.
    fn definition(&mut self, entries: &Entries<'a>, offset: UnitOffset, at: DieRef);
}

/// Nobody looks.
impl<'a> Watch<'a> for () {
    fn is_wanted(&self, _: &[u8]) -> bool {
        false
    }

    fn definition(&mut self, _: &Entries<'a>, _: UnitOffset, _: DieRef) {}
}

/// The types that one thread has met.
#[derive(Debug, Default)]
pub(super) struct Part<'a> {
    /// Each name once.
    pub(super) names: Vec<&'a [u8]>,
    /// How many definitions, and how many declarations, each has.
    pub(super) counts: Vec<[u32; 2]>,
    pub(super) types: Vec<Met>,
    /// Units, with where in `types` those of each begin.
    pub(super) runs: Vec<Run>,
    /// Units that those it has read refer to.
    pub(super) elsewhere: Vec<Place>,
    /// Why the first unit that could not be read to its end could not, and how many there are.
    pub(super) damaged: Option<(String, usize)>,
    /// Definitions in the unit at hand that are looked at.
    wanted: Vec<u32>,
    by_offset: FxHashMap<u32, u32>,
    by_text: FxHashMap<&'a [u8], u32>,
    /// The file that the offsets are of.
    file: FileId,
}

/// A unit that was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// Where it is.
    pub(super) start: DieRef,
    /// Past all its types.
    pub(super) end: DieRef,
    /// The position of the first type in it.
    pub(super) first: usize,
}

/// A type that was met, in eight bytes: a kernel has a million.
#[derive(Clone, Copy, Debug)]
pub(super) struct Met {
    /// The position of its name, and [`DECLARATION`].
    name: u32,
    /// Its place in its unit.
    offset: u32,
}

/// Set where an entry only says that the type exists.
const DECLARATION: u32 = 1 << 31;

/// Set in the position of a name whose definitions are looked at.
const WANTED: u32 = 1 << 30;

/// More names than any thread may meet.
const MAX_NAMES: usize = 1 << 30;

impl Met {
    /// The position of its name.
    pub(super) fn name(self) -> usize {
        (self.name & !(DECLARATION | WANTED)) as usize
    }

    /// Whether it only says that the type exists.
    pub(super) fn is_declaration(self) -> bool {
        self.name & DECLARATION != 0
    }

    /// Where it is, in a unit that starts there.
    pub(super) fn die(self, unit: DieRef) -> DieRef {
        unit.plus(self.offset)
    }
}

/// A unit can be a whole program (LTO): the job is asked within it too, every so many entries.
const CHECK_EVERY: usize = 1 << 14;

/// What takes less time is not worth telling that it goes on.
const TELL_AFTER: Duration = Duration::from_millis(300);

/// Why a unit was not read to its end.
enum Interrupted {
    Stopped(Stopped),
    Damaged(Error),
}

impl From<Stopped> for Interrupted {
    fn from(stopped: Stopped) -> Self {
        Interrupted::Stopped(stopped)
    }
}

impl<E: Into<Error>> From<E> for Interrupted {
    fn from(error: E) -> Self {
        Interrupted::Damaged(error.into())
    }
}

/// What all threads share.
struct Scan<'s, 'a> {
    job: &'s Job,
    file: &'a DebugFile,
    places: &'s [Place],
    next: AtomicUsize,
    started: Instant,
    /// Bytes read, of how many.
    done: AtomicU64,
    total: u64,
}

/// What one thread has found, and who has watched it.
pub(super) type Scanned<'a, W> = (Part<'a>, W);

/// Reads units, spread over so many threads.
pub(super) fn scan<'a, W: Watch<'a>>(
    job: &Job,
    file: &'a DebugFile,
    places: &[Place],
    threads: usize,
    watch: &(impl Fn() -> W + Sync),
) -> Result<Vec<Scanned<'a, W>>, Stopped> {
    let scan = Scan {
        job,
        file,
        places,
        next: AtomicUsize::new(0),
        started: Instant::now(),
        done: AtomicU64::new(0),
        total: file.unit_bytes(),
    };
    let threads = threads.clamp(1, places.len().max(1));
    if threads == 1 {
        return Ok(vec![scan.units(watch())?]);
    }
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| scan.units(watch()))).collect();
        // A worker that panics is a bug of ours; its units are missing and said to be.
        let join = |worker: ScopedJoinHandle<'_, Result<Scanned<'a, W>, Stopped>>| {
            worker.join().unwrap_or_else(|_| {
                let damaged = Some(("a worker thread died".to_owned(), 1));
                Ok((Part { damaged, ..Part::default() }, watch()))
            })
        };
        workers.into_iter().map(join).collect()
    })
}

impl<'a> Scan<'_, 'a> {
    /// One worker: takes units until none is left.
    fn units<W: Watch<'a>>(&self, mut watch: W) -> Result<Scanned<'a, W>, Stopped> {
        let view = self.file.view();
        let mut part = Part::default();
        let mut table = None;
        while let Some(place) = self.places.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            self.job.check()?;
            match self.unit(&view, *place, &mut part, &mut table, &mut watch) {
                Ok(()) => {}
                Err(Interrupted::Stopped(stopped)) => return Err(stopped),
                Err(Interrupted::Damaged(error)) => part.damage(error.to_string()),
            }
        }
        Ok((part, watch))
    }

    fn unit<W: Watch<'a>>(
        &self,
        view: &View<'a>,
        place: Place,
        part: &mut Part<'a>,
        table: &mut Option<Table>,
        watch: &mut W,
    ) -> Result<(), Interrupted> {
        let file = view.of(place.file)?;
        let Some(unit) = file.units().entries().get(place.position as usize) else { return Ok(()) };
        part.names_of(place.file);
        let header = file.header(unit)?;
        let abbreviations = file.passing_abbreviations(&header, table)?;
        let mut entries = Entries::new(&file, header, abbreviations)?;
        let root = entries.read_root()?;
        if root.split.is_some() && place.file == FileId::Main {
            part.elsewhere.extend(view.rest_of_unit(place.position)?);
        }
        let start = DieRef::new(file.id, unit.section, unit.start);
        let end = DieRef::new(file.id, unit.section, unit.end);
        part.runs.push(Run { start, end, first: part.types.len() });
        let scanned = self.entries(view, &entries, &root, part, watch);
        for offset in part.wanted.drain(..) {
            watch.definition(&entries, UnitOffset(offset as usize), start.plus(offset));
        }
        self.tell(unit);
        scanned
    }

    fn entries<W: Watch<'a>>(
        &self,
        view: &View<'a>,
        entries: &Entries<'a>,
        root: &Root<'a>,
        part: &mut Part<'a>,
        watch: &W,
    ) -> Result<(), Interrupted> {
        let is_c = root.language == Language::C;
        let mut offset = entries.root();
        while offset < entries.end() {
            let Some(entry) = entries.next_wanted(&mut offset, CHECK_EVERY)? else {
                self.job.check()?;
                continue;
            };
            let after = entries.after(&entry)?;
            offset = after;
            if entry.tag() == dw::DW_TAG_imported_unit {
                part.elsewhere.extend(imported(view, entries, &entry)?);
                continue;
            }
            part.add(entries, &entry, watch)?;
            // A C type's children are members and enumerators: none is a type with a name.
            if is_c && entry.has_children() {
                offset = entries.sibling_ahead(&entry, after)?.unwrap_or(after);
            }
        }
        Ok(())
    }

    /// Tells whoever waits how much has been read.
    fn tell(&self, unit: &UnitEntry) {
        let size = unit.end.saturating_sub(unit.start);
        let done = self.done.fetch_add(size, Ordering::Relaxed).saturating_add(size);
        if self.started.elapsed() > TELL_AFTER {
            let path = self.file.binary().path().display();
            let what = format!("indexing the types of {path}");
            self.job.progress(&Progress { what, done, total: Some(self.total.max(done)) });
        }
    }
}

impl<'a> Part<'a> {
    /// The names that follow are of a file.
    fn names_of(&mut self, file: FileId) {
        if std::mem::replace(&mut self.file, file) != file {
            self.by_offset.clear();
        }
    }

    fn add(
        &mut self,
        entries: &Entries<'a>,
        entry: &Entry,
        watch: &impl Watch<'a>,
    ) -> Result<(), Error> {
        let name = match entries.name(entry)? {
            None => return Ok(()),
            Some(Name::At(offset)) => match self.by_offset.get(&offset) {
                Some(known) => *known,
                None => {
                    let Some(text) = entries.name_at(offset) else { return Ok(()) };
                    let name = self.name(text, watch);
                    self.by_offset.insert(offset, name);
                    name
                }
            },
            Some(Name::Text(text)) => self.name(text, watch),
        };
        let offset = u32::try_from(entry.offset.0).map_err(|_| gimli::Error::UnsupportedOffset)?;
        let is_declaration = entries.is_declaration(entry)?;
        if name & WANTED != 0 && !is_declaration {
            self.wanted.push(offset);
        }
        let met = Met { name: name | if is_declaration { DECLARATION } else { 0 }, offset };
        if let Some([definitions, declarations]) = self.counts.get_mut(met.name()) {
            *(if is_declaration { declarations } else { definitions }) += 1;
        }
        self.types.push(met);
        Ok(())
    }

    fn name(&mut self, text: &'a [u8], watch: &impl Watch<'a>) -> u32 {
        *self.by_text.entry(text).or_insert_with(|| {
            let position = self.names.len().min(MAX_NAMES) as u32;
            self.names.push(text);
            self.counts.push([0; 2]);
            position | if watch.is_wanted(text) { WANTED } else { 0 }
        })
    }

    fn damage(&mut self, why: String) {
        self.damaged.get_or_insert((why, 0)).1 += 1;
    }
}

/// The unit that an entry imports, where it is in another file.
fn imported<'a>(
    view: &View<'a>,
    entries: &Entries<'a>,
    entry: &Entry,
) -> Result<Option<Place>, Error> {
    let mut target = None;
    entries.attributes(entry, |name, value| {
        if name == dw::DW_AT_import {
            target = entries.target(value);
        }
        Ok(())
    })?;
    match target {
        Some(Target::There(at)) => view.imported(at),
        Some(Target::Here(UnitOffset(_))) | None => Ok(None),
    }
}
