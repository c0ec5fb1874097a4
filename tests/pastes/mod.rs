//! The pastes under tests/traces, which laws for all texts are tried on.

use std::fs;
use std::path::{Path, PathBuf};

/// The text of each, in the order of their paths.
pub(crate) fn pastes() -> Vec<String> {
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
    files.iter().map(|file| fs::read_to_string(file).unwrap()).collect()
}
