//! Why a history cannot be used, as facts.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHMSIZE as NO_ROOM;

/// Why a history cannot be used.
#[derive(Debug)]
pub enum Error {
    /// The file or its folder cannot be opened or made.
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Another process has kept it locked for longer than was waited.
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// There is no room on its disk.
    Full {
        /// The file.
        path: PathBuf,
    },
    /// It or its folder may not be written.
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// It is cut or overwritten.
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        why: String,
    },
    /// It is a database of another program.
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// A newer version of this program has changed its form.
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of its form.
        version: i64,
        /// The newest version that is known here.
        known: i64,
    },
    /// Anything else that SQLite says.
    Failed {
        /// The file.
        path: PathBuf,
        /// What it says.
        why: String,
    },
}

impl Error {
    /// What SQLite said of this file.
    pub(super) fn of(error: rusqlite::Error, path: &Path) -> Error {
        let path = path.to_owned();
        let why = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::InUse { path },
            Some(ErrorCode::DiskFull) => Error::Full { path },
            // There is no room for the file by which processes find their way in the log.
            _ if error.sqlite_error().is_some_and(|said| said.extended_code == NO_ROOM) => {
                Error::Full { path }
            }
            // The file itself was opened before: what cannot be is one beside it.
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen) => Error::ReadOnly { path },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Error::Damaged { path, why }
            }
            // The words for all errors of input and output are the same.
            _ => {
                let said = error.sqlite_error();
                let code = said.map(|said| format!(" (SQLite's code {})", said.extended_code));
                Error::Failed { path, why: why + &code.unwrap_or_default() }
            }
        }
    }
}
