//! Which binaries that plugins name does this system have?
//!
//! Folders of programs and libraries have thousands of files. They are read when the first question needs
//! them, and again when one of them, or a plugin, has changed.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use globset::{Glob, GlobMatcher};

use super::known::{Because, Known};
use crate::binary::FileStamp;
use crate::notes::Plugin;

/// What was found last.
#[derive(Debug, Default)]
pub(super) struct InstalledBinaries(Mutex<Option<Arc<Found>>>);

#[derive(Debug)]
struct Found {
    plugins: Arc<[Plugin]>,
    folders: Vec<Option<FileStamp>>,
    known: Vec<Known>,
}

impl InstalledBinaries {
    /// Those in these folders, as of now.
    pub(super) fn now(&self, plugins: &Arc<[Plugin]>, folders: &[&Path]) -> Vec<Known> {
        // Before they are read: one that changes meanwhile then counts as changed.
        let stamps: Vec<_> = folders.iter().map(|folder| FileStamp::of(folder).ok()).collect();
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let is_now =
            |last: &Arc<Found>| Arc::ptr_eq(&last.plugins, plugins) && last.folders == stamps;
        if let Some(last) = last.filter(is_now) {
            return last.known.clone();
        }
        let known = find(plugins, folders);
        let found = Found { plugins: Arc::clone(plugins), folders: stamps, known: known.clone() };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(found));
        known
    }
}

fn find(plugins: &[Plugin], folders: &[&Path]) -> Vec<Known> {
    let folders: Vec<Folder> = folders.iter().map(|folder| Folder::read(folder)).collect();
    // One file has many names: the shortest, the development link, is the least telling.
    let mut found: BTreeMap<PathBuf, Known> = BTreeMap::new();
    for plugin in plugins {
        let globs = matchers(&plugin.binaries);
        for path in folders.iter().flat_map(|folder| folder.matching(&globs)) {
            let Ok(file) = path.canonicalize() else { continue };
            let because = Because::Plugin(plugin.name.clone());
            found.entry(file.clone()).or_insert(Known { path: file, because });
        }
    }
    found.into_values().collect()
}

/// The globs of a plugin, which were checked when it was loaded.
pub(super) fn matchers(globs: &[String]) -> Vec<GlobMatcher> {
    globs.iter().filter_map(|glob| Some(Glob::new(glob).ok()?.compile_matcher())).collect()
}

/// The names in a folder; none where it cannot be read.
pub(super) struct Folder {
    path: PathBuf,
    names: Vec<OsString>,
}

impl Folder {
    pub(super) fn read(path: &Path) -> Folder {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        Folder { path: path.to_owned(), names: entries.map(|entry| entry.file_name()).collect() }
    }

    /// The files whose name matches, by name.
    pub(super) fn matching(&self, globs: &[GlobMatcher]) -> Vec<PathBuf> {
        if globs.is_empty() {
            return Vec::new();
        }
        let names = self.names.iter().map(Path::new);
        let wanted = names.filter(|name| globs.iter().any(|glob| glob.is_match(name)));
        let mut paths: Vec<PathBuf> = wanted.map(|name| self.path.join(name)).collect();
        paths.retain(|path| path.is_file());
        paths.sort();
        paths
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::thread::sleep;
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_comes_goes_or_is_replaced_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("a"), folder.path().join("b"));
        fs::create_dir(&first).unwrap();
        let folders = [first.as_path(), second.as_path()];
        let plugins: Arc<[Plugin]> = Plugin::all(&[]).into();
        let installed = InstalledBinaries::default();
        let names = |plugins: &Arc<[Plugin]>| -> Vec<String> {
            // Longer than the clock of the file system takes for a tick.
            sleep(Duration::from_millis(30));
            let known = installed.now(plugins, &folders);
            let name =
                |known: &Known| known.path.file_name().unwrap().to_string_lossy().into_owned();
            known.iter().map(name).collect()
        };
        assert_eq!(names(&plugins), [""; 0]);
        fs::write(first.join("libvirtd"), "").unwrap();
        fs::write(first.join("other"), "").unwrap();
        assert_eq!(names(&plugins), ["libvirtd"]);
        assert_eq!(names(&plugins), ["libvirtd"]);
        fs::create_dir(&second).unwrap();
        fs::write(second.join("libxenlight.so.4.17.0"), "").unwrap();
        std::os::unix::fs::symlink("libxenlight.so.4.17.0", second.join("libxenlight.so")).unwrap();
        assert_eq!(names(&plugins), ["libvirtd", "libxenlight.so.4.17.0"]);
        fs::rename(first.join("libvirtd"), first.join("libvirtd.old")).unwrap();
        assert_eq!(names(&plugins), ["libxenlight.so.4.17.0"]);
        // Other plugins look for other names.
        let none: Arc<[Plugin]> = Arc::new([]);
        assert_eq!(names(&none), [""; 0]);
        assert_eq!(names(&plugins), ["libxenlight.so.4.17.0"]);
    }
}
