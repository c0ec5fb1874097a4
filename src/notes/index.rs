//! Which notes are worth trying on this paste?
//!
//! Each signature has something that must be there: an expression, a function, words of a log. The
//! index knows the notes by one such clue a signature, the one that fewest other signatures share,
//! so that a paste is compared with the few notes that speak of what it holds.

use rustc_hash::FxHashMap;

use super::frame_pattern::FramePattern;
use super::frames_on::Runs;
use super::note::Note;
use super::predicate::Predicate;

/// Something that a paste holds and a note may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Clue<'c> {
    /// A function on a stack.
    Function(&'c str),
    /// A function in which an assertion failed.
    AssertingFunction(&'c str),
    /// The expression of a failed assertion, without blanks.
    Expression(&'c str),
    /// A pattern that words of the paste match.
    Pattern(&'c str),
    /// A function in which a breakpoint was reached.
    Breakpoint(&'c str),
    /// An object of this kind, followed through a log.
    Object(&'c str),
    /// Any printed value, argument or local variable.
    Value,
}

/// The same, kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Kept(u8, Box<str>);

impl Clue<'_> {
    fn kept(self) -> Kept {
        let (kind, text) = match self {
            Clue::Function(text) => (0, text),
            Clue::AssertingFunction(text) => (1, text),
            Clue::Expression(text) => (2, text),
            Clue::Pattern(text) => (3, text),
            Clue::Breakpoint(text) => (4, text),
            Clue::Object(text) => (5, text),
            Clue::Value => (6, ""),
        };
        Kept(kind, text.into())
    }
}

/// Notes, by their numbers, under what they need.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    notes: FxHashMap<Kept, Vec<usize>>,
    /// Those that can be told by nothing short of trying.
    always: Vec<usize>,
}

impl Index {
    pub(super) fn of(notes: &[Note]) -> Self {
        let signatures = || {
            let numbered = notes.iter().enumerate();
            numbered.flat_map(|(number, note)| note.signatures.iter().map(move |one| (number, one)))
        };
        let mut shared: FxHashMap<Kept, usize> = FxHashMap::default();
        for (_, signature) in signatures() {
            for clue in signature.all.iter().flat_map(clues).flatten() {
                *shared.entry(clue.kept()).or_default() += 1;
            }
        }
        let count = |clues: &Vec<Clue<'_>>| -> usize {
            clues.iter().filter_map(|clue| shared.get(&clue.kept())).sum()
        };
        let mut index = Index::default();
        for (number, signature) in signatures() {
            let needed = signature.all.iter().flat_map(clues).min_by_key(count);
            let Some(needed) = needed else {
                index.always.push(number);
                continue;
            };
            for clue in needed {
                index.notes.entry(clue.kept()).or_default().push(number);
            }
        }
        index
    }

    /// The numbers of the notes to try, in order.
    pub(super) fn candidates<'c>(&self, held: impl Iterator<Item = Clue<'c>>) -> Vec<usize> {
        let found = held.filter_map(|clue| self.notes.get(&clue.kept())).flatten();
        let mut numbers: Vec<usize> = found.chain(&self.always).copied().collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }
}

/// What a predicate needs: each list is something of which one must be in the paste.
fn clues(predicate: &Predicate) -> Vec<Vec<Clue<'_>>> {
    match predicate {
        Predicate::Assertion(asked) if asked.expression != "*" => {
            vec![vec![Clue::Expression(&asked.unspaced)]]
        }
        Predicate::Assertion(asked) => vec![vec![Clue::AssertingFunction(&asked.function)]],
        Predicate::Frames(asked) => of_runs(&asked.runs),
        Predicate::Stacks(asked) => asked.stacks.iter().flat_map(of_runs).collect(),
        Predicate::Log(asked) => vec![of_patterns(&asked.patterns)],
        Predicate::Fault(asked) => vec![of_patterns(&asked.patterns)],
        Predicate::Breakpoint(asked) => vec![vec![Clue::Breakpoint(&asked.function)]],
        Predicate::Object(asked) => vec![vec![Clue::Object(&asked.object)]],
        Predicate::Value(_) => vec![vec![Clue::Value]],
        Predicate::Recursion(_)
        | Predicate::Deadlock(_)
        | Predicate::Signal(_)
        | Predicate::Program(_) => Vec::new(),
    }
}

fn of_patterns(patterns: &[String]) -> Vec<Clue<'_>> {
    patterns.iter().map(|pattern| Clue::Pattern(pattern)).collect()
}

fn of_runs(runs: &Runs) -> Vec<Vec<Clue<'_>>> {
    let named = runs.frames().filter_map(FramePattern::names);
    named.map(|names| names.into_iter().map(Clue::Function).collect()).collect()
}
