//! The pastes under tests/traces, which laws for all texts are tried on.

use std::fs;
use std::path::{Path, PathBuf};

/// The text of each, in the order of their paths.
pub(crate) fn pastes() -> Vec<String> {
    named().into_iter().map(|(_, text)| text).collect()
}

/// Each with its path below tests/traces, in the order of these.
pub(crate) fn named() -> Vec<(String, String)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces")];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "txt" || end == "log") {
                files.push(path);
            }
        }
    }
    files.sort();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces");
    let name = |file: &Path| file.strip_prefix(&root).unwrap().display().to_string();
    files.iter().map(|file| (name(file), fs::read_to_string(file).unwrap())).collect()
}
