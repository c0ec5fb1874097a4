//! Random types of C++: bases, virtual ones too, members without an address of their own, unions. Each member
//! is where the compiler has put it, what is told to be unused is what no member is in, and the assertions hold.
//!
//! `DBGMATE_RANDOM_SOURCES` and `DBGMATE_RANDOM_SEED` are as in `random.rs`.

use std::collections::BTreeSet;

use dbgmate::api::layout::LayoutForm;

use super::case::Said;
use super::order::next;
use super::random::each_seed;
use super::spelled::ask;
use super::toolchain::Toolchain;
use super::unused::unused;

/// Types in one text.
const TYPES: usize = 12;

/// GCC leaves a class to the unit that has its virtual functions, unless told not to.
const fn gxx(flags: &'static [&'static str]) -> Toolchain {
    Toolchain { program: "g++", flags }
}

const WAYS: &[Toolchain] = &[
    gxx(&["-c", "-g", "-std=c++20", "-femit-class-debug-always"]),
    gxx(&["-c", "-gdwarf-4", "-fdebug-types-section", "-std=c++20", "-femit-class-debug-always"]),
    gxx(&["-c", "-gdwarf-3", "-gstrict-dwarf", "-std=c++20", "-femit-class-debug-always"]),
    gxx(&["-c", "-m32", "-g", "-std=c++20", "-femit-class-debug-always"]),
    Toolchain { program: "clang++", flags: &["-c", "-g", "-std=c++20", "-fstandalone-debug"] },
];

const SCALARS: &[&str] =
    &["char", "short", "int", "long", "double", "void *", "bool", "long double"];

/// A type, and what is known of it without the compiler.
struct Drawn {
    name: String,
    /// Itself and the types that are bases of it: none may be a base twice.
    classes: BTreeSet<usize>,
    /// Members at any depth of bases, by name.
    members: Vec<String>,
    /// Nothing but these members is in it: no pointers to virtual functions, no bit fields.
    is_plain: bool,
    has_virtual_bases: bool,
    /// Itself, or a part of it: what has one cannot be in a union that has none.
    has_constructor: bool,
    is_union: bool,
}

struct Drawing {
    state: u64,
    members: usize,
    source: String,
    types: Vec<Drawn>,
}

impl Drawing {
    fn new(seed: u64) -> Drawing {
        let mut drawing =
            Drawing { state: seed, members: 0, source: String::new(), types: Vec::new() };
        (0..TYPES).for_each(|number| drawing.define(number));
        drawing
    }

    fn one_in(&mut self, count: usize) -> bool {
        next(&mut self.state, count) == 0
    }

    fn any<'s>(&mut self, all: &[&'s str]) -> &'s str {
        all[next(&mut self.state, all.len())]
    }

    fn name(&mut self) -> String {
        self.members += 1;
        format!("m{}", self.members)
    }

    fn define(&mut self, number: usize) {
        let name = format!("r{number}");
        let is_union = self.one_in(6);
        let mut drawn = Drawn {
            name: name.clone(),
            classes: BTreeSet::from([number]),
            members: Vec::new(),
            is_plain: true,
            has_virtual_bases: false,
            has_constructor: false,
            is_union,
        };
        let bases = if is_union { String::new() } else { self.bases(&mut drawn) };
        let mut body = String::new();
        for _ in 0..next(&mut self.state, 5) {
            body += &self.member(&mut drawn);
        }
        if !is_union && self.one_in(6) {
            drawn.is_plain = false;
            drawn.has_constructor = true;
            body += &format!("virtual void f{number}(); ");
        }
        let attribute = match next(&mut self.state, 12) {
            0 => "__attribute__((packed))",
            1 => "alignas(16)",
            _ => "",
        };
        let keyword = if is_union { "union" } else { self.any(&["struct", "class"]) };
        self.source += &format!(
            "{keyword} {attribute} {name} {bases} {{ public: {body}}}; {name} o{number};\n"
        );
        self.types.push(drawn);
    }

    fn bases(&mut self, drawn: &mut Drawn) -> String {
        let mut bases = Vec::new();
        for _ in 0..next(&mut self.state, 4) {
            let chosen = next(&mut self.state, TYPES);
            let Some(base) = self.types.get(chosen).filter(|base| !base.is_union) else { continue };
            if !base.classes.is_disjoint(&drawn.classes) {
                continue;
            }
            drawn.classes.extend(&base.classes);
            drawn.members.extend(base.members.iter().cloned());
            drawn.is_plain &= base.is_plain;
            drawn.has_virtual_bases |= base.has_virtual_bases;
            let is_virtual = next(&mut self.state, 6) == 0;
            drawn.has_virtual_bases |= is_virtual;
            drawn.has_constructor |= base.has_constructor || is_virtual;
            let how = if is_virtual { "virtual public" } else { "public" };
            bases.push(format!("{how} {}", base.name));
        }
        if bases.is_empty() { String::new() } else { format!(": {}", bases.join(", ")) }
    }

    fn member(&mut self, drawn: &mut Drawn) -> String {
        let name = self.name();
        match next(&mut self.state, 9) {
            0 if !drawn.is_union => {
                drawn.is_plain = false;
                format!(
                    "{} {name} : {}; ",
                    self.any(&["int", "long", "unsigned char"]),
                    1 + next(&mut self.state, 7)
                )
            }
            1..=3 => {
                let chosen = next(&mut self.state, TYPES);
                let Some(of) = self.types.get(chosen) else { return String::new() };
                if drawn.is_union && of.has_constructor {
                    return String::new();
                }
                drawn.has_constructor |= of.has_constructor;
                drawn.members.push(name.clone());
                let of = of.name.clone();
                let how =
                    if self.one_in(2) && !drawn.is_union { "[[no_unique_address]]" } else { "" };
                format!("{how} {of} {name}; ")
            }
            4 => {
                let (first, second) = (self.name(), self.name());
                drawn.members.extend([first.clone(), second.clone()]);
                let keyword = self.any(&["union", "struct"]);
                format!(
                    "{keyword} {{ {} {first}; {} {second}[3]; }}; ",
                    self.any(SCALARS),
                    self.any(SCALARS)
                )
            }
            5 => {
                drawn.members.push(name.clone());
                format!("{} {name}[{}]; ", self.any(SCALARS), 1 + next(&mut self.state, 3))
            }
            _ => {
                drawn.members.push(name.clone());
                format!("{} {name}; ", self.any(SCALARS))
            }
        }
    }

    /// With the places of the members that a compiler knows without an object.
    fn text(&self) -> String {
        let mut numbers = Vec::new();
        for Drawn { name, members, .. } in self.types.iter().filter(|drawn| drawn.is_fixed()) {
            numbers.push(format!("sizeof({name})"));
            for member in members {
                numbers.push(format!("__builtin_offsetof({name}, {member})"));
                numbers.push(format!("sizeof((({name} *)0)->{member})"));
            }
        }
        format!(
            "#pragma GCC diagnostic ignored \"-Winvalid-offsetof\"\n{}\
             extern \"C\" const unsigned long long numbers[{}] = {{ {} }};\n",
            self.source,
            numbers.len().max(1),
            numbers.join(", ")
        )
    }
}

impl Drawn {
    fn is_fixed(&self) -> bool {
        !self.has_virtual_bases
    }
}

fn check(seed: u64) {
    let toolchain = WAYS[seed as usize % WAYS.len()];
    let drawing = Drawing::new(seed);
    let Some(compiled) = toolchain.compile(&drawing.text()) else { return };
    let mut numbers = Said::read(&compiled).numbers("numbers").into_iter();
    let mut asked = drawing.source.clone();
    for drawn in &drawing.types {
        asked += &compiled.rendered(&drawn.name, LayoutForm::Asserts);
    }
    ask(toolchain, &asked);
    for drawn in &drawing.types {
        let unused = unused(&compiled, &drawn.name);
        if !drawn.is_fixed() {
            continue;
        }
        let size = numbers.next().unwrap();
        assert_eq!(unused.len() as u64, size * 8, "{}", drawn.name);
        let mut free = vec![true; unused.len()];
        for name in &drawn.members {
            let (offset, size) = (numbers.next().unwrap(), numbers.next().unwrap());
            let member = compiled.member(&drawn.name, name);
            let ours = (member.offset(), member.size().known());
            assert_eq!(ours, (Some(offset), Some(size)), "{name} of {}", drawn.name);
            free[offset as usize * 8..(offset + size) as usize * 8].fill(false);
        }
        let wrong = (0..free.len()).find(|bit| match drawn.is_plain {
            true => free[*bit] != unused[*bit],
            false => unused[*bit] && !free[*bit],
        });
        assert_eq!(wrong, None, "the bit of {} by {toolchain}:\n{}", drawn.name, drawing.source);
    }
}

#[test]
fn random_types_of_cxx_have_what_the_compiler_leaves_unused() {
    each_seed(WAYS.len() as u64 * 4, check);
}
