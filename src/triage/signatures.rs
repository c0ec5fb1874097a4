//! Which of a note's signatures fits best, and what does the note then say of this paste?

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::facts::Facts;
use super::predicates::{evidence, stacks_where};
use super::report::{Ask, Evidence, MatchedNote, Verdict};
use super::{frames, values};
use crate::notes::{Note, Predicate, Question, Rank, Signature};

/// A note with the signature that fits.
pub(super) struct Matched<'n> {
    note: &'n Note,
    rank: Rank,
    evidence: Vec<Evidence>,
    missing: Vec<String>,
    specificity: usize,
    asks: Vec<Ask>,
}

/// The note's best signature that holds on the trace.
pub(super) fn best<'n>(facts: &Facts<'_>, note: &'n Note) -> Option<Matched<'n>> {
    let fitting = note.signatures.iter().filter_map(|signature| try_one(facts, note, signature));
    fitting.min_by(|a, b| a.order().cmp(&b.order()))
}

fn try_one<'n>(facts: &Facts<'_>, note: &'n Note, signature: &Signature) -> Option<Matched<'n>> {
    let excluded: BTreeSet<usize> =
        signature.none.iter().flat_map(|predicate| stacks_where(facts, predicate)).collect();
    let required = |predicate: &Predicate| {
        Some(Evidence { required: true, ..evidence(facts, predicate, &excluded)? })
    };
    let mut found: Vec<Evidence> = signature.all.iter().map(required).collect::<Option<_>>()?;
    let mut missing = Vec::new();
    for predicate in &signature.any {
        match evidence(facts, predicate, &excluded) {
            Some(evidence) => found.push(evidence),
            None => missing.push(predicate.to_string()),
        }
    }
    let asks: Vec<Ask> = note.asks.iter().map(|question| ask(facts, question)).collect();
    // Whoever reads "this is it" must not find the paste saying otherwise.
    let refuted = asks.iter().any(|ask| ask.verdict == Some(Verdict::Refutes));
    let rank = if refuted { signature.rank.max(Rank::Consistent) } else { signature.rank };
    let specificity = signature.all.iter().map(Predicate::specificity).sum();
    Some(Matched { note, rank, evidence: found, missing, specificity, asks })
}

/// The question, with the answer where the paste holds it.
fn ask(facts: &Facts<'_>, question: &Question) -> Ask {
    let shown = values::find(facts, &question.path, question.frame.as_deref()).next();
    let number = shown.and_then(|shown| frames::number_of(shown.value));
    let verdict = number.and_then(|number| {
        if question.confirms.is_some_and(|comparison| comparison.holds(number)) {
            Some(Verdict::Confirms)
        } else if question.refutes.is_some_and(|comparison| comparison.holds(number)) {
            Some(Verdict::Refutes)
        } else {
            None
        }
    });
    Ask {
        why: question.why.clone(),
        frame: question.frame.clone(),
        show: question.show.clone(),
        requires_member: question.requires_member.clone(),
        confirms: question.confirms.map(|comparison| comparison.to_string()),
        refutes: question.refutes.map(|comparison| comparison.to_string()),
        answer: shown.map(|shown| shown.value.text.clone()),
        verdict,
    }
}

impl Matched<'_> {
    /// What a report is sorted by, least first.
    pub(super) fn order(&self) -> impl Ord + use<'_> {
        (self.rank, Reverse(self.evidence.len()), Reverse(self.specificity), self.note.id.as_str())
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
            cause: note.cause.clone(),
            overlooked: note.overlooked.clone(),
            interleaving: note.interleaving.clone(),
            affected: note.affected.clone(),
            fixes: note.fixes.clone(),
            workaround: note.workaround.clone(),
            asks: self.asks,
            sources: note.sources.clone(),
            related: note.related.clone(),
        }
    }
}
