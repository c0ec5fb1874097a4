//! Which lines were one before a mail program broke them at blanks?
//!
//! ```text
//! ==7==    at 0x4848899: malloc (in
//! /usr/libexec/valgrind/vgpreload_memcheck-amd64-linux.so)
//! ==7==    by 0x1091A5: main (heap.c:28)
//! ```
//! The first line is shorter than the longest, and would not be with the next word on it: that is what
//! a program that breaks lines leaves behind. It is no proof, as any line may end there.
//!
//! Rule: lines are joined only if the whole says something that a printer prints. gdb's frames and
//! values are not read here: they say themselves when they end (`wrapped`).

use std::borrow::Cow;

use super::lines::Line;
use super::steps::took;

/// Lines that may have been one: the name of a template in a narrow mail.
const LINES: usize = 24;
/// Bytes that may have been one line.
const BYTES: usize = 4 << 10;
/// Lines that may be the rest of what is a frame without them.
const REST: usize = 12;
/// Times that lines are read as one in vain.
const TRIES: usize = 3;

/// Lines each of which may go on with the next.
#[derive(Debug)]
pub(super) struct Folded {
    lines: Vec<Line<'static>>,
    bytes: usize,
}

impl Folded {
    /// A line that may go on.
    pub(super) fn new(line: &Line<'_>) -> Self {
        Folded { bytes: line.text.len(), lines: vec![owned(line)] }
    }

    /// Whether the line can be more of what is here: it has no indentation, as what follows a broken blank
    /// has none.
    pub(super) fn goes_on_with(&self, line: &Line<'_>) -> bool {
        let starts = line.text.starts_with(|c: char| !c.is_whitespace());
        starts && self.lines.len() < LINES && self.bytes + line.text.len() < BYTES
    }

    /// The first line.
    pub(super) fn first(&self) -> &str {
        self.lines.first().map_or("", |line| &line.text)
    }

    /// The lines as one.
    pub(super) fn text(&self) -> String {
        joined(&self.lines).map_or_else(String::new, |line| line.text.into_owned())
    }

    /// Takes the line as more.
    pub(super) fn join(&mut self, line: &Line<'_>) {
        self.bytes += line.text.len() + 1;
        self.lines.push(owned(line));
    }

    /// What was one line each: as many lines as together say the most by what `says` makes of them, or a
    /// line by itself.
    pub(super) fn unfold(self, says: impl Fn(&str) -> Option<Amount>) -> Vec<Line<'static>> {
        if self.lines.len() == 1 {
            return self.lines;
        }
        let mut rest = self.lines.as_slice();
        let mut whole = Vec::new();
        while let Some(first) = rest.first() {
            let (line, taken) = longest(rest, &says).unwrap_or_else(|| (owned(first), 1));
            whole.push(line);
            rest = rest.get(taken..).unwrap_or_default();
        }
        whole
    }
}

/// The lines from the first that say more together than it does alone, and how many they are.
fn longest(
    lines: &[Line<'_>],
    says: &impl Fn(&str) -> Option<Amount>,
) -> Option<(Line<'static>, usize)> {
    let first = lines.first()?;
    let (mut best, mut most) = (None, says(&first.text));
    let is_frame = |most| most > Some(Amount::Fields(0));
    let reach = if is_frame(most) { 1 + REST } else { LINES };
    let (mut open, mut tries) = (unclosed(&first.text), 0);
    for count in 2..=lines.len().min(reach) {
        let (_, after) = lines.split_at_checked(count - 1)?;
        if is_frame(most) && begins_frame(after, says) {
            break;
        }
        open += unclosed(&after.first()?.text);
        if open > 0 {
            continue;
        }
        let line = joined(lines.get(..count)?)?;
        let amount = says(&line.text);
        if amount > most {
            (best, most, tries) = (Some((line, count)), amount, 0);
        } else {
            tries += 1;
        }
        if tries == TRIES {
            break;
        }
    }
    best
}

/// How many brackets the text opens more than it closes; an arrow closes none.
pub(super) fn unclosed(text: &str) -> isize {
    took(text.len());
    let of = |c: char| match c {
        '(' | '<' | '[' | '{' => 1,
        ')' | '>' | ']' | '}' => -1,
        _ => 0,
    };
    let arrows = text.matches("->").count().cast_signed();
    text.chars().map(of).sum::<isize>() + arrows
}

/// Whether the first line is a frame, or is one with the second. What is in brackets is a frame's rest.
fn begins_frame(lines: &[Line<'_>], says: &impl Fn(&str) -> Option<Amount>) -> bool {
    let frame = |count: usize| {
        let line = lines.get(..count).and_then(joined)?;
        says(&line.text).filter(|amount| *amount > Amount::Fields(0))
    };
    let bracket = lines.first().is_some_and(|line| line.text.starts_with('('));
    !bracket && frame(1).or_else(|| frame(2)).is_some()
}

/// How much a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Amount {
    /// Something without a frame, in so many bytes.
    Words(usize),
    /// Of a frame, so many things.
    Fields(usize),
}

fn owned(line: &Line<'_>) -> Line<'static> {
    Line { text: Cow::Owned(line.text.clone().into_owned()), ..*line }
}

fn joined(lines: &[Line<'_>]) -> Option<Line<'static>> {
    let texts: Vec<&str> = lines.iter().map(|line| line.text.as_ref()).collect();
    let (first, last) = (lines.first()?, lines.last()?);
    let text = Cow::Owned(texts.join(" "));
    Some(Line { number: first.number, last: last.last, text, end: last.end })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::lines::line;

    fn unfolded(texts: &[&str], says: impl Fn(&str) -> Option<Amount>) -> Vec<(usize, usize)> {
        let mut lines = texts.iter().enumerate().map(|(index, text)| line(text, index + 1));
        let mut folded = Folded::new(&lines.next().unwrap());
        lines.for_each(|line| folded.join(&line));
        folded.unfold(says).iter().map(|line| (line.number, line.last)).collect()
    }

    #[test]
    fn as_many_lines_are_joined_as_say_the_most() {
        // A frame says more with each word up to `at`.
        let says = |text: &str| {
            let words = text.strip_prefix("frame")?.split(' ').take_while(|word| *word != "at");
            Some(Amount::Fields(words.count()))
        };
        assert_eq!(unfolded(&["frame a", "b", "at", "c"], says), [(1, 2), (3, 3), (4, 4)]);
        assert_eq!(unfolded(&["my", "words"], says), [(1, 1), (2, 2)]);
    }

    #[test]
    fn a_frame_that_begins_ends_the_one_before() {
        let says = |text: &str| {
            let frames = text.matches("frame").count();
            (frames > 0).then(|| Amount::Fields(text.split(' ').count()))
        };
        assert_eq!(unfolded(&["frame a", "frame", "b"], says), [(1, 1), (2, 3)]);
    }

    #[test]
    fn what_says_less_than_a_frame_never_takes_one() {
        let says = |text: &str| match text.split(' ').next()? {
            "remark" => Some(Amount::Words(text.len())),
            "(frame" => Some(Amount::Fields(1)),
            _ => None,
        };
        assert_eq!(unfolded(&["remark a", "b"], says), [(1, 2)]);
        assert!(Amount::Fields(0) > Amount::Words(1000));
    }
}
