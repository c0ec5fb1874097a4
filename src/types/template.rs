//! Template arguments as different hands write them: `box<unsigned long, 3>` is also
//! `box<long unsigned int, 3U>`, and `box` with its arguments apart.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use gimli::{DwTag, constants as dw};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::reader::{Reader, is_aggregate};
use super::{Error, Number, char_literal};
use crate::dwarf::{Die, DieRef, Language, ScopeName};

/// Words that make up C's numbers, in any order.
const NUMBER_WORDS: [&str; 6] = ["unsigned", "signed", "long", "short", "int", "char"];

/// Parameter packs hold packs, and arguments have arguments; deeper than this they are left out.
const MAX_DEPTH: usize = 12;

/// The arguments that types leave out of their names, as spelled before.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    /// With how many arguments they were in, and how enumerators are spelled: the deeper ones are left out,
    /// and what is spelled must not depend on what was asked before.
    known: RefCell<FxHashMap<(DieRef, usize, bool), Option<SmolStr>>>,
    depth: Cell<usize>,
    /// Whether enumerators are spelled as GCC does, by their numbers: `(colour)1`.
    by_number: Cell<bool>,
}

/// The text before the arguments of a template's name.
pub(super) fn base(name: &str) -> Option<&str> {
    let (base, _) = name.split_once('<')?;
    (name.ends_with('>') && !base.is_empty()).then(|| base.trim_end())
}

/// A form of a name that all its spellings have in common.
pub(super) fn normal(name: &str) -> String {
    let mut normal = String::new();
    let mut numbers: Vec<&str> = Vec::new();
    let name = char_literal::as_numbers(name);
    for word in words(&name) {
        if NUMBER_WORDS.contains(&word) {
            numbers.push(word);
            continue;
        }
        // `long double` is no whole number.
        if word == "double" {
            numbers.iter().for_each(|number| push(&mut normal, number));
        } else if !numbers.is_empty() {
            push(&mut normal, &number_of(&numbers));
        }
        numbers.clear();
        match word.starts_with(|first: char| first.is_ascii_digit()) {
            true => push(&mut normal, word.trim_end_matches(['u', 'U', 'l', 'L'])),
            false => push(&mut normal, word),
        }
    }
    // C++ says in two ways that there are no parameters, and DWARF names a type for what it is.
    let normal = normal.replace("(void)", "()").replace("decltype(nullptr)", "std::nullptr_t");
    qualifiers_behind(&normal)
}

/// `box<const char*>` as GCC writes it, `box<char const*>`: a qualifier in front of a type's name goes
/// behind it and its arguments.
fn qualifiers_behind(name: &str) -> String {
    let mut text = String::new();
    // Those that wait for the end of the name, each with how deep among arguments it stands.
    let mut waiting: Vec<(usize, &str)> = Vec::new();
    let (mut depth, mut before) = (0, "<");
    for word in words(name) {
        let is_qualifier = matches!(word, "const" | "volatile");
        if is_qualifier && matches!(before, "<" | "," | "(" | "const" | "volatile") {
            waiting.push((depth, word));
            before = word;
            continue;
        }
        let goes_on = !is_qualifier && (word.starts_with(is_letter) || matches!(word, ":" | "<"));
        if !goes_on {
            let start = waiting.partition_point(|(at, _)| *at < depth);
            waiting.drain(start..).for_each(|(_, qualifier)| push(&mut text, qualifier));
        }
        match word {
            "<" => depth += 1,
            ">" => depth = depth.saturating_sub(1),
            _ => {}
        }
        push(&mut text, word);
        before = word;
    }
    waiting.iter().for_each(|(_, qualifier)| push(&mut text, qualifier));
    text
}

/// Adds a word; two of letters stay apart.
fn push(text: &mut String, word: &str) {
    if text.ends_with(is_letter) && word.starts_with(is_letter) {
        text.push(' ');
    }
    text.push_str(word);
}

fn is_letter(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '$'
}

/// Runs of letters and digits, and all else but spaces one by one.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let first = rest.chars().next()?;
        let length = match is_letter(first) {
            true => rest.find(|character| !is_letter(character)).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        let (word, after) = rest.split_at_checked(length)?;
        rest = after;
        Some(word)
    })
}

/// C's number of these words: `long unsigned int` is `unsigned long`.
fn number_of(words: &[&str]) -> String {
    let has = |word: &str| words.contains(&word);
    let longs = words.iter().filter(|word| **word == "long").count();
    let mut number: Vec<&str> = Vec::new();
    if has("unsigned") {
        number.push("unsigned");
    } else if has("signed") && has("char") {
        number.push("signed");
    }
    if has("char") {
        number.push("char");
    } else if has("short") {
        number.push("short");
    } else if longs > 0 {
        number.extend(std::iter::repeat_n("long", longs));
    } else {
        number.push("int");
    }
    number.join(" ")
}

impl<'a> Reader<'_, 'a> {
    /// The DIEs of a template's name without arguments, as `clang -gsimple-template-names` writes it, that
    /// have the arguments of the name.
    pub(super) fn with_arguments(&self, name: &str) -> Result<Vec<DieRef>, Error> {
        let Some(base) = base(name) else { return Ok(Vec::new()) };
        let (wanted, mut found) = (normal(name), Vec::new());
        for at in self.index.find(base.as_bytes()).definitions {
            if self.is_instance(&self.die(at)?, base, &wanted)? {
                found.push(at);
            }
        }
        Ok(found)
    }

    /// Whether a DIE of this name, without arguments, has those of the name whose normal form is wanted.
    pub(super) fn is_instance(
        &self,
        die: &Die<'a>,
        base: &str,
        wanted: &str,
    ) -> Result<bool, Error> {
        self.is_spelled(wanted, || {
            let arguments = self.arguments_left_out(die)?;
            Ok(arguments.map(|arguments| format!("{base}{arguments}")))
        })
    }

    /// Whether that spells a name whose normal form is wanted, with enumerators or their numbers.
    fn is_spelled(
        &self,
        wanted: &str,
        spell: impl Fn() -> Result<Option<String>, Error>,
    ) -> Result<bool, Error> {
        let is_it = |name: Option<String>| name.is_some_and(|name| normal(&name) == wanted);
        // The number of an enumerator is behind its type.
        let is_found = is_it(spell()?);
        if is_found || !wanted.contains(')') {
            return Ok(is_found);
        }
        let before = self.arguments.by_number.replace(true);
        let spelled = spell();
        self.arguments.by_number.set(before);
        Ok(is_it(spelled?))
    }

    /// The DIEs of a template's name that is spelled otherwise in the binary, by another compiler.
    pub(super) fn respelled(&self, name: &str) -> Result<Vec<DieRef>, Error> {
        let Some(base) = base(name) else { return Ok(Vec::new()) };
        let wanted = normal(name);
        let is_it = |other: &[u8]| {
            let rest = other.strip_prefix(base.as_bytes());
            rest.is_some_and(|rest| rest.trim_ascii_start().starts_with(b"<"))
                && std::str::from_utf8(other).is_ok_and(|other| normal(other) == wanted)
        };
        let mut found = Vec::new();
        for other in self.index.names().filter(|other| is_it(other)) {
            found.extend(self.index.find(other).definitions);
        }
        Ok(found)
    }

    /// `<int, 3>`: the arguments of a template's instance whose name is without them.
    pub(super) fn arguments_left_out(&self, die: &Die<'a>) -> Result<Option<SmolStr>, Error> {
        let is_bare = || !self.view.name(die).unwrap_or_default().ends_with(b">");
        if die.language() != Language::Cxx || !is_aggregate(die.tag()) || !is_bare() {
            return Ok(None);
        }
        let depth = self.arguments.depth.get();
        let known = &self.arguments.known;
        let key = (die.at(), depth, self.arguments.by_number.get());
        if let Some(known) = known.borrow().get(&key) {
            return Ok(known.clone());
        }
        if depth > MAX_DEPTH {
            return Ok(Some(SmolStr::new_static("<…>")));
        }
        self.arguments.depth.set(depth + 1);
        let spelled = self.template_arguments(die);
        self.arguments.depth.set(depth);
        let spelled = spelled?.map(SmolStr::from);
        known.borrow_mut().insert(key, spelled.clone());
        Ok(spelled)
    }

    /// The name of a scope of a DIE, with its arguments.
    pub(super) fn name_of_scope(
        &self,
        die: &Die<'a>,
        scope: ScopeName<'a>,
    ) -> Result<Cow<'a, [u8]>, Error> {
        let class = match scope.class {
            Some(at) if die.language() == Language::Cxx => self.die_from(die, at)?,
            _ => return Ok(Cow::Borrowed(scope.name)),
        };
        Ok(match self.arguments_left_out(&class)? {
            Some(arguments) => Cow::Owned([scope.name, arguments.as_bytes()].concat()),
            None => Cow::Borrowed(scope.name),
        })
    }

    /// Whether a person who writes `written` for a scope can mean this one: arguments may be left out of
    /// what has them apart, and be spelled otherwise.
    pub(super) fn is_scope(
        &self,
        die: &Die<'a>,
        scope: ScopeName<'a>,
        written: &str,
    ) -> Result<bool, Error> {
        if scope.name == written.as_bytes() {
            return Ok(true);
        }
        if scope.class.is_none() || base(written).is_none() {
            return Ok(false);
        }
        self.is_spelled(&normal(written), || {
            let whole = self.name_of_scope(die, scope)?;
            Ok(Some(String::from_utf8_lossy(&whole).into_owned()))
        })
    }

    fn template_arguments(&self, die: &Die<'a>) -> Result<Option<String>, Error> {
        let mut arguments = Vec::new();
        let is_template = self.bounded(|| self.collect_arguments(die, &mut arguments, 0))?;
        Ok(is_template.then(|| format!("<{}>", arguments.join(", "))))
    }

    /// Whether there are parameters; packs may be empty.
    fn collect_arguments(
        &self,
        die: &Die<'a>,
        arguments: &mut Vec<String>,
        depth: usize,
    ) -> Result<bool, Error> {
        let mut is_template = false;
        let mut children = die.walk_children()?;
        while let Some(walk) = &mut children {
            self.count()?;
            let at = walk.next();
            let Some(step) = walk.step(|_, _| {})? else { break };
            walk.skip_children(step)?;
            if !is_template_parameter(step.tag) {
                continue;
            }
            is_template = true;
            if self.is_full() {
                arguments.push("…".to_owned());
                break;
            }
            let child = self.die_from(die, at)?;
            arguments.push(match step.tag {
                dw::DW_TAG_template_type_parameter => {
                    self.spell_around(self.type_of(&child)?.as_ref(), String::new(), 0)?
                }
                dw::DW_TAG_template_value_parameter => self.piece(self.value_of(&child)?),
                dw::DW_TAG_GNU_template_template_param => self.piece(self.template_of(&child)),
                _ if depth < MAX_DEPTH => {
                    self.collect_arguments(&child, arguments, depth + 1)?;
                    continue;
                }
                _ => continue,
            });
        }
        Ok(is_template)
    }

    /// The name of a template that is an argument.
    fn template_of(&self, parameter: &Die<'a>) -> String {
        let name = self.view.text(parameter, dw::DW_AT_GNU_template_name);
        name.map_or("?".into(), |name| String::from_utf8_lossy(name).into_owned())
    }

    /// A constant, as C++ writes it; `?` for an address.
    fn value_of(&self, parameter: &Die<'a>) -> Result<String, Error> {
        let number = parameter.signed(dw::DW_AT_const_value).map(i128::from);
        let number = number.or(parameter.unsigned(dw::DW_AT_const_value).map(i128::from));
        let Some(number) = number else { return Ok("?".to_owned()) };
        let declared = self.type_of(parameter)?;
        let underlying = declared.clone().map(|die| self.underlying(die)).transpose()?.flatten();
        let Some(underlying) = underlying else { return Ok(number.to_string()) };
        let encoding = underlying.unsigned(dw::DW_AT_encoding);
        Ok(match underlying.tag() {
            dw::DW_TAG_enumeration_type => match self.enumerator_of(&underlying, number)? {
                Some(enumerator) => enumerator,
                None => format!("({}){number}", self.spell(declared.as_ref())?),
            },
            _ if encoding == Some(dw::DW_ATE_boolean.0.into()) => (number != 0).to_string(),
            dw::DW_TAG_base_type if self.view.name(&underlying) == Some(b"char") => {
                char_literal::spell(number.to_le_bytes()[0])
            }
            _ => number.to_string(),
        })
    }

    /// The first enumerator of this value, with what C++ names it in: `colour::red` of an enumeration with a
    /// scope, and what is around the enumeration of another.
    fn enumerator_of(&self, die: &Die<'a>, value: i128) -> Result<Option<String>, Error> {
        if self.arguments.by_number.get() {
            return Ok(None);
        }
        let value = Number::from(value);
        let mut enumerators = self.enumerators(die)?.into_iter();
        let Some(enumerator) = enumerators.find(|each| each.value == value) else {
            return Ok(None);
        };
        let mut text = self.spell_scope(die)?;
        if die.flag(dw::DW_AT_enum_class) {
            text.extend([&self.name(die), "::"]);
        }
        Ok(Some(text + &enumerator.name))
    }
}

/// Parameters, and packs of them.
fn is_template_parameter(tag: DwTag) -> bool {
    matches!(
        tag,
        dw::DW_TAG_template_type_parameter
            | dw::DW_TAG_template_value_parameter
            | dw::DW_TAG_GNU_template_template_param
            | dw::DW_TAG_GNU_template_parameter_pack
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_have_one_form() {
        for (one, other) in [
            ("box<unsigned long>", "box<long unsigned int>"),
            ("box<unsigned long long>", "box<long long unsigned int>"),
            ("box<short, 3U>", "box< short int,3 >"),
            ("box<signed, unsigned>", "box<int, unsigned int>"),
            ("a<b<c> >", "a<b<c>>"),
            ("box<char const *>", "box<char const*>"),
            ("box<const char *>", "box<char const*>"),
            (
                "box<int, const volatile unsigned long>",
                "box<int, long unsigned int const volatile>",
            ),
            ("a<const b::c<const d>::e *const>", "a<b::c<d const>::e const* const>"),
            ("a<void (*)(const b &)>", "a<void (*)(b const&)>"),
            ("a<int (b::*)(void) const>", "a<int (b::*)() const>"),
            (r"a<false, '\n', L'x'>", r"a<false, '\012', 120>"),
            ("a<std::nullptr_t const>", "a<const decltype(nullptr)>"),
        ] {
            assert_eq!(normal(one), normal(other));
        }
        for (one, other) in [
            ("box<long>", "box<int>"),
            ("box<char>", "box<signed char>"),
            ("box<long double>", "box<long>"),
            ("box<3>", "box<4>"),
            ("box<longer>", "box<long er>"),
            ("box<const char *>", "box<char *const>"),
            ("box<const a<b>>", "box<a<const b>>"),
        ] {
            assert_ne!(normal(one), normal(other));
        }
        assert_eq!(normal("box<const char>"), "box<char const>");
    }

    #[test]
    fn a_template_has_a_base() {
        assert_eq!(base("box <int>"), Some("box"));
        assert_eq!(base("<a as b>::{vtable_type}"), None);
        assert_eq!(base("box"), None);
    }
}
