//! Sound binaries, damaged at random: every question must be answered or refused, never panicked at,
//! and soon.
//!
//! `DBGMATE_MUTANTS` is how many are tried, `DBGMATE_MUTANT_SEED` where they start; a failure names
//! the seed that makes it again alone.

use std::env;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use dbgmate::address::FileAddress;
use dbgmate::api::binary::BinaryRef;
use dbgmate::api::layout::{LayoutForm, OffsetsOfMethod, OffsetsOfRequest};
use dbgmate::api::symbols::{
    ResolveMethod, ResolveRequest, SymbolizeMethod, SymbolizeRequest, TraceForm,
};
use dbgmate::config::Config;
use dbgmate::engine::{Answer, Engine};
use dbgmate::error::{Error, Kind};
use dbgmate::job::Job;
use object::{Object, ObjectSection};

use super::ask::{Files, SHARED, SOURCE};

/// How many mutants an ordinary run tries.
const MUTANTS: u64 = 2000;

/// No mutant may take longer, on the busiest of machines; most take a few milliseconds.
const SLOW: Duration = Duration::from_secs(60);

/// What the binaries are compiled with: the forms that are read by ways of their own.
const WAYS: [&[&str]; 6] = [
    SHARED,
    &["-c", "-gdwarf-2", "-gstrict-dwarf"],
    &["-c", "-gdwarf-4", "-fdebug-types-section"],
    &["-c", "-gdwarf-5", "-fdebug-types-section"],
    &["-m32", "-c", "-gdwarf-3", "-gstrict-dwarf"],
    &["-shared", "-fPIC", "-nostdlib", "-g", "-gz=zlib"],
];

#[test]
fn mutants_are_answered_or_refused() {
    let number = |name: &str, default| match env::var(name) {
        Ok(text) => text.parse().expect(name),
        Err(_) => default,
    };
    let (count, first) = (number("DBGMATE_MUTANTS", MUTANTS), number("DBGMATE_MUTANT_SEED", 0));
    let files = Files::new();
    let sound: Vec<Sound> = WAYS.iter().map(|flags| Sound::compile(&files, flags)).collect();
    let engine = Engine::new(Config::default());
    // Sound ones are answered: mutants are not refused for another reason.
    for (number, sound) in sound.iter().enumerate() {
        let path = files.write(&format!("sound-{number}"), &sound.bytes);
        assert!(ask(&engine, &path, "struct s", LayoutForm::Layout).is_ok());
    }
    let mut answered = 0;
    for seed in first..first + count {
        let mut random = Random(seed);
        let sound = &sound[random.below(sound.len())];
        // Names of their own: rewritten within a tick of the clock, a file looks unchanged.
        let path = files.write(&format!("mutant-{seed}"), &sound.mutant(&mut random));
        answered += u64::from(survives(&engine, seed, &path));
        fs::remove_file(&path).unwrap();
    }
    // Damage must be such that much is still read: else the readers were never reached.
    assert!(count < 100 || (count / 10..count).contains(&answered), "{answered} of {count}");
}

/// Whether any question about the file was answered; fails on a panic and on a long time.
fn survives(engine: &Engine, seed: u64, path: &Path) -> bool {
    let started = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let whole = ask(engine, path, "struct s", LayoutForm::Layout);
        if whole.as_ref().is_err_and(|error| error.kind == Kind::NoDebugInfo) {
            return false;
        }
        look_up(engine, path);
        let questions = ["struct s.d[1].b", "s", "struct in", "number", "struct sx"];
        let others = questions.map(|question| ask(engine, path, question, LayoutForm::Script));
        whole.is_ok() || others.iter().any(Result::is_ok)
    }));
    let took = started.elapsed();
    let again = format!("DBGMATE_MUTANTS=1 DBGMATE_MUTANT_SEED={seed}");
    assert!(took < SLOW, "{took:?}: {again}");
    outcome.unwrap_or_else(|_| panic!("panics: {again}"))
}

fn ask(engine: &Engine, path: &Path, type_name: &str, form: LayoutForm) -> Result<(), Error> {
    let request = OffsetsOfRequest {
        type_name: type_name.to_owned(),
        binaries: vec![BinaryRef::Path(path.to_str().unwrap().to_owned())],
        render: Some(form),
        ..OffsetsOfRequest::default()
    };
    OffsetsOfMethod::answer(engine, &Job::new(), request).map(|_| ())
}

/// Every address of its code, and a paste that must be placed in it: answered or refused.
fn look_up(engine: &Engine, path: &Path) {
    let binary = || BinaryRef::Path(path.to_str().unwrap().to_owned());
    let addresses = (0..0x3000).step_by(11).map(FileAddress).collect();
    let request = ResolveRequest { binary: binary(), addresses, context: None, verify: false };
    let _ = ResolveMethod::answer(engine, &Job::new(), request);
    let request = SymbolizeRequest {
        text: Some(PASTE.replace("{name}", path.file_name().unwrap().to_str().unwrap())),
        binaries: vec![binary()],
        render: Some(TraceForm::Text),
        ..SymbolizeRequest::default()
    };
    let _ = SymbolizeMethod::answer(engine, &Job::new(), request);
}

/// Frames of the library.
const PASTE: &str = "\
#0  0x00007f0000001105 in first () from {name}
#1  0x00007f0000001140 in ?? () from {name}
#2  0x00007f0000001181 in second () from {name}
#3  0x00007f0000001190 in second () from {name}
#4  0x0000555555555555 in main ()
";

/// A binary before it is damaged.
struct Sound {
    bytes: Vec<u8>,
    /// Where in the file the sections are that are read.
    debug: Vec<(usize, usize)>,
}

impl Sound {
    fn compile(files: &Files, flags: &[&str]) -> Sound {
        let path: PathBuf = files.compile("sound", SOURCE, flags);
        let bytes = fs::read(path).unwrap();
        let file = object::File::parse(&*bytes).unwrap();
        let is_debug = |section: &object::Section<'_, '_>| {
            let others =
                [".eh_frame", ".symtab", ".dynsym", ".dynstr", ".rela.plt", ".plt", ".text"];
            section.name().is_ok_and(|name| name.contains("debug_") || others.contains(&name))
        };
        let ranges = file.sections().filter(is_debug).filter_map(|section| section.file_range());
        let debug: Vec<_> = ranges
            .filter(|(_, size)| *size > 0)
            .map(|(start, size)| (start as usize, size as usize))
            .collect();
        drop(file);
        assert!(debug.len() >= 3);
        Sound { bytes, debug }
    }

    /// One to eight changes, most of them inside of the debug sections.
    fn mutant(&self, random: &mut Random) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        for _ in 0..=random.below(8) {
            let (start, size) = match random.below(8) {
                0 => (0, bytes.len()),
                _ => self.debug[random.below(self.debug.len())],
            };
            let at = start + random.below(size);
            match random.below(7) {
                0 => bytes[at] ^= 1 << random.below(8),
                1 => bytes[at] = random.below(256) as u8,
                2 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)],
                3 => fill(&mut bytes, at, random.below(8), 0xff),
                4 => fill(&mut bytes, at, random.below(64), 0),
                5 => {
                    // A piece of another place: whole DIEs and headers where they do not belong.
                    let (other, other_size) = self.debug[random.below(self.debug.len())];
                    let from = other + random.below(other_size);
                    let length = random.below(32).min(bytes.len() - from.max(at));
                    bytes.copy_within(from..from + length, at);
                }
                _ => {
                    let value = [u32::MAX, 0x7fff_ffff, 0xffff_fff0, 1, 0x100][random.below(5)];
                    let end = (at + 4).min(bytes.len());
                    bytes[at..end].copy_from_slice(&value.to_le_bytes()[..end - at]);
                }
            }
        }
        if random.below(20) == 0 {
            bytes.truncate(random.below(bytes.len()));
        }
        bytes
    }
}

fn fill(bytes: &mut [u8], at: usize, length: usize, value: u8) {
    let end = (at + length).min(bytes.len());
    bytes[at..end].fill(value);
}

/// SplitMix64 (Steele, Lea and Flood, 2014): a seed is a whole sequence, the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}
