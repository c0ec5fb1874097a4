//! Random types of C, compiled each in another way: every member at any depth is where the compiler has
//! put it, so is what is told of each byte, and what we write in C means the same to that compiler.
//!
//! `DBGMATE_RANDOM_SOURCES` is how many texts are tried, `DBGMATE_RANDOM_SEED` where they start; a
//! failure names the seed that makes it again alone.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use dbgmate::api::layout::LayoutForm;
use dbgmate::job::Job;
use dbgmate::types::{self, Covering, Layout, Member};

use super::case::Case;
use super::order::next;
use super::spelled::ask;
use super::toolchain::{Compiled, EVERYWHERE, Toolchain};

/// Types in one text.
const TYPES: usize = 8;

/// A type of more leaves is not put into others.
const FEW_LEAVES: usize = 12;

/// What members are made of; `@` stands for the name. What strict DWARF 2 leaves out (`_Atomic`) has its
/// tests in `nested.rs`.
const SCALARS: &[&str] = &[
    "char @",
    "unsigned char @",
    "short @",
    "int @",
    "long @",
    "unsigned long long @",
    "_Bool @",
    "float @",
    "double @",
    "long double @",
    "enum small @",
    "enum wide @",
    "number @",
    "const volatile int @",
    "void *@",
    "const char *const @",
    "int *const volatile @",
    "struct unknown *@",
    "int (*@)[3]",
    "const int *(*@)[2][3]",
    "void (*@)(int, ...)",
    "int (*(*@)(struct unknown *))[2]",
    "char *(*const @)(const volatile char *)",
    "callback @",
];

/// Types of bit fields with the widest that they may be. Clang writes a field of its type's full width as
/// an ordinary member, which starts at a byte.
const BIT_FIELDS: &[(&str, usize)] = &[
    ("int", 31),
    ("unsigned", 31),
    ("signed char", 7),
    ("unsigned short", 15),
    ("long long", 63),
    ("unsigned long long", 63),
    ("number", 15),
    ("_Bool", 1),
];

const PRELUDE: &str = "
    enum small { MINUS = -1, ONE = 1 };
    enum wide { LARGE = 1ULL << 40 };
    typedef short number;
    typedef int (*callback)(int, const char *);
    struct unknown;
";

const MEMBER_ATTRIBUTES: &[&str] =
    &["packed", "aligned(2)", "aligned(8)", "aligned(16)", "aligned"];
const TYPE_ATTRIBUTES: &[&str] = &["packed", "packed, aligned(2)", "aligned(4)", "aligned(64)"];

/// The members of one type, by their paths, at any depth.
#[derive(Clone, Default)]
struct Paths {
    /// Scalars.
    scalars: Vec<String>,
    /// Bit fields.
    bits: Vec<String>,
    /// Arrays and structs.
    wholes: Vec<String>,
}

impl Paths {
    fn leaves(&self) -> usize {
        self.scalars.len() + self.bits.len()
    }

    /// Adds those of a type that a member has.
    fn add(&mut self, inner: &Paths, prefix: &str) {
        let below = |paths: &[String]| paths.iter().map(|path| format!("{prefix}{path}")).collect();
        let Paths { scalars, bits, wholes } = inner;
        let (scalars, bits, wholes): (Vec<_>, Vec<_>, Vec<_>) =
            (below(scalars), below(bits), below(wholes));
        self.scalars.extend(scalars);
        self.bits.extend(bits);
        self.wholes.extend(wholes);
    }
}

/// A type that others may hold.
struct Drawn {
    name: String,
    paths: Paths,
    flexible: Option<String>,
}

/// A text being drawn.
struct Drawing {
    state: u64,
    members: usize,
    source: String,
    types: Vec<Drawn>,
}

impl Drawing {
    fn new(seed: u64) -> Drawing {
        let source = PRELUDE.to_owned();
        let mut drawing = Drawing { state: seed, members: 0, source, types: Vec::new() };
        (0..TYPES).for_each(|number| drawing.define(number));
        drawing
    }

    fn below(&mut self, below: usize) -> usize {
        next(&mut self.state, below)
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn any<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn define(&mut self, number: usize) {
        let keyword = self.any(&["struct", "struct", "struct", "union"]);
        let (mut body, paths) = self.body(1);
        let flexible = (keyword == "struct" && self.one_in(6)).then(|| format!("rest{number}"));
        if let Some(name) = &flexible {
            body += &format!("{}; ", self.any(SCALARS).replace('@', &format!("{name}[]")));
        }
        let attribute = self.attribute(5, TYPE_ATTRIBUTES);
        let pack = if self.one_in(8) { self.any(&[1, 2, 4]) } else { 16 };
        let name = format!("{keyword} r{number}");
        self.source += &format!(
            "#pragma pack(push, {pack})\n{keyword} {attribute} r{number} {{ {body}}};\n\
             #pragma pack(pop)\n"
        );
        self.types.push(Drawn { name, paths, flexible });
    }

    fn attribute(&mut self, one_in: usize, all: &[&str]) -> String {
        match self.one_in(one_in) {
            true => format!("__attribute__(({}))", self.any(all)),
            false => String::new(),
        }
    }

    /// The members between the braces; one of them has a name.
    fn body(&mut self, depth: usize) -> (String, Paths) {
        let (mut body, mut paths) = (String::new(), Paths::default());
        for _ in 0..1 + self.below(7 / depth) {
            body += &self.member(depth, &mut paths);
        }
        let name = self.name();
        paths.scalars.push(name.clone());
        (format!("{body}int {name}; "), paths)
    }

    fn name(&mut self) -> String {
        self.members += 1;
        format!("m{}", self.members)
    }

    fn member(&mut self, depth: usize, paths: &mut Paths) -> String {
        let name = self.name();
        match self.below(10) {
            0..=2 => {
                let (type_name, widest) = self.any(BIT_FIELDS);
                if self.one_in(5) {
                    return format!("{type_name} : {}; ", self.below(widest + 1));
                }
                paths.bits.push(name.clone());
                let attribute = self.attribute(10, MEMBER_ATTRIBUTES);
                format!("{type_name} {name} : {} {attribute}; ", 1 + self.below(widest))
            }
            3 | 4 if depth < 4 => {
                let keyword = self.any(&["struct", "union"]);
                let (body, inner) = self.body(depth + 1);
                if self.one_in(2) {
                    paths.add(&inner, "");
                    return format!("{keyword} {{ {body}}}; ");
                }
                paths.wholes.push(name.clone());
                paths.add(&inner, &format!("{name}."));
                format!("{keyword} {{ {body}}} {name}; ")
            }
            5 | 6 => {
                let small =
                    |drawn: &&Drawn| drawn.flexible.is_none() && drawn.paths.leaves() <= FEW_LEAVES;
                let small: Vec<&Drawn> = self.types.iter().filter(small).collect();
                let chosen = small.get(next(&mut self.state, 4)).map(|drawn| drawn.name.clone());
                let inner = chosen.as_ref().map_or("struct unknown *", String::as_str);
                self.declared(&format!("{inner} @"), chosen.as_deref(), name, paths)
            }
            _ => {
                let scalar = self.any(SCALARS);
                self.declared(scalar, None, name, paths)
            }
        }
    }

    /// A member of a type with a name, or an array of such.
    fn declared(
        &mut self,
        declaration: &str,
        of: Option<&str>,
        name: String,
        paths: &mut Paths,
    ) -> String {
        let counts: Vec<usize> = match self.one_in(4) {
            true => (0..1 + self.below(2)).map(|_| self.any(&[0, 1, 2, 2, 3])).collect(),
            false => Vec::new(),
        };
        let mut elements = vec![name.clone()];
        for count in &counts {
            paths.wholes.extend(elements.iter().filter(|_| !counts.contains(&0)).cloned());
            let each =
                |of: &String| (0..*count).map(|at| format!("{of}[{at}]")).collect::<Vec<_>>();
            elements = elements.iter().flat_map(each).collect();
        }
        if counts.contains(&0) {
            paths.wholes.push(name.clone());
        }
        let inner = self.types.iter().find(|drawn| Some(drawn.name.as_str()) == of);
        for element in &elements {
            match inner {
                Some(inner) => {
                    paths.wholes.push(element.clone());
                    paths.add(&inner.paths, &format!("{element}."));
                }
                None => paths.scalars.push(element.clone()),
            }
        }
        let bounds: String = counts.iter().map(|count| format!("[{count}]")).collect();
        let attribute = self.attribute(8, MEMBER_ATTRIBUTES);
        format!("{} {attribute}; ", declaration.replace('@', &format!("{name}{bounds}")))
    }
}

/// The bits of a member that were compared with the compiler's.
fn bits_of(member: Member<'_>) -> (u64, u64) {
    let bits = member.bits().map(|bits| (bits.offset, bits.size));
    bits.unwrap_or_else(|| (member.offset().unwrap() * 8, member.size().known().unwrap() * 8))
}

/// For each byte, the members told and those whose bits are there.
fn compare_bytes(compiled: &Compiled, drawn: &Drawn, layout: &Layout) {
    let leaves: Vec<(&String, (u64, u64))> = (drawn.paths.scalars.iter())
        .chain(&drawn.paths.bits)
        .map(|path| (path, bits_of(compiled.member(&drawn.name, path))))
        .collect();
    for byte in 0..layout.size.known().unwrap() {
        let byte = byte * 8..byte * 8 + 8;
        let places =
            types::locate(&Job::new(), compiled.opened(), layout.die, byte.clone(), 1).unwrap();
        assert!(!places.is_empty(), "nothing is told of {byte:?} in {}", drawn.name);
        let is_member = |what: &Covering| matches!(what, Covering::Member { .. });
        let flexible = drawn.flexible.as_deref().unwrap_or("no such name");
        let mut told: Vec<&String> =
            places.iter().filter(|place| is_member(&place.what)).map(|place| &place.path).collect();
        told.retain(|path| !path.starts_with(flexible));
        let covers = |(start, size): (u64, u64)| start < byte.end && byte.start < start + size;
        let mut there: Vec<&String> =
            leaves.iter().filter(|(_, bits)| covers(*bits)).map(|(path, _)| *path).collect();
        told.sort();
        there.sort();
        assert_eq!(told, there, "{byte:?} of {}", drawn.name);
    }
}

/// The compiler refuses an assertion that does not hold, and a spelled type that is another.
fn ask_back(toolchain: Toolchain, compiled: &Compiled, drawing: &Drawing) {
    let mut asked = drawing.source.clone();
    for Drawn { name, paths, .. } in &drawing.types {
        asked += &compiled.rendered(name, LayoutForm::Asserts);
        for path in paths.scalars.iter().chain(&paths.wholes) {
            let type_name = compiled.member(name, path).type_name().clone();
            if !type_name.contains("{...}") {
                asked += &format!(
                    "_Static_assert(__builtin_types_compatible_p(__typeof__(&(({name} *)0)->{path}), \
                     __typeof__({type_name}) *), \"{path} of {name} is {type_name}\");\n"
                );
            }
        }
    }
    ask(toolchain, &asked);
}

fn check(seed: u64) {
    let toolchain = EVERYWHERE[seed as usize % EVERYWHERE.len()];
    let drawing = Drawing::new(seed);
    let mut case = Case::new(&drawing.source);
    for Drawn { name, paths, flexible } in &drawing.types {
        let all: Vec<&str> =
            paths.scalars.iter().chain(&paths.wholes).map(String::as_str).collect();
        let bits: Vec<&str> = paths.bits.iter().map(String::as_str).collect();
        let flexible: Vec<&str> = flexible.as_deref().into_iter().collect();
        case = case.members(name, &all).bits(name, &bits).unsized_members(name, &flexible);
    }
    case.check(toolchain);
    let Some(compiled) = toolchain.compile(&case.text()) else { return };
    for drawn in &drawing.types {
        compare_bytes(&compiled, drawn, &compiled.layout(&drawn.name));
    }
    ask_back(toolchain, &compiled, &drawing);
}

/// Checks one seed after the other; one that fails is named.
#[allow(clippy::print_stderr)] // shown of a test that fails
pub(super) fn each_seed(count: u64, check: fn(u64)) {
    let number = |name: &str, default| match env::var(name) {
        Ok(text) => text.parse().expect(name),
        Err(_) => default,
    };
    let count = number("DBGMATE_RANDOM_SOURCES", count);
    let first = number("DBGMATE_RANDOM_SEED", 0);
    for seed in first..first + count {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(seed))) {
            eprintln!("again: DBGMATE_RANDOM_SOURCES=1 DBGMATE_RANDOM_SEED={seed}");
            resume_unwind(panic);
        }
    }
}

#[test]
fn random_types_are_as_the_compiler_lays_them_out() {
    each_seed(EVERYWHERE.len() as u64, check);
}
