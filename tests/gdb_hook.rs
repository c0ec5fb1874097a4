//! The gdb hook as people meet it: a real gdb on real processes, the daemon and the program.

#![allow(clippy::unwrap_used)]

mod tools;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tools::{go_without, have, racing_libvirtd};

const DBGMATE: &str = env!("CARGO_BIN_EXE_dbgmate");

/// The verdict on the one crash whose every detail is known here.
const CONFIRMED: &str = "it is -1, which confirms libxl/fd-deregister-race";

/// Who answers the hook.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Answers {
    Daemon,
    Program,
    Nobody,
}

/// A gdb with the hook, in a home of its own.
struct Gdb {
    home: TempDir,
    daemon: Option<Child>,
    answers: Answers,
}

impl Gdb {
    fn asking(answers: Answers) -> Gdb {
        let mut gdb = Gdb { home: tempfile::tempdir().unwrap(), daemon: None, answers };
        if answers == Answers::Daemon {
            gdb.daemon = Some(gdb.serve());
        }
        gdb
    }

    /// The same, with a daemon that has read the configuration as it is now.
    fn restarted(mut self) -> Gdb {
        let Some(mut daemon) = self.daemon.take() else { return self };
        daemon.kill().unwrap();
        daemon.wait().unwrap();
        self.daemon = Some(self.serve());
        self
    }

    fn serve(&self) -> Child {
        let mut daemon = Command::new(DBGMATE)
            .arg("serve")
            .env("DBGMATE_SOCKET", self.socket())
            .env("XDG_CONFIG_HOME", self.home.path())
            .env("XDG_CACHE_HOME", self.home.path())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(daemon.stderr.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("listening"), "{line}");
        daemon
    }

    fn socket(&self) -> PathBuf {
        self.home.path().join("run/daemon.sock")
    }

    /// Everything gdb prints when it runs these commands on these files and arguments.
    fn run(&self, target: &[&Path], commands: &[&str]) -> String {
        self.run_with(target, commands, &[])
    }

    fn run_with(
        &self,
        target: &[&Path],
        commands: &[&str],
        environment: &[(&str, &str)],
    ) -> String {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        // Only the one meant may answer: a test that passes over the other would prove nothing.
        let program =
            if self.answers == Answers::Program { DBGMATE } else { "/nonexistent/dbgmate" };
        let mut gdb = Command::new("gdb");
        gdb.args(["-nx", "-q", "-batch", "-ex", "set debuginfod enabled off", "-ex"])
            .arg(format!("source {}", root.join("clients/gdb/dbgmate.py").display()));
        for command in commands {
            gdb.args(["-ex", command]);
        }
        gdb.args(target.first().map(|_| "--args"));
        let output = gdb
            .args(target)
            .current_dir(root)
            .env("DBGMATE_SOCKET", self.socket())
            .env("DBGMATE", program)
            .env("XDG_CONFIG_HOME", self.home.path())
            .env("XDG_CACHE_HOME", self.home.path())
            .env("LC_ALL", "C.UTF-8")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        text
    }
}

impl Drop for Gdb {
    fn drop(&mut self) {
        if let Some(daemon) = &mut self.daemon {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

/// Whether gdb is here, with Python, and may trace processes: containers forbid it.
fn have_gdb() -> bool {
    if !have(&["gdb", "gcc"]) {
        return false;
    }
    let arguments = ["-nx", "-q", "-batch", "-ex", "run", "-ex", "python print(6 * 7)", "true"];
    let output = Command::new("gdb").args(arguments).stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let works = text.contains("exited normally") && text.contains("42");
    works || go_without(&format!("gdb cannot run programs or has no Python: {text}"))
}

fn contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

/// A real virsh, stopped where it opens its driver.
fn in_virsh(answers: Answers, commands: &[&str], environment: &[(&str, &str)]) -> Option<String> {
    let folder = tools::testbed().map(|folder| folder.join("debug")).filter(|_| have_gdb())?;
    let libraries = folder.to_str().unwrap();
    let libraries = format!("set environment LD_LIBRARY_PATH {libraries}");
    let start = [&libraries, "set breakpoint pending on", "break virDomainObjListNew", "run"];
    let arguments = ["-c", "test:///default", "list"].map(Path::new);
    let virsh = folder.join("virsh");
    let target: Vec<&Path> = std::iter::once(virsh.as_path()).chain(arguments).collect();
    Some(Gdb::asking(answers).run_with(&target, &[&start, commands].concat(), environment))
}

#[test]
fn layouts_in_a_real_process_are_those_gdb_has() {
    let types =
        "_virDomainObj _virDomainDef _virObject _virThreadPool _virConnect _virDomainDiskDef";
    let seed = std::env::var("DBGMATE_LAYOUT_SEED").unwrap_or("20121109".to_owned());
    let environment = [("TYPES", types), ("SEED", &seed)];
    let commands = ["source tests/gdb/layouts.py", "offsets-of struct _virDomainObj"];
    let Some(text) = in_virsh(Answers::Daemon, &commands, &environment) else { return };
    let mut compared = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("{\"type\"")) {
        let found: Value = serde_json::from_str(line).unwrap();
        let matches = found["dbgmate"].as_array().unwrap();
        assert!(matches.contains(&found["gdb"]), "seed {seed}: {found}");
        compared.insert(found["type"].as_str().unwrap().to_owned(), found["gdb"].clone());
    }
    assert!(compared.len() >= 40, "{} types with seed {seed}\n{text}", compared.len());
    // The text says what the numbers say.
    for member in compared["_virDomainObj"].as_array().unwrap() {
        let (name, bit) = (member[0].as_str().unwrap(), member[1].as_u64().unwrap());
        contains(&text, &[&format!("    {name} => {}", bit / 8)]);
    }
}

#[test]
fn a_type_is_found_through_the_program_too_and_an_unknown_one_is_said_to_be() {
    let commands = ["offsets-of --layout virThreadPool", "offsets-of struct virNodeInfos"];
    let Some(text) = in_virsh(Answers::Program, &commands, &[]) else { return };
    contains(&text, &["struct _virThreadPool { /* ", "by typedef virThreadPool */"]);
    contains(&text, &["dbgmate: from /", "libvirt.so.0\n"]);
    contains(&text, &["no type `struct virNodeInfos` in the ", "\n  try: did you mean "]);
}

#[test]
fn a_crash_that_no_note_knows_is_said_to_be_unknown() {
    let raise = "python import os; os.kill(gdb.selected_inferior().pid, 6)";
    let commands = [raise, "continue", "triage --paste", "triage"];
    let Some(text) = in_virsh(Answers::Program, &commands, &[]) else { return };
    contains(&text, &["No known bug fits. Read: 2 stacks,", " 0 lines not understood."]);
    contains(&text, &["\" received signal SIGABRT, Aborted.\n\nThread ", "in testOpenDefault ("]);
    assert!(!text.contains("asked of the process"), "{text}");
}

#[test]
fn the_race_is_named_and_what_its_note_asks_is_read_from_memory() {
    if !have_gdb() {
        return;
    }
    for answers in [Answers::Daemon, Answers::Program] {
        let gdb = Gdb::asking(answers);
        let program = racing_libvirtd(gdb.home.path(), &[]);
        let text = gdb.run(&[&program], &["run", "triage"]);
        let first = text.lines().find(|line| line.starts_with("THIS IS IT"));
        assert!(first.unwrap().starts_with("THIS IS IT  libxl/fd-deregister-race: "), "{text}");
        contains(
            &text,
            &["((libxl__ev_fd*)for_libxl)->fd  in libxl_osevent_occurred_fd (thread 1, "],
        );
        contains(&text, &[CONFIRMED]);
        assert!(!text.contains("not asking the daemon"), "{text}");
    }
}

#[test]
fn scripts_get_the_same_as_dictionaries() {
    if !have_gdb() {
        return;
    }
    let gdb = Gdb::asking(Answers::Daemon);
    let program = racing_libvirtd(gdb.home.path(), &[]);
    let script = "python
import dbgmate_gdb
found = dbgmate_gdb.triage()
note = found['report']['notes'][0]
print(note['id'], note['rank'], note['asks'][0]['answer'], note['asks'][0]['verdict'])
print(found['asked'][0]['value'], found['text'].splitlines()[-1])
print(dbgmate_gdb.offsets_of('libxl__ev_fd')['matches'][0]['members'][3]['offset'])
try: dbgmate_gdb.offsets_of('struct nosuch')
except dbgmate_gdb.rpc.Error as error: print(error.kind, error.code)
";
    let script_file = gdb.home.path().join("script.gdb");
    std::fs::write(&script_file, format!("{script}end\n")).unwrap();
    let source = format!("source {}", script_file.display());
    let text = gdb.run(&[&program], &["run", &source]);
    contains(&text, &["libxl/fd-deregister-race match -1 confirms\n", "-1 $1 = -1\n16\n"]);
    contains(&text, &["\nnot_found 2\n"]);
}

#[test]
fn a_walk_along_a_path_ends_where_gdbs_evaluation_does() {
    if !have_gdb() {
        return;
    }
    let gdb = Gdb::asking(Answers::Nobody);
    let program = racing_libvirtd(gdb.home.path(), &[]);
    let text = gdb.run(&[&program], &["run", "source tests/gdb/values.py"]);
    let same = text.lines().filter(|line| line.starts_with("same ")).count();
    let unreadable = text.lines().filter(|line| line.starts_with("unreadable ")).count();
    assert_eq!((same, unreadable), (21, 6), "{text}");
    assert!(!text.contains(", but gdb says "), "{text}");
}

#[test]
fn from_the_fix_on_the_old_type_is_not_read() {
    if !have_gdb() {
        return;
    }
    let gdb = Gdb::asking(Answers::Program);
    let program = racing_libvirtd(gdb.home.path(), &["-DMENDED"]);
    let text = gdb.run(&[&program], &["run", "triage"]);
    contains(&text, &["not read: this build's libxl__ev_fd has no member for_app_reg"]);
    assert!(!text.contains("it is "), "{text}");
}

#[test]
fn a_program_without_any_symbols_still_tells_its_assertion() {
    if !have_gdb() {
        return;
    }
    let gdb = Gdb::asking(Answers::Program);
    let program = racing_libvirtd(gdb.home.path(), &["-s"]);
    // Nor has its C library: the line is in memory, where glibc leaves it for debuggers.
    let bare = "set debug-file-directory /nonexistent";
    let text = gdb.run(&[&program], &[bare, "run >/dev/null 2>&1", "triage --paste", "triage"]);
    contains(&text, &["Assertion `fd == ev->fd' failed.", "THIS IS IT  libxl/fd-deregister-race"]);
    contains(&text, &["not read: no thread is in libxl_osevent_occurred_fd"]);
}

#[test]
fn a_stripped_program_is_shown_with_its_debug_info_that_gdb_does_not_find() {
    if !have_gdb() {
        return;
    }
    for answers in [Answers::Daemon, Answers::Program] {
        let gdb = Gdb::asking(answers);
        let program = racing_libvirtd(gdb.home.path(), &["-Wl,--build-id"]);
        let debug = gdb.home.path().join("dbgmate/debug");
        let config = format!("debug_directories = [{debug:?}]\n");
        std::fs::create_dir_all(gdb.home.path().join("dbgmate")).unwrap();
        std::fs::write(gdb.home.path().join("dbgmate/config.toml"), config).unwrap();
        split(&program, &debug);
        let gdb = gdb.restarted();
        let text = gdb.run(&[&program], &["run >/dev/null 2>&1", "bt", "symbolize"]);
        contains(&text, &[" in libxl_osevent_occurred_fd () at ", "libxl_event.c:77"]);
        contains(&text, &[" in virEventPollRunOnce () at ", "the program is "]);
        // The hook has told where it is: nothing had to be inferred.
        contains(&text, &["as the paste lists it"]);
    }
}

#[test]
fn the_paste_lists_where_files_are_and_nothing_else() {
    if !have_gdb() {
        return;
    }
    let gdb = Gdb::asking(Answers::Program);
    let program = racing_libvirtd(gdb.home.path(), &[]);
    let core = gdb.home.path().join("core");
    let dump = format!("generate-core-file {}", core.display());
    let live = gdb.run(&[&program], &["run", &dump, "triage --paste"]);
    let open = format!("core-file {}", core.display());
    let dead = gdb.run(&[&program], &[&open, "triage --paste"]);
    for text in [live, dead] {
        let (_, paste) = text.split_once("\nFrom ").unwrap_or_else(|| panic!("{text}"));
        let (libraries, mappings) = paste.split_once("\n\n").unwrap();
        let (_, mappings) = mappings.split_once("objfile\n").unwrap();
        assert!(libraries.lines().any(|line| line.starts_with("0x") && line.contains("libc.so")));
        assert!(mappings.lines().any(|line| line.ends_with("/libvirtd")), "{text}");
        assert!(!paste.contains("[stack]") && !paste.contains("[vdso]"), "{text}");
    }
}

/// Puts a program's debug info where distributions have it, and leaves the program without.
fn split(program: &Path, folder: &Path) {
    let notes = Command::new("readelf").args(["-n"]).arg(program).output().unwrap().stdout;
    let notes = String::from_utf8(notes).unwrap();
    let id = notes.split("Build ID: ").nth(1).unwrap().split_whitespace().next().unwrap();
    let place = folder.join(".build-id").join(&id[..2]).join(format!("{}.debug", &id[2..]));
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    let objcopy = |arguments: &[&Path]| {
        let status = Command::new("objcopy").args(arguments).status().unwrap();
        assert!(status.success());
    };
    objcopy(&[Path::new("--only-keep-debug"), program, &place]);
    objcopy(&[Path::new("--strip-all"), program]);
}

#[test]
fn a_core_is_as_good_as_the_process() {
    if !have_gdb() {
        return;
    }
    let gdb = Gdb::asking(Answers::Program);
    let program = racing_libvirtd(gdb.home.path(), &[]);
    let core = gdb.home.path().join("core");
    let dump = format!("generate-core-file {}", core.display());
    gdb.run(&[&program], &["run", &dump]);
    let open = format!("core-file {}", core.display());
    let text = gdb.run(&[&program], &[&open, "triage --paste", "triage"]);
    contains(&text, &["Thread 1 received signal SIGABRT, Aborted.", CONFIRMED]);
}

#[test]
fn a_stop_that_is_no_crash_has_no_signal_even_after_a_run_that_crashed() {
    if !have_gdb() {
        return;
    }
    let gdb = Gdb::asking(Answers::Program);
    let program = racing_libvirtd(gdb.home.path(), &[]);
    // gdb leaves the variable as it is when the next run starts.
    let crashed_before = "set $_exitsignal = 6";
    let commands = ["break virEventPollRunOnce", "run", crashed_before, "triage --paste", "triage"];
    let text = gdb.run(&[&program], &commands);
    contains(&text, &["in main (argc=1, ", "No known bug fits."]);
    assert!(!text.contains("received signal") && !text.contains("Assertion"), "{text}");
}

#[test]
fn the_signal_is_that_of_its_own_thread() {
    if !have_gdb() {
        return;
    }
    let gdb = Gdb::asking(Answers::Program);
    let program = racing_libvirtd(gdb.home.path(), &[]);
    let text = gdb.run(&[&program], &["run", "thread 2", "echo ---\\n", "triage --paste"]);
    let (_, paste) = text.split_once("---\n").unwrap();
    contains(paste, &["Thread 1 \"libvirtd\" received signal SIGABRT, Aborted.\n\nThread 2 ("]);
}

#[test]
fn every_thread_is_shown_the_selected_one_first() {
    if !have_gdb() {
        return;
    }
    let gdb = Gdb::asking(Answers::Program);
    let program = racing_libvirtd(gdb.home.path(), &[]);
    let commands = ["run", "thread 40", "echo ---\\n", "triage --paste", "triage"];
    let text = gdb.run(&[&program, Path::new("62")], &commands);
    let (_, paste) = text.split_once("---\n").unwrap();
    let headers = paste.lines().filter(|line| line.starts_with("Thread ") && line.ends_with(':'));
    let numbers: Vec<&str> = headers.filter_map(|line| line.split(' ').nth(1)).collect();
    assert_eq!(numbers.len(), 64, "{numbers:?}");
    assert_eq!(numbers[..3], ["40", "1", "2"], "{numbers:?}");
    contains(&text, &["Thread 1 \"libvirtd\" received signal SIGABRT, Aborted.", CONFIRMED]);
}

#[test]
fn what_a_person_has_set_and_selected_neither_spoils_the_paste_nor_changes() {
    if !have_gdb() {
        return;
    }
    let gdb = Gdb::asking(Answers::Program);
    let program = racing_libvirtd(gdb.home.path(), &[]);
    let settings = [
        ("print frame-arguments", "none"),
        ("print address", "off"),
        ("print elements", "3"),
        ("print pretty", "on"),
        ("width", "40"),
        ("height", "5"),
        ("language", "pascal"),
        ("pagination", "on"),
        ("confirm", "on"),
    ];
    let set = settings.map(|(name, value)| format!("set {name} {value}"));
    let show = settings.map(|(name, _)| format!("show {name}"));
    let show: Vec<&str> = show.iter().map(String::as_str).chain(["thread", "frame"]).collect();
    let mut commands = vec!["run", "thread 2", "frame 1"];
    commands.extend(set.iter().map(String::as_str));
    commands.push("echo ---\\n");
    commands.extend(&show);
    commands.extend(["echo ---\\n", "triage", "echo ---\\n"]);
    commands.extend(&show);
    let text = gdb.run(&[&program], &commands);
    let parts: Vec<&str> = text.split("---\n").collect();
    let [_, before, report, after] = parts[..] else { panic!("{text}") };
    contains(report, &["THIS IS IT", CONFIRMED]);
    // What is on standard error stands at the end.
    assert!(
        after.starts_with(before),
        "{before}
---
{after}"
    );
    contains(after, &["[Current thread is 2 ", "#1  "]);
}

#[test]
fn when_the_daemon_is_killed_the_program_answers() {
    if !have_gdb() {
        return;
    }
    let gdb = Gdb::asking(Answers::Daemon);
    let program = racing_libvirtd(gdb.home.path(), &[]);
    let pid = gdb.daemon.as_ref().unwrap().id();
    let kill = format!("python import os; os.kill({pid}, 9)");
    let now_program = format!("python os.environ['DBGMATE'] = '{DBGMATE}'");
    let text = gdb.run(&[&program], &["run", "triage", &kill, &now_program, "triage"]);
    assert_eq!(text.matches(CONFIRMED).count(), 2, "{text}");
}

#[test]
fn what_cannot_be_done_is_said_with_the_way_out() {
    if !have_gdb() {
        return;
    }
    let gdb = Gdb::asking(Answers::Nobody);
    let program = racing_libvirtd(gdb.home.path(), &[]);
    for (commands, parts) in [
        (["triage"], ["gdb has no process and no core\n", "`core-file CORE`"]),
        (["offsets-of"], ["name a type", "`offsets-of struct foo`"]),
        (["offsets-of --layout"], ["name a type", "`offsets-of struct foo`"]),
        (["triage all"], ["it takes no `all`", ""]),
        (["offsets-of struct foo"], ["no daemon runs, and the program", "\n  try: start a daemon"]),
    ] {
        let text = gdb.run(&[&program], &commands);
        contains(&text, &parts);
        assert!(!text.contains("Traceback"), "{text}");
    }
    let text = gdb.run(&[], &["offsets-of struct foo"]);
    contains(&text, &["gdb has no program loaded", "`file PROGRAM`"]);
}

#[test]
fn a_hostile_name_is_only_a_name() {
    if !have_gdb() {
        return;
    }
    for answers in [Answers::Daemon, Answers::Program] {
        let gdb = Gdb::asking(answers);
        let program = racing_libvirtd(gdb.home.path(), &[]);
        let hostile =
            format!("offsets-of --json; touch {0}/x `touch {0}/x`", gdb.home.path().display());
        let text = gdb.run(&[&program], &[&hostile, "offsets-of \u{1b}[31mred\u{202e}"]);
        assert!(!gdb.home.path().join("x").exists(), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
        assert_eq!(text.matches("\n  try: ").count(), 2, "{text}");
    }
}
