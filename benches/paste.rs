//! How long does a paste of 6,000 frames take to read?
//!
//! ```sh
//! cargo bench --bench paste [-- PART-OF-A-NAME]
//! ```
//!
//! Each row is a paste of tests/traces, over and over until it has that many frames. Every reading must find as many
//! as one paste has, times how often it stands there; reading is all that is timed, in processor time.

#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::time::Duration;

use dbgmate::job::Job;
use dbgmate::notes::Plugins;
use dbgmate::trace::{LineFormats, Piece, Trace, parse_with};
use rustix::time::{ClockId, clock_gettime};

const FRAMES: usize = 6_000;
const ROUNDS: usize = 50;
/// What each is, and the paste.
const PASTES: [(&str, &str); 7] = [
    ("gdb, `where` of stripped binaries", include_str!("../tests/traces/hvm-create-abort.txt")),
    ("gdb, `bt full` with values", include_str!("../tests/traces/hvm-create-abort-full.txt")),
    (
        "gdb, breakpoints and `where`",
        include_str!("../tests/traces/fd-deregister-race-breakpoints.txt"),
    ),
    ("eu-stack -m -a -l", include_str!("../tests/traces/eu-stack/modules.txt")),
    ("AddressSanitizer", include_str!("../tests/traces/sanitizer/asan-gcc-use-after-free.txt")),
    ("valgrind", include_str!("../tests/traces/valgrind/memcheck-use-after-free.txt")),
    ("jstack", include_str!("../tests/traces/java/deadlock.txt")),
];

fn main() {
    let (plugins, _) = Plugins::load(&[]);
    let mut out = std::io::stdout().lock();
    writeln!(out, "| paste | frames | size | fastest | median |\n|---|---|---|---|---|").unwrap();
    // Cargo adds `--bench`.
    let only = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let asked = |name: &str| only.as_ref().is_none_or(|only| name.contains(only.as_str()));
    for (name, paste) in PASTES.into_iter().filter(|(name, _)| asked(name)) {
        let (text, frames) = repeated(paste, plugins.line_formats());
        let mut times: Vec<Duration> =
            (0..ROUNDS).map(|_| timed(&text, frames, plugins.line_formats())).collect();
        times.sort_unstable();
        let (fastest, median) = (milliseconds(times[0]), milliseconds(times[ROUNDS / 2]));
        let size = text.len() / 1000;
        writeln!(out, "| {name} | {frames} | {size} kB | {fastest:.1} ms | {median:.1} ms |")
            .unwrap();
    }
}

/// The paste so often that it has the frames, and how many it has then.
fn repeated(paste: &str, formats: &LineFormats) -> (String, usize) {
    let once = frames(&read(paste, formats));
    let times = FRAMES.div_ceil(once);
    (format!("{}\n", paste.trim_end()).repeat(times), once * times)
}

fn timed(text: &str, expected: usize, formats: &LineFormats) -> Duration {
    let begun = processor_time();
    let trace = read(text, formats);
    let taken = processor_time() - begun;
    assert_eq!(frames(&trace), expected);
    taken
}

fn processor_time() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap()
}

fn read(text: &str, formats: &LineFormats) -> Trace {
    parse_with(&Job::new(), &[Piece::unnamed(text)], formats).unwrap()
}

fn frames(trace: &Trace) -> usize {
    trace.stacks.iter().map(|stack| stack.frames.len()).sum()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
