//! The lives of objects as a picture: an SVG that needs nothing else.
//!
//! A row an object, along the lines of the text: a bar from its beginning to its end, a mark for each
//! step with its words as a tooltip. A life whose end is not in the text goes on to the edge.

use std::fmt::{self, Write};

use super::escape::escape;
use super::lives::Scale;
use super::wrap::cut;
use super::xml::xml;
use crate::triage::{LifeState, LifeStep, ObjectLife, Report};

/// The most rows of a picture: beyond, nobody reads it.
pub(super) const MOST_ROWS: usize = 200;

const LABELS: usize = 260;
/// Columns of a label: a letter is 0.6 of its size wide.
const LABEL: usize = 34;
const BARS: usize = 640;
const ROW: usize = 22;
const TOP: usize = 34;

/// Below its class, since a page that holds the picture reads this too.
const STYLE: &str = "\
.lives text{fill:#24292f}.lives .page{fill:#fff}.lives .bar{fill:#9ec5fe}.lives .odd{fill:#f1aeb5}\
.lives .begins{fill:#0a58ca}.lives .used{fill:#6c757d}.lives .ends{fill:#146c43}.lives .after{fill:#b02a37}\
@media (prefers-color-scheme:dark){.lives text{fill:#e6edf3}.lives .page{fill:#0d1117}\
.lives .bar{fill:#1f4b8f}.lives .odd{fill:#7d2530}.lives .begins{fill:#79b8ff}.lives .used{fill:#9198a1}\
.lives .ends{fill:#3fb950}.lives .after{fill:#ff7b72}}";

/// The picture of all objects; those with something odd come first.
pub fn timeline(report: &Report) -> String {
    let mut svg = String::new();
    let objects = report.objects.get(..MOST_ROWS).unwrap_or(&report.objects);
    // Writing to a String cannot fail.
    let _ = write_timeline(&mut svg, objects, &Scale::of(report));
    svg
}

fn write_timeline(svg: &mut String, objects: &[ObjectLife], scale: &Scale) -> fmt::Result {
    let (width, height) = (LABELS + BARS + 40, TOP + ROW * (objects.len().max(1) + 1) + 16);
    writeln!(
        svg,
        r#"<svg class="lives" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="monospace" font-size="12" role="img" aria-label="Lives of objects">"#
    )?;
    writeln!(svg, "<style>{STYLE}</style>\n<rect class=\"page\" width=\"100%\" height=\"100%\"/>")?;
    if objects.is_empty() {
        writeln!(svg, "<text x=\"8\" y=\"{TOP}\">no object was followed</text>")?;
    } else {
        let right = LABELS + BARS;
        writeln!(svg, "<text x=\"{LABELS}\" y=\"18\">line {}</text>", scale.first)?;
        writeln!(
            svg,
            "<text x=\"{right}\" y=\"18\" text-anchor=\"end\">line {}</text>",
            scale.last
        )?;
    }
    for (number, life) in objects.iter().enumerate() {
        write_row(svg, life, scale, TOP + ROW * number)?;
    }
    if !objects.is_empty() {
        write_legend(svg, TOP + ROW * objects.len() + 8)?;
    }
    writeln!(svg, "</svg>")
}

/// What marks and colours mean.
fn write_legend(svg: &mut String, y: usize) -> fmt::Result {
    /// A place of the row for each.
    const PLACE: usize = 128;
    let marks =
        [("begins", "begins"), ("used", "used"), ("ends", "ends"), ("after", "used after end")];
    for (number, (class, meaning)) in marks.into_iter().enumerate() {
        let x = LABELS + number * PLACE;
        writeln!(svg, "<circle class=\"{class}\" cx=\"{}\" cy=\"{}\" r=\"4\"/>", x + 4, y + 9)?;
        writeln!(svg, "<text x=\"{}\" y=\"{}\">{meaning}</text>", x + 14, y + 13)?;
    }
    let x = LABELS + marks.len() * PLACE;
    writeln!(svg, "<rect class=\"odd\" x=\"{x}\" y=\"{}\" width=\"16\" height=\"8\"/>", y + 5)?;
    writeln!(svg, "<text x=\"{}\" y=\"{}\">look at this</text>", x + 22, y + 13)
}

fn write_row(svg: &mut String, life: &ObjectLife, scale: &Scale, y: usize) -> fmt::Result {
    let x = |line: usize| LABELS + scale.column(line, BARS);
    let name = format!("{} {}", life.name, life.key);
    let label = xml(&cut(&escape(&name), LABEL));
    writeln!(svg, "<g><title>{}</title>", xml(&format!("{name}: {}", life.told)))?;
    writeln!(svg, "<text x=\"8\" y=\"{}\">{label}</text>", y + 13)?;
    let is_odd = matches!(life.state, LifeState::UsedAfterClose | LifeState::NeverClosed);
    let class = if is_odd { "odd" } else { "bar" };
    for (from, to) in spans(life) {
        let (from, to) = (x(from), to.map_or(LABELS + BARS, x));
        let width = to.saturating_sub(from).max(2);
        writeln!(
            svg,
            "<rect class=\"{class}\" x=\"{from}\" y=\"{}\" width=\"{width}\" height=\"8\"/>",
            y + 5
        )?;
    }
    for step in &life.steps {
        let class = match (step.step, step.after_end) {
            (_, true) => "after",
            (LifeStep::Opens, _) => "begins",
            (LifeStep::Uses, _) => "used",
            (LifeStep::Closes, _) => "ends",
        };
        let (line, text) = (step.lines.first, xml(&step.text));
        writeln!(
            svg,
            "<circle class=\"{class}\" cx=\"{}\" cy=\"{}\" r=\"4\"><title>line {line}: {text}</title></circle>",
            x(line),
            y + 9
        )?;
    }
    writeln!(svg, "</g>")
}

/// From each beginning to the end that follows; none where there is none. Of an incomplete life
/// only the beginnings are known.
fn spans(life: &ObjectLife) -> Vec<(usize, Option<usize>)> {
    if life.state == LifeState::Incomplete {
        return Vec::new();
    }
    let (mut spans, mut open) = (Vec::new(), None);
    for step in &life.steps {
        match step.step {
            LifeStep::Opens => open = open.or(Some(step.lines.first)),
            LifeStep::Closes => {
                spans.extend(open.take().map(|from| (from, Some(step.lines.first))));
            }
            LifeStep::Uses => {}
        }
    }
    spans.extend(open.map(|from| (from, None)));
    spans
}
