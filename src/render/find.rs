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
        let name = match is_named(&found.type_name, &found.name) {
            true => found.type_name.clone(),
            false => format!("{} = {}", found.name, found.type_name),
        };
        // Writing to a String cannot fail.
        let (name, facts) = (escape(&name).into_owned(), escape(&facts.join(", ")).into_owned());
        let _ = writeln!(page, "{TITLE}{name}{TITLE:#}  {DIM}{facts}{DIM:#}");
    }
    page
}

/// Whether a type is spelled with its name: behind its keyword and scope, and in front of arguments that the
/// name leaves out. A typedef's name is another.
fn is_named(type_name: &str, name: &str) -> bool {
    let (keyword, bare) = type_name.split_once(' ').unwrap_or(("", type_name));
    let is_keyword = matches!(keyword, "struct" | "union" | "class" | "enum");
    let spelled = if is_keyword { bare } else { type_name };
    let starts = spelled.match_indices("::").map(|(at, scope)| at + scope.len());
    std::iter::once(0).chain(starts).any(|start| {
        let behind = spelled.get(start..).and_then(|part| part.strip_prefix(name));
        behind.is_some_and(|behind| {
            behind.is_empty() || (behind.starts_with('<') && behind.ends_with('>'))
        })
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_repeated_where_it_is_another() {
        for (type_name, name) in [
            ("struct point", "point"),
            ("unsigned char", "unsigned char"),
            ("struct box<int, 3>", "box<int, 3>"),
            ("struct n::box<n::in, 3>", "box"),
            ("class outer<n::in>::inner<int>", "inner"),
            ("enum n::e", "e"),
            ("main.T", "main.T"),
        ] {
            assert!(is_named(type_name, name), "{name}");
        }
        for (type_name, name) in [
            ("struct point", "point_t"),
            ("unsigned char", "char"),
            ("struct box<n::in>", "in"),
            ("struct box<int>", "bo"),
            ("struct inner", "struct"),
        ] {
            assert!(!is_named(type_name, name), "{name}");
        }
    }
}
