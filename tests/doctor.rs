//! What `dbgmate doctor` tells a person whose set-up is fine, incomplete or broken.

#![allow(clippy::unwrap_used)]

mod home;

use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use home::{Home, Run};
use serde_json::Value;

const SOURCE: &str = "struct watch { int fd; } a_watch;\n";

/// The findings of one kind: what, state, what was found, what to do.
fn findings(run: &Run, about: &str) -> Vec<(String, String, String, String)> {
    let all: Value = serde_json::from_str(&run.stdout).unwrap();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let of = all.as_array().unwrap().iter().filter(|finding| finding["about"] == about);
    of.map(|finding| {
        let [what, state, found, next_step] =
            ["what", "state", "found", "next_step"].map(|key| text(finding, key));
        (what, state, found, next_step)
    })
    .collect()
}

fn examine(home: &Home, binaries: &[&Path]) -> Run {
    let mut command = home.dbgmate(&["doctor", "--json"]);
    Run::of(command.args(binaries).stdin(Stdio::null()).output().unwrap())
}

#[test]
fn a_new_home_is_in_order_and_says_what_would_help() {
    let home = Home::new();
    let run = examine(&home, &[]);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    let (what, state, ..) = findings(&run, "program").remove(0);
    assert_eq!((what, state), (format!("dbgmate {}", env!("CARGO_PKG_VERSION")), "good".into()));
    let (_, state, found, _) = findings(&run, "configuration").remove(0);
    assert_eq!(state, "good");
    assert!(found.contains("the defaults hold"), "{found}");
    let (socket, state, _, next_step) = findings(&run, "daemon").remove(0);
    assert_eq!((Path::new(&socket), state.as_str()), (home.socket().as_path(), "lacking"));
    assert!(next_step.starts_with("dbgmate serve"), "{next_step}");
    let plugins = findings(&run, "plugins");
    let libxl = plugins.iter().find(|(what, ..)| what == "libxl").unwrap();
    assert_eq!(libxl.1, "good");
}

#[test]
fn the_page_marks_each_finding_and_says_what_to_try() {
    let home = Home::configured("binaries = [\"/nowhere/libvirtd\"]\n");
    let run = home.run(&["doctor"]);
    assert_eq!(run.status, 1, "{run:?}");
    for line in [
        &format!("  ok dbgmate {}: protocol 1", env!("CARGO_PKG_VERSION")),
        "configuration",
        &format!("  ok config.toml: read from {}/dbgmate/config.toml", home.path().display()),
        "     try: dbgmate serve (docs/configuration.md: with every session, by systemd)",
        "  !! /nowhere/libvirtd (configured): does not exist",
        "     try: check the path",
    ] {
        assert!(run.stdout.lines().any(|shown| shown == line), "no {line:?} in\n{}", run.stdout);
    }
}

#[test]
fn a_broken_configuration_is_named_with_its_line() {
    for (config, expected) in [
        ("binaries = []\nplugns = []\n", "config.toml:2: unknown field `plugns`"),
        ("\n\nbinaries = 7\n", "config.toml:3: invalid type"),
        ("# all\n[daemon\n", "config.toml:2: "),
    ] {
        let home = Home::configured(config);
        let run = examine(&home, &[]);
        assert_eq!(run.status, 1, "{run:?}");
        let (_, state, found, next_step) = findings(&run, "configuration").remove(0);
        assert_eq!(state, "broken");
        assert!(found.contains(expected), "{found}");
        assert!(next_step.contains("docs/configuration.md"), "{next_step}");
        // The rest is examined all the same.
        assert!(!findings(&run, "plugins").is_empty());
        // And a command that needs the configuration says the same.
        let run = home.feed(&["triage"], b"#0  main ()\n");
        assert_eq!(run.status, 1);
        assert!(run.stderr.contains(expected), "{run:?}");
    }
}

#[test]
fn folders_that_are_misspelt_are_noticed() {
    let home = Home::new();
    let there =
        home.write("mine/libfoo/plugin.toml", "name = \"libfoo\"\nbinaries = [\"libfoo.so*\"]\n");
    let there = there.ancestors().nth(2).unwrap();
    home.write(
        "dbgmate/config.toml",
        format!(
            "debug_directories = [\"/usr/lib/debgu\"]\nplugins = [{there:?}, \"/no/plugins\"]\n"
        ),
    );
    let run = examine(&home, &[]);
    assert_eq!(run.status, 0, "{run:?}");
    let states: Vec<_> = findings(&run, "configuration")
        .into_iter()
        .map(|(what, state, _, next_step)| format!("{state} {what}; {next_step}"))
        .collect();
    assert_eq!(
        states[1..],
        [
            "lacking debug_directories: /usr/lib/debgu; mend `debug_directories` in config.toml"
                .to_owned(),
            format!("good plugins: {}; ", there.display()),
            "lacking plugins: /no/plugins; mend `plugins` in config.toml".to_owned(),
        ]
    );
    assert!(findings(&run, "plugins").iter().any(|(what, ..)| what == "libfoo"));
}

#[test]
fn a_broken_note_of_ones_own_is_named_and_the_rest_works() {
    let home = Home::new();
    home.write(
        "dbgmate/plugins/libxl/notes/mine.toml",
        "schema = 1\nid = \"libxl/mine\"\nkind = \"rcae\"\n",
    );
    home.write("dbgmate/plugins/unheard-of/notes/a.toml", "schema = 1\n");
    let run = examine(&home, &[]);
    assert_eq!(run.status, 1, "{run:?}");
    let plugins = findings(&run, "plugins");
    let broken: Vec<_> = plugins.iter().filter(|(_, state, ..)| state == "broken").collect();
    assert_eq!(broken.len(), 2, "{broken:?}");
    assert!(
        broken.iter().any(|(what, ..)| what.ends_with("libxl/notes/mine.toml:3")),
        "{broken:?}"
    );
    assert!(broken.iter().any(|(what, ..)| what.ends_with("plugins/unheard-of")), "{broken:?}");
    assert!(broken.iter().all(|(.., next_step)| next_step.contains("docs/notes.md")), "{broken:?}");
    assert!(plugins.iter().any(|(what, state, ..)| what == "libxl" && state == "good"));
}

#[test]
fn a_daemon_that_agrees_is_fine_and_one_that_does_not_is_not_asked() {
    let home = Home::new();
    let daemon = home.serve();
    let (_, state, found, _) = findings(&examine(&home, &[]), "daemon").remove(0);
    assert_eq!(state, "good");
    assert!(found.contains(&format!("pid {}", daemon.pid)), "{found}");

    home.write("dbgmate/config.toml", "deadline_seconds = 7\n");
    let (_, state, found, next_step) = findings(&examine(&home, &[]), "daemon").remove(0);
    assert_eq!(state, "lacking");
    assert!(found.contains("under another configuration"), "{found}");
    assert_eq!(next_step, format!("kill {}; dbgmate serve", daemon.pid));
}

#[test]
fn a_socket_that_is_left_over_is_no_daemon_and_one_that_is_stuck_is_broken() {
    let home = Home::new();
    let stale = UnixListener::bind(home.socket()).unwrap();
    drop(stale);
    assert!(home.socket().exists());
    let run = examine(&home, &[]);
    assert_eq!((run.status, findings(&run, "daemon").remove(0).1.as_str()), (0, "lacking"));

    std::fs::remove_file(home.socket()).unwrap();
    let _stuck = UnixListener::bind(home.socket()).unwrap();
    let started = Instant::now();
    let run = examine(&home, &[]);
    assert!(started.elapsed() < Duration::from_secs(20));
    let (_, state, found, _) = findings(&run, "daemon").remove(0);
    assert_eq!((run.status, state.as_str()), (1, "broken"));
    assert!(found.contains("does not answer"), "{found}");
}

#[test]
fn each_binary_named_is_examined() {
    let home = Home::new();
    let whole = home.compile("libwatch.so", SOURCE);
    let stripped = home.strip(&whole);
    let text = home.write("notes.txt", "a list of things to do\n");
    let absent = home.path().join("absent");
    let run = examine(&home, &[&whole, &stripped, &text, &absent, &whole]);
    assert_eq!(run.status, 1, "{run:?}");
    let asked: Vec<_> = findings(&run, "binaries")
        .into_iter()
        .filter(|(what, ..)| what.ends_with("(asked)"))
        .map(|(_, state, found, next_step)| (state, found, next_step))
        .collect();
    let [whole, stripped, text, absent] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!((whole.0.as_str(), whole.2.as_str()), ("good", ""));
    assert!(whole.1.starts_with("debug info inside, 1 unit,"), "{whole:?}");
    assert_eq!(stripped.0, "lacking");
    assert!(stripped.1.contains("no .debug_info section"), "{stripped:?}");
    assert!(stripped.1.contains("/usr/lib/debug/.build-id/"), "{stripped:?}");
    assert!(stripped.2.contains("debug_directories"), "{stripped:?}");
    assert_eq!((text.0.as_str(), text.1.as_str()), ("broken", "is not an ELF file"));
    assert_eq!((absent.0.as_str(), absent.1.as_str()), ("broken", "does not exist"));
}

#[test]
fn debug_info_in_a_folder_of_ones_own_is_found() {
    let home = Home::new();
    let whole = home.compile("libwatch.so", SOURCE);
    let stripped = home.strip(&whole);
    let id = build_id(&home, &whole);
    let debug = format!("debug/.build-id/{}/{}.debug", &id[..2], &id[2..]);
    let debug = home.write(&debug, std::fs::read(&whole).unwrap());
    let folder = home.path().join("debug");
    home.write("dbgmate/config.toml", format!("debug_directories = [{folder:?}]\n"));
    let run = examine(&home, &[&stripped]);
    assert_eq!(run.status, 0, "{run:?}");
    let (_, state, found, _) = findings(&run, "binaries").remove(0);
    assert_eq!(state, "good");
    assert!(found.starts_with(&format!("debug info in {}", debug.display())), "{found}");
}

fn build_id(home: &Home, binary: &Path) -> String {
    let path = binary.to_str().unwrap();
    let run = home.run(&["offsets-of", "struct watch", "-b", path, "--json"]);
    let answer: Value = serde_json::from_str(&run.stdout).unwrap();
    answer["matches"][0]["binaries"][0]["build_id"]
        .as_str()
        .expect("a linker that adds a build-id")
        .to_owned()
}

#[test]
fn a_package_that_has_the_debug_info_is_named() {
    let home = Home::new();
    let stripped = home.strip(&home.compile("libwatch.so", SOURCE));
    // Stands in for Debian's package manager, which knows no file of this test.
    let dpkg = "#!/bin/sh\nshift 2\necho \"libwatch1:amd64: $1\"\n";
    let folder = home.script("dpkg-query", dpkg).parent().unwrap().to_owned();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut command = home.dbgmate(&["doctor", "--json"]);
    let run = Run::of(command.arg(&stripped).env("PATH", path).output().unwrap());
    let (.., next_step) = findings(&run, "binaries").remove(0);
    assert!(next_step.starts_with("apt install libwatch1-dbgsym"), "{next_step}");
}

#[test]
fn names_cannot_disguise_themselves() {
    let home = Home::new();
    let odd = home.write("lib\x1b[2J.so", "no library\n");
    let mut command = home.dbgmate(&["doctor"]);
    let run = Run::of(command.arg(&odd).output().unwrap());
    assert!(!run.stdout.contains('\x1b') && run.stdout.contains("\\x1b[2J"), "{run:?}");
}

#[test]
fn the_servers_that_may_be_asked_are_shown_without_passwords() {
    let home = Home::new();
    let told = |home: &Home| findings(&examine(home, &[]), "debuginfod").remove(0).2;
    assert!(told(&home).starts_with("off"), "{}", told(&home));
    let urls = "[debuginfod]\nurls = [\"https://me:secret@example.org\"]\n";
    home.write("dbgmate/config.toml", urls);
    assert_eq!(told(&home), "https://example.org (named by the configuration)");
}
