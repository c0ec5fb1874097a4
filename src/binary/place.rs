//! The places where something was looked for: what was wrong with each, and the state it was in.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::image::Image;
use super::{Error, FileStamp};
use crate::job::Stopped;

/// A place without what was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The place: a path, or the address of a server.
    pub place: PathBuf,
    /// What was wrong there.
    pub why: String,
}

/// How a file was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// It is the binary itself.
    Inside,
    /// Under a debug folder, by its build-id.
    BuildId,
    /// Where `.gnu_debuglink` leads.
    DebugLink,
    /// At the path that the debug info names, or at that path under a debug folder.
    Named,
    /// In the cache of debuginfod's clients.
    DebuginfodCache,
    /// On the debuginfod server at this address.
    Debuginfod(String),
}

impl How {
    /// Its stable name in answers.
    pub fn name(&self) -> &'static str {
        match self {
            How::Inside => "inside",
            How::BuildId => "build-id",
            How::DebugLink => "debug-link",
            How::Named => "named",
            How::DebuginfodCache => "debuginfod-cache",
            How::Debuginfod(_) => "debuginfod",
        }
    }
}

/// Why a file is not the one.
#[derive(Debug)]
pub(super) enum Unfit {
    /// This is wrong with it.
    Why(String),
    /// Nobody wants to know any longer.
    Stopped(Stopped),
}

impl From<&str> for Unfit {
    fn from(why: &str) -> Self {
        Unfit::Why(why.to_owned())
    }
}

impl From<Error> for Unfit {
    fn from(error: Error) -> Self {
        match error {
            Error::Stopped(stopped) => Unfit::Stopped(stopped),
            error => Unfit::Why(describe(&error)),
        }
    }
}

impl From<Stopped> for Unfit {
    fn from(stopped: Stopped) -> Self {
        Unfit::Stopped(stopped)
    }
}

/// The log of a search.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// The places in vain, in order.
    pub(super) tried: Vec<Tried>,
    /// The files looked at.
    pub(super) seen: Seen,
    /// When it pays to look again, whatever the files say.
    again: Option<Instant>,
}

/// Files, and the state each was in; none for one that was not there.
#[derive(Debug, Default)]
pub(super) struct Seen(Vec<(PathBuf, Option<FileStamp>)>);

impl Seen {
    pub(super) fn add(&mut self, place: &Path) {
        self.0.push((place.to_owned(), FileStamp::of(place).ok()));
    }

    /// Adds others, as long as there are no more than so many.
    pub(super) fn extend(&mut self, other: Seen, most: usize) {
        let room = most.saturating_sub(self.0.len());
        self.0.extend(other.0.into_iter().take(room));
    }

    /// Whether all are as they were, the missing ones still missing.
    pub(super) fn is_current(&self) -> bool {
        self.0.iter().all(|(place, stamp)| FileStamp::of(place).ok() == *stamp)
    }
}

impl Log {
    /// Opens the file at a place, which others may have put there: it counts if `is_it` says so.
    pub(super) fn open(
        &mut self,
        place: &Path,
        is_it: impl FnOnce(&Image) -> Result<(), Unfit>,
    ) -> Result<Option<Image>, Stopped> {
        self.seen.add(place);
        let opened = Image::open(place).map_err(Unfit::from);
        match opened.and_then(|image| is_it(&image).map(|()| image)) {
            Ok(image) => Ok(Some(image)),
            Err(Unfit::Stopped(stopped)) => Err(stopped),
            Err(Unfit::Why(why)) => {
                self.fail(place, why);
                Ok(None)
            }
        }
    }

    /// Notes that what is not there now may be there after so long.
    pub(super) fn again_in(&mut self, time: Duration) {
        let again = Instant::now().checked_add(time);
        self.again = self.again.into_iter().chain(again).min();
    }

    /// Whether looking again would show the same, as far as can be told here.
    pub(super) fn is_current(&self) -> bool {
        self.seen.is_current() && self.again.is_none_or(|again| Instant::now() < again)
    }

    /// Notes that a place did not serve.
    pub(super) fn fail(&mut self, place: &Path, why: impl Into<String>) {
        self.tried.push(Tried { place: place.to_owned(), why: why.into() });
    }
}

/// What is wrong with a file whose name is known.
fn describe(error: &Error) -> String {
    match error {
        Error::Unreadable { error, .. } if error.kind() == std::io::ErrorKind::NotFound => {
            "it does not exist".to_owned()
        }
        Error::Unreadable { error, .. } => error.to_string(),
        Error::NotAFile { what, .. } => format!("it is a {what}"),
        Error::Empty { .. } => "it is empty".to_owned(),
        Error::NotElf { .. } => "it is not an ELF file".to_owned(),
        Error::Malformed { why, .. } => why.clone(),
        Error::Stopped(_) => "nobody waits for it".to_owned(),
    }
}
