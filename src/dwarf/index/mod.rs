//! The name index: which DIEs define or declare a type of a name.
//!
//! Every named type DIE is found by one pass over the entries ([`scan`]). What was found is laid out
//! as bytes ([`bytes`]), which are used as they are, whether they were just made or are mapped from
//! the file that an earlier process has left ([`cache`], under a [`key`]).

mod bytes;
mod cache;
mod key;
mod merge;
mod scan;
mod split_files;

pub use cache::IndexCache;
use key::Key;
pub use scan::Watch;

use std::fmt;
use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::units::{Place, Units};
use super::{DebugFile, DieRef, DieSection, FileId};
use crate::binary::Mapping;
use crate::job::{Job, Stopped};
use bytes::Table;
use scan::Part;

/// All named types of a debug file.
pub struct Index {
    bytes: Bytes,
    /// What could not be read: a sentence. An index with one is not kept in a file.
    problem: Option<String>,
    /// The key of its file, if it is in one.
    kept_under: Option<Key>,
}

/// Where the table is.
enum Bytes {
    /// Shared with the thread that writes it; an `Arc<[u8]>` would be a copy of megabytes.
    Built(Arc<Box<[u8]>>),
    Mapped(Mapping),
}

/// The entries of a larger file are given back once they are read. A kernel's take 10 ms, when the process
/// ends at the latest: that is done beside the making of the index.
const LARGE: u64 = 16 << 20;

/// The DIEs of one name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definitions {
    /// Those that say what the type is.
    pub definitions: Vec<DieRef>,
    /// Those that only say that it exists (DW_AT_declaration).
    pub declarations: Vec<DieRef>,
}

impl Index {
    /// From the cache, else by reading every unit once.
    /// And those who have watched it.
    pub(super) fn of<'a, W: Watch<'a>>(
        job: &Job,
        file: &'a DebugFile,
        cache: Option<&IndexCache>,
        threads: usize,
        watch: &(impl Fn() -> W + Sync),
    ) -> Result<(Index, Vec<W>), Stopped> {
        let (key, units) = cache.and_then(|_| Key::of(file)).unzip();
        let keyed = cache.zip(key);
        if let Some((cache, own)) = &keyed
            && let Some(key) = split_files::recalled(cache, own)
            && let Some(mapping) = cache.load(&key)
        {
            if key != *own {
                file.view().find_package();
            }
            let bytes = Bytes::Mapped(mapping);
            return Ok((Index { bytes, problem: None, kept_under: Some(key) }, Vec::new()));
        }
        if let Some(units) = units.flatten() {
            file.know_units(&units);
        }
        let mut watchers = Vec::new();
        let parts = Index::parts(job, file, threads, watch, &mut watchers)?;
        if threads > 1 && file.unit_bytes() > LARGE {
            file.release_entries();
        }
        let (bytes, problem, kept_under) = Index::build(file, &parts, keyed.as_ref());
        let bytes = Arc::new(bytes);
        if let (Some((cache, _)), Some(key)) = (keyed, &kept_under) {
            cache.keep(key, Arc::clone(&bytes));
        }
        Ok((Index { bytes: Bytes::Built(bytes), problem, kept_under }, watchers))
    }

    /// Reads every unit once.
    fn parts<'a, W: Watch<'a>>(
        job: &Job,
        file: &'a DebugFile,
        threads: usize,
        watch: &(impl Fn() -> W + Sync),
        watchers: &mut Vec<W>,
    ) -> Result<Vec<Part<'a>>, Stopped> {
        let mut places: Vec<Place> = file.unit_places().collect();
        let mut seen: FxHashSet<Place> = FxHashSet::default();
        let mut parts = Vec::new();
        // Units refer to units of other files: to those of a supplement that they share, to their rest.
        while !places.is_empty() {
            seen.extend(&places);
            let mut elsewhere = Vec::new();
            for (mut part, watcher) in scan::scan(job, file, &places, threads, watch)? {
                elsewhere.append(&mut part.elsewhere);
                parts.push(part);
                watchers.push(watcher);
            }
            places = elsewhere.into_iter().filter(|place| seen.insert(*place)).collect();
            places.sort_unstable();
        }
        Ok(parts)
    }

    /// Makes one of what was read, with what is wrong with it, and the key it is kept under where it is
    /// whole.
    fn build(
        file: &DebugFile,
        parts: &[Part<'_>],
        keyed: Option<&(&IndexCache, Key)>,
    ) -> (Box<[u8]>, Option<String>, Option<Key>) {
        let damaged = parts.iter().filter_map(|part| part.damaged.as_ref());
        let problem = damaged.clone().next().map(|(why, _)| {
            let units: usize = damaged.map(|(_, units)| units).sum();
            format!("{units} of its units could not be read to the end ({why})")
        });
        let is_whole = problem.is_none() && file.units().problem().is_none();
        let mut runs = parts.iter().flat_map(|part| &part.runs);
        let is_split = runs.any(|run| matches!(run.start.file(), FileId::Split(_)));
        let kept_under = keyed.filter(|_| is_whole).map(|(cache, key)| match is_split {
            true => split_files::noted(cache, key, file),
            false => key.clone(),
        });
        let content = kept_under.as_ref().map_or(0, |key| key.content);
        let Some(bytes) = merge::merged(parts, file.units(), content) else {
            let problem = Some("it has more types than can be counted".to_owned());
            return (Box::default(), problem, None);
        };
        (bytes, problem, kept_under)
    }

    /// How many named types there are, declarations included.
    pub fn len(&self) -> usize {
        self.table().map_or(0, |table| table.types())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What could not be indexed, in a sentence.
    pub fn problem(&self) -> Option<String> {
        self.problem.clone()
    }

    /// The DIEs whose name, without scope, is `name`.
    pub fn find(&self, name: &[u8]) -> Definitions {
        let found = || {
            let table = self.table()?;
            table.types_of(table.position_of(name)?)
        };
        let (definitions, declarations) = found().unwrap_or_default();
        Definitions {
            definitions: definitions.iter().collect(),
            declarations: declarations.iter().collect(),
        }
    }

    /// How many names there are.
    pub fn name_count(&self) -> usize {
        self.table().map_or(0, |table| table.names())
    }

    /// The name at a position.
    pub fn name_at(&self, position: usize) -> Option<&[u8]> {
        Some(self.table()?.name(position)?.text)
    }

    /// The definitions of all names, each with the position of its name.
    pub fn definitions(&self) -> impl Iterator<Item = (usize, DieRef)> + '_ {
        self.table().into_iter().flat_map(|table| {
            (0..table.names()).flat_map(move |position| {
                let definitions = table.types_of(position).map(|(definitions, _)| definitions);
                definitions.unwrap_or_default().iter().map(move |die| (position, die))
            })
        })
    }

    /// The key under which it is kept, if it is.
    pub(super) fn key(&self) -> Option<&Key> {
        self.kept_under.as_ref()
    }

    /// All names, each once, in no order that means anything.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.table().into_iter().flat_map(|table| {
            (0..table.names()).filter_map(move |at| table.name(at)).map(|name| name.text)
        })
    }

    /// The units of the main file, as an index that is not made anew tells them: without reading their
    /// headers, which are all over the file.
    pub(super) fn units(&self) -> Units {
        let table = self.table();
        let units = table.iter().flat_map(Table::units);
        let places = units.map(|(start, end)| {
            let is_types = start & bytes::TYPES_BIT != 0;
            let section = if is_types { DieSection::Types } else { DieSection::Info };
            (section, start & !bytes::TYPES_BIT, end)
        });
        Units::known(places, table.iter().flat_map(Table::signatures))
    }

    fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Built(bytes) => bytes,
            Bytes::Mapped(mapping) => mapping,
        }
    }

    fn table(&self) -> Option<Table<'_>> {
        Table::of(self.bytes())
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Index of {} types", self.len())
    }
}
