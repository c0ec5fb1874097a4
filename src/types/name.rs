//! A type's name as people type it: `struct libxl__ev_fd`, `libxl_ctx`, `ns::Type<int>`.

use gimli::{DwTag, constants as dw};

use super::{Error, Kind, Layout, MemberPath};

/// The keyword in front of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyword {
    /// `struct` or `class`: C++ lets either declare the other.
    Struct,
    /// `union`.
    Union,
    /// `enum`.
    Enum,
    /// `typedef`: our own, to ask for the typedef where a tag shares its name.
    Typedef,
}

impl Keyword {
    fn of(word: &str) -> Option<Keyword> {
        Some(match word {
            "struct" | "class" => Keyword::Struct,
            "union" => Keyword::Union,
            "enum" => Keyword::Enum,
            "typedef" => Keyword::Typedef,
            _ => return None,
        })
    }

    /// The keyword that a text begins with, and what stands behind it; qualifiers are passed over.
    pub fn split(text: &str) -> (Option<Keyword>, &str) {
        let (mut keyword, mut rest) = (None, text.trim());
        while let Some((word, after)) = rest.split_once(char::is_whitespace) {
            match Keyword::of(word) {
                Some(found) => keyword = Some(found),
                None if is_qualifier(word) => {}
                None => break,
            }
            rest = after.trim_start();
        }
        (keyword, rest)
    }

    /// Whether what a name leads to is what the keyword says.
    pub fn fits(self, layout: &Layout) -> bool {
        let is_tag = layout.via.is_empty();
        match self {
            Keyword::Struct => is_tag && matches!(layout.kind, Kind::Struct | Kind::Class),
            Keyword::Union => is_tag && layout.kind == Kind::Union,
            Keyword::Enum => is_tag && layout.kind == Kind::Enum,
            Keyword::Typedef => !is_tag,
        }
    }
}

fn is_qualifier(word: &str) -> bool {
    matches!(word, "const" | "volatile" | "restrict" | "__restrict" | "_Atomic")
}

/// What a pointer or reference leads to, as C writes it: `x` of `x *`, `x const *const` and `x &`.
pub fn pointee(text: &str) -> &str {
    let mut rest = text;
    loop {
        rest = rest.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '&' | ';'));
        let word = rest.rsplit(|c: char| c.is_whitespace() || c == '*').next().unwrap_or_default();
        match rest.strip_suffix(word).filter(|before| is_qualifier(word) && !before.is_empty()) {
            Some(before) => rest = before,
            None => return rest,
        }
    }
}

/// A name to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeName {
    /// What it must be, where the person said.
    pub keyword: Option<Keyword>,
    /// The namespaces or classes written in front, outermost first.
    pub scope: Vec<String>,
    /// It was written with a leading `::`: the scope is the whole of it.
    pub is_full: bool,
    /// The name itself, with its template arguments.
    pub name: String,
}

/// Longer than any name that a person types.
const MAX_LENGTH: usize = 4096;

/// A Go name has a few dots; what follows more of them is a member path in any reading.
const MAX_READINGS: usize = 8;

impl TypeName {
    /// Reads a name without a member path.
    pub fn parse(text: &str) -> Result<TypeName, Error> {
        let bad = |why: &str| Err(Error::BadName(why.to_owned()));
        if text.len() > MAX_LENGTH {
            return bad("it is longer than 4096 characters");
        }
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.chars().any(char::is_control) {
            return bad("it holds control characters");
        }
        let (keyword, rest) = Keyword::split(pointee(&text));
        let mut parts = split_scope(rest);
        let name = parts.pop().unwrap_or_default();
        // Linux has a `struct class`: in C that is a name.
        let is_word = match keyword {
            None => matches!(name.as_str(), "struct" | "union" | "class" | "enum"),
            Some(_) => matches!(name.as_str(), "struct" | "union" | "enum"),
        };
        if name.is_empty() || is_word {
            return bad("it has no name in it");
        }
        let is_full = parts.first().is_some_and(String::is_empty);
        let scope = parts.into_iter().filter(|part| !part.is_empty()).collect();
        Ok(TypeName { keyword, scope, is_full, name })
    }

    /// Reads a name that a member path may follow. Where the type ends is not always plain (Go's
    /// names hold dots), so every reading is returned, the shortest name first.
    pub fn parse_with_path(text: &str) -> Result<Vec<(TypeName, Option<MemberPath>)>, Error> {
        if text.len() > MAX_LENGTH {
            return Err(Error::BadName("it is longer than 4096 characters".to_owned()));
        }
        let mut readings = Vec::new();
        for position in top_level_dots(text).into_iter().take(MAX_READINGS) {
            let (name, path) = (text.get(..position), text.get(position..));
            let (Some(name), Some(path)) = (name, path) else { continue };
            if let (Ok(name), Ok(path)) = (TypeName::parse(name), MemberPath::parse(path)) {
                readings.push((name, Some(path)));
            }
        }
        readings.push((TypeName::parse(text)?, None));
        Ok(readings)
    }

    /// The name as compilers may have spelled it: with a space between closing brackets of template
    /// arguments (GCC, older Clang) and without (Clang from 14 on), and with what looks like its scope.
    pub(crate) fn spellings(&self) -> Vec<String> {
        let mut spellings = self.spacings();
        if !self.scope.is_empty() {
            spellings.push(self.with_scope());
        }
        spellings
    }

    /// The name with its scope: rustc gives a reference, a trait object, a table of methods
    /// (`&[a::b]`, `&dyn a::b`, `<a as b>::{vtable_type}`) such a name outside of any scope.
    pub(crate) fn with_scope(&self) -> String {
        let parts = self.scope.iter().chain([&self.name]).map(String::as_str);
        parts.collect::<Vec<_>>().join("::")
    }

    fn spacings(&self) -> Vec<String> {
        if !self.name.ends_with('>') {
            return vec![self.name.clone()];
        }
        let words = self.name.split_whitespace().collect::<Vec<_>>().join(" ");
        let commas = words.split(',').map(str::trim).collect::<Vec<_>>().join(", ");
        let mut joined = commas;
        while joined.contains("> >") {
            joined = joined.replace("> >", ">>");
        }
        let mut spaced = joined.clone();
        while spaced.contains(">>") {
            spaced = spaced.replace(">>", "> >");
        }
        if spaced == joined { vec![joined] } else { vec![spaced, joined] }
    }

    /// Whether a DIE of this tag can be what was asked for.
    pub(crate) fn admits(&self, tag: DwTag) -> bool {
        match self.keyword {
            None => true,
            Some(Keyword::Struct) => matches!(
                tag,
                dw::DW_TAG_structure_type | dw::DW_TAG_class_type | dw::DW_TAG_interface_type
            ),
            Some(Keyword::Union) => tag == dw::DW_TAG_union_type,
            Some(Keyword::Enum) => tag == dw::DW_TAG_enumeration_type,
            Some(Keyword::Typedef) => {
                matches!(tag, dw::DW_TAG_typedef | dw::DW_TAG_template_alias)
            }
        }
    }
}

impl std::fmt::Display for TypeName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.keyword {
            Some(Keyword::Struct) => f.write_str("struct ")?,
            Some(Keyword::Union) => f.write_str("union ")?,
            Some(Keyword::Enum) => f.write_str("enum ")?,
            Some(Keyword::Typedef) => f.write_str("typedef ")?,
            None => {}
        }
        if self.is_full {
            f.write_str("::")?;
        }
        f.write_str(&self.with_scope())
    }
}

/// Positions of `.` and `[` outside of brackets of template arguments and parentheses.
fn top_level_dots(text: &str) -> Vec<usize> {
    let mut depth = 0_usize;
    let mut dots = Vec::new();
    let mut before = b' ';
    for (position, byte) in text.bytes().enumerate() {
        let after = std::mem::replace(&mut before, byte);
        match byte {
            // The arrow of Rust's function types closes nothing.
            b'>' if after == b'-' => {}
            b'<' | b'(' | b'{' => depth += 1,
            b'>' | b')' | b'}' => depth = depth.saturating_sub(1),
            b'.' if depth == 0 => dots.push(position),
            _ => {}
        }
    }
    dots
}

/// Splits at `::` outside of template arguments and parentheses.
fn split_scope(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_usize;
    let mut before = ' ';
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let after = std::mem::replace(&mut before, character);
        match character {
            '>' if after == '-' => {}
            '<' | '(' | '{' => depth += 1,
            '>' | ')' | '}' => depth = depth.saturating_sub(1),
            ':' if depth == 0 && characters.peek() == Some(&':') => {
                characters.next();
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(character);
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        TypeName::parse(text).unwrap().to_string()
    }

    #[test]
    fn keywords_qualifiers_and_stars_are_understood() {
        assert_eq!(parsed("struct libxl__ev_fd"), "struct libxl__ev_fd");
        assert_eq!(parsed("  const struct libxl__ev_fd *"), "struct libxl__ev_fd");
        assert_eq!(parsed("class  Foo;"), "struct Foo");
        assert_eq!(parsed("struct class *"), "struct class");
        for text in
            ["const struct x *", "struct\tx const *const;", "struct x*restrict *", "\n struct  x &"]
        {
            assert_eq!(parsed(text), "struct x", "{text}");
        }
        assert_eq!(parsed("struct const_x * const *"), "struct const_x");
        assert_eq!(parsed("long  unsigned int volatile"), "long unsigned int");
        assert_eq!(parsed("&mut [a::b]"), "&mut [a::b]");
        assert_eq!(parsed("long unsigned int"), "long unsigned int");
        assert_eq!(
            parsed("::std::vector<int, std::allocator<int> >"),
            "::std::vector<int, std::allocator<int> >"
        );
    }

    #[test]
    fn template_arguments_are_spaced_as_each_compiler_does() {
        let spellings = |text| TypeName::parse(text).unwrap().spellings();
        assert_eq!(spellings("a<b<c,1>,d>"), ["a<b<c, 1>, d>"]);
        assert_eq!(spellings("a<b<c<d> >>"), ["a<b<c<d> > >", "a<b<c<d>>>"]);
        assert_eq!(spellings("a"), ["a"]);
    }

    #[test]
    fn names_of_rust_may_hold_what_looks_like_a_scope() {
        for text in ["&mut [inventory::Item]", "::&dyn a::Write", "<&u8 as a::b>::{vtable_type}"] {
            let name = TypeName::parse(text).unwrap();
            assert!(name.spellings().contains(&text.trim_start_matches("::").to_owned()), "{text}");
        }
        let name = TypeName::parse("a::Map<fn(&str) -> b::c, d::e>").unwrap();
        assert_eq!(
            (name.scope, name.name.as_str()),
            (vec!["a".to_owned()], "Map<fn(&str) -> b::c, d::e>")
        );
        let readings = TypeName::parse_with_path("Map<fn(u8) -> [a; 2], b>.c").unwrap();
        assert_eq!(readings[0].0.name, "Map<fn(u8) -> [a; 2], b>");
    }

    #[test]
    fn a_name_is_needed() {
        for text in ["", "  ", "struct", "struct ", "::", "*", "a\u{7}b"] {
            assert!(matches!(TypeName::parse(text), Err(Error::BadName(_))), "{text:?}");
        }
    }

    #[test]
    fn every_reading_of_a_dotted_name_is_tried() {
        let readings = TypeName::parse_with_path("struct a.b[2].c").unwrap();
        let texts: Vec<String> = readings
            .iter()
            .map(|(name, path)| {
                format!("{name} | {}", path.as_ref().map(ToString::to_string).unwrap_or_default())
            })
            .collect();
        assert_eq!(texts, ["struct a | b[2].c", "struct a.b[2] | c", "struct a.b[2].c | "]);
    }
}
