//! The binaries that are open: each file once, reopened when it has changed on disk.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::binary::{self, Binary, FileStamp};
use crate::dwarf::DebugFile;
use crate::types::LayoutMatch;

/// As many binaries are kept open; the one used longest ago makes room.
const MAX_OPEN: usize = 256;

/// As many answers are kept for each binary.
const MAX_ANSWERS: usize = 512;

/// Open binaries, shared by all requests.
#[derive(Debug)]
pub(super) struct Binaries {
    debug_directories: Vec<PathBuf>,
    open: Mutex<BTreeMap<PathBuf, Arc<Opened>>>,
    clock: AtomicU64,
}

/// An open binary with what has been read of it.
#[derive(Debug)]
pub(super) struct Opened {
    /// The binary's DWARF.
    pub(super) file: DebugFile,
    answers: Mutex<BTreeMap<String, Arc<[LayoutMatch]>>>,
    used: AtomicU64,
}

impl Binaries {
    pub(super) fn new(debug_directories: Vec<PathBuf>) -> Binaries {
        Binaries { debug_directories, open: Mutex::default(), clock: AtomicU64::default() }
    }

    /// The binary at `path`: the open one, unless the file has been replaced or rewritten.
    pub(super) fn open(&self, path: &Path) -> Result<Arc<Opened>, binary::Error> {
        let stamp = FileStamp::of(path)
            .map_err(|error| binary::Error::Unreadable { path: path.to_owned(), error })?;
        let now = self.clock.fetch_add(1, Ordering::Relaxed);
        if let Some(opened) = lock(&self.open).get(path)
            && *opened.binary().stamp() == stamp
            && !opened.binary().is_torn()
        {
            opened.used.store(now, Ordering::Relaxed);
            return Ok(Arc::clone(opened));
        }
        // Opened outside the lock: two that open the same file at once both get an answer.
        let binary = Arc::new(Binary::open(path, &self.debug_directories)?);
        let opened = Arc::new(Opened::new(binary, now));
        let mut open = lock(&self.open);
        open.insert(path.to_owned(), Arc::clone(&opened));
        if open.len() > MAX_OPEN {
            let oldest = open.iter().min_by_key(|(_, opened)| opened.used.load(Ordering::Relaxed));
            if let Some(path) = oldest.map(|(path, _)| path.clone()) {
                open.remove(&path);
            }
        }
        Ok(opened)
    }

    /// The open binary with this build-id, in lower-case hexadecimal.
    pub(super) fn by_build_id(&self, wanted: &str) -> Option<Arc<Opened>> {
        let has_id = |opened: &&Arc<Opened>| {
            opened.binary().build_id().is_some_and(|id| id.to_string() == wanted)
        };
        lock(&self.open).values().find(has_id).cloned()
    }

    /// All open binaries, by path.
    pub(super) fn list(&self) -> Vec<Arc<Opened>> {
        lock(&self.open).values().cloned().collect()
    }
}

impl Opened {
    fn new(binary: Arc<Binary>, now: u64) -> Opened {
        let file = DebugFile::new(binary);
        Opened { file, answers: Mutex::default(), used: AtomicU64::new(now) }
    }

    /// The binary itself.
    pub(super) fn binary(&self) -> &Binary {
        self.file.binary()
    }

    /// The answer to a question, found once and kept.
    pub(super) fn answer<E>(
        &self,
        question: &str,
        find: impl FnOnce() -> Result<Vec<LayoutMatch>, E>,
    ) -> Result<Arc<[LayoutMatch]>, E> {
        if let Some(answer) = lock(&self.answers).get(question) {
            return Ok(Arc::clone(answer));
        }
        let answer: Arc<[LayoutMatch]> = find()?.into();
        let mut answers = lock(&self.answers);
        if answers.len() >= MAX_ANSWERS {
            answers.clear();
        }
        answers.insert(question.to_owned(), Arc::clone(&answer));
        Ok(answer)
    }
}

impl From<&Opened> for crate::api::binary::Provenance {
    fn from(opened: &Opened) -> Self {
        let binary = opened.binary();
        let tried = binary.tried().iter().map(|tried| crate::api::binary::Tried {
            place: tried.place.display().to_string(),
            why: tried.why.clone(),
        });
        crate::api::binary::Provenance {
            used: binary.debug_info().map(|debug| debug.path().display().to_string()),
            tried: tried.collect(),
        }
    }
}

/// A panic while the lock was held left the map whole: each change is one insert or remove.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether opening failed because there is nothing at the path.
pub(super) fn is_missing(error: &binary::Error) -> bool {
    matches!(error, binary::Error::Unreadable { error, .. } if error.kind() == io::ErrorKind::NotFound)
}
