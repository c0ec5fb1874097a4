//! Which regular expressions may a plugin use?
//!
//! Those of the crate regex, whose time is linear in the text, within a bound of what one takes in memory.

use regex::{Regex, RegexBuilder};

/// What one compiled pattern may take, in bytes.
const PATTERN_BYTES: usize = 1 << 18;

/// Compiles a pattern within the bounds set for one.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern).size_limit(PATTERN_BYTES).build().map_err(|error| {
        // The crate draws the place over several lines; the last says what it is.
        let drawn = error.to_string();
        let reason = drawn.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("the pattern {pattern:?} cannot be used: {reason}")
    })
}

/// A bound for all of `count` patterns in one set.
pub(super) fn set_bytes(count: usize) -> usize {
    PATTERN_BYTES.saturating_mul(count.saturating_add(1))
}
