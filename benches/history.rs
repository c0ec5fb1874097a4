//! How long does it take to find the crashes that are like one, among many?
//!
//! ```sh
//! cargo bench --bench history                          # 10,000 and 100,000 crashes
//! cargo bench --bench history -- 10000 100000 1000000  # and what takes minutes to store
//! ```
//!
//! Each crash has a stack of its own: the worst case, since equal stacks are stored once. 12 to 30
//! functions of 20,000, the lower ones as unevenly used as those of an event loop: half of all stacks
//! end in one of four ways. Asked about: a stored stack with one function replaced and one inlined,
//! which has to be found first; and a stack whose pairs are all common ones. The file is opened for
//! each question, as the program does.

#![allow(clippy::unwrap_used)]

use std::io::{Write as _, stdout};
use std::path::Path;
use std::time::{Duration, Instant};

use dbgmate::history::{History, Line, Record};
use rustix::time::{ClockId, clock_gettime};

const AT_ONCE: u64 = 100_000;
const QUESTIONS: u64 = 300;
const WAIT: Duration = Duration::from_secs(1);

fn main() {
    let asked: Vec<u64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let asked = if asked.is_empty() { vec![10_000, 100_000] } else { asked };
    let mut out = stdout().lock();
    let columns = ["p50", "p99", "longest", "p99, processor"];
    let head = ["similar", "common"].map(|what| columns.map(|column| format!("{what} {column}")));
    let head = head.concat().join(" | ");
    writeln!(out, "| crashes | stored in | file | {head} |\n|{}", " --- |".repeat(11)).unwrap();
    for count in asked {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        let start = Instant::now();
        fill(&path, count);
        let stored = start.elapsed();
        let mebibytes = path.metadata().unwrap().len() >> 20;
        let similar = times(|question| ask_altered(&path, question * (count / QUESTIONS)));
        let common = times(|question| ask_common(&path, question));
        let ms = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
        let times = [similar, common].concat().into_iter().map(ms).collect::<Vec<_>>().join(" | ");
        let stored = stored.as_secs_f64();
        writeln!(out, "| {count} | {stored:.0} s | {mebibytes} MiB | {times} |").unwrap();
    }
}

fn fill(path: &Path, count: u64) {
    let mut history = History::open(path, WAIT).unwrap();
    for first in (0..count).step_by(AT_ONCE as usize) {
        let lines: Vec<Line> = (first..count.min(first + AT_ONCE)).map(line).collect();
        let stored = history.store(&lines, u64::MAX).unwrap();
        assert_eq!(stored.added, lines.len());
    }
}

/// A number that looks drawn (the finaliser of splitmix64).
fn drawn(seed: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The stack of a crash: its own part, then for half of them one of four ends.
fn stack(number: u64) -> Vec<String> {
    let depth = 4 + drawn(number) % 14;
    let name = |at: u64| {
        let drawn = drawn(number * 64 + at);
        // Squared: few functions are on many stacks, and many on few.
        let unit = (drawn % 1_000_000) as f64 / 1e6;
        format!("module_{}_function", (unit * unit * 20_000.0) as u64)
    };
    let mut frames: Vec<String> = (0..depth).map(name).collect();
    let end = drawn(number ^ 0x5555) % 8;
    frames.extend((0..8 + end % 5).map(|at| format!("event_loop_{}_{at}", end.min(4))));
    frames
}

fn line(number: u64) -> Line {
    Line::Record(Record {
        digest: format!("{:#018x}", drawn(number)),
        at: "2026-01-31T12:00:00Z".to_owned(),
        fingerprint: Some(format!("v1-{:016x}", drawn(!number))),
        because: "frames of a synthetic crash".to_owned(),
        frames: stack(number),
        notes: Vec::new(),
    })
}

/// The 50th and 99th percentile and the longest of the times that pass, and the 99th percentile of
/// the processor time, which other programs do not lengthen.
fn times(ask: impl Fn(u64)) -> [Duration; 4] {
    let one = |question| {
        let (start, processor) = (Instant::now(), processor_time());
        ask(question);
        (start.elapsed(), processor_time() - processor)
    };
    let (mut passed, mut used): (Vec<Duration>, Vec<Duration>) = (0..QUESTIONS).map(one).unzip();
    passed.sort_unstable();
    used.sort_unstable();
    let at = |times: &[Duration], part: usize| times[(times.len() - 1) * part / 100];
    [at(&passed, 50), at(&passed, 99), at(&passed, 100), at(&used, 99)]
}

/// What this thread has used of a processor.
fn processor_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap()
}

fn ask_altered(path: &Path, number: u64) {
    let mut frames = stack(number);
    frames[2] = "another_function".to_owned();
    frames.remove(5);
    let history = History::open(path, WAIT).unwrap();
    let found = history.similar(None, &frames, None, 10).unwrap();
    assert_eq!(found[0].entry.record.frames, stack(number), "the one that was altered is first");
}

/// The end of very many stacks, as a crash in the event loop itself has it.
fn ask_common(path: &Path, question: u64) {
    let frames: Vec<String> =
        (0..9).map(|at| format!("event_loop_{}_{at}", question % 5)).collect();
    let history = History::open(path, WAIT).unwrap();
    assert!(history.similar(None, &frames, None, 10).unwrap().len() <= 10);
}
