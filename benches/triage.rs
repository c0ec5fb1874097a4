//! How long does it take to match one paste against many notes?
//!
//! ```sh
//! cargo bench --bench triage                       # 1,000 and 10,000 notes
//! cargo bench --bench triage -- 1000 10000 100000  # and what takes a minute to load
//! ```
//!
//! The shipped notes and synthetic ones beside them: signatures of two to four frames, of an
//! assertion, of a log pattern or of two stacks, over names of which one in a hundred is on the stack
//! of the paste. The paste: a stack of 200 frames and 200 log records. Every answer is checked. Beside the
//! time that passes stands the processor time of the thread, which other programs do not lengthen, and
//! beside what matching takes the whole answer of an engine, as a daemon gives it.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::fs;
use std::io::{Write as _, stdout};
use std::path::Path;
use std::time::{Duration, Instant};

use dbgmate::api::triage::{ReportMethod, ReportRequest};
use dbgmate::config::Config;
use dbgmate::engine::{Answer, Engine};
use dbgmate::job::Job;
use dbgmate::notes::Plugins;
use dbgmate::trace::{Piece, Trace, parse};
use dbgmate::triage::{Report, report};
use rustix::time::{ClockId, clock_gettime};

const FRAMES: usize = 200;
const WARM_UP: usize = 20;
const ROUNDS: usize = 200;

fn main() {
    let asked: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let asked = if asked.is_empty() { vec![1_000, 10_000] } else { asked };
    let trace = parse(&Job::new(), &[Piece::unnamed(&paste())]).unwrap();
    assert_eq!(trace.stacks[0].frames.len(), FRAMES);
    let mut out = stdout().lock();
    let heads = ["", ", processor", ", engine", ", engine, processor"];
    let heads = heads.map(|what| format!("p50{what} | p99{what}")).join(" | ");
    writeln!(out, "| notes | loaded in | {heads} |\n|{}", " --- |".repeat(10)).unwrap();
    for count in asked {
        let folder = tempfile::tempdir().unwrap();
        write_notes(folder.path(), count);
        let start = Instant::now();
        let (plugins, problems) = Plugins::load(&[folder.path().to_owned()]);
        let loaded = start.elapsed();
        assert_eq!(problems, []);
        let shipped = plugins.notes().iter().count() - count;
        assert!(shipped > 50, "{shipped} shipped notes");
        let ms = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1e3);
        let matched = measure(&trace, |trace| report(&Job::new(), trace, plugins.notes()).unwrap());
        let config = Config { plugins: vec![folder.path().to_owned()], ..Config::default() };
        let engine = Engine::new(config);
        let answered = measure(&trace, |trace| {
            let request = ReportRequest { trace: Some(trace), ..Default::default() };
            ReportMethod::answer(&engine, &Job::new(), request).unwrap().report
        });
        let times = [matched, answered].concat().into_iter();
        let times: Vec<String> = times.map(|times| times.map(ms).join(" | ")).collect();
        writeln!(out, "| {count} | {} | {} |", ms(loaded), times.join(" | ")).unwrap();
    }
}

/// The 50th and the 99th percentile of the time that passes, and of the processor time.
fn measure(trace: &Trace, ask: impl Fn(Trace) -> Report) -> [[Duration; 2]; 2] {
    let (mut passed, mut used): (Vec<Duration>, Vec<Duration>) = (0..WARM_UP + ROUNDS)
        .map(|_| {
            // The report keeps the trace: a copy for each is not what is measured.
            let trace = trace.clone();
            let (start, processor) = (Instant::now(), processor_time());
            let report = ask(trace);
            let times = (start.elapsed(), processor_time() - processor);
            assert_eq!(report.notes[0].id, "many/planted", "the note that fits is found");
            times
        })
        .skip(WARM_UP)
        .unzip();
    [&mut passed, &mut used].map(|times| {
        times.sort();
        [times[ROUNDS / 2], times[ROUNDS * 99 / 100]]
    })
}

/// What this thread has used of a processor.
fn processor_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap()
}

/// 200 frames, and a log.
fn paste() -> String {
    let mut text = String::from("Program received signal SIGSEGV, Segmentation fault.\n");
    for frame in 0..FRAMES {
        let name = if frame == 100 { "planted".to_owned() } else { format!("f{}", frame * 97) };
        writeln!(
            text,
            "#{frame}  0x00007f00000{frame:05x} in {name} (n=0x{frame:x}) at f.c:{frame}"
        )
        .unwrap();
    }
    text.push('\n');
    for record in 0..200 {
        writeln!(
            text,
            "libxl: debug: libxl_event.c:{record}:f: ev_fd=0x{record:x} word{record} here"
        )
        .unwrap();
    }
    text
}

fn write_notes(folder: &Path, count: usize) {
    let plugin = folder.join("many");
    fs::create_dir_all(plugin.join("notes")).unwrap();
    fs::write(plugin.join("plugin.toml"), "name = \"many\"\n").unwrap();
    for number in 0..count {
        let (name, signature) = match number {
            0 => {
                ("planted".to_owned(), "{ frames = [\"planted\", \"...\", \"f14550\"] }".to_owned())
            }
            _ => (format!("n{number}"), signature(number)),
        };
        let note = format!(
            "schema = 1\nid = \"many/{name}\"\ntitle = \"It\"\nkind = \"bug\"\n\
             cause = {{ confidence = \"code\", text = \"x\" }}\nsource = [{{ what = \"x\" }}]\n\
             [[match]]\nrank = \"match\"\nall = [{signature}]\n"
        );
        fs::write(plugin.join(format!("notes/{name}.toml")), note).unwrap();
    }
}

/// A signature that does not hold, although now and then a part of it does.
fn signature(number: usize) -> String {
    let on_stack = number.is_multiple_of(100);
    let first = if on_stack { number / 100 % FRAMES * 97 } else { 100_000 + number };
    match number % 8 {
        0 | 1 => format!("{{ frames = [\"f{first}\", \"...\", \"g{number}\"] }}"),
        2 => format!("{{ frames = [\"f{first}\", \"strlen\", \"...\", \"h{number}\", \"main\"] }}"),
        3 => format!("{{ assertion = \"x{number} == 0\", function = \"f{first}\" }}"),
        4 => format!("{{ frames = [\"f{first}\"], from = \"top\", signal = \"SIGABRT\" }}"),
        5 => format!("{{ log = 'ev_fd=0x[0-9a-f]+ word{number}z' }}"),
        6 => format!("{{ stacks = [[\"f{first}\"], [\"g{number}\"]] }}"),
        _ => format!("{{ log = 'operation {number} failed: \\d+', format = \"libxl-log\" }}"),
    }
}
