//! What bytes say, compared with the values that the source gives them: the compiler has laid them out.

use std::fs;

use dbgmate::job::Job;
use dbgmate::types::{self, Decoded};
use object::{Object, ObjectSection, ObjectSymbol};

use crate::toolchain::{Compiled, EVERYWHERE, GCC, Toolchain};

const SOURCE: &str = r#"
enum colour { RED = -1, GREEN = 5, BLUE = 6 };
enum flags { READ = 1, WRITE = 2, RUN = 4 };
enum __attribute__((packed)) level { LOW = 3, HIGH = 200 };
struct inner { short a; unsigned char b; };
struct all {
    int negative;
    unsigned long long large;
    _Bool yes;
    char letter;
    char text[8];
    char full[3];
    float single;
    double twice;
    enum colour colour;
    enum flags flags;
    enum flags none;
    enum level top, above;
    signed low : 3;
    unsigned middle : 5;
    signed high : 9;
    struct inner many[2];
    int grid[2][2];
    union { unsigned word; unsigned char bytes[4]; } both;
};
const struct all g = {
    -7, 0xfedcba9876543210, 1, 'x', "ab\n", {'a', 'b', 'c'}, 1.5f, -0.25, RED, READ | RUN, 8,
    HIGH, (enum level)201, -2, 21, -100, {{-3, 4}, {5, 255}}, {{1, 2}, {3, 4}}, {0x01010101},
};
"#;

/// What the source says.
const EXPECTED: &[(&str, &str)] = &[
    ("negative", "-7"),
    ("large", "18364758544493064720"),
    ("yes", "true"),
    ("letter", "120 'x'"),
    ("text", r#""ab\n""#),
    ("full", r#""abc" (no zero byte)"#),
    ("single", "1.5"),
    ("twice", "-0.25"),
    ("colour", "RED (-1)"),
    ("flags", "READ | RUN (0x5)"),
    ("none", "8 (no enumerator)"),
    ("top", "HIGH (200)"),
    ("above", "201 (no enumerator)"),
    ("low", "-2"),
    ("middle", "21"),
    ("high", "-100"),
    ("many[0].a", "-3"),
    ("many[0].b", "4"),
    ("many[1].a", "5"),
    ("many[1].b", "255"),
    ("grid[0][1]", "2"),
    ("grid[1][0]", "3"),
    ("both.word", "16843009"),
    ("both.bytes", r#""\x01\x01\x01\x01" (no zero byte)"#),
];

/// The bytes of `g`.
fn bytes(compiled: &Compiled) -> Vec<u8> {
    let data = fs::read(compiled.path()).unwrap();
    let file = object::File::parse(&*data).unwrap();
    let symbol = file.symbols().find(|symbol| symbol.name() == Ok("g")).unwrap();
    let section = file.section_by_index(symbol.section_index().unwrap()).unwrap();
    let start = (symbol.address() - section.address()) as usize;
    section.data().unwrap()[start..start + symbol.size() as usize].to_vec()
}

/// What bytes say as a type.
pub(super) fn decode(compiled: &Compiled, name: &str, bytes: &[u8]) -> Decoded {
    let die = compiled.layout(name).die;
    types::decode(&Job::new(), compiled.opened(), die, bytes, 1).unwrap()
}

/// The values that have a text, by path.
fn flat(value: &Decoded, path: &str, all: &mut Vec<(String, String)>) {
    all.extend(value.text.iter().map(|text| (path.to_owned(), text.clone())));
    for inner in &value.values {
        let dot = if path.is_empty() || inner.name.starts_with('[') { "" } else { "." };
        flat(inner, &format!("{path}{dot}{}", inner.name), all);
    }
}

fn check(toolchain: Toolchain) {
    let Some(compiled) = toolchain.compile(SOURCE) else { return };
    let mut all = Vec::new();
    flat(&decode(&compiled, "struct all", &bytes(&compiled)), "", &mut all);
    for (path, expected) in EXPECTED {
        let said = all.iter().find(|(found, _)| found == path).map(|(_, text)| text.as_str());
        assert_eq!(said, Some(*expected), "{path} by {toolchain}: {all:#?}");
    }
    assert_eq!(all.len(), EXPECTED.len() + 2, "{all:#?}");
}

#[test]
fn values_are_those_of_the_source() {
    for toolchain in EVERYWHERE {
        check(*toolchain);
    }
}

#[test]
fn bytes_that_end_early_are_said_to() {
    let compiled = GCC.compile(SOURCE).unwrap();
    let all = bytes(&compiled);
    for length in 0..all.len() {
        let value = decode(&compiled, "struct all", &all[..length]);
        let first = &value.values[0];
        assert_eq!(first.text.is_some(), length >= 4, "{length} bytes");
        assert_eq!(first.why.is_none(), length >= 4, "{length} bytes");
        let word = &value.values.last().unwrap().values[0];
        let end = word.bits.map(|bits| (bits.offset + bits.size) / 8).unwrap() as usize;
        assert_eq!(word.text.is_some(), length >= end, "{length} bytes");
        let why = word.why.as_deref().unwrap_or("");
        assert_eq!(why.contains("end before it"), length < end, "{length} bytes: {why}");
    }
}

/// Clang has no such structs.
#[test]
fn a_type_may_have_a_byte_order_of_its_own() {
    for order in ["big", "little"] {
        let source = format!(
            "struct __attribute__((scalar_storage_order(\"{order}-endian\"))) s {{
                int a; unsigned short b; unsigned c : 5, d : 11; long long e; unsigned char f;
                _Complex float z; double x; }};
             const struct s g = {{ -2, 513, 3, 1026, 5, 6, 1.5f - 2.5if, 0.25 }};"
        );
        for toolchain in EVERYWHERE.iter().filter(|toolchain| toolchain.program != "clang") {
            // DW_AT_endianity is of DWARF 3.
            if toolchain.flags.contains(&"-gdwarf-2") {
                continue;
            }
            let Some(compiled) = toolchain.compile(&source) else { continue };
            let mut all = Vec::new();
            flat(&decode(&compiled, "struct s", &bytes(&compiled)), "", &mut all);
            let expected = ["-2", "513", "3", "1026", "5", "6", "1.5 - 2.5i", "0.25"];
            let values: Vec<&str> = all.iter().map(|(_, text)| text.as_str()).collect();
            assert_eq!(values, expected, "{order} by {toolchain}");
        }
    }
}
