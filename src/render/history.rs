//! Crashes that are remembered.

use std::fmt::{self, Write};

use super::counted;
use super::escape::escape;
use super::style::{DIM, EVIDENCE, HEADING, TITLE};
use super::wrap::wrap;
use crate::api::history::{Entry, Similar};

/// The page's width in columns.
const WIDTH: usize = 100;

/// Crashes, a line each, and a person's note below its own.
pub fn list(entries: &[Entry]) -> String {
    let mut page = String::new();
    for entry in entries {
        // Writing to a String cannot fail.
        let _ = write_line(&mut page, entry, "");
    }
    page
}

/// Crashes that are like one, with how much they are.
pub fn similar(similar: &[Similar]) -> String {
    let mut page = String::new();
    for one in similar {
        let same = if one.same_fingerprint { ", the same fingerprint" } else { "" };
        let facts = format!("{:.2}{same}, {}", one.similarity, counted(one.times, "time"));
        let _ = write_line(&mut page, &one.entry, &facts);
    }
    page
}

/// All of one crash.
pub fn entry(entry: &Entry) -> String {
    let mut page = String::new();
    let _ = write_entry(&mut page, entry);
    page
}

fn write_line(page: &mut String, entry: &Entry, facts: &str) -> fmt::Result {
    let Entry { id, record, note } = entry;
    let fingerprint = record.fingerprint.as_deref().unwrap_or("no fingerprint");
    write!(page, "{TITLE}{id}{TITLE:#}  {}  {EVIDENCE}", escape(&record.at))?;
    write!(page, "{}{EVIDENCE:#}  {}", escape(fingerprint), escape(&record.because))?;
    match facts {
        "" => writeln!(page)?,
        facts => writeln!(page, "  {DIM}{facts}{DIM:#}")?,
    }
    note.as_ref().map_or(Ok(()), |note| write_note(page, note))
}

fn write_note(page: &mut String, note: &str) -> fmt::Result {
    wrap(&escape(note), WIDTH - 4).iter().try_for_each(|line| writeln!(page, "    {line}"))
}

fn write_entry(page: &mut String, entry: &Entry) -> fmt::Result {
    write_line(page, entry, "")?;
    let parts = [("functions", &entry.record.frames), ("notes that fitted", &entry.record.notes)];
    for (title, items) in parts.into_iter().filter(|(_, items)| !items.is_empty()) {
        writeln!(page, "  {HEADING}{title}{HEADING:#}")?;
        for item in items {
            let shown = if item.is_empty() { "??" } else { item };
            writeln!(page, "    {}", escape(shown))?;
        }
    }
    Ok(())
}
