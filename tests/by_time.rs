//! `dbgmate parse --by-time`: several logs in the order of their times, as a person meets it.

#![allow(clippy::unwrap_used)] // Helpers of tests are not tests to clippy.

mod home;

use home::{Home, Run};
use serde_json::Value;

const LIBVIRT: &str = "2012-11-09 08:24:57.660+0000: 4836: debug : f:137 : first\n\
                       2012-11-09 08:24:59.000+0000: 4836: error : f:138 : fourth\n\
                       my own words\n";
const JOURNAL: &str = "2012-11-09T09:24:57.661+01:00 host virtxend[7]: second\n\
                       2012-11-09T09:24:58.000+01:00 host virtxend[7]: third\n\
                       #0  0x00007f5fba7a8133 in occurred_fd () from /usr/lib64/libxenlight.so.2.0\n";
const KERNEL: &str = "[ 1234.567890] vif: since boot\n";
const SYSLOG: &str = "Nov  9 09:24:57 host kernel: before the first\n";

/// The logs and texts of the records.
fn order(records: &[Value]) -> Vec<(&str, &str)> {
    records
        .iter()
        .map(|record| {
            (record["lines"]["piece"].as_str().unwrap(), record["text"].as_str().unwrap())
        })
        .collect()
}

const EXPECTED: [(&str, &str); 4] = [
    ("libvirt.log", "first"),
    ("journal.log", "second"),
    ("journal.log", "third"),
    ("libvirt.log", "fourth"),
];

fn home() -> Home {
    let home = Home::new();
    for (name, text) in [
        ("libvirt.log", LIBVIRT),
        ("journal.log", JOURNAL),
        ("dmesg.log", KERNEL),
        ("syslog", SYSLOG),
    ] {
        home.write(name, text);
    }
    home
}

fn parse(home: &Home, form: &str, more: &[&str]) -> Run {
    let arguments = [&["--daemon", "never", "parse", "--by-time", "--format", form], more].concat();
    home.run(&arguments)
}

#[test]
fn json_and_json_lines_have_one_order() {
    let home = home();
    let run = parse(&home, "json", &["libvirt.log", "journal.log"]);
    let trace: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(order(trace["log"].as_array().unwrap()), EXPECTED);
    assert_eq!(trace["stacks"][0]["lines"]["piece"], "journal.log");
    let run = parse(&home, "json-lines", &["libvirt.log", "journal.log"]);
    let records: Vec<Value> =
        run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(order(&records), EXPECTED);
    assert!(run.stderr.contains("1 line skipped, the first at libvirt.log, line 3"), "{run:?}");
}

#[test]
fn text_names_the_log_of_each_record_and_shows_what_else_there_is() {
    let run = parse(&home(), "text", &["libvirt.log", "journal.log"]);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines[0], "libvirt.log: 2012-11-09 08:24:57.660+0000 4836 debug 137:f: first");
    assert_eq!(lines[1], "journal.log: 2012-11-09T09:24:57.661+01:00 7 virtxend: second");
    assert!(run.stdout.contains("#0  0x00007f5fba7a8133 in occurred_fd"), "{run:?}");
}

#[test]
fn what_cannot_be_compared_comes_last_and_is_said() {
    let home = home();
    let files = ["dmesg.log", "syslog", "libvirt.log", "journal.log"];
    for form in ["json-lines", "text"] {
        let run = parse(&home, form, &files);
        let at = |text: &str| run.stdout.find(text).unwrap();
        assert!(
            at("fourth") < at("since boot") && at("fourth") < at("before the first"),
            "{run:?}"
        );
        assert!(run.stderr.contains("dmesg.log has seconds since"), "{run:?}");
        assert!(run.stderr.contains("syslog has times without a year"), "{run:?}");
        let known = [&["--zone", "+01:00", "--year", "2012"], &files[..]].concat();
        let run = parse(&home, form, &known);
        let at = |text: &str| run.stdout.find(text).unwrap();
        assert!(at("before the first") < at("debug"), "{run:?}");
        assert!(!run.stderr.contains("syslog"), "{run:?}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    let home = home();
    let run = parse(&home, "gdb", &["libvirt.log"]);
    assert_eq!(run.status, 2, "{run:?}");
    let run = parse(&home, "json-lines", &["libvirt.log", "no.log"]);
    assert_eq!(run.status, 1);
    assert!(run.stderr.contains("no.log cannot be read"), "{run:?}");
    let run = parse(&home, "text", &["--zone", "CET", "libvirt.log"]);
    assert!(run.status == 2 && run.stderr.contains("such as +01:00"), "{run:?}");
    assert_eq!(home.run(&["parse", "--zone", "+01:00", "libvirt.log"]).status, 2);
}
