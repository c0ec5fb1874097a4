//! The types or functions that were found, a line each.

use std::fmt::Write;

use super::counted;
use super::escape::escape;
use super::style::{DIM, TITLE};
use crate::api::find::Find;
use crate::api::functions::Functions;

/// The answer, styled. Binaries are named where there are several.
pub fn find(answer: &Find) -> String {
    let mut page = String::new();
    let first = answer.types.first().map(|found| &found.binary.path);
    let is_one = answer.types.iter().all(|found| Some(&found.binary.path) == first);
    for found in &answer.types {
        let mut facts = vec![match found.size {
            Some(size) => counted(size, "byte"),
            None => "size unknown".to_owned(),
        }];
        if let Some(at) = &found.declared_at {
            facts.push(format!("{}:{}", at.file, at.line));
        }
        if !is_one {
            facts.push(found.binary.path.clone());
        }
        let name = match found.type_name.split_whitespace().any(|word| word == found.name) {
            true => found.type_name.clone(),
            false => format!("{} = {}", found.name, found.type_name),
        };
        // Writing to a String cannot fail.
        let (name, facts) = (escape(&name).into_owned(), escape(&facts.join(", ")).into_owned());
        let _ = writeln!(page, "{TITLE}{name}{TITLE:#}  {DIM}{facts}{DIM:#}");
    }
    page
}

/// The functions that were found, styled.
pub fn functions(answer: &Functions) -> String {
    let mut page = String::new();
    for found in &answer.functions {
        let place = found.declared_at.as_ref().map(|at| format!("  {}:{}", at.file, at.line));
        let (signature, place) = (escape(&found.signature), place.unwrap_or_default());
        // Writing to a String cannot fail.
        let _ = writeln!(page, "{TITLE}{signature}{TITLE:#}{DIM}{}{DIM:#}", escape(&place));
    }
    page
}
