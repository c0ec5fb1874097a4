//! Where a binary's debug info is: in the file itself, or under a build-id folder.
//!
//! Every place that was tried in vain is kept: the answer to "why are there no types" is that list.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::elf::{self, Identity};
use super::file::FileStamp;
use super::{BuildId, Error, Mapping, Sections, file};

/// Where separate debug info is looked for.
#[derive(Clone, Debug, Default)]
pub struct DebugSources {
    /// Folders with debug files as `.build-id/ab/cdef….debug`.
    pub directories: Vec<PathBuf>,
}

/// Debug info, and the file it came from.
#[derive(Debug)]
pub struct DebugInfo {
    path: PathBuf,
    sections: Sections,
}

impl DebugInfo {
    /// The file whose DWARF is used.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its debug sections.
    pub fn sections(&self) -> &Sections {
        &self.sections
    }
}

/// The outcome of the search.
#[derive(Debug, Default)]
pub struct Found {
    /// The debug info, if any.
    pub debug_info: Option<DebugInfo>,
    /// The places tried before it, or all of them.
    pub tried: Vec<Tried>,
    /// The separate files looked at, and the state each was in; none for one that was not there.
    seen: Vec<(PathBuf, Option<FileStamp>)>,
}

/// A place without usable debug info.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The place.
    pub place: PathBuf,
    /// What was wrong there.
    pub why: String,
}

/// Looks for debug info: in the file, then as `DIR/.build-id/ab/cdef….debug` in each folder.
pub(crate) fn find(
    path: &Path,
    mapping: Arc<Mapping>,
    identity: &Identity,
    sources: &DebugSources,
) -> Found {
    let mut found = Found::default();
    match Sections::of(path, mapping) {
        Ok(sections) if sections.has_debug_info() => {
            found.debug_info = Some(DebugInfo { path: path.to_owned(), sections });
            return found;
        }
        Ok(_) => found.fail(path, "it has no .debug_info section"),
        Err(error) => found.fail(path, describe(&error)),
    }
    let Some(build_id) = &identity.build_id else {
        found.fail(path, "it has no build-id to look for separate debug info by");
        return found;
    };
    for directory in &sources.directories {
        let place = build_id_path(directory, build_id);
        found.seen.push((place.clone(), FileStamp::of(&place).ok()));
        match open_separate(&place, build_id) {
            Ok(sections) => {
                found.debug_info = Some(DebugInfo { path: place, sections });
                return found;
            }
            Err(why) => found.fail(&place, why),
        }
    }
    found
}

impl Found {
    /// Whether the separate files are as they were, the missing ones still missing.
    pub(super) fn is_current(&self) -> bool {
        self.seen.iter().all(|(place, stamp)| FileStamp::of(place).ok() == *stamp)
    }

    fn fail(&mut self, place: &Path, why: impl Into<String>) {
        self.tried.push(Tried { place: place.to_owned(), why: why.into() });
    }
}

/// `DIR/.build-id/ab/cdef….debug`.
fn build_id_path(directory: &Path, build_id: &BuildId) -> PathBuf {
    let digits = build_id.to_string();
    let (folder, name) = digits.split_at(2);
    directory.join(".build-id").join(folder).join(format!("{name}.debug"))
}

/// A separate debug file counts only when it carries the build-id it is filed under.
fn open_separate(place: &Path, build_id: &BuildId) -> Result<Sections, String> {
    let (mapping, _) = file::map(place).map_err(|error| describe(&error))?;
    let identity = elf::identify(place, &mapping).map_err(|error| describe(&error))?;
    if identity.build_id.as_ref() != Some(build_id) {
        return Err("its build-id is another one".to_owned());
    }
    let sections = Sections::of(place, Arc::new(mapping)).map_err(|error| describe(&error))?;
    if !sections.has_debug_info() {
        return Err("it has no .debug_info section".to_owned());
    }
    Ok(sections)
}

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
    }
}
