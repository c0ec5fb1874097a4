//! Which crashes were seen before, when, and what did somebody note down about them?
//!
//! ```no_run
//! use std::{path::Path, time::Duration};
//! use dbgmate::history::History;
//!
//! let history = History::open(Path::new("history.db"), Duration::from_secs(1))?;
//! for entry in history.list(None, 10)?.entries {
//!     println!("{} {}", entry.record.at, entry.record.because);
//! }
//! # Ok::<(), dbgmate::history::Error>(())
//! ```
//!
//! One SQLite file, which any number of processes may use at once: readers wait for nobody, writers
//! for each other (<https://sqlite.org/wal.html>). What a call has stored is on the disk when it
//! returns (`synchronous = FULL`): a process that is killed, or a machine that loses its power, loses
//! nothing of it.
//!
//! Rule: names of functions, assertions, times. No paste, no argument, no path is kept.
//!
//! Rule: nothing but SQLite opens the file. A process that closes any descriptor of a file gives up all
//! the locks that it holds on it, also those of its other threads
//! (<https://sqlite.org/howtocorrupt.html>, 2.2).

mod error;
mod pairs;
mod record;
mod rows;
mod schema;
mod similar;
mod similarity;

pub use error::Error;
pub use record::{Entry, Imported, Line, Page, PersonNote, Record, Seen, Similar, now};
pub use similarity::similarity;

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::io::Errno;

/// More symbolic links than one that leads anywhere is made of (path_resolution(7)).
const MAX_LINKS: usize = 40;

/// Bytes of the header of a write-ahead log (<https://sqlite.org/fileformat2.html#walformat>).
const LOG_HEADER: u64 = 32;

/// A history that is open.
#[derive(Debug)]
pub struct History {
    connection: Connection,
    path: PathBuf,
}

impl History {
    /// Opens the history in this file, or begins one that only its owner may read; waits so long for
    /// other writers, now and later.
    pub fn open(path: &Path, wait: Duration) -> Result<History, Error> {
        let unusable = |error: io::Error| Error::Unusable { path: path.to_owned(), error };
        if !is_file(path).map_err(unusable)? {
            if let Some(folder) = path.parent() {
                DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unusable)?;
            }
            create(path).map_err(unusable)?;
        }
        let has_log = has_log(path).map_err(unusable)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(path, flags);
        let mut connection = opened.map_err(|error| Error::of(error, path))?;
        schema::prepare(&mut connection, path, has_log, wait)?;
        Ok(History { connection, path: path.to_owned() })
    }

    /// Opens the history in this file if there is one.
    pub fn open_existing(path: &Path, wait: Duration) -> Result<Option<History>, Error> {
        match is_file(path) {
            Ok(true) => History::open(path, wait).map(Some),
            Ok(false) => Ok(None),
            Err(error) => Err(Error::Unusable { path: path.to_owned(), error }),
        }
    }

    fn error(&self, error: rusqlite::Error) -> Error {
        Error::of(error, &self.path)
    }
}

/// Makes an empty file that only its owner may read; SQLite gives its other files the mode of this one.
fn create(path: &Path) -> io::Result<()> {
    let path = behind_links(path);
    match mknodat(CWD, &path, FileType::RegularFile, Mode::RUSR | Mode::WUSR, 0) {
        // Another process was faster.
        Err(Errno::EXIST) => Ok(()),
        // Some file systems make files only where they are opened. It is new: nobody has locked it yet.
        Err(Errno::NOSYS | Errno::PERM | Errno::OPNOTSUPP) => {
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map(|_| ())
        }
        made => Ok(made?),
    }
}

/// What a symbolic link stands for, be it there or not.
fn behind_links(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let (Ok(target), Some(folder)) = (path.read_link(), path.parent()) else { break };
        path = folder.join(target);
    }
    path
}

/// Whether there is a log that may hold what the file lacks: one of no more than its header holds nothing.
/// SQLite makes an empty one where it opens a file; it looks for it beside what a link stands for.
fn has_log(path: &Path) -> io::Result<bool> {
    let mut log = path.canonicalize()?.into_os_string();
    log.push("-wal");
    Ok(Path::new(&log).metadata().is_ok_and(|log| log.len() > LOG_HEADER))
}

/// Whether a file is there; what is there and is none is an error, since to open a FIFO blocks.
fn is_file(path: &Path) -> io::Result<bool> {
    match path.metadata() {
        Ok(metadata) if metadata.is_file() => Ok(true),
        Ok(_) => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
