//! A project's own lines, taught by a plugin in a person's folder: the real program reads them, with a daemon
//! and without one.

#![allow(clippy::unwrap_used)] // Helpers of tests are not tests to clippy.

mod home;

use home::Home;
use serde_json::Value;

/// The example of docs/notes.md, and a note that reads its records.
const PLUGIN: &str = include_str!("../docs/notes.md");
const NOTE: &str = r#"schema = 1
id = "mine/late"
title = "It is late"
kind = "bug"
cause = { confidence = "inferred", text = "Nobody knows." }

[[match]]
rank = "consistent"
all = [{ log = 'it is (\w+)', format = "mine/log" }]

[[source]]
what = "the code"

[[lookalike]]
why = "other"
trace = "nothing"
"#;
const PASTE: &str = "[08:24:57.660|warn|4836] event_loop.c:181: it is late\n  by far\n\
                     [0] 7f5fba7a8133 occurred_fd /usr/lib64/libmine.so+1f133\n\
                     [1] 7f5fba7a8200 main\n\
                     Yours, me\n";

/// The first TOML block of the section about line formats.
fn documented() -> String {
    let section = PLUGIN.split("### Lines of one's own").nth(1).unwrap();
    let block = section.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    format!("name = \"mine\"\n\n{block}")
}

fn home() -> Home {
    let home = Home::new();
    home.write("dbgmate/plugins/mine/plugin.toml", documented());
    home.write("dbgmate/plugins/mine/notes/late.toml", NOTE);
    home
}

fn check(home: &Home, daemon: &str) {
    let run = home.feed(&["--daemon", daemon, "parse", "--format", "json"], PASTE.as_bytes());
    assert_eq!(run.status, 0, "{run:?}");
    let trace: Value = serde_json::from_str(&run.stdout).unwrap();
    let record = &trace["log"][0];
    for (key, value) in [
        ("format", Value::from("mine/log")),
        ("time", "08:24:57.660".into()),
        ("level", "warn".into()),
        ("thread", 4836.into()),
        ("program", "mine".into()),
        ("file", "event_loop.c".into()),
        ("line", 181.into()),
        ("text", "it is late\n  by far".into()),
    ] {
        assert_eq!(record[key], value, "{key}");
    }
    let stack = &trace["stacks"][0];
    assert_eq!(
        (stack["format"].as_str(), stack["frames"].as_array().unwrap().len()),
        (Some("mine/trace"), 2)
    );
    assert_eq!(stack["frames"][0]["module"], "/usr/lib64/libmine.so");
    assert_eq!(trace["modules"][0]["bias"], "0x7f5fba789000");
    assert_eq!(trace["skipped"][0]["lines"]["first"], 5);
    let run = home.feed(&["--daemon", daemon, "triage"], PASTE.as_bytes());
    assert!(run.stdout.contains("mine/late"), "{run:?}");
}

#[test]
fn the_documented_plugin_reads_its_lines_in_the_process_and_in_the_daemon() {
    let home = home();
    check(&home, "never");
    let _daemon = home.serve();
    check(&home, "require");
}

#[test]
fn logs_of_any_size_are_read_the_same() {
    let run = home().feed(&["parse", "--format", "json-lines"], PASTE.as_bytes());
    let record: Value = serde_json::from_str(run.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(
        (record["format"].as_str(), record["thread"].as_u64()),
        (Some("mine/log"), Some(4836))
    );
}

#[test]
fn a_bad_pattern_is_named_with_its_line_and_the_rest_works() {
    let home = home();
    let bad = "\n[[log_format]]\nname = \"bad\"\nline = '^(?<when>.)(?<text>.*)'\n";
    let path = home.write("dbgmate/plugins/mine/plugin.toml", documented() + bad);
    let line = (documented() + bad).lines().count();
    let run = home.run(&["doctor"]);
    let place = format!("{}:{line}", path.display());
    assert!(run.stdout.contains(&place) && run.stdout.contains("\"when\""), "{run:?}");
    check(&home, "never");
}
