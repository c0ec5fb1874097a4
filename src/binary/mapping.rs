//! A file's bytes, mapped into memory.

use std::fs::File;
use std::io;
use std::ops::{Deref, Range};

use memmap2::{Mmap, UncheckedAdvice};

use super::sigbus::Watch;

/// A whole file, mapped for reading. A page that is gone because the file was cut reads as zeros;
/// [`Mapping::is_torn`] then says so.
#[derive(Debug)]
pub struct Mapping {
    // Before `map`: fields are dropped in this order, and the watch must end first.
    watch: Watch,
    map: Mmap,
}

impl Mapping {
    /// Maps all of an open file.
    pub(crate) fn new(file: &File) -> io::Result<Mapping> {
        // SAFETY: the mapping is private and read-only. Should another process rewrite the file,
        // its bytes change under us: every reader bounds-checks what it reads, so that is a wrong
        // answer at worst, and the new time stamp is noticed at the next question.
        #[allow(unsafe_code)]
        let map = unsafe { Mmap::map(file) }?;
        Ok(Mapping { watch: Watch::new(&map)?, map })
    }

    /// Gives back the memory of the pages that some bytes of the file are in. Those that are read again are
    /// brought in again.
    pub(super) fn release(&self, range: Range<usize>) {
        let (start, end) = (range.start.min(self.map.len()), range.end.min(self.map.len()));
        // SAFETY: the range is within the mapping, which is never written: what is read next comes from the
        // file again, as it does for pages that were never touched; where the file was cut and the watch has
        // put pages of zeros, they read as zeros again.
        #[allow(unsafe_code)]
        let released = unsafe {
            let length = end.saturating_sub(start);
            self.map.unchecked_advise_range(UncheckedAdvice::DontNeed, start, length)
        };
        // Nothing depends on it.
        let _ = released;
    }

    /// Whether the file was cut while it was read: what was read since is not to be trusted.
    pub fn is_torn(&self) -> bool {
        self.watch.is_torn()
    }
}

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_was_released_is_read_again() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; 1 << 20]).unwrap();
        let mapping = Mapping::new(&file).unwrap();
        assert_eq!(mapping[5000], 7);
        // Neither the ends of pages nor of the file matter.
        for range in [1..9000, 4096..8192, 0..1 << 20, 9..9, 100..2 << 20] {
            mapping.release(range);
            assert!(mapping.iter().all(|byte| *byte == 7));
        }
    }

    #[test]
    fn a_file_that_is_cut_reads_as_zeros_and_says_so() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![7; 1 << 20]).unwrap();
        let mapping = Mapping::new(&file).unwrap();
        assert_eq!(mapping[(1 << 20) - 1], 7);
        assert!(!mapping.is_torn());
        file.set_len(10).unwrap();
        assert_eq!(mapping[(1 << 20) - 1], 0);
        assert!(mapping.is_torn());
        let other = Mapping::new(&file).unwrap();
        assert!(!other.is_torn());
    }
}
