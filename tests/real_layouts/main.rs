//! Layouts of real binaries compared with those that gdb, pahole, drgn and BTF have, member for member.
//!
//! The names come from readelf, so a type that our index misses fails here as well as one that is read
//! wrong. Without arguments a sample is compared; `DBGMATE_LAYOUT_SEED` draws another one, and
//! `cargo test --test real_layouts -- --ignored` compares every type of every binary, or of the one that
//! `DBGMATE_LAYOUT_BINARY` names, or as many of them as `DBGMATE_LAYOUT_NAMES` says; with `ACCEPT=1` it
//! writes what came of it into docs/correctness.md.

#![allow(clippy::unwrap_used)]

mod agreement;
mod names;
mod oracles;
mod table;
#[path = "../tools/mod.rs"]
mod tools;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agreement::Agreement;
use dbgmate::binary::{Binary, DebugSources};
use dbgmate::dwarf::DebugFile;
use dbgmate::job::Job;
use dbgmate::types::{self, LayoutMatch, Layouts, Question, TypeName};
use names::{Names, Sizes};
use oracles::Oracle;
use rustc_hash::FxHasher;
use table::Row;

/// How many names a run compares of each binary.
const SAMPLE: usize = 400;

/// The binaries that every run draws from: C, C++, Rust.
const SAMPLED: [&str; 4] =
    ["debug/libxenlight.so", "debug/libvirt.so", "programs/shapes", "programs/inventory"];

/// So many differences are shown.
const SHOWN: usize = 1000;

#[test]
fn a_sample_of_names_is_laid_out_as_others_say() {
    let Some(testbed) = tools::testbed() else { return };
    let seed = seed();
    for name in SAMPLED {
        let binary = RealBinary::open(&testbed, Path::new(name));
        let row = binary.compare(&draw(names::of(&binary.path), SAMPLE, seed));
        // gdb has no names for types local to a function; nearly all others must be comparable.
        let same = row.alike(Oracle::Gdb);
        assert!(same >= SAMPLE / 2, "{name}: only {same} with seed {seed}");
    }
}

#[test]
#[ignore = "compares every named type of every binary: minutes, with vmlinux many"]
fn every_name_is_laid_out_as_others_say() {
    let Some(testbed) = tools::testbed() else { return };
    let only = env::var("DBGMATE_LAYOUT_BINARY").ok().map(PathBuf::from);
    let most = env::var("DBGMATE_LAYOUT_NAMES").map_or(usize::MAX, |most| most.parse().unwrap());
    let mut rows = Vec::new();
    for path in only.clone().map_or_else(|| every_binary(&testbed), |one| vec![one]) {
        let binary = RealBinary::open(&testbed, &path);
        let row = binary.compare(&draw(names::of(&binary.path), most, seed()));
        println!("{row}");
        rows.push(row);
    }
    if only.is_none() {
        table::accept(&rows);
    }
}

/// Every file with debug info that is no other build of one.
fn every_binary(testbed: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = Vec::new();
    for folder in ["debug", "programs", "xen-dbg/usr/lib/debug/usr/lib/xen-4.17/boot"] {
        let entries = fs::read_dir(testbed.join(folder)).unwrap().map(Result::unwrap);
        let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
        let names = files.map(|file| file.file_name());
        let mut paths: Vec<PathBuf> = names.map(|name| Path::new(folder).join(name)).collect();
        paths.sort();
        all.extend(paths);
    }
    if testbed.join("vmlinux").is_file() {
        all.push(PathBuf::from("vmlinux"));
    }
    all
}

fn seed() -> u64 {
    match env::var("DBGMATE_LAYOUT_SEED") {
        Ok(seed) => seed.parse().expect("DBGMATE_LAYOUT_SEED is a number"),
        Err(_) => 20_121_109,
    }
}

/// So many names at most, others with another seed.
fn draw(names: Names, most: usize, seed: u64) -> Names {
    let mut names: Vec<(String, Sizes)> = names.into_iter().collect();
    names.sort_by_key(|(name, _)| drawn(seed, name));
    names.truncate(most);
    names.into_iter().collect()
}

/// A place in a shuffled order that depends on nothing but the seed and the name.
fn drawn(seed: u64, name: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write_u64(seed);
    hasher.write(name.as_bytes());
    hasher.finish()
}

struct RealBinary {
    name: String,
    path: PathBuf,
    file: DebugFile,
    layouts: Layouts,
}

impl RealBinary {
    fn open(testbed: &Path, name: &Path) -> RealBinary {
        let path = testbed.join(name);
        let binary = Binary::open(&Job::new(), &path, &DebugSources::default()).unwrap();
        let name = name.file_name().unwrap().to_str().unwrap().to_owned();
        let file = DebugFile::new(Arc::new(binary));
        RealBinary { name, path, file, layouts: Layouts::default() }
    }

    /// Compares every name with all that are here to say something, and fails with what differs.
    fn compare(&self, names: &Names) -> Row {
        let ask = |oracle: Oracle| oracle.ask(&self.path, names.keys().map(String::as_str));
        let mut answers: Vec<_> = Oracle::present().into_iter().map(ask).collect();
        let mut row = Row::new(&self.name);
        let mut different = Vec::new();
        for (name, sizes) in names {
            let ours = self.ours(name);
            row.definitions += sizes.values().sum::<usize>();
            // A typedef has no size of its own, and one of a declaration leads to nothing.
            if !name.starts_with("typedef ") && our_sizes(&ours) != *sizes {
                let ours = our_sizes(&ours);
                different.push(format!("{name}: readelf counts {sizes:?} by size, we {ours:?}"));
            }
            let layouts: Vec<_> = ours.into_iter().map(|found| found.layout).collect();
            for answers in &mut answers {
                let agreement = agreement::compare(answers.oracle, &layouts, &answers.next());
                if let Agreement::Different(how) = &agreement {
                    different.push(format!("{name}: {}\n{how}", answers.oracle));
                }
                row.count(answers.oracle, &agreement);
            }
        }
        answers.into_iter().for_each(oracles::Answers::end);
        let count = different.len();
        different.truncate(SHOWN);
        let path = self.path.display();
        assert_eq!(count, 0, "{path}: {count} differ\n{}\n{row}", different.join("\n"));
        row
    }

    fn ours(&self, name: &str) -> Vec<LayoutMatch> {
        let (keyword, name) = name.split_once(' ').unwrap();
        let name = TypeName::parse(&format!("{keyword} ::{name}")).unwrap();
        let question = Question { name: &name, path: None, language: None, threads: 2 };
        let found = types::find(&Job::new(), &self.file, &question)
            .unwrap_or_else(|error| panic!("{keyword} {name}: {error:?}"));
        // What the names before have shown of its members' types makes no difference.
        let knowing = self.layouts.find_anew(&Job::new(), &self.file, &question);
        assert_eq!(knowing.as_ref(), Ok(&found), "{keyword} {name}");
        found
    }
}

fn our_sizes(ours: &[LayoutMatch]) -> Sizes {
    let mut sizes: Sizes = BTreeMap::new();
    for found in ours {
        *sizes.entry(found.layout.size.known()).or_default() += found.units;
    }
    sizes
}
