//! Which known bug is it: the report of a triage as a page of text.

use std::fmt::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::escape::escape;
use super::interleaving::columns;
use super::lives::write_lives;
use super::style::{CERTAIN, DIM, EVIDENCE, HEADING, HINT, TITLE, UNCERTAIN};
use super::wrap::{filled, wrap};
use crate::trace::{Lines, Trace};
use crate::triage::{
    Affected, Ask, Claim, Confidence, Evidence, Fix, Identity, MatchedNote, Missing, Rank,
    ReleaseTold, ReleaseVerdict, Report, Seen, Setting, Verdict,
};

/// The page's width in columns.
const WIDTH: usize = 100;

/// Evidence stands beside its place; where the names of pastes are longer than this, below it.
const MOST_BESIDE: usize = 40;

/// The report for a terminal; [`super::plain`] takes the styles away.
pub fn styled(report: &Report) -> String {
    let mut page = String::new();
    // Writing to a String cannot fail.
    let _ = write_report(&mut page, report);
    page
}

/// The report without styles.
pub fn text(report: &Report) -> String {
    super::plain(&styled(report))
}

fn write_report(page: &mut String, report: &Report) -> fmt::Result {
    if report.notes.is_empty() {
        writeln!(page, "No known bug fits. Read: {}.", contents(&report.trace))?;
    }
    for (number, note) in report.notes.iter().enumerate() {
        if number > 0 {
            writeln!(page)?;
        }
        write_note(page, note)?;
    }
    if let Some(seen) = &report.seen {
        write_seen(page, seen, &report.identity)?;
    }
    let mut objects = String::new();
    write_lives(&mut objects, report)?;
    if !objects.is_empty() {
        write!(page, "\n{objects}")?;
    }
    Ok(())
}

/// How often the crash was seen in other pastes, and a person's own words.
fn write_seen(page: &mut String, seen: &Seen, identity: &Identity) -> fmt::Result {
    writeln!(page)?;
    if let Some((times, when, command)) = seen_before(seen) {
        let when = escape(&when);
        writeln!(page, "{TITLE}{times}{TITLE:#}, {when}: {HINT}{command}{HINT:#}")?;
    }
    if let Some(note) = &seen.note {
        writeln!(page, "{HEADING}Your note{HEADING:#}")?;
        paragraph(page, note, 4)?;
    }
    let known_by = known_by(identity).unwrap_or_default();
    writeln!(page, "{DIM}{}{DIM:#}", escape(&known_by))
}

/// How often a crash was seen, when, and the command that shows more.
pub(super) fn seen_before(seen: &Seen) -> Option<(String, String, String)> {
    let (Some(first), Some(last), Some(id)) = (&seen.first, &seen.last, seen.last_id) else {
        return None;
    };
    let times = format!("Seen {} before", super::counted(seen.times, "time"));
    let when = if seen.times == 1 {
        format!("on {last}")
    } else {
        format!("since {first}, last on {last}")
    };
    Some((times, when, format!("dbgmate history show {id}")))
}

/// The fingerprint and what it is made of.
pub(super) fn known_by(identity: &Identity) -> Option<String> {
    let fingerprint = identity.fingerprint.as_deref()?;
    Some(format!("{fingerprint}: {}", identity.because))
}

/// `2 stacks, 1 event`, and what was not understood.
pub(super) fn contents(trace: &Trace) -> String {
    let skipped = trace
        .skipped
        .iter()
        .map(|skipped| skipped.lines.last.saturating_sub(skipped.lines.first).saturating_add(1));
    let counted = [
        (trace.stacks.len(), "stack", "stacks"),
        (trace.events.len(), "event", "events"),
        (trace.values.len(), "printed value", "printed values"),
        (trace.log.len(), "log record", "log records"),
        (skipped.fold(0, usize::saturating_add), "line not understood", "lines not understood"),
    ];
    let parts: Vec<String> = counted
        .iter()
        .map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many }))
        .collect();
    parts.join(", ")
}

fn write_note(page: &mut String, note: &MatchedNote) -> fmt::Result {
    let style = match note.rank {
        Rank::Match => CERTAIN,
        Rank::Consistent | Rank::Symptom => UNCERTAIN,
    };
    let verdict = verdict(note.rank).to_uppercase();
    let (id, title) = (escape(&note.id), escape(&note.title));
    writeln!(page, "{style}{verdict}{style:#}  {TITLE}{id}: {title}{TITLE:#}")?;
    write_evidence(page, note)?;
    write_claim(page, "what happens", Some(&note.cause))?;
    write_claim(page, "easily overlooked", note.overlooked.as_ref())?;
    for remark in &note.remarks {
        write_claim(page, "about this paste", Some(remark))?;
    }
    if let Some(interleaving) = &note.interleaving {
        heading(page, "interleaving", Some(interleaving.confidence))?;
        for line in columns(interleaving, WIDTH - 4) {
            writeln!(page, "    {line}")?;
        }
    }
    write_remedies(page, note)?;
    write_asks(page, &note.asks, &note.settings)?;
    write_list(page, "sources", &note.sources)?;
    write_list(page, "see also", &note.related)
}

/// A rank in words.
pub(super) fn verdict(rank: Rank) -> &'static str {
    match rank {
        Rank::Match => "This is it",
        Rank::Consistent => "Consistent with",
        Rank::Symptom => "Same symptom",
    }
}

fn heading(page: &mut String, title: &str, confidence: Option<Confidence>) -> fmt::Result {
    write!(page, "  {HEADING}{title}{HEADING:#}")?;
    match confidence {
        Some(confidence) => writeln!(page, "  {DIM}({}){DIM:#}", in_words(confidence)),
        None => writeln!(page),
    }
}

/// What a claim rests on.
pub(super) fn in_words(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Commit => "the commit that mends it says so",
        Confidence::Code => "read in the code of that release",
        Confidence::Inferred => "inferred",
    }
}

/// Prose under a heading.
fn paragraph(page: &mut String, text: &str, indent: usize) -> fmt::Result {
    for line in wrap(&escape(text), WIDTH.saturating_sub(indent)) {
        writeln!(page, "{:indent$}{line}", "")?;
    }
    Ok(())
}

fn write_claim(page: &mut String, title: &str, claim: Option<&Claim>) -> fmt::Result {
    let Some(claim) = claim else { return Ok(()) };
    heading(page, title, Some(claim.confidence))?;
    paragraph(page, &claim.text, 4)
}

fn write_list(page: &mut String, title: &str, items: &[String]) -> fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    heading(page, title, None)?;
    items.iter().try_for_each(|item| paragraph(page, item, 4))
}

fn write_evidence(page: &mut String, note: &MatchedNote) -> fmt::Result {
    heading(page, "evidence", None)?;
    let places: Vec<String> = note.evidence.iter().map(|evidence| place(&evidence.lines)).collect();
    let width = places.iter().map(|place| place.width()).max().unwrap_or(0);
    let is_beside = width <= MOST_BESIDE;
    let indent = if is_beside { width + 6 } else { 6 };
    for (Evidence { what, text, .. }, place) in note.evidence.iter().zip(&places) {
        // A text that repeats what it shows and adds to it stands for both.
        let repeats = text.starts_with(what.as_str());
        let (what, text) = if repeats { (text, None) } else { (what, Some(text)) };
        let room = WIDTH - indent;
        if !is_beside {
            writeln!(page, "    {EVIDENCE}{place}{EVIDENCE:#}")?;
        }
        for (number, line) in wrap(&escape(what), room).iter().enumerate() {
            match number {
                0 if is_beside => {
                    let place = filled(place, width);
                    writeln!(page, "    {EVIDENCE}{place}{EVIDENCE:#}  {line}")?;
                }
                _ => writeln!(page, "{:indent$}{line}", "")?,
            }
        }
        for line in text.iter().flat_map(|text| wrap(&escape(text), room)) {
            writeln!(page, "{:indent$}{DIM}{line}{DIM:#}", "")?;
        }
    }
    not_there(note).into_iter().try_for_each(|(title, missing)| {
        heading(page, &title.to_lowercase(), None)?;
        missing.iter().try_for_each(|missing| {
            paragraph(page, &missing.what, 4)?;
            paragraph(page, &format!("to get it: {}", missing.how), 6)
        })
    })
}

/// What is not in the paste and would speak for a note, under its titles.
pub(super) fn not_there(
    note: &MatchedNote,
) -> impl IntoIterator<Item = (&'static str, &[Missing])> {
    let decisive = match note.decisive.as_slice() {
        [_] => "Would make it certain, and is not in the paste",
        _ => "Each of these would make it certain, and is not in the paste",
    };
    let supporting = "Would also speak for it, and is not in the paste";
    [(decisive, note.decisive.as_slice()), (supporting, note.missing.as_slice())]
        .into_iter()
        .filter(|(_, missing)| !missing.is_empty())
}

/// `line 8`, `lines 8-10`, with the piece's name in front where the paste has several.
pub(super) fn place(lines: &Lines) -> String {
    let Lines { piece, first, last } = lines;
    let piece = piece.as_deref().map(|piece| format!("{} ", escape(piece))).unwrap_or_default();
    if first == last {
        format!("{piece}line {first}")
    } else {
        format!("{piece}lines {first}-{last}")
    }
}

fn write_remedies(page: &mut String, note: &MatchedNote) -> fmt::Result {
    if !note.affected.is_empty() {
        heading(page, "affected", None)?;
        note.affected.iter().try_for_each(|affected| write_affected(page, affected))?;
        note.releases.iter().try_for_each(|told| paragraph(page, &release(told), 4))?;
    }
    if note.fixes.is_empty() {
        heading(page, "no fix is known", None)?;
    } else {
        heading(page, "fixes", None)?;
        note.fixes.iter().try_for_each(|fix| write_fix(page, fix))?;
    }
    write_claim(page, "until then", note.workaround.as_ref())
}

fn write_affected(page: &mut String, one: &Affected) -> fmt::Result {
    paragraph(page, &affected(one), 4)
}

/// `xen from 4.2.0, mended in 4.2.2 and 4.3.0 (…)`.
pub(super) fn affected(affected: &Affected) -> String {
    let from = match &affected.introduced {
        Some(introduced) => format!(" from {introduced}"),
        None => ", first release unknown".to_owned(),
    };
    let mended = match affected.fixed.as_slice() {
        [] => "; which release mends it is not known".to_owned(),
        fixed => format!(", mended in {}", fixed.join(" and ")),
    };
    format!("{}{from}{mended} ({})", affected.project, in_words(affected.confidence))
}

/// `this paste: libvirt 1.0.0, which has it (line 3: libvirt version: 1.0.0)`.
pub(super) fn release(told: &ReleaseTold) -> String {
    let verdict = match told.verdict {
        ReleaseVerdict::Affected => "which has it",
        ReleaseVerdict::NotAffected => "which does not have it",
        ReleaseVerdict::Open => "of which not all have it, or that is not known",
    };
    let (project, release) = (&told.project, &told.release);
    let (is, hint) = if told.hint { ("may be ", "; patches move lines") } else { ("", "") };
    let from = format!("{}: {}{hint}", place(&told.lines), told.text);
    format!("this paste: {is}{project} {release}, {verdict} ({from})")
}

/// `xen bc7e8a2a813e, in 4.3.0, backported to 4.2.2 as a87ef897295e`.
pub(super) fn fix(fix: &Fix) -> String {
    let mut text = format!("{} {}", fix.project, fix.commit);
    if let Some(release) = &fix.release {
        text += &format!(", in {release}");
    }
    for (release, commit) in &fix.backports {
        text += &format!(", backported to {release} as {commit}");
    }
    text
}

fn write_fix(page: &mut String, one: &Fix) -> fmt::Result {
    paragraph(page, &fix(one), 4)?;
    paragraph(page, &one.subject, 6)?;
    match &one.remark {
        Some(remark) => paragraph(page, &format!("({remark})"), 6),
        None => Ok(()),
    }
}

fn write_asks(page: &mut String, asks: &[Ask], settings: &[Setting]) -> fmt::Result {
    if asks.is_empty() && settings.is_empty() {
        return Ok(());
    }
    heading(page, "look at next", None)?;
    asks.iter().try_for_each(|ask| write_ask(page, ask))?;
    settings.iter().try_for_each(|setting| write_setting(page, setting))
}

/// A line to tick off: what to log, and what to look for then.
fn write_setting(page: &mut String, setting: &Setting) -> fmt::Result {
    writeln!(page, "    [ ] {HINT}log with {}{HINT:#}", escape(&setting.set))?;
    paragraph(page, &setting.why, 8)?;
    match &setting.shows {
        Some(shows) => paragraph(page, &format!("look for: {shows}"), 8),
        None => Ok(()),
    }
}

/// A line to tick off: what to print where, and what the answer means.
fn write_ask(page: &mut String, ask: &Ask) -> fmt::Result {
    let tick = if ask.answer.is_some() { "[x]" } else { "[ ]" };
    write!(page, "    {tick} {HINT}print {}{HINT:#}", escape(&ask.show))?;
    match &ask.frame {
        Some(frame) => writeln!(page, "  in {}", escape(frame))?,
        None => writeln!(page)?,
    }
    ask_lines(ask).iter().try_for_each(|line| paragraph(page, line, 8))
}

/// Why it is asked, then the answer that the paste has and what it says, or what answers would say.
pub(super) fn ask_lines(ask: &Ask) -> Vec<String> {
    let mut lines = vec![ask.why.clone()];
    if let Some(answer) = &ask.answer {
        let verdict = match ask.verdict {
            Some(Verdict::Confirms) => ", which confirms it",
            Some(Verdict::Refutes) => ", which speaks against it",
            None => "",
        };
        lines.push(format!("the paste has it: {answer}{verdict}"));
        return lines;
    }
    let comparisons = [("confirms it", &ask.confirms), ("speaks against it", &ask.refutes)];
    for (meaning, comparison) in comparisons {
        lines.extend(comparison.iter().map(|comparison| format!("{comparison} {meaning}")));
    }
    let member = ask.requires_member.iter();
    lines.extend(member.map(|member| format!("only in a build that has {member}")));
    lines
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::job::Job;
    use crate::notes::Plugins;
    use crate::trace::{self, Piece};
    use crate::triage::report;

    fn page(paste: &str) -> String {
        let job = Job::new();
        let trace = trace::parse(&job, &[Piece::unnamed(paste)]).unwrap();
        text(&report(&job, trace, Plugins::load(&[]).0.notes()).unwrap())
    }

    #[test]
    fn the_page_says_what_it_is_why_and_what_to_do() {
        let page = page(include_str!("../../tests/traces/fd-deregister-race-values.txt"));
        for part in [
            "THIS IS IT  libxl/fd-deregister-race: ",
            "lines 12-13  assertion fd == ev->fd in libxl_osevent_occurred_fd\n",
            "what happens  (the commit that mends it says so)",
            "A: libvirt event loop                          │ B: libxl, finishing a transfer",
            "xen from 4.2.0, mended in 4.2.2 and 4.3.0 (read in the code of that release)",
            "xen bc7e8a2a813e, in 4.3.0, backported to 4.2.2 as a87ef897295e",
            "[x] print ((libxl__ev_fd*)for_libxl)->fd  in libxl_osevent_occurred_fd",
            "the paste has it: -1, which confirms it",
        ] {
            assert!(page.contains(part), "{part} is not in\n{page}");
        }
        for line in page.lines().skip(1) {
            assert!(line.width() <= WIDTH, "{line}");
        }
    }

    #[test]
    fn an_open_question_says_what_would_decide_and_when_it_may_be_asked() {
        let page = page(include_str!("../../tests/traces/fd-deregister-race.txt"));
        for part in [
            "[ ] print ((libxl__ev_fd*)for_libxl)->fd",
            "== -1 confirms it",
            ">= 0 speaks against it",
            "only in a build that has libxl__ev_fd.for_app_reg",
        ] {
            assert!(page.contains(part), "{part} is not in\n{page}");
        }
    }

    #[test]
    fn where_no_fix_is_known_the_page_says_so() {
        let page = page(include_str!("../../tests/traces/pv-create-strdup-segv.txt"));
        assert!(page.contains("no fix is known"), "{page}");
    }

    #[test]
    fn where_no_note_fits_one_line_says_what_was_read() {
        assert_eq!(
            page("hello\n#0  0x1 in main () at a.c:1\n"),
            "No known bug fits. Read: 1 stack, 0 events, 0 printed values, 0 log records, \
             1 line not understood.\n"
        );
    }

    #[test]
    fn evidence_of_pastes_with_long_names_keeps_its_width() {
        let job = Job::new();
        let paste = include_str!("../../tests/traces/fd-deregister-race-values.txt");
        for name in ["名".repeat(12), "/a/long/path".repeat(12)] {
            let pieces = [
                Piece { name: Some(&name), ..Piece::unnamed(paste) },
                Piece { name: Some("b"), ..Piece::unnamed("hello\n") },
            ];
            let trace = trace::parse(&job, &pieces).unwrap();
            let page = text(&report(&job, trace, Plugins::load(&[]).0.notes()).unwrap());
            let evidence = page.split_once("  evidence\n").unwrap().1;
            let evidence = evidence.split_once("  what happens").unwrap().0;
            let lines = evidence.lines().filter(|line| !line.contains(&name));
            assert!(lines.clone().any(|line| line.width() > 40), "{evidence}");
            assert!(lines.clone().all(|line| line.width() <= WIDTH), "{evidence}");
            let columns: BTreeSet<_> = evidence
                .lines()
                .filter_map(|line| line.find("assertion fd").map(|at| line[..at].width()))
                .collect();
            assert!(columns.len() <= 1, "{evidence}");
        }
    }

    #[test]
    fn control_characters_of_the_paste_do_not_reach_the_terminal() {
        let page = page(
            "libvirtd: libxl_event.c:1: libxl_osevent_occurred_fd: Assertion `fd == ev->fd' failed.\n\
             libxl_osevent_occurred_fd: fd<1>, ev->fd<-1>\u{202e}\u{7}\n",
        );
        assert!(page.contains("\\u{202e}"), "{page}");
        assert!(page.chars().all(|c| c == '\n' || !c.is_control()), "{page}");
    }
}
