//! What came of the comparison, counted, and written where it is shown.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;

use crate::agreement::Agreement;
use crate::oracles::Oracle;

/// The page, and between which of its lines the tables are.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/correctness.md");
const START: &str = "<!-- the counts: written by tests/real_layouts -->\n";
const END: &str = "<!-- the end of the counts -->\n";

/// One oracle's part.
#[derive(Default)]
struct Counts {
    /// Alike, but for what `reasons` counts.
    alike: usize,
    unknown: usize,
    different: usize,
    reasons: BTreeMap<&'static str, usize>,
}

/// One binary's counts.
pub(crate) struct Row {
    binary: String,
    names: usize,
    /// As readelf and we count them.
    pub(crate) definitions: usize,
    counts: BTreeMap<Oracle, Counts>,
}

impl Row {
    pub(crate) fn new(binary: &str) -> Row {
        Row { binary: binary.to_owned(), names: 0, definitions: 0, counts: BTreeMap::new() }
    }

    pub(crate) fn count(&mut self, oracle: Oracle, agreement: &Agreement) {
        let counts = self.counts.entry(oracle).or_default();
        match agreement {
            Agreement::Unknown => counts.unknown += 1,
            Agreement::Different(_) => counts.different += 1,
            Agreement::Same(reasons) => {
                counts.alike += 1;
                for reason in reasons {
                    *counts.reasons.entry(reason).or_default() += 1;
                }
            }
        }
        self.names = counts.alike + counts.unknown + counts.different;
    }

    /// How many names are laid out as an oracle says.
    pub(crate) fn alike(&self, oracle: Oracle) -> usize {
        self.counts.get(&oracle).map_or(0, |counts| counts.alike)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} names, {} definitions", self.binary, self.names, self.definitions)?;
        for (oracle, counts) in &self.counts {
            let Counts { alike, unknown, different, reasons } = counts;
            write!(
                f,
                "\n  {oracle}: {alike} alike {reasons:?}, {unknown} unknown, {different} differ"
            )?;
        }
        Ok(())
    }
}

/// Writes the tables into the page, under `ACCEPT=1`.
pub(crate) fn accept(rows: &[Row]) {
    if std::env::var("ACCEPT").is_err() {
        return;
    }
    let page = fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(START).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    fs::write(PAGE, format!("{before}{START}\n{}\n{END}{after}", tables(rows))).unwrap();
}

fn tables(rows: &[Row]) -> String {
    let mut text = "| binary | names | definitions |".to_owned();
    Oracle::ALL.iter().for_each(|oracle| text.push_str(&format!(" as {oracle} says |")));
    text.push_str(&format!("\n|---|---|---|{}\n", "---|".repeat(Oracle::ALL.len())));
    for row in rows {
        text.push_str(&format!("| {} | {} | {} |", row.binary, row.names, row.definitions));
        for oracle in Oracle::ALL {
            text.push_str(&format!(" {} |", row.alike(oracle)));
        }
        text.push('\n');
    }
    let sum = |part: &dyn Fn(&Row) -> usize| rows.iter().map(part).sum::<usize>();
    text.push_str(&format!("| **together** | **{}** |", sum(&|row| row.names)));
    text.push_str(&format!(" **{}** |", sum(&|row| row.definitions)));
    for oracle in Oracle::ALL {
        text.push_str(&format!(" **{}** |", sum(&|row| row.alike(oracle))));
    }
    text.push_str("\n\n| seen through | by | names |\n|---|---|---|\n");
    let mut reasons: BTreeMap<(&str, Oracle), usize> = BTreeMap::new();
    for (oracle, counts) in rows.iter().flat_map(|row| &row.counts) {
        for (reason, count) in &counts.reasons {
            *reasons.entry((reason, *oracle)).or_default() += count;
        }
    }
    for ((reason, oracle), count) in reasons {
        text.push_str(&format!("| {reason} | {oracle} | {count} |\n"));
    }
    text
}
