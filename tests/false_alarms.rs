//! How often is a known bug recognised, and how often is one seen where there is none?
//!
//! ```sh
//! cargo test --test false_alarms -- --nocapture
//! ```
//! Prints precision and recall. What must be recognised are the pastes as they were posted and every
//! note's examples; what must not are crashes of other programs: real ones of the programs of a system
//! (tests/traces/crash-programs), and every paste under tests/traces that no note is about.

#![allow(clippy::unwrap_used)] // Helpers of tests are not tests to clippy.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use dbgmate::job::Job;
use dbgmate::notes::{Plugins, Rank};
use dbgmate::trace::{Piece, parse};
use dbgmate::triage::report;

/// Programs whose crashes no note may claim.
const FEWEST_PROGRAMS: usize = 200;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The notes that speak of one bug, not of a shape that many share.
fn specific(plugins: &Plugins, text: &str) -> Vec<(String, Rank)> {
    let job = Job::new();
    let trace = parse(&job, &[Piece::unnamed(text)]).unwrap();
    let notes = report(&job, trace, plugins.notes()).unwrap().notes.into_iter();
    notes.filter(|note| note.kind != "pattern").map(|note| (note.id, note.rank)).collect()
}

/// A paste of some program.
struct Unrelated {
    program: String,
    text: String,
}

/// The crashes of `programs.traces`, each after a line with the program's name.
fn crashes() -> Vec<Unrelated> {
    let path = root().join("tests/traces/unrelated/programs.traces");
    let all = fs::read_to_string(path).unwrap();
    let crashes = all.split("\n=== ").map(|crash| crash.trim_start_matches("=== "));
    let crashes = crashes.filter_map(|crash| crash.split_once('\n'));
    crashes
        .map(|(program, text)| Unrelated { program: program.to_owned(), text: text.to_owned() })
        .collect()
}

/// Every paste under a folder.
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

/// The pastes that no note is about, of those in the folders of tests/traces.
fn others() -> Vec<Unrelated> {
    let traces = root().join("tests/traces");
    let mut found = Vec::new();
    for entry in fs::read_dir(&traces).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pastes(&path, &mut found);
        }
    }
    found.retain(|path| !ABOUT_A_NOTE.iter().any(|(name, _)| path.ends_with(name)));
    let program = |path: &Path| path.strip_prefix(&traces).unwrap().display().to_string();
    found
        .iter()
        .map(|path| Unrelated { program: program(path), text: fs::read_to_string(path).unwrap() })
        .collect()
}

/// Pastes in the folders that hold what a note is about: the real ones in other clothes, or lines of
/// them.
const ABOUT_A_NOTE: [(&str, &str); 11] = [
    ("logs/libxl-driver.log", "libxl/suspend-evtchn-lock"),
    ("logs/journal-short.log", "libxl/fd-deregister-race"),
    ("pasted/assertion-lines.txt", "libxl/fd-deregister-race"),
    ("pasted/quoted-twice.txt", "libxl/fd-deregister-race"),
    ("pasted/hard-wrapped.txt", "libxl/fd-deregister-race"),
    ("pasted/html.txt", "libxl/fd-deregister-race"),
    ("pasted/cut-in-function-name.txt", "libxl/fd-deregister-race"),
    ("pasted/double-spaced.txt", "libxl/fd-deregister-race"),
    ("pasted/cut-in-file-name.txt", "libxl/fd-deregister-race"),
    ("gdb/other-printers.txt", "libxl/fd-deregister-race"),
    ("prefixed/journal-coredump.txt", "libxl/fd-deregister-race"),
];

#[test]
fn no_other_programs_crash_is_claimed_and_every_example_is_recognised() {
    let (plugins, problems) = Plugins::load(&[]);
    assert_eq!(problems, []);
    let crashes = crashes();
    let programs: BTreeSet<&str> = crashes.iter().map(|crash| crash.program.as_str()).collect();
    assert_eq!(programs.len(), crashes.len(), "a program is there twice");
    assert!(programs.len() >= FEWEST_PROGRAMS, "only {} programs are left", programs.len());
    let others = others();
    let mut alarms = Vec::new();
    for paste in crashes.iter().chain(&others) {
        let found = specific(&plugins, &paste.text);
        if !found.is_empty() {
            alarms.push(format!("{}: {found:?}", paste.program));
        }
    }
    let (mut recognised, mut missed) = (0usize, Vec::new());
    for note in plugins.notes().iter().filter(|note| note.kind.name() != "pattern") {
        let plugin = note.id.split('/').next().unwrap();
        for example in &note.examples {
            let path = root().join("plugins").join(plugin).join(&example.file);
            let found = specific(&plugins, &fs::read_to_string(path).unwrap());
            if found.contains(&(note.id.clone(), example.rank)) {
                recognised += 1;
            } else {
                missed.push(format!("{}: {}: {found:?}", note.id, example.file));
            }
        }
    }
    for (name, id) in ABOUT_A_NOTE {
        let text = fs::read_to_string(root().join("tests/traces").join(name)).unwrap();
        match specific(&plugins, &text).as_slice() {
            [(found, _)] if found == id => recognised += 1,
            found => missed.push(format!("{name}: {found:?}")),
        }
    }
    let share = |part: usize, rest: usize| part as f64 / (part + rest).max(1) as f64;
    println!(
        "unrelated pastes: {} ({} programs of a system, {} others); false alarms: {}\n\
         pastes of known bugs: {}; recognised: {recognised}\n\
         precision {:.3}, recall {:.3}",
        crashes.len() + others.len(),
        crashes.len(),
        others.len(),
        alarms.len(),
        recognised + missed.len(),
        share(recognised, alarms.len()),
        share(recognised, missed.len()),
    );
    assert!(alarms.is_empty(), "{}", alarms.join("\n"));
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// A corpus that nothing could be claimed of would prove nothing.
#[test]
fn an_alarm_would_be_heard() {
    let (plugins, _) = Plugins::load(&[]);
    let race = fs::read_to_string(root().join("tests/traces/fd-deregister-race.txt")).unwrap();
    for crash in crashes().iter().take(20) {
        let both = format!("{}\n{race}", crash.text);
        assert_eq!(specific(&plugins, &both).len(), 1, "{}", crash.program);
    }
}
