//! Loading: what is refused, with which words, and that the rest keeps working.

use std::fs;
use std::path::Path;

use super::*;
use crate::trace::LineFormat;

/// A note that is in order, to be spoilt by each test.
const GOOD: &str = r#"schema = 1
id = "demo/crash"
title = "It crashes"
kind = "race"
cause = { confidence = "inferred", text = "Nobody knows." }

[[match]]
rank = "match"
all = [{ assertion = "a == b", function = "f" }]
any = [{ frames = ["f", "...", "main"] }]

[interleaving]
confidence = "code"
threads = { A = "one" }
steps = [["A", "runs"]]

[[ask]]
why = "tells"
show = "((struct s *)p)->a[2].b"
requires_member = "s.a"
confirms = "== 0x10"

[[source]]
what = "the code"

[[lookalike]]
why = "other"
trace = "nothing"
"#;

const MANIFEST: &str = "name = \"demo\"\nbinaries = [\"libdemo.so*\"]\n";

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Loads the plugin `demo` with this one note.
fn load(note: &str) -> (Plugins, Vec<Problem>) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "demo/plugin.toml", MANIFEST);
    write(folder.path(), "demo/notes/crash.toml", note);
    Plugins::load(&[folder.path().to_owned()])
}

#[test]
fn everything_shipped_is_in_order() {
    let (plugins, problems) = Plugins::load(&[]);
    assert_eq!(problems, []);
    assert!(plugins.notes().iter().count() >= 20, "shipped notes are gone");
    for note in plugins.notes().iter() {
        for related in &note.related {
            assert!(plugins.notes().get(related).is_some(), "{}: {related}", note.id);
        }
    }
    // What is in all programs, and shapes that all share, are not looked through.
    let without = plugins.iter().filter(|plugin| plugin.binaries.is_empty());
    assert_eq!(
        without.map(|plugin| plugin.name.as_str()).collect::<Vec<_>>(),
        ["glibc", "patterns"]
    );
}

#[test]
fn a_good_note_loads() {
    let (plugins, problems) = load(GOOD);
    assert_eq!(problems, []);
    assert_eq!(plugins.notes().get("demo/crash").unwrap().title, "It crashes");
}

/// Replaces a part of the good note and expects it to be refused, on that line, with these words.
#[track_caller]
fn refused(part: &str, with: &str, words: &str) {
    assert!(GOOD.contains(part), "{part} is not in the note");
    let line = GOOD[..GOOD.find(part).unwrap()].matches('\n').count() + 1;
    let (plugins, problems) = load(&GOOD.replacen(part, with, 1));
    let [problem] = problems.as_slice() else { panic!("{problems:?}") };
    assert!(problem.file.ends_with("demo/notes/crash.toml"), "{problem}");
    assert!(problem.what.contains(words), "{problem}");
    assert_eq!(problem.line, Some(line), "{problem}");
    assert!(plugins.notes().get("demo/crash").is_none());
    assert!(plugins.notes().get("libxl/fd-deregister-race").is_some(), "the rest keeps working");
}

#[test]
fn each_flaw_is_refused_with_its_line() {
    let all = "all = [{ assertion = \"a == b\", function = \"f\" }]";
    refused("schema = 1", "schema = 2", "schema 2");
    refused("id = \"demo/crash\"", "id = \"demo/other\"", "does not fit");
    refused("title = \"It crashes\"", "title = \" \"", "title");
    refused("kind = \"race\"", "kind = \"rush\"", "rush");
    refused("confidence = \"code\"", "confidence = \"sure\"", "sure");
    refused("rank = \"match\"", "rank = \"certain\"", "certain");
    refused("why = \"tells\"", "whyy = \"tells\"", "whyy");
    refused(all, "all = []", "every crash would fit");
    refused(all, "all = [{ signal = \"SIGSEGV\" }]", "every crash would fit");
    refused(all, "all = [{ program = \"x\" }]", "every crash would fit");
    refused(all, "all = [{ assertion = \"a == b\" }]", "function");
    refused(all, "all = [{ frames = [\"f\"], form = \"top\" }]", "form");
    refused(all, "all = [{ frames = [\"f\"], from = \"bottom\" }]", "bottom");
    refused(all, "all = [{ frames = [\"f\"], count = 0 }]", "zero");
    refused(all, "all = [{ frames = [\"f\", \"...\"] }]", "both sides");
    refused(all, "all = [{ frames = [\"??\"] }]", "names no function");
    refused(all, "all = [{ frames = [{ function = \"f\", modul = \"x\" }] }]", "modul");
    refused(all, "all = [{ stacks = [[\"f\"]] }]", "two to four");
    refused(all, "all = [{ deadlock = \"maybe\" }]", "maybe");
    refused(all, "all = [{ recursion = 0 }]", "zero");
    refused(all, "all = [{ fault = \"x\", address = \"near 0\" }]", "no comparison");
    refused(all, "all = [{ asertion = \"a\" }]", "a predicate has one of");
    refused(all, "all = [{ value = \"f(x)\", equals = 1 }]", "not a member path");
    refused(all, "all = [{ value = \"x\", equals = 1.5 }]", "a whole number or a string");
    refused(all, "all = [{ log = 'a(' }]", "cannot be used");
    refused(all, "all = [{ log = 'a*' }]", "matches every record");
    refused(all, "all = [{ log = '(a{1000}){1000}' }]", "cannot be used");
    refused(all, "all = [{ log = [] }]", "names no pattern");
    let head = "[interleaving]\nconfidence = \"code\"\nthreads = { A";
    refused(head, &head.replace("A", "B"), "\"A\"");
    refused("((struct s *)p)->a[2].b", "system(p)", "not a member path");
    refused("((struct s *)p)->a[2].b", "p = 0", "not a member path");
    refused("((struct s *)p)->a[2].b", "$pc", "not a member path");
    refused("requires_member = \"s.a\"", "requires_member = \"s\"", "not a member of a type");
    refused("confirms = \"== 0x10\"", "confirms = \"=0\"", "not a comparison");
    refused("confirms = \"== 0x10\"", "refutes = \"== a\"", "not a comparison");
}

#[test]
fn none_takes_only_frames_of_one_stack() {
    for none in [
        "{ signal = \"SIGINT\" }",
        "{ assertion = \"a\", function = \"f\" }",
        "{ frames = [\"f\"], count = 2 }",
        "{ frames = [\"f\"], before = \"signal\" }",
    ] {
        let note = GOOD.replace("any = [", &format!("none = [{none}]\nany = ["));
        let (_, problems) = load(&note);
        assert!(problems[0].what.contains("takes only `frames`"), "{problems:?}");
        assert_eq!(problems[0].line, Some(10));
    }
}

#[test]
fn a_later_note_takes_the_place_of_an_earlier_one() {
    let folder = tempfile::tempdir().unwrap();
    let note = GOOD.replace("demo/crash", "libxl/fd-deregister-race");
    write(folder.path(), "libxl/notes/fd-deregister-race.toml", &note);
    let (plugins, problems) = Plugins::load(&[folder.path().to_owned()]);
    assert_eq!(problems, [], "a folder that only adds notes needs no plugin.toml");
    assert_eq!(plugins.notes().get("libxl/fd-deregister-race").unwrap().title, "It crashes");
    assert!(plugins.notes().get("libxl/timeout-ctx-lock").is_some());
}

#[test]
fn a_bad_override_leaves_the_shipped_note() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "libxl/notes/fd-deregister-race.toml", "schema = ");
    let (plugins, problems) = Plugins::load(&[folder.path().to_owned()]);
    assert_eq!(problems[0].line, Some(1), "{problems:?}");
    assert!(plugins.notes().get("libxl/fd-deregister-race").is_some());
}

#[test]
fn a_folder_without_a_manifest_is_named() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "unheard/notes/a.toml", GOOD);
    write(folder.path(), ".git/notes/a.toml", GOOD);
    let (_, problems) = Plugins::load(&[folder.path().to_owned(), "/no/such/folder".into()]);
    let [problem] = problems.as_slice() else { panic!("{problems:?}") };
    assert!(problem.file.ends_with("unheard"), "{problem}");
}

#[test]
fn a_manifest_must_name_its_own_folder_and_stay_below_the_library_folders() {
    for (manifest, words) in [
        ("name = \"other\"", "its folder \"demo\""),
        ("name = \"demo\"\nbinaries = [\"/usr/lib/x.so\"]", "not a glob of file names"),
        ("name = \"demo\"\nbinaries = [\"[\"]", "["),
        ("name = \"demo\"\nmodules = [\"../x.so\"]", "leaves the library folders"),
        ("name = \"demo\"\nprograms = []", "programs"),
        ("name = \"demo\"\n[[version]]\nrelease = \"1\"", "exactly one thing"),
        ("name = \"demo\"\n[[version]]\nfile = \"(\"\nrelease = \"1\"", "cannot be used"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "demo/plugin.toml", manifest);
        let (_, problems) = Plugins::load(&[folder.path().to_owned()]);
        let [problem] = problems.as_slice() else { panic!("{problems:?}") };
        assert!(problem.what.contains(words), "{problem}");
    }
}

#[test]
fn what_is_no_text_file_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "demo/plugin.toml", MANIFEST);
    write(folder.path(), "demo/notes/large.toml", &"#".repeat(2 << 20));
    fs::create_dir(folder.path().join("demo/notes/folder.toml")).unwrap();
    fs::write(folder.path().join("demo/notes/binary.toml"), [0xff, 0xfe]).unwrap();
    let (plugins, problems) = Plugins::load(&[folder.path().to_owned()]);
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(plugins.iter().any(|plugin| plugin.name == "demo"));
}

#[test]
fn a_line_format_that_cannot_be_used_is_left_out_alone() {
    let manifest = r#"name = "demo"

[[log_format]]
name = "log"
line = '^(?<time>\d+) (?<text>.*)$'

[[log_format]]
name = "bad"
line = '^(?<time>\d+ (?<text>.*)$'

[[log_format]]
name = "large"
line = '^(?<time>\w{900}\w{900}) (?<text>.*)$'

[[frame_format]]
name = "two words"
line = '^(?<function>\w+)$'

[[frame_format]]
name = "frame"
program = "demo"
line = '^(?<function>\w+)$'
"#;
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "demo/plugin.toml", manifest);
    write(folder.path(), "demo/notes/crash.toml", GOOD);
    let (plugins, problems) = Plugins::load(&[folder.path().to_owned()]);
    assert!(plugins.notes().get("demo/crash").is_some());
    let names: Vec<_> = plugins.line_formats().iter().map(LineFormat::name).collect();
    assert_eq!(names.iter().filter(|name| name.starts_with("demo/")).count(), 1, "{names:?}");
    assert!(names.contains(&"demo/log"));
    let lines: Vec<_> = problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [Some(9), Some(13), Some(16), Some(21)], "{problems:?}");
    assert!(problems[0].what.contains("unclosed group"), "{}", problems[0]);
    assert!(problems[1].what.contains("size limit"), "{}", problems[1]);
}

#[test]
fn plugins_alone_are_those_that_are_loaded() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    write(folders[0].path(), "demo/plugin.toml", MANIFEST);
    write(folders[0].path(), "libxl/notes/crash.toml", GOOD);
    write(folders[0].path(), "wrong/plugin.toml", "name = \"other\"\n");
    write(folders[0].path(), "libvirt/plugin.toml", "name = \"libvirt\"\nbinareis = [\"x\"]\n");
    write(folders[0].path(), "glibc/plugin.toml", "name = \"glibc\"\n[[version]]\nlog = \"(\"\n");
    write(folders[1].path(), "demo/plugin.toml", "name = \"demo\"\nbinaries = [\"later\"]\n");
    let paths: Vec<_> = folders.iter().map(|folder| folder.path().to_owned()).collect();
    let (plugins, _) = Plugins::load(&paths);
    let alone = Plugin::all(&paths);
    assert!(plugins.iter().eq(&alone), "{alone:?}");
    assert!(alone.iter().any(|plugin| plugin.binaries == ["later"]));
}

#[test]
fn two_files_with_one_note_are_named_and_the_later_is_used() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for (folder, title) in folders.iter().zip(["It crashes", "It crashes again"]) {
        write(folder.path(), "demo/plugin.toml", MANIFEST);
        write(folder.path(), "demo/notes/crash.toml", &GOOD.replace("It crashes", title));
    }
    let paths: Vec<_> = folders.iter().map(|folder| folder.path().to_owned()).collect();
    let (plugins, problems) = Plugins::load(&paths);
    let [problem] = problems.as_slice() else { panic!("{problems:?}") };
    assert!(problem.what.contains("demo/crash is also in"), "{problem}");
    assert!(problem.file.starts_with(paths[1].to_str().unwrap()), "{problem}");
    assert_eq!(plugins.notes().get("demo/crash").unwrap().title, "It crashes again");
    assert!(plugins.notes().get("libxl/fd-deregister-race").is_some(), "the rest keeps working");
}

#[test]
fn a_folder_or_note_that_vanished_leaves_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "demo/plugin.toml", MANIFEST);
    write(folder.path(), "demo/notes/crash.toml", GOOD);
    let gone = folder.path().join("demo/notes/gone.toml");
    std::os::unix::fs::symlink("/nowhere/gone.toml", &gone).unwrap();
    let (plugins, problems) = Plugins::load(&[folder.path().to_owned()]);
    let [problem] = problems.as_slice() else { panic!("{problems:?}") };
    assert!(problem.file.ends_with("gone.toml") && problem.what.contains("cannot be read"));
    assert!(plugins.notes().get("demo/crash").is_some());
    let path = folder.path().to_owned();
    drop(folder);
    let (plugins, problems) = Plugins::load(&[path]);
    assert_eq!(problems, [], "doctor says that a folder which is configured is not there");
    assert!(plugins.notes().get("libxl/fd-deregister-race").is_some());
}

#[test]
fn a_pattern_made_to_be_slow_is_not() {
    let note = GOOD.replace(
        "all = [{ assertion = \"a == b\", function = \"f\" }]",
        "all = [{ log = '(x+x+)+y' }]",
    );
    let (plugins, problems) = load(&note);
    assert_eq!(problems, []);
    let start = std::time::Instant::now();
    assert!(!plugins.notes().read(&"x".repeat(1 << 20)));
    assert!(start.elapsed().as_secs() < 20, "a megabyte took {:?}", start.elapsed());
}
