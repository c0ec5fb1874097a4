use std::path::{Path, PathBuf};

use super::*;
use crate::job::Job;
use crate::notes::Plugins;
use crate::trace::{self, Piece};

const NOTE: &str = r#"schema = 1
id = "demo/crash"
title = "It crashes"
kind = "bug"
cause = { confidence = "inferred", text = "Nobody knows." }
source = [{ what = "the code" }]

[[match]]
rank = "match"
all = [{ assertion = "left > 0", function = "work" }]

[[example]]
file = "examples/a.txt"
rank = "match"

[[lookalike]]
why = "another assertion"
trace = "prog: a.c:7: work: Assertion `right > 0' failed."
"#;

const PASTE: &str = "prog: a.c:7: work: Assertion `left > 0' failed.\n";

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// What is found in a plugin with these notes, each line `LEVEL LINE WHAT`.
fn findings(notes: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "demo/plugin.toml", "name = \"demo\"\nbinaries = []\n");
    write(folder.path(), "demo/examples/a.txt", PASTE);
    for (name, text) in notes {
        write(folder.path(), &format!("demo/notes/{name}.toml"), text);
    }
    let checked = check(&Job::new(), &[], &[folder.path().to_owned()]).unwrap();
    let line = |one: &Finding| format!("{:?} {} {}", one.level, one.line.unwrap_or(0), one.what);
    checked.findings.iter().map(line).collect()
}

#[test]
fn a_note_in_order_has_no_finding() {
    assert_eq!(findings(&[("crash", NOTE)]), [""; 0]);
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let cases = [
        (NOTE.replace("rank = \"match\"\nall", "rank = \"sure\"\nall"), "Error 9 unknown variant"),
        (NOTE.replace("kind =", "knid ="), "Error 4 unknown field `knid`"),
        (
            NOTE.replace("{ assertion = \"left > 0\", function = \"work\" }", "{ log = 'ab(' }"),
            "Error 10 ",
        ),
        (
            NOTE.replace("a.txt\"\nrank = \"match\"", "a.txt\"\nrank = \"symptom\""),
            "Error 12 the example examples/a.txt is `match`, not `symptom`",
        ),
        (
            NOTE.replace("left > 0\", f", "left < 0\", f"),
            "Error 12 the example examples/a.txt is not",
        ),
        (
            NOTE.replace("`right > 0'", "`left > 0'"),
            "Error 16 the look-alike (another assertion) is `match`",
        ),
        (
            NOTE.replace("examples/a.txt", "examples/b.txt"),
            "Error 12 examples/b.txt cannot be read",
        ),
        (
            NOTE.replace("examples/a.txt", "../../../etc/passwd"),
            "Error 12 ../../../etc/passwd cannot be read: it is not below the plugin's folder",
        ),
        (
            NOTE.split("[[example]]").next().unwrap().to_owned(),
            "Remark 0 no example shows that it works",
        ),
    ];
    for (note, expected) in cases {
        let found = findings(&[("crash", &note)]);
        assert!(
            found.first().is_some_and(|first| first.starts_with(expected)),
            "{expected}: {found:?}"
        );
    }
}

#[test]
fn notes_that_claim_the_same_are_remarked_unless_they_are_related() {
    let other = NOTE.replace("demo/crash", "demo/other");
    let found = findings(&[("crash", NOTE), ("other", &other)]);
    assert_eq!(
        found,
        [
            "Remark 12 the example examples/a.txt is also `match` demo/other",
            "Remark 8 demo/other asks for the same: assertion left > 0 in work",
            "Remark 12 the example examples/a.txt is also `match` demo/crash",
            "Remark 8 demo/crash asks for the same: assertion left > 0 in work",
        ]
    );
    let related = other.replace("kind =", "related = [\"demo/crash\"]\nkind =");
    assert_eq!(findings(&[("crash", NOTE), ("other", &related)]), [""; 0]);
}

#[test]
fn a_file_and_a_plugin_are_checked_by_themselves() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "demo/plugin.toml", "name = \"demo\"\nbinaries = []\n");
    write(folder.path(), "demo/examples/a.txt", PASTE);
    write(folder.path(), "demo/notes/crash.toml", NOTE);
    write(folder.path(), "demo/notes/bad.toml", "schema = 2");
    let of = |path: &str| {
        let checked = check(&Job::new(), &[], &[folder.path().join(path)]).unwrap();
        (checked.notes, checked.tried, checked.findings.len())
    };
    assert_eq!(of("demo/notes/crash.toml"), (vec!["demo/crash".to_owned()], 2, 0));
    assert_eq!(of("demo"), (vec!["demo/crash".to_owned()], 2, 1));
    assert_eq!(of("demo/notes/bad.toml"), (Vec::new(), 0, 1));
    assert_eq!(of("demo/plugin.toml"), (Vec::new(), 0, 1));
    assert_eq!(of("nothing"), (Vec::new(), 0, 1));
}

#[test]
fn the_shipped_notes_are_in_order() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins");
    let checked = check(&Job::new(), &[], &[folder]).unwrap();
    assert_eq!(checked.findings, []);
    assert!(checked.notes.len() >= 50 && checked.tried >= 100, "{checked:?}");
}

/// What is proposed for a paste, and what is found in it as a note.
fn proposed(paste: &str) -> Option<(String, Vec<Finding>)> {
    let trace = trace::parse(&Job::new(), &[Piece::unnamed(paste)]).unwrap();
    let (plugins, _) = Plugins::load(&[]);
    let note = propose(&trace, plugins.notes(), "demo/new", "examples/new.txt")?;
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "demo/plugin.toml", "name = \"demo\"\nbinaries = []\n");
    write(folder.path(), "demo/examples/new.txt", paste);
    write(folder.path(), "demo/notes/new.toml", &note);
    Some((note, check(&Job::new(), &[], &[folder.path().to_owned()]).unwrap().findings))
}

/// The files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn what_is_proposed_recognises_its_paste() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut accepted, mut read, mut wrong) = (0, 0, Vec::new());
    for path in [files(&root.join("tests/traces")), files(&root.join("plugins"))].concat() {
        let is_paste = path.extension().is_some_and(|end| end == "txt" || end == "log");
        if !is_paste || path.metadata().unwrap().len() > 50_000 {
            continue;
        }
        let paste = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        read += 1;
        let Some((note, findings)) = proposed(&paste) else { continue };
        accepted += 1;
        if findings.iter().any(|one| one.level == Level::Error) {
            wrong.push(format!("{}: {findings:#?}\n{note}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(accepted * 2 >= read, "only {accepted} of {read} pastes have a note proposed");
}

#[test]
fn frames_of_every_program_tell_nothing() {
    assert!(proposed("hello\n").is_none());
    let stack = "Program received signal SIGSEGV, Segmentation fault.\n\
                 #0  0x1 in __strlen_sse2 () from /lib64/libc.so.6\n#1  0x2 in main () at a.c:1\n";
    assert!(proposed(stack).is_none());
    let deeper = stack.replace(
        "#1  0x2 in main",
        "#1  0x2 in f () at a.c:1\n#2  0x3 in ?? ()\n#3  0x4 in g ()\n#4  0x2 in main",
    );
    let (note, _) = proposed(&deeper).unwrap();
    assert!(note.contains(r#"{ signal = "SIGSEGV" }, { frames = ["f", "...", "g"] }"#), "{note}");
}

#[test]
fn a_log_alone_is_recognised_by_its_errors() {
    let log = include_str!("../../tests/traces/libxl-suspend-first.log");
    let (note, findings) = proposed(log).unwrap();
    let expected = r"all  = [{ log = ";
    assert!(note.contains(expected), "{note}");
    assert!(note.contains(r"suspend_evtchn_\d+_lock\.d: Internal error"), "{note}");
    assert!(findings.iter().all(|one| one.level == Level::Remark), "{findings:#?}");
    // It says that the shipped note knows it already.
    let known = findings.iter().any(|one| one.what.contains("is also `match` libxl/"));
    assert!(known, "{findings:#?}");
    let well = log.lines().filter(|line| line.contains("debug")).collect::<Vec<_>>().join("\n");
    assert!(proposed(&well).is_none());
}

#[test]
fn what_a_paste_holds_stays_a_string_of_the_note() {
    let (note, findings) = proposed(
        "prog: a.c:7: work: Assertion `x == \"\\\\\" && '''y''' && \"\"\"z\"\"\"' failed.\n",
    )
    .unwrap();
    let errors: Vec<_> = findings.iter().filter(|one| one.level == Level::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{note}");
}
