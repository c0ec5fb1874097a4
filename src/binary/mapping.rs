//! A file's bytes, mapped into memory: the only `unsafe` of the project.

use std::fs::File;
use std::io;
use std::ops::Deref;

use memmap2::Mmap;

/// A whole file, mapped for reading.
#[derive(Debug)]
pub struct Mapping {
    map: Mmap,
}

impl Mapping {
    /// Maps all of an open file.
    pub(crate) fn new(file: &File) -> io::Result<Mapping> {
        // SAFETY: the mapping is private and read-only. Should another process rewrite the file,
        // its bytes change under us: every reader bounds-checks what it reads, so that is a wrong
        // answer at worst, and `Store` notices the new time stamp at the next question.
        #[allow(unsafe_code)]
        let map = unsafe { Mmap::map(file) }?;
        Ok(Mapping { map })
    }
}

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map
    }
}
