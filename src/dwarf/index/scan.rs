//! One pass over the entries of all units: the types with a name.
//!
//! Units are spread over threads. An entry that is no type costs the reading of its code and a step
//! over its attributes; of a type its place is kept, and which name it has. Names come up again and
//! again: linkers put each text into .debug_str once, so that its offset tells them apart.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use gimli::{UnitOffset, constants as dw};
use rustc_hash::FxHashMap;

use super::super::entries::{Entry, Name};
use super::super::units::{Place, UnitEntry};
use super::super::{DebugFile, DieRef, Entries, Error, FileId, Language, Root, Target, View};
use crate::job::{Job, Progress, Stopped};

/// The types that one thread has met.
#[derive(Debug, Default)]
pub(super) struct Part<'a> {
    /// Each name once.
    pub(super) names: Vec<&'a [u8]>,
    pub(super) types: Vec<Met>,
    /// Units that those it has read refer to.
    pub(super) elsewhere: Vec<Place>,
    /// Why the first unit that could not be read to its end could not, and how many there are.
    pub(super) damaged: Option<(String, usize)>,
    by_offset: FxHashMap<u32, u32>,
    by_text: FxHashMap<&'a [u8], u32>,
    /// The file that the offsets are of.
    file: FileId,
}

/// A type that was met, in sixteen bytes: a kernel has a million.
#[derive(Clone, Copy, Debug)]
pub(super) struct Met {
    /// The position of its name, and [`DECLARATION`].
    name: u32,
    pub(super) die: DieRef,
}

/// Set where an entry only says that the type exists.
const DECLARATION: u32 = 1 << 31;

impl Met {
    /// The position of its name.
    pub(super) fn name(self) -> usize {
        (self.name & !DECLARATION) as usize
    }

    /// Whether it only says that the type exists.
    pub(super) fn is_declaration(self) -> bool {
        self.name & DECLARATION != 0
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

/// Reads units, spread over so many threads.
pub(super) fn scan<'a>(
    job: &Job,
    file: &'a DebugFile,
    places: &[Place],
    threads: usize,
) -> Result<Vec<Part<'a>>, Stopped> {
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
        return Ok(vec![scan.units()?]);
    }
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| scan.units())).collect();
        // A worker that panics is a bug of ours; its units are missing and said to be.
        let join = |worker: std::thread::ScopedJoinHandle<'_, Result<Part<'a>, Stopped>>| {
            worker.join().unwrap_or_else(|_| {
                let damaged = Some(("a worker thread died".to_owned(), 1));
                Ok(Part { damaged, ..Part::default() })
            })
        };
        workers.into_iter().map(join).collect()
    })
}

impl<'a> Scan<'_, 'a> {
    /// One worker: takes units until none is left.
    fn units(&self) -> Result<Part<'a>, Stopped> {
        let view = self.file.view();
        let mut part = Part::default();
        while let Some(place) = self.places.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            self.job.check()?;
            match self.unit(&view, *place, &mut part) {
                Ok(()) => {}
                Err(Interrupted::Stopped(stopped)) => return Err(stopped),
                Err(Interrupted::Damaged(error)) => part.damage(error.to_string()),
            }
        }
        Ok(part)
    }

    fn unit(&self, view: &View<'a>, place: Place, part: &mut Part<'a>) -> Result<(), Interrupted> {
        let file = view.of(place.file)?;
        let Some(unit) = file.units().entries().get(place.position as usize) else { return Ok(()) };
        part.names_of(place.file);
        let header = file.header(unit)?;
        let abbreviations = file.abbreviations(&header)?;
        let mut entries = Entries::new(&file, header, abbreviations)?;
        let root = entries.read_root()?;
        if root.split.is_some() && place.file == FileId::Main {
            part.elsewhere.extend(view.rest_of_unit(place.position)?);
        }
        let scanned = self.entries(view, &entries, &root, unit, part);
        self.tell(unit);
        scanned
    }

    fn entries(
        &self,
        view: &View<'a>,
        entries: &Entries<'a>,
        root: &Root<'a>,
        unit: &UnitEntry,
        part: &mut Part<'a>,
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
            let die =
                DieRef::new(entries.file.id, unit.section, unit.start + entry.offset.0 as u64);
            part.add(entries, &entry, die)?;
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

    fn add(&mut self, entries: &Entries<'a>, entry: &Entry, die: DieRef) -> Result<(), Error> {
        let name = match entries.name(entry)? {
            None => return Ok(()),
            Some(Name::At(offset)) => match self.by_offset.get(&offset) {
                Some(known) => *known,
                None => {
                    let Some(text) = entries.name_at(offset) else { return Ok(()) };
                    let name = self.name(text);
                    self.by_offset.insert(offset, name);
                    name
                }
            },
            Some(Name::Text(text)) => self.name(text),
        };
        let kind = if entries.is_declaration(entry)? { DECLARATION } else { 0 };
        self.types.push(Met { name: name | kind, die });
        Ok(())
    }

    fn name(&mut self, text: &'a [u8]) -> u32 {
        *self.by_text.entry(text).or_insert_with(|| {
            self.names.push(text);
            self.names.len() as u32 - 1
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
