//! An interleaving as a picture: a lane a thread, time going down, a box a step.

use maud::{Markup, html};

use super::shown;
use crate::render::wrap::wrap;
use crate::triage::Interleaving;

/// A lane, and the text in it: a monospaced letter is 0.6 of its size wide.
const LANE: usize = 340;
const LETTERS: usize = 40;

const LINE: usize = 17;
const PAD: usize = 10;
const GAP: usize = 14;

/// Where a step stands.
struct Placed {
    lane: usize,
    y: usize,
    lines: Vec<String>,
}

impl Placed {
    fn height(&self) -> usize {
        self.lines.len() * LINE + PAD
    }
}

/// The picture (SVG 1.1, in the page).
pub(super) fn picture(interleaving: &Interleaving) -> Markup {
    let lanes: Vec<&String> = interleaving.threads.keys().collect();
    let heads: Vec<Vec<String>> = interleaving
        .threads
        .iter()
        .map(|(letter, who)| wrap(&shown(&format!("{letter}: {who}")), LETTERS))
        .collect();
    let head = heads.iter().map(Vec::len).max().unwrap_or(1) * LINE + PAD;
    let placed = placed(interleaving, &lanes, head + GAP);
    let height = placed.last().map_or(head, |last| last.y + last.height()) + GAP;
    let width = LANE * lanes.len().max(1);
    let middle = |lane: usize| lane * LANE + LANE / 2;
    html! {
        svg.lanes xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (width) " " (height) }
            width=(width) height=(height) role="img" aria-label="Interleaving of threads" {
            @for (lane, lines) in heads.iter().enumerate() {
                line.life x1=(middle(lane)) y1=(head) x2=(middle(lane)) y2=(height) {}
                (text(lane * LANE + PAD, LINE, "who", lines))
            }
            @for pair in placed.windows(2) {
                @if let [from, to] = pair {
                    @if from.lane != to.lane {
                        line.then x1=(middle(from.lane)) y1=(from.y + from.height())
                            x2=(middle(to.lane)) y2=(to.y) {}
                    }
                }
            }
            @for step in &placed {
                rect.step x=(step.lane * LANE + PAD / 2) y=(step.y) width=(LANE - PAD)
                    height=(step.height()) rx="5" {}
                (text(step.lane * LANE + PAD + PAD / 2, step.y + LINE - 1, "what", &step.lines))
            }
        }
    }
}

fn placed(interleaving: &Interleaving, lanes: &[&String], top: usize) -> Vec<Placed> {
    let mut y = top;
    let mut placed = Vec::new();
    for (number, step) in interleaving.steps.iter().enumerate() {
        let Some(lane) = lanes.iter().position(|lane| **lane == step.0) else { continue };
        let lines = wrap(&shown(&format!("{}. {}", number + 1, step.1)), LETTERS - 2);
        let one = Placed { lane, y, lines };
        y += one.height() + GAP;
        placed.push(one);
    }
    placed
}

fn text(x: usize, y: usize, class: &str, lines: &[String]) -> Markup {
    html! {
        @for (number, line) in lines.iter().enumerate() {
            text.(class) x=(x) y=(y + number * LINE) { (line) }
        }
    }
}
