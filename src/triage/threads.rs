//! Is one thread here while another is there?
//!
//! A value that is written `?name` stands for whatever the frame prints there, and for the same on
//! every stack of the predicate.

use std::collections::BTreeMap;

use super::facts::Facts;
use super::frames::{self, Found};
use super::number::number_of;
use super::scope::Scope;
use crate::notes::{Runs, StacksOn, Start};
use crate::trace::{Frame, Value};

/// Pairs of stacks that are tried before the search is given up: a paste of thousands of threads
/// in the same function has millions.
const MAX_TRIES: usize = 100_000;

/// What the variables of a predicate stand for.
type Bound<'n> = BTreeMap<&'n str, String>;

/// The stacks, in the order of the predicate.
pub(super) fn find(facts: &Facts<'_>, asked: &StacksOn, scope: &Scope<'_>) -> Option<Vec<Found>> {
    let places: Vec<Vec<(Found, Bound<'_>)>> =
        asked.stacks.iter().map(|runs| places(facts, runs, scope)).collect();
    let mut chosen = Vec::new();
    let mut tries = MAX_TRIES;
    choose(facts, &places, &mut chosen, &mut tries).then_some(())?;
    let copy = |found: &Found| Found { stack: found.stack, frames: found.frames.clone() };
    Some(chosen.into_iter().map(|(found, _)| copy(found)).collect())
}

/// Where the frames stand, with what the variables are there.
fn places<'n>(facts: &Facts<'_>, runs: &'n Runs, scope: &Scope<'_>) -> Vec<(Found, Bound<'n>)> {
    let candidates = frames::rarest(facts, runs);
    let allowed = candidates
        .into_iter()
        .take_while(|_| facts.may_go_on())
        .filter(|stack| !scope.rules_out(facts, *stack));
    let placed = allowed.filter_map(|stack| {
        let trace = facts.trace.stacks.get(stack)?;
        let at = frames::find_runs(&trace.frames, facts.names(stack), runs, Start::Anywhere)?;
        let bound = bound(&trace.frames, runs, &at)?;
        Some((Found { stack, frames: frames::span(runs, &at)? }, bound))
    });
    placed.collect()
}

/// What the variables are in the frames found; none where one would be two things.
fn bound<'n>(frames: &[Frame], runs: &'n Runs, at: &[usize]) -> Option<Bound<'n>> {
    let mut bound = Bound::new();
    for (pattern, place) in frames::placed(runs, at) {
        let frame = frames.get(place)?;
        for (argument, written) in &pattern.args {
            let Some(variable) = written.strip_prefix('?') else { continue };
            let printed = frame.arguments.iter().find(|printed| printed.name == *argument)?;
            let value = comparable(&printed.value);
            if bound.insert(variable, value.clone()).is_some_and(|other| other != value) {
                return None;
            }
        }
    }
    Some(bound)
}

/// A value in the form that two printings of it share.
fn comparable(value: &Value) -> String {
    number_of(value).map_or_else(|| value.text.clone(), |number| number.to_string())
}

/// Chooses a place for each that is left, on another thread than those before.
fn choose<'p, 'n>(
    facts: &Facts<'_>,
    places: &'p [Vec<(Found, Bound<'n>)>],
    chosen: &mut Vec<(&'p Found, &'p Bound<'n>)>,
    tries: &mut usize,
) -> bool {
    let Some((first, others)) = places.split_first() else { return true };
    for (found, bound) in first {
        let Some(left) = tries.checked_sub(1).filter(|_| facts.may_go_on()) else { return false };
        *tries = left;
        let fits = chosen.iter().all(|(other, others_bound)| {
            are_apart(facts, found.stack, other.stack)
                && bound
                    .iter()
                    .all(|(name, value)| others_bound.get(name).is_none_or(|other| other == value))
        });
        if !fits {
            continue;
        }
        chosen.push((found, bound));
        if choose(facts, others, chosen, tries) {
            return true;
        }
        chosen.pop();
    }
    false
}

/// Whether two stacks may be of two threads at the same time.
fn are_apart(facts: &Facts<'_>, one: usize, other: usize) -> bool {
    let thread = |stack: usize| facts.trace.stacks.get(stack).and_then(|s| s.thread.as_ref());
    one != other
        && match (thread(one), thread(other)) {
            (Some(one), Some(other)) => {
                one.lwp != other.lwp || one.number != other.number || one.address != other.address
            }
            // A stack without a thread may be the very thread of another, printed again.
            _ => false,
        }
}
