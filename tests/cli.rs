//! The command line as a person meets it: the real program, its streams and its exit status.
//!
//! The help of every subcommand is in tests/snapshots/help.txt. To accept a change of it:
//! `ACCEPT=1 cargo test --test cli`, then read the difference.

#![allow(clippy::unwrap_used)]

mod home;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use dbgmate::api::Method;
use dbgmate::api::binary::BinaryRef;
use dbgmate::api::layout::{OffsetsOfMethod, OffsetsOfRequest};
use dbgmate::api::trace::{ParseMethod, ParseRequest};
use dbgmate::api::triage::{ReportMethod, ReportRequest};
use dbgmate::config;
use dbgmate::job::Job;
use dbgmate::rpc::Client;
use home::{Daemon, Home, Run, feed};
use serde_json::{Value, json};

const SUBCOMMANDS: [&str; 14] = [
    "offsets-of",
    "field-at",
    "find",
    "decode",
    "diff",
    "parse",
    "symbolize",
    "triage",
    "notes",
    "index",
    "serve",
    "doctor",
    "completions",
    "man",
];

/// A struct with a hole, a bit field and a list entry.
const SOURCE: &str = "
struct watch { int fd; short events; void *func; struct { struct watch *next; } entry; };
struct watch a_watch;
union either { int number; char *text; } an_either;
";

const KNOWN_CRASH: &str = include_str!("traces/fd-deregister-race.txt");

fn trace(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces").join(name)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_help_of_every_subcommand_is_as_reviewed() {
    let home = Home::new();
    let mut help = String::new();
    for arguments in std::iter::once(vec!["--help"])
        .chain(SUBCOMMANDS.map(|name| vec![name, "--help"]))
        .chain(["list", "show", "check", "new"].map(|action| vec!["notes", action, "--help"]))
    {
        let run = Run::of(home.dbgmate(&arguments).env("COLUMNS", "100").output().unwrap());
        assert_eq!((run.status, run.stderr.as_str()), (0, ""));
        help.push_str(&format!("$ dbgmate {}\n{}\n", arguments.join(" "), run.stdout));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/help.txt");
    if std::env::var_os("ACCEPT").is_some() {
        fs::write(&path, &help).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == help, "the help changed; to accept: ACCEPT=1 cargo test --test cli\n{help}");
}

#[test]
fn every_subcommand_is_in_the_snapshot() {
    let listed = Home::new().run(&["help"]).stdout;
    let commands = listed.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = commands.take_while(|line| !line.is_empty()).filter(|line| line[2..3] != *" ");
    let names: Vec<&str> = names.map(|line| line.split_whitespace().next().unwrap()).collect();
    let mut expected = SUBCOMMANDS.to_vec();
    expected.push("help");
    assert_eq!(names, expected);
}

#[test]
fn the_exit_status_says_found_not_found_or_wrong_usage() {
    let home = Home::new();
    let binary = home.compile("libwatch.so", SOURCE);
    let binary = text(&binary);
    let crash = trace("fd-deregister-race.txt");
    for (arguments, status) in [
        (&["offsets-of", "struct", "watch", "--binary", binary][..], 0),
        (&["offsets-of", "struct watch.entry.next", "-b", binary], 0),
        (&["offsets-of", "struct nothing", "-b", binary], 1),
        (&["offsets-of", "struct watch.nothing", "-b", binary], 1),
        (&["offsets-of", "struct watch", "-b", "/nowhere"], 1),
        (&["offsets-of", "struct watch"], 1),
        (&["offsets-of", "", "-b", binary], 2),
        (&["offsets-of", "struct watch", "-b", binary, "--language", "klingon"], 2),
        (&["offsets-of", "struct watch", "-b", binary, "--json", "--layout"], 2),
        (&["offsets-of"], 2),
        (&["parse", text(&crash)], 0),
        (&["parse", "/dev/null"], 1),
        (&["parse", "/nowhere"], 1),
        (&["parse", "--format", "xml"], 2),
        (&["triage", text(&crash)], 0),
        (&["triage", "/dev/null"], 1),
        (&["triage", "/nowhere"], 1),
        (&["triage", "/"], 1),
        (&["triage", "--colour"], 2),
        (&["doctor"], 0),
        (&["man", "nothing"], 2),
        (&["completions", "cmd"], 2),
        (&["nothing"], 2),
        (&[], 2),
        (&["--daemon", "sometimes", "doctor"], 2),
    ] {
        let run = home.run(arguments);
        assert_eq!(run.status, status, "{arguments:?}: {run:?}");
        // What failed says so on standard error, and on that alone; a report of nothing is a report.
        let is_report = arguments == ["triage", "/dev/null"];
        assert_eq!(run.stdout.is_empty(), status != 0 && !is_report, "{arguments:?}: {run:?}");
        assert!(status == 0 || !run.stderr.is_empty(), "{arguments:?}: {run:?}");
    }
}

#[test]
fn the_offsets_are_the_form_of_gdb_scripts() {
    let home = Home::new();
    let binary = home.compile("libwatch.so", SOURCE);
    let run = home.run(&["offsets-of", "struct watch", "--binary", "libwatch.so"]);
    let expected =
        "struct watch {\n    fd => 0\n    events => 4\n    func => 8\n    entry => 16\n}\n";
    assert_eq!(run.stdout, expected);
    assert_eq!(run.stderr, format!("dbgmate: from {}\n", binary.display()));
    let path = home.run(&["offsets-of", "struct watch.entry.next", "-b", "libwatch.so"]);
    assert_eq!(path.stdout, "struct watch.entry.next => 16\n");
    let layout = home.run(&["offsets-of", "--layout", "struct watch", "-b", "libwatch.so"]);
    assert!(layout.stdout.contains("/* 2 bytes unused */"), "{layout:?}");
}

fn client(home: &Home) -> Client {
    Client::connect(&home.socket(), &config::Daemon::default()).unwrap().unwrap()
}

fn result<M: Method>(home: &Home, request: &M::Request) -> Value {
    let response = client(home).call::<M>(&Job::new(), request).unwrap();
    serde_json::to_value(response).unwrap()
}

/// A home, a binary in it, and a daemon.
fn served() -> (Home, PathBuf, Daemon) {
    let home = Home::new();
    let binary = home.compile("libwatch.so", SOURCE);
    let daemon = home.serve();
    (home, binary, daemon)
}

#[test]
fn json_is_the_result_of_the_method() {
    let (home, binary, _daemon) = served();
    for name in ["struct watch", "either", "struct watch.events"] {
        let request = OffsetsOfRequest {
            type_name: name.to_owned(),
            binaries: vec![BinaryRef::Path(text(&binary).to_owned())],
            ..Default::default()
        };
        let expected = result::<OffsetsOfMethod>(&home, &request);
        for mode in ["require", "never"] {
            let arguments = ["--daemon", mode, "offsets-of", name, "-b", "libwatch.so", "--json"];
            let run = home.run(&arguments);
            assert_eq!((run.status, run.stderr.as_str()), (0, ""));
            assert_eq!(serde_json::from_str::<Value>(&run.stdout).unwrap(), expected);
        }
    }
    for file in ["fd-deregister-race.txt", "libxl-occurred-fd.log", "libvirtd-errors.log"] {
        let path = trace(file);
        let paste = fs::read_to_string(&path).unwrap();
        let request = ParseRequest { text: Some(paste.clone()), ..Default::default() };
        let expected = result::<ParseMethod>(&home, &request);
        for mode in ["require", "never"] {
            let run = home.run(&["parse", text(&path), "--format", "json", "--daemon", mode]);
            assert_eq!(serde_json::from_str::<Value>(&run.stdout).unwrap(), expected);
        }
        let request = ReportRequest { text: Some(paste), ..Default::default() };
        let expected = result::<ReportMethod>(&home, &request);
        for mode in ["require", "never"] {
            let run = home.run(&["triage", text(&path), "--json", "--daemon", mode]);
            assert_eq!(serde_json::from_str::<Value>(&run.stdout).unwrap(), expected);
        }
    }
}

#[test]
fn the_answer_is_the_same_with_and_without_a_daemon() {
    let (home, binary, _daemon) = served();
    let crash = trace("hvm-create-abort-full.txt");
    for arguments in [
        &["offsets-of", "struct watch", "-b", text(&binary)][..],
        &["offsets-of", "struct watch", "-b", text(&binary), "--layout", "--color", "always"],
        &["offsets-of", "struct wacth", "-b", text(&binary)],
        &["offsets-of", "struct watch.nothing", "-b", text(&binary)],
        &["offsets-of", "", "-b", text(&binary)],
        &["offsets-of", "struct watch", "-b", "/nowhere"],
        &["parse", text(&crash), "--no-addresses", "--redact"],
        &["triage", text(&crash)],
        &["triage", text(&crash), "--format", "html"],
        &["triage", text(&crash), "--format", "markdown"],
        &["triage", text(&crash), "--format", "json", "--render", "html"],
        &["triage", text(&crash), "--format", "html", "--render", "html"],
        &["triage", "/dev/null"],
    ] {
        let [with, without] = ["require", "never"].map(|mode| {
            let run = home.run(&[&["--daemon", mode], arguments].concat());
            (run.status, run.stdout, run.stderr)
        });
        assert_eq!(with, without, "{arguments:?}");
    }
}

/// A mail with a wrapped session of gdb in it.
const MAIL: &str = "\
On Monday alice wrote:
> Core was generated by `/home/alice/acme/libvirtd -l'.
> Thread 3 \"worker\" received signal SIGSEGV, Segmentation fault.
> (gdb) bt
> #0  0x00007f5fba7a8133 in virDomainObjFormat (name=0x7f5f40 \"vm1\")
>     at /home/alice/acme/src/domain_conf.c:1534
> #1  0x00007f5fba7a9000 in main ()
>    from /usr/lib64/libvirt.so.0
Please help.
";

#[test]
fn a_paste_is_cleaned_in_each_form() {
    let home = Home::new();
    let parse = |arguments: &[&str]| home.feed(&[&["parse"], arguments].concat(), MAIL.as_bytes());
    let clean = parse(&["--redact"]);
    let expected = "\
program <path-2>/libvirtd
signal SIGSEGV, Segmentation fault, thread 3 \"worker\"

thread 3 \"worker\", bt
#0  0x00007f5fba7a8133 in virDomainObjFormat (name=0x7f5f40 \"<string-1>\") at <path-1>/domain_conf.c:1534
#1  0x00007f5fba7a9000 in main () from /usr/lib64/libvirt.so.0
";
    assert_eq!((clean.status, clean.stdout.as_str()), (0, expected));
    let remarks = "\
dbgmate: replaced 2 paths (2 different), 1 user name, no host name, 1 string
dbgmate: 2 lines skipped, the first at line 1: On Monday <user-1> wrote:
";
    assert_eq!(clean.stderr, remarks);
    let gdb = parse(&["--format", "gdb", "--no-addresses"]).stdout;
    assert!(gdb.contains("#1  main () from /usr/lib64/libvirt.so.0\n"), "{gdb}");
    let markdown = parse(&["-f", "markdown"]).stdout;
    assert!(markdown.starts_with("### What happened\n\n```text\nprogram "), "{markdown}");
}

#[test]
fn records_are_shown_one_by_one_with_the_objects_they_name() {
    let home = Home::new();
    let log = "libxl: debug: libxl.c:762:f: ao 0x7fd0: create: fd=7\n#0  0x1 in f ()\nxl: error: no\nwords\n";
    let run = home.feed(&["parse", "--format", "json-lines"], log.as_bytes());
    let lines: Vec<Value> =
        run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{run:?}");
    assert_eq!(lines[0]["keys"], json!({"ao": "0x7fd0", "fd": "7"}));
    assert_eq!((&lines[1]["text"], &lines[1]["lines"]["first"]), (&json!("no"), &json!(3)));
    assert!(run.stderr.contains("stacks, events and values are left out"), "{run:?}");
    assert!(run.stderr.contains("1 line skipped"), "{run:?}");
    assert_eq!(home.feed(&["parse", "-f", "json-lines", "--redact"], b"").status, 2);
    assert_eq!(home.feed(&["parse", "-f", "json-lines"], b"words\n").status, 1);
}

#[test]
fn a_file_larger_than_a_paste_is_gone_through_in_pieces() {
    let home = Home::new();
    let log = "xl: error: libxl_osevent_occurred_fd: fd<43>, ev->fd<-1>\nxl: debug: nothing\n";
    let path = home.write("large.log", format!("{KNOWN_CRASH}\n{log}").repeat(3));
    // The rest is one line of zeros, which takes no room on disk.
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(300 << 20).unwrap();
    let (small, crash) = (home.write("crash.txt", KNOWN_CRASH), text(&path));
    let run = home.run(&["triage", crash]);
    assert!(run.stdout.starts_with("THIS IS IT  libxl/fd-deregister-race"), "{run:?}");
    assert!(
        run.stderr.contains("of 9 log records") || run.stderr.contains("log records"),
        "{run:?}"
    );
    assert_eq!(home.run(&["triage", text(&small)]).status, 0);
    let parsed = home.run(&["parse", crash, "--format", "gdb"]);
    assert!(parsed.stdout.contains("#3  0x"), "{parsed:?}");
    assert!(parsed.stderr.contains("log records are left out"), "{parsed:?}");
    let json = home.run(&["parse", crash, "--format", "json"]);
    assert!(json.status == 1 && json.stderr.contains("json-lines"), "{json:?}");
}

#[test]
fn requiring_a_daemon_that_does_not_run_fails_and_says_how_to_start_one() {
    let home = Home::new();
    let run = home.feed(&["--daemon", "require", "triage"], KNOWN_CRASH.as_bytes());
    assert_eq!((run.status, run.stdout.as_str()), (1, ""));
    assert!(run.stderr.contains("no daemon runs"), "{run:?}");
    assert!(run.stderr.contains("dbgmate serve"), "{run:?}");
    assert_eq!(home.feed(&["triage"], KNOWN_CRASH.as_bytes()).status, 0);
}

#[test]
fn a_question_too_large_for_the_daemon_is_answered_here() {
    let home = Home::configured("[daemon]\nrequest_bytes = 500\n");
    let _daemon = home.serve();
    let run = home.feed(&["triage"], KNOWN_CRASH.as_bytes());
    assert_eq!(run.status, 0, "{run:?}");
    assert!(run.stdout.contains("libxl/fd-deregister-race"), "{run:?}");
    assert!(run.stderr.contains("answering without the daemon"), "{run:?}");
    let run = home.feed(&["--daemon", "require", "triage"], KNOWN_CRASH.as_bytes());
    assert_eq!(run.status, 1, "{run:?}");
    assert!(run.stderr.contains("--daemon never"), "{run:?}");
}

#[test]
fn a_reader_that_has_read_enough_ends_the_program_quietly() {
    let home = Home::new();
    let crash = trace("fd-deregister-race.txt");
    for arguments in [
        &["triage", text(&crash)][..],
        &["triage", text(&crash), "--json"],
        &["man"],
        &["--help"],
        &["completions", "bash"],
        &["doctor"],
    ] {
        let mut child = home
            .dbgmate(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Closed before anything is written: no less than `| head` does to a long answer.
        drop(child.stdout.take());
        let mut complaint = String::new();
        child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
        let status = child.wait().unwrap();
        assert_eq!((status.code(), complaint.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn a_full_disk_is_not_silent() {
    let home = Home::new();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let crash = trace("fd-deregister-race.txt");
    let mut command = home.dbgmate(&["triage", text(&crash), "--json"]);
    let output = command.stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write"), "{output:?}");
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let home = Home::new();
    let crash = trace("fd-deregister-race.txt");
    let styled = |arguments: &[&str], variable: Option<(&str, &str)>| {
        let mut command = home.dbgmate(&[&["triage", text(&crash)], arguments].concat());
        command.envs(variable);
        let run = Run::of(command.output().unwrap());
        assert_eq!(run.status, 0);
        run.stdout.contains('\x1b')
    };
    assert!(!styled(&[], None), "a pipe is no terminal");
    assert!(styled(&["--color", "always"], None));
    assert!(styled(&["--color", "always"], Some(("NO_COLOR", "1"))), "asked for by name");
    assert!(styled(&[], Some(("CLICOLOR_FORCE", "1"))));
    assert!(!styled(&["--color", "never"], Some(("CLICOLOR_FORCE", "1"))));
    assert!(!styled(&["--json", "--color", "always"], None), "JSON has no colours");
}

#[test]
fn on_a_terminal_there_are_colours_unless_no_color_is_set() {
    let home = Home::new();
    let crash = trace("fd-deregister-race.txt");
    // script(1) gives the program a terminal.
    let line = format!("{} triage {}", env!("CARGO_BIN_EXE_dbgmate"), crash.display());
    for (no_color, expected) in [(None, true), (Some("1"), false), (Some(""), true)] {
        let mut script = Command::new("script");
        script.args(["-qec", &line, "/dev/null"]).stdin(Stdio::null());
        home.lend(&mut script);
        script.env("TERM", "xterm").envs(no_color.map(|value| ("NO_COLOR", value)));
        let output = script.output().expect("script(1), of util-linux");
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(shown.contains("THIS IS IT"), "{shown}");
        assert_eq!(shown.contains("\x1b["), expected, "NO_COLOR={no_color:?}: {shown}");
    }
}

#[test]
fn a_paste_comes_from_standard_input_a_file_or_several() {
    let home = Home::new();
    let crash = trace("fd-deregister-race.txt");
    let file = home.run(&["triage", text(&crash)]).stdout;
    assert_eq!(home.feed(&["triage"], KNOWN_CRASH.as_bytes()).stdout, file);
    assert_eq!(home.feed(&["triage", "-"], KNOWN_CRASH.as_bytes()).stdout, file);

    let words = home.write("words.txt", "It crashed again today:\n");
    let run = home.feed(&["triage", text(&words), "-", "--json"], KNOWN_CRASH.as_bytes());
    assert_eq!(run.status, 0, "{run:?}");
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(report["notes"][0]["id"], "libxl/fd-deregister-race");
    assert_eq!(report["trace"]["stacks"][0]["lines"]["piece"], "-");
    assert_eq!(report["trace"]["skipped"][0]["lines"]["piece"], json!(words));
}

#[test]
fn what_is_no_text_is_no_reason_to_fail() {
    let home = Home::new();
    let with_bytes = [b"caf\xe9 \xff\xfe\x00 said:\n", KNOWN_CRASH.as_bytes()].concat();
    let run = home.feed(&["triage"], &with_bytes);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    assert!(run.stdout.contains("lines 10-13  assertion fd == ev->fd"), "{run:?}");

    let mut state = 1u32;
    let noise: Vec<u8> = (0..4 << 20)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    let run = home.feed(&["triage"], &noise);
    assert_eq!(run.status, 1, "{run:?}");
    assert!(run.stdout.starts_with("No known bug fits"), "{run:?}");

    for empty in [&b""[..], b"\n \n\t\n"] {
        let run = home.feed(&["triage"], empty);
        assert_eq!(run.status, 1, "{run:?}");
        assert_eq!(run.stderr, "dbgmate: the paste is empty\n");
    }
}

#[test]
fn control_characters_of_a_paste_do_not_reach_the_terminal() {
    let home = Home::new();
    let evil = KNOWN_CRASH.replace("util/event_poll.c", "util/\x1b]0;owned\x07\u{202e}poll.c");
    let run = home.feed(&["triage", "--color", "never"], evil.as_bytes());
    assert_eq!(run.status, 0, "{run:?}");
    let is_hostile = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
    assert!(!run.stdout.contains(is_hostile), "{run:?}");
}

/// Runs the program with at most so much address space, and tells how long it took.
fn bounded(home: &Home, bytes: u64, input: &[u8]) -> (Run, Duration) {
    let mut command = Command::new("prlimit");
    command
        .arg(format!("--as={bytes}"))
        .arg(env!("CARGO_BIN_EXE_dbgmate"))
        .args(["--daemon", "never", "triage"]);
    home.lend(&mut command);
    let started = Instant::now();
    let run = feed(&mut command, input);
    (run, started.elapsed())
}

/// The deadline of a request is not what these tests are about.
const PATIENT: &str = "deadline_seconds = 600\n";

/// Generous, since it also holds on a slow machine, unoptimised, with other tests beside it.
const LONG: Duration = Duration::from_secs(300);

#[test]
fn a_hundred_megabytes_of_log_are_read_in_bounded_memory() {
    let home = Home::configured(PATIENT);
    let line =
        "2026-03-01 12:00:00 the domain failed to start because the device model went away\n";
    let mut paste = line.repeat((100 << 20) / line.len());
    paste.push_str(KNOWN_CRASH);
    let (run, time) = bounded(&home, 1 << 30, paste.as_bytes());
    assert_eq!(run.status, 0, "{run:?}");
    assert!(run.stdout.contains("libxl/fd-deregister-race"), "{run:?}");
    assert!(time < LONG, "{time:?}");
}

#[test]
fn a_million_frames_are_read_in_bounded_memory() {
    let home = Home::configured(PATIENT);
    let mut paste = "#0  main () at a.c:3\n".repeat(1_000_000);
    paste.push_str(KNOWN_CRASH);
    let (run, time) = bounded(&home, 3 << 30, paste.as_bytes());
    assert_eq!(run.status, 0, "{run:?}");
    assert!(run.stdout.contains("libxl/fd-deregister-race"), "{run:?}");
    assert!(time < LONG, "{time:?}");
}

#[test]
fn more_than_one_may_paste_is_refused_before_it_is_read() {
    let home = Home::new();
    let mut endless = Command::new("prlimit");
    endless.arg(format!("--as={}", 2u64 << 30)).arg(env!("CARGO_BIN_EXE_dbgmate"));
    endless.args(["triage", "/dev/zero"]);
    home.lend(&mut endless);
    let run = Run::of(endless.output().unwrap());
    assert_eq!(run.status, 1, "{run:?}");
    assert!(run.stderr.contains("larger than 256 MiB"), "{run:?}");
}

#[test]
fn the_completions_are_what_each_shell_reads() {
    let home = Home::new();
    for (shell, check) in [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")] {
        let run = home.run(&["completions", shell]);
        assert_eq!((run.status, run.stderr.as_str()), (0, ""));
        for subcommand in SUBCOMMANDS {
            assert!(run.stdout.contains(subcommand), "{shell}: no {subcommand}");
        }
        let script = home.write(&format!("completions.{shell}"), &run.stdout);
        match Command::new(shell).arg(check).arg(&script).output() {
            Ok(checked) => assert!(checked.status.success(), "{shell}: {checked:?}"),
            Err(_) => eprintln!("{shell} is not installed: its completions were not read"),
        }
    }
}

#[test]
fn bash_completes_subcommands_and_options() {
    let home = Home::new();
    home.write("completions.bash", home.run(&["completions", "bash"]).stdout);
    let ask = |words: &str, last: usize| {
        let line = format!(
            "source ./completions.bash; COMP_WORDS=({words}); COMP_CWORD={last}; \
             _dbgmate dbgmate \"${{COMP_WORDS[{last}]}}\" \"${{COMP_WORDS[{last}-1]}}\"; \
             echo \"${{COMPREPLY[*]}}\""
        );
        let mut bash = Command::new("bash");
        home.lend(bash.args(["--norc", "-c", &line]));
        Run::of(bash.output().expect("bash")).stdout
    };
    assert_eq!(ask("dbgmate off", 1), "offsets-of\n");
    assert_eq!(ask("dbgmate offsets-of --lay", 2), "--layout\n");
    assert_eq!(ask("dbgmate triage --color ''", 3), "auto always never\n");
}

#[test]
fn every_manual_page_is_clean_roff() {
    let home = Home::new();
    let pages = std::iter::once(vec!["man"]).chain(SUBCOMMANDS.map(|name| vec!["man", name]));
    for arguments in pages {
        let run = home.run(&arguments);
        assert_eq!((run.status, run.stderr.as_str()), (0, ""));
        for section in [".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION"] {
            assert!(run.stdout.contains(section), "{arguments:?}: no {section}");
        }
        let mut groff = Command::new("groff");
        groff.args(["-man", "-Tutf8", "-ww"]);
        match groff.arg("--version").output() {
            Err(_) => eprintln!("groff is not installed: the page was not set"),
            Ok(_) => {
                let mut groff = Command::new("groff");
                let set = feed(groff.args(["-man", "-Tutf8", "-ww"]), run.stdout.as_bytes());
                assert_eq!((set.status, set.stderr.as_str()), (0, ""), "{arguments:?}");
            }
        }
    }
}

#[test]
fn a_person_at_a_terminal_is_told_how_to_paste() {
    let home = Home::new();
    let line = format!("{} triage", env!("CARGO_BIN_EXE_dbgmate"));
    let mut script = Command::new("script");
    script.args(["-qec", &line, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    home.lend(&mut script);
    let mut child = script.spawn().expect("script(1), of util-linux");
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(first.contains("Ctrl-D"), "{first:?}");
}
