//! Which files the dynamic linker would load for a binary: DT_NEEDED names turned into paths.
//!
//! The order is ld.so(8)'s: the run path, the folders of ld.so.conf, the default ones. Before all
//! of them comes the binary's own folder, since people debug from build trees and unpacked packages.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Binary;

/// The folders in which this system keeps shared libraries.
#[derive(Clone, Debug)]
pub struct Libraries {
    folders: Vec<PathBuf>,
}

impl Libraries {
    /// The folders of `/etc/ld.so.conf`, then the default ones.
    pub fn of_system() -> Libraries {
        let mut folders = Vec::new();
        read_configuration(Path::new("/etc/ld.so.conf"), &mut folders, 0);
        folders.extend(["/lib64", "/usr/lib64", "/lib", "/usr/lib"].map(PathBuf::from));
        Libraries { folders }
    }

    /// The folders, in the order they are searched.
    pub fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// The files that `binary` needs directly, those of them that exist.
    pub fn needed_by(&self, binary: &Binary) -> Vec<PathBuf> {
        let needed = binary.identity().needed.iter();
        needed.filter_map(|name| self.resolve(binary, name)).collect()
    }

    fn resolve(&self, binary: &Binary, name: &str) -> Option<PathBuf> {
        if name.contains('/') {
            return Some(PathBuf::from(name)).filter(|path| path.is_file());
        }
        let origin = binary.path().parent()?;
        let runpath = binary.identity().runpath.iter().map(|entry| expand_origin(entry, origin));
        let folders = std::iter::once(origin.to_owned()).chain(runpath);
        let mut places =
            folders.chain(self.folders.iter().cloned()).map(|folder| folder.join(name));
        places.find(|path| path.is_file())
    }
}

/// `$ORIGIN` stands for the folder of the binary (ld.so(8), "Dynamic string tokens").
fn expand_origin(entry: &str, origin: &Path) -> PathBuf {
    let origin = origin.to_string_lossy();
    PathBuf::from(entry.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin))
}

/// Reads one file of ld.so.conf's form: a folder a line, `include` with a glob for its last part.
fn read_configuration(path: &Path, folders: &mut Vec<PathBuf>, depth: u32) {
    const MAX_DEPTH: u32 = 4;
    let Ok(text) = std::fs::read_to_string(path) else { return };
    for line in text.lines().map(|line| line.split('#').next().unwrap_or("").trim()) {
        match line.strip_prefix("include ") {
            Some(pattern) if depth < MAX_DEPTH => {
                for file in included(path, pattern.trim()) {
                    read_configuration(&file, folders, depth + 1);
                }
            }
            None if line.starts_with('/') => folders.push(PathBuf::from(line)),
            _ => {}
        }
    }
}

fn included(from: &Path, pattern: &str) -> BTreeSet<PathBuf> {
    let pattern = from.parent().unwrap_or(Path::new("/")).join(pattern);
    let glob = pattern.file_name().and_then(|name| globset::Glob::new(name.to_str()?).ok());
    let (Some(glob), Some(folder)) = (glob, pattern.parent()) else { return BTreeSet::new() };
    let matcher = glob.compile_matcher();
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| path.file_name().is_some_and(|name| matcher.is_match(name))).collect()
}
