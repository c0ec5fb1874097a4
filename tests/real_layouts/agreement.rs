//! Do two layouts say the same, and where they do not, why?
//!
//! What an oracle shows less of, or by another convention, is a [`Lens`]: seen through it, both must be
//! equal. Each is narrow, says who is right in docs/correctness.md, and is counted; a difference that
//! no lens explains fails.

use std::collections::BTreeSet;

use dbgmate::dwarf::Language;
use dbgmate::types::{Layout, Member, MemberKind, Size};
use regex::{Captures, Regex};
use serde_json::{Value, json};

use crate::oracles::Oracle;

/// A reason for which layouts differ that are both right, or for which theirs is known to be wrong.
pub(crate) struct Lens {
    /// As docs/correctness.md has it.
    pub(crate) name: &'static str,
    whose: &'static [Oracle],
    /// Changes ours, and theirs.
    apply: fn(&mut Value, &mut Value),
}

/// What came of a comparison with one oracle.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Agreement {
    /// They have no such name.
    Unknown,
    /// Alike in all that both show; but for these reasons.
    Same(BTreeSet<&'static str>),
    /// Not explained.
    Different(String),
}

/// Compares every layout that an oracle has of a name with those that we have.
pub(crate) fn compare(oracle: Oracle, ours: &[Layout], theirs: &[Value]) -> Agreement {
    if theirs.is_empty() {
        return Agreement::Unknown;
    }
    let ours: Vec<Value> = ours.iter().map(|layout| shown(oracle, layout)).collect();
    let plain: Vec<Value> = ours.iter().cloned().map(plain).collect();
    let mut reasons = BTreeSet::new();
    for theirs in theirs {
        if plain.contains(theirs) {
            continue;
        }
        let explained = ours.iter().filter_map(|ours| explain(oracle, ours, theirs));
        match explained.min_by_key(BTreeSet::len) {
            Some(more) => reasons.extend(more),
            None => return Agreement::Different(difference(&plain, theirs)),
        }
    }
    Agreement::Same(reasons)
}

/// The fewest lenses through which both are equal.
fn explain(oracle: Oracle, ours: &Value, theirs: &Value) -> Option<BTreeSet<&'static str>> {
    let mut needed: Vec<&Lens> =
        LENSES.iter().filter(|lens| lens.whose.contains(&oracle)).collect();
    let equal = |lenses: &[&Lens]| {
        let (mut ours, mut theirs) = (ours.clone(), theirs.clone());
        lenses.iter().for_each(|lens| (lens.apply)(&mut ours, &mut theirs));
        plain(ours) == theirs
    };
    if let Some(one) = needed.iter().find(|lens| equal(&[lens])) {
        return Some(BTreeSet::from([one.name]));
    }
    if !equal(&needed) {
        return None;
    }
    for position in (0..needed.len()).rev() {
        let mut fewer = needed.clone();
        fewer.remove(position);
        if equal(&fewer) {
            needed = fewer;
        }
    }
    Some(needed.iter().map(|lens| lens.name).collect())
}

const LENSES: &[Lens] = &[
    Lens {
        name: "flexible array",
        whose: &[Oracle::Gdb, Oracle::Drgn, Oracle::Btf],
        apply: flexible,
    },
    Lens { name: "function type", whose: &[Oracle::Gdb], apply: function },
    Lens { name: "class", whose: &[Oracle::Gdb, Oracle::Btf], apply: class },
    Lens { name: "enumerator's scope", whose: &[Oracle::Gdb], apply: enumerator_scope },
    Lens {
        name: "enumerator above 2⁶³",
        whose: &[Oracle::Gdb, Oracle::Drgn],
        apply: enumerator_sign,
    },
    Lens { name: "base's name", whose: &[Oracle::Gdb], apply: base_name },
    Lens { name: "no bases", whose: &[Oracle::Drgn], apply: no_bases },
    Lens { name: "Rust's pointers", whose: &[Oracle::Gdb], apply: rust_pointers },
    Lens { name: "template arguments", whose: &[Oracle::Gdb], apply: template_arguments },
    Lens { name: "discriminant", whose: &[Oracle::Gdb], apply: discriminant },
    Lens { name: "no variants", whose: &[Oracle::Btf, Oracle::Pahole], apply: no_variants },
    Lens { name: "array elements", whose: &[Oracle::Pahole], apply: array_elements },
    Lens { name: "no number of 0 bytes", whose: &[Oracle::Btf], apply: no_bytes },
    Lens { name: "nullptr_t", whose: &[Oracle::Gdb], apply: nullptr },
    Lens { name: "noreturn", whose: &[Oracle::Gdb], apply: noreturn },
    Lens { name: "parameters", whose: &[Oracle::Gdb], apply: parameters },
];

/// Without what only lenses look at.
fn plain(mut ours: Value) -> Value {
    let without = &mut |part: &mut Value| {
        let part = part.as_object_mut().unwrap();
        MARKS.iter().for_each(|mark| drop(part.remove(*mark)));
    };
    each(&mut ours, without);
    without(&mut ours);
    ours
}

/// What else is said of our members, for lenses.
const MARKS: [&str; 3] = ["flexible", "base", "arrays"];

/// Arrays without a bound have 0 bytes in C debuggers that know no unknown sizes.
fn flexible(ours: &mut Value, _: &mut Value) {
    each(ours, &mut |member| {
        if member["size"].is_null() && member["flexible"] == true {
            member["size"] = 0.into();
        }
    });
}

/// gdb counts a function, and `void`, as one byte.
fn function(ours: &mut Value, _: &mut Value) {
    if ours["kind"] == "type" && ours["size"].is_null() {
        ours["size"] = 1.into();
    }
}

/// A class of C++ is a struct to C.
fn class(ours: &mut Value, _: &mut Value) {
    if ours["kind"] == "class" {
        ours["kind"] = "struct".into();
    }
}

/// gdb writes the scope of an enum's type before each of its values.
fn enumerator_scope(_: &mut Value, theirs: &mut Value) {
    for enumerator in theirs["enumerators"].as_array_mut().unwrap() {
        let name = enumerator[0].as_str().unwrap();
        enumerator[0] = name.rsplit("::").next().unwrap().to_owned().into();
    }
}

/// gdb and drgn have signed values only, as far as 64 bits go.
fn enumerator_sign(ours: &mut Value, _: &mut Value) {
    for enumerator in ours["enumerators"].as_array_mut().unwrap() {
        let value: i128 = enumerator[1].as_str().unwrap().parse().unwrap();
        enumerator[1] = (value as i64).to_string().into();
    }
}

/// A base class has no name of its own; gdb gives it its type's.
fn base_name(ours: &mut Value, theirs: &mut Value) {
    each_pair(ours, theirs, &mut |ours, theirs| {
        if ours["base"] == true && theirs["name"] == theirs["type"] {
            theirs["name"] = "".into();
        }
    });
}

/// Every member at any depth with the one of theirs that stands there.
fn each_pair(ours: &mut Value, theirs: &mut Value, visit: &mut dyn FnMut(&mut Value, &mut Value)) {
    let members = |layout: &mut Value| layout.get_mut("members").map(Value::take);
    let (Some(mut mine), Some(mut others)) = (members(ours), members(theirs)) else { return };
    let pairs = mine.as_array_mut().unwrap().iter_mut().zip(others.as_array_mut().unwrap());
    for (mine, other) in pairs {
        each_pair(mine, other, visit);
        visit(mine, other);
    }
    (ours["members"], theirs["members"]) = (mine, others);
}

/// drgn leaves base classes out, and what is in them.
fn no_bases(ours: &mut Value, _: &mut Value) {
    let drop_bases = &mut |layout: &mut Value| {
        let members = layout.get_mut("members").and_then(Value::as_array_mut);
        members.into_iter().for_each(|members| members.retain(|member| member["base"] != true));
    };
    each(ours, drop_bases);
    drop_bases(ours);
}

/// gdb sorts the words of template arguments anew: `pair<T const>` for `pair<const T>`.
fn template_arguments(ours: &mut Value, theirs: &mut Value) {
    for layout in [ours, theirs] {
        each(layout, &mut |member| member["type"] = bare(&text(member, "type")).into());
    }
}

/// A name without what is between `<` and `>`.
fn bare(name: &str) -> String {
    let mut depth = 0_usize;
    let mut kept = String::new();
    for character in name.chars() {
        depth -= usize::from(character == '>' && depth > 0);
        if depth == 0 {
            kept.push(character);
        }
        depth += usize::from(character == '<');
    }
    kept
}

fn text(member: &Value, field: &str) -> String {
    member[field].as_str().unwrap_or_default().to_owned()
}

/// gdb shows all of Rust's references, pointers and boxes as `*mut`, and functions as what they point to.
fn rust_pointers(ours: &mut Value, theirs: &mut Value) {
    for layout in [ours, theirs] {
        each(layout, &mut |member| {
            let mut name = text(member, "type");
            let boxed = name.strip_prefix("alloc::boxed::Box<");
            if let Some(inner) = boxed.and_then(|rest| rest.strip_suffix(", alloc::alloc::Global>"))
            {
                name = format!("*mut {inner}");
            }
            for pointer in ["*const ", "&mut ", "&"] {
                name = name.replace(pointer, "*mut ");
            }
            for function in
                ["*mut fn (", "unsafe fn(", "unsafe extern \"C\" fn(", "extern \"C\" fn("]
            {
                name = name.replace(function, "fn(");
            }
            member["type"] = name.into();
        });
    }
}

/// What tells which variant of a Rust enum there is has no name.
fn discriminant(ours: &mut Value, _: &mut Value) {
    each(ours, &mut |member| {
        if member["name"] == "<discriminant>" {
            member["name"] = "".into();
        }
    });
}

/// BTF and pahole know no variants: a Rust enum has no members.
fn no_variants(ours: &mut Value, theirs: &mut Value) {
    let clear = &mut |ours: &mut Value, theirs: &mut Value| {
        if theirs["members"] == json!([]) {
            ours["members"] = json!([]);
        }
    };
    each_pair(ours, theirs, clear);
    clear(ours, theirs);
}

/// pahole shows the members of a struct without a name that an array has many of, as of the first; ours
/// are there where a path leads to an element.
fn array_elements(ours: &mut Value, theirs: &mut Value) {
    let ranges: Vec<(u64, u64)> = serde_json::from_value(ours["arrays"].clone()).unwrap();
    let shown = ours["places"].as_array().unwrap();
    let in_array = |at: u64| ranges.iter().any(|(start, end)| (*start..*end).contains(&at));
    let places = theirs["places"].as_array_mut().unwrap();
    places.retain(|place| shown.contains(place) || !in_array(place[0].as_u64().unwrap()));
}

/// BTF cannot say that a number has no bytes, as Rust's `()` has.
fn no_bytes(ours: &mut Value, theirs: &mut Value) {
    each_pair(ours, theirs, &mut |ours, theirs| {
        if ours["size"] == 0 && ours["members"] == json!([]) {
            theirs["size"] = 0.into();
        }
    });
}

/// C++ says that it is as large as a pointer, DWARF says nothing, gdb 0.
fn nullptr(ours: &mut Value, theirs: &mut Value) {
    let is_pointers = ours["size"] == size_of::<usize>();
    if ours["kind"] == "type" && theirs["size"] == 0 && is_pointers {
        theirs["size"] = ours["size"].clone();
    }
}

/// GCC writes a function that does not return as a volatile one; gdb leaves the word out.
fn noreturn(ours: &mut Value, theirs: &mut Value) {
    each_pair(ours, theirs, &mut |ours, theirs| {
        let name = text(ours, "type");
        if name.strip_prefix("volatile ") == Some(&text(theirs, "type")) && name.contains("(*)(") {
            ours["type"] = theirs["type"].clone();
        }
    });
}

/// gdb has `(void)` for a function of which nothing is known and for one without parameters in C++, and among
/// the parameters of a member function a constant `this`.
fn parameters(ours: &mut Value, theirs: &mut Value) {
    let object =
        Regex::new(r"::\*\)\((const )?(volatile )?[^()]*? \* const(?:, ([^()]*))?\)").unwrap();
    let without_object = |found: &Captures| {
        let part = |group| found.get(group).map_or("", |part| part.as_str());
        let qualifiers = [part(1), part(2)].map(str::trim_end);
        let said = qualifiers.iter().filter(|word| !word.is_empty());
        said.fold(format!("::*)({})", part(3)), |text, word| format!("{text} {word}"))
    };
    each(ours, &mut |member| {
        member["type"] =
            text(member, "type").replace("(...)", "(void)").replace("()", "(void)").into()
    });
    each(theirs, &mut |member| {
        let name = text(member, "type");
        let name = object.replace_all(&name, without_object).replace(" * const)", " *)");
        member["type"] = name.replace("()", "(void)").into()
    });
}

/// Every member at any depth, innermost first.
fn each(layout: &mut Value, visit: &mut dyn FnMut(&mut Value)) {
    let members = layout.get_mut("members").and_then(Value::as_array_mut);
    for member in members.into_iter().flatten() {
        each(member, visit);
        visit(member);
    }
}

/// A layout as tests/real/*_layouts.py write it.
fn shown(oracle: Oracle, layout: &Layout) -> Value {
    if oracle == Oracle::Pahole {
        let mut places = Vec::new();
        collect_places(layout.members.iter(), &mut places);
        places.sort();
        let holes: u64 = layout.holes.iter().map(|hole| hole.bit_size).sum();
        let size = layout.size.known();
        let unused = holes + 8 * layout.padding;
        let mut arrays = Vec::new();
        collect_arrays(layout.members.iter(), &mut arrays);
        return json!({"size": size, "places": places, "unused": unused, "arrays": arrays});
    }
    let enumerators = layout.enumerators.iter();
    json!({
        "kind": layout.kind.name(),
        "size": layout.size.known(),
        "members": members(oracle, layout.language, layout.members.iter()),
        "enumerators": enumerators
            .map(|enumerator| json!([enumerator.name, enumerator.value.to_string()]))
            .collect::<Vec<_>>(),
    })
}

/// Members with those of types without a name, as pahole prints them.
fn collect_places<'m>(members: impl Iterator<Item = Member<'m>>, places: &mut Vec<(u64, String)>) {
    for member in members {
        if member.type_name().ends_with("{...}") {
            collect_places(member.inside(), places);
        }
        places.push((bit_offset(member).unwrap_or(u64::MAX), member.name().to_owned()));
    }
}

/// Where there are arrays of structs without a name.
fn collect_arrays<'m>(members: impl Iterator<Item = Member<'m>>, arrays: &mut Vec<(u64, u64)>) {
    for member in members {
        if member.type_name().contains("{...}[") || member.type_name().contains("{...} [") {
            let start = bit_offset(member).unwrap_or_default();
            arrays.push((start, start + 8 * member.size().known().unwrap_or(u64::from(u32::MAX))));
        }
        collect_arrays(member.inside(), arrays);
    }
}

fn bit_offset(member: Member<'_>) -> Option<u64> {
    let bytes = member.offset().map(|offset| offset * 8);
    member.bits().map(|bits| bits.offset).or(bytes)
}

fn members<'m>(
    oracle: Oracle,
    language: Language,
    all: impl Iterator<Item = Member<'m>>,
) -> Vec<Value> {
    let shown = |member: Member<'m>| {
        let mut shown = json!({
            "name": member.name(),
            "bit_offset": bit_offset(member),
            "bit_size": member.bits().map_or(0, |bits| bits.size),
            "size": member.size().known(),
            "members": members(oracle, language, member.inside()),
        });
        if oracle == Oracle::Gdb {
            shown["type"] = match language {
                Language::Rust => member.type_name().as_str().into(),
                _ => shorter(member.type_name()).into(),
            };
        }
        if member.size() == Size::Dynamic && member.type_name().contains("[]") {
            shown["flexible"] = true.into();
        }
        if member.kind() == MemberKind::Base {
            shown["base"] = true.into();
        }
        shown
    };
    all.map(shown).collect()
}

/// gdb respells C's numbers, `long unsigned int` is `unsigned long` to it, and spaces qualifiers.
fn shorter(type_name: &str) -> String {
    let spellings = [
        ("long long unsigned int", "unsigned long long"),
        ("long long int", "long long"),
        ("long unsigned int", "unsigned long"),
        ("short unsigned int", "unsigned short"),
        ("long int", "long"),
        ("short int", "short"),
        ("*restrict", "* restrict"),
        ("*const", "* const"),
        ("*volatile", "* volatile"),
    ];
    let respell = |text: String, (ours, theirs): (&str, &str)| text.replace(ours, theirs);
    spellings.into_iter().fold(type_name.to_owned(), respell)
}

/// So many lines of a difference are shown.
const SHOWN: usize = 8;

/// The lines of two layouts that are not in both, of our match that is most like theirs.
fn difference(ours: &[Value], theirs: &Value) -> String {
    let theirs = lines(theirs);
    let compare = |ours: &Value| {
        let ours = lines(ours);
        let less = theirs.iter().filter(|line| !ours.contains(line));
        let more = ours.iter().filter(|line| !theirs.contains(line));
        let less = less.map(|line| format!("  they {line}"));
        less.chain(more.map(|line| format!("  ours {line}"))).collect::<Vec<String>>()
    };
    match ours.iter().map(compare).min_by_key(Vec::len) {
        Some(mut lines) => {
            lines.truncate(SHOWN);
            lines.join("\n")
        }
        None => "  we know none".to_owned(),
    }
}

/// A layout with a line a member.
fn lines(layout: &Value) -> Vec<String> {
    let whole = ["kind", "size", "unused"].map(|name| layout[name].to_string());
    let mut lines = vec![whole.join(" ")];
    let lists = ["places", "enumerators"].map(|name| layout[name].as_array());
    lines.extend(lists.into_iter().flatten().flatten().map(Value::to_string));
    let mut rest: Vec<&Value> = vec![layout];
    while let Some(value) = rest.pop() {
        for member in value["members"].as_array().into_iter().flatten() {
            let fields = ["bit_offset", "bit_size", "size", "type", "name"];
            lines.push(fields.map(|field| member[field].to_string()).join(" "));
            rest.push(member);
        }
    }
    lines
}
