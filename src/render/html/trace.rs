//! The trace of a report, line by line, with what is evidence marked.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::shown;
use crate::render::in_order::{Told, in_order};
use crate::render::{plain, report, told, trace as frames};
use crate::trace::{Lines, Trace};
use crate::triage::Report;

/// Rows beyond which only those around the evidence are shown, and of those only so many.
const MOST_ROWS: usize = 2000;

/// Rows on either side of one that is evidence.
const AROUND: usize = 20;

/// What one or a few lines of the paste say.
struct Row<'t> {
    lines: &'t Lines,
    /// What the rows from here on are: a thread, say.
    heading: Option<String>,
    text: String,
    /// Each note that this is evidence for, by its place, with what it shows.
    marks: Vec<(usize, &'t str)>,
}

/// The rows of a trace, and which of them are on the page.
pub(super) struct Shown<'t> {
    rows: Vec<Row<'t>>,
    kept: BTreeSet<usize>,
}

impl<'t> Shown<'t> {
    pub(super) fn of(report: &'t Report) -> Shown<'t> {
        let mut rows = rows(&report.trace);
        for (number, note) in report.notes.iter().enumerate() {
            for evidence in &note.evidence {
                let meant = rows.iter_mut().filter(|row| overlap(row.lines, &evidence.lines));
                meant.for_each(|row| row.marks.push((number, &evidence.what)));
            }
        }
        let kept = kept(&rows);
        Shown { rows, kept }
    }

    /// The id of the first row on the page that these lines are in.
    pub(super) fn anchor(&self, lines: &Lines) -> Option<String> {
        let is_meant = |row: &Row<'_>| overlap(row.lines, lines);
        let place =
            self.rows.iter().position(is_meant).filter(|place| self.kept.contains(place))?;
        Some(id(place))
    }
}

fn id(place: usize) -> String {
    format!("row-{place}")
}

fn overlap(a: &Lines, b: &Lines) -> bool {
    a.piece == b.piece && a.first <= b.last && b.first <= a.last
}

fn rows(trace: &Trace) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for one in in_order(trace) {
        match one {
            Told::Stack(stack) => {
                let mut heading = Some(told::stack(stack)).filter(|heading| !heading.is_empty());
                for frame in &stack.frames {
                    let mut text = String::new();
                    frames::write_whole_frame(&mut text, frame);
                    let text = plain(&text).trim_end().to_owned();
                    let heading = heading.take();
                    rows.push(Row { lines: &frame.lines, heading, text, marks: Vec::new() });
                }
            }
            Told::Event(event) => {
                rows.extend(told::event(event).map(|text| row(&event.lines, text)))
            }
            Told::Value(value) => rows.push(row(&value.lines, told::value(value))),
            Told::Record(record) => {
                rows.push(row(&record.lines, told::record(record).join("\n")));
            }
        }
    }
    // What was found in a frame of a stack stands beside that frame.
    rows.chunk_by_mut(|a: &Row<'_>, b| a.lines.piece == b.lines.piece)
        .for_each(|piece| piece.sort_by_key(|row| row.lines.first));
    rows
}

fn row(lines: &Lines, text: String) -> Row<'_> {
    Row { lines, heading: None, text, marks: Vec::new() }
}

/// All rows, or of very many those around the evidence; where there is none, the first.
fn kept(rows: &[Row<'_>]) -> BTreeSet<usize> {
    if rows.len() <= MOST_ROWS {
        return (0..rows.len()).collect();
    }
    let marked = rows.iter().enumerate().filter(|(_, row)| !row.marks.is_empty());
    let around = |place: usize| place.saturating_sub(AROUND)..(place + AROUND + 1).min(rows.len());
    let kept: BTreeSet<usize> = marked.flat_map(|(place, _)| around(place)).collect();
    if kept.is_empty() {
        (0..MOST_ROWS).collect()
    } else {
        kept.into_iter().take(MOST_ROWS).collect()
    }
}

/// The trace, as it was read: wrapped lines joined, addresses looked up.
pub(super) fn section(report: &Report, shown: &Shown<'_>) -> Markup {
    let mut next = 0;
    html! {
        @if !shown.rows.is_empty() {
            section #trace {
                h2 { "The trace" }
                div.trace {
                    @for (place, row) in shown.rows.iter().enumerate().filter(|(place, _)| shown.kept.contains(place)) {
                        (gap(place - std::mem::replace(&mut next, place + 1)))
                        (one_row(report, place, row))
                    }
                    (gap(shown.rows.len() - next))
                }
            }
        }
    }
}

/// Rows that are left out.
fn gap(rows: usize) -> Markup {
    html! { @if rows > 0 { p.gap { "… " (rows) " not shown" } } }
}

fn one_row(report: &Report, place: usize, row: &Row<'_>) -> Markup {
    html! {
        @if let Some(heading) = &row.heading { h3 { (shown(heading)) } }
        div.row.marked[!row.marks.is_empty()] id=(id(place)) {
            span.number title=(report::place(row.lines)) { (numbers(row.lines)) }
            div {
                pre { (row.text) }
                @for (number, what) in &row.marks {
                    a.why href={ "#note-" (number) } {
                        @if let Some(note) = report.notes.get(*number) { (shown(&note.id)) ": " }
                        (shown(what))
                    }
                }
            }
        }
    }
}

/// `12`, `12–13`.
fn numbers(lines: &Lines) -> String {
    if lines.first == lines.last {
        lines.first.to_string()
    } else {
        format!("{}–{}", lines.first, lines.last)
    }
}
