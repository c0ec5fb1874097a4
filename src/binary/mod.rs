//! One ELF file: what it is, its sections, and where its debug info is.
//!
//! ```no_run
//! use dbgmate::binary::{Binary, DebugSources};
//! use std::path::Path;
//!
//! let sources = DebugSources { directories: vec!["/usr/lib/debug".into()] };
//! let binary = Binary::open(Path::new("/usr/lib/x86_64-linux-gnu/libc.so.6"), &sources)?;
//! let debug_file = binary.debug_info().map(|debug_info| debug_info.path());
//! println!("{:?} {debug_file:?}", binary.build_id());
//! # Ok::<(), dbgmate::binary::Error>(())
//! ```
//!
//! Rule: files are opened read-only and never waited for; what a file says of itself is a claim,
//! checked before it is used. Refuses anything but regular ELF files.

mod debug_files;
mod dynamic;
mod elf;
mod error;
mod file;
mod mapping;
mod needed;
mod sections;
mod segments;
mod sigbus;

pub use debug_files::{DebugInfo, DebugSources, Found, Tried};
pub use elf::{BuildId, Identity, Kind};
pub use error::Error;
pub use mapping::Mapping;
pub use needed::Libraries;
pub use sections::Sections;
pub use segments::Segment;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use file::FileStamp;

/// An ELF file that is open, with its debug info if there is any.
#[derive(Debug)]
pub struct Binary {
    path: PathBuf,
    stamp: FileStamp,
    mapping: Arc<Mapping>,
    identity: Identity,
    found: Found,
}

/// Maps a regular file, which need not be an ELF file: never waits for it, and refuses all others.
pub fn map_file(path: &Path) -> Result<Mapping, Error> {
    file::map(path).map(|(mapping, _)| mapping)
}

impl Binary {
    /// Opens a file, reads what it is and finds its debug info.
    pub fn open(path: &Path, sources: &DebugSources) -> Result<Binary, Error> {
        let (mapping, stamp) = file::map(path)?;
        let mapping = Arc::new(mapping);
        let identity = elf::identify(path, &mapping)?;
        let found = debug_files::find(path, Arc::clone(&mapping), &identity, sources);
        Ok(Binary { path: path.to_owned(), stamp, mapping, identity, found })
    }

    /// The path it was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The size of the file, in bytes.
    pub fn size(&self) -> u64 {
        self.stamp.size()
    }

    /// The bytes of the file itself, which has the code even where the debug info is elsewhere.
    pub fn bytes(&self) -> &[u8] {
        &self.mapping
    }

    /// The bytes of the debug file, where the debug info is in another file than this one.
    pub fn separate_debug_bytes(&self) -> Option<&[u8]> {
        let debug_info = self.debug_info()?;
        (debug_info.path() != self.path).then(|| debug_info.sections().file())
    }

    /// What the file says it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The build-id, if the file has one.
    pub fn build_id(&self) -> Option<&BuildId> {
        self.identity.build_id.as_ref()
    }

    /// Whether there can be code at address 0, where linkers otherwise put what they leave out.
    pub fn has_code_at_zero(&self) -> bool {
        let identity = &self.identity;
        identity.segments.is_empty()
            || identity.segments.iter().any(|segment| segment.executable && segment.address.0 == 0)
    }

    /// Whether every file this was read from is as it was, and nothing has come to the places where
    /// debug info was looked for in vain. When not, it must be opened again.
    pub fn is_current(&self) -> bool {
        let torn = self.debug_info().is_some_and(|debug_info| debug_info.sections().is_torn());
        !torn
            && !self.mapping.is_torn()
            && FileStamp::of(&self.path).is_ok_and(|stamp| stamp == self.stamp)
            && self.found.is_current()
    }

    /// The debug info, if any was found.
    pub fn debug_info(&self) -> Option<&DebugInfo> {
        self.found.debug_info.as_ref()
    }

    /// The places where debug info was looked for in vain.
    pub fn tried(&self) -> &[Tried] {
        &self.found.tried
    }
}
