//! A type's name as source text spells it: `const char *`, `void (*)(libxl__egc *, int)`,
//! `struct xs_handle *[4]`.
//!
//! C declares inside out: the text around the (absent) name grows as the chain of pointers, arrays
//! and functions is followed towards the type at its end.

use gimli::{DwTag, constants as dw};

use super::reader::{Reader, is_qualifier};
use super::sizes::{Extent, stated_size};
use super::subscripts::Dimension;
use super::{Error, Kind};
use crate::dwarf::{Die, Language};

/// What is spelled for a namespace without a name: the C++ ABI's own words, which debuggers print too.
pub(super) const ANONYMOUS: &str = "(anonymous namespace)";

/// Deeper than any declaration that a person wrote.
const MAX_DEPTH: usize = 32;

/// Function types list so many parameters, then `...`.
const MAX_PARAMETERS: usize = 32;

/// So many bytes of names are spelled, then `…`. Functions that take each other twice, at every level, and
/// templates with such arguments, are small in a file and without bound when spelled.
const MAX_LENGTH: usize = 1 << 14;

impl<'a> Reader<'_, 'a> {
    /// Spells a type; none is `void`.
    pub(super) fn spell(&self, die: Option<&Die<'a>>) -> Result<String, Error> {
        self.bounded(|| self.spell_around(die, String::new(), 0))
    }

    /// Spells what has the bound for itself: how long it becomes does not depend on what is around it.
    pub(super) fn bounded<T>(&self, spell: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        let around = self.spelled.replace(0);
        let spelled = spell();
        self.spelled.set(around);
        spelled
    }

    /// Whether as much was spelled as is.
    pub(super) fn is_full(&self) -> bool {
        self.spelled.get() > MAX_LENGTH
    }

    /// A piece of what is spelled, or `…` where it becomes too long by it. A single name is never too long.
    pub(super) fn piece(&self, text: String) -> String {
        let before = self.spelled.get();
        // One more: pieces without text take their time too.
        self.spelled.set(before.saturating_add(text.len()).saturating_add(1));
        if before > 0 && self.is_full() { "…".to_owned() } else { text }
    }

    /// Spells an array of these bounds; of none, the type of its elements.
    pub(super) fn spell_array(
        &self,
        element: &Die<'a>,
        bounds: &[Dimension],
    ) -> Result<String, Error> {
        let bounds: String = bounds.iter().map(Dimension::to_string).collect();
        self.bounded(|| self.spell_around(Some(element), bounds, 0))
    }

    /// Spells the type of something that is declared as `inner`.
    pub(super) fn spell_around(
        &self,
        die: Option<&Die<'a>>,
        inner: String,
        depth: usize,
    ) -> Result<String, Error> {
        if depth > MAX_DEPTH || self.is_full() {
            return Ok(join(&self.piece("…".to_owned()), &inner));
        }
        let Some(die) = die else { return Ok(join(&self.piece("void".to_owned()), &inner)) };
        if die.language() == Language::Rust {
            return self.spell_rust(die, depth);
        }
        match die.tag() {
            dw::DW_TAG_pointer_type => self.spell_target(die, format!("*{inner}"), depth),
            dw::DW_TAG_reference_type => self.spell_target(die, format!("&{inner}"), depth),
            dw::DW_TAG_rvalue_reference_type => self.spell_target(die, format!("&&{inner}"), depth),
            dw::DW_TAG_array_type => {
                if let Some(vector) = self.vector(die)? {
                    return self.spell_target(die, join(&vector, &inner), depth);
                }
                let inner = format!("{}{}", parenthesised(inner), self.spell_bounds(die)?);
                self.spell_target(die, inner, depth)
            }
            dw::DW_TAG_subroutine_type => {
                let mut inner =
                    format!("{}({})", parenthesised(inner), self.parameters(die, depth)?);
                inner.push_str(&self.object_qualifiers(die)?);
                self.spell_target(die, inner, depth)
            }
            tag if is_qualifier(tag) => self.spell_qualified(die, inner, depth),
            // Some values of another type (Ada, Pascal).
            dw::DW_TAG_subrange_type
                if self.view.name(die).is_none() && die.has(dw::DW_AT_type) =>
            {
                self.spell_target(die, inner, depth)
            }
            dw::DW_TAG_ptr_to_member_type => {
                let class = self.view.reference(die, dw::DW_AT_containing_type)?;
                let class = class.map(|at| self.die(at)).transpose()?;
                let class = class.map(|class| self.spell_named(&class)).transpose()?;
                let class = self.piece(class.unwrap_or_default());
                self.spell_target(die, format!("{class}::*{inner}"), depth)
            }
            _ => Ok(join(&self.piece(self.spell_named(die)?), &inner)),
        }
    }

    /// The bounds of an array: `[2][3]`.
    fn spell_bounds(&self, array: &Die<'a>) -> Result<String, Error> {
        Ok(self.piece(self.dimensions(array)?.iter().map(Dimension::to_string).collect()))
    }

    /// Rust declares from the outside in, and has names for nearly all: `&[u8]`, `*const T`.
    fn spell_rust(&self, die: &Die<'a>, depth: usize) -> Result<String, Error> {
        if self.view.name(die).is_some() {
            return Ok(self.piece(self.spell_named(die)?));
        }
        match die.tag() {
            // Whether what is behind it may change is not said; debuggers say `mut`.
            dw::DW_TAG_pointer_type => {
                Ok(format!("*mut {}", self.spell_target(die, String::new(), depth)?))
            }
            dw::DW_TAG_array_type => {
                let element = self.spell_target(die, String::new(), depth)?;
                let wrap = |inner: String, extent: &Extent| match extent {
                    Extent::Count(count) => format!("[{inner}; {count}]"),
                    Extent::Flexible | Extent::Dynamic => format!("[{inner}]"),
                };
                Ok(self.extents(die)?.iter().rev().fold(element, wrap))
            }
            dw::DW_TAG_subroutine_type => {
                let parameters = self.parameters(die, depth)?;
                let returned = self.type_of(die)?;
                let arrow = match &returned {
                    Some(_) => format!(
                        " -> {}",
                        self.spell_around(returned.as_ref(), String::new(), depth + 1)?
                    ),
                    None => String::new(),
                };
                Ok(format!("fn({}){arrow}", parameters.trim_start_matches("void")))
            }
            tag if is_qualifier(tag) => self.spell_target(die, String::new(), depth),
            _ => Ok(self.piece(self.spell_named(die)?)),
        }
    }

    /// What makes a vector of its elements' type (GCC's manual, "Using Vector Instructions"): its bytes,
    /// without those that an ABI adds to three elements.
    fn vector(&self, die: &Die<'a>) -> Result<Option<String>, Error> {
        if !die.flag(dw::DW_AT_GNU_vector) {
            return Ok(None);
        }
        let Some(element) = self.type_of(die)? else { return Ok(None) };
        let mut size = self.size_of(&element)?.known();
        for extent in self.extents(die)? {
            size = size.zip(extent.count()).and_then(|(size, count)| size.checked_mul(count));
        }
        Ok(size.map(|size| format!("__attribute__((vector_size({size})))")))
    }

    fn spell_target(&self, die: &Die<'a>, inner: String, depth: usize) -> Result<String, Error> {
        let target = self.type_of(die)?;
        self.spell_around(target.as_ref(), inner, depth + 1)
    }

    /// `const` goes before what it qualifies, and behind the star of a constant pointer. What qualifies an
    /// array qualifies its elements: GCC says so of both.
    fn spell_qualified(
        &self,
        die: &Die<'a>,
        mut inner: String,
        depth: usize,
    ) -> Result<String, Error> {
        let (mut words, mut current) = (Vec::new(), Some(die.clone()));
        for _ in 0..MAX_DEPTH {
            let Some(die) = &current else { break };
            match die.tag() {
                tag if is_qualifier(tag) => {
                    words.extend(word_of(tag).filter(|word| !words.contains(word)));
                }
                dw::DW_TAG_array_type if self.vector(die)?.is_none() => {
                    inner = format!("{}{}", parenthesised(inner), self.spell_bounds(die)?);
                }
                _ => break,
            }
            current = self.type_of(die)?;
        }
        if let Some(dw::DW_TAG_pointer_type | dw::DW_TAG_ptr_to_member_type) =
            current.as_ref().map(Die::tag)
        {
            let inner = words.iter().fold(inner, |inner, word| join(word, &inner));
            return self.spell_around(current.as_ref(), inner, depth + 1);
        }
        let rest = self.spell_around(current.as_ref(), inner, depth + 1)?;
        Ok(words.iter().rev().fold(rest, |rest, word| join(word, &rest)))
    }

    /// A function as it is declared: `int f(struct point *, int)`.
    pub(super) fn signature(&self, function: &Die<'a>) -> Result<String, Error> {
        self.bounded(|| {
            let inner = format!("{}({})", self.name(function), self.parameters(function, 0)?);
            self.spell_target(function, inner, 0)
        })
    }

    fn parameters(&self, function: &Die<'a>, depth: usize) -> Result<String, Error> {
        let mut parameters = Vec::new();
        for child in function.children() {
            self.count()?;
            let child = child?;
            let is_one = child.tag() == dw::DW_TAG_formal_parameter;
            if !is_one && child.tag() != dw::DW_TAG_unspecified_parameters {
                continue;
            }
            if is_object(function, &child) {
                continue;
            }
            if self.is_full() {
                parameters.push("…".to_owned());
                break;
            }
            if !is_one || parameters.len() == MAX_PARAMETERS {
                parameters.push("...".to_owned());
                break;
            }
            let parameter = self.type_of(&child)?;
            parameters.push(self.spell_around(parameter.as_ref(), String::new(), depth + 1)?);
        }
        if parameters.is_empty() && function.language() != Language::Cxx {
            parameters.push("void".to_owned());
        }
        Ok(parameters.join(", "))
    }

    /// ` const &` behind a type of member functions: what the object has to be (DWARF 5 §5.10.1: its pointer is
    /// a parameter, DW_AT_artificial; §5.12, DW_AT_reference and DW_AT_rvalue_reference).
    fn object_qualifiers(&self, function: &Die<'a>) -> Result<String, Error> {
        let mut text = String::new();
        for child in function.children() {
            self.count()?;
            let child = child?;
            if !is_object(function, &child) {
                continue;
            }
            let Some(pointer) = self.type_of(&child)? else { break };
            let mut object = self.type_of(&pointer)?;
            let mut has = Vec::new();
            for _ in 0..MAX_DEPTH {
                let Some(die) = object.take_if(|die| is_qualifier(die.tag())) else { break };
                has.push(die.tag());
                object = self.type_of(&die)?;
            }
            for qualifier in [dw::DW_TAG_const_type, dw::DW_TAG_volatile_type] {
                if let Some(word) = word_of(qualifier).filter(|_| has.contains(&qualifier)) {
                    text.extend([" ", word]);
                }
            }
            break;
        }
        if function.flag(dw::DW_AT_reference) {
            text.push_str(" &");
        } else if function.flag(dw::DW_AT_rvalue_reference) {
            text.push_str(" &&");
        }
        Ok(text)
    }

    /// A named type, with its keyword where the language needs one and its scope where it has one.
    pub(super) fn spell_named(&self, die: &Die<'a>) -> Result<String, Error> {
        let kind = kind_of(die);
        let name = self.view.name(die);
        let mut text = String::new();
        let wants_keyword = matches!(die.language(), Language::C | Language::Other);
        if kind != Kind::Other && (wants_keyword || name.is_none()) {
            text.push_str(kind.name());
            text.push(' ');
        }
        match name {
            Some(name) => {
                text.push_str(&self.spell_scope(die)?);
                text.push_str(&String::from_utf8_lossy(name));
                text.push_str(&self.arguments_left_out(die)?.unwrap_or_default());
            }
            None if die.tag() == dw::DW_TAG_string_type => text.push_str(&string_of(die)),
            None if kind == Kind::Other => text.push('?'),
            None => text.push_str("{...}"),
        }
        Ok(text)
    }

    /// What is around a DIE: `name::space::`.
    pub(super) fn spell_scope(&self, die: &Die<'a>) -> Result<String, Error> {
        let mut text = String::new();
        for scope in self.scope(die)? {
            let scope = if scope.is_empty() { ANONYMOUS.as_bytes() } else { &scope };
            text.extend([&*String::from_utf8_lossy(scope), "::"]);
        }
        Ok(text)
    }
}

/// A text of Fortran (DWARF 5 §5.11), its length in bytes. Of one whose length is only known at run time, gfortran
/// says 0.
fn string_of(die: &Die<'_>) -> String {
    match stated_size(die) {
        Some(bytes @ 1..) => format!("character(len={bytes})"),
        Some(0) | None => "character(len=:)".to_owned(),
    }
}

/// What kind of type a DIE describes.
pub(super) fn kind_of(die: &Die<'_>) -> Kind {
    match die.tag() {
        dw::DW_TAG_structure_type => Kind::Struct,
        dw::DW_TAG_union_type => Kind::Union,
        dw::DW_TAG_class_type | dw::DW_TAG_interface_type => Kind::Class,
        dw::DW_TAG_enumeration_type => Kind::Enum,
        _ => Kind::Other,
    }
}

/// Whether a parameter is the object that a type of member functions is called on.
fn is_object(function: &Die<'_>, parameter: &Die<'_>) -> bool {
    function.tag() == dw::DW_TAG_subroutine_type
        && parameter.tag() == dw::DW_TAG_formal_parameter
        && parameter.flag(dw::DW_AT_artificial)
}

/// The keyword of a qualifier.
fn word_of(qualifier: DwTag) -> Option<&'static str> {
    match qualifier {
        dw::DW_TAG_const_type => Some("const"),
        dw::DW_TAG_volatile_type => Some("volatile"),
        dw::DW_TAG_restrict_type => Some("restrict"),
        dw::DW_TAG_atomic_type => Some("_Atomic"),
        _ => None,
    }
}

/// An array or function of a pointer binds tighter than the star in front of it.
fn parenthesised(inner: String) -> String {
    if inner.starts_with(['*', '&']) || inner.contains("::*") {
        format!("({inner})")
    } else {
        inner
    }
}

fn join(name: &str, inner: &str) -> String {
    if inner.is_empty() { name.to_owned() } else { format!("{name} {inner}") }
}
