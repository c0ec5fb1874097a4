//! Why a file cannot be used: facts, without prose.

use std::io;
use std::path::PathBuf;

use crate::job::Stopped;

/// Why a file cannot be used.
#[derive(Debug)]
pub enum Error {
    /// It cannot be opened or mapped.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// It is a folder, a FIFO, a device or a socket.
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is, in a word.
        what: &'static str,
    },
    /// It has no bytes.
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// It does not start as ELF files do.
    NotElf {
        /// The file.
        path: PathBuf,
        /// What its first bytes look like, where they are known.
        looks_like: Option<&'static str>,
    },
    /// It starts as an ELF file and contradicts itself later.
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Whoever asked no longer waits.
    Stopped(Stopped),
}

impl From<Stopped> for Error {
    fn from(stopped: Stopped) -> Self {
        Error::Stopped(stopped)
    }
}
