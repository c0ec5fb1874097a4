//! perf script's samples, against the same recording as `perf data convert` tells it in JSON, its list of mappings, and
//! the symbol table of the program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use object::{Object, ObjectSymbol};
use serde::Deserialize;

use crate::known::{Facts, Known, KnownStack, KnownThread, read, run};
use crate::programs::Programs;
use crate::tools::have_printer;

#[derive(Deserialize)]
struct Recording {
    samples: Vec<Sample>,
}

#[derive(Deserialize)]
struct Sample {
    tid: u64,
    comm: String,
    callchain: Vec<Call>,
}

#[derive(Deserialize)]
struct Call {
    ip: String,
    symbol: Option<String>,
    /// The file's name without its folders, or `[kernel.kallsyms]`.
    dso: Option<String>,
}

/// A range of a file in memory.
struct Mapping {
    start: u64,
    end: u64,
    file_offset: u64,
    path: String,
}

fn hexadecimal(text: &str) -> u64 {
    u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap()
}

/// `… PERF_RECORD_MMAP2 7/7: [0x55a789912000(0x1000) @ 0x1000 fe:00 10 40]: r-xp /opt/calls`
fn mapping(line: &str) -> Option<Mapping> {
    let (_, range) = line.split_once(": [")?;
    let (range, path) = range.split_once("]: ")?;
    let (start, rest) = range.split_once('(')?;
    let (length, rest) = rest.split_once(") @ ")?;
    let (_, path) = path.split_once(' ')?;
    let start = hexadecimal(start);
    Some(Mapping {
        start,
        end: start + hexadecimal(length),
        file_offset: hexadecimal(rest.split_once(' ')?.0),
        path: path.to_owned(),
    })
}

struct Perf {
    recording: PathBuf,
    program: PathBuf,
    mappings: Vec<Mapping>,
    symbols: Vec<(String, u64, u64)>,
}

impl Perf {
    /// A recording of the program, or why there is none.
    fn of(program: &Path) -> Result<Perf, String> {
        let recording = program.with_extension("perf");
        let mut record = Command::new("perf");
        record.args(["record", "-q", "-g", "-o"]).arg(&recording).arg(program).arg("perform");
        let output = record.output().unwrap();
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let bytes = fs::read(program).unwrap();
        let file = object::File::parse(&*bytes).unwrap();
        let symbols = file.symbols().filter(|symbol| symbol.size() > 0);
        let symbols = symbols.map(|symbol| {
            let name = symbol.name().unwrap().to_owned();
            (name, symbol.address(), symbol.address() + symbol.size())
        });
        let symbols = symbols.collect();
        let mut perf =
            Perf { recording, program: program.to_owned(), mappings: Vec::new(), symbols };
        let listed = perf.script(&["--show-mmap-events"]);
        perf.mappings =
            listed.lines().filter(|line| line.contains("MMAP")).filter_map(mapping).collect();
        Ok(perf)
    }

    fn script(&self, options: &[&str]) -> String {
        run(Command::new("perf").arg("script").args(options).arg("-i").arg(&self.recording))
    }

    fn samples(&self) -> Vec<Sample> {
        let json = self.recording.with_extension("json");
        run(Command::new("perf")
            .args(["data", "convert", "-i"])
            .arg(&self.recording)
            .arg("--to-json")
            .arg(&json));
        let recording: Recording =
            serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
        recording.samples
    }

    fn known(&self, sample: &Sample, read: &[Option<u64>]) -> KnownStack {
        let thread = KnownThread {
            name: Some(sample.comm.clone()),
            lwp: Some(sample.tid),
            ..KnownThread::default()
        };
        let frames = (0..).zip(&sample.callchain).map(|(index, call)| {
            let offset = read.get(index as usize).copied().flatten();
            self.known_frame(index, call, offset)
        });
        KnownStack { thread, frames: frames.collect(), ..KnownStack::default() }
    }

    fn known_frame(&self, index: u32, call: &Call, read_offset: Option<u64>) -> Known {
        let address = hexadecimal(&call.ip);
        let inside = self.mappings.iter().rev().find(|at| (at.start..at.end).contains(&address));
        let in_file = inside.filter(|at| at.path.starts_with('/'));
        let path = in_file.map(|at| at.path.clone()).or_else(|| call.dso.clone());
        let module_offset = in_file.map(|at| address - at.start + at.file_offset);
        let own =
            module_offset.filter(|_| in_file.is_some_and(|at| Path::new(&at.path) == self.program));
        let symbol = own.and_then(|at| {
            self.symbols.iter().find(|(_, start, end)| (*start..*end).contains(&at))
        });
        Known {
            index,
            address: in_file.is_none().then_some(address),
            function: call.symbol.clone(),
            // Only of the program itself is the table at hand.
            offset: match (own, symbol) {
                (Some(at), Some((_, start, _))) => Some(at - start),
                _ => read_offset,
            },
            module: path,
            module_offset,
            ..Known::default()
        }
    }
}

#[test]
fn samples() {
    if !have_printer("perf") {
        return;
    }
    let programs = Programs::new();
    let program = programs.built("g++", &["-O1", "-w", "-fno-omit-frame-pointer"]);
    let perf = match Perf::of(&program) {
        Ok(perf) => perf,
        Err(why) => {
            println!("passed over: perf cannot record here: {why}");
            return;
        }
    };
    let trace = read(&perf.script(&[]));
    let mut facts = Facts::new("perf");
    let samples = perf.samples();
    let with_stacks = samples.iter().filter(|sample| !sample.callchain.is_empty());
    let read_offsets = |index: usize| -> Vec<Option<u64>> {
        trace
            .stacks
            .get(index)
            .map_or(Vec::new(), |stack| stack.frames.iter().map(|frame| frame.offset).collect())
    };
    let known: Vec<KnownStack> = with_stacks
        .enumerate()
        .map(|(index, sample)| perf.known(sample, &read_offsets(index)))
        .collect();
    facts.stacks(&trace.stacks, &known);
    facts.hold(200);
}
