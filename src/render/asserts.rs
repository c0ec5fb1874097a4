//! A layout as C or C++ that compiles only where it is true: `_Static_assert` (C11 §6.7.10) or
//! `static_assert` (C++11 [dcl.dcl]) of each size, offset and enumerator. Paste it below the headers of a
//! project, and its compiler checks it.
//!
//! What cannot be asked, such as the place of a bit field (C11 §7.19), of a base or of a private member,
//! stands there as a comment. So does what has no name in the language: text from a binary never becomes
//! anything but a comment, an identifier or a type of identifiers.

use std::fmt::{self, Write};

use super::counted;
use super::escape::escape;
use super::offsets::bits;
use crate::api::layout::{Access, Enumerator, Layout, LayoutMatch, Member};

/// The header that `offsetof` is from.
pub(super) const HEADER: &str = "#include <stddef.h>\n\n";

/// The language of the assertions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    C,
    Cxx,
}

impl Dialect {
    fn of(layout: &Layout) -> Option<Dialect> {
        match layout.language.as_str() {
            "c" => Some(Dialect::C),
            "c++" => Some(Dialect::Cxx),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Dialect::C => "C",
            Dialect::Cxx => "C++",
        }
    }

    fn assert(self, page: &mut String, left: &str, right: &str) -> fmt::Result {
        let keyword = match self {
            Dialect::C => "_Static_assert",
            Dialect::Cxx => "static_assert",
        };
        writeln!(page, "{keyword}({left} == {right}, \"{left}\");")
    }

    fn align_of(self, name: &str) -> String {
        match self {
            Dialect::C => format!("_Alignof({name})"),
            Dialect::Cxx => format!("alignof({name})"),
        }
    }

    /// `struct foo`, `long unsigned int`: words alone; in C++ with scopes and template arguments.
    fn is_type_name(self, name: &str) -> bool {
        let is_word = |word: &str| word.split("::").all(is_identifier);
        match self {
            Dialect::C => !name.is_empty() && name.split(' ').all(is_identifier),
            Dialect::Cxx => {
                let mut words = name.split([' ', '<', '>', ',', '*', '&']);
                let is_part = |word: &str| {
                    word.is_empty()
                        || is_word(word)
                        || word.bytes().all(|byte| byte.is_ascii_digit())
                };
                name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
                    && words.all(is_part)
            }
        }
    }
}

/// Writes one match. A name has one meaning in a unit: of several, those after the first are shut off.
pub(super) fn write(page: &mut String, found: &LayoutMatch, position: usize) -> fmt::Result {
    let layout = &found.layout;
    write_origin(page, layout)?;
    let Some(dialect) = Dialect::of(layout) else {
        let why = format!("no assertions: the language is {}, not c or c++", layout.language);
        return comment(page, &why);
    };
    let name = layout.type_name.as_str();
    if !dialect.is_type_name(name) {
        return comment(page, &format!("no assertions: {name} has no name in {}", dialect.name()));
    }
    if position > 0 {
        writeln!(page, "#if 0 /* the name has one meaning at a time */")?;
    }
    let mut writer = Writer { page, dialect, type_name: name };
    match &found.selected {
        Some(selected) => writer.member("", &selected.path, &selected.member)?,
        None => writer.whole(layout)?,
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

struct Writer<'w> {
    page: &'w mut String,
    dialect: Dialect,
    type_name: &'w str,
}

impl Writer<'_> {
    fn assert(&mut self, left: &str, right: &str) -> fmt::Result {
        self.dialect.assert(self.page, left, right)
    }

    fn whole(&mut self, layout: &Layout) -> fmt::Result {
        let name = self.type_name;
        match (layout.size, &layout.why) {
            (Some(size), _) => self.assert(&format!("sizeof({name})"), &size.to_string())?,
            (None, Some(why)) => comment(self.page, why)?,
            (None, None) => comment(self.page, "the size is not known")?,
        }
        if let Some(align) = layout.align {
            // Clang states what the source does, which a member may be stricter than.
            self.assert(&format!("{} % {align}", self.dialect.align_of(name)), "0")?;
        }
        for member in &layout.members {
            self.member("", &member.name, member)?;
        }
        for enumerator in &layout.enumerators {
            self.enumerator(enumerator)?;
        }
        Ok(())
    }

    /// One member and those of its type. `outer` ends with a dot where it is not empty.
    fn member(&mut self, outer: &str, name: &str, member: &Member) -> fmt::Result {
        let Writer { dialect, type_name, .. } = *self;
        if member.anonymous {
            return self.inner(outer, member);
        }
        let path = format!("{outer}{name}");
        if let (Some(first), Some(size)) = (member.bit_offset, member.bit_size) {
            let at = member.offset.unwrap_or(first / 8);
            let name = if name.is_empty() { "<unnamed>" } else { path.as_str() };
            let place = bits(first.saturating_sub(at.saturating_mul(8)), size);
            return comment(self.page, &format!("{name}: bit field at {at}, {place}"));
        }
        let Some(offset) = member.offset else {
            let why = member.why.as_deref().unwrap_or("its offset is only known at run time");
            return comment(self.page, &format!("{path}: {why}"));
        };
        if let Some(why) = self.unasked(member) {
            let what = format!("{path} {} at {offset}: {why}", member.type_name);
            return comment(self.page, what.trim_start());
        }
        if !is_path(&path) {
            let language = dialect.name();
            return comment(self.page, &format!("{path} at {offset} has no name in {language}"));
        }
        // `offsetof` is a macro, which would take the comma of template arguments for its own.
        let asked = if type_name.contains(',') { "__builtin_offsetof" } else { "offsetof" };
        self.assert(&format!("{asked}({type_name}, {path})"), &offset.to_string())?;
        // The size of a flexible array is not to be had (C11 §6.5.3.4).
        if let Some(size) = member.size {
            let member = format!("sizeof((({type_name} *)0)->{path})");
            self.assert(&member, &size.to_string())?;
        }
        self.inner(&format!("{path}."), member)
    }

    /// Why C++ lets nobody ask for a member's place.
    fn unasked(&self, member: &Member) -> Option<&'static str> {
        match (self.dialect, member.access) {
            (Dialect::C, _) => None,
            _ if member.base => Some("a base has no name to ask by"),
            // `_vptr.foo` of GCC, `_vptr$foo` of Clang.
            _ if member.name.starts_with("_vptr") => Some("the compiler has put it there"),
            (_, Some(Access::Private)) => Some("it is private"),
            (_, Some(Access::Protected)) => Some("it is protected"),
            _ if member.type_name.ends_with('&') => {
                Some("a reference has no place in the language")
            }
            _ => None,
        }
    }

    fn inner(&mut self, outer: &str, member: &Member) -> fmt::Result {
        for inner in &member.members {
            self.member(outer, &inner.name, inner)?;
        }
        Ok(())
    }

    fn enumerator(&mut self, enumerator: &Enumerator) -> fmt::Result {
        let Enumerator { name, value } = enumerator;
        if !is_identifier(name) {
            let language = self.dialect.name();
            return comment(self.page, &format!("{name} = {value} has no name in {language}"));
        }
        let number = value.parse::<i128>().unwrap_or_default();
        let left = match self.dialect {
            Dialect::C => name.clone(),
            // Scoped or not, it is found in its enum ([expr.prim.id.qual]).
            Dialect::Cxx => {
                let scope = self.type_name.strip_prefix("enum ").unwrap_or(self.type_name);
                let wide =
                    if number > i64::MAX.into() { "unsigned long long" } else { "long long" };
                format!("static_cast<{wide}>({scope}::{name})")
            }
        };
        match number {
            // There are no negative constants: the digits alone would be too large.
            lowest if lowest == i128::from(i64::MIN) => {
                self.assert(&left, &format!("{} - 1", i64::MIN + 1))
            }
            large if large > i128::from(i64::MAX) => self.assert(&left, &format!("{value}u")),
            _ => self.assert(&left, value),
        }
    }
}

/// A comment that what is in it cannot end.
fn comment(page: &mut String, text: &str) -> fmt::Result {
    let text = escape(text).replace("*/", "* /").replace("/*", "/ *");
    writeln!(page, "/* {text} */")
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
            access: None,
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
            let mut writer = Writer { page: &mut page, dialect: Dialect::C, type_name: "struct s" };
            writer.member("", name, &member(name, 8)).unwrap();
        }
        for line in page.lines() {
            let inside = line.strip_prefix("/* ").and_then(|line| line.strip_suffix(" */"));
            let inside = inside.unwrap_or_else(|| panic!("{line} is no comment"));
            assert!(!inside.contains("*/") && !inside.contains("/*"), "{line}");
        }
        assert_eq!(page.lines().count(), 5);
    }

    #[test]
    fn types_are_words_scopes_and_template_arguments() {
        for name in ["struct s", "class ns::box<struct ns::point, 3>", "std::pair<int *, char &>"] {
            assert!(Dialect::Cxx.is_type_name(name), "{name}");
        }
        for name in ["", "struct ns::(anonymous)", "a/* */b", "x;y", "3", "a::", "a\"b", "<int>"] {
            assert!(!Dialect::Cxx.is_type_name(name), "{name}");
        }
        assert!(!Dialect::C.is_type_name("ns::s"));
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
