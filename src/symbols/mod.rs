//! What is at this address of a binary: function, source line, and what was inlined there?

mod files;
mod functions;
mod inlined;
mod line_machine;
mod lines;
mod lookup;
mod names;
mod text;
mod unit;
mod units;

pub use files::SourcePath;
pub use lookup::{Frames, Lookup, SourceFrame};

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use units::Units;

use crate::dwarf::{DebugFile, View};
use crate::job::{Job, Stopped};

/// What has been read of one binary's debug info to look addresses up.
#[derive(Debug, Default)]
pub struct Symbols {
    listed: OnceLock<Units>,
    unlisted: OnceLock<Units>,
    bytes: AtomicUsize,
}

impl Symbols {
    /// Nothing is read yet.
    pub fn new() -> Symbols {
        Symbols::default()
    }

    /// Eyes on the symbols of `file`, always the same one.
    pub fn lookup<'a>(&'a self, file: &'a DebugFile) -> Lookup<'a> {
        Lookup::new(self, file)
    }

    /// Bytes of memory that the tables take.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    fn count(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    #[inline]
    fn listed(&self, view: &View<'_>) -> &Units {
        self.listed.get_or_init(|| Units::listed(view))
    }

    /// Two that come at once both read them; one result is kept.
    fn unlisted(&self, job: &Job, file: &DebugFile, view: &View<'_>) -> Result<&Units, Stopped> {
        if let Some(units) = self.unlisted.get() {
            return Ok(units);
        }
        let units = Units::unlisted(job, file, view, self.listed(view))?;
        Ok(self.unlisted.get_or_init(|| units))
    }
}
