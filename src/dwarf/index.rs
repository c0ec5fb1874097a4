//! The name index: which DIEs define or declare a type of a name.
//!
//! Every named type DIE is found by one pass over the entries, spread over threads by unit; only a
//! hash of the name and a reference are kept, sixteen bytes a DIE. A lookup reads the names back
//! to tell hash collisions apart.

use std::hash::Hasher;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gimli::{AttributeValue, DwTag, constants as dw};
use rustc_hash::{FxHashSet, FxHasher};

use super::units::Place;
use super::{DebugFile, DieRef, Error, FileId, Language, UnitView, View};
use crate::job::{Job, Stopped};

/// More attributes than this are damage: producers write thirty at most.
const MAX_ATTRIBUTES: usize = 1000;

/// All named types of a debug file.
#[derive(Debug, Default)]
pub struct Index {
    /// Sorted by hash, then place.
    entries: Vec<Entry>,
    /// The first unit that could not be read to its end, and how many there are.
    damaged: Option<(String, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    hash: u32,
    declaration: bool,
    die: DieRef,
}

/// The DIEs of one name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definitions {
    /// Those that say what the type is.
    pub definitions: Vec<DieRef>,
    /// Those that only say that it exists (DW_AT_declaration).
    pub declarations: Vec<DieRef>,
}

impl Index {
    /// Reads every unit once.
    pub(super) fn build(job: &Job, file: &DebugFile, threads: usize) -> Result<Index, Stopped> {
        let mut index = Index::default();
        let mut places: Vec<Place> = file.unit_places().collect();
        let mut seen: FxHashSet<Place> = FxHashSet::default();
        // Units refer to units of other files: to those of a supplement that they share, to their rest.
        while !places.is_empty() {
            seen.extend(&places);
            let parts = scan(job, file, &places, threads)?;
            index.entries.reserve_exact(parts.iter().map(|part| part.index.entries.len()).sum());
            places.clear();
            for part in parts {
                index.entries.extend_from_slice(&part.index.entries);
                index.merge_damage(part.index.damaged);
                places.extend(part.elsewhere);
            }
            places.retain(|place| seen.insert(*place));
            places.sort_unstable();
        }
        index.entries.sort_unstable();
        Ok(index)
    }

    /// How many named types there are, declarations included.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What could not be indexed, in a sentence.
    pub fn problem(&self) -> Option<String> {
        let (why, units) = self.damaged.as_ref()?;
        Some(format!("{units} of its units could not be read to the end ({why})"))
    }

    /// The DIEs whose name, without scope, is `name`.
    pub fn find(&self, view: &View<'_>, name: &[u8]) -> Definitions {
        let hash = hash_of(name);
        let start = self.entries.partition_point(|entry| entry.hash < hash);
        let same_hash = self.entries.iter().skip(start).take_while(|entry| entry.hash == hash);
        let mut found = Definitions::default();
        for entry in same_hash {
            let Ok(die) = view.die(entry.die) else { continue };
            if view.name(&die) != Some(name) {
                continue;
            }
            if entry.declaration {
                found.declarations.push(entry.die);
            } else {
                found.definitions.push(entry.die);
            }
        }
        found
    }

    /// One DIE for each distinct name hash: what suggestions are chosen from.
    pub fn distinct(&self) -> impl Iterator<Item = DieRef> + '_ {
        let mut last = None;
        let is_new = move |entry: &&Entry| last.replace(entry.hash) != Some(entry.hash);
        self.entries.iter().filter(is_new).map(|entry| entry.die)
    }

    fn merge_damage(&mut self, other: Option<(String, usize)>) {
        self.damaged = match (self.damaged.take(), other) {
            (Some((why, mine)), Some((_, theirs))) => Some((why, mine + theirs)),
            (mine, theirs) => mine.or(theirs),
        };
    }
}

/// A unit can be a whole program (LTO): the job is asked within it too, every so many entries.
const CHECK_EVERY: usize = 1 << 14;

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

/// One worker: takes units until none is left.
/// What one thread has found.
#[derive(Debug, Default)]
struct Part {
    index: Index,
    /// Units that those it has read refer to.
    elsewhere: Vec<Place>,
}

impl Part {
    fn damage(&mut self, why: String) {
        self.index.merge_damage(Some((why, 1)));
    }
}

/// Reads units, spread over so many threads.
fn scan(
    job: &Job,
    file: &DebugFile,
    places: &[Place],
    threads: usize,
) -> Result<Vec<Part>, Stopped> {
    let next = AtomicUsize::new(0);
    let threads = threads.clamp(1, places.len().max(1));
    std::thread::scope(|scope| {
        let work = || scan_units(job, file, places, &next);
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        // A worker that panics is a bug of ours; its units are missing and said to be.
        let join = |worker: std::thread::ScopedJoinHandle<'_, _>| {
            worker.join().unwrap_or_else(|_| {
                let mut part = Part::default();
                part.damage("a worker thread died".to_owned());
                Ok(part)
            })
        };
        workers.into_iter().map(join).collect()
    })
}

fn scan_units(
    job: &Job,
    file: &DebugFile,
    places: &[Place],
    next: &AtomicUsize,
) -> Result<Part, Stopped> {
    let view = file.view();
    let mut part = Part::default();
    while let Some(place) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
        job.check()?;
        match scan_unit(job, &view, *place, &mut part) {
            Ok(()) => {}
            Err(Interrupted::Stopped(stopped)) => return Err(stopped),
            Err(Interrupted::Damaged(error)) => part.damage(error.to_string()),
        }
    }
    part.index.entries.sort_unstable();
    Ok(part)
}

fn scan_unit(job: &Job, view: &View<'_>, place: Place, part: &mut Part) -> Result<(), Interrupted> {
    let file = view.of(place.file)?;
    let Some(unit) = file.units().entries().get(place.position as usize) else { return Ok(()) };
    let header = file.header(unit)?;
    let abbreviations = file.dwarf.abbreviations(&header)?;
    let unit_view = UnitView::new(Rc::clone(&file), unit, header, Arc::clone(&abbreviations))?;
    if unit_view.is_split() && place.file == FileId::Main {
        part.elsewhere.extend(view.rest_of_unit(place.position)?);
    }
    let is_c = unit_view.language() == Language::C;
    let mut raw = header.entries_raw(&abbreviations, None)?;
    let mut read = 0_usize;
    while !raw.is_empty() {
        read += 1;
        if read.is_multiple_of(CHECK_EVERY) {
            job.check()?;
        }
        let offset = raw.next_offset();
        let Some(abbreviation) = raw.read_abbreviation()? else { continue };
        // A byte names an abbreviation: without a bound it costs whatever that declares.
        let attributes = abbreviation.attributes().len();
        if attributes > MAX_ATTRIBUTES {
            return Err(Error::TooManyAttributes(attributes).into());
        }
        if abbreviation.tag() == dw::DW_TAG_imported_unit {
            for &specification in abbreviation.attributes() {
                let attribute = raw.read_attribute(specification)?;
                if attribute.name() == dw::DW_AT_import {
                    part.elsewhere.extend(view.imported(&unit_view, attribute.value())?);
                }
            }
            continue;
        }
        if !is_named_type(abbreviation.tag()) {
            raw.skip_attributes(abbreviation.attributes())?;
            continue;
        }
        let mut name = None;
        let mut declaration = false;
        let mut sibling = None;
        for &specification in abbreviation.attributes() {
            match specification.name() {
                dw::DW_AT_name => name = Some(raw.read_attribute(specification)?.raw_value()),
                dw::DW_AT_declaration => {
                    let value = raw.read_attribute(specification)?.raw_value();
                    declaration = value == AttributeValue::Flag(true);
                }
                dw::DW_AT_sibling => sibling = Some(raw.read_attribute(specification)?.raw_value()),
                _ => raw.skip_attributes(&[specification])?,
            }
        }
        if let Some(name) = name.and_then(|name| view.string(&unit_view, name)) {
            let die = unit_view.die_ref(offset);
            part.index.entries.push(Entry { hash: hash_of(name), declaration, die });
        }
        // A C type's children are members and enumerators: none is a type with a name.
        if let Some(AttributeValue::UnitRef(sibling)) = sibling
            && is_c
            && sibling > offset
        {
            raw = header.entries_raw(&abbreviations, Some(sibling))?;
        }
    }
    Ok(())
}

/// The tags of types that people name. Base types are among them: `size_t` leads to one.
fn is_named_type(tag: DwTag) -> bool {
    matches!(
        tag,
        dw::DW_TAG_structure_type
            | dw::DW_TAG_union_type
            | dw::DW_TAG_class_type
            | dw::DW_TAG_interface_type
            | dw::DW_TAG_enumeration_type
            | dw::DW_TAG_typedef
            | dw::DW_TAG_template_alias
            | dw::DW_TAG_base_type
    )
}

fn hash_of(name: &[u8]) -> u32 {
    let mut hasher = FxHasher::default();
    hasher.write(name);
    // The upper half: the lower bits of a multiplicative hash mix poorly.
    (hasher.finish() >> 32) as u32
}
