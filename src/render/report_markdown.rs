//! A report for a bug tracker, as Markdown: what it is, the evidence, what to do, then the trace.

use std::fmt::Write;

use super::escape::escape;
use super::markdown::{code, markdown as trace, text};
use super::report::{
    affected, ask_lines, contents, fix, in_words, known_by, not_there, place, release, seen_before,
    verdict,
};
use crate::triage::{Ask, Claim, Interleaving, MatchedNote, Report, Setting};

/// The report, its trace last and folded away.
pub fn markdown(report: &Report) -> String {
    let mut page = String::new();
    if report.notes.is_empty() {
        line(&mut page, &format!("No known bug fits. Read: {}.\n", contents(&report.trace)));
    }
    report.notes.iter().for_each(|note| write_note(&mut page, note));
    let told: Vec<String> = report
        .objects
        .iter()
        .take(MOST_OBJECTS)
        .map(|life| {
            format!("{}: {}", span(&format!("{} {}", life.name, life.key)), words(&life.told))
        })
        .collect();
    list(&mut page, "Objects in this text", &told);
    list(&mut page, "Known again by", &known_again(report));
    let trace = trace(&report.trace);
    if !trace.is_empty() {
        line(&mut page, "<details><summary>The trace</summary>\n");
        page.push_str(&trace);
        line(&mut page, "</details>");
    }
    page
}

/// Objects told of: a tracker's page is no table of a thousand rows.
const MOST_OBJECTS: usize = 20;

/// The fingerprint, how often it was seen before, and a person's own words about it.
fn known_again(report: &Report) -> Vec<String> {
    let seen = report.seen.as_ref();
    let before = seen
        .and_then(seen_before)
        .map(|(times, when, command)| format!("{times}, {}: {}", words(&when), span(&command)));
    let note = seen.and_then(|seen| seen.note.as_ref()).map(|note| words(note));
    known_by(&report.identity)
        .map(|known| span(&known))
        .into_iter()
        .chain(before)
        .chain(note)
        .collect()
}

/// Writing to a String cannot fail.
fn line(page: &mut String, text: &str) {
    let _ = writeln!(page, "{text}");
}

/// Prose on one line.
fn words(prose: &str) -> String {
    text(&escape(prose.trim()))
}

/// What was printed, on one line.
fn span(printed: &str) -> String {
    code(&escape(printed))
}

fn list(page: &mut String, title: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    line(page, &format!("### {title}\n"));
    items.iter().for_each(|item| line(page, &format!("- {item}")));
    page.push('\n');
}

fn write_note(page: &mut String, note: &MatchedNote) {
    line(page, &format!("## {}: {}\n", verdict(note.rank), words(&note.title)));
    line(page, &format!("Known as {}.\n", span(&note.id)));
    let evidence: Vec<String> = note
        .evidence
        .iter()
        .map(|one| {
            let place = words(&place(&one.lines));
            let shown =
                if one.what == one.text { String::new() } else { format!(": {}", span(&one.text)) };
            format!("**{place}**: {}{shown}", words(&one.what))
        })
        .collect();
    list(page, "Evidence", &evidence);
    for (title, missing) in not_there(note) {
        let told = missing
            .iter()
            .map(|one| format!("{} (to get it: {})", words(&one.what), words(&one.how)));
        list(page, title, &told.collect::<Vec<_>>());
    }
    claim(page, "What happens", Some(&note.cause));
    claim(page, "Easily overlooked", note.overlooked.as_ref());
    note.remarks.iter().for_each(|remark| claim(page, "About this paste", Some(remark)));
    if let Some(interleaving) = &note.interleaving {
        write_interleaving(page, interleaving);
    }
    if !note.affected.is_empty() {
        let releases = note.affected.iter().map(affected).chain(note.releases.iter().map(release));
        list(page, "Affected", &releases.map(|line| words(&line)).collect::<Vec<_>>());
    }
    let fixes: Vec<String> = note
        .fixes
        .iter()
        .map(|one| {
            let remark = one.remark.as_ref().map(|remark| format!(" ({remark})"));
            words(&format!("{}: {}{}", fix(one), one.subject, remark.unwrap_or_default()))
        })
        .collect();
    if fixes.is_empty() {
        line(page, "No fix is known.\n")
    } else {
        list(page, "Fixes", &fixes)
    }
    claim(page, "Until then", note.workaround.as_ref());
    let asks = note.asks.iter().map(ask).chain(note.settings.iter().map(setting));
    list(page, "Look at next", &asks.collect::<Vec<_>>());
    list(page, "Sources", &note.sources.iter().map(|source| words(source)).collect::<Vec<_>>());
    list(page, "See also", &note.related.iter().map(|id| span(id)).collect::<Vec<_>>());
}

fn claim(page: &mut String, title: &str, claim: Option<&Claim>) {
    let Some(claim) = claim else { return };
    line(
        page,
        &format!("### {title}\n\n{} *({})*\n", words(&claim.text), in_words(claim.confidence)),
    );
}

/// A column a thread, a row a step (GitHub Flavored Markdown §4.10).
fn write_interleaving(page: &mut String, interleaving: &Interleaving) {
    let Interleaving { confidence, threads, steps } = interleaving;
    line(page, &format!("### Interleaving\n\n*({})*\n", in_words(*confidence)));
    let row = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let heads = threads.iter().map(|(letter, who)| words(&format!("{letter}: {who}")));
    line(page, &row(std::iter::once(String::new()).chain(heads).collect()));
    line(page, &row(vec!["---".to_owned(); threads.len() + 1]));
    for (number, step) in steps.iter().enumerate() {
        let cell = |letter: &String| if *letter == step.0 { words(&step.1) } else { String::new() };
        let cells = threads.keys().map(cell);
        line(page, &row(std::iter::once((number + 1).to_string()).chain(cells).collect()));
    }
    page.push('\n');
}

fn ask(ask: &Ask) -> String {
    let tick = if ask.answer.is_some() { "[x]" } else { "[ ]" };
    let frame = ask.frame.as_ref().map(|frame| format!(" in {}", span(frame)));
    let lines: Vec<String> = ask_lines(ask).iter().map(|line| words(line)).collect();
    format!("{tick} print {}{}: {}", span(&ask.show), frame.unwrap_or_default(), lines.join("; "))
}

fn setting(setting: &Setting) -> String {
    let shows = setting.shows.as_ref().map(|shows| format!("; look for {}", span(shows)));
    format!(
        "[ ] log with {}: {}{}",
        span(&setting.set),
        words(&setting.why),
        shows.unwrap_or_default()
    )
}
