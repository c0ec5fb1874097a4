//! A history on a full disk, where nothing may be written, locked, cut, of another version, and under
//! many writers: what a person is told, and that nothing is lost.

#![allow(clippy::unwrap_used)] // Helpers of tests are not tests to clippy.

mod home;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use dbgmate::history::{Error, History, Line, Record, now};
use home::{Home, Run};
use rusqlite::Connection;

const NO_MOUNTS: &str = "skipped: this system lets nobody mount a file system of their own";

const WAIT: Duration = Duration::from_secs(20);

fn crash(top: &str) -> String {
    format!(
        "Program received signal SIGSEGV, Segmentation fault.\n\
         #0  0x00007f0000001000 in {top} (x=1) at /src/a.c:1\n\
         #1  0x00007f0000002000 in caller () at /src/a.c:2\n\
         #2  0x00007f0000003000 in outer () at /src/a.c:3\n"
    )
}

fn file(home: &Home) -> PathBuf {
    home.path().join("data/dbgmate/history.db")
}

/// How many crashes are in the history, which must be sound.
fn kept(path: &Path) -> usize {
    let connection = Connection::open(path).unwrap();
    let check = connection.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0));
    assert_eq!(check.unwrap(), "ok");
    let foreign = connection.prepare("PRAGMA foreign_key_check").unwrap().exists([]).unwrap();
    assert!(!foreign, "a record without its stack");
    drop(connection);
    History::open(path, WAIT).unwrap().list(None, 10_000).unwrap().entries.len()
}

/// A triage that remembers; its answer is there whatever becomes of the history.
fn remember(home: &Home, top: &str) -> Run {
    home.write("paste.txt", crash(top));
    let run = home.run(&["--daemon", "never", "triage", "--remember", "paste.txt"]);
    assert!(run.stdout.contains("No known bug fits"), "{run:?}");
    run
}

/// Runs a script in which file systems can be mounted that nobody else sees; none where the system
/// does not allow that.
fn with_mounts(home: &Home, script: &str) -> Option<Run> {
    let unshare = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-euc", script]).stdin(Stdio::null());
        home.lend(&mut command);
        command.env("dbgmate", env!("CARGO_BIN_EXE_dbgmate"));
        command.output()
    };
    let may = unshare("mkdir -p data/dbgmate; mount -t tmpfs none data/dbgmate");
    if !may.is_ok_and(|tried| tried.status.success()) {
        return None;
    }
    Some(Run::of(unshare(script).unwrap()))
}

#[test]
fn a_full_disk_is_told_and_what_was_stored_stays() {
    let home = Home::new();
    for number in 0..40 {
        home.write(&format!("{number}.txt"), crash(&"x".repeat(3_000 + number)));
    }
    // As much as fits; then, with the disk still full, reading; then, with room, the same again.
    let script = "
        mount -t tmpfs -o size=200k none data/dbgmate
        for number in $(seq 0 39); do
            $dbgmate --daemon never triage --remember $number.txt >$number.out 2>$number.err || :
        done
        $dbgmate --daemon never history list --json
        mount -o remount,size=8m data/dbgmate
        for number in $(seq 0 39); do
            $dbgmate --daemon never triage --remember $number.txt >$number.later 2>&1 || :
        done
        mkdir kept
        cp data/dbgmate/history.db* kept
    ";
    let Some(run) = with_mounts(&home, script) else {
        return eprintln!("{NO_MOUNTS}");
    };
    assert_eq!(run.status, 0, "{run:?}");
    let read = |name: String| fs::read_to_string(home.path().join(name)).unwrap();
    let (mut stored, mut refused) = (0, 0);
    for number in 0..40 {
        assert!(read(format!("{number}.out")).contains("No known bug fits"));
        let said = read(format!("{number}.err"));
        if said.contains("remembered as v1-") {
            stored += 1;
        } else {
            let full = "not remembered: there is no room on the disk of the history ";
            assert!(said.contains(full) && said.contains("make room"), "{said}");
            refused += 1;
        }
        let later = read(format!("{number}.later"));
        assert!(later.contains("remembered as v1-"), "{later}");
    }
    assert!(stored > 3 && refused > 3, "{stored} stored, {refused} refused");
    let listed: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(listed["entries"].as_array().unwrap().len(), stored, "with the disk full");
    assert_eq!(kept(&home.path().join("kept/history.db")), 40);
}

#[test]
fn a_disk_without_room_for_a_first_history_is_told() {
    let home = Home::new();
    home.write("paste.txt", crash("leaf"));
    for size in ["8k", "20k", "60k"] {
        let script = format!(
            "mount -t tmpfs -o size={size} none data/dbgmate
             $dbgmate --daemon never triage --remember paste.txt || :
             $dbgmate --daemon never history list || :
             mount -o remount,size=8m data/dbgmate
             $dbgmate --daemon never triage --remember paste.txt || :
             $dbgmate --daemon never history list"
        );
        let Some(run) = with_mounts(&home, &script) else {
            return eprintln!("{NO_MOUNTS}");
        };
        assert_eq!(run.status, 0, "{run:?}");
        assert_eq!(run.stdout.matches("No known bug fits").count(), 2, "{size}: {run:?}");
        assert!(run.stderr.starts_with("dbgmate: not remembered: there is no room"), "{run:?}");
        assert_eq!(run.stderr.matches("remembered as v1-").count(), 1, "{size}: {run:?}");
        assert!(run.stdout.ends_with("frames leaf < caller < outer\n"), "{size}: {run:?}");
    }
}

#[test]
fn where_nothing_may_be_written_that_is_told_and_the_answer_stands() {
    let home = Home::new();
    for top in ["leaf", "stem"] {
        assert!(remember(&home, top).stderr.contains("remembered as v1-"));
    }
    home.write("paste.txt", crash("leaf").replace("1000", "1008"));
    let ask = "$dbgmate --daemon never triage --remember paste.txt || :";
    let folder = format!(
        "mount --bind data/dbgmate data/dbgmate; mount -o remount,ro,bind data/dbgmate
         {ask}; for what in list 'show 1' 'note 1 mine' 'delete 1' export; do
         $dbgmate --daemon never history $what && exit 7 || :; done"
    );
    let Some(run) = with_mounts(&home, &folder) else {
        return eprintln!("{NO_MOUNTS}");
    };
    assert_eq!(run.status, 0, "{run:?}");
    assert!(run.stdout.contains("No known bug fits"), "{run:?}");
    assert_eq!(run.stderr.matches("or its folder may not be written").count(), 6, "{run:?}");
    assert!(run.stderr.contains("`file` of [history] in the configuration"), "{run:?}");
    // The file alone: what it holds is told all the same.
    let database = format!(
        "mount --bind data/dbgmate/history.db data/dbgmate/history.db
         mount -o remount,ro,bind data/dbgmate/history.db
         {ask}; $dbgmate --daemon never history list"
    );
    let run = with_mounts(&home, &database).unwrap();
    assert_eq!(run.status, 0, "{run:?}");
    assert!(run.stdout.contains("Seen 1 time before"), "{run:?}");
    assert!(run.stderr.starts_with("dbgmate: not remembered: the history "), "{run:?}");
    assert!(run.stdout.contains("\n1  "), "{run:?}");
    // Where there is none yet.
    let other = Home::new();
    other.write("paste.txt", crash("leaf"));
    let nowhere = format!("mount --bind data data; mount -o remount,ro,bind data; {ask}");
    let run = with_mounts(&other, &nowhere).unwrap();
    assert!(run.stdout.contains("No known bug fits"), "{run:?}");
    assert!(run.stderr.contains("check its folder, or name another file"), "{run:?}");
    assert_eq!(kept(&file(&home)), 2);
}

#[test]
fn a_history_that_cannot_be_used_is_told_and_left_as_it_is() {
    type Spoil = fn(&Path);
    let cases: [(&str, &str, Spoil); 4] = [
        ("of a newer dbgmate", "use that dbgmate", |path| {
            Connection::open(path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        }),
        ("is damaged: its end is missing", "history export", |path| {
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..bytes.len() - 700]).unwrap();
        }),
        ("is damaged: file is not a database", "history export", |path| {
            fs::write(path, "text, and more text\n".repeat(900)).unwrap();
        }),
        ("is a database of another program", "`file` of [history]", |path| {
            fs::remove_file(path).unwrap();
            Connection::open(path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
        }),
    ];
    for (what, next_step, spoil) in cases {
        let home = Home::new();
        for top in ["leaf", "stem"] {
            remember(&home, top);
        }
        spoil(&file(&home));
        let before = fs::read(file(&home)).unwrap();
        let run = remember(&home, "other");
        assert!(run.stderr.contains("not remembered: ") && run.stderr.contains(what), "{run:?}");
        assert!(run.stderr.contains(next_step), "{run:?}");
        for command in [&["list"][..], &["similar", "paste.txt"], &["delete", "1"]] {
            let run = home.run(&[&["--daemon", "never", "history"], command].concat());
            assert!(run.status == 1 && run.stderr.contains(what), "{command:?}: {run:?}");
        }
        assert_eq!(fs::read(file(&home)).unwrap(), before, "{what}");
    }
}

#[test]
fn a_locked_history_is_waited_for_and_the_answer_stands() {
    let home = Home::new();
    remember(&home, "leaf");
    let lock = Connection::open(file(&home)).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let start = Instant::now();
    let run = remember(&home, "stem");
    assert!(start.elapsed() >= Duration::from_secs(4), "{:?}", start.elapsed());
    assert!(run.stderr.contains("locked by another program; try again"), "{run:?}");
    // Who only looks waits for nobody.
    home.write("paste.txt", crash("leaf").replace("1000", "1008"));
    let run = home.run(&["--daemon", "never", "triage", "paste.txt"]);
    assert!(run.stdout.contains("Seen 1 time before") && run.stderr.is_empty(), "{run:?}");
    lock.execute_batch("ROLLBACK").unwrap();
    assert!(remember(&home, "stem").stderr.contains("remembered as v1-"));
    assert_eq!(kept(&file(&home)), 2);
}

/// Commands that open, begin, write and close one history, those that ask a daemon, and readers,
/// all at once.
#[test]
fn many_commands_and_the_daemon_write_one_history_and_nothing_is_lost() {
    const EACH: usize = 12;
    let home = Home::new();
    let _daemon = home.serve();
    let (writers, readers) = (["never", "never", "never", "require", "require"], 2);
    let run = |arguments: &[&str], input: &str| {
        let run = home.feed(arguments, input.as_bytes());
        assert!(!run.stderr.contains("locked"), "{run:?}");
        run
    };
    std::thread::scope(|threads| {
        for (writer, who) in writers.iter().enumerate() {
            threads.spawn(move || {
                for number in 0..EACH {
                    let paste = crash(&format!("f{writer}_{number}"));
                    let run = run(&["--daemon", who, "triage", "--remember"], &paste);
                    assert!(run.stderr.starts_with("dbgmate: remembered as v1-"), "{run:?}");
                }
            });
        }
        for _ in 0..readers {
            threads.spawn(|| {
                for _ in 0..EACH {
                    // Before the first is stored there is none: that is no error.
                    let run = run(&["--daemon", "never", "history", "list"], "");
                    assert!(run.stderr.is_empty(), "{run:?}");
                }
            });
        }
    });
    assert_eq!(kept(&file(&home)), writers.len() * EACH);
}

/// While a history is begun its locks are those of the file, which a process loses with any descriptor
/// of it that is closed.
#[test]
fn who_opens_a_history_takes_no_lock_from_the_others_of_its_process() {
    let home = Home::new();
    remember(&home, "leaf");
    let begun = Connection::open(file(&home)).unwrap();
    begun.execute_batch("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE").unwrap();
    let opened = History::open(&file(&home), Duration::ZERO);
    assert!(matches!(opened, Err(Error::InUse { .. })), "{opened:?}");
    home.write("paste.txt", crash("leaf"));
    let other = home.run(&["--daemon", "never", "triage", "paste.txt"]);
    assert!(other.stderr.contains("locked by another program"), "{other:?}");
    begun.execute_batch("ROLLBACK").unwrap();
    assert!(remember(&home, "stem").stderr.contains("remembered as v1-"));
    assert_eq!(kept(&file(&home)), 2);
}

#[test]
fn a_daemon_finds_a_history_that_was_taken_away_and_begun_anew() {
    let home = Home::new();
    let _daemon = home.serve();
    let ask = |top: &str| {
        home.feed(&["--daemon", "require", "triage", "--remember"], crash(top).as_bytes())
    };
    assert!(ask("leaf").stderr.contains("remembered as v1-"));
    fs::remove_dir_all(home.path().join("data")).unwrap();
    assert!(ask("stem").stderr.contains("remembered as v1-"));
    assert_eq!(kept(&file(&home)), 1);
    let line = Line::Record(Record {
        digest: "0x1".into(),
        at: now(),
        fingerprint: None,
        because: "elsewhere".into(),
        frames: Vec::new(),
        notes: Vec::new(),
    });
    History::open(&file(&home), WAIT).unwrap().store(&[line], 9).unwrap();
    let listed = home.run(&["--daemon", "require", "history", "list"]);
    assert_eq!(listed.stdout.lines().count(), 2, "{listed:?}");
}

#[test]
fn a_daemon_that_is_killed_loses_nothing_that_it_said_was_remembered() {
    let home = Home::new();
    let daemon = home.serve();
    let remembered = std::thread::scope(|threads| {
        let client = |client: usize| {
            let home = &home;
            move || {
                let ask = |number: &usize| {
                    let paste = crash(&format!("f{client}_{number}"));
                    let arguments = ["--daemon", "require", "triage", "--remember"];
                    let run = home.feed(&arguments, paste.as_bytes());
                    run.stderr.starts_with("dbgmate: remembered as v1-")
                };
                (0..10_000).take_while(ask).count()
            }
        };
        let clients = [0, 1, 2].map(|number| threads.spawn(client(number)));
        // In the midst of it: with SIGKILL.
        std::thread::sleep(Duration::from_secs(3));
        drop(daemon);
        clients.map(|client| client.join().unwrap()).iter().sum::<usize>()
    });
    assert!(remembered > 0);
    // One more for each client may be stored without its having been told.
    let kept = kept(&file(&home));
    assert!((remembered..=remembered + 3).contains(&kept), "{kept} of {remembered}");
}
