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

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

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
            // SQLite gives its other files the mode of this one.
            let mut options = OpenOptions::new();
            options.create(true).append(true).mode(0o600).open(path).map_err(unusable)?;
        }
        refuse_cut(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(path, flags);
        let mut connection = opened.map_err(|error| Error::of(error, path))?;
        schema::prepare(&mut connection, path, wait)?;
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

/// SQLite takes a file that is shorter than a page for an empty one, and a last page that is cut for one
/// with zeros in it: it would write over what is left. A log beside the file may hold what is missing.
/// (<https://sqlite.org/fileformat.html#the_database_header>)
fn refuse_cut(path: &Path) -> Result<(), Error> {
    let mut head = Vec::new();
    let length = File::open(path).and_then(|file| {
        let length = file.metadata()?.len();
        file.take(18).read_to_end(&mut head)?;
        Ok(length)
    });
    let length = length.map_err(|error| Error::Unusable { path: path.to_owned(), error })?;
    let damaged = |why: &str| Err(Error::Damaged { path: path.to_owned(), why: why.to_owned() });
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if length == 0 || Path::new(&log).exists() {
        return Ok(());
    }
    match head.strip_prefix(b"SQLite format 3\0") {
        None => damaged("it is not a database"),
        Some(&[high, low]) if is_whole(length, u16::from_be_bytes([high, low])) => Ok(()),
        Some(_) => damaged("its end is missing"),
    }
}

/// Whether so many bytes are whole pages; 1 stands for the largest size of a page, 65,536.
fn is_whole(length: u64, page: u16) -> bool {
    length.is_multiple_of(if page == 1 { 65_536 } else { u64::from(page) })
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
