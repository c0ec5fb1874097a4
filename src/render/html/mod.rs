//! A report as one HTML page that needs nothing else: no script, no font, no request.
//!
//! Rule: [`maud`] escapes each text that it inserts, [`shown`] makes control characters visible
//! before. Only pictures that this module makes go in as they are. Should both fail, the page's
//! own policy (Content Security Policy Level 3) lets a browser run and load nothing.

mod note;
mod rows;
mod swimlane;
mod trace;

use std::borrow::Cow;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::escape::escape;
use super::lives_svg;
use super::report::{known_by, seen_before};
use crate::trace::Piece;
use crate::triage::Report;
use rows::Rows;

/// So many objects are told at once.
const FEW: usize = 8;

const STYLE: &str = include_str!("style.css");

/// Styles in the page, and nothing else.
const POLICY: &str = include_str!("policy.txt");

/// The page: each note with its evidence, linked to the lines of the paste below; the pictures. The paste
/// is the texts that the report was made of, in order; where there are none the trace is shown.
pub fn html(report: &Report, paste: &[Piece<'_>]) -> String {
    let rows = Rows::of(report, paste);
    let title = match report.notes.as_slice() {
        [] => "No known bug fits".to_owned(),
        [first, ..] => format!("{}: {}", first.id, first.title),
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (self::shown(&title)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "Triage" }
                    p { (super::report::contents(&report.trace)) }
                    @if report.notes.is_empty() { p.verdict { "No known bug fits." } }
                }
                main {
                    @for (number, note) in report.notes.iter().enumerate() {
                        (note::section(number, note, &rows))
                    }
                    (known_again(report))
                    (objects(report))
                    (trace::section(report, &rows))
                }
            }
        }
    };
    page.into_string()
}

/// What came from outside, for a page: `maud` escapes what HTML would read as its own.
fn shown(text: &str) -> Cow<'_, str> {
    escape(text)
}

/// The fingerprint, how often it was seen before, and a person's own words about it.
fn known_again(report: &Report) -> Markup {
    let seen = report.seen.as_ref();
    html! {
        @if let Some(known) = known_by(&report.identity) {
            section #known-again {
                h2 { "Known again by" }
                p { code { (shown(&known)) } }
                @if let Some((times, when, command)) = seen.and_then(seen_before) {
                    p { strong { (times) } ", " (shown(&when)) ": " code { (command) } }
                }
                @if let Some(note) = seen.and_then(|seen| seen.note.as_deref()) {
                    h3 { "Your note" }
                    p { (shown(note)) }
                }
            }
        }
    }
}

/// When the objects of a log began and ended.
fn objects(report: &Report) -> Markup {
    html! {
        @if !report.objects.is_empty() {
            section #objects {
                h2 { "Objects in this text" }
                div.picture { (PreEscaped(lives_svg::timeline(report))) }
                details open[report.objects.len() <= FEW] {
                    summary { "In words" }
                    ul {
                        @for life in report.objects.iter().take(lives_svg::MOST_ROWS) {
                            li { code { (shown(&life.name)) " " (shown(&life.key)) } ": " (shown(&life.told)) }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
