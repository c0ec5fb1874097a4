//! Backtraces that a real gdb has printed of stripped programs, with randomised addresses and no list
//! of modules, placed and looked up: compared frame by frame with the truth that was recorded beside
//! them (tests/real/live_traces.py), and placed in wrong builds, which has to be noticed.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use dbgmate::api::binary::BinaryRef;
use dbgmate::api::symbols::{SymbolizeMethod, SymbolizeRequest, Symbolized};
use dbgmate::config::Config;
use dbgmate::engine::{Answer, Engine};
use dbgmate::job::Job;
use dbgmate::symbols::demangle;
use dbgmate::trace::{Certainty, Frame, Resolved};
use object::{Object, ObjectSymbol};
use serde_json::Value;

/// A function and a place in it, as both sides are compared.
type Plain = (String, String, u32);

/// How many frames came out how.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    right: usize,
    right_and_certain: usize,
    wrong: usize,
    wrong_and_certain: usize,
    unresolved: usize,
}

#[test]
fn frames_of_stripped_programs_are_what_the_whole_ones_show() {
    let Some(testbed) = testbed() else { return };
    let engine = Engine::new(Config::default());
    let mut counts = Counts::default();
    let mut failures = Vec::new();
    for live in Live::all(&testbed) {
        for paste in live.pastes() {
            let answer = live.symbolize(&engine, &paste, &live.debug_files());
            live.count(&answer, &mut counts, &mut failures);
        }
    }
    let all = counts.right + counts.wrong + counts.unresolved;
    let report = format!("{counts:?} of {all}\n{}", failures.join("\n"));
    assert!(all > 1000, "{report}");
    assert_eq!(counts.wrong_and_certain, 0, "{report}");
    assert!(counts.right * 100 >= all * 99, "{report}");
    println!("{counts:?} of {all}");
}

/// Another optimisation level, another configuration, another version, and builds in which one
/// function has grown by sixteen bytes: each must be refused, or be called probable, in every trace
/// that has a frame in code that differs.
#[test]
fn a_wrong_build_is_never_certain() {
    let Some(testbed) = testbed() else { return };
    let engine = Engine::new(Config::default());
    let wrong = wrong_builds(&testbed);
    let mut outcomes: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    let mut certain = Vec::new();
    for live in Live::all(&testbed) {
        for paste in live.pastes() {
            for build in &wrong {
                if let Some(outcome) = live.in_wrong_build(&engine, &paste, build) {
                    if outcome == "certain" {
                        certain.push(format!(
                            "{} in {}",
                            live.path.display(),
                            build.path.display()
                        ));
                    }
                    *outcomes.entry(build.kind).or_default().entry(outcome).or_default() += 1;
                }
            }
        }
    }
    println!("{outcomes:?}");
    let tries: usize = outcomes.values().flat_map(BTreeMap::values).sum();
    assert!(tries >= 500, "{outcomes:?}");
    assert_eq!(certain, Vec::<String>::new(), "{outcomes:?}");
}

/// A build that no trace is of.
struct Wrong {
    kind: &'static str,
    path: PathBuf,
    /// The function that has grown; all code behind it has moved.
    grown: Option<String>,
}

fn wrong_builds(testbed: &Path) -> Vec<Wrong> {
    let mut builds = Vec::new();
    for folder in fs::read_dir(testbed.join("wrong")).unwrap() {
        let folder = folder.unwrap();
        let name = folder.file_name().into_string().unwrap();
        let grown = name.strip_prefix("grown-").map(str::to_owned);
        let kind = match (&grown, name.as_str()) {
            (Some(_), _) => "grown",
            (None, "debian") => "configuration",
            (None, _) => "version",
        };
        for file in fs::read_dir(folder.path()).unwrap() {
            let path = file.unwrap().path();
            builds.push(Wrong { kind, path, grown: grown.clone() });
        }
    }
    let library = library(&testbed.join("debug"), "libxenlight.so.");
    builds.push(Wrong { kind: "optimisation", path: library, grown: None });
    let library = self::library(&testbed.join("optimized"), "libxenlight.so.");
    builds.push(Wrong { kind: "optimisation", path: library, grown: None });
    builds
}

/// The file itself, not one of the links to it.
fn library(folder: &Path, start: &str) -> PathBuf {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_it = |path: &PathBuf| {
        !path.is_symlink() && path.file_name().unwrap().to_str().unwrap().starts_with(start)
    };
    files.into_iter().find(is_it).unwrap()
}

/// Where a function is in a file.
fn address_of(file: &Path, function: &str) -> u64 {
    let bytes = fs::read(file).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    let mut symbols = file.symbols();
    symbols.find(|symbol| symbol.name() == Ok(function)).unwrap().address()
}

/// One stop of one program.
struct Live {
    path: PathBuf,
    truth: Value,
}

impl Live {
    fn all(testbed: &Path) -> Vec<Live> {
        let mut paths: Vec<PathBuf> = fs::read_dir(testbed.join("traces"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .collect();
        paths.sort();
        assert!(paths.len() >= 20, "only {} traces", paths.len());
        let live = |path: PathBuf| {
            let truth = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            Live { path, truth }
        };
        paths.into_iter().map(live).collect()
    }

    /// The same stop without and with a frame filter.
    fn pastes(&self) -> Vec<String> {
        let text = |suffix| fs::read_to_string(self.path.with_extension(suffix)).unwrap();
        vec![text("txt"), text("filtered.txt")]
    }

    fn debug_files(&self) -> Vec<PathBuf> {
        let modules = self.truth["modules"].as_object().unwrap().values();
        modules.map(|module| PathBuf::from(module["debug"].as_str().unwrap())).collect()
    }

    fn symbolize(&self, engine: &Engine, paste: &str, binaries: &[PathBuf]) -> Symbolized {
        let binary = |path: &PathBuf| BinaryRef::Path(path.to_str().unwrap().to_owned());
        let request = SymbolizeRequest {
            text: Some(paste.to_owned()),
            binaries: binaries.iter().map(binary).collect(),
            ..SymbolizeRequest::default()
        };
        SymbolizeMethod::answer(engine, &Job::new(), request)
            .unwrap_or_else(|error| panic!("{}: {error}", self.path.display()))
    }

    /// What becomes of the module that a wrong build pretends to be: `certain`, `probable` or
    /// `refused`; nothing where the trace has no frame in code that differs.
    fn in_wrong_build(&self, engine: &Engine, paste: &str, wrong: &Wrong) -> Option<&'static str> {
        let stem = |path: &Path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.split(".so").next().unwrap().to_owned()
        };
        let modules = self.truth["modules"].as_object().unwrap();
        let (name, module) = modules.iter().find(|(_, module)| {
            stem(Path::new(module["debug"].as_str().unwrap())) == stem(&wrong.path)
        })?;
        let debug = Path::new(module["debug"].as_str().unwrap());
        if debug.canonicalize().unwrap() == wrong.path.canonicalize().unwrap() {
            return None;
        }
        // Only what is behind the function has moved.
        let moved = wrong.grown.as_ref().map_or(0, |function| address_of(debug, function) + 1);
        let threads = self.truth["threads"].as_array().unwrap().iter();
        let frames = threads.flat_map(|thread| thread["frames"].as_array().unwrap());
        let behind: BTreeSet<&str> = frames
            .filter(|frame| frame["module"] == name.as_str())
            .filter(|frame| {
                let address = frame["address"].as_str().unwrap().trim_start_matches("0x");
                u64::from_str_radix(address, 16).unwrap() >= moved
            })
            .filter_map(|frame| frame["pc"].as_str())
            .collect();
        // The right file has to be out of reach, and the place of the paste in question.
        let shown = |pc: &&str| {
            paste.contains(&format!("{:#018x}", u64::from_str_radix(&pc[2..], 16).unwrap()))
        };
        if !behind.iter().any(shown) {
            return None;
        }
        let paste = paste.replace("/stripped/", "/gone/").replace("/optimized-stripped/", "/gone/");
        let mut binaries = self.debug_files();
        binaries.retain(|path| path != debug);
        binaries.push(wrong.path.clone());
        let answer = self.symbolize(engine, &paste, &binaries);
        let frames = answer.trace.stacks.iter().flat_map(|stack| &stack.frames);
        let is_certain = |frame: &Frame| {
            let told = frame.resolved.as_ref();
            told.is_some_and(|told| {
                told.certainty == Certainty::Certain && Path::new(&told.module) == wrong.path
            })
        };
        let moved_and_certain = frames
            .filter(|frame| is_certain(frame))
            .any(|frame| frame.address.is_some_and(|pc| behind.contains(pc.to_string().as_str())));
        let placed = answer.modules.iter().find(|module| Path::new(&module.path) == wrong.path);
        Some(match placed {
            _ if moved_and_certain => "certain",
            Some(module) if module.certainty == Certainty::Certain => "certain",
            Some(_) => "probable",
            None => "refused",
        })
    }

    /// The machine frames of a thread.
    fn frames_of(&self, thread: u64) -> &[Value] {
        let threads = self.truth["threads"].as_array().unwrap();
        let thread = threads.iter().find(|other| other["number"] == thread).unwrap();
        thread["frames"].as_array().unwrap()
    }

    /// Frames of modules of which at least three frames, and one name, are in the paste.
    fn count(&self, answer: &Symbolized, counts: &mut Counts, failures: &mut Vec<String>) {
        let mut frames: Vec<(&str, &Value, &Frame)> = Vec::new();
        for stack in &answer.trace.stacks {
            let selected = || self.truth["selected"].as_u64();
            let number = stack.thread.as_ref().and_then(|thread| thread.number);
            let Some(thread) = number.map(u64::from).or_else(selected) else { continue };
            for (frame, truth) in stack.frames.iter().zip(self.frames_of(thread)) {
                let address = frame.address.map(|address| address.to_string());
                assert_eq!(address.as_deref(), truth["pc"].as_str(), "{}", self.path.display());
                if let Some(module) = truth["module"].as_str() {
                    frames.push((module, truth, frame));
                }
            }
        }
        let known = self.truth["modules"].as_object().unwrap();
        let mut sizes: BTreeMap<&str, (usize, BTreeSet<&str>)> = BTreeMap::new();
        for (module, truth, _) in &frames {
            let (size, names) = sizes.entry(module).or_default();
            *size += 1;
            names.extend(truth["printed"].as_str());
        }
        for (module, truth, frame) in &frames {
            let (size, names) = &sizes[module];
            if *size < 3 || names.is_empty() || !known.contains_key(*module) {
                continue;
            }
            let told = frame.resolved.as_ref();
            let certain = told.is_some_and(|told| told.certainty == Certainty::Certain);
            let (ours, theirs) = (told.map(plain).unwrap_or_default(), truths(truth));
            if ours.is_empty() {
                counts.unresolved += 1;
            } else if ours == theirs {
                counts.right += 1;
                counts.right_and_certain += usize::from(certain);
                continue;
            } else {
                counts.wrong += 1;
                counts.wrong_and_certain += usize::from(certain);
            }
            failures.push(format!(
                "{} #{} {}: {ours:?} is {theirs:?} {:?}",
                self.path.file_name().unwrap().display(),
                frame.index,
                truth["pc"],
                answer
                    .refused
                    .iter()
                    .filter(|other| other.name == frame.module)
                    .collect::<Vec<_>>()
            ));
        }
    }
}

fn plain(resolved: &Resolved) -> Vec<Plain> {
    let frames = resolved.frames.iter();
    frames
        .map(|frame| {
            let file = frame.file.clone().unwrap_or_default();
            (frame.function.clone().unwrap_or_default(), base(&file), frame.line.unwrap_or(0))
        })
        .collect()
}

fn truths(frame: &Value) -> Vec<Plain> {
    let frames = frame["llvm"].as_array().unwrap().iter();
    frames
        .map(|frame| {
            let text = |name: &str| frame[name].as_str().unwrap_or_default();
            let function = demangle(text("function").as_bytes()).into_owned();
            (function, base(text("file")), frame["line"].as_u64().unwrap_or(0) as u32)
        })
        .collect()
}

fn base(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

/// The folder of the test bed; none where this run goes without it.
#[allow(clippy::print_stderr)]
fn testbed() -> Option<PathBuf> {
    match env::var_os("DBGMATE_TESTBED") {
        Some(folder) => Some(folder.into()),
        None => {
            let required = env::var("DBGMATE_REQUIRE_REAL").is_ok_and(|value| value == "1");
            assert!(!required, "DBGMATE_TESTBED is not set");
            eprintln!("skipped: DBGMATE_TESTBED is not set");
            None
        }
    }
}
