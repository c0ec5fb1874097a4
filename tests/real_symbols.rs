//! Random addresses of real binaries, looked up by us and by the crate addr2line.
//!
//! `DBGMATE_SYMBOLS_SEED` draws other addresses; `cargo test --test real_symbols -- --ignored` takes
//! every function's first and last byte too. tests/real/symbols_oracle.py asks llvm-symbolizer.

#![allow(clippy::unwrap_used)]

mod tools;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use dbgmate::address::FileAddress;
use dbgmate::binary::{Binary, DebugSources};
use dbgmate::dwarf::DebugFile;
use dbgmate::job::Job;
use dbgmate::symbols::{Reference, Symbols, words};

/// How many addresses a run draws from each binary.
const SAMPLE: u64 = 10_000;

#[test]
fn ten_thousand_addresses_are_what_addr2line_says() {
    let Some(testbed) = tools::testbed() else { return };
    let names = [
        "debug/libxenlight.so",
        "debug/libvirt.so",
        "debug/libvirtd",
        "debug/virsh",
        "optimized/libxenlight.so",
        "programs/inventory",
        "programs/shapes",
        "programs/toolstack",
    ];
    for name in names {
        let file = DebugFileAt::open(&testbed.join(name));
        file.compare(&file.drawn());
    }
    let debug = testbed.join("libc/usr/lib/debug");
    let sources = DebugSources { directories: vec![debug], ..DebugSources::default() };
    let libc = DebugFileAt::open_with(&found(&testbed.join("libc"), "libc.so.6"), &sources);
    libc.compare(&libc.drawn());
    let shim = DebugFileAt::open(&found(&testbed.join("xen-dbg"), "xen-shim-syms"));
    shim.compare(&shim.drawn());
}

/// llvm-symbolizer and addr2line too, where the tables of the file do not show why they differ.
#[test]
fn other_symbolizers_differ_only_for_known_reasons() {
    let Some(testbed) = tools::testbed() else { return };
    if !tools::have(&["python3", "llvm-symbolizer", "addr2line", "c++filt", "eu-unstrip"]) {
        return;
    }
    let status = Command::new("tests/real/symbols_oracle.py")
        .args(["--dbgmate", env!("CARGO_BIN_EXE_dbgmate"), "--count", "500"])
        .env("DBGMATE_TESTBED", testbed)
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
}

#[test]
#[ignore = "every function of every binary: some minutes"]
fn every_function_starts_and_ends_where_addr2line_says() {
    let Some(testbed) = tools::testbed() else { return };
    let mut files: Vec<PathBuf> = ["debug", "optimized", "programs"]
        .into_iter()
        .flat_map(|folder| fs::read_dir(testbed.join(folder)).into_iter().flatten())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file() && !path.is_symlink())
        .collect();
    files.push(testbed.join("vmlinux"));
    for path in files.into_iter().filter(|path| is_program(path)) {
        let file = DebugFileAt::open(&path);
        file.compare(&file.drawn());
        file.compare(&file.bounds_of_functions());
    }
}

/// Debug info that is apart, shared out or behind a link says what it said before.
#[test]
fn debug_info_as_distributions_ship_it_is_the_same() {
    let Some(testbed) = tools::testbed() else { return };
    for name in ["libxenlight.so.4.17.0", "libvirt.so.0.9000.0", "libvirtd"] {
        let whole = DebugFileAt::open(&testbed.join("debug").join(name));
        let addresses = whole.drawn();
        let expected = whole.in_words(&addresses);
        for shape in ["split", "dwz", "debuglink"] {
            let folder = testbed.join(shape);
            let directories = vec![folder.join("lib/debug")];
            let sources = DebugSources { directories, ..DebugSources::default() };
            let file = DebugFileAt::open_with(&folder.join(name), &sources);
            assert_ne!(file.file.binary().debug_info().unwrap().path(), file.path, "{shape}");
            assert_eq!(file.file.missing(), None, "{shape}");
            let words = file.in_words(&addresses);
            for ((address, ours), theirs) in addresses.iter().zip(&words).zip(&expected) {
                assert_eq!(ours, theirs, "{address:#x} of {name} in {shape}");
            }
        }
    }
}

/// The file of that name somewhere below a folder.
fn found(folder: &Path, name: &str) -> PathBuf {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else if path.file_name().is_some_and(|other| other == name) {
                return path;
            }
        }
    }
    panic!("no {name} below {}", folder.display());
}

/// A binary that has debug info.
struct DebugFileAt {
    path: PathBuf,
    file: DebugFile,
}

impl DebugFileAt {
    fn open(path: &Path) -> DebugFileAt {
        DebugFileAt::open_with(path, &DebugSources::default())
    }

    fn open_with(path: &Path, sources: &DebugSources) -> DebugFileAt {
        let binary = Binary::open(&Job::new(), path, sources).unwrap();
        DebugFileAt { path: path.to_owned(), file: DebugFile::new(Arc::new(binary)) }
    }

    /// Anywhere in the code, not only where instructions start.
    fn drawn(&self) -> Vec<u64> {
        let segments: Vec<_> = self.file.binary().identity().segments.clone();
        let code: Vec<_> = segments.into_iter().filter(|segment| segment.executable).collect();
        let size: u64 = code.iter().map(|segment| segment.file_size).sum();
        let seed =
            env::var("DBGMATE_SYMBOLS_SEED").map_or(20_121_109, |seed| seed.parse().unwrap());
        let mut random = Random(seed);
        let place = |mut offset: u64| {
            for segment in &code {
                if offset < segment.file_size {
                    return segment.address.0 + offset;
                }
                offset -= segment.file_size;
            }
            unreachable!("the offset is below the size of all")
        };
        (0..SAMPLE).map(|_| place(random.below(size))).collect()
    }

    fn bounds_of_functions(&self) -> Vec<u64> {
        let (view, mut bounds) = (self.file.view(), Vec::new());
        for start in self.file.unit_starts() {
            let (entries, root) = view.entries(start).unwrap();
            let ranges = entries.ranges(&root.extent, |range| {
                bounds.extend([range.begin, range.end - 1]);
            });
            ranges.unwrap();
        }
        bounds
    }

    /// What is at each address.
    fn in_words(&self, addresses: &[u64]) -> Vec<String> {
        let symbols = Symbols::new();
        let lookup = symbols.lookup(&self.file);
        let at = |address: &u64| {
            let frames = lookup.frames(&Job::new(), FileAddress(*address)).unwrap();
            words(frames.into_iter().flatten())
        };
        addresses.iter().map(at).collect()
    }

    fn compare(&self, addresses: &[u64]) {
        let symbols = Symbols::new();
        let (lookup, reference) = (symbols.lookup(&self.file), Reference::new(&self.file).unwrap());
        let mut with_frames = 0;
        for address in addresses {
            let at = FileAddress(*address);
            let frames = lookup.frames(&Job::new(), at).unwrap();
            let ours = words(frames.into_iter().flatten());
            assert_eq!(ours, reference.words(at), "{at} of {}", self.path.display());
            with_frames += usize::from(!ours.is_empty());
        }
        assert!(with_frames * 10 > addresses.len(), "{}", self.path.display());
        assert_eq!(symbols.problem(), None, "{}", self.path.display());
    }
}

fn is_program(path: &Path) -> bool {
    Binary::open(&Job::new(), path, &DebugSources::default())
        .is_ok_and(|binary| binary.debug_info().is_some() && binary.identity().has_code)
}

/// A linear congruential generator, with Knuth's constants for MMIX.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 16) % bound
    }
}
