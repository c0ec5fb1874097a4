//! A layout as C that compiles only where it is true: `_Static_assert` (C11 §6.7.10) of each size,
//! offset and enumerator. Paste it below the headers of a project, and its compiler checks it.
//!
//! What C cannot ask, such as the place of a bit field (§7.19), stands there as a comment. So does
//! what has no name in C: text from a binary never becomes anything but a comment or an identifier.

use std::fmt::{self, Write};

use super::counted;
use super::escape::escape;
use super::offsets::bits;
use crate::api::layout::{Enumerator, Layout, LayoutMatch, Member};

/// The header that `offsetof` is from.
pub(super) const HEADER: &str = "#include <stddef.h>\n\n";

/// Writes one match. A name has one meaning in a unit: of several, those after the first are shut off.
pub(super) fn write(page: &mut String, found: &LayoutMatch, position: usize) -> fmt::Result {
    let layout = &found.layout;
    write_origin(page, layout)?;
    if layout.language != "c" {
        let why = format!("no assertions: the language is {}, not c", layout.language);
        return comment(page, &why);
    }
    if !is_type_name(&layout.type_name) {
        return comment(page, &format!("no assertions: {} has no name in C", layout.type_name));
    }
    if position > 0 {
        writeln!(page, "#if 0 /* the name has one meaning at a time */")?;
    }
    let name = layout.type_name.as_str();
    match &found.selected {
        Some(selected) => write_member(page, name, "", &selected.path, &selected.member)?,
        None => write_type(page, layout)?,
    }
    if position > 0 {
        writeln!(page, "#endif")?;
    }
    Ok(())
}

fn write_origin(page: &mut String, layout: &Layout) -> fmt::Result {
    let mut origin = layout.type_name.clone();
    if let Some(at) = &layout.declared_at {
        write!(origin, ", {}:{}", at.file, at.line)?;
    }
    for source in &layout.binaries {
        let units = counted(source.units as u64, "unit");
        write!(origin, "; {units} of {}", source.path)?;
        if let Some(build_id) = &source.build_id {
            write!(origin, ", build-id {build_id}")?;
        }
    }
    comment(page, &origin)
}

fn write_type(page: &mut String, layout: &Layout) -> fmt::Result {
    let name = layout.type_name.as_str();
    match (layout.size, &layout.why) {
        (Some(size), _) => assert(page, &format!("sizeof({name})"), &size.to_string())?,
        (None, Some(why)) => comment(page, why)?,
        (None, None) => comment(page, "the size is not known")?,
    }
    if let Some(align) = layout.align {
        assert(page, &format!("_Alignof({name})"), &align.to_string())?;
    }
    for member in &layout.members {
        write_member(page, name, "", &member.name, member)?;
    }
    for enumerator in &layout.enumerators {
        write_enumerator(page, enumerator)?;
    }
    Ok(())
}

/// One member and those of its type. `outer` ends with a dot where it is not empty.
fn write_member(
    page: &mut String,
    type_name: &str,
    outer: &str,
    name: &str,
    member: &Member,
) -> fmt::Result {
    if member.anonymous {
        return write_inner(page, type_name, outer, member);
    }
    let path = format!("{outer}{name}");
    if let (Some(first), Some(size)) = (member.bit_offset, member.bit_size) {
        let at = member.offset.unwrap_or(first / 8);
        let name = if name.is_empty() { "<unnamed>" } else { path.as_str() };
        let place = bits(first.saturating_sub(at.saturating_mul(8)), size);
        return comment(page, &format!("{name}: bit field at {at}, {place}"));
    }
    let Some(offset) = member.offset else {
        let why = member.why.as_deref().unwrap_or("its offset is only known at run time");
        return comment(page, &format!("{path}: {why}"));
    };
    if !is_path(&path) {
        return comment(page, &format!("{path} at {offset} has no name in C"));
    }
    assert(page, &format!("offsetof({type_name}, {path})"), &offset.to_string())?;
    // The size of a flexible array is not to be had (C11 §6.5.3.4).
    if let Some(size) = member.size {
        let member = format!("sizeof((({type_name} *)0)->{path})");
        assert(page, &member, &size.to_string())?;
    }
    write_inner(page, type_name, &format!("{path}."), member)
}

fn write_inner(page: &mut String, type_name: &str, outer: &str, member: &Member) -> fmt::Result {
    for inner in &member.members {
        write_member(page, type_name, outer, &inner.name, inner)?;
    }
    Ok(())
}

fn write_enumerator(page: &mut String, enumerator: &Enumerator) -> fmt::Result {
    let Enumerator { name, value } = enumerator;
    if !is_identifier(name) {
        return comment(page, &format!("{name} = {value} has no name in C"));
    }
    match value.parse::<i128>() {
        // C has no negative constants: the digits alone would be too large.
        Ok(lowest) if lowest == i128::from(i64::MIN) => {
            assert(page, name, &format!("{} - 1", i64::MIN + 1))
        }
        Ok(large) if large > i128::from(i64::MAX) => assert(page, name, &format!("{value}u")),
        _ => assert(page, name, value),
    }
}

fn assert(page: &mut String, left: &str, right: &str) -> fmt::Result {
    writeln!(page, "_Static_assert({left} == {right}, \"{left}\");")
}

/// A comment that what is in it cannot end.
fn comment(page: &mut String, text: &str) -> fmt::Result {
    let text = escape(text).replace("*/", "* /").replace("/*", "/ *");
    writeln!(page, "/* {text} */")
}

/// `struct foo`, `long unsigned int`: words alone.
fn is_type_name(name: &str) -> bool {
    !name.is_empty() && name.split(' ').all(is_identifier)
}

/// `entry.le_next`, `fds[3].events`.
fn is_path(path: &str) -> bool {
    path.split('.').all(|step| {
        let (name, indices) = step.split_at(step.find('[').unwrap_or(step.len()));
        let mut indices = indices.split_inclusive(']');
        is_identifier(name)
            && indices.all(|index| {
                let digits = index.strip_prefix('[').and_then(|index| index.strip_suffix(']'));
                digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
            })
    })
}

fn is_identifier(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first == '_' || first.is_ascii_alphabetic())
        && characters.all(|c| c == '_' || c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::layout::Hole;

    fn member(name: &str, offset: u64) -> Member {
        Member {
            name: name.to_owned(),
            type_name: "int".to_owned(),
            offset: Some(offset),
            size: Some(4),
            bit_offset: None,
            bit_size: None,
            align: None,
            base: false,
            anonymous: false,
            when: None,
            members: Vec::new(),
            holes: Vec::<Hole>::new(),
            why: None,
        }
    }

    #[test]
    fn names_that_are_no_identifiers_stay_in_comments() {
        let mut page = String::new();
        for name in ["a*/ int x; /*", "a, b) == 0, \"\"); int f(", "a\nb", "größe", ""] {
            write_member(&mut page, "struct s", "", name, &member(name, 8)).unwrap();
        }
        for line in page.lines() {
            let inside = line.strip_prefix("/* ").and_then(|line| line.strip_suffix(" */"));
            let inside = inside.unwrap_or_else(|| panic!("{line} is no comment"));
            assert!(!inside.contains("*/") && !inside.contains("/*"), "{line}");
        }
        assert_eq!(page.lines().count(), 5);
    }

    #[test]
    fn paths_have_indices() {
        for path in ["a", "_a.b1", "a[3].b[0][1]"] {
            assert!(is_path(path), "{path}");
        }
        for path in ["", "a.", "a[x]", "a[1", "a[1]b", "1a", "a b", "[1]"] {
            assert!(!is_path(path), "{path}");
        }
    }
}
