//! Opening a file that a person, or another binary, has named.
//!
//! The path may lead anywhere: opening must not block (a FIFO without a writer), must not have side
//! effects (a terminal, a tape), and only a regular file is read.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags, Stat, fstat};

use super::{Error, Mapping};

/// Which state of which file was opened: when it differs, the file has been replaced or rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FileStamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, u64),
    changed: (i64, u64),
}

impl FileStamp {
    /// The state of the file at `path` now, without opening it.
    pub(crate) fn of(path: &Path) -> io::Result<FileStamp> {
        Ok(FileStamp::from_stat(&rustix::fs::stat(path)?))
    }

    /// The file's size in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    fn from_stat(stat: &Stat) -> FileStamp {
        FileStamp {
            device: stat.st_dev,
            inode: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified: (stat.st_mtime, stat.st_mtime_nsec),
            changed: (stat.st_ctime, stat.st_ctime_nsec),
        }
    }
}

/// Maps a regular file that is not empty.
pub(crate) fn map(path: &Path) -> Result<(Mapping, FileStamp), Error> {
    let (file, stamp) = open(path)?;
    let mapping = Mapping::new(&file);
    let mapping = mapping.map_err(|error| Error::Unreadable { path: path.to_owned(), error })?;
    Ok((mapping, stamp))
}

/// Opens a regular file that is not empty.
pub(super) fn open(path: &Path) -> Result<(File, FileStamp), Error> {
    let unreadable = |error: io::Error| Error::Unreadable { path: path.to_owned(), error };
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file =
        rustix::fs::open(path, flags, Mode::empty()).map_err(|error| unreadable(error.into()))?;
    let stat = fstat(&file).map_err(|error| unreadable(error.into()))?;
    let what = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => None,
        FileType::Directory => Some("folder"),
        FileType::Fifo => Some("FIFO"),
        FileType::Socket => Some("socket"),
        _ => Some("device"),
    };
    if let Some(what) = what {
        return Err(Error::NotAFile { path: path.to_owned(), what });
    }
    let stamp = FileStamp::from_stat(&stat);
    if stamp.size == 0 {
        return Err(Error::Empty { path: path.to_owned() });
    }
    Ok((file.into(), stamp))
}
