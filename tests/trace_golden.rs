//! Every paste under tests/traces is read, and what is read compared with the file of the same
//! name that ends in `.expect`.
//!
//! The pastes themselves stay exactly as they were posted or printed; tests/traces/README.md says where
//! each is from, tests/traces/generate makes those of the printers that run here. After a change, run
//! `ACCEPT=1 cargo test --test trace_golden`, and read the difference against the paste before it
//! is committed: an expectation is a person's claim, not the program's.

#![allow(clippy::unwrap_used)] // Helpers of tests are not tests to clippy.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use dbgmate::job::Job;
use dbgmate::notes::Plugins;
use dbgmate::trace::{
    Event, EventKind, Frame, Lines, LogRecord, Module, Piece, PrintedValue, Register, Stack,
    Thread, Trace, Value, ValueKind, parse_with,
};

/// Records of one log that are shown each; of the others, those of several lines.
const SHOWN_RECORDS: usize = 4;

#[test]
fn pastes_are_read_as_expected() {
    let mut pastes = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces"), &mut pastes);
    assert!(pastes.len() >= 14, "the pastes are gone");
    let (plugins, _) = Plugins::load(&[]);
    let wrong: Vec<String> = pastes.iter().filter_map(|paste| check(paste, &plugins)).collect();
    assert!(
        wrong.is_empty(),
        "{}\nTo accept: ACCEPT=1 cargo test --test trace_golden, then read the difference.",
        wrong.join("\n")
    );
}

/// A reading that skips more lines than before is worse, whatever else it gained: ACCEPT=1 takes new pastes
/// and lower counts into tests/traces/skipped.tsv, and never a higher one, which a person writes there with
/// the reason in the commit.
#[test]
fn skipped_lines_do_not_grow() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/traces");
    let list = root.join("skipped.tsv");
    let accepted: BTreeMap<String, usize> = fs::read_to_string(&list)
        .unwrap()
        .lines()
        .map(|line| line.split_once('\t').unwrap())
        .map(|(count, paste)| (paste.to_owned(), count.parse().unwrap()))
        .collect();
    let (plugins, _) = Plugins::load(&[]);
    let mut pastes = Vec::new();
    collect(&root, &mut pastes);
    let (mut now, mut wrong) = (String::new(), Vec::new());
    for paste in pastes {
        let name = paste.strip_prefix(&root).unwrap().display().to_string();
        let text = fs::read_to_string(&paste).unwrap();
        let trace = parse_with(&Job::new(), &[Piece::unnamed(&text)], plugins.line_formats());
        let runs = trace.unwrap().skipped;
        let count: usize = runs.iter().map(|run| run.lines.last - run.lines.first + 1).sum();
        let before = accepted.get(&name).copied();
        writeln!(now, "{}\t{name}", before.map_or(count, |before| before.min(count))).unwrap();
        match before {
            Some(before) if count > before => {
                wrong.push(format!("{name}: {count} lines are skipped, {before} were"));
            }
            Some(before) if count == before => {}
            _ if std::env::var_os("ACCEPT").is_some() => {}
            Some(before) => wrong.push(format!("{name}: {count} lines are skipped, not {before}")),
            None => wrong.push(format!("{name}: {count} lines are skipped; it is not listed")),
        }
    }
    if std::env::var_os("ACCEPT").is_some() {
        fs::write(&list, now).unwrap();
    }
    assert!(
        wrong.is_empty(),
        "{}\nFewer and new ones: ACCEPT=1 cargo test --test trace_golden",
        wrong.join("\n")
    );
}

fn collect(folder: &Path, pastes: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, pastes);
        } else if path.extension().is_some_and(|end| end == "txt" || end == "log") {
            pastes.push(path);
        }
    }
}

/// What is wrong with a paste's reading.
fn check(paste: &Path, plugins: &Plugins) -> Option<String> {
    let text = fs::read_to_string(paste).unwrap();
    let trace = parse_with(&Job::new(), &[Piece::unnamed(&text)], plugins.line_formats());
    let read = show(&trace.unwrap());
    let expectation = paste.with_extension("expect");
    if std::env::var_os("ACCEPT").is_some() {
        fs::write(&expectation, &read).unwrap();
    }
    let expected = fs::read_to_string(&expectation).unwrap_or_default();
    if expected == read {
        return None;
    }
    let different =
        expected.lines().zip(read.lines()).position(|(expected, read)| expected != read);
    let at = different.unwrap_or_else(|| expected.lines().count().min(read.lines().count()));
    let line = |text: &str| text.lines().nth(at).unwrap_or("(nothing)").to_owned();
    Some(format!(
        "{}:{}\n  expected {}\n  read     {}",
        expectation.display(),
        at + 1,
        line(&expected),
        line(&read)
    ))
}

fn show(trace: &Trace) -> String {
    let mut out = format!("formats: {}\n", trace.formats.join(", "));
    for (index, stack) in trace.stacks.iter().enumerate() {
        out += &show_stack(index, stack);
    }
    for event in &trace.events {
        out += &show_event(event);
    }
    for value in &trace.values {
        out += &show_value(value);
    }
    for module in &trace.modules {
        out += &show_module(module);
    }
    out += &show_log(&trace.log);
    for skipped in &trace.skipped {
        writeln!(out, "skipped {}: {}", at(&skipped.lines), skipped.text).unwrap();
    }
    out
}

fn show_module(module: &Module) -> String {
    let source = format!("{:?}", module.source);
    let mut out = format!("module {} {source} {}", at(&module.lines), module.path);
    module.build_id.iter().for_each(|id| write!(out, " build-id {id}").unwrap());
    module.bias.iter().for_each(|bias| write!(out, " bias {bias}").unwrap());
    module.start.iter().for_each(|start| write!(out, " from {start}").unwrap());
    module.end.iter().for_each(|end| write!(out, " to {end}").unwrap());
    module.file_offset.iter().for_each(|offset| write!(out, " file {offset}").unwrap());
    out + "\n"
}

fn at(lines: &Lines) -> String {
    if lines.first == lines.last {
        format!("@{}", lines.first)
    } else {
        format!("@{}-{}", lines.first, lines.last)
    }
}

fn show_stack(index: usize, stack: &Stack) -> String {
    let kind = format!("{:?}", stack.kind).to_lowercase();
    let format = if stack.format == "gdb" { "" } else { &format!("{} ", stack.format) };
    let mut out = format!(
        "stack {index} {} {format}{kind} `{}`{}\n",
        at(&stack.lines),
        stack.label,
        thread(&stack.thread)
    );
    for frame in &stack.frames {
        writeln!(out, "  {}", show_frame(frame)).unwrap();
    }
    out
}

fn thread(thread: &Option<Thread>) -> String {
    let Some(thread) = thread else { return String::new() };
    let mut out = " thread".to_owned();
    thread.number.iter().for_each(|number| write!(out, " {number}").unwrap());
    thread.name.iter().for_each(|name| write!(out, " {name:?}").unwrap());
    thread.address.iter().for_each(|address| write!(out, " {address}").unwrap());
    thread.lwp.iter().for_each(|lwp| write!(out, " lwp {lwp}").unwrap());
    out
}

fn show_frame(frame: &Frame) -> String {
    let pc = format!("{:?}", frame.pc).to_lowercase();
    let mut out = format!("#{} {} machine {} {pc}", frame.index, at(&frame.lines), frame.physical);
    frame.address.iter().for_each(|address| write!(out, " {address}").unwrap());
    match &frame.function {
        _ if frame.signal_handler => out += " SIGNAL HANDLER",
        Some(function) => out += &format!(" {function}"),
        None => out += " ??",
    }
    let arguments: Vec<String> =
        frame.arguments.iter().map(|a| show_argument(&a.name, a.at_entry, &a.value)).collect();
    frame.offset.iter().for_each(|offset| write!(out, "+{offset:#x}").unwrap());
    write!(out, " ({})", arguments.join("; ")).unwrap();
    frame.file.iter().for_each(|file| write!(out, " at {file}").unwrap());
    frame.line.iter().for_each(|line| write!(out, ":{line}").unwrap());
    frame.column.iter().for_each(|column| write!(out, ":{column}").unwrap());
    frame.module.iter().for_each(|module| write!(out, " in module {module}").unwrap());
    frame.module_offset.iter().for_each(|offset| write!(out, "+{offset}").unwrap());
    out += if frame.guess { " guess" } else { "" };
    for local in &frame.locals {
        write!(out, "\n    local {}", show_argument(&local.name, local.at_entry, &local.value))
            .unwrap();
    }
    out
}

fn show_argument(name: &str, at_entry: bool, value: &Value) -> String {
    let entry = if at_entry { " at entry" } else { "" };
    format!("{name}{entry}: {}", show_plain_value(value))
}

fn show_plain_value(value: &Value) -> String {
    let kind = format!("{:?}", value.kind).to_lowercase();
    let mut out = match value.kind {
        ValueKind::Struct | ValueKind::Array => kind,
        _ => format!("{kind} {}", value.text),
    };
    value.address.iter().for_each(|address| write!(out, " ->{address}").unwrap());
    value.symbol.iter().for_each(|symbol| write!(out, " <{symbol}>").unwrap());
    value.string.iter().for_each(|string| write!(out, " {string:?}").unwrap());
    let fields: Vec<String> =
        value.fields.iter().map(|f| show_argument(&f.name, f.at_entry, &f.value)).collect();
    if !fields.is_empty() {
        write!(out, " {{ {} }}", fields.join("; ")).unwrap();
    }
    let elements: Vec<String> = value.elements.iter().map(show_plain_value).collect();
    if !elements.is_empty() {
        write!(out, " [ {} ]", elements.join("; ")).unwrap();
    }
    out
}

fn show_event(event: &Event) -> String {
    let what = match &event.what {
        EventKind::Signal { name, meaning } => format!("signal {name} {meaning:?}"),
        EventKind::Assertion { expression, file, line, function, program } => {
            format!(
                "assertion `{expression}` file {file:?} line {line:?} function {function:?} program {program:?}"
            )
        }
        EventKind::Breakpoint { number } => format!("breakpoint {number}"),
        EventKind::Fault { by, what, address, file, line, column } => {
            let mut out = format!("fault by {by} `{what}`");
            address.iter().for_each(|address| write!(out, " address {address}").unwrap());
            file.iter().for_each(|file| write!(out, " at {file}").unwrap());
            line.iter().for_each(|line| write!(out, ":{line}").unwrap());
            column.iter().for_each(|column| write!(out, ":{column}").unwrap());
            out
        }
        EventKind::Program { path } => format!("program {path}"),
        EventKind::Remark { by, text } => format!("remark by {by} `{text}`"),
        EventKind::Registers { by, values } => {
            let value = |r: &Register| format!("{} {:x}", r.name, r.value.unwrap().0);
            format!("registers by {by} {}", values.iter().map(value).collect::<Vec<_>>().join(" "))
        }
        EventKind::Session { what } => format!("session {what:?}"),
    };
    let mut out = format!("event {} {what}{}", at(&event.lines), thread(&event.thread));
    event.stack.iter().for_each(|stack| write!(out, " -> stack {stack}").unwrap());
    if let Some(frame) = &event.frame {
        write!(out, "\n  frame {}", show_frame(frame)).unwrap();
    }
    if let Some(source) = &event.source {
        write!(out, "\n  source {}: {}", source.line, source.text).unwrap();
    }
    out + "\n"
}

fn show_value(value: &PrintedValue) -> String {
    let mut out = format!("value {}", at(&value.lines));
    value.number.iter().for_each(|number| write!(out, " ${number}").unwrap());
    value.expression.iter().for_each(|expression| write!(out, " `{expression}`").unwrap());
    if let (Some(stack), Some(frame)) = (value.stack, value.frame) {
        write!(out, " in stack {stack} frame {frame}").unwrap();
    }
    out + &format!(": {}\n", show_plain_value(&value.value))
}

fn show_log(log: &[LogRecord]) -> String {
    let mut out = String::new();
    if !log.is_empty() {
        writeln!(out, "log: {} records", log.len()).unwrap();
    }
    for (index, record) in log.iter().enumerate() {
        let several = record.lines.first != record.lines.last;
        if index < SHOWN_RECORDS || index + 1 == log.len() || several {
            out += &show_record(record);
        }
    }
    out
}

fn show_record(record: &LogRecord) -> String {
    let mut out = format!("record {} {}", at(&record.lines), record.format);
    record.time.iter().for_each(|time| write!(out, " time {time}").unwrap());
    record.thread.iter().for_each(|thread| write!(out, " thread {thread}").unwrap());
    record.program.iter().for_each(|program| write!(out, " {program}").unwrap());
    record.level.iter().for_each(|level| write!(out, " {level}").unwrap());
    record.file.iter().for_each(|file| write!(out, " {file}").unwrap());
    record.line.iter().for_each(|line| write!(out, ":{line}").unwrap());
    record.function.iter().for_each(|function| write!(out, " {function}").unwrap());
    out + &format!(" {:?}\n", record.text)
}
