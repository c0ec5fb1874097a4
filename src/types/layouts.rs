//! The layouts that were found in one file, so that each is found once.
//!
//! ```no_run
//! # use std::{path::Path, sync::Arc};
//! # use dbgmate::{binary::{Binary, DebugSources}, dwarf::DebugFile, job::Job};
//! # use dbgmate::types::{Layouts, Question, TypeName};
//! # let job = Job::new();
//! let binary = Binary::open(&job, Path::new("/usr/sbin/libvirtd"), &DebugSources::default()).unwrap();
//! let (file, layouts) = (DebugFile::new(Arc::new(binary)), Layouts::default());
//! let name = TypeName::parse("struct _virObject").unwrap();
//! let question = Question { name: &name, path: None, language: None, threads: 2 };
//! let found = layouts.find(&job, &file, &question).unwrap();
//! assert!(Arc::ptr_eq(&found, &layouts.find(&job, &file, &question).unwrap()));
//! ```

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::distinct::{Question, find_knowing};
use super::known_types::KnownTypes;
use super::{Error, LayoutMatch};
use crate::dwarf::DebugFile;
use crate::job::Job;

/// Members and enumerators that are kept at most, of all layouts together.
const MAX_KEPT: usize = 1 << 18;

/// What was found before, by question. It is of one file: whoever reads another takes another.
#[derive(Debug, Default)]
pub struct Layouts {
    known: Mutex<Known>,
    types: KnownTypes,
}

#[derive(Debug, Default)]
struct Known {
    found: BTreeMap<String, Arc<[Arc<LayoutMatch>]>>,
    /// What they hold together, in members and enumerators.
    kept: usize,
}

impl Layouts {
    /// As [`find`](super::find), and the same again without reading anything; what is not there is not kept here.
    pub fn find(
        &self,
        job: &Job,
        file: &DebugFile,
        question: &Question<'_>,
    ) -> Result<Arc<[Arc<LayoutMatch>]>, Error> {
        let key = question.key();
        if let Some(found) = self.known().found.get(&key) {
            return Ok(Arc::clone(found));
        }
        let found: Arc<[_]> =
            self.find_anew(job, file, question)?.into_iter().map(Arc::new).collect();
        if !found.is_empty() {
            self.known().keep(key, &found);
        }
        Ok(found)
    }

    /// As [`find`](super::find): the members are read again; what their types come to is known, where earlier
    /// questions have met them.
    pub fn find_anew(
        &self,
        job: &Job,
        file: &DebugFile,
        question: &Question<'_>,
    ) -> Result<Vec<LayoutMatch>, Error> {
        find_knowing(job, file, &self.types, question)
    }

    /// A panic while the lock was held left the map whole: each change is one insert or remove.
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn keep(&mut self, key: String, found: &Arc<[Arc<LayoutMatch>]>) {
        let held = found.iter().map(|found| found.count()).sum::<usize>() + 1;
        if self.kept + held > MAX_KEPT {
            *self = Known::default();
        }
        if held <= MAX_KEPT {
            self.kept += held;
            self.found.insert(key, Arc::clone(found));
        }
    }
}
