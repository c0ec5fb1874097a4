//! Sound binaries, damaged at random: every question must be answered or refused, never panicked at,
//! soon, and in little memory.
//!
//! `DBGMATE_MUTANTS` is how many are tried, `DBGMATE_MUTANT_SEED` where they start; a failure names
//! the seed that makes it again alone.

use std::env;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dbgmate::address::FileAddress;
use dbgmate::api::binary::BinaryRef;
use dbgmate::api::decode::{DecodeMethod, DecodeRequest};
use dbgmate::api::diff::{DiffMethod, DiffRequest};
use dbgmate::api::field_at::{FieldAtMethod, FieldAtRequest};
use dbgmate::api::find::{FindMethod, FindRequest};
use dbgmate::api::layout::{LayoutForm, OffsetsOfMethod, OffsetsOfRequest};
use dbgmate::api::symbols::{
    ResolveMethod, ResolveRequest, SymbolizeMethod, SymbolizeRequest, TraceForm,
};
use dbgmate::binary::{Binary, DebugSources};
use dbgmate::config::Config;
use dbgmate::dwarf::{DebugFile, IndexCache};
use dbgmate::engine::{Answer, Engine};
use dbgmate::error::{Error, Kind};
use dbgmate::job::Job;
use dbgmate::types::{self, Layouts, Question, TypeName};

use super::ask::Files;
use super::sound::{self, Random};

/// How many mutants an ordinary run tries.
const MUTANTS: u64 = 2000;

/// All questions about a mutant together take no more of a processor: a few milliseconds, optimised.
const SLOW: Duration = Duration::from_secs(1);

/// Nor longer by the clock on the wall, on the busiest of machines.
const STUCK: Duration = Duration::from_secs(60);

/// They all need no more memory than this, in KiB, besides what the process had before the first.
const LARGE: u64 = 64 << 10;

/// Another test may have taken the processor or the memory: it is tried so often.
const TRIES: usize = 5;

#[test]
fn mutants_are_answered_or_refused() {
    let number = |name: &str, default| match env::var(name) {
        Ok(text) => text.parse().expect(name),
        Err(_) => default,
    };
    let (count, first) = (number("DBGMATE_MUTANTS", MUTANTS), number("DBGMATE_MUTANT_SEED", 0));
    let files = Files::new();
    let all = sound::all();
    let engine = Engine::new(Config::default());
    // Sound ones are answered: mutants are not refused for another reason.
    for (number, sound) in all.iter().enumerate() {
        let folder = files.path(&format!("sound-{number}"));
        sound.write(&folder);
        for question in ["struct s", "struct s.d"] {
            let answer = ask(&engine, &folder.join("sound"), question, LayoutForm::Layout);
            assert!(answer.is_ok(), "{}: {question}: {answer:?}", sound.how);
        }
    }
    let (mut answered, mut worst, mut had) = (0, Cost::default(), reset_peak());
    for seed in first..first + count {
        let mut random = Random(seed);
        let number = random.below(all.len());
        let sane = files.path(&format!("sound-{number}")).join("sound");
        // Names of their own: rewritten within a tick of the clock, a file looks unchanged.
        let folder = files.path(&format!("mutant-{seed}"));
        all[number].write_mutant(&mut random, &folder);
        let (is_answered, cost) = survives(&engine, seed, &folder, &sane, &mut had);
        answered += u64::from(is_answered);
        worst = Cost { time: worst.time.max(cost.time), memory: worst.memory.max(cost.memory) };
        fs::remove_dir_all(&folder).unwrap();
    }
    println!("{count} mutants of {} binaries, {answered} answered; at most {worst:?}", all.len());
    // Damage must be such that much is still read: else the readers were never reached.
    assert!(count < 100 || (count / 10..count).contains(&answered), "{answered} of {count}");
}

/// What the questions about a mutant took.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    time: Duration,
    /// The most that the process had so far, in KiB, besides what it had before the first.
    memory: u64,
}

impl Cost {
    fn is_bounded(self) -> bool {
        self.time <= SLOW && self.memory <= LARGE
    }
}

/// Whether any question about the file was answered; fails on a panic, a long time, much memory.
fn survives(engine: &Engine, seed: u64, folder: &Path, sane: &Path, had: &mut u64) -> (bool, Cost) {
    let again = format!("DBGMATE_MUTANTS=1 DBGMATE_MUTANT_SEED={seed}");
    let mut tries = Vec::new();
    loop {
        let (started, used) = (Instant::now(), processor_time());
        let outcome =
            catch_unwind(AssertUnwindSafe(|| ask_all(engine, &mut Random(!seed), folder, sane)));
        let answered = outcome.unwrap_or_else(|_| panic!("panics: {again}"));
        assert!(started.elapsed() < STUCK, "{:?}: {again}", started.elapsed());
        let cost = Cost { time: processor_time() - used, memory: peak().saturating_sub(*had) };
        if cost.is_bounded() {
            return (answered, cost);
        }
        tries.push(cost);
        assert!(tries.len() < TRIES, "{tries:?}: {again}");
        *had = reset_peak();
    }
}

/// What the process has used of processors.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Has the kernel forget the most memory that the process ever had, and returns what it has.
fn reset_peak() -> u64 {
    fs::write("/proc/self/clear_refs", "5").unwrap();
    peak()
}

/// The most memory that the process had since, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// Whether any question about the layouts of the file was answered.
fn ask_all(engine: &Engine, random: &mut Random, folder: &Path, sane: &Path) -> bool {
    let path = &folder.join("sound");
    let whole = ask(engine, path, "struct s", LayoutForm::Layout);
    if whole.as_ref().is_err_and(|error| error.kind == Kind::NoDebugInfo) {
        return false;
    }
    look_up(engine, path);
    search(engine, path, sane);
    trust_no_index(random, path);
    // What is not there is sought in all of the system: not each time.
    if random.below(8) == 0 {
        let _ = ask(engine, path, "struct sx", LayoutForm::Script);
    }
    let questions = [
        ("struct s.d[1].b", LayoutForm::Script),
        ("s", LayoutForm::Asserts),
        ("struct in", LayoutForm::Map),
        ("number", LayoutForm::Svg),
        ("struct s.b", LayoutForm::Layout),
    ];
    let others = questions.map(|(question, form)| ask(engine, path, question, form));
    whole.is_ok() || others.iter().any(Result::is_ok)
}

fn named(path: &Path) -> BinaryRef {
    BinaryRef::Path(path.to_str().unwrap().to_owned())
}

fn ask(engine: &Engine, path: &Path, type_name: &str, form: LayoutForm) -> Result<(), Error> {
    let request = OffsetsOfRequest {
        type_name: type_name.to_owned(),
        binaries: vec![named(path)],
        render: Some(form),
        ..OffsetsOfRequest::default()
    };
    OffsetsOfMethod::answer(engine, &Job::new(), request).map(|_| ())
}

/// Every address of its code, and a paste that must be placed in it: answered or refused.
fn look_up(engine: &Engine, path: &Path) {
    let addresses = (0..0x3000).step_by(11).map(FileAddress).collect();
    let request = ResolveRequest { binary: named(path), addresses, context: None, verify: false };
    let _ = ResolveMethod::answer(engine, &Job::new(), request);
    let request = SymbolizeRequest {
        text: Some(PASTE.replace("{name}", path.file_name().unwrap().to_str().unwrap())),
        binaries: vec![named(path)],
        render: Some(TraceForm::Text),
        ..SymbolizeRequest::default()
    };
    let _ = SymbolizeMethod::answer(engine, &Job::new(), request);
}

/// Offsets, bytes and shapes looked up; and all its types beside those of the sound one.
fn search(engine: &Engine, path: &Path, sane: &Path) {
    let job = &Job::new();
    for (offset, bit_offset, size) in
        [(0, None, None), (17, None, Some(40)), (1 << 40, None, None), (0, Some(70), None)]
    {
        let request = FieldAtRequest {
            type_name: "struct s".to_owned(),
            offset: Some(offset),
            bit_offset,
            size,
            binaries: vec![named(path)],
            ..FieldAtRequest::default()
        };
        let _ = FieldAtMethod::answer(engine, job, request);
    }
    for bytes in ["00".repeat(120), "f1".repeat(33)] {
        let request = DecodeRequest {
            type_name: "struct s".to_owned(),
            bytes,
            binaries: vec![named(path)],
            ..DecodeRequest::default()
        };
        let _ = DecodeMethod::answer(engine, job, request);
    }
    let find = |request: FindRequest| {
        let request = FindRequest { binaries: vec![named(path)], ..request };
        let _ = FindMethod::answer(engine, job, request);
    };
    let text = |text: &str| Some(text.to_owned());
    find(FindRequest { name: text("*"), has_member: text("b"), ..FindRequest::default() });
    find(FindRequest { size: Some(24), ..FindRequest::default() });
    find(FindRequest { holds: text("struct in"), ..FindRequest::default() });
    find(FindRequest {
        name: text("/^[a-s]/"),
        points_to: text("struct s"),
        ..FindRequest::default()
    });
    let request = DiffRequest { old: named(sane), new: named(path), type_name: None };
    let _ = DiffMethod::answer(engine, job, request);
}

/// Where in an index that was kept its checksum is, of what follows it.
const CHECKSUM: std::ops::Range<usize> = 12..16;

/// Before this, an index says of what it is.
const KEY_END: usize = 24;

/// The index that was kept of the file, with a sound checksum and damaged numbers.
fn trust_no_index(random: &mut Random, path: &Path) {
    let folder = path.parent().unwrap().join("index");
    let find = || {
        let cache = Some(Arc::new(IndexCache::new(folder.clone(), 1 << 24)));
        let Ok(binary) = Binary::open(&Job::new(), path, &DebugSources::default()) else { return };
        let file = DebugFile::with_cache(Arc::new(binary), cache);
        let layouts = Layouts::default();
        for name in ["struct s", "number", "data", "long int", "struct s"] {
            let name = TypeName::parse(name).unwrap();
            let question = Question { name: &name, path: None, language: None, threads: 1 };
            let found = types::find(&Job::new(), &file, &question);
            // Damaged or not, what earlier questions knew changes nothing.
            assert_eq!(layouts.find_anew(&Job::new(), &file, &question), found, "{name}");
        }
    };
    find();
    let Ok(entries) = fs::read_dir(&folder) else { return };
    for entry in entries {
        let kept = entry.unwrap().path();
        let whole = fs::read(&kept).unwrap();
        let mut altered = sound::mutant(&whole, &[(KEY_END, whole.len() - KEY_END)], random);
        if altered.len() > KEY_END {
            altered[..KEY_END].copy_from_slice(&whole[..KEY_END]);
            let checksum = crc32fast::hash(&altered[CHECKSUM.end..]);
            altered[CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
        }
        fs::write(&kept, altered).unwrap();
    }
    find();
    let _ = fs::remove_dir_all(&folder);
}

/// Frames of the library.
const PASTE: &str = "\
#0  0x00007f0000001105 in first () from {name}
#1  0x00007f0000001140 in ?? () from {name}
#2  0x00007f0000001181 in second () from {name}
#3  0x00007f0000001190 in second () from {name}
#4  0x0000555555555555 in main ()
";
