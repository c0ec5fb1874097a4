//! Every name of a file with its distinct definitions: for questions that are about all types.
//!
//! A header's types are defined anew in every unit that includes it. One pass over all definitions, in
//! the order of the file and spread over threads, hashes what is each type's own ([`Shapes::own`]), and
//! keeps one definition of each hash. What is inside of a type with a name is left to that type.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustc_hash::FxHashMap;

use super::distinct::{Target, is_its_own, resolve};
use super::locate::places;
use super::reader::Reader;
use super::shape::Shapes;
use super::{Covering, Error, LayoutMatch};
use crate::dwarf::{DebugFile, DieRef, Index, Language, View};
use crate::job::{Job, Progress, Stopped};

/// So many definitions are looked at by one thread at a time.
const CHUNK: usize = 1 << 11;

/// Under this name a survey is kept for later processes.
const KEPT_AS: &str = "survey";

/// The names of a file, by text, each with one definition of each kind, and how many there are of it.
#[derive(Debug, Default)]
pub struct Survey {
    names: Vec<Surveyed>,
}

#[derive(Debug)]
struct Surveyed {
    name: String,
    definitions: Vec<(DieRef, usize)>,
}

/// By the position of the name and the hash of the definition: the first, and how many.
type Distinct = FxHashMap<(usize, u64), (DieRef, usize)>;

impl Survey {
    /// Looks at all definitions, or recalls what an earlier process has seen.
    pub fn of(job: &Job, file: &DebugFile, threads: usize) -> Result<Survey, Error> {
        let index = file.index(job, threads)?;
        if let Some(kept) = file.recall(KEPT_AS) {
            return Ok(Survey::from_rows(&index, rows(&kept)));
        }
        let mut all: Vec<(DieRef, usize)> =
            index.definitions().map(|(position, die)| (die, position)).collect();
        all.sort_unstable();
        let mut distinct = Distinct::default();
        for part in surveyed(job, file, &index, &all, threads)? {
            for (key, (die, units)) in part {
                let known = distinct.entry(key).or_insert((die, 0));
                *known = (known.0.min(die), known.1 + units);
            }
        }
        let mut found: Vec<(usize, DieRef, usize)> = distinct
            .into_iter()
            .map(|((position, _), (die, units))| (position, die, units))
            .collect();
        found.sort_unstable();
        let numbers = found.iter().flat_map(|(position, die, units)| {
            [*position as u64, die.packed(), *units as u64].map(u64::to_le_bytes)
        });
        file.remember(KEPT_AS, &numbers.flatten().collect::<Vec<u8>>());
        Ok(Survey::from_rows(&index, found.into_iter()))
    }

    fn from_rows(index: &Index, rows: impl Iterator<Item = (usize, DieRef, usize)>) -> Survey {
        let mut by_position: FxHashMap<usize, Vec<(DieRef, usize)>> = FxHashMap::default();
        for (position, die, units) in rows {
            by_position.entry(position).or_default().push((die, units));
        }
        let named = |(position, definitions)| {
            let name = std::str::from_utf8(index.name_at(position)?).ok()?;
            (!name.is_empty()).then(|| Surveyed { name: name.to_owned(), definitions })
        };
        let mut names: Vec<Surveyed> = by_position.into_iter().filter_map(named).collect();
        names.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Survey { names }
    }

    /// The names, in the order of their letters.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|surveyed| surveyed.name.as_str())
    }

    fn definitions(&self, name: &str) -> &[(DieRef, usize)] {
        let found = self.names.binary_search_by(|surveyed| surveyed.name.as_str().cmp(name));
        let surveyed = found.ok().and_then(|position| self.names.get(position));
        surveyed.map_or(&[], |surveyed| &surveyed.definitions)
    }
}

/// What was written by an earlier process; what is cut off is left out.
fn rows(kept: &[u8]) -> impl Iterator<Item = (usize, DieRef, usize)> + '_ {
    let numbers = |row: &[u8]| {
        let mut numbers = row.chunks_exact(8).filter_map(|bytes| bytes.try_into().ok());
        let mut next = || Some(u64::from_le_bytes(numbers.next()?));
        let (position, die, units) = (next()?, next()?, next()?);
        Some((position as usize, DieRef::from_packed(die), units as usize))
    };
    kept.chunks_exact(24).filter_map(numbers)
}

/// Spreads the definitions, in the order of the file, over threads.
fn surveyed(
    job: &Job,
    file: &DebugFile,
    index: &Index,
    all: &[(DieRef, usize)],
    threads: usize,
) -> Result<Vec<Distinct>, Error> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let view = file.view();
        let mut distinct = Distinct::default();
        let chunks = || all.chunks(CHUNK).nth(next.fetch_add(1, Ordering::Relaxed));
        while let Some(chunk) = chunks() {
            let done = (next.load(Ordering::Relaxed) * CHUNK).min(all.len()) as u64;
            tell(job, file, done, all.len() as u64)?;
            let reader = Reader::new(job, &view, index);
            let mut shapes = Shapes::new(&reader);
            for (die, position) in chunk {
                let hash = match reader.die(*die).and_then(|die| shapes.own(&die)) {
                    Ok(hash) => hash,
                    // Alike with none.
                    Err(error) if is_its_own(&error) => {
                        let mut hasher = DefaultHasher::new();
                        die.hash(&mut hasher);
                        hasher.finish()
                    }
                    Err(error) => return Err(error),
                };
                distinct.entry((*position, hash)).or_insert((*die, 0)).1 += 1;
            }
        }
        Ok(distinct)
    };
    if threads < 2 || all.len() < CHUNK {
        return Ok(vec![worker()?]);
    }
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        // A worker that panicked is a bug: passing it on reaches the caller's guard.
        let join = |worker: std::thread::ScopedJoinHandle<'_, _>| {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        workers.into_iter().map(join).collect()
    })
}

fn tell(job: &Job, file: &DebugFile, done: u64, total: u64) -> Result<(), Stopped> {
    job.check()?;
    let what = format!("comparing the types of {}", file.binary().path().display());
    job.progress(&Progress { what, done, total: Some(total) });
    Ok(())
}

/// Reads the layouts that a survey has found, on one thread.
#[derive(Debug)]
pub struct Surveyor<'s> {
    job: &'s Job,
    survey: &'s Survey,
    view: View<'s>,
    index: Arc<Index>,
}

impl<'s> Surveyor<'s> {
    /// For a survey of this file.
    pub fn new(job: &'s Job, file: &'s DebugFile, survey: &'s Survey) -> Result<Self, Stopped> {
        Ok(Surveyor { job, survey, view: file.view(), index: file.index(job, 1)? })
    }

    /// The distinct layouts of a name, without what is inside of members whose types have a name, and
    /// without the place of the declaration. What is damaged is left out.
    pub fn layouts(
        &self,
        name: &str,
        language: Option<Language>,
    ) -> Result<Vec<LayoutMatch>, Error> {
        Ok(merged(self.definitions(name, language)?))
    }

    /// The same with the typedefs of tags that have the same name.
    pub fn definitions(
        &self,
        name: &str,
        language: Option<Language>,
    ) -> Result<Vec<LayoutMatch>, Error> {
        let reader = Reader::new(self.job, &self.view, &self.index);
        let mut all = Vec::new();
        for (at, units) in self.survey.definitions(name) {
            match read(&reader, *at, *units, language) {
                Ok(found) => all.extend(found),
                Err(error) if is_its_own(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    /// The file and line of a layout's declaration, which [`Surveyor::layouts`] leaves out.
    pub fn declared_at(&self, die: DieRef) -> Result<Option<(String, u64)>, Error> {
        Ok(self.view.declared_at(&self.view.die(die)?))
    }

    /// The alignment of a layout's type, stated or as the ABIs have it; none where it is not certain.
    pub fn alignment(&self, die: DieRef) -> Result<Option<u64>, Error> {
        let reader = Reader::new(self.job, &self.view, &self.index);
        reader.alignment_at(die)
    }

    /// Whether a member of a type, at any depth, takes these very bytes.
    pub fn has_place(&self, die: DieRef, bytes: Range<u64>) -> Result<bool, Error> {
        let reader = Reader::new(self.job, &self.view, &self.index);
        let bits = bytes.start.saturating_mul(8)..bytes.end.saturating_mul(8);
        let places = places(&reader, die, bits.clone())?;
        Ok(places.iter().any(|place| {
            matches!(place.what, Covering::Member { .. })
                && place.bits.offset == bits.start
                && place.bits.offset.saturating_add(place.bits.size) == bits.end
        }))
    }
}

/// Layouts that say the same are one. The typedef of a tag of the same name is no further definition.
pub fn merged(all: Vec<LayoutMatch>) -> Vec<LayoutMatch> {
    let mut matches: Vec<LayoutMatch> = Vec::new();
    for found in all {
        let is_same = |other: &&mut LayoutMatch| other.layout.same_as(&found.layout);
        let Some(same) = matches.iter_mut().find(is_same) else {
            matches.push(found);
            continue;
        };
        match (same.layout.via.is_empty(), found.layout.via.is_empty()) {
            (false, true) => *same = found,
            (true, false) => {}
            _ => same.units += found.units,
        }
    }
    matches
}

fn read(
    reader: &Reader<'_, '_>,
    at: DieRef,
    units: usize,
    language: Option<Language>,
) -> Result<Vec<LayoutMatch>, Error> {
    let die = reader.die(at)?;
    if language.is_some_and(|language| language != die.language()) {
        return Ok(Vec::new());
    }
    let read = |target: Target| {
        let die = reader.die(target.die)?;
        let mut layout = reader.own_layout(&die, target.known_as.as_deref())?;
        layout.via = target.via;
        Ok(LayoutMatch { layout, units, selected: None })
    };
    resolve(reader, die)?.into_iter().map(read).collect()
}
