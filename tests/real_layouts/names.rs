//! Every named type of a binary, as readelf lists the entries: the names that all are asked for, and how
//! many definitions of which size each has.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// The definitions of a name: how many there are of each size, in bytes.
pub(crate) type Sizes = BTreeMap<Option<u64>, usize>;

/// A name with its keyword and its scope, `struct ns::foo`, and its definitions.
pub(crate) type Names = BTreeMap<String, Sizes>;

/// Every named type that readelf shows.
pub(crate) fn of(binary: &Path) -> Names {
    let mut readelf = Command::new("readelf")
        .args(["--wide", "--debug-dump=info"])
        .arg(binary)
        .env("LC_ALL", "C")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::with_capacity(1 << 20, readelf.stdout.take().unwrap());
    let mut reader = Reader::default();
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).unwrap() > 0 {
        reader.line(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
    reader.end_entry();
    assert!(readelf.wait().unwrap().success());
    assert!(!reader.names.is_empty(), "readelf shows no types");
    reader.names
}

/// Reads `readelf --debug-dump=info`: ` <1><2d>: Abbrev Number: 2 (DW_TAG_base_type)`, then lines
/// ` <2e>   DW_AT_name        : (indirect string, offset: 0x15199): __uint8_t`, or `(string) tm`.
#[derive(Default)]
struct Reader {
    names: Names,
    entry: Entry,
    /// Of the entries around, by depth, what they add to names; none where nothing.
    scopes: Vec<Option<String>>,
    /// The scoped names of entries that are only declared: others say the rest of them.
    declared: HashMap<u64, String>,
}

/// A number as readelf prints them: those of four or eight bytes in hexadecimal.
fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// An entry as far as it was read.
#[derive(Default)]
struct Entry {
    depth: usize,
    offset: u64,
    tag: String,
    name: Option<String>,
    size: Option<u64>,
    is_declared: bool,
    specifies: Option<u64>,
}

impl Reader {
    fn line(&mut self, line: &str) {
        if let Some((place, tag)) = line.split_once(": Abbrev Number: ") {
            self.end_entry();
            let Some((_, tag)) = tag.split_once("(DW_TAG_") else { return };
            let mut numbers = place.split(['<', '>']).filter(|part| !part.trim().is_empty());
            let (depth, offset) = (numbers.next().unwrap(), numbers.next().unwrap());
            self.entry.depth = depth.parse().unwrap();
            self.entry.offset = u64::from_str_radix(offset, 16).unwrap();
            self.entry.tag = tag.trim_end_matches(')').to_owned();
        } else if let Some((_, attribute)) = line.split_once("DW_AT_") {
            self.attribute(attribute);
        }
    }

    fn attribute(&mut self, text: &str) {
        let entry = &mut self.entry;
        let Some((name, value)) = text.split_once(':') else { return };
        let value = value.trim();
        match name.trim_end() {
            "name" => {
                let text = value.split_once("): ").map_or(value, |(_, text)| text);
                entry.name = Some(text.trim_start_matches("(string) ").to_owned());
            }
            "byte_size" => entry.size = number(value.split_whitespace().last().unwrap()),
            "declaration" => entry.is_declared = true,
            "specification" => {
                let place = value.split_once("<0x").unwrap().1.split_once('>').unwrap().0;
                entry.specifies = Some(u64::from_str_radix(place, 16).unwrap());
            }
            _ => {}
        }
    }

    /// What was read of an entry becomes a definition, and a scope of those in it.
    fn end_entry(&mut self) {
        let entry = std::mem::take(&mut self.entry);
        if entry.tag.is_empty() {
            return;
        }
        self.scopes.truncate(entry.depth);
        let (keyword, is_scope) = match entry.tag.as_str() {
            "structure_type" | "class_type" => (Some("struct"), true),
            "union_type" => (Some("union"), true),
            "enumeration_type" => (Some("enum"), true),
            "typedef" => (Some("typedef"), false),
            "namespace" => (None, true),
            _ => (None, false),
        };
        let declared = entry.specifies.and_then(|at| self.declared.get(&at).cloned());
        let scoped = match (&declared, &entry.name) {
            (Some(scoped), _) => Some(scoped.clone()),
            (None, Some(name)) => Some(self.scoped(name)),
            (None, None) => None,
        };
        if let (true, Some(scoped)) = (entry.is_declared, &scoped) {
            self.declared.insert(entry.offset, scoped.clone());
        }
        if let (Some(keyword), Some(scoped), false) = (keyword, scoped, entry.is_declared) {
            let sizes = self.names.entry(format!("{keyword} {scoped}")).or_default();
            *sizes.entry(entry.size).or_default() += 1;
        }
        self.scopes.resize(entry.depth, None);
        self.scopes.push(entry.name.filter(|_| is_scope));
    }

    fn scoped(&self, name: &str) -> String {
        let around = self.scopes.iter().flatten().map(String::as_str);
        around.chain([name]).collect::<Vec<_>>().join("::")
    }
}
