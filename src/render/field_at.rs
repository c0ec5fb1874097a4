//! What is at an offset, a line a place.

use std::fmt::{self, Write};

use super::counted;
use super::escape::escape;
use super::offsets::bits;
use super::style::{DIM, TITLE};
use crate::api::field_at::{FieldAt, FieldMatch, Place, PlaceKind};

/// The answer, styled. `bit` is the first bit that was asked for.
pub fn field_at(answer: &FieldAt, bit: u64) -> String {
    let mut page = String::new();
    for (position, found) in answer.matches.iter().enumerate() {
        // Writing to a String cannot fail.
        let _ = write_match(&mut page, found, bit, position, answer.matches.len());
    }
    page
}

fn write_match(
    page: &mut String,
    found: &FieldMatch,
    bit: u64,
    position: usize,
    count: usize,
) -> fmt::Result {
    if count > 1 {
        let paths: Vec<&str> = found.binaries.iter().map(|source| source.path.as_str()).collect();
        let origin = format!("// {} of {count}: {}", position + 1, paths.join(", "));
        writeln!(page, "{DIM}{}{DIM:#}", escape(&origin))?;
    }
    if found.places.is_empty() {
        let size = match found.size {
            // An enum has none; a virtual base is where run time puts it.
            Some(size) if bit < size.saturating_mul(8) => {
                let name = escape(&found.type_name);
                return writeln!(page, "nothing: no member of {name} is known to be there");
            }
            Some(size) => format!("which has {}", counted(size, "byte")),
            None => "whose size is not known".to_owned(),
        };
        return writeln!(page, "nothing: behind the end of {}, {size}", escape(&found.type_name));
    }
    for place in &found.places {
        write_place(page, &found.type_name, place, bit)?;
    }
    Ok(())
}

fn write_place(page: &mut String, type_name: &str, place: &Place, bit: u64) -> fmt::Result {
    let path = match place.path.as_str() {
        "" => type_name.to_owned(),
        path => format!("{type_name}.{path}"),
    };
    let path = escape(&path);
    let (first, size) = (place.bit_offset, place.bit_size);
    let extent = match (first % 8, size % 8) {
        (0, 0) => format!("{}, {}", place.offset, counted(size / 8, "byte")),
        _ => format!("{}, {}", place.offset, bits(first % 8, size)),
    };
    match place.kind {
        PlaceKind::Member | PlaceKind::BitField => {
            let spelled = escape(place.type_name.as_deref().unwrap_or_default());
            write!(page, "{TITLE}{path}{TITLE:#}  {DIM}{spelled}, at {extent}{DIM:#}")?;
            let into = bit.saturating_sub(first);
            match (into, into % 8) {
                (0, _) => writeln!(page),
                (into, 0) => writeln!(page, "  {} into it", counted(into / 8, "byte")),
                (into, _) => writeln!(page, "  {} into it", counted(into, "bit")),
            }
        }
        PlaceKind::Hole => writeln!(page, "a hole in {path}  {DIM}at {extent}{DIM:#}"),
        PlaceKind::Padding => {
            writeln!(page, "padding at the end of {path}  {DIM}at {extent}{DIM:#}")
        }
    }
}
