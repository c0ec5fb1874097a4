//! Which frames stand on one line, as chats and trackers that take no line ends leave them?
//!
//! ```text
//! (gdb) bt #0 0x00007f5fb5929b55 in raise () from /lib/libc.so.6 #1 0x00007f5fb592a000 in abort () from /lib/libc.so.6
//! ```
//! Rule: the line is taken apart at the numbers of frames that count up, outside brackets and strings, if what
//! stands behind each is a frame by itself.

use memchr::memchr;

use super::budget::Budget;
use super::formats::{gdb, numbered};
use super::nesting::Nesting;

/// Bytes of a line that are taken apart, some 6,000 frames.
const BYTES: usize = 1 << 20;
/// What one frame may need of a budget, to see whether it is one.
const FRAME: usize = 1 << 20;

/// The parts of the line, what stands before the first frame among them; nothing where the line is one.
pub(super) fn parts(line: &str) -> Vec<String> {
    let numbers = if may_be(line) { frames(line) } else { Vec::new() };
    let starts = || numbers.iter().map(|(_, at)| *at);
    let ends = starts().skip(1).chain([line.len()]);
    let texts = starts().zip(ends).filter_map(|(start, end)| line.get(start..end));
    let frames: Vec<String> = texts.map(unindented).collect();
    let are_frames =
        || numbers.iter().zip(&frames).all(|((index, _), text)| is_frame(*index, text));
    if frames.len() < 2 || !are_frames() {
        return Vec::new();
    }
    let before = starts().next().and_then(|first| line.get(..first));
    let before = before.filter(|before| !before.trim().is_empty()).map(str::to_owned);
    before.into_iter().chain(frames).collect()
}

/// The text with one blank for several, outside strings: they were the indentation of lines that the frame was
/// wrapped to.
fn unindented(text: &str) -> String {
    let part = |(index, part): (usize, &str)| match index % 2 {
        1 => part.to_owned(),
        _ => {
            let words = part.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
            let before = if part.starts_with(' ') { " " } else { "" };
            let after = if part.ends_with(' ') { " " } else { "" };
            format!("{before}{words}{after}")
        }
    };
    text.split('"').enumerate().map(part).collect::<Vec<_>>().join("\"").trim().to_owned()
}

/// Whether a number of a frame may stand behind something else; few lines have one.
pub(super) fn may_be(line: &str) -> bool {
    let behind = line.trim_start().get(1..).unwrap_or_default();
    line.len() <= BYTES && memchr(b'#', behind.as_bytes()).is_some()
}

/// The numbers that count up, and where each begins.
fn frames(line: &str) -> Vec<(u32, usize)> {
    let mut found: Vec<(u32, usize)> = Vec::new();
    let (mut nesting, mut read) = (Nesting::default(), 0);
    for (at, _) in line.match_indices('#') {
        let Some(rest) = line.get(at..) else { break };
        let Some((index, _)) = gdb::frame_start(rest) else { continue };
        let before = line.get(read..at).unwrap_or_default();
        if !(at == 0 || before.ends_with([' ', '\t'])) {
            continue;
        }
        nesting.read(before);
        read = at;
        let next = found.last().map_or(0, |(index, _)| index.saturating_add(1));
        let begins =
            found.is_empty() && line.get(..at).is_some_and(|before| before.trim().is_empty());
        if (index == next || begins) && !nesting.is_open() {
            found.push((index, at));
            nesting = Nesting::default();
        }
    }
    found
}

/// Whether a printer of frames wrote this, by itself.
fn is_frame(index: u32, text: &str) -> bool {
    let Some((_, rest)) = gdb::frame_start(text) else { return false };
    // An open bracket would take the next line too.
    let mut nesting = Nesting::default();
    nesting.read(rest);
    if nesting.is_open() {
        return false;
    }
    let of_gdb = || {
        let frame = gdb::frame(rest, index, &mut Budget::of(FRAME));
        frame.is_some_and(|frame| {
            frame.address.is_some() || frame.line.is_some() || frame.signal_handler
        })
    };
    // The last may have been cut off before its arguments.
    let told = gdb::has_arguments(rest) || rest == gdb::SIGNAL_HANDLER || rest.starts_with("0x");
    numbered(rest, index).is_some() || told && of_gdb()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_on_one_line_are_taken_apart() {
        let gdb = "(gdb) bt #0  0x01 in raise (s=\"a #1 b\") from /lib/libc.so.6 #1 0x02 in f (x=1) at a.c:2";
        assert_eq!(
            parts(gdb),
            [
                "(gdb) bt ",
                "#0 0x01 in raise (s=\"a #1 b\") from /lib/libc.so.6",
                "#1 0x02 in f (x=1) at a.c:2"
            ]
        );
        assert_eq!(
            parts("    #3 0x4f in f /a/b.c:12:3 #4 0x5f in main /a/b.c:20:1"),
            ["#3 0x4f in f /a/b.c:12:3", "#4 0x5f in main /a/b.c:20:1"]
        );
    }

    #[test]
    fn other_lines_are_one() {
        for line in [
            "",
            "#",
            "#0  0x01 in raise () from /lib/libc.so.6",
            "#0  0x01 in f (s=\"x\") at #1/a.c:1",
            "it was #0  0x01 in f () from /lib/libc.so.6",
            "it is #0 of the list and #1 too (as said)",
            "#0  f () at a.c:1 #2  g () at a.c:2",
            "see #0 and #1 f ()",
            "#4294967295 0x01 in f () #0 0x02 in g ()",
        ] {
            assert!(parts(line).is_empty(), "{line}");
        }
    }
}
