//! Do functions of this stack call one another without end?

use std::ops::Range;

use super::facts::Facts;

/// How many functions may call one another in turn.
const MAX_PERIOD: usize = 16;

/// How many frames of other functions may lie inside: where the stack's last page ended, the
/// recursive function was just calling something.
const MAX_INNER: usize = 12;

/// How often the functions must come round.
const MIN_ROUNDS: usize = 3;

/// The frames, at least so many, that repeat with the shortest period.
pub(super) fn place(facts: &Facts<'_>, stack: usize, at_least: usize) -> Option<Range<usize>> {
    let names = facts.names(stack);
    let is_same = |at: usize, other: usize| match (names.get(at), names.get(other)) {
        (Some(Some(one)), Some(Some(other))) => one == other,
        _ => false,
    };
    (0..=MAX_INNER.min(names.len())).find_map(|start| {
        (1..=MAX_PERIOD).find_map(|period| {
            let same = (start..).take_while(|at| is_same(*at, at + period)).count();
            let frames = same + period;
            (same > 0 && frames >= at_least && frames >= MIN_ROUNDS * period)
                .then_some(start..start + frames)
        })
    })
}
