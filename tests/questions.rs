//! The questions to a layout as people ask them: the real program, on a library that is compiled here.

#![allow(clippy::unwrap_used)]

mod home;

use std::path::{Path, PathBuf};
use std::process::Command;

use home::Home;
use regex::Regex;
use serde_json::Value;

const SOURCE: &str = r"
enum colour { RED, GREEN = 5 };
struct point { short x; int y; };
struct shape { char tag; struct point at[2]; unsigned low : 3, high : 5; enum colour colour; } g;
";

fn library(home: &Home) -> PathBuf {
    home.compile("shape", SOURCE)
}

#[test]
fn field_at_says_what_is_there() {
    let home = Home::new();
    let library = library(&home);
    let binary = library.to_str().unwrap();
    let ask =
        |arguments: &[&str]| home.run(&[&["field-at", "--binary", binary], arguments].concat());
    for (arguments, expected) in [
        (vec!["struct", "shape", "0"], "struct shape.tag  char, at 0, 1 byte\n"),
        (
            vec!["struct shape", "0xd"],
            "struct shape.at[1].x  short int, at 12, 2 bytes  1 byte into it\n",
        ),
        (vec!["struct shape", "1"], "a hole in struct shape  at 1, 3 bytes\n"),
        (vec!["struct shape", "14"], "a hole in struct shape.at[1]  at 14, 2 bytes\n"),
        (
            vec!["struct shape", "20", "--bit", "4"],
            "struct shape.high  unsigned int, at 20, bits 3-7  1 bit into it\n",
        ),
        (vec!["struct shape", "21"], "a hole in struct shape  at 21, 3 bytes\n"),
    ] {
        let run = ask(&arguments);
        assert_eq!(
            (run.stdout.as_str(), run.status),
            (expected, 0),
            "{arguments:?}: {}",
            run.stderr
        );
        assert!(run.stderr.contains("from "), "{}", run.stderr);
    }
    let behind = ask(&["struct shape", "28"]);
    assert_eq!(behind.status, 1);
    assert_eq!(behind.stdout, "nothing: behind the end of struct shape, which has 28 bytes\n");
    let within = ask(&["enum colour", "0"]);
    assert_eq!(within.stdout, "nothing: no member of enum colour is known to be there\n");
    for wrong in
        [vec!["struct shape", "x"], vec!["struct shape", "0xg"], vec!["struct shape.tag", "0"]]
    {
        assert_eq!(ask(&wrong).status, 2, "{wrong:?}");
    }
    let json: Value = serde_json::from_str(&ask(&["--json", "struct shape", "4"]).stdout).unwrap();
    assert_eq!(json["matches"][0]["places"][0]["path"], "at[0].x");
}

#[test]
fn decode_says_what_bytes_say() {
    let home = Home::new();
    let library = library(&home);
    let binary = library.to_str().unwrap();
    let paste = "0x7ffe10:\t0x00000041\t0x0000ffff\t0x00000007\t0x00000002\n\
                 0x7ffe20 <g+16>:\t0xffffffff\t0x0000002a\t0x00000005\n";
    let run = home.feed(&["decode", "--binary", binary, "struct shape"], paste.as_bytes());
    let expected = "struct shape = {
    tag = 65 'A'
    at = {
        [0] = {
            x = -1
            y = 7
        }
        [1] = {
            x = 2
            y = -1
        }
    }
    low : 3 at bit 160 = 2
    high : 5 at bit 163 = 5
    colour = GREEN (5)
}
";
    assert_eq!((run.stdout.as_str(), run.status), (expected, 0), "{}", run.stderr);
    let short = home.feed(&["decode", "--binary", binary, "struct point"], b"01 00");
    assert_eq!(short.status, 0);
    assert!(short.stdout.contains("x = 1\n"), "{}", short.stdout);
    assert!(short.stdout.contains("2 bytes given, the type has 8 bytes"), "{}", short.stdout);
    let wrong = home.feed(&["decode", "--binary", binary, "struct point"], b"hello");
    assert_eq!(wrong.status, 2);
    assert!(wrong.stderr.contains("not bytes in hexadecimal"), "{}", wrong.stderr);
}

const HOOK: &str = r#"
int counter, table[4];
static void callback(int x) { counter = x; }
struct hook { void (*fn)(int); int *where; struct hook *self, *next; } g = { callback, &table[2], &g, 0 };
int main(void) { g.fn(1); return 0; }
"#;

/// What gdb says of the process of a program: `x`, the mappings, and `g` itself.
fn gdb_says(program: &Path) -> String {
    let mut gdb = Command::new("gdb");
    gdb.args(["-nx", "-batch", "-ex", "break callback", "-ex", "run", "-ex", "x/8xw &g"]);
    gdb.args(["-ex", "info proc mappings", "-ex", "p g"]).arg(program);
    String::from_utf8(gdb.output().unwrap().stdout).unwrap()
}

#[test]
fn pointers_are_named_as_gdb_names_them() {
    let home = Home::new();
    let (source, program) = (home.write("hook.c", HOOK), home.path().join("hook"));
    let binary = program.to_str().unwrap();
    for (flags, is_fixed) in [(["-fPIE", "-pie"], false), (["-fno-pie", "-no-pie"], true)] {
        let mut compile = Command::new("gcc");
        compile.args(["-g", "-o"]).arg(&program).args(flags).arg(&source);
        assert!(compile.status().unwrap().success());
        let said = gdb_says(&program);
        let lines =
            |part: &str| said.lines().filter(|line| line.contains(part)).collect::<Vec<_>>();
        let memory = lines(">:\t");
        let bare: Vec<&str> =
            memory.iter().filter_map(|line| line.split_once(":\t")).map(|it| it.1).collect();
        // `$1 = {fn = 0x5555 <callback>, where = 0x5555 <table+8>, self = 0x5555 <g>, next = 0x0}`
        let theirs = lines("$1 = {")[0].split_once('{').unwrap().1.trim_end_matches('}');
        let mut expected = theirs.split(", ").map(|it| format!("    {it}\n")).collect::<String>();
        expected = format!("struct hook = {{\n{expected}}}\n");
        let decode = |bytes: &[&str], more: &[&str]| {
            let arguments = [&["decode", "--binary", binary, "struct hook"], more].concat();
            let run = home.feed(&arguments, bytes.join("\n").as_bytes());
            assert_eq!(run.status, 0, "{}", run.stderr);
            run.stdout
        };
        // gdb names the object; or one says where the program is.
        assert_eq!(decode(&memory, &[]), expected, "{said}");
        let maps = home.write("maps", &said);
        assert_eq!(decode(&bare, &["--maps", maps.to_str().unwrap()]), expected, "{said}");
        let mapped = said.lines().find(|line| line.ends_with(binary)).unwrap();
        let first = mapped.split_whitespace().next().unwrap();
        assert_eq!(decode(&bare, &["--base", first]), expected, "{first}: {said}");
        let unknown = decode(&bare, &[]);
        if is_fixed {
            assert_eq!(unknown, expected);
        } else {
            assert!(!unknown.contains("<callback>"), "{unknown}");
            assert!(unknown.contains("// pointers are not named: where "), "{unknown}");
        }
    }
}

#[test]
fn find_lists_types_by_name_and_shape() {
    let home = Home::new();
    let library = home.compile(
        "found",
        "typedef struct { int x; } unnamed_t;
         struct point { short x; int y; };
         struct shape { struct point at[2]; struct { long inside; }; struct shape *next; };
         struct other { const struct shape *to; unnamed_t by_value; };
         typedef struct shape shape_t; typedef struct other *other_p;
         struct room { shape_t shapes[3]; other_p door; };
         struct tight { char c[5]; };
         #pragma pack(2)
         struct uncertain { char c; int i; } u;
         #pragma pack()
         typedef struct early early; struct early { early *next; struct point in; };
         struct late { early first; };
         struct shape s; struct other o; struct room r; struct tight t; early e; struct late l;
         static int hidden(struct point p) { return p.x; }
         int area(const shape_t *a, int b) { struct room *local = 0; return b + hidden(a->at[0]) + !local; }
         void grow(struct shape (*many)[2]) { many[0][0].inside = 1; }
         struct room *enter(void) { return &r; }",
    );
    let binary = library.to_str().unwrap();
    let names = |arguments: &[&str]| {
        let run = home.run(&[&["find", "--binary", binary, "--json"], arguments].concat());
        let json: Value = serde_json::from_str(&run.stdout).unwrap_or_default();
        let types = json["types"].as_array().cloned().unwrap_or_default();
        let names: Vec<String> =
            types.iter().map(|found| found["name"].as_str().unwrap().to_owned()).collect();
        (names.join(" "), run.status)
    };
    for (arguments, expected, status) in [
        (vec!["po*"], "point", 0),
        (vec!["shape"], "shape", 0),
        (vec!["sha"], "", 1),
        (vec!["struct sh*"], "shape", 0),
        (vec!["typedef sh*"], "shape_t", 0),
        (vec!["union sh*"], "", 1),
        (vec!["typedef early"], "early", 0),
        (vec!["typedef e*", "--size", "16"], "early", 0),
        (vec!["struct r*", "--size", "104"], "room", 0),
        (vec!["typedef r*", "--size", "104"], "", 1),
        (vec!["/^(shape|other)$/"], "other shape", 0),
        (vec!["--has", "inside"], "shape", 0),
        (vec!["--has", "x"], "point unnamed_t", 0),
        (vec!["--size", "0x8", "p*"], "point", 0),
        (vec!["--align", "1", "t*"], "tight", 0),
        (vec!["--align", "8", "--size", "32"], "shape", 0),
        // Aligned to two, or to one if it were packed: the debug info does not say.
        (vec!["--align", "1", "u*"], "", 1),
        (vec!["--align", "2", "u*"], "", 1),
        (vec!["--seen", "0:2", "--seen", "4:4", "po*"], "point", 0),
        // An element of an array, and an element's member: room is 3 shapes of 32 bytes and a pointer.
        (vec!["--seen", "8:2", "--seen", "16:8", "s*"], "shape shape_t", 0),
        (vec!["--seen", "0x44:4", "--seen", "96:8"], "room", 0),
        (vec!["--seen", "8:4"], "other", 0),
        (vec!["--seen", "1:4"], "", 1),
        (vec!["--holds", "struct point"], "early late room shape", 0),
        (vec!["--holds", "point"], "early late room shape", 0),
        (vec!["--holds", "unnamed_t"], "other", 0),
        (vec!["--part-of", "struct room"], "point shape", 0),
        (vec!["--points-to", "struct shape"], "other shape", 0),
        (vec!["--points-to", "struct shape", "o*r"], "other", 0),
        (vec!["--points-to", "struct other"], "room", 0),
        (vec!["--points-to", "const struct other *"], "room", 0),
        // As C writes it.
        (vec!["const struct point"], "point", 0),
        (vec!["struct point *"], "point", 0),
        (vec!["  struct\tpoint const * "], "point", 0),
        (vec![" point "], "point", 0),
        (vec!["--like", "const struct pionts *"], "point", 0),
        (vec!["--like", "pionts"], "point", 0),
        (vec!["--like", "room"], "room", 0),
        (vec!["--like", "struct pionts"], "point", 0),
        (vec!["--size", "16", "--points-to", "early"], "early", 0),
        (vec!["--seen", "8"], "", 2),
        (vec!["*", "--limit", "1", "--has", "x"], "point", 0),
        (vec![], "", 2),
        (vec!["/(/"], "", 2),
        (vec!["[z"], "", 2),
    ] {
        assert_eq!(names(&arguments), (expected.to_owned(), status), "{arguments:?}");
    }
    let run = home.run(&["find", "--binary", binary, "*t", "--has", "x"]);
    assert!(run.stdout.starts_with("struct point  8 bytes, "), "{}", run.stdout);
    assert!(run.stdout.contains("\nunnamed_t  4 bytes, "), "{}", run.stdout);
    let functions = |role: &str, of: &str| home.run(&["find", "--binary", binary, role, of]).stdout;
    let places = Regex::new(r"  \S+:\d+\n").unwrap();
    for (role, of, expected) in [
        (
            "--takes",
            "struct shape",
            "int area(const shape_t *, int)|void grow(struct shape (*)[2])",
        ),
        ("--takes", "shape_t", "int area(const shape_t *, int)"),
        ("--takes", "struct room", ""),
        ("--returns", "struct room", "struct room *enter(void)"),
        ("--returns", "int", "int area(const shape_t *, int)|int hidden(struct point)"),
    ] {
        let found = functions(role, of);
        assert_eq!(places.replace_all(&found, "|").trim_end_matches('|'), expected, "{role} {of}");
    }
    let mistyped = home.run(&["find", "--binary", binary, "piont"]);
    assert_eq!((mistyped.stdout.as_str(), mistyped.status), ("", 1));
    assert!(mistyped.stderr.contains("did you mean point?"), "{}", mistyped.stderr);
    let mistyped = home.run(&["find", "--binary", binary, "struct piont"]);
    assert!(mistyped.stderr.contains("did you mean point?"), "{}", mistyped.stderr);
    let nothing = home.run(&["find", "--binary", binary, "--size", "4321"]);
    assert_eq!((nothing.stdout.as_str(), nothing.status), ("", 1));
    assert!(nothing.stderr.ends_with("no type is as asked\n"), "{}", nothing.stderr);
}

#[test]
fn diff_says_what_has_changed_and_what_that_does_to_others() {
    let home = Home::new();
    let old = home.compile(
        "old",
        "enum colour { RED, GREEN = 5, BLUE };
         struct point { int x, y; };
         struct box { struct point a, b; int depth; };
         struct list { struct box *first; struct point at; unsigned low : 3, high : 5; };
         struct gone { int x; }; struct same { int x; };
         enum colour c; struct list l; struct gone g; struct same s; struct box b;",
    );
    let new = home.compile(
        "new",
        "enum colour { RED, GREEN = 6, WHITE };
         struct point { int x; long y; int z; };
         struct box { struct point a, b; int depth; };
         struct list { struct box *first; struct point at; unsigned low : 4, high : 5; };
         struct come { int x; }; typedef struct same same; struct same { int x; };
         enum colour c; struct list l; struct come g; struct same s; struct box b;",
    );
    let (old, new) = (old.to_str().unwrap(), new.to_str().unwrap());
    let run = home.run(&["diff", old, new]);
    // `int`, `long int` and `unsigned int` are no structs. By hand from the x86-64 psABI.
    let expected = "\
+ struct come  4 bytes
- struct gone  4 bytes
enum colour  4 bytes
      GREEN  = 5 → 6
    + WHITE  = 7
    - BLUE  = 6
struct box  20 → 56 bytes
      a  8 bytes → 24 bytes
      b  at 8 → 24, 8 bytes → 24 bytes
      depth  at 16 → 48
    holds struct point
struct list  24 → 40 bytes
      at  8 bytes → 24 bytes
      low  at bit 128 → bit 256, 3 bits → 4 bits
      high  at bit 131 → bit 260
    holds struct point
struct point  8 → 24 bytes
      y  at 4 → 8, 4 bytes → 8 bytes, int → long int
    + z  int at 16, 4 bytes
    held by struct box, struct list
4 types changed, 1 added, 1 removed, 1 as before
";
    // A type's lines are indented below it.
    let blocks = |text: &str| {
        let mut blocks: Vec<String> = Vec::new();
        for line in text.lines() {
            match (line.starts_with("  "), blocks.last_mut()) {
                (true, Some(block)) => block.push_str(&format!("\n{line}")),
                _ => blocks.push(line.to_owned()),
            }
        }
        blocks.sort();
        blocks
    };
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert_eq!(blocks(&run.stdout), blocks(expected), "{}", run.stdout);
    // One type: all that is in it, too.
    let one = home.run(&["diff", old, new, "struct", "box"]).stdout;
    assert!(one.contains("      a.y  at 4 → 8, 4 bytes → 8 bytes, int → long int\n"), "{one}");
    assert!(one.contains("    + b.z  int at"), "{one}");
    // And what that does to the types it is part of.
    let point = home.run(&["diff", old, new, "struct", "point"]).stdout;
    let expected = "\
struct point  8 → 24 bytes
      y  at 4 → 8, 4 bytes → 8 bytes, int → long int
    + z  int at 16, 4 bytes
    held by struct box, struct list
struct box  20 → 56 bytes
      a  8 bytes → 24 bytes
      b  at 8 → 24, 8 bytes → 24 bytes
      depth  at 16 → 48
    holds struct point
struct list  24 → 40 bytes
      at  8 bytes → 24 bytes
      low  at bit 128 → bit 256, 3 bits → 4 bits
      high  at bit 131 → bit 260
    holds struct point
3 types changed, 0 added, 0 removed, 0 as before
";
    assert_eq!(point, expected);
    let none = home.run(&["diff", old, new, "struct nowhere"]);
    assert_eq!(none.status, 1);
    let same = home.run(&["diff", old, old]);
    assert_eq!(same.stdout, "0 types changed, 0 added, 0 removed, 6 as before\n");
}

/// What has no name is told where it is declared: nowhere else could it be.
#[test]
fn diff_looks_into_arrays_and_behind_pointers_of_what_has_no_name() {
    let home = Home::new();
    let source = |inner: &str, point: &str| {
        format!(
            "struct point {{ {point} }}; typedef struct {{ {inner} }} named;
             struct s {{ struct {{ int x; struct {{ {inner} }} in[2][3]; }} at[4]; struct {{ {inner} }} *to, *too;
                        struct {{ {inner} }} *many[2]; union {{ {inner} }} few[2]; struct point points[2];
                        named own[2]; named *far; struct point *away; struct s *next; struct {{ {inner} }} rest[]; }} g;"
        )
    };
    let old = home.compile("old", &source("short a, b;", "short c, d;"));
    let new = home.compile("new", &source("short b, a;", "short d, c;"));
    let (old, new) = (old.to_str().unwrap(), new.to_str().unwrap());
    let all = home.run(&["diff", old, new]).stdout;
    let moved = |line: &str, old: usize, new: usize| format!("      {line}  at {old} → {new}\n");
    // By hand from the x86-64 psABI: an element of `at` has 28 bytes, `points` is at 148, `own` at 156.
    let unnamed =
        [("at[].in[][].", 4), ("to->", 0), ("too->", 0), ("many[]->", 0), ("rest[].", 192)];
    let unnamed = unnamed.map(|(path, at)| {
        moved(&format!("{path}b"), at + 2, at) + &moved(&format!("{path}a"), at, at + 2)
    });
    assert!(all.contains(&format!("struct s  192 bytes\n{}", unnamed.concat())), "{all}");
    assert!(!all.contains("points[]") && !all.contains("away") && !all.contains("next"), "{all}");
    assert!(!all.contains("own") && !all.contains("few") && !all.contains("far"), "{all}");
    // Of the type asked for all is told that is in its bytes.
    let one = home.run(&["diff", old, new, "struct", "s"]).stdout;
    for line in [moved("points[].d", 150, 148), moved("own[].a", 156, 158)] {
        assert!(one.contains(&line), "{line} {one}");
    }
    assert!(!one.contains("away") && !one.contains("far"), "{one}");
}

#[test]
fn diff_looks_into_arrays_that_have_a_name() {
    let home = Home::new();
    let source = |inner: &str| {
        format!(
            "struct point {{ {inner} }}; typedef struct point pair[2]; typedef struct {{ {inner} }} row[3];
             typedef row *rows; struct s {{ pair own; const row one, two[2]; rows far; }} g;"
        )
    };
    let old = home.compile("old", &source("short a, b;"));
    let new = home.compile("new", &source("short b; short c;"));
    let (old, new) = (old.to_str().unwrap(), new.to_str().unwrap());
    let told = home.run(&["diff", old, new, "struct", "s"]).stdout;
    for path in ["own[].", "one[].", "two[][]."] {
        assert!(told.contains(&format!("    + {path}c")), "{path} {told}");
    }
    assert!(!told.contains("far"), "{told}");
}

#[test]
fn diff_looks_behind_pointers_to_arrays_and_pointers_and_at_enums_without_a_name() {
    let home = Home::new();
    let source = |inner: &str, on: &str| {
        format!(
            "enum named {{ UP = {on} }}; typedef struct {{ {inner} }} known;
             struct s {{ struct {{ {inner} }} (*rows)[4], **far, *(*both)[2][3]; known **own; enum named up;
                        enum {{ OFF, ON = {on} }} state, states[2], *seen; struct s **next; }} g;"
        )
    };
    let old = home.compile("old", &source("short a, b;", "1"));
    let new = home.compile("new", &source("short b, a;", "2"));
    let (old, new) = (old.to_str().unwrap(), new.to_str().unwrap());
    let moved = |path: &str| format!("      {path}b  at 2 → 0\n      {path}a  at 0 → 2\n");
    let structs = ["(*rows)[].", "(*far)->", "(*both)[][]->"].map(moved).concat();
    let enums =
        ["state.", "states[].", "seen->"].map(|path| format!("      {path}ON  = 1 → 2\n")).concat();
    for asked in [&["diff", old, new][..], &["diff", old, new, "struct", "s"]] {
        let told = home.run(asked).stdout;
        assert!(told.contains(&format!("struct s  64 bytes\n{structs}{enums}")), "{told}");
        assert!(
            !told.contains("own)") && !told.contains("next") && !told.contains("up."),
            "{told}"
        );
    }
}

#[test]
fn diff_does_not_call_as_before_what_it_has_not_compared() {
    let home = Home::new();
    let arrays = |inner: &str| {
        (0..16_385).map(|number| format!("struct {{ {inner} }} q{number}[1];")).collect::<String>()
    };
    let source =
        |inner: &str| format!("struct s {{ {} }} g; struct t {{ int x; }} h;", arrays(inner));
    let (old, new) =
        (home.compile("old", &source("int x;")), home.compile("new", &source("int y;")));
    let (old, new) = (old.to_str().unwrap(), new.to_str().unwrap());
    let same = home.run(&["diff", old, old]).stdout;
    let why =
        "q16384  not compared in full: it is too much; what follows was not looked into either";
    let summary = "0 types changed, 0 added, 0 removed, 1 not compared in full, 1 as before";
    assert_eq!(same, format!("struct s  65540 bytes\n      {why}\n{summary}\n"));
    let json = home.run(&["diff", old, old, "--json"]).stdout;
    assert!(json.contains("\"not_compared\""), "{json}");
    let changed = home.run(&["diff", old, new]).stdout;
    assert!(changed.contains(why), "{changed}");
    assert!(changed.ends_with("1 type changed, 0 added, 0 removed, 1 as before\n"), "{changed}");
}

#[test]
fn index_reads_ahead() {
    let home = Home::new();
    let library = library(&home);
    let run = home.run(&["index", library.to_str().unwrap()]);
    assert_eq!(run.status, 0, "{}", run.stderr);
    assert!(run.stdout.ends_with(" types in 1 units\n"), "{}", run.stdout);
    let kept: Vec<_> =
        std::fs::read_dir(home.path().join("cache/dbgmate/index")).unwrap().collect();
    assert_eq!(kept.len(), 1);
    let missing = home.run(&["index", "/bin/sh-that-is-not-there"]);
    assert_eq!(missing.status, 1);
}
