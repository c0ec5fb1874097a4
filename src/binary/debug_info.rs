//! The debug info of a binary: the file it is in, how that was found, and what it needs besides.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use super::image::Image;
use super::place::{How, Tried};
use super::split::{SplitFile, SplitUnit, Splits};
use super::supplement::{self, Lookup, Supplement};
use super::{DebugSources, Sections};
use crate::job::{Job, Stopped};

/// Debug info, and the file it came from.
#[derive(Debug)]
pub struct DebugInfo {
    image: Arc<Image>,
    how: How,
    supplement: Lookup,
    splits: Splits,
}

impl DebugInfo {
    /// The debug info of a binary in a file, with the supplement that it names.
    pub(super) fn new(
        job: &Job,
        binary: &Image,
        image: Arc<Image>,
        how: How,
        sources: &DebugSources,
    ) -> Result<DebugInfo, Stopped> {
        let supplement = supplement::find(job, &image, sources)?;
        let splits = Splits::new(&binary.path, &image.path);
        Ok(DebugInfo { image, how, supplement, splits })
    }

    /// The file whose DWARF is used.
    pub fn path(&self) -> &Path {
        &self.image.path
    }

    /// How it was found.
    pub fn how(&self) -> &How {
        &self.how
    }

    /// Opens that file once more, to be read and not mapped; none where it is not as it was.
    pub fn reopen(&self) -> Option<File> {
        self.image.reopen()
    }

    /// Its debug sections.
    pub fn sections(&self) -> &Sections {
        &self.image.sections
    }

    /// The file with what this debug info shares with other files, if it names one that was found.
    pub fn supplement(&self) -> Option<&Supplement> {
        self.supplement.found.as_ref()
    }

    /// The name of a supplement that was not found: what is in it is missing here.
    pub fn missing_supplement(&self) -> Option<&str> {
        self.supplement.missing()
    }

    /// The places where the supplement was looked for in vain.
    pub fn supplement_tried(&self) -> &[Tried] {
        &self.supplement.log.tried
    }

    /// The file with the rest of a split unit, or the places where it was looked for in vain. Files
    /// that were found are kept open, up to some hundreds.
    pub fn split(&self, wanted: &SplitUnit<'_>) -> Result<Arc<SplitFile>, Vec<Tried>> {
        self.splits.find(wanted)
    }

    /// Whether the files are as they were, apart from the main one, which is its finder's care.
    pub(super) fn is_current(&self) -> bool {
        !self.image.mapping.is_torn() && self.supplement.is_current() && self.splits.is_current()
    }
}
