//! What bytes say, a line a member, as a debugger prints a struct.

use std::fmt::{self, Write};

use super::counted;
use super::escape::escape;
use super::style::{DIM, UNCERTAIN};
use crate::api::decode::{Decode, DecodeMatch, DecodedValue};

/// The answer, styled.
pub fn decode(answer: &Decode) -> String {
    let mut page = String::new();
    for (position, found) in answer.matches.iter().enumerate() {
        if answer.matches.len() > 1 {
            let paths: Vec<&str> =
                found.binaries.iter().map(|source| source.path.as_str()).collect();
            let number = position + 1;
            let origin = format!("// {number} of {}: {}", answer.matches.len(), paths.join(", "));
            let _ = writeln!(page, "{DIM}{}{DIM:#}", escape(&origin));
        }
        // Writing to a String cannot fail.
        let _ = write_match(&mut page, found);
    }
    page
}

fn write_match(page: &mut String, found: &DecodeMatch) -> fmt::Result {
    write_value(page, &found.value, &found.type_name, 0)?;
    if let Some(why) = &found.unnamed_pointers {
        writeln!(page, "{UNCERTAIN}// {}{UNCERTAIN:#}", escape(why))?;
    }
    let given = counted(found.given, "byte");
    match found.size {
        Some(size) if size != found.given => {
            let size = counted(size, "byte");
            writeln!(page, "{UNCERTAIN}// {given} given, the type has {size}{UNCERTAIN:#}")
        }
        _ => Ok(()),
    }
}

fn write_value(page: &mut String, value: &DecodedValue, name: &str, depth: usize) -> fmt::Result {
    let indent = "    ".repeat(depth);
    write!(page, "{indent}{}", escape(name))?;
    if let (Some(first), Some(size)) = (value.bit_offset, value.bit_size) {
        write!(page, " {DIM}: {size} at bit {first}{DIM:#}")?;
    }
    if let Some(text) = &value.value {
        write!(page, " = {}", escape(text))?;
        if let Some(symbol) = &value.points_to {
            write!(page, " <{}>", escape(symbol))?;
        }
    } else if !value.values.is_empty() {
        write!(page, " = {{")?;
    }
    match &value.why {
        Some(why) => writeln!(page, "  {UNCERTAIN}({}){UNCERTAIN:#}", escape(why))?,
        None => writeln!(page)?,
    }
    for inner in &value.values {
        let name = if inner.name.is_empty() { &inner.type_name } else { &inner.name };
        write_value(page, inner, name, depth + 1)?;
    }
    if value.value.is_none() && !value.values.is_empty() {
        writeln!(page, "{indent}}}")?;
    }
    Ok(())
}
