//! What is at this address of a binary: function, source line, and what was inlined there? And where
//! was the binary loaded in the process that a trace is of?
//!
//! ```no_run
//! use std::{path::Path, sync::Arc};
//! use dbgmate::{address::FileAddress, job::Job, symbols::{Symbols, demangle}};
//! use dbgmate::{binary::{Binary, DebugSources}, dwarf::DebugFile};
//!
//! let binary = Binary::open(&Job::new(), Path::new("/usr/sbin/libvirtd"), &DebugSources::default())?;
//! let (file, symbols) = (DebugFile::new(Arc::new(binary)), Symbols::new());
//! let lookup = symbols.lookup(&file);
//! for frame in lookup.frames(&Job::new(), FileAddress(0x1234)).ok().flatten().into_iter().flatten() {
//!     println!("{:?} {}", frame.function.map(demangle), frame.line);
//! }
//! # Ok::<(), dbgmate::binary::Error>(())
//! ```
//!
//! [`Symbols`] is the owned, shared side: tables of each unit, read when its first address is looked
//! up, and the [`Image`](image) that a stripped file has too. [`Lookup`] is one question's side.
//!
//! Rule: file addresses only; what a trace prints becomes one by a [`Placement`], which says how far
//! it is proved.

mod bias;
mod calls;
mod code;
mod demangle;
mod elf_symbols;
mod entry;
mod extents;
mod files;
mod functions;
mod image;
mod inlined;
mod lines;
mod lookup;
mod names;
mod placement;
mod plt;
mod reference;
mod runs;
mod sighting;
mod text;
mod unit;
mod units;

pub use demangle::demangle;
pub use files::SourcePath;
pub use image::{Named, Via};
pub use lookup::{Frames, Lookup, SourceFrame};
pub use placement::{Misfit, Placement, Proof};
pub use reference::{Reference, words};
pub use sighting::{Callee, Sighting};

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use bias::Belief;
use elf_symbols::{Content, ElfSymbols};
use image::Image;
use units::Units;

use crate::address::{FileAddress, LoadBias};
use crate::dwarf::{DebugFile, View};
use crate::job::{Job, Stopped};

/// Addresses next to one another are mostly of one unit: a thread takes so many at once.
const ADDRESSES_A_TURN: usize = 64;

/// A kernel's tables take 40 MB, whatever is asked; this is for debug info made to take more.
const MAX_BYTES: usize = 1 << 30;

/// What has been read of one binary's debug info to look addresses up.
#[derive(Debug, Default)]
pub struct Symbols {
    listed: OnceLock<Units>,
    unlisted: OnceLock<Units>,
    image: OnceLock<Image>,
    objects: OnceLock<ElfSymbols>,
    bytes: AtomicUsize,
    problem: OnceLock<String>,
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

    /// The linker's name of an address.
    pub fn name<'a>(&'a self, file: &'a DebugFile, address: FileAddress) -> Option<Named<'a>> {
        self.image(file).name(file.binary(), address)
    }

    /// The linker's name of an address that is no code: the variable it is in.
    pub fn object<'a>(&'a self, file: &'a DebugFile, address: FileAddress) -> Option<Named<'a>> {
        let symbol = self.objects(file).find(address).filter(|symbol| symbol.size() > 0)?;
        Some(Named::of(symbol, file.binary(), address))
    }

    /// Where the linker has put a variable or function; none where it has several of the name.
    pub fn address_of(&self, file: &DebugFile, name: &str) -> Option<FileAddress> {
        let (binary, name) = (file.binary(), name.as_bytes());
        let code = self.image(file).symbols.named(binary, name);
        let mut found: Vec<FileAddress> = self
            .objects(file)
            .named(binary, name)
            .chain(code)
            .map(|symbol| symbol.start())
            .collect();
        found.sort_unstable();
        found.dedup();
        match found.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }

    /// Where the module can have been loaded, by the names of its frames: each load bias that the
    /// names allow, checked against all frames.
    pub fn infer(
        &self,
        job: &Job,
        file: &DebugFile,
        sightings: &[Sighting<'_>],
    ) -> Result<Vec<Placement>, Stopped> {
        let (binary, image) = (file.binary(), self.image(file));
        let inferred = |belief| bias::candidates(job, binary, image, sightings, belief);
        let mut biases = inferred(Belief::Inside)?;
        if biases.is_empty() {
            biases = inferred(Belief::NextBefore)?;
        }
        biases.into_iter().map(|bias| self.check(job, file, bias, sightings)).collect()
    }

    /// What the code says of a load bias that is given.
    pub fn check(
        &self,
        job: &Job,
        file: &DebugFile,
        bias: LoadBias,
        sightings: &[Sighting<'_>],
    ) -> Result<Placement, Stopped> {
        Placement::check(job, file.binary(), self.image(file), bias, sightings)
    }

    /// Where the function `main` is: by its symbol, else as the entry code hands it to libc.
    pub fn main(&self, file: &DebugFile) -> Option<FileAddress> {
        let binary = file.binary();
        let symbol = self.image(file).symbols.named(binary, b"main").next();
        symbol.map(|symbol| symbol.start()).or_else(|| entry::main(binary))
    }

    /// Reads the tables that these addresses need, by several threads.
    pub fn read_ahead(
        &self,
        job: &Job,
        file: &DebugFile,
        addresses: &[FileAddress],
        threads: usize,
    ) -> Result<(), Stopped> {
        let mut addresses = addresses.to_vec();
        addresses.sort_unstable();
        addresses.dedup();
        let next = AtomicUsize::new(0);
        let work = || -> Result<(), Stopped> {
            let lookup = self.lookup(file);
            loop {
                let start = next.fetch_add(ADDRESSES_A_TURN, Ordering::Relaxed);
                let turn = addresses.get(start..).unwrap_or_default();
                if turn.is_empty() {
                    return Ok(());
                }
                job.check()?;
                for address in turn.iter().take(ADDRESSES_A_TURN) {
                    lookup.frames(job, *address)?;
                }
            }
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
            // A worker that panics is a bug of ours: whoever needs its tables reads them.
            workers.into_iter().try_for_each(|worker| worker.join().unwrap_or(Ok(())))
        })
    }

    /// Bytes of memory that the tables take.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// What of the debug info could not be read when addresses were looked up, in a sentence.
    pub fn problem(&self) -> Option<&str> {
        self.problem.get().map(String::as_str)
    }

    /// The first problem is told: one is enough to distrust what is missing.
    fn note(&self, problem: impl FnOnce() -> String) {
        self.problem.get_or_init(problem);
    }

    fn count(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn image(&self, file: &DebugFile) -> &Image {
        self.image.get_or_init(|| Image::read(file.binary()))
    }

    fn objects(&self, file: &DebugFile) -> &ElfSymbols {
        self.objects.get_or_init(|| ElfSymbols::read(file.binary(), Content::Data))
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
        if let Some(error) = units.problem() {
            self.note(|| error.to_string());
        }
        Ok(self.unlisted.get_or_init(|| units))
    }
}
