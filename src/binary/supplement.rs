//! Where is the supplement of a debug file: what dwz has moved out of many, to keep it once?
//!
//! The name in the file (`.gnu_debugaltlink`, or DWARF 5's `.debug_sup`, §7.3.6) leads to where the
//! packager had it. dwz names it by an absolute path (`-M`) or from the file's own folder (`-r`).

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};

use super::debug_files::build_id_path;
use super::debuglink::folders_of;
use super::image::Image;
use super::links::SupplementLink;
use super::place::{How, Log, Unfit};
use super::{BuildId, DebugSources, Sections};
use crate::job::{Job, Stopped};

/// Where packagers keep supplements, in a debug folder.
const DWZ: &str = ".dwz";

/// A file with entries and strings that other debug files refer to.
#[derive(Debug)]
pub struct Supplement {
    image: Image,
    how: How,
}

impl Supplement {
    /// Its path.
    pub fn path(&self) -> &Path {
        &self.image.path
    }

    /// Opens that file once more, to be read and not mapped; none where it is not as it was.
    pub fn reopen(&self) -> Option<File> {
        self.image.reopen()
    }

    /// How it was found.
    pub fn how(&self) -> &How {
        &self.how
    }

    /// Its debug sections.
    pub fn sections(&self) -> &Sections {
        &self.image.sections
    }
}

/// The outcome of a search.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    /// What the debug info names.
    wanted: Option<String>,
    pub(super) found: Option<Supplement>,
    pub(super) log: Log,
}

impl Lookup {
    /// The name, where nothing was found by it.
    pub(super) fn missing(&self) -> Option<&str> {
        self.wanted.as_deref().filter(|_| self.found.is_none())
    }

    pub(super) fn is_current(&self) -> bool {
        let is_torn = |found: &Supplement| found.image.mapping.is_torn();
        self.log.is_current() && !self.found.as_ref().is_some_and(is_torn)
    }
}

/// Looks for the supplement that a debug file names, if it names one.
pub(super) fn find(job: &Job, file: &Image, sources: &DebugSources) -> Result<Lookup, Stopped> {
    let mut lookup = Lookup::default();
    match &file.links.supplement {
        None => {}
        Some(Err(why)) => {
            lookup.wanted = Some("a supplement".to_owned());
            lookup.log.fail(&file.path, format!("its link to a supplement cannot be used: {why}"));
        }
        Some(Ok(link)) => {
            lookup.wanted = Some(link.name.display().to_string());
            lookup.found = look(job, &mut lookup.log, file, link, sources)?;
        }
    }
    Ok(lookup)
}

fn look(
    job: &Job,
    log: &mut Log,
    file: &Image,
    link: &SupplementLink,
    sources: &DebugSources,
) -> Result<Option<Supplement>, Stopped> {
    for (place, how) in places(&file.path, link, &sources.directories) {
        if let Some(image) = log.open(&place, |image| is_known_by(image, &link.id))? {
            return Ok(Some(Supplement { image, how }));
        }
    }
    let found = sources.ask_debuginfod(job, &link.id, log, |image| is_known_by(image, &link.id))?;
    Ok(found.map(|(image, how)| Supplement { image, how }))
}

/// The places to look at, in order: as named, by build-id, and under the debug folders' `.dwz`.
fn places(file: &Path, link: &SupplementLink, directories: &[PathBuf]) -> Vec<(PathBuf, How)> {
    let name = &link.name;
    let mut places = Vec::new();
    if name.is_absolute() {
        places.push((name.clone(), How::Named));
    } else {
        let folders = folders_of(file).into_iter();
        places.extend(folders.map(|folder| (folder.join(name), How::Named)));
    }
    let by_id = directories.iter().map(|directory| build_id_path(directory, &link.id));
    places.extend(by_id.map(|place| (place, How::BuildId)));
    let below = below_dwz(name);
    let moved = directories.iter().map(|directory| directory.join(DWZ).join(&below));
    for place in moved {
        if places.iter().all(|(other, _)| *other != place) {
            places.push((place, How::Named));
        }
    }
    places
}

/// The part of a name that follows `.dwz/`, or else its last one: what stays when the debug folder is
/// another one.
fn below_dwz(name: &Path) -> PathBuf {
    let parts: Vec<&OsStr> = name.iter().collect();
    let after = parts.iter().rposition(|part| *part == DWZ).map(|position| position + 1);
    let below = after.unwrap_or(parts.len().saturating_sub(1));
    parts.iter().skip(below).filter(|part| **part != "..").collect()
}

/// A supplement counts only when it is the one that was named: by its build-id, or by the checksum
/// that `dwz --dwarf-5` writes instead.
fn is_known_by(image: &Image, id: &BuildId) -> Result<(), Unfit> {
    let own = [&image.identity.build_id, &image.links.checksum];
    match own.into_iter().flatten().any(|own| own == id) {
        true => Ok(()),
        false => Err("its build-id is another one".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places_of(file: &str, name: &str) -> Vec<String> {
        let id = BuildId::new(&[0xab, 0xcd, 0xef]).unwrap();
        let link = SupplementLink { name: name.into(), id };
        let directories = ["/usr/lib/debug".into(), "/opt/debug".into()];
        let places = places(Path::new(file), &link, &directories);
        places.into_iter().map(|(place, _)| place.display().to_string()).collect()
    }

    #[test]
    fn places_are_those_of_packagers() {
        // dh_dwz has dwz write an absolute name, rpm's find-debuginfo one from the file's own folder.
        let debian = "/usr/lib/debug/.dwz/x86_64-linux-gnu/libvirt0.debug";
        let expected = [
            debian,
            "/usr/lib/debug/.build-id/ab/cdef.debug",
            "/opt/debug/.build-id/ab/cdef.debug",
            "/opt/debug/.dwz/x86_64-linux-gnu/libvirt0.debug",
        ];
        assert_eq!(places_of("/nowhere/a.debug", debian), expected);
        let rpm = places_of("/nowhere/usr/lib64/a.debug", "../../.dwz/xen-4.17-1.fc39.x86_64");
        assert_eq!(rpm[0], "/nowhere/usr/lib64/../../.dwz/xen-4.17-1.fc39.x86_64");
        assert_eq!(rpm[3], "/usr/lib/debug/.dwz/xen-4.17-1.fc39.x86_64");
        assert_eq!(places_of("/nowhere/a", "x/../y.sup")[3], "/usr/lib/debug/.dwz/y.sup");
    }
}
