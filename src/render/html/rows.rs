//! The rows of a page: the paste as it was pasted, or, for want of its text, what was read in it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::render::in_order::{Told, in_order};
use crate::render::{plain, told, trace as frames};
use crate::trace::{Frame, Lines, Piece, Trace};
use crate::triage::Report;

/// Rows beyond which only those around the evidence are shown, and of those only so many.
const MOST_ROWS: usize = 2000;

/// Rows on either side of one that is evidence.
const AROUND: usize = 20;

/// One line of the paste, or what one or a few lines of it say.
pub(super) struct Row<'t> {
    pub(super) lines: Cow<'t, Lines>,
    /// What the rows from here on are: a thread, or one text of several.
    pub(super) heading: Option<Cow<'t, str>>,
    pub(super) text: Cow<'t, str>,
    /// What binaries say of its addresses.
    pub(super) looked_up: Vec<String>,
    /// It is evidence.
    pub(super) is_marked: bool,
    /// Each note that evidence begins for here, by its place, with what it shows.
    pub(super) marks: Vec<(usize, &'t str)>,
}

/// The rows, and which of them are on the page.
pub(super) struct Rows<'t> {
    pub(super) all: Vec<Row<'t>>,
    pub(super) kept: BTreeSet<usize>,
    /// They are the lines of the paste.
    pub(super) as_pasted: bool,
}

impl<'t> Rows<'t> {
    /// Of the paste's texts, in order; there are none where a trace was given.
    pub(super) fn of(report: &'t Report, pasted: &[Piece<'t>]) -> Rows<'t> {
        let as_pasted = !pasted.is_empty();
        let mut all = if as_pasted {
            let mut rows: Vec<_> = pasted.iter().flat_map(lines_of).collect();
            look_up(&mut rows, &report.trace);
            rows
        } else {
            read(&report.trace)
        };
        for (number, note) in report.notes.iter().enumerate() {
            for evidence in &note.evidence {
                let meant = all.iter_mut().filter(|row| overlap(&row.lines, &evidence.lines));
                for (place, row) in meant.enumerate() {
                    row.is_marked = true;
                    if place == 0 {
                        row.marks.push((number, &evidence.what));
                    }
                }
            }
        }
        let kept = kept(&all);
        Rows { all, kept, as_pasted }
    }

    /// The id of the first row on the page that these lines are in.
    pub(super) fn anchor(&self, lines: &Lines) -> Option<String> {
        let is_meant = |row: &Row<'_>| overlap(&row.lines, lines);
        let place = self.all.iter().position(is_meant).filter(|place| self.kept.contains(place))?;
        Some(id(place))
    }
}

/// The id of a row by its place.
pub(super) fn id(place: usize) -> String {
    format!("row-{place}")
}

fn overlap(a: &Lines, b: &Lines) -> bool {
    a.piece == b.piece && a.first <= b.last && b.first <= a.last
}

fn row<'t>(lines: Cow<'t, Lines>, text: Cow<'t, str>) -> Row<'t> {
    Row { lines, heading: None, text, looked_up: Vec::new(), is_marked: false, marks: Vec::new() }
}

/// The lines of one text, counted as a trace counts them.
fn lines_of<'t>(piece: &Piece<'t>) -> Vec<Row<'t>> {
    let whole = piece.text.strip_suffix('\n').unwrap_or(piece.text);
    let mut rows: Vec<Row<'t>> = Vec::new();
    for (line, number) in whole.split('\n').zip(1..) {
        let name = piece.name.map(str::to_owned);
        let lines = Lines { piece: name, first: number, last: number };
        let text = line.strip_suffix('\r').unwrap_or(line);
        rows.push(row(Cow::Owned(lines), Cow::Borrowed(text)));
    }
    if let Some(first) = rows.first_mut() {
        first.heading = piece.name.map(Cow::Borrowed);
    }
    rows
}

/// Puts what binaries say of a frame below its last line.
fn look_up(rows: &mut [Row<'_>], trace: &Trace) {
    let first_lines = rows.iter().enumerate().filter(|(_, row)| row.lines.first == 1);
    let starts: BTreeMap<Option<String>, usize> =
        first_lines.map(|(place, row)| (row.lines.piece.clone(), place)).collect();
    let frames = trace.stacks.iter().flat_map(|stack| &stack.frames);
    for frame in frames.filter(|frame| frame.resolved.is_some()) {
        let Some(start) = starts.get(&frame.lines.piece) else { continue };
        let place = start.saturating_add(frame.lines.last.saturating_sub(1));
        if let Some(row) = rows.get_mut(place).filter(|row| row.lines.piece == frame.lines.piece) {
            row.looked_up.push(whole(frame));
        }
    }
}

fn whole(frame: &Frame) -> String {
    let mut text = String::new();
    frames::write_whole_frame(&mut text, frame);
    plain(&text).trim_end().to_owned()
}

/// What was read: wrapped lines joined, addresses looked up.
fn read(trace: &Trace) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for one in in_order(trace) {
        match one {
            Told::Stack(stack) => {
                let mut heading = Some(told::stack(stack)).filter(|heading| !heading.is_empty());
                for frame in &stack.frames {
                    let heading = heading.take().map(Cow::Owned);
                    rows.push(Row { heading, ..said(&frame.lines, whole(frame)) });
                }
            }
            Told::Event(event) => {
                rows.extend(told::event(event).map(|text| said(&event.lines, text)));
            }
            Told::Value(value) => rows.push(said(&value.lines, told::value(value))),
            Told::Record(record) => {
                rows.push(said(&record.lines, told::record(record).join("\n")));
            }
        }
    }
    // What was found in a frame of a stack stands beside that frame.
    rows.chunk_by_mut(|a: &Row<'_>, b| a.lines.piece == b.lines.piece)
        .for_each(|piece| piece.sort_by_key(|row| row.lines.first));
    rows
}

fn said(lines: &Lines, text: String) -> Row<'_> {
    row(Cow::Borrowed(lines), Cow::Owned(text))
}

/// All rows, or of very many those around the evidence; where there is none, the first.
fn kept(rows: &[Row<'_>]) -> BTreeSet<usize> {
    if rows.len() <= MOST_ROWS {
        return (0..rows.len()).collect();
    }
    let marked = rows.iter().enumerate().filter(|(_, row)| row.is_marked);
    let around = |place: usize| place.saturating_sub(AROUND)..(place + AROUND + 1).min(rows.len());
    let kept: BTreeSet<usize> = marked.flat_map(|(place, _)| around(place)).collect();
    if kept.is_empty() {
        (0..MOST_ROWS).collect()
    } else {
        kept.into_iter().take(MOST_ROWS).collect()
    }
}
