//! Does the index leave out a note that would have matched?

use std::fs;
use std::path::{Path, PathBuf};

use super::facts::Facts;
use super::{releases, report, signatures};
use crate::job::Job;
use crate::notes::Plugins;
use crate::trace::{Piece, parse};

fn pastes(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pastes(&path, found);
        } else if path.extension().is_some_and(|end| end == "txt" || end == "log") {
            found.push(path);
        }
    }
}

#[test]
fn what_the_index_names_is_all_that_matches() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    pastes(&root.join("tests/traces"), &mut found);
    pastes(&root.join("plugins"), &mut found);
    let (plugins, job) = (Plugins::load(&[]).0, Job::new());
    let mut matches = 0;
    for path in found {
        let text = fs::read_to_string(&path).unwrap();
        let trace = parse(&job, &[Piece::unnamed(&text)]).unwrap();
        let told = trace.expanded();
        let facts = Facts::of(&job, &told, plugins.notes()).unwrap();
        let releases = releases::told(&facts, plugins.notes().versions());
        let all = plugins.notes().iter();
        let all = all.filter_map(|note| signatures::best(&facts, note, &releases));
        let mut all: Vec<String> = all.map(|matched| matched.into_note().id).collect();
        let trace = parse(&job, &[Piece::unnamed(&text)]).unwrap();
        let report = report(&job, trace, plugins.notes()).unwrap();
        let mut indexed: Vec<String> = report.notes.into_iter().map(|note| note.id).collect();
        all.sort();
        indexed.sort();
        assert_eq!(indexed, all, "{}", path.display());
        matches += all.len();
    }
    assert!(matches > 80, "the pastes show too little: {matches}");
}
