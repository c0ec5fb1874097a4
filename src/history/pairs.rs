//! By what stacks are found that may be alike: functions that stand next to each other.
//!
//! A single function is on too many stacks to tell much, and a whole stack on too few. A function
//! that a compiler has inlined, or a caller more, spoils two pairs and leaves the others.

use std::hash::Hasher;

use fnv::FnvHasher;

/// Functions from the top whose pairs are indexed: those that count most.
const INDEXED: usize = 8;

/// The hashes of a stack's pairs, each once. The first function and the top of the stack are one too,
/// so that a stack of one function has a pair; an unknown function has none.
pub(super) fn pairs<'f>(frames: impl Iterator<Item = &'f str>) -> Vec<i64> {
    let mut before = "^";
    let mut pairs: Vec<i64> = Vec::with_capacity(INDEXED);
    for name in frames.take(INDEXED) {
        if !before.is_empty() && !name.is_empty() {
            pairs.push(hash(&[before, name]));
        }
        before = name;
    }
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// 64-bit FNV-1a of texts; SQLite knows signed numbers only.
pub(super) fn hash(texts: &[&str]) -> i64 {
    let mut hasher = FnvHasher::default();
    for text in texts {
        hasher.write(text.as_bytes());
        hasher.write(&[0]);
    }
    hasher.finish().cast_signed()
}
