//! Of which signal, stacks and values does one attempt at a signature speak?
//!
//! Rule: what two crashes show is not put together. A signature that speaks of a signal is tried on
//! each signal of the paste by itself, and once on what belongs to none.

use super::facts::Facts;
use super::frames;
use super::values::Shown;
use crate::notes::{FramesOn, Predicate, Signature};

/// What an attempt is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occasion {
    /// The whole paste: the signature speaks of no signal.
    Paste,
    /// The signal of this number.
    Signal(usize),
    /// What belongs to no signal.
    NoSignal,
}

/// What an attempt may look at.
pub(super) struct Scope<'n> {
    pub(super) occasion: Occasion,
    /// A stack on which one of them stands is out.
    none: &'n [FramesOn],
    /// The stacks on which something required was found.
    matched: Vec<usize>,
}

/// The occasions that a signature is tried on.
pub(super) fn occasions(facts: &Facts<'_>, signature: &Signature) -> Vec<Occasion> {
    let predicates = signature.all.iter().chain(&signature.any);
    let asked: Vec<&[String]> = predicates.filter_map(Predicate::signals).collect();
    if asked.is_empty() {
        return vec![Occasion::Paste];
    }
    let is_asked = |name: &str| {
        asked.iter().any(|names| names.is_empty() || names.iter().any(|asked| asked == name))
    };
    let signals = facts.signals().iter().zip(0..).filter(|(signal, _)| is_asked(signal.name));
    let occasions = signals.map(|(_, number)| Occasion::Signal(number));
    occasions.chain([Occasion::NoSignal]).collect()
}

impl<'n> Scope<'n> {
    pub(super) fn new(occasion: Occasion, signature: &'n Signature) -> Self {
        Scope { occasion, none: &signature.none, matched: Vec::new() }
    }

    /// Something required was found on this stack.
    pub(super) fn found_on(&mut self, stack: usize) {
        self.matched.push(stack);
    }

    /// Whether a stack belongs to the occasion and is not ruled out.
    pub(super) fn allows(&self, facts: &Facts<'_>, stack: usize) -> bool {
        let belongs = match self.occasion {
            Occasion::Signal(signal) => facts.signal_of(stack).is_none_or(|own| own == signal),
            Occasion::Paste | Occasion::NoSignal => true,
        };
        belongs && !self.rules_out(facts, stack)
    }

    /// Whether `none` has frames that stand on the stack.
    pub(super) fn rules_out(&self, facts: &Facts<'_>, stack: usize) -> bool {
        self.none.iter().any(|asked| frames::place(facts, asked, stack).is_some())
    }

    /// Whether a printed value speaks of the crash: it belongs to a stack that matched or, where
    /// that cannot be told, was printed after everything that stopped the program.
    pub(super) fn speaks(&self, facts: &Facts<'_>, shown: &Shown<'_>) -> bool {
        match shown.stack {
            Some(stack) if !self.matched.is_empty() => self.matched.contains(&stack),
            Some(stack) if !self.allows(facts, stack) => false,
            _ => facts.is_after_signals(shown.lines),
        }
    }
}
