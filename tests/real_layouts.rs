//! Layouts of real libraries compared with gdb's, member for member.
//!
//! The names come from readelf and the layouts from gdb, so a type that our index misses fails here
//! as well as one that is read wrong. Without arguments a sample is compared; `DBGMATE_LAYOUT_SEED`
//! draws another one, and `cargo test --test real_layouts -- --ignored` compares every type.

#![allow(clippy::unwrap_used)]

mod tools;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::hash::Hasher;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use dbgmate::binary::{Binary, DebugSources};
use dbgmate::dwarf::DebugFile;
use dbgmate::job::Job;
use dbgmate::types::{self, LayoutMatch, Member, Question, Size, TypeName};
use rustc_hash::FxHasher;
use serde_json::{Value, json};

/// How many names a run compares of each binary.
const SAMPLE: usize = 400;

/// The binaries that every run draws from.
const SAMPLED: [&str; 2] = ["libxenlight.so", "libvirt.so"];

#[test]
fn a_sample_of_names_is_laid_out_as_gdb_says() {
    let Some(testbed) = tools::testbed() else { return };
    let seed = match env::var("DBGMATE_LAYOUT_SEED") {
        Ok(seed) => seed.parse().expect("DBGMATE_LAYOUT_SEED is a number"),
        Err(_) => 20_121_109,
    };
    for name in SAMPLED {
        let binary = RealBinary::open(&testbed, name);
        let mut names = binary.names();
        names.sort_by_key(|(name, _)| drawn(seed, name));
        names.truncate(SAMPLE);
        let compared = binary.compare(&names);
        // gdb has no names for types local to a function; nearly all others must be comparable.
        assert!(compared.same >= 300, "{name}: only {compared:?} with seed {seed}");
    }
}

#[test]
#[ignore = "compares every named type of every binary: about a minute"]
fn every_name_is_laid_out_as_gdb_says() {
    let Some(testbed) = tools::testbed() else { return };
    let entries = fs::read_dir(testbed.join("debug")).unwrap().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    for name in files.map(|file| file.file_name().into_string().unwrap()) {
        let binary = RealBinary::open(&testbed, &name);
        let compared = binary.compare(&binary.names());
        println!("{name}: {compared:?}");
    }
}

/// A place in a shuffled order that depends on nothing but the seed and the name.
fn drawn(seed: u64, name: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write_u64(seed);
    hasher.write(name.as_bytes());
    hasher.finish()
}

/// The definitions of a name: how many there are of each size, in bytes.
type Sizes = BTreeMap<Option<u64>, usize>;

/// What came of a comparison.
#[derive(Debug, Default)]
struct Compared {
    /// Names that gdb knows, laid out alike.
    same: usize,
    /// Names that gdb cannot look up: types local to a function.
    unknown_to_gdb: usize,
    /// Definitions of all those names, as readelf and we count them.
    definitions: usize,
}

struct RealBinary {
    path: PathBuf,
    file: DebugFile,
}

impl RealBinary {
    fn open(testbed: &Path, name: &str) -> RealBinary {
        let path = testbed.join("debug").join(name);
        let binary = Binary::open(&Job::new(), &path, &DebugSources::default()).unwrap();
        RealBinary { path, file: DebugFile::new(Arc::new(binary)) }
    }

    /// Every named type that readelf shows, with its keyword, and the sizes of its definitions.
    fn names(&self) -> Vec<(String, Sizes)> {
        let mut readelf = Command::new("readelf")
            .args(["--wide", "--debug-dump=info"])
            .arg(&self.path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(readelf.stdout.take().unwrap()).lines();
        let names = readelf_names(lines.map(Result::unwrap));
        assert!(readelf.wait().unwrap().success());
        assert!(!names.is_empty(), "readelf shows no types");
        names.into_iter().collect()
    }

    /// Compares every name, and fails with all that differ.
    fn compare(&self, names: &[(String, Sizes)]) -> Compared {
        let answers = ask_gdb(&self.path, names.iter().map(|(name, _)| name.as_str()));
        let mut compared = Compared::default();
        let mut different = Vec::new();
        for ((name, sizes), theirs) in names.iter().zip(answers) {
            let ours = self.ours(name);
            compared.definitions += sizes.values().sum::<usize>();
            // A typedef has no size of its own, and one of a declaration leads to nothing.
            if !name.starts_with("typedef ") && our_sizes(&ours) != *sizes {
                let ours = our_sizes(&ours);
                different.push(format!("{name}: readelf counts {sizes:?} by size, we {ours:?}"));
            }
            if theirs.is_null() {
                compared.unknown_to_gdb += 1;
            } else if ours.iter().any(|found| same(&found.layout, &theirs)) {
                compared.same += 1;
            } else {
                different.push(difference(name, &ours, &theirs));
            }
        }
        let count = different.len();
        let path = self.path.display();
        assert_eq!(count, 0, "{path}: {count} differ\n{}", different.join("\n"));
        compared
    }

    fn ours(&self, name: &str) -> Vec<LayoutMatch> {
        let name = TypeName::parse(name).unwrap();
        let question = Question { name: &name, path: None, language: None, threads: 2 };
        types::find(&Job::new(), &self.file, &question).unwrap()
    }
}

fn our_sizes(ours: &[LayoutMatch]) -> Sizes {
    let mut sizes = Sizes::new();
    for found in ours {
        *sizes.entry(found.layout.size.known()).or_default() += found.units;
    }
    sizes
}

/// Reads `readelf --debug-dump=info`: ` <1><2d>: Abbrev Number: 2 (DW_TAG_base_type)`, then lines
/// ` <2e>   DW_AT_name        : (indirect string, offset: 0x15199): __uint8_t`, or `(string) tm`.
fn readelf_names(lines: impl Iterator<Item = String>) -> BTreeMap<String, Sizes> {
    let mut names: BTreeMap<String, Sizes> = BTreeMap::new();
    let mut current: Option<(&str, Option<String>, Option<u64>)> = None;
    for line in lines.chain([" Abbrev Number: 0".to_owned()]) {
        if line.contains("Abbrev Number:") {
            if let Some((keyword, Some(name), size)) = current.take() {
                let sizes = names.entry(format!("{keyword} {name}")).or_default();
                *sizes.entry(size).or_default() += 1;
            }
            let tag = line.split_once("(DW_TAG_").map_or("", |(_, tag)| tag.trim_end_matches(')'));
            let keyword = match tag {
                "structure_type" => Some("struct"),
                "union_type" => Some("union"),
                "enumeration_type" => Some("enum"),
                "typedef" => Some("typedef"),
                _ => None,
            };
            current = keyword.map(|keyword| (keyword, None, None));
        } else if line.contains("DW_AT_declaration") {
            current = None;
        } else if let Some((_, name, size)) = &mut current {
            let value = |attribute| Some(line.split_once(attribute)?.1.split_once(": ")?.1.trim());
            if let Some(text) = value("DW_AT_name") {
                let text = text.split_once("): ").map_or(text, |(_, text)| text);
                *name = Some(text.trim_start_matches("(string) ").to_owned());
            } else if let Some(text) = value("DW_AT_byte_size") {
                let digits = text.split_whitespace().last().unwrap();
                *size = Some(digits.parse().unwrap());
            }
        }
    }
    names
}

/// What gdb says of each name, in order; null where it knows none.
fn ask_gdb<'n>(binary: &Path, names: impl Iterator<Item = &'n str>) -> Vec<Value> {
    let names: Vec<&str> = names.collect();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real/gdb_layouts.py");
    let mut gdb = Command::new("gdb")
        .args(["-nx", "-batch", "-x", script])
        .arg(binary)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("gdb is installed: apt install gdb");
    let mut stdin = gdb.stdin.take().unwrap();
    let text = names.join("\n");
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()).unwrap());
    let output = gdb.wait_with_output().unwrap();
    writer.join().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), names.len(), "gdb answered only some of the names");
    answers
}

fn same(ours: &types::Layout, theirs: &Value) -> bool {
    shown(ours) == *theirs
}

/// The lines of two layouts that are not in both, of our match that is most like theirs.
fn difference(name: &str, ours: &[LayoutMatch], theirs: &Value) -> String {
    let theirs = lines(theirs);
    let compare = |found: &LayoutMatch| {
        let ours = lines(&shown(&found.layout));
        let less =
            theirs.iter().filter(|line| !ours.contains(line)).map(|line| format!("  gdb  {line}"));
        let more =
            ours.iter().filter(|line| !theirs.contains(line)).map(|line| format!("  ours {line}"));
        less.chain(more).collect::<Vec<String>>()
    };
    match ours.iter().map(compare).min_by_key(Vec::len) {
        Some(lines) => format!("{name}:\n{}", lines.join("\n")),
        None => format!("{name}: we know none"),
    }
}

/// A layout with a line a member.
fn lines(layout: &Value) -> Vec<String> {
    let mut lines =
        vec![format!("{} {} {}", layout["kind"], layout["size"], layout["enumerators"])];
    let mut rest: Vec<&Value> = vec![layout];
    while let Some(value) = rest.pop() {
        for member in value["members"].as_array().into_iter().flatten() {
            let field = |name: &str| member[name].to_string();
            let line = ["bit_offset", "bit_size", "size", "type", "name"].map(field).join(" ");
            lines.push(line);
            rest.push(member);
        }
    }
    lines
}

/// A layout as tests/real/gdb_layouts.py writes it.
fn shown(layout: &types::Layout) -> Value {
    let enumerators = layout.enumerators.iter();
    json!({
        "kind": layout.kind.name(),
        // A function has no size; gdb counts it, and `void`, as one byte.
        "size": layout.size.known().unwrap_or(1),
        "members": members(&layout.members),
        "enumerators": enumerators
            .map(|enumerator| json!([enumerator.name, enumerator.value.to_string()]))
            .collect::<Vec<_>>(),
    })
}

fn members(all: &[Member]) -> Vec<Value> {
    let shown = |member: &Member| {
        let bit_offset = match member.bits {
            Some(bits) => Some(bits.offset),
            None => member.offset.map(|offset| offset * 8),
        };
        json!({
            "name": member.name,
            "type": shorter(&member.type_name),
            "bit_offset": bit_offset,
            "bit_size": member.bits.map_or(0, |bits| bits.size),
            "size": bytes(member.size, &member.type_name),
            "members": members(&member.members),
        })
    };
    all.iter().map(shown).collect()
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

/// gdb has no unknown sizes: an array without a bound takes 0 bytes.
fn bytes(size: Size, type_name: &str) -> Option<u64> {
    match size {
        Size::Dynamic if type_name.contains("[]") => Some(0),
        size => size.known(),
    }
}
