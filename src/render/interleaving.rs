//! Who does what before whom: threads as columns, time going down.

use unicode_width::UnicodeWidthStr;

use super::escape::escape;
use super::wrap::{filled, wrap};
use crate::triage::Interleaving;

/// Between two columns.
const RULE: &str = " │ ";

/// The narrowest column worth reading.
const MIN_COLUMN: usize = 14;

/// The interleaving as lines of at most `width` columns, unless the threads are too many for that.
pub(super) fn columns(interleaving: &Interleaving, width: usize) -> Vec<String> {
    let threads = &interleaving.threads;
    let rules = RULE.width() * threads.len().saturating_sub(1);
    let column = width.saturating_sub(rules) / threads.len().max(1);
    let column = column.max(MIN_COLUMN);
    let headings =
        threads.iter().map(|(letter, who)| wrap(&escape(&format!("{letter}: {who}")), column));
    let mut lines = rows(&headings.collect::<Vec<_>>(), column);
    let underline = "─".repeat(column);
    lines.push(vec![underline; threads.len()].join("─┼─"));
    for step in &interleaving.steps {
        let cells: Vec<Vec<String>> = threads
            .keys()
            .map(
                |letter| {
                    if *letter == step.0 { wrap(&escape(&step.1), column) } else { Vec::new() }
                },
            )
            .collect();
        lines.extend(rows(&cells, column));
    }
    lines
}

/// Cells side by side, each filled up to the width of a column.
fn rows(cells: &[Vec<String>], column: usize) -> Vec<String> {
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    let row = |number: usize| {
        let line: Vec<String> = cells
            .iter()
            .map(|cell| filled(cell.get(number).map_or("", String::as_str), column))
            .collect();
        line.join(RULE).trim_end().to_owned()
    };
    (0..height).map(row).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::notes::{Confidence, Step};

    #[test]
    fn each_step_stands_in_its_threads_column() {
        let step = |who: &str, what: &str| Step(who.into(), what.into());
        let interleaving = Interleaving {
            confidence: Confidence::Code,
            threads: BTreeMap::from([("A".into(), "the loop".into()), ("B".into(), "it".into())]),
            steps: vec![step("A", "checks the flag"), step("B", "frees"), step("A", "uses")],
        };
        assert_eq!(
            columns(&interleaving, 31),
            [
                "A: the loop    │ B: it",
                "───────────────┼───────────────",
                "checks the     │",
                "flag           │",
                "               │ frees",
                "uses           │",
            ]
        );
    }
}
