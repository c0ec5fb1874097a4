//! Which of a note's signatures fits best, and what does the note then say of this paste?

use std::cmp::Reverse;

use super::decisive::decisive;
use super::facts::Facts;
use super::number::readings;
use super::predicates::held;
use super::releases::{self, ReleaseTold, ReleaseVerdict, Told};
use super::report::{Ask, Evidence, MatchedNote, Missing, Verdict};
use super::scope::{Occasion, Scope, occasions};
use super::{how, values};
use crate::notes::{Claim, Kind, Note, Predicate, Question, Rank, Signature};
use crate::trace::Value;

/// A note with the signature that fits.
pub(super) struct Matched<'n> {
    note: &'n Note,
    rank: Rank,
    evidence: Vec<Evidence>,
    missing: Vec<Missing>,
    decisive: Vec<Missing>,
    specificity: usize,
    asks: Vec<Ask>,
    remarks: Vec<Claim>,
    releases: Vec<ReleaseTold>,
}

/// The note's best signature that holds on the trace, and what the releases say that it tells.
pub(super) fn best<'n>(facts: &Facts<'_>, note: &'n Note, told: &[Told]) -> Option<Matched<'n>> {
    let fitting = note.signatures.iter().filter_map(|signature| try_one(facts, note, signature));
    let mut best = fitting.min_by(|a, b| a.order().cmp(&b.order()))?;
    best.decisive = decisive(facts, note, best.rank, &best.evidence);
    let decides = |one: &Missing| best.decisive.iter().any(|decisive| decisive.what == one.what);
    best.missing.retain(|one| !decides(one));
    best.releases = releases::judged(told, &note.affected);
    let is_mended = |told: &ReleaseTold| !told.hint && told.verdict == ReleaseVerdict::NotAffected;
    if best.releases.iter().any(is_mended) {
        best.rank = best.rank.max(Rank::Consistent);
    }
    Some(best)
}

/// A signature on the occasion that fits best. One that loses nothing of its rank will do: a paste
/// may hold the same crash many times.
fn try_one<'n>(facts: &Facts<'_>, note: &'n Note, signature: &Signature) -> Option<Matched<'n>> {
    let mut best: Option<Matched<'n>> = None;
    for occasion in occasions(facts, signature) {
        if !facts.may_go_on() {
            break;
        }
        let Some(matched) = attempt(facts, note, signature, occasion) else { continue };
        let undoubted = matched.rank == signature.rank;
        if best.as_ref().is_none_or(|best| matched.order() < best.order()) {
            best = Some(matched);
        }
        if undoubted {
            break;
        }
    }
    best
}

fn attempt<'n>(
    facts: &Facts<'_>,
    note: &'n Note,
    signature: &Signature,
    occasion: Occasion,
) -> Option<Matched<'n>> {
    let mut scope = Scope::new(occasion, signature);
    let mut found = Vec::new();
    for predicate in &signature.all {
        let held = held(facts, predicate, &scope)?;
        held.stack.into_iter().for_each(|stack| scope.found_on(stack));
        found.extend(held.evidence.into_iter().map(|one| Evidence { required: true, ..one }));
    }
    let mut missing = Vec::new();
    for predicate in &signature.any {
        match held(facts, predicate, &scope) {
            Some(held) => found.extend(held.evidence),
            None => {
                let (what, how) = (predicate.to_string(), how::to_get(predicate));
                missing.push(Missing { what, how });
            }
        }
    }
    let asks: Vec<Ask> = note.asks.iter().map(|question| ask(facts, question, &scope)).collect();
    // Whoever reads "this is it" must not find the paste saying otherwise.
    let refuted = asks.iter().any(|ask| ask.verdict == Some(Verdict::Refutes));
    let rank = if refuted { signature.rank.max(Rank::Consistent) } else { signature.rank };
    let specificity = signature.all.iter().map(Predicate::specificity).sum();
    let remarks = remarks(facts, note, &scope);
    let (decisive, releases) = (Vec::new(), Vec::new());
    let evidence = found;
    Some(Matched { note, rank, evidence, missing, decisive, specificity, asks, remarks, releases })
}

/// The remarks that the paste calls for.
fn remarks(facts: &Facts<'_>, note: &Note, scope: &Scope<'_>) -> Vec<Claim> {
    let holds = |predicate: &Predicate| held(facts, predicate, scope).is_some();
    let called_for = note
        .remarks
        .iter()
        .filter(|remark| holds(&remark.when) && !remark.unless.as_ref().is_some_and(holds));
    called_for.map(|remark| remark.claim.clone()).collect()
}

/// What the paste answers: the first value of the stack that matched, or else the last one.
fn answer<'t>(facts: &Facts<'t>, question: &Question, scope: &Scope<'_>) -> Option<&'t Value> {
    let mut last = None;
    for shown in values::find(facts, &question.path, question.frame.as_deref()) {
        if scope.speaks(facts, &shown) {
            if shown.stack.is_some() {
                return Some(shown.value);
            }
            last = Some(shown.value);
        }
    }
    last
}

/// A value that can be read two ways decides only where both say the same, or where the reading as
/// a signed number is the very one that was looked for.
fn verdict(question: &Question, value: &Value) -> Option<Verdict> {
    let (plain, signed) = readings(value)?;
    let refutes = |number| question.refutes.is_some_and(|comparison| comparison.holds(number));
    if question.confirms.is_some_and(|comparison| comparison.holds(signed)) {
        Some(Verdict::Confirms)
    } else if refutes(plain) && refutes(signed) {
        Some(Verdict::Refutes)
    } else {
        None
    }
}

/// The question, with the answer where the paste holds it.
fn ask(facts: &Facts<'_>, question: &Question, scope: &Scope<'_>) -> Ask {
    let answer = answer(facts, question, scope);
    Ask {
        why: question.why.clone(),
        frame: question.frame.clone(),
        show: question.show.clone(),
        requires_member: question.requires_member.clone(),
        confirms: question.confirms.map(|comparison| comparison.to_string()),
        refutes: question.refutes.map(|comparison| comparison.to_string()),
        answer: answer.map(|value| value.text.clone()),
        verdict: answer.and_then(|value| verdict(question, value)),
    }
}

impl Matched<'_> {
    /// What a report is sorted by, least first.
    pub(super) fn order(&self) -> impl Ord + use<'_> {
        // A shape that many defects share tells less than any defect that is known.
        let is_pattern = self.note.kind == Kind::Pattern;
        (
            is_pattern,
            self.rank,
            Reverse(self.evidence.len()),
            Reverse(self.specificity),
            self.note.id.as_str(),
        )
    }

    /// The note as the report gives it.
    pub(super) fn into_note(self) -> MatchedNote {
        let note = self.note;
        MatchedNote {
            id: note.id.clone(),
            title: note.title.clone(),
            kind: note.kind.name().to_owned(),
            rank: self.rank,
            evidence: self.evidence,
            missing: self.missing,
            decisive: self.decisive,
            cause: note.cause.clone(),
            overlooked: note.overlooked.clone(),
            remarks: self.remarks,
            interleaving: note.interleaving.clone(),
            affected: note.affected.clone(),
            releases: self.releases,
            fixes: note.fixes.clone(),
            workaround: note.workaround.clone(),
            asks: self.asks,
            settings: note.settings.clone(),
            sources: note.sources.clone(),
            related: note.related.clone(),
        }
    }
}
