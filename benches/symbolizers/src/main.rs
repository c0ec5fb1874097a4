//! Looks the same addresses up with one of several libraries, and tells how long it took.
//!
//! usage: symbolizers LIBRARY FILE ADDRESSES [CACHE]
//!        symbolizers paste PASTE BINARY...
//!
//! ADDRESSES is a file with a hexadecimal address a line; CACHE is where symcache's table is, which
//! is made if it is not there. One line of JSON is printed: the milliseconds from opening the file to
//! the first answer and to the last one, the microseconds an address takes when all are asked again,
//! how many frames there were, and the anonymous memory in megabytes. A whole paste is dbgmate's
//! alone: the others take addresses.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dbgmate::address::FileAddress;
use dbgmate::api::binary::BinaryRef;
use dbgmate::api::symbols::{SymbolizeMethod, SymbolizeRequest};
use dbgmate::binary::{Binary, DebugSources};
use dbgmate::config::Config;
use dbgmate::dwarf::DebugFile;
use dbgmate::engine::{Answer, Engine};
use dbgmate::job::Job;
use dbgmate::symbols::{Lookup, Symbols};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// All addresses are asked so often again.
const AGAIN: usize = 7;

/// What was measured.
struct Times {
    first: Duration,
    all: Duration,
    again: Duration,
    frames: usize,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, paste, binaries @ ..] = arguments.as_slice()
        && mode == "paste"
    {
        return symbolize_paste(paste, binaries);
    }
    let [library, file, addresses, cache @ ..] = arguments.as_slice() else {
        return Err("usage: symbolizers LIBRARY FILE ADDRESSES [CACHE]".into());
    };
    let text = fs::read_to_string(addresses)?;
    let address = |line: &str| u64::from_str_radix(line.trim_start_matches("0x"), 16);
    let addresses = text.lines().map(address).collect::<std::result::Result<Vec<u64>, _>>()?;
    let times = match library.as_str() {
        "dbgmate" => dbgmate(file, &addresses)?,
        "blazesym" => blazesym(file, &addresses)?,
        "addr2line" => addr2line(file, &addresses)?,
        "symcache" => symcache(file, &addresses, cache.first().ok_or("symcache needs CACHE")?)?,
        other => return Err(format!("there is no library {other}").into()),
    };
    println!(
        r#"{{"first": {}, "all": {}, "again": {}, "frames": {}, "memory": {}}}"#,
        times.first.as_secs_f64() * 1e3,
        times.all.as_secs_f64() * 1e3,
        times.again.as_secs_f64() * 1e6 / addresses.len() as f64,
        times.frames,
        anonymous_memory()?,
    );
    Ok(())
}

/// Asks for the first address, for all, and for all again; the fastest round counts.
fn ask(started: Instant, addresses: &[u64], mut one: impl FnMut(u64) -> usize) -> Times {
    addresses.first().map(|address| one(*address));
    let first = started.elapsed();
    let frames = addresses.iter().map(|address| one(*address)).sum();
    let all = started.elapsed();
    Times { first, all, again: fastest(|| addresses.iter().map(|address| one(*address)).sum()), frames }
}

fn fastest(mut round: impl FnMut() -> usize) -> Duration {
    let time = |_| {
        let started = Instant::now();
        black_box(round());
        started.elapsed()
    };
    (0..AGAIN).map(time).min().unwrap_or_default()
}

fn dbgmate(file: &str, addresses: &[u64]) -> Result<Times> {
    let started = Instant::now();
    let binary = Binary::open(&dbgmate::job::Job::new(), Path::new(file), &DebugSources::default()).map_err(|_| "cannot open")?;
    let (file, symbols, job) = (DebugFile::new(Arc::new(binary)), Symbols::new(), Job::new());
    let one = |lookup: &Lookup<'_>, address: u64| -> usize {
        let frames = lookup.frames(&job, FileAddress(address)).ok().flatten();
        frames.into_iter().flatten().map(black_box).count()
    };
    let lookup = symbols.lookup(&file);
    addresses.first().map(|address| one(&lookup, *address));
    let first = started.elapsed();
    // As the engine does for many addresses: their tables are read by all cores.
    let files: Vec<FileAddress> = addresses.iter().copied().map(FileAddress).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    symbols.read_ahead(&job, &file, &files, threads).map_err(|_| "stopped")?;
    let frames = addresses.iter().map(|address| one(&lookup, *address)).sum();
    let all = started.elapsed();
    let again = fastest(|| addresses.iter().map(|address| one(&lookup, *address)).sum());
    Ok(Times { first, all, again, frames })
}

fn blazesym(file: &str, addresses: &[u64]) -> Result<Times> {
    use blazesym::symbolize::source::{Elf, Source};
    use blazesym::symbolize::{Input, Symbolized, Symbolizer};

    let started = Instant::now();
    let source = Source::Elf(Elf::new(file));
    let symbolizer = Symbolizer::builder()
        .enable_code_info(true)
        .enable_inlined_fns(true)
        .enable_demangling(false)
        .enable_auto_reload(false)
        .build();
    if let Some(address) = addresses.first() {
        black_box(symbolizer.symbolize_single(&source, Input::VirtOffset(*address))?);
    }
    let first = started.elapsed();
    // It takes a list, which serves it best.
    let all_of_them = || symbolizer.symbolize(&source, Input::VirtOffset(addresses));
    let count = |symbolized: &Symbolized<'_>| match symbolized {
        Symbolized::Sym(symbol) => 1 + symbol.inlined.len(),
        Symbolized::Unknown(_) => 0,
    };
    let frames = all_of_them()?.iter().map(count).sum();
    let all = started.elapsed();
    let again = fastest(|| all_of_them().map_or(0, |symbolized| black_box(symbolized).len()));
    Ok(Times { first, all, again, frames })
}

fn addr2line(file: &str, addresses: &[u64]) -> Result<Times> {
    let started = Instant::now();
    let loader = addr2line::Loader::new(file).map_err(|error| error.to_string())?;
    Ok(ask(started, addresses, |address| {
        let mut count = 0;
        if let Ok(mut frames) = loader.find_frames(address) {
            while let Ok(Some(frame)) = frames.next() {
                black_box(frame);
                count += 1;
            }
        }
        count
    }))
}

fn symcache(file: &str, addresses: &[u64], cache: &str) -> Result<Times> {
    let bytes = symbolic_common::ByteView::open(file)?;
    let object = symbolic_debuginfo::Object::parse(&bytes)?;
    let base = object.load_address();
    if !Path::new(cache).exists() {
        let mut converter = symbolic_symcache::SymCacheConverter::new();
        converter.process_object(&object)?;
        converter.serialize(&mut fs::File::create(cache)?)?;
    }
    // Reading the table is all that is measured: making it takes far longer.
    let started = Instant::now();
    let bytes = symbolic_common::ByteView::open(cache)?;
    let table = symbolic_symcache::SymCache::parse(&bytes)?;
    Ok(ask(started, addresses, |address| {
        let mut count = 0;
        for location in table.lookup(address - base) {
            black_box((location.function().name(), location.file(), location.line()));
            count += 1;
        }
        count
    }))
}

/// A whole paste, from its text to the answer that travels.
fn symbolize_paste(paste: &str, binaries: &[String]) -> Result<()> {
    let (text, engine, job) = (fs::read_to_string(paste)?, Engine::new(Config::default()), Job::new());
    let binaries: Vec<BinaryRef> = binaries.iter().cloned().map(BinaryRef::Path).collect();
    let ask = || {
        let (text, binaries) = (Some(text.clone()), binaries.clone());
        let request = SymbolizeRequest { text, binaries, ..Default::default() };
        SymbolizeMethod::answer(&engine, &job, request).map_err(|error| error.to_string())
    };
    let started = Instant::now();
    let answer = ask()?;
    let first = started.elapsed();
    let again = fastest(|| ask().map_or(0, |answer| answer.modules.len()));
    let frames = answer.trace.stacks.iter().flat_map(|stack| &stack.frames);
    let resolved = frames.clone().filter(|frame| frame.resolved.is_some()).count();
    println!(
        r#"{{"first": {}, "again": {}, "frames": {}, "resolved": {resolved}}}"#,
        first.as_secs_f64() * 1e3,
        again.as_secs_f64() * 1e3,
        frames.count(),
    );
    Ok(())
}

fn anonymous_memory() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).ok_or("no RssAnon")?;
    let kilobytes = line.split_whitespace().nth(1).ok_or("no number")?.parse::<u64>()?;
    Ok(kilobytes / 1024)
}
