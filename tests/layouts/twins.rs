//! Definitions of one name in many units, most of them alike: those that differ in anything that a
//! layout shows are told apart, whatever that is.

use crate::toolchain::{Compiled, GCC, Toolchain};

const OLDER: Toolchain =
    Toolchain { program: "gcc", flags: &["-shared", "-fPIC", "-nostdlib", "-gdwarf-3"] };

/// What all units have but for one change each.
const HEADER: &str = r"
enum colour { RED, GREEN = 5, BLUE };
struct inner { short a, b; };
struct other;
typedef struct inner inner_t;
typedef int (*callback)(struct other *, const char *, unsigned);
struct twin {
    int id;
    char name[16];
    struct inner one;
    inner_t many[3];
    enum colour colour;
    unsigned low : 3, high : 5;
    callback call;
    struct other *next;
    union { long l; double d; };
    const struct inner *last;
};
";

/// One change each, of text into other text, and whether a layout shows it.
const CHANGES: &[(&str, &str, bool)] = &[
    ("int id", "unsigned id", true),
    ("int id", "int number", true),
    ("name[16]", "name[15]", true),
    ("short a, b", "short b, a", true),
    ("short a, b", "unsigned short a, b", true),
    ("many[3]", "many[3][1]", true),
    ("low : 3, high : 5", "low : 4, high : 4", true),
    ("struct other *next", "struct another *next", true),
    ("struct other *next", "struct other **next", true),
    ("union { long l", "struct { long l", true),
    ("const struct inner *last", "struct inner *last", true),
    ("inner_t many", "struct inner many", true),
    ("callback call", "int (*call)(struct other *, unsigned)", true),
    ("callback call", "int (*call)(struct other *, unsigned long)", true),
    // Behind a pointer only the name shows, and where something stands does not.
    ("struct other;", "struct other { int defined; };", false),
    ("const char *, unsigned", "char *, unsigned", false),
    ("struct inner {", "\n\n\nstruct inner {", false),
];

fn compiled(toolchain: Toolchain) -> Compiled {
    let mut texts = Vec::new();
    for unit in 0..40 + CHANGES.len() {
        let mut header = HEADER.to_owned();
        if let Some((from, to, _)) = unit.checked_sub(40).and_then(|change| CHANGES.get(change)) {
            assert!(header.contains(from), "{from}");
            header = header.replacen(from, to, 1);
        }
        // Other types before it, so that numbers of abbreviations and places in the unit differ.
        let before: String = (0..unit % 7)
            .map(|at| format!("union u{at} {{ char c[{at}]; float f; }} v{at}_{unit};"))
            .collect();
        texts.push((format!("u{unit}"), format!("{before}{header}\nstruct twin v{unit};")));
    }
    let sources: Vec<(&str, &str)> =
        texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    toolchain.compile_all(&sources).unwrap()
}

#[test]
fn what_shows_tells_definitions_apart_and_nothing_else_does() {
    for toolchain in [GCC, OLDER] {
        let compiled = compiled(toolchain);
        let found = compiled.find("struct twin", None).unwrap();
        let alone = CHANGES.iter().filter(|(_, _, shows)| *shows).count();
        let units: Vec<usize> = found.iter().map(|found| found.units).collect();
        let mut expected = vec![1; alone];
        expected.insert(0, 40 + CHANGES.len() - alone);
        assert_eq!(units, expected, "{found:#?}");
    }
}

/// What no member of the outer struct says: the values of an enum and the members of a struct in an
/// array show only in their own layouts.
#[test]
fn enumerators_are_told_apart() {
    let texts: Vec<(String, String)> = (0..70)
        .map(|unit| {
            let blue = if unit % 2 == 0 { 6 } else { 7 };
            let text = format!("enum colour {{ RED, BLUE = {blue} }} v{unit};");
            (format!("u{unit}"), text)
        })
        .collect();
    let sources: Vec<(&str, &str)> =
        texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let found = GCC.compile_all(&sources).unwrap().find("enum colour", None).unwrap();
    assert_eq!(found.iter().map(|found| found.units).collect::<Vec<_>>(), [35, 35]);
}
