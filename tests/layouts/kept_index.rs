//! The index that one process leaves for the next: used when it is of these very bytes, made anew
//! without a word when it is anything else.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dbgmate::binary::{Binary, DebugSources};
use dbgmate::dwarf::{DebugFile, IndexCache};
use dbgmate::job::Job;
use dbgmate::types::{self, Question, TypeName};
use tempfile::TempDir;

use crate::toolchain::{Compiled, GCC, Toolchain};

const SOURCE: &str =
    "struct a { int x; char y; }; struct b { long z[3]; }; struct a g; struct b h;";

const WITH_BUILD_ID: Toolchain = Toolchain {
    program: "gcc",
    flags: &["-shared", "-fPIC", "-nostdlib", "-g", "-Wl,--build-id=0x0123456789abcdef"],
};

const SPLIT: Toolchain =
    Toolchain { program: "gcc", flags: &["-shared", "-fPIC", "-nostdlib", "-g", "-gsplit-dwarf"] };

struct Folder {
    folder: TempDir,
}

impl Folder {
    fn new() -> Folder {
        Folder { folder: tempfile::tempdir().unwrap() }
    }

    /// The size of a type as a new process finds it.
    fn size_of(&self, name: &str, file: &Path) -> Option<u64> {
        self.matches(name, file).first().and_then(|found| found.layout.size.known())
    }

    fn opened(&self, file: &Path) -> DebugFile {
        let binary = Binary::open(&Job::new(), file, &DebugSources::default()).unwrap();
        let cache = IndexCache::new(self.folder.path().to_owned(), 1 << 20);
        DebugFile::with_cache(Arc::new(binary), Some(Arc::new(cache)))
    }

    fn matches(&self, name: &str, file: &Path) -> Vec<types::LayoutMatch> {
        let file = self.opened(file);
        let name = TypeName::parse(name).unwrap();
        let question = Question { name: &name, path: None, language: None, threads: 2 };
        let found = types::find(&Job::new(), &file, &question).unwrap();
        assert_eq!(file.problem(), None);
        assert_eq!(file.indexed().unwrap().problem(), None);
        found
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    /// The only index.
    fn index(&self) -> PathBuf {
        let [index] = self.files().try_into().unwrap();
        index
    }
}

fn compiled() -> Compiled {
    GCC.compile(SOURCE).unwrap()
}

#[test]
fn it_is_left_by_the_first_and_used_by_the_next() {
    let (compiled, folder) = (compiled(), Folder::new());
    assert_eq!(folder.size_of("struct a", compiled.path()), Some(8));
    let index = folder.index();
    // The next one reads it: what it says of a name that is in no file is believed.
    let mut bytes = fs::read(&index).unwrap();
    let at = bytes.windows(4).rposition(|text| text == b"long").unwrap();
    let whole = bytes.clone();
    bytes[at..at + 4].copy_from_slice(b"gnol");
    let checksum = crc32fast::hash(&bytes[16..]);
    bytes[12..16].copy_from_slice(&checksum.to_le_bytes());
    fs::write(&index, &bytes).unwrap();
    assert_eq!(folder.size_of("struct b", compiled.path()), Some(24));
    assert_eq!(fs::read(&index).unwrap(), bytes);
    fs::write(&index, &whole).unwrap();
    for name in ["struct a", "struct b", "struct c"] {
        let size = folder.size_of(name, compiled.path());
        assert_eq!(size, Folder::new().size_of(name, compiled.path()));
    }
    assert_eq!(fs::read(&index).unwrap(), whole);
}

#[test]
fn one_that_was_altered_is_made_anew() {
    let (compiled, folder) = (compiled(), Folder::new());
    assert_eq!(folder.size_of("struct a", compiled.path()), Some(8));
    let index = folder.index();
    let whole = fs::read(&index).unwrap();
    for at in 0..whole.len() {
        let mut altered = whole.clone();
        altered[at] ^= 0x41;
        fs::write(&index, &altered).unwrap();
        assert_eq!(folder.size_of("struct b", compiled.path()), Some(24), "byte {at}");
        assert_eq!(fs::read(&index).unwrap(), whole, "byte {at}");
    }
    for length in 0..whole.len() {
        fs::write(&index, &whole[..length]).unwrap();
        assert_eq!(folder.size_of("struct b", compiled.path()), Some(24), "{length} bytes");
        assert_eq!(fs::read(&index).unwrap(), whole, "{length} bytes");
    }
}

#[test]
fn one_of_another_file_is_made_anew() {
    let (compiled, folder) = (compiled(), Folder::new());
    assert_eq!(folder.size_of("struct a", compiled.path()), Some(8));
    let (other, foreign) = (GCC.compile("struct a { long x[5]; } g;").unwrap(), Folder::new());
    assert_eq!(foreign.size_of("struct a", other.path()), Some(40));
    let whole = fs::read(folder.index()).unwrap();
    fs::copy(foreign.index(), folder.index()).unwrap();
    assert_eq!(folder.size_of("struct a", compiled.path()), Some(8));
    assert_eq!(fs::read(folder.index()).unwrap(), whole);
}

/// Tools that rewrite debug info keep the build-id.
#[test]
fn a_changed_file_with_the_same_build_id_has_another_index() {
    let folder = Folder::new();
    let before = WITH_BUILD_ID.compile("struct a { int x; } g;").unwrap();
    let after = WITH_BUILD_ID.compile("struct a { int x, y; } g;").unwrap();
    for _ in 0..2 {
        assert_eq!(folder.size_of("struct a", before.path()), Some(4));
        assert_eq!(folder.size_of("struct a", after.path()), Some(8));
    }
    let files = folder.files();
    assert_eq!(files.len(), 2, "{files:?}");
    let is_named = |path: &PathBuf| {
        path.file_name().unwrap().to_str().unwrap().starts_with("0123456789abcdef-")
    };
    assert!(files.iter().all(is_named), "{files:?}");
}

#[test]
fn those_who_start_at_once_do_not_disturb_one_another() {
    let (compiled, folder) = (compiled(), Folder::new());
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| {
                for _ in 0..20 {
                    assert_eq!(folder.size_of("struct b", compiled.path()), Some(24));
                    let _ = folder.files().first().map(fs::remove_file);
                }
            });
        }
    });
    assert_eq!(folder.size_of("struct a", compiled.path()), Some(8));
    folder.index();
}

/// A header's type is defined in every unit: which of them differ is found out once.
#[test]
fn what_many_definitions_come_to_is_kept_too() {
    let text = |unit: usize| {
        let last = if unit < 70 { "char y" } else { "long y" };
        format!(
            "struct many {{ int x; {last}; }}; static struct many v; void *f{unit}(void) {{ return &v; }}"
        )
    };
    let names: Vec<String> = (0..80).map(|unit| format!("u{unit}")).collect();
    let texts: Vec<String> = (0..80).map(text).collect();
    let sources: Vec<(&str, &str)> =
        names.iter().map(String::as_str).zip(texts.iter().map(String::as_str)).collect();
    let compiled = GCC.compile_all(&sources).unwrap();
    let folder = Folder::new();
    let first = folder.matches("struct many", compiled.path());
    let units = |found: &[types::LayoutMatch]| -> Vec<usize> {
        found.iter().map(|found| found.units).collect()
    };
    assert_eq!(units(&first), [70, 10]);
    let is_answer = |path: &PathBuf| path.extension().unwrap() == "answer";
    let [answer] =
        folder.files().into_iter().filter(is_answer).collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(folder.matches("struct many", compiled.path()), first);
    // It is what the next one reads.
    let whole = fs::read(&answer).unwrap();
    fs::remove_file(&answer).unwrap();
    let other = folder.matches("many", compiled.path());
    assert_eq!(other, first);
    let [other] =
        folder.files().into_iter().filter(is_answer).collect::<Vec<_>>().try_into().unwrap();
    fs::copy(&other, &answer).unwrap();
    assert_eq!(folder.matches("struct many", compiled.path()), first);
    assert_eq!(fs::read(&answer).unwrap(), whole);
}

/// A .dwo file is rewritten without its skeleton.
#[test]
fn one_of_split_units_is_of_the_files_as_they_are() {
    for flags in [SPLIT.flags, &[SPLIT.flags, &["-fdebug-types-section"]].concat()] {
        let compiled = Toolchain { program: "gcc", flags: flags.to_vec().leak() };
        let (compiled, folder) = (compiled.compile(SOURCE).unwrap(), Folder::new());
        let size = || folder.size_of("struct a", compiled.path());
        assert_eq!(size(), Some(8));
        let kept = folder.files();
        assert_eq!(kept.len(), 2, "{kept:?}");
        // It is what the next one reads, who does not write it again.
        let written = |files: &[PathBuf]| -> Vec<_> {
            files.iter().map(|file| fs::metadata(file).unwrap().ino()).collect()
        };
        assert_eq!((size(), written(&folder.files())), (Some(8), written(&kept)));
        // One that was touched is read again; one that is gone is missing.
        let beside = fs::read_dir(compiled.path().parent().unwrap()).unwrap();
        let is_dwo = |path: &PathBuf| path.extension().is_some_and(|end| end == "dwo");
        let dwo = beside.map(|entry| entry.unwrap().path()).find(is_dwo).unwrap();
        let bytes = fs::read(&dwo).unwrap();
        fs::write(&dwo, &bytes).unwrap();
        assert_eq!(size(), Some(8));
        assert_ne!(written(&folder.files()), written(&kept));
        fs::remove_file(&dwo).unwrap();
        let file = folder.opened(compiled.path());
        assert!(file.index(&Job::new(), 2).unwrap().problem().is_some());
    }
}

/// The types of a package are in units of their own, which no skeleton names.
#[test]
fn one_of_a_package_leads_to_its_type_units() {
    let flags = [SPLIT.flags, &["-gdwarf-4", "-fdebug-types-section"]].concat().leak();
    let compiled = Toolchain { program: "gcc", flags };
    let (compiled, folder) = (compiled.compile(SOURCE).unwrap(), Folder::new());
    let package = compiled.path().with_extension("dwp");
    let mut dwp = std::process::Command::new("dwp");
    dwp.arg("-e").arg(compiled.path()).arg("-o").arg(&package);
    let made = dwp.output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    for entry in fs::read_dir(package.parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "dwo") {
            fs::remove_file(path).unwrap();
        }
    }
    for _ in 0..2 {
        assert_eq!(folder.size_of("struct a", compiled.path()), Some(8));
        assert_eq!(folder.files().len(), 2);
    }
}
