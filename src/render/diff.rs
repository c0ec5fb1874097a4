//! What has changed from one build to the next, as `diff` marks it.

use std::fmt::{self, Write};

use super::counted;
use super::escape::escape;
use super::style::{DIM, TITLE};
use crate::api::diff::{Diff, MemberDiff, Side, TypeChange, TypeDiff};

/// So many holders of a type are named.
const MAX_HOLDERS: usize = 8;

/// The answer, styled.
pub fn diff(answer: &Diff) -> String {
    let mut page = String::new();
    for found in &answer.types {
        // Writing to a String cannot fail.
        let _ = write_type(&mut page, found);
    }
    let _ = writeln!(page, "{DIM}{}{DIM:#}", summary(answer));
    page
}

fn summary(answer: &Diff) -> String {
    let count = |change: TypeChange| {
        answer.types.iter().filter(|found| found.change == change).count() as u64
    };
    let not_compared = match count(TypeChange::NotCompared) {
        0 => String::new(),
        some => format!("{some} not compared in full, "),
    };
    format!(
        "{} changed, {} added, {} removed, {not_compared}{} as before",
        counted(count(TypeChange::Changed), "type"),
        count(TypeChange::Added),
        count(TypeChange::Removed),
        answer.unchanged
    )
}

fn write_type(page: &mut String, found: &TypeDiff) -> fmt::Result {
    let size = |size: Option<u64>| size.map_or("?".to_owned(), |bytes| bytes.to_string());
    let name = escape(&found.type_name);
    let (mark, sizes) = match found.change {
        TypeChange::Added => ("+ ", size(found.new_size)),
        TypeChange::Removed => ("- ", size(found.old_size)),
        TypeChange::Changed | TypeChange::NotCompared if found.old_size == found.new_size => {
            ("", size(found.new_size))
        }
        TypeChange::Changed | TypeChange::NotCompared => {
            ("", format!("{} → {}", size(found.old_size), size(found.new_size)))
        }
    };
    writeln!(page, "{mark}{TITLE}{name}{TITLE:#}  {DIM}{sizes} bytes{DIM:#}")?;
    for member in &found.members {
        write_member(page, member)?;
    }
    for (what, names) in [("holds", &found.holds), ("held by", &found.held_by)] {
        if names.is_empty() {
            continue;
        }
        let mut text = names.iter().take(MAX_HOLDERS).cloned().collect::<Vec<_>>().join(", ");
        if names.len() > MAX_HOLDERS {
            let _ = write!(text, " and {} more", names.len() - MAX_HOLDERS);
        }
        writeln!(page, "    {DIM}{what} {}{DIM:#}", escape(&text))?;
    }
    Ok(())
}

fn write_member(page: &mut String, member: &MemberDiff) -> fmt::Result {
    let path = escape(&member.path);
    if let Some(why) = &member.why {
        let path = if path.is_empty() { path } else { format!("{path}  ").into() };
        return writeln!(page, "      {path}not compared in full: {}", escape(why));
    }
    match (&member.old, &member.new) {
        (None, Some(new)) => writeln!(page, "    + {path}  {}", escape(&whole(new))),
        (Some(old), None) => writeln!(page, "    - {path}  {}", escape(&whole(old))),
        (Some(old), Some(new)) => {
            writeln!(page, "      {path}  {}", escape(&differences(old, new)))
        }
        (None, None) => Ok(()),
    }
}

fn whole(side: &Side) -> String {
    match (&side.value, &side.type_name) {
        (Some(value), _) => format!("= {value}"),
        (None, Some(type_name)) => format!("{type_name} at {}, {}", place(side), size(side)),
        (None, None) => String::new(),
    }
}

/// Only what is not as it was.
fn differences(old: &Side, new: &Side) -> String {
    let mut parts = Vec::new();
    let mut note = |what: &str, old: String, new: String| {
        if old != new {
            parts.push(format!("{what}{old} → {new}"));
        }
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    note("= ", text(&old.value), text(&new.value));
    if old.value.is_none() {
        note("at ", place(old), place(new));
        note("", size(old), size(new));
        note("", text(&old.type_name), text(&new.type_name));
        note("when ", when(old), when(new));
    }
    parts.join(", ")
}

fn when(side: &Side) -> String {
    side.when.clone().unwrap_or_else(|| "always".to_owned())
}

fn place(side: &Side) -> String {
    match (side.bit_offset, side.offset) {
        (Some(bit), _) => format!("bit {bit}"),
        (None, Some(offset)) => offset.to_string(),
        (None, None) => "?".to_owned(),
    }
}

fn size(side: &Side) -> String {
    match (side.bit_size, side.size) {
        (Some(bits), _) => counted(bits, "bit"),
        (None, Some(bytes)) => counted(bytes, "byte"),
        (None, None) => "no size".to_owned(),
    }
}
