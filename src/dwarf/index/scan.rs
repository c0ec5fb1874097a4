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
use super::super::pass::{self, LANES, Met, Pass};
use super::super::units::Place;
use super::super::{DebugFile, DieRef, Entries, Error, FileId, Language, Target, View};
use super::bytes::hash_of;
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
    /// Each name once; none when they are sorted.
    names: Vec<&'a [u8]>,
    /// Each name once, sorted when there are no more.
    pub(super) sorted: Vec<Sorted<'a>>,
    /// How many definitions, and how many declarations, each has.
    pub(super) counts: Vec<[u32; 2]>,
    pub(super) types: Vec<Named>,
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

/// The hash of a name, the name, and its position.
pub(super) type Sorted<'a> = (u32, &'a [u8], u32);

/// A unit that was read, or a part of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// Where it is.
    pub(super) start: DieRef,
    /// Past all its types.
    pub(super) end: DieRef,
    /// The position of the first type in it.
    pub(super) first: usize,
}

/// A type whose name is known, in eight bytes: a kernel has a million.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named {
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

impl Named {
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
        unit.plus(self.offset.into())
    }
}

/// What takes less time is not worth telling that it goes on.
const TELL_AFTER: Duration = Duration::from_millis(300);

/// What all threads share.
struct Scan<'s, 'a> {
    job: &'s Job,
    file: &'a DebugFile,
    places: &'s [Place],
    next: AtomicUsize,
    /// How many units each thread passes in turns.
    lanes: usize,
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
    let threads = threads.clamp(1, places.len().max(1));
    let scan = Scan {
        job,
        file,
        places,
        next: AtomicUsize::new(0),
        // Not so many that the others have none left.
        lanes: (places.len() / threads / 8).clamp(1, LANES),
        started: Instant::now(),
        done: AtomicU64::new(0),
        total: file.unit_bytes(),
    };
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

/// What one thread has at hand.
struct Worker<'a, W> {
    part: Part<'a>,
    watch: W,
    /// The abbreviations it has read last.
    table: Option<Table>,
    /// The units it passes in turns.
    passes: Vec<Pass<'a>>,
    /// Memory that passes have left for the next.
    buffers: Vec<Vec<Met>>,
}

impl<'a> Scan<'_, 'a> {
    /// One worker: takes units until none is left.
    fn units<W: Watch<'a>>(&self, watch: W) -> Result<Scanned<'a, W>, Stopped> {
        let view = self.file.view();
        let (part, table) = (Part::default(), None);
        let (passes, buffers) = (Vec::new(), Vec::new());
        let mut worker = Worker { part, watch, table, passes, buffers };
        loop {
            while worker.passes.len() < self.lanes
                && let Some(place) = self.places.get(self.next.fetch_add(1, Ordering::Relaxed))
            {
                self.job.check()?;
                if let Err(error) = worker.enter(&view, *place) {
                    worker.part.damage(error.to_string());
                }
            }
            if worker.passes.is_empty() {
                worker.part.sort_names();
                return Ok((worker.part, worker.watch));
            }
            self.job.check()?;
            pass::go_on(&mut worker.passes);
            let is_told = |pass: &Pass<'_>| pass.is_done() || pass.is_full();
            while let Some(position) = worker.passes.iter().position(is_told) {
                self.job.check()?;
                let size = worker.hand_over(&view, position);
                self.tell(size);
            }
        }
    }

    /// Tells whoever waits how much has been read.
    fn tell(&self, size: u64) {
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

    /// Adds what was met in a unit, up to what cannot be read.
    fn add_all(
        &mut self,
        view: &View<'a>,
        entries: &Entries<'a>,
        met: &[Met],
        watch: &impl Watch<'a>,
    ) -> Result<(), Error> {
        self.types.reserve(met.len());
        for met in met {
            let Some(name) = met.name() else {
                self.add_in_full(view, entries, *met, watch)?;
                continue;
            };
            if let Some(name) = self.name_at(entries, name, watch) {
                self.add(name, met.offset(), met.is_declaration());
            }
        }
        Ok(())
    }

    /// Adds a type that has no fixed place for its name, and notes the unit that is imported.
    fn add_in_full(
        &mut self,
        view: &View<'a>,
        entries: &Entries<'a>,
        met: Met,
        watch: &impl Watch<'a>,
    ) -> Result<(), Error> {
        let entry = entries.entry(UnitOffset(met.offset() as usize))?;
        let Some(entry) = entry else { return Ok(()) };
        if entry.tag() == dw::DW_TAG_imported_unit {
            self.elsewhere.extend(imported(view, entries, &entry)?);
            return Ok(());
        }
        let name = match entries.name(&entry)? {
            None => None,
            Some(Name::At(offset)) => self.name_at(entries, offset, watch),
            Some(Name::Text(text)) => Some(self.name(text, watch)),
        };
        let is_declaration = entries.is_declaration(&entry)?;
        name.into_iter().for_each(|name| self.add(name, met.offset(), is_declaration));
        Ok(())
    }

    fn add(&mut self, name: u32, offset: u32, is_declaration: bool) {
        if name & WANTED != 0 && !is_declaration {
            self.wanted.push(offset);
        }
        let met = Named { name: name | if is_declaration { DECLARATION } else { 0 }, offset };
        if let Some([definitions, declarations]) = self.counts.get_mut(met.name()) {
            *(if is_declaration { declarations } else { definitions }) += 1;
        }
        self.types.push(met);
    }

    /// The position of the name at an offset of .debug_str; none where there is nothing.
    fn name_at(
        &mut self,
        entries: &Entries<'a>,
        offset: u32,
        watch: &impl Watch<'a>,
    ) -> Option<u32> {
        if let Some(known) = self.by_offset.get(&offset) {
            return Some(*known);
        }
        let name = self.name(entries.name_at(offset)?, watch);
        self.by_offset.insert(offset, name);
        Some(name)
    }

    fn name(&mut self, text: &'a [u8], watch: &impl Watch<'a>) -> u32 {
        *self.by_text.entry(text).or_insert_with(|| {
            let position = self.names.len().min(MAX_NAMES) as u32;
            self.names.push(text);
            self.counts.push([0; 2]);
            position | if watch.is_wanted(text) { WANTED } else { 0 }
        })
    }

    fn sort_names(&mut self) {
        let names = std::mem::take(&mut self.names).into_iter().zip(0..);
        self.sorted = names.map(|(text, position)| (hash_of(text), text, position)).collect();
        self.sorted.sort_unstable();
    }

    fn damage(&mut self, why: String) {
        self.damaged.get_or_insert((why, 0)).1 += 1;
    }
}

impl<'a, W: Watch<'a>> Worker<'a, W> {
    /// Begins with a unit.
    fn enter(&mut self, view: &View<'a>, place: Place) -> Result<(), Error> {
        let file = view.of(place.file)?;
        let Some(unit) = file.units().entries().get(place.position as usize) else { return Ok(()) };
        let header = file.header(unit)?;
        let abbreviations = file.passing_abbreviations(&header, &mut self.table)?;
        let mut entries = Entries::new(&file, header, abbreviations)?;
        let root = entries.read_root()?;
        if root.split.is_some() && place.file == FileId::Main {
            self.part.elsewhere.extend(view.rest_of_unit(place.position)?);
        }
        let buffer = self.buffers.pop().unwrap_or_default();
        self.passes.push(Pass::new(entries, root.language == Language::C, buffer));
        Ok(())
    }

    /// Takes over what was met in a unit, and ends with it if nothing is left, or what was met cannot be
    /// read. The size of a unit that is done.
    fn hand_over(&mut self, view: &View<'a>, position: usize) -> u64 {
        let Some(pass) = self.passes.get_mut(position) else { return 0 };
        let (entries, met) = pass.parts();
        let part = &mut self.part;
        part.names_of(entries.file());
        let start = entries.die_ref(UnitOffset(0));
        let end = entries.die_ref(entries.end());
        part.runs.push(Run { start, end, first: part.types.len() });
        let added = part.add_all(view, entries, met, &self.watch);
        for offset in part.wanted.drain(..) {
            self.watch.definition(entries, UnitOffset(offset as usize), start.plus(offset.into()));
        }
        pass.clear();
        if added.is_ok() && !pass.is_done() {
            return 0;
        }
        let size = pass.parts().0.end().0 as u64;
        let (passed, buffer) = self.passes.swap_remove(position).end();
        self.buffers.push(buffer);
        if let Err(error) = added.and(passed) {
            self.part.damage(error.to_string());
        }
        size
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
