//! A layout in the form of gdb scripts: `member => offset`, nothing else.

use std::fmt::{self, Write};

use super::counted;
use super::escape::escape;
use super::style::DIM;
use crate::api::layout::{Layout, LayoutMatch, Member, Selected};

/// Writes one match.
pub(super) fn write(page: &mut String, found: &LayoutMatch) -> fmt::Result {
    match &found.selected {
        Some(selected) => write_selected(page, &found.layout, selected),
        None => write_layout(page, &found.layout),
    }
}

fn write_selected(page: &mut String, layout: &Layout, selected: &Selected) -> fmt::Result {
    let name = format!("{}.{}", layout.type_name, selected.path);
    writeln!(page, "{} => {}", escape(&name), place(&selected.member))
}

/// `8 bytes`, or why there is no size.
pub(super) fn size_in_words(layout: &Layout) -> String {
    match (layout.size, &layout.why) {
        (Some(size), _) => counted(size, "byte"),
        (None, Some(why)) => why.clone(),
        (None, None) => "size unknown".to_owned(),
    }
}

fn write_layout(page: &mut String, layout: &Layout) -> fmt::Result {
    if layout.members.is_empty() && layout.enumerators.is_empty() && layout.kind == "type" {
        let size = size_in_words(layout);
        return writeln!(page, "{} {DIM}// {}{DIM:#}", escape(&layout.type_name), escape(&size));
    }
    writeln!(page, "{} {{", escape(&layout.type_name))?;
    write_members(page, &layout.members)?;
    for enumerator in &layout.enumerators {
        writeln!(page, "    {} = {}", escape(&enumerator.name), enumerator.value)?;
    }
    writeln!(page, "}}")?;
    if let Some(why) = &layout.why {
        writeln!(page, "{DIM}// incomplete: {}{DIM:#}", escape(why))?;
    }
    Ok(())
}

/// The members of anonymous structs stand in their parent's scope, and so do those of bases.
fn write_members(page: &mut String, members: &[Member]) -> fmt::Result {
    for member in members {
        if member.anonymous {
            write_members(page, &member.members)?;
        } else if member.base {
            writeln!(page, "    <base {}> => {}", escape(&member.type_name), place(member))?;
            write_members(page, &member.members)?;
        } else {
            let name = if member.name.is_empty() { "<unnamed>" } else { &member.name };
            writeln!(page, "    {} => {}", escape(name), place(member))?;
        }
    }
    Ok(())
}

/// `8`, `4 (bits 3-5)`, or why it is not known.
fn place(member: &Member) -> String {
    let Some(offset) = member.offset else {
        let why = member.why.as_deref().unwrap_or("only known at run time");
        return format!("? ({})", escape(why));
    };
    match (member.bit_offset, member.bit_size) {
        (Some(first), Some(size)) => format!("{offset} ({})", bits(first % 8, size)),
        _ => offset.to_string(),
    }
}

/// `bit 3` or `bits 3-5`, counted from the byte before it.
pub(super) fn bits(first: u64, size: u64) -> String {
    match size {
        0 => "no bits".to_owned(),
        1 => format!("bit {first}"),
        _ => format!("bits {first}-{}", first.saturating_add(size - 1)),
    }
}
