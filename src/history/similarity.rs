//! How alike are two stacks?
//!
//! The position dependent model of Dang, Wu, Zhang, Zhang and Nobel, "ReBucket: a method for
//! clustering duplicate crash reports based on call stack similarity", ICSE 2012, §III. Of all ways
//! to pair equal functions of both stacks in order, the best counts:
//!
//! ```text
//!              max over pairings  Σ e^(-c·min(i, j)) · e^(-o·|i - j|)
//! similarity = ──────────────────────────────────────────────────────    i, j: positions from the top, from 0
//!                        Σ e^(-c·k)   for k from 0 to l - 1              l: functions of the stack asked about
//! ```
//!
//! A pair near the top counts more (`c`), and one at places far apart less (`o`). Two equal stacks
//! are 1. The paper trains both for each product; here they are fixed: `BY_DEPTH` and `BY_SHIFT`.
//! One thing differs: the paper's `l` is of the shorter stack. Here a short stack that is but the top
//! of the one asked about is not taken for the whole.

use std::sync::LazyLock;

/// `c`: the 18th function from the top counts half as much as the first.
const BY_DEPTH: f64 = 0.04;

/// `o`: a function five places off counts half as much as one in its place.
const BY_SHIFT: f64 = 0.13;

/// Functions from the top that are compared.
const COMPARED: usize = 64;

static DEPTH: LazyLock<[f64; COMPARED]> = LazyLock::new(|| powers(BY_DEPTH));
static SHIFT: LazyLock<[f64; COMPARED]> = LazyLock::new(|| powers(BY_SHIFT));

fn powers(rate: f64) -> [f64; COMPARED] {
    let mut at = 0.0;
    [(); COMPARED].map(|()| {
        let power = f64::exp(-rate * at);
        at += 1.0;
        power
    })
}

/// How alike `other` is to the stack `asked`, from 0 to 1; an empty name is unknown, and like nothing.
pub fn similarity(asked: &[&str], other: &[&str]) -> f64 {
    let asked = asked.get(..COMPARED).unwrap_or(asked);
    let other = other.get(..COMPARED).unwrap_or(other);
    let whole: f64 = DEPTH.iter().take(asked.len()).sum();
    if whole == 0.0 {
        return 0.0;
    }
    // best[j]: the best sum over pairings of what was looked at of `asked` with other[..j].
    let mut best = [0.0_f64; COMPARED + 1];
    for (i, name) in asked.iter().enumerate() {
        let mut before = 0.0; // best[j] of the row before
        for (j, candidate) in other.iter().enumerate() {
            let paired = if name == candidate && !name.is_empty() {
                before + DEPTH[i.min(j)] * SHIFT[i.abs_diff(j)]
            } else {
                0.0
            };
            before = best[j + 1];
            best[j + 1] = before.max(best[j]).max(paired);
        }
    }
    best[other.len()] / whole
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The formula as it stands, over every pairing.
    fn by_definition(asked: &[&str], other: &[&str]) -> f64 {
        fn best(asked: &[&str], other: &[&str], i: usize, j: usize) -> f64 {
            if i == asked.len() || j == other.len() {
                return 0.0;
            }
            let skipped = best(asked, other, i + 1, j).max(best(asked, other, i, j + 1));
            if asked[i] != other[j] || asked[i].is_empty() {
                return skipped;
            }
            let (depth, shift) = (i.min(j) as f64, i.abs_diff(j) as f64);
            let pair = (-BY_DEPTH * depth).exp() * (-BY_SHIFT * shift).exp();
            skipped.max(pair + best(asked, other, i + 1, j + 1))
        }
        let whole: f64 = (0..asked.len()).map(|k| (-BY_DEPTH * k as f64).exp()).sum();
        if asked.is_empty() { 0.0 } else { best(asked, other, 0, 0) / whole }
    }

    fn stack() -> impl Strategy<Value = Vec<&'static str>> {
        prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "d", ""]), 0..7)
    }

    proptest! {
        #[test]
        fn it_is_what_the_formula_says(asked in stack(), other in stack()) {
            let found = similarity(&asked, &other);
            prop_assert!((found - by_definition(&asked, &other)).abs() < 1e-12);
            prop_assert!((0.0..=1.0 + 1e-12).contains(&found));
        }
    }

    #[test]
    fn equal_is_one_and_what_is_near_the_top_counts_more() {
        let asked = ["a", "b", "c", "d"];
        assert!((similarity(&asked, &asked) - 1.0).abs() < 1e-12);
        let top = similarity(&asked, &["x", "b", "c", "d"]);
        let bottom = similarity(&asked, &["a", "b", "c", "x"]);
        let shifted = similarity(&asked, &["x", "a", "b", "c", "d"]);
        assert!(top < bottom && bottom < 1.0, "{top} {bottom}");
        assert!(shifted < 1.0 && shifted > 0.8, "{shifted}");
        assert_eq!(similarity(&["", ""], &["", ""]), 0.0);
    }
}
