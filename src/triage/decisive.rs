//! What would make a note certain that is but consistent with the paste?

use super::facts::Facts;
use super::how;
use super::predicates::held;
use super::report::{Evidence, Missing};
use super::scope::{Scope, occasions};
use crate::notes::{Note, Predicate, Rank, Signature};

/// Told at most: each of them would do.
const MOST: usize = 3;

/// What each better signature of the note wants besides what the paste has, the least first. A
/// signature that wants something which the paste has of another program or build is left out: to get it
/// again would decide nothing.
pub(super) fn decisive(
    facts: &Facts<'_>,
    note: &Note,
    rank: Rank,
    evidence: &[Evidence],
) -> Vec<Missing> {
    let better = note.signatures.iter().filter(|signature| signature.rank < rank);
    let mut found: Vec<(usize, Missing)> = Vec::new();
    for signature in better {
        let wanted = wanted(facts, signature);
        let is_here = |wanted: &&Predicate| {
            let what = wanted.to_string();
            evidence.iter().any(|one| one.what == what)
        };
        if wanted.is_empty() || wanted.iter().any(is_here) {
            continue;
        }
        let told = |tell: fn(&Predicate) -> String| {
            wanted.iter().map(|one| tell(one)).collect::<Vec<_>>().join("; ")
        };
        let missing = Missing { what: told(Predicate::to_string), how: told(how::to_get) };
        if found.iter().all(|(_, known)| known.what != missing.what) {
            found.push((wanted.len(), missing));
        }
    }
    found.sort_by_key(|(count, _)| *count);
    found.into_iter().map(|(_, missing)| missing).take(MOST).collect()
}

/// What a signature requires and the paste does not show, on the occasion that shows most of it.
fn wanted<'s>(facts: &Facts<'_>, signature: &'s Signature) -> Vec<&'s Predicate> {
    let mut least: Option<Vec<&Predicate>> = None;
    for occasion in occasions(facts, signature) {
        if !facts.may_go_on() {
            break;
        }
        let mut scope = Scope::new(occasion, signature);
        let mut wanted = Vec::new();
        for predicate in &signature.all {
            match held(facts, predicate, &scope) {
                Some(held) => held.stack.into_iter().for_each(|stack| scope.found_on(stack)),
                None => wanted.push(predicate),
            }
        }
        if least.as_ref().is_none_or(|least| wanted.len() < least.len()) {
            least = Some(wanted);
        }
    }
    least.unwrap_or_default()
}
