//! The history from end to end: the real program, several processes at once, and one that is killed.

#![allow(clippy::unwrap_used)] // Helpers of tests are not tests to clippy.

mod home;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use dbgmate::history::{History, Line, Record, now};
use home::{Home, Run};

const WAIT: Duration = Duration::from_secs(20);

fn crash(top: &str, address: u64) -> String {
    format!(
        "Program received signal SIGSEGV, Segmentation fault.\n\
         #0  {address:#018x} in {top} (x=1) at /src/a.c:1\n\
         #1  0x00007f0000002000 in caller () at /src/a.c:2\n\
         #2  0x00007f0000003000 in outer () at /src/a.c:3\n\
         #3  0x00007f0000004000 in main () at /src/a.c:4\n"
    )
}

fn triage(home: &Home, arguments: &[&str], paste: &str) -> Run {
    home.write("paste.txt", paste);
    let arguments = [&["triage", "paste.txt"], arguments].concat();
    home.run(&arguments)
}

#[test]
fn a_crash_is_known_again_and_shows_the_persons_note() {
    let home = Home::new();
    let first = triage(&home, &["--remember"], &crash("leaf", 0x1000));
    assert!(first.stderr.contains("remembered as v1-"), "{first:?}");
    assert!(!first.stdout.contains("Seen"), "{first:?}");
    // The same paste once more is no other crash.
    let again = triage(&home, &["--remember"], &crash("leaf", 0x1000));
    assert!(!again.stdout.contains("Seen"), "{again:?}");
    let other = triage(&home, &["--remember"], &crash("leaf", 0x2000));
    assert!(other.stdout.contains("Seen 1 time before"), "{other:?}");
    let noted = home.run(&["history", "note", "1", "only on host c4"]);
    assert_eq!(noted.status, 0, "{noted:?}");
    let third = triage(&home, &[], &crash("leaf", 0x3000));
    assert!(third.stdout.contains("Seen 2 times before"), "{third:?}");
    assert!(third.stdout.contains("only on host c4"), "{third:?}");
    let unlike = triage(&home, &[], &crash("stem", 0x3000));
    assert!(!unlike.stdout.contains("Seen"), "{unlike:?}");

    let list = home.run(&["history", "list"]);
    assert_eq!(list.stdout.matches("frames leaf < caller < outer").count(), 2, "{list:?}");
    let similar = home.run(&["history", "similar", "1"]);
    assert_eq!(similar.status, 0, "{similar:?}");
    let similar = home.run(&["history", "similar", "paste.txt"]);
    assert_eq!(similar.status, 0, "{similar:?}");
    let shown = home.run(&["history", "show", "2"]);
    assert!(shown.stdout.contains("caller"), "{shown:?}");
    assert_eq!(home.run(&["history", "delete", "2", "9"]).status, 0);
    assert_eq!(home.run(&["history", "show", "2"]).status, 1);
}

#[test]
fn nothing_is_remembered_unasked_and_no_text_of_the_paste_ever() {
    let home = Home::new();
    triage(&home, &[], &crash("leaf", 0x1000));
    assert!(!home.path().join("data").exists());
    assert_eq!(home.run(&["history", "list"]).status, 1);
    let home = Home::configured("[history]\nenabled = true\n");
    let secret = crash("leaf", 0x1000).replace("x=1", "name=0x7f \"hunter2\"");
    triage(&home, &[], &secret.replace("/src/", "/srv/alice/"));
    let list = home.run(&["history", "list", "--json"]);
    assert!(list.stdout.contains("leaf"), "{list:?}");
    let kept = fs::read_dir(home.path().join("data/dbgmate")).unwrap();
    for file in kept.map(|file| file.unwrap().path()) {
        let bytes = fs::read(&file).unwrap();
        for private in ["hunter2", "alice"] {
            let found = bytes.windows(private.len()).any(|window| window == private.as_bytes());
            assert!(!found, "{private} is in {}", file.display());
        }
    }
}

#[test]
fn what_is_exported_can_be_imported_once() {
    let home = Home::new();
    for (number, top) in ["a", "b", "c"].into_iter().enumerate() {
        triage(&home, &["--remember"], &crash(top, number as u64));
    }
    home.run(&["history", "note", "2", "mine"]);
    let exported = home.run(&["history", "export"]).stdout;
    assert_eq!(exported.lines().count(), 4);
    let other = Home::new();
    other.write("h.jsonl", &exported);
    let imported = other.run(&["history", "import", "h.jsonl"]);
    assert!(imported.stderr.contains("4 lines are new, 0 were known"), "{imported:?}");
    let imported = other.run(&["history", "import", "h.jsonl"]);
    assert!(imported.stderr.contains("0 lines are new, 4 were known"), "{imported:?}");
    assert_eq!(other.run(&["history", "export"]).stdout, exported);
    other.write("bad.jsonl", exported.replacen("\"at\"", "\"ta\"", 1));
    let refused = other.run(&["history", "import", "bad.jsonl"]);
    assert_eq!(refused.status, 2, "{refused:?}");
    assert!(refused.stderr.contains("bad.jsonl:1: "), "{refused:?}");
}

#[test]
fn triage_works_without_its_history_and_says_why() {
    let home = Home::new();
    let file = home.write("data/dbgmate/history.db", "not a database, but text\n".repeat(400));
    let before = fs::read(&file).unwrap();
    let run = triage(&home, &["--remember"], &crash("leaf", 0x1000));
    assert!(run.stdout.contains("No known bug fits"), "{run:?}");
    assert!(run.stderr.contains("not remembered: ") && run.stderr.contains("damaged"), "{run:?}");
    assert_eq!(fs::read(&file).unwrap(), before);
    let list = home.run(&["history", "list"]);
    assert_eq!(list.status, 1);
    assert!(list.stderr.contains("damaged"), "{list:?}");
    // Where no folder can be made, either.
    let home = Home::new();
    home.write("data", "a file");
    let run = triage(&home, &["--remember"], &crash("leaf", 0x1000));
    assert!(run.stdout.contains("No known bug fits"), "{run:?}");
    assert!(run.stderr.contains("not remembered: "), "{run:?}");
}

/// What each writer of these tests stores.
fn record(number: u64) -> Line {
    Line::Record(Record {
        digest: format!("{number:#018x}"),
        at: now(),
        fingerprint: Some(format!("v1-{:016x}", number % 7)),
        because: "frames".to_owned(),
        frames: vec![format!("f{}", number % 50), "caller".to_owned()],
        notes: Vec::new(),
    })
}

/// Not a test of its own: the process that the tests below start, which says of each record that it
/// is stored once it is.
#[test]
#[ignore = "started by other tests"]
fn writer() {
    let Ok(path) = std::env::var("HISTORY_TO_WRITE") else { return };
    let first: u64 = std::env::var("FIRST_RECORD").unwrap().parse().unwrap();
    let mut history = History::open(Path::new(&path), WAIT).unwrap();
    let mut out = std::io::stdout().lock();
    for number in first..first + 1000 {
        history.store(&[record(number)], 1_000_000).unwrap();
        writeln!(out, "stored {number}").unwrap();
        out.flush().unwrap();
    }
}

fn start_writer(path: &Path, first: u64) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["writer", "--exact", "--ignored", "--nocapture"]);
    command.env("HISTORY_TO_WRITE", path).env("FIRST_RECORD", first.to_string());
    command.stdout(Stdio::piped()).spawn().unwrap()
}

/// The numbers that a writer says are stored; it is killed after so many.
fn stored(mut writer: Child, kill_after: usize) -> Vec<u64> {
    let mut numbers = Vec::new();
    for line in BufReader::new(writer.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let number = line.rsplit_once("stored ").and_then(|(_, number)| number.parse().ok());
        numbers.extend::<Option<u64>>(number);
        if numbers.len() == kill_after {
            // SIGKILL: nothing of it runs any more.
            writer.kill().unwrap();
        }
    }
    writer.wait().unwrap();
    numbers
}

fn in_history(path: &Path) -> BTreeSet<u64> {
    let history = History::open(path, WAIT).unwrap();
    let entries = history.list(None, 100_000).unwrap().entries;
    let digests = entries.iter().map(|entry| entry.record.digest.trim_start_matches("0x"));
    digests.map(|digest| u64::from_str_radix(digest, 16).unwrap()).collect()
}

#[test]
fn a_writer_that_is_killed_loses_nothing_that_it_said_was_stored() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let mut said = Vec::new();
    for (round, kill_after) in [1, 100, 500, 777].into_iter().enumerate() {
        let numbers = stored(start_writer(&path, round as u64 * 1000), kill_after);
        assert!(numbers.len() >= kill_after && numbers.len() < 1000, "{}", numbers.len());
        said.extend(numbers);
        let kept = in_history(&path);
        assert!(said.iter().all(|number| kept.contains(number)), "round {round}");
    }
}

#[test]
fn two_processes_may_write_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let writers = [start_writer(&path, 0), start_writer(&path, 1000)];
    let said: Vec<u64> =
        writers.into_iter().flat_map(|writer| stored(writer, usize::MAX)).collect();
    assert_eq!(said.len(), 2000);
    assert_eq!(in_history(&path), (0..2000).collect());
}

#[test]
fn a_paste_of_a_stripped_program_is_like_what_its_addresses_say() {
    let home = Home::new();
    let source = "int leaf(int x) { return x * 2; }\n\
        int middle(int x) { return leaf(x + 1) + 1; }\n\
        int outer(int x) { return middle(x + 1) + 1; }\n";
    let whole = home.compile("libdemo.so", source);
    // Where the functions end in a call or a return, as nm and objdump say; loaded at 0x7f0000000000.
    let nm = Command::new("nm").arg(&whole).output().unwrap();
    let nm = String::from_utf8(nm.stdout).unwrap();
    let start = |name: &str| {
        let line = nm.lines().find(|line| line.ends_with(&format!(" T {name}"))).unwrap();
        u64::from_str_radix(line.split(' ').next().unwrap(), 16).unwrap()
    };
    let dump = Command::new("objdump").arg("-d").arg(&whole).output().unwrap();
    let dump = String::from_utf8(dump.stdout).unwrap();
    let after_call = |name: &str| {
        let body = dump.split(&format!("<{name}>:\n")).nth(1).unwrap();
        let mut lines = body.lines().skip_while(|line| !line.contains("call"));
        let next = lines.nth(1).unwrap().split(':').next().unwrap().trim().to_owned();
        u64::from_str_radix(&next, 16).unwrap()
    };
    let base = 0x7f00_0000_0000_u64;
    let frames = [
        (base + start("leaf"), "leaf"),
        (base + after_call("middle"), "middle"),
        (base + after_call("outer"), "outer"),
    ];
    let stack = |names: bool| {
        let line = |(number, (address, name)): (usize, &(u64, &str))| {
            let name = if names { name } else { "??" };
            format!("#{number}  {address:#018x} in {name} () from /nowhere/libdemo.so\n")
        };
        let frames: String = frames.iter().enumerate().map(line).collect();
        format!("Program received signal SIGSEGV, Segmentation fault.\n{frames}")
    };
    triage(&home, &["--remember"], &stack(true));
    // gdb's list says where it was loaded.
    let text = format!(
        "{}(gdb) info sharedlibrary\nFrom                To                  Syms Read   Shared Object Library\n\
         {:#018x}  {:#018x}  Yes (*)     /nowhere/libdemo.so\n",
        stack(false),
        base + text_section(&dump),
        base + text_section(&dump) + 0x1000,
    );
    home.write("stripped.txt", &text);
    let binary = whole.to_str().unwrap();
    let found = home.run(&["history", "similar", "stripped.txt", "--binary", binary]);
    assert!(found.status == 0 && found.stdout.contains("leaf < middle < outer"), "{found:?}");
    let unknown = home.run(&["history", "similar", "stripped.txt"]);
    assert_eq!(unknown.status, 1, "what is unknown is like nothing: {unknown:?}");
}

/// Where `.text` starts, by objdump.
fn text_section(dump: &str) -> u64 {
    let section = dump.split("section .text:\n").nth(1).unwrap();
    let line = section.lines().find(|line| line.ends_with(">:")).unwrap();
    u64::from_str_radix(line.split(' ').next().unwrap(), 16).unwrap()
}
