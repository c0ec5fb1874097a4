//! One ELF file that is open: its bytes, what it says it is, and its debug sections. The headers are
//! parsed once, here.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::links::Links;
use super::mini::MiniDebugInfo;
use super::place::Unfit;
use super::{Error, FileStamp, Identity, Mapping, Sections, elf, file};

/// An ELF file that is open.
#[derive(Debug)]
pub(crate) struct Image {
    pub(super) path: PathBuf,
    pub(super) stamp: FileStamp,
    pub(super) mapping: Arc<Mapping>,
    pub(super) identity: Identity,
    pub(super) links: Links,
    pub(super) sections: Sections,
    pub(super) mini: MiniDebugInfo,
}

impl Image {
    /// Opens a file and reads what it is.
    pub(super) fn open(path: &Path) -> Result<Image, Error> {
        let (mapping, stamp) = file::map(path)?;
        let mapping = Arc::new(mapping);
        let file = elf::parse(path, &mapping)?;
        let identity = elf::identify(&file);
        let links = Links::of(&file, identity.endian);
        let sections = Sections::of(&file, Arc::clone(&mapping));
        drop(file);
        Ok(Image {
            path: path.to_owned(),
            stamp,
            mapping,
            identity,
            links,
            sections,
            mini: MiniDebugInfo::default(),
        })
    }

    /// Fails where a file that should have debug info has none.
    pub(super) fn has_debug_info(&self) -> Result<(), Unfit> {
        match self.sections.has_debug_info() {
            true => Ok(()),
            false => Err("it has no .debug_info section".into()),
        }
    }

    /// Opens the file once more; none where it is another by now.
    pub(super) fn reopen(&self) -> Option<File> {
        let (file, stamp) = file::open(&self.path).ok()?;
        (stamp == self.stamp).then_some(file)
    }

    /// Whether the file is as it was when it was opened.
    pub(super) fn is_current(&self) -> bool {
        let unchanged = || FileStamp::of(&self.path).is_ok_and(|stamp| stamp == self.stamp);
        !self.mapping.is_torn() && unchanged()
    }
}
