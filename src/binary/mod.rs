//! One ELF file: what it is, its sections, and where its debug info is.
//!
//! ```no_run
//! use dbgmate::binary::{Binary, DebugSources};
//! use dbgmate::job::Job;
//! use std::path::Path;
//!
//! let directories = vec!["/usr/lib/debug".into()];
//! let sources = DebugSources { directories, ..DebugSources::default() };
//! let libc = Path::new("/usr/lib/x86_64-linux-gnu/libc.so.6");
//! let binary = Binary::open(&Job::new(), libc, &sources)?;
//! let debug_file = binary.debug_info().map(|debug_info| debug_info.path());
//! println!("{:?} {debug_file:?}", binary.build_id());
//! # Ok::<(), dbgmate::binary::Error>(())
//! ```
//!
//! Rule: files are opened read-only and never waited for; what a file says of itself is a claim,
//! checked before it is used. Refuses anything but regular ELF files.

mod debug_files;
mod debug_info;
pub mod debuginfod;
mod debuglink;
mod dynamic;
mod elf;
mod error;
mod file;
mod image;
mod links;
mod mapping;
mod mini;
mod needed;
mod place;
mod sections;
mod segments;
mod sigbus;
mod split;
mod supplement;

pub use debug_files::DebugSources;
pub use debug_info::DebugInfo;
pub use elf::{BuildId, Identity, Kind};
pub use error::Error;
pub use mapping::Mapping;
pub use needed::Libraries;
pub use place::{How, Tried};
pub use sections::{Sections, Stored};
pub use segments::Segment;
pub use split::{SplitFile, SplitUnit};
pub use supplement::Supplement;

use std::path::Path;
use std::sync::Arc;

pub(crate) use file::FileStamp;

use crate::job::Job;
use debug_files::Found;
use image::Image;

/// An ELF file that is open, with its debug info if there is any.
#[derive(Debug)]
pub struct Binary {
    image: Arc<Image>,
    found: Found,
}

/// Maps a regular file, which need not be an ELF file: never waits for it, and refuses all others.
pub fn map_file(path: &Path) -> Result<Mapping, Error> {
    file::map(path).map(|(mapping, _)| mapping)
}

impl Binary {
    /// Opens a file, reads what it is and finds its debug info, as long as the job may.
    pub fn open(job: &Job, path: &Path, sources: &DebugSources) -> Result<Binary, Error> {
        job.check()?;
        let image = Arc::new(Image::open(path)?);
        let found = debug_files::find(job, &image, sources)?;
        Ok(Binary { image, found })
    }

    /// The path it was opened by.
    pub fn path(&self) -> &Path {
        &self.image.path
    }

    /// The size of the file, in bytes.
    pub fn size(&self) -> u64 {
        self.image.stamp.size()
    }

    /// The bytes of the file itself, which has the code even where the debug info is elsewhere.
    pub fn bytes(&self) -> &[u8] {
        &self.image.mapping
    }

    /// The bytes of the debug file, where the debug info is in another file than this one.
    pub fn separate_debug_bytes(&self) -> Option<&[u8]> {
        let debug_info = self.debug_info()?;
        (debug_info.path() != self.image.path).then(|| debug_info.sections().file())
    }

    /// What the file says it is.
    pub fn identity(&self) -> &Identity {
        &self.image.identity
    }

    /// The build-id, if the file has one.
    pub fn build_id(&self) -> Option<&BuildId> {
        self.image.identity.build_id.as_ref()
    }

    /// Whether there can be code at address 0, where linkers otherwise put what they leave out.
    pub fn has_code_at_zero(&self) -> bool {
        let identity = &self.image.identity;
        identity.segments.is_empty()
            || identity.segments.iter().any(|segment| segment.executable && segment.address.0 == 0)
    }

    /// Whether every file this was read from is as it was, and nothing has come to the places where
    /// debug info was looked for in vain. When not, it must be opened again.
    pub fn is_current(&self) -> bool {
        self.image.is_current() && self.found.is_current()
    }

    /// The debug info, if any was found.
    pub fn debug_info(&self) -> Option<&DebugInfo> {
        self.found.debug_info.as_ref()
    }

    /// The ELF file with a symbol table that some distributions pack into stripped binaries, or why it
    /// cannot be unpacked; none where the binary has none. It is unpacked once, when first asked for.
    pub fn mini_debug_info(&self) -> Option<Result<&[u8], &str>> {
        let packed = self.image.links.mini.as_ref()?;
        Some(self.image.mini.unpacked(&self.image.mapping, packed))
    }

    /// The places where debug info was looked for in vain.
    pub fn tried(&self) -> &[Tried] {
        self.found.tried()
    }
}
