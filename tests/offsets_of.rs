//! `dbgmate offsets-of` as people use it: the real program, alone and with its daemon.

#![allow(clippy::unwrap_used)]

mod tools;

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A home, a folder of compiled libraries, and perhaps a daemon.
struct Place {
    folder: TempDir,
    daemon: Option<Child>,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        Place { folder, daemon: None }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Compiles sources, each a unit, into a shared library that needs others of the folder.
    fn library(&self, name: &str, sources: &[(&str, &str)], needs: &[&str]) -> PathBuf {
        let path = self.path(name);
        let mut gcc = Command::new("gcc");
        gcc.args(["-shared", "-fPIC", "-nostdlib", "-g", "-Wl,--no-as-needed", "-o"]).arg(&path);
        for (file, text) in sources {
            let source = self.path(file);
            fs::write(&source, text).unwrap();
            gcc.arg(source);
        }
        gcc.arg("-L").arg(self.folder.path());
        gcc.args(needs.iter().map(|needed| format!("-l:{needed}")));
        let output = gcc.output().expect("the tests need gcc");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{gcc:?} fails:\n{errors}");
        path
    }

    fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dbgmate"));
        command
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env("XDG_CONFIG_HOME", self.folder.path())
            .env("XDG_CACHE_HOME", self.folder.path())
            .env_remove("DBGMATE_SOCKET");
        command
    }

    fn start_daemon(&mut self) {
        let mut serve = self.program();
        let mut child = serve.arg("serve").stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("listening"), "{line}");
        self.daemon = Some(child);
    }

    /// Runs the program; with the daemon, where there is one.
    fn offsets_of(&self, arguments: &[&str], binaries: &[&Path]) -> Output {
        let mode = if self.daemon.is_some() { "require" } else { "never" };
        let mut command = self.program();
        command.args(["--daemon", mode, "offsets-of"]).args(arguments);
        for binary in binaries {
            command.arg("--binary").arg(binary);
        }
        command.output().unwrap()
    }

    /// What it finds, as JSON.
    fn found(&self, arguments: &[&str], binaries: &[&Path]) -> Value {
        let output = self.offsets_of(&[arguments, &["--json"]].concat(), binaries);
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(daemon) = &mut self.daemon {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// C in two units that differ, and C++.
const SOURCES: [(&str, &str); 4] = [
    ("one.c", "struct s { int a; char b; }; struct s x1;"),
    ("two.c", "struct s { int a; char b; }; struct s x2;"),
    ("three.c", "struct s { long a; }; struct s x3;"),
    ("four.cc", "struct s { short a, c; }; s x4;"),
];

#[test]
fn every_distinct_definition_is_shown_the_most_common_first() {
    let place = Place::new();
    let library = place.library("lib.so", &SOURCES, &[]);
    let output = place.offsets_of(&["struct", "s"], &[&library]);
    let folder = place.folder.path().display().to_string();
    let shown = text(&output.stdout).replace(&format!("{folder}/"), "");
    insta::assert_snapshot!(shown, @r#"
    // 1 of 3: one.c:1, 2 units of lib.so
    struct s {
        a => 0
        b => 4
    }

    // 2 of 3: three.c:1, 1 unit of lib.so
    struct s {
        a => 0
    }

    // 3 of 3: four.cc:1, 1 unit of lib.so
    struct s {
        a => 0
        c => 2
    }
    "#);
    let provenance = text(&output.stderr).replace(&folder, "");
    assert_eq!(provenance, "dbgmate: from /lib.so\n");
}

#[test]
fn a_language_chooses_its_definitions() {
    let place = Place::new();
    let library = place.library("lib.so", &SOURCES, &[]);
    for (language, sizes) in [("c", vec![8, 8]), ("c++", vec![4])] {
        let found = place.found(&["struct s", "--language", language], &[&library]);
        let matches = found["matches"].as_array().unwrap();
        assert_eq!(
            matches.iter().map(|found| found["size"].as_u64().unwrap()).collect::<Vec<_>>(),
            sizes
        );
        assert!(matches.iter().all(|found| found["language"] == language), "{found}");
    }
    let output = place.offsets_of(&["struct s", "--language", "rust"], &[&library]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no type `struct s`"), "{output:?}");
}

#[test]
fn a_type_of_a_needed_library_is_found_there_and_said_to_be() {
    let place = Place::new();
    let deep =
        place.library("libdeep.so", &[("deep.c", "struct deep { char a; long b; } d;")], &[]);
    place.library("libmiddle.so", &[("middle.c", "int m;")], &["libdeep.so"]);
    let top = place.library("top.so", &[("top.c", "struct top { int t; } t;")], &["libmiddle.so"]);
    let output = place.offsets_of(&["struct deep"], &[&top]);
    assert_eq!(text(&output.stdout), "struct deep {\n    a => 0\n    b => 8\n}\n");
    let middle = place.path("libmiddle.so");
    let expected = format!("dbgmate: from {} (needed by {})\n", deep.display(), middle.display());
    assert_eq!(text(&output.stderr), expected);
    // What the named binary has itself is not looked for elsewhere.
    let found = place.found(&["struct top"], &[&top]);
    assert_eq!(found["searched"].as_array().unwrap().len(), 1);
}

#[test]
fn the_same_layout_in_two_binaries_is_one_answer_with_two_sources() {
    let place = Place::new();
    let one = place.library("one.so", &SOURCES[..1], &[]);
    let two = place.library("two.so", &SOURCES[1..3], &[]);
    let found = place.found(&["struct s"], &[&one, &two]);
    let sources: Vec<usize> = found["matches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| found["binaries"].as_array().unwrap().len())
        .collect();
    assert_eq!(sources, [2, 1]);
}

#[test]
fn a_member_that_one_binary_lacks_is_found_in_the_other() {
    let place = Place::new();
    let one = place.library("one.so", &SOURCES[2..3], &[]);
    let two = place.library("two.so", &SOURCES[..1], &[]);
    let output = place.offsets_of(&["struct s.b"], &[&one, &two]);
    assert_eq!(text(&output.stdout), "struct s.b => 4\n");
    assert!(text(&output.stderr).contains("`struct s` has no member `b`"), "{output:?}");
    let output = place.offsets_of(&["struct s.q"], &[&one, &two]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("has no member `q`"), "{output:?}");
}

#[test]
fn the_daemon_says_what_the_program_says_alone() {
    let mut place = Place::new();
    let library = place.library("lib.so", &SOURCES, &[]);
    let questions: [&[&str]; 7] = [
        &["struct s"],
        &["struct s", "--layout"],
        &["struct s", "--json"],
        &["struct s.a", "--language", "c"],
        &["struct s.none"],
        &["struct none"],
        &["struct s", "--language", "none"],
    ];
    let ask = |place: &Place| -> Vec<(Option<i32>, String, String)> {
        let outputs = questions.map(|question| place.offsets_of(question, &[&library]));
        let parts = |output: &Output| {
            (output.status.code(), text(&output.stdout).into(), text(&output.stderr).into())
        };
        outputs.iter().map(parts).collect()
    };
    let alone = ask(&place);
    let statuses: Vec<_> = alone.iter().map(|(status, ..)| status.unwrap()).collect();
    assert_eq!(statuses, [0, 0, 0, 0, 1, 1, 2]);
    place.start_daemon();
    assert_eq!(ask(&place), alone);
    assert_eq!(ask(&place), alone, "and again, now that it is open");
}

#[test]
fn a_daemon_sees_that_a_library_was_built_again() {
    let mut place = Place::new();
    place.start_daemon();
    let library = place.library("lib.so", &[("one.c", "struct s { int a; } x;")], &[]);
    assert_eq!(place.found(&["struct s"], &[&library])["matches"][0]["size"], 4);
    place.library("lib.so", &[("one.c", "struct s { long a; } x;")], &[]);
    assert_eq!(place.found(&["struct s"], &[&library])["matches"][0]["size"], 8);
    fs::remove_file(&library).unwrap();
    let output = place.offsets_of(&["struct s"], &[&library]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("does not exist"), "{output:?}");
}

#[test]
fn a_domain_asked_of_libvirtd_is_in_libvirt_and_its_driver() {
    let Some(debug) = tools::testbed().map(|folder| folder.join("debug")) else { return };
    let place = Place::new();
    let found = place.found(&["struct _virDomainObj"], &[&debug.join("libvirtd")]);
    assert_eq!(found["matches"].as_array().unwrap().len(), 1, "{found}");
    let sources = found["matches"][0]["binaries"].as_array().unwrap();
    let names: Vec<&str> = sources
        .iter()
        .map(|source| source["path"].as_str().unwrap().rsplit('/').next().unwrap())
        .collect();
    assert!(names.iter().any(|name| name.starts_with("libvirt.so")), "{names:?}");
    assert!(names.contains(&"libvirt_driver_libxl.so"), "{names:?}");
    let output = place.offsets_of(&["virDomainObj.def"], &[&debug.join("libvirtd")]);
    let expected = gdb_offset(&debug.join("libvirt.so"), "struct _virDomainObj", "def");
    assert_eq!(text(&output.stdout), format!("struct _virDomainObj.def => {expected}\n"));
}

#[test]
fn the_event_of_the_race_is_laid_out_as_gdb_prints_it() {
    let Some(debug) = tools::testbed().map(|folder| folder.join("debug")) else { return };
    let library = debug.join("libxenlight.so");
    let output = Place::new().offsets_of(&["libxl__ev_fd"], &[&library]);
    let members = ["fd", "events", "func", "entry", "nexus"];
    let lines = members.map(|name| {
        format!("    {name} => {}\n", gdb_offset(&library, "struct libxl__ev_fd", name))
    });
    assert_eq!(text(&output.stdout), format!("struct libxl__ev_fd {{\n{}}}\n", lines.concat()));
}

/// A member's offset by gdb.
fn gdb_offset(binary: &Path, type_name: &str, member: &str) -> u64 {
    let expression = format!("print (unsigned long) &(({type_name} *) 0)->{member}");
    let output = Command::new("gdb")
        .args(["-nx", "-batch", "-ex", &expression])
        .arg(binary)
        .output()
        .expect("gdb is installed: apt install gdb");
    text(&output.stdout).trim().strip_prefix("$1 = ").unwrap().parse().unwrap()
}
