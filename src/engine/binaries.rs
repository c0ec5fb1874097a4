//! The binaries that are open: each file once, reopened when it has changed on disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::binary::debuginfod::{Debuginfod, Reach};
use crate::binary::{self, Binary, DebugInfo, DebugSources};
use crate::dwarf::{DebugFile, IndexCache};
use crate::job::Job;
use crate::symbols::Symbols;
use crate::types::Layouts;

/// As many binaries are kept open; the one used longest ago makes room.
const MAX_OPEN: usize = 256;

/// The tables for looking up addresses of a binary may take so many bytes from one question to the
/// next.
const MAX_SYMBOLS: usize = 256 << 20;

/// Open binaries, shared by all requests.
#[derive(Debug)]
pub(super) struct Binaries {
    sources: DebugSources,
    indexes: Option<Arc<IndexCache>>,
    open: Mutex<BTreeMap<PathBuf, Arc<Slot>>>,
    clock: AtomicU64,
}

/// The place of one path: one thread opens it, those who ask meanwhile wait as long as their own job
/// may, since finding debug info can take minutes.
#[derive(Debug, Default)]
struct Slot {
    state: Mutex<State>,
    changed: Condvar,
    used: AtomicU64,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Closed,
    Opening,
    Open(Arc<Opened>),
}

/// How often one who waits asks whether it still may.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// An open binary with what has been read of it.
#[derive(Debug)]
pub(super) struct Opened {
    /// The binary's DWARF.
    pub(super) file: DebugFile,
    /// Where its debug info was looked for.
    reach: Reach,
    symbols: Mutex<Arc<Symbols>>,
    /// The layouts that were found in it.
    pub(super) layouts: Layouts,
}

impl Binaries {
    pub(super) fn new(sources: DebugSources, indexes: Option<IndexCache>) -> Binaries {
        let (open, clock) = (Mutex::default(), AtomicU64::default());
        Binaries { sources, indexes: indexes.map(Arc::new), open, clock }
    }

    /// Waits until the indexes that were to be kept are written.
    pub(super) fn settle(&self) {
        self.indexes.iter().for_each(|indexes| indexes.settle());
    }

    /// The servers that sources can be had from too.
    pub(super) fn debuginfod(&self) -> Option<&Debuginfod> {
        self.sources.debuginfod.as_deref()
    }

    /// The binary at `path`: the open one, unless a file it was read from has changed, or servers may
    /// be asked now for what it lacks.
    pub(super) fn open(
        &self,
        job: &Job,
        path: &Path,
        reach: Reach,
    ) -> Result<Arc<Opened>, binary::Error> {
        let slot = self.slot(path);
        if let Some(opened) = slot.opened(job, reach)? {
            return Ok(opened);
        }
        // Whatever happens in there, those who wait are woken: to the binary, or to try themselves.
        let mut outcome = Outcome { slot: &slot, opened: None };
        match Binary::open(job, path, &self.sources.reaching(reach)) {
            Ok(binary) => {
                let opened = Arc::new(self.opened(Arc::new(binary), reach));
                outcome.opened = Some(Arc::clone(&opened));
                Ok(opened)
            }
            Err(error) => {
                lock(&self.open).remove(path);
                Err(error)
            }
        }
    }

    fn opened(&self, binary: Arc<Binary>, reach: Reach) -> Opened {
        Opened {
            reach,
            file: DebugFile::with_cache(binary, self.indexes.clone()),
            symbols: Mutex::default(),
            layouts: Layouts::default(),
        }
    }

    fn slot(&self, path: &Path) -> Arc<Slot> {
        let now = self.clock.fetch_add(1, Ordering::Relaxed);
        let mut open = lock(&self.open);
        let slot = Arc::clone(open.entry(path.to_owned()).or_default());
        slot.used.store(now, Ordering::Relaxed);
        if open.len() > MAX_OPEN {
            let oldest = open.iter().min_by_key(|(_, slot)| slot.used.load(Ordering::Relaxed));
            if let Some(path) = oldest.map(|(path, _)| path.clone()) {
                open.remove(&path);
            }
        }
        slot
    }

    /// The open binary with this build-id, in lower-case hexadecimal, as long as it is current.
    pub(super) fn by_build_id(&self, wanted: &str) -> Option<Arc<Opened>> {
        let has_id = |opened: &Arc<Opened>| {
            opened.binary().build_id().is_some_and(|id| id.to_string() == wanted)
        };
        self.list().into_iter().find(has_id)
    }

    /// All open binaries that are current, by path. One that is being opened is none yet.
    pub(super) fn list(&self) -> Vec<Arc<Opened>> {
        let slots: Vec<Arc<Slot>> = lock(&self.open).values().cloned().collect();
        let opened = slots.iter().filter_map(|slot| slot.now());
        opened.filter(|opened| opened.binary().is_current()).collect()
    }
}

impl Slot {
    /// What is open here, if it is current; waits for one who is opening it. None: it is now for the
    /// caller to open, who must leave an [`Outcome`].
    fn opened(&self, job: &Job, reach: Reach) -> Result<Option<Arc<Opened>>, binary::Error> {
        let mut state = lock(&self.state);
        loop {
            match &*state {
                State::Open(opened) if opened.serves(reach) => {
                    return Ok(Some(Arc::clone(opened)));
                }
                State::Open(_) | State::Closed => break,
                State::Opening => {
                    job.check()?;
                    let waited = self.changed.wait_timeout(state, LOOK_AGAIN);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
            }
        }
        *state = State::Opening;
        Ok(None)
    }

    /// What is open here now.
    fn now(&self) -> Option<Arc<Opened>> {
        match &*lock(&self.state) {
            State::Open(opened) => Some(Arc::clone(opened)),
            State::Closed | State::Opening => None,
        }
    }
}

/// Leaves a slot as it should be, also when the opening was stopped or panicked.
struct Outcome<'s> {
    slot: &'s Slot,
    opened: Option<Arc<Opened>>,
}

impl Drop for Outcome<'_> {
    fn drop(&mut self) {
        *lock(&self.slot.state) = self.opened.take().map_or(State::Closed, State::Open);
        self.slot.changed.notify_all();
    }
}

impl Opened {
    /// Whether it is as it would be if it were opened now.
    fn serves(&self, reach: Reach) -> bool {
        let lacks =
            self.binary().debug_info().is_none_or(|info| info.missing_supplement().is_some());
        let could_have_more = self.reach == Reach::Cache && reach == Reach::Servers && lacks;
        !could_have_more && self.binary().is_current()
    }

    /// The binary itself.
    pub(super) fn binary(&self) -> &Arc<Binary> {
        self.file.binary()
    }

    /// What addresses of it mean, as far as that has been read; anew once that takes much memory.
    pub(super) fn symbols(&self) -> Arc<Symbols> {
        let mut symbols = lock(&self.symbols);
        if symbols.bytes() > MAX_SYMBOLS {
            *symbols = Arc::default();
        }
        Arc::clone(&symbols)
    }
}

impl From<&Opened> for crate::api::binary::Provenance {
    fn from(opened: &Opened) -> Self {
        let binary = opened.binary();
        let debug_info = binary.debug_info();
        let supplement = debug_info.map(DebugInfo::supplement_tried).unwrap_or_default();
        let tried =
            binary.tried().iter().chain(supplement).map(|tried| crate::api::binary::Tried {
                place: tried.place.display().to_string(),
                why: tried.why.clone(),
            });
        crate::api::binary::Provenance {
            used: debug_info.map(|debug| debug.path().display().to_string()),
            how: debug_info.map(|debug| debug.how().name().to_owned()),
            supplement: debug_info
                .and_then(DebugInfo::supplement)
                .map(|supplement| supplement.path().display().to_string()),
            tried: tried.collect(),
        }
    }
}

/// A panic while the lock was held left the map whole: each change is one insert or remove.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
