//! How did the objects of a log fare: a table, and their lives along the text's lines?

use std::fmt::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::escape::escape;
use super::report::place;
use super::style::{DIM, EVIDENCE, HEADING, HINT};
use super::wrap::{cut, filled, wrap};
use crate::triage::{LifeState, LifeStep, ObjectLife, Report};

/// The page's width in columns.
const WIDTH: usize = 100;

/// Columns of a timeline.
const TIMELINE: usize = 60;

/// Columns of an object's name beside it.
const NAME: usize = WIDTH - TIMELINE - 4;

/// Objects shown each; of those that ended as they should, only the number.
const SHOWN: usize = 12;

/// Steps of an object that are shown each.
const STEPS: usize = 6;

/// The objects that something is to be said of, and a line for the others.
pub(super) fn write_lives(page: &mut String, report: &Report) -> fmt::Result {
    let objects = &report.objects;
    let odd: Vec<&ObjectLife> = objects.iter().filter(|life| is_odd(life)).collect();
    if odd.is_empty() {
        return Ok(());
    }
    writeln!(page, "{HEADING}objects in this text{HEADING:#}")?;
    for life in odd.iter().take(SHOWN) {
        write_life(page, life)?;
    }
    let rest = objects.len() - odd.len().min(SHOWN);
    if rest > 0 {
        writeln!(page, "  {DIM}and {rest} more, in --json{DIM:#}")?;
    }
    write_timeline(page, &odd, &Scale::of(report))?;
    let settings: std::collections::BTreeSet<&str> =
        odd.iter().filter_map(|life| life.setting.as_deref()).collect();
    for setting in settings {
        writeln!(page, "  [ ] {HINT}log with {}{HINT:#}", escape(setting))?;
        writeln!(page, "      shows every step of such objects")?;
    }
    Ok(())
}

/// One that began before the text, or that ended as it should, is none; nor is one beginning of
/// something whose end cannot be known.
fn is_odd(life: &ObjectLife) -> bool {
    match life.state {
        LifeState::UsedAfterClose => true,
        LifeState::NeverClosed => life.opened > 0,
        LifeState::Incomplete => life.opened > 1,
        LifeState::Closed => false,
    }
}

fn write_life(page: &mut String, life: &ObjectLife) -> fmt::Result {
    for line in wrap(&escape(&format!("{} {}", life.name, life.key)), WIDTH - 2) {
        writeln!(page, "  {line}")?;
    }
    for line in wrap(&escape(&life.told), WIDTH - 4) {
        writeln!(page, "    {line}")?;
    }
    let hidden = life.steps.len().saturating_sub(STEPS) + life.left_out;
    for (number, step) in life.steps.iter().enumerate() {
        // The first steps and the last one.
        if hidden > 0 && number + 1 >= STEPS && number + 1 < life.steps.len() {
            continue;
        }
        let what = match (step.step, step.after_end) {
            (_, true) => "AFTER THE END",
            (LifeStep::Opens, _) => "begins",
            (LifeStep::Uses, _) => "used",
            (LifeStep::Closes, _) => "ends",
        };
        let lines = place(&step.lines);
        writeln!(
            page,
            "    {EVIDENCE}{lines:10}{EVIDENCE:#} {what:7} {DIM}{}{DIM:#}",
            cut(&escape(&step.text), WIDTH - 24)
        )?;
    }
    if hidden > 0 {
        writeln!(page, "    {DIM}({hidden} more between the last two){DIM:#}")?;
    }
    Ok(())
}

/// `●──○───✕   `: begins, used, ends; `…` where the end is not in the text, `!` used after it.
fn write_timeline(page: &mut String, lives: &[&ObjectLife], scale: &Scale) -> fmt::Result {
    let lives: Vec<&ObjectLife> = lives.iter().take(SHOWN).copied().collect();
    let names: Vec<String> = lives
        .iter()
        .map(|life| cut(&escape(&format!("{} {}", life.name, life.key)), NAME))
        .collect();
    let width = names.iter().map(|name| name.width()).max().unwrap_or(0);
    let ends = format!("line {}", scale.last);
    let gap = TIMELINE.saturating_sub(format!("line {}{ends}", scale.first).len());
    writeln!(page, "  {DIM}{:width$}  line {}{:gap$}{ends}{DIM:#}", "", scale.first, "")?;
    for (life, name) in lives.iter().zip(&names) {
        writeln!(page, "  {}  {}", filled(name, width), row(life, scale))?;
    }
    writeln!(
        page,
        "  {DIM}{:width$}  ● begins  ○ used  ✕ ends  ! used after its end  → goes on{DIM:#}",
        ""
    )
}

fn row(life: &ObjectLife, scale: &Scale) -> String {
    let mut cells = vec![' '; TIMELINE];
    let mut open_since: Option<usize> = None;
    for step in &life.steps {
        let at = scale.column(step.lines.first, TIMELINE);
        if let Some(since) = open_since {
            for cell in cells.iter_mut().take(at).skip(since + 1).filter(|cell| **cell == ' ') {
                *cell = '─';
            }
        }
        let (mark, open) = match (step.step, step.after_end) {
            (_, true) => ('!', None),
            (LifeStep::Opens, _) => ('●', Some(at)),
            (LifeStep::Uses, _) => ('○', open_since.map(|_| at)),
            (LifeStep::Closes, _) => ('✕', None),
        };
        open_since = open;
        if let Some(cell) = cells.get_mut(at) {
            *cell = mark;
        }
    }
    if let (Some(since), LifeState::NeverClosed) = (open_since, life.state) {
        cells.iter_mut().skip(since + 1).for_each(|cell| *cell = '─');
        if let Some(last) = cells.last_mut().filter(|last| **last == '─') {
            *last = '→';
        }
    }
    cells.into_iter().collect::<String>().trim_end().to_owned()
}

/// The lines of the text on the width of a picture.
pub(super) struct Scale {
    pub(super) first: usize,
    pub(super) last: usize,
}

impl Scale {
    /// From the first step of any object to the end of the text.
    pub(super) fn of(report: &Report) -> Scale {
        let Report { trace, objects, .. } = report;
        let steps = objects.iter().flat_map(|life| &life.steps);
        let first = steps.map(|step| step.lines.first).min().unwrap_or(1);
        let records = trace.log.iter().map(|record| &record.lines);
        let events = trace.events.iter().map(|event| &event.lines);
        let stacks = trace.stacks.iter().map(|stack| &stack.lines);
        let lines = records.chain(events).chain(stacks).map(|lines| lines.last);
        Scale { first, last: lines.max().unwrap_or(first) }
    }

    /// The place of a line, below the width.
    pub(super) fn column(&self, line: usize, width: usize) -> usize {
        let span = self.last.saturating_sub(self.first).max(1);
        let from_first = line.saturating_sub(self.first);
        from_first.saturating_mul(width.saturating_sub(1)) / span
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Job;
    use crate::notes::Plugins;
    use crate::render::{lives_svg, plain};
    use crate::trace::{self, Piece};
    use crate::triage::report;

    fn told(paste: &str) -> (String, String) {
        let job = Job::new();
        let trace = trace::parse(&job, &[Piece::unnamed(paste)]).unwrap();
        let report = report(&job, trace, Plugins::load(&[]).0.notes()).unwrap();
        let mut page = String::new();
        write_lives(&mut page, &report).unwrap();
        (plain(&page), lives_svg::timeline(&report))
    }

    #[test]
    fn a_life_that_goes_on_reaches_the_edge() {
        let (page, svg) = told(include_str!("../../tests/traces/libxl-suspend-full.log"));
        let row = page.lines().find(|line| line.contains('●') && line.contains("ev_fd")).unwrap();
        assert!(row.ends_with("─→"), "{page}");
        assert!(page.contains("line 68"), "the scale is the text's: {page}");
        assert!(page.contains("log with log_filters="), "{page}");
        assert!(page.lines().all(|line| line.width() <= WIDTH), "{page}");
        assert!(svg.contains("ao 0x7fd088055160") && svg.ends_with("</svg>\n"), "{svg}");
        assert_eq!(svg.matches("<g>").count(), svg.matches("</g>").count());
    }

    #[test]
    fn what_a_log_holds_is_text_in_the_picture_too() {
        let (page, svg) =
            told("libxl: debug: libxl.c:1:f: ao 0x1: create: <script>\"&\u{7}\u{202e}\n");
        assert!(svg.contains("&lt;script&gt;&quot;&amp;"), "{svg}");
        assert!(!svg.contains('\u{7}') && !page.contains('\u{7}') && !page.contains('\u{202e}'));
    }

    #[test]
    fn names_of_any_length_leave_the_lives_below_one_another() {
        let step = |step: &str, line: usize| serde_json::json!({ "step": step, "lines": { "first": line, "last": line }, "text": "名".repeat(90) });
        let life = |key: &str| -> ObjectLife {
            let steps = [step("opens", 1), step("uses", 20)];
            let told = "it goes on";
            serde_json::from_value(serde_json::json!({
                "name": "object", "key": key, "state": "never_closed", "told": told, "opened": 1, "steps": steps,
            }))
            .unwrap()
        };
        let objects = ["1", "名前", &"k".repeat(300), &"名".repeat(300)].map(life).to_vec();
        let report = report(&Job::new(), Default::default(), Plugins::load(&[]).0.notes()).unwrap();
        let report = Report { objects, ..report };
        let mut page = String::new();
        write_lives(&mut page, &report).unwrap();
        let page = plain(&page);
        assert!(page.lines().all(|line| line.width() <= WIDTH), "{page}");
        let starts = page.lines().filter_map(|line| line.find('●').map(|at| line[..at].width()));
        let mut starts: Vec<usize> = starts.collect();
        assert!(starts.len() > 4, "the legend has one too");
        starts.truncate(4);
        assert!(starts.iter().all(|start| *start == starts[0]), "{page}");
        // Labels do not run into the bars; all of a name is told where the mouse is.
        let svg = lives_svg::timeline(&report);
        let labels = svg.lines().filter_map(|line| line.strip_prefix("<text x=\"8\""));
        let labels = labels.filter_map(|line| line.split_once('>')?.1.strip_suffix("</text>"));
        assert!(labels.clone().count() == 4 && labels.clone().all(|label| label.width() <= 34));
    }

    #[test]
    fn without_objects_nothing_is_said() {
        let (page, svg) = told("hello\n");
        assert_eq!(page, "");
        assert!(svg.contains("no object was followed"));
    }
}
