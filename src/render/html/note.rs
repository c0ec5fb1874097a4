//! One note of a report: verdict, evidence, what happens, what to do.

use maud::{Markup, html};

use super::rows::Rows;
use super::{shown, swimlane};
use crate::render::report;
use crate::triage::{Ask, Claim, Evidence, Fix, MatchedNote, Rank, Setting};

/// The section of a note, by its place in the report.
pub(super) fn section(number: usize, note: &MatchedNote, rows: &Rows<'_>) -> Markup {
    let class = match note.rank {
        Rank::Match => "certain",
        Rank::Consistent | Rank::Symptom => "uncertain",
    };
    html! {
        section.note id={ "note-" (number) } {
            h2 {
                span.rank.(class) { (report::verdict(note.rank)) }
                " " (shown(&note.title))
            }
            p.id { code { (shown(&note.id)) } " · " (shown(&note.kind)) }
            (evidence(note, rows))
            (claim("What happens", Some(&note.cause)))
            (claim("Easily overlooked", note.overlooked.as_ref()))
            @for remark in &note.remarks { (claim("About this paste", Some(remark))) }
            @if let Some(interleaving) = &note.interleaving {
                (heading("Interleaving", report::in_words(interleaving.confidence)))
                div.picture { (swimlane::picture(interleaving)) }
            }
            (remedies(note))
            (asks(&note.asks, &note.settings))
            (list("Sources", &note.sources))
            (list("See also", &note.related))
        }
    }
}

fn heading(title: &str, remark: &str) -> Markup {
    html! { h3 { (title) " " span.dim { "(" (remark) ")" } } }
}

fn claim(title: &str, claim: Option<&Claim>) -> Markup {
    html! {
        @if let Some(claim) = claim {
            (heading(title, report::in_words(claim.confidence)))
            p { (shown(&claim.text)) }
        }
    }
}

fn list(title: &str, items: &[String]) -> Markup {
    html! {
        @if !items.is_empty() {
            h3 { (title) }
            ul { @for item in items { li { (shown(item)) } } }
        }
    }
}

fn evidence(note: &MatchedNote, rows: &Rows<'_>) -> Markup {
    html! {
        h3 { "Evidence" }
        table.evidence {
            @for Evidence { what, lines, text, required } in &note.evidence {
                tr {
                    td.place {
                        @match rows.anchor(lines) {
                            Some(anchor) => a href={ "#" (anchor) } { (report::place(lines)) },
                            None => (report::place(lines)),
                        }
                    }
                    td {
                        (shown(what))
                        @if !required { span.dim { " (supports it)" } }
                        @if what != text { br; code.dim { (shown(text)) } }
                    }
                }
            }
        }
        @for (title, missing) in report::not_there(note) {
            h3 { (title) }
            ul {
                @for missing in missing {
                    li { (shown(&missing.what)) br; span.dim { "to get it: " (shown(&missing.how)) } }
                }
            }
        }
    }
}

fn remedies(note: &MatchedNote) -> Markup {
    html! {
        @if !note.affected.is_empty() {
            h3 { "Affected" }
            ul {
                @for affected in &note.affected { li { (shown(&report::affected(affected))) } }
                @for told in &note.releases { li { (shown(&report::release(told))) } }
            }
        }
        @if note.fixes.is_empty() {
            h3 { "No fix is known" }
        } @else {
            h3 { "Fixes" }
            ul { @for fix in &note.fixes { li { (one_fix(fix)) } } }
        }
        (claim("Until then", note.workaround.as_ref()))
    }
}

fn one_fix(fix: &Fix) -> Markup {
    html! {
        (shown(&report::fix(fix))) br; (shown(&fix.subject))
        @if let Some(remark) = &fix.remark { br; span.dim { "(" (shown(remark)) ")" } }
    }
}

fn asks(asks: &[Ask], settings: &[Setting]) -> Markup {
    html! {
        @if !asks.is_empty() || !settings.is_empty() {
            h3 { "Look at next" }
            ul.checklist {
                @for ask in asks {
                    li {
                        @if ask.answer.is_some() { "☑" } @else { "☐" }
                        " print " code { (shown(&ask.show)) }
                        @if let Some(frame) = &ask.frame { " in " code { (shown(frame)) } }
                        @for line in report::ask_lines(ask) { br; span.dim { (shown(&line)) } }
                    }
                }
                @for setting in settings {
                    li {
                        "☐ log with " code { (shown(&setting.set)) }
                        br; span.dim { (shown(&setting.why)) }
                        @if let Some(shows) = &setting.shows {
                            br; span.dim { "look for: " (shown(shows)) }
                        }
                    }
                }
            }
        }
    }
}
