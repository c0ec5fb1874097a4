//! The paste of a report, line by line, with what is evidence marked.

use maud::{Markup, html};

use super::rows::{Row, Rows, id};
use super::shown;
use crate::render::report;
use crate::trace::Lines;
use crate::triage::Report;

/// The paste; where only a trace was given, that.
pub(super) fn section(report: &Report, rows: &Rows<'_>) -> Markup {
    let mut next = 0;
    html! {
        @if !rows.all.is_empty() {
            section #trace {
                h2 { @if rows.as_pasted { "The paste" } @else { "The trace" } }
                div.trace.pasted[rows.as_pasted] {
                    @for (place, row) in rows.all.iter().enumerate().filter(|(place, _)| rows.kept.contains(place)) {
                        (gap(place - std::mem::replace(&mut next, place + 1)))
                        (one_row(report, place, row))
                    }
                    (gap(rows.all.len() - next))
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
        div.row.marked[row.is_marked] id=(id(place)) {
            span.number title=(report::place(&row.lines)) { (numbers(&row.lines)) }
            div {
                // Above it: what is evidence may go on in the next row.
                @for (number, what) in &row.marks {
                    a.why href={ "#note-" (number) } {
                        @if let Some(note) = report.notes.get(*number) { (shown(&note.id)) ": " }
                        (shown(what))
                    }
                }
                pre { (text(&row.text)) }
                @for looked_up in &row.looked_up { pre.dim { (looked_up) } }
            }
        }
    }
}

/// Text of one or more lines as it may stand on a page.
fn text(text: &str) -> String {
    let lines = text.split('\n').map(|line| shown(&line.replace('\t', "    ")).into_owned());
    lines.collect::<Vec<_>>().join("\n")
}

/// `12`, `12–13`.
fn numbers(lines: &Lines) -> String {
    if lines.first == lines.last {
        lines.first.to_string()
    } else {
        format!("{}–{}", lines.first, lines.last)
    }
}
