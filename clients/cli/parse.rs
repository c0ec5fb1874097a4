//! `dbgmate parse`: a pasted trace, clean enough for a bug report.

use std::collections::BTreeMap;
use std::path::PathBuf;

use dbgmate::api::trace::{ParseMethod, ParseRequest};
use dbgmate::config::Config;
use dbgmate::engine::Engine;
use dbgmate::error::{Error, Kind};
use dbgmate::job::Job;
use dbgmate::redact::{self, Count, Replaced};
use dbgmate::render;
use dbgmate::trace::{LogRecord, Skipped, Trace};
use serde::Serialize;

use crate::backend::Backend;
use crate::output::Output;
use crate::{Failure, Outcome, by_time, large, paste};

/// Clean a pasted trace or log for a bug report
///
/// Wrapped lines are joined; prompts, quoting and colours are gone; every stack has its thread and what
/// happened. Lines that nothing was made of are counted on standard error. Of files above 256 MiB the log
/// records are left out, unless they are shown one by one. The exit status is 1 when nothing was made of
/// any line.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files with the paste; standard input where there is none, or for `-`
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The form of the answer
    #[arg(short, long, value_enum, default_value_t = Format::Text, value_name = "FORM")]
    format: Format,
    /// Without addresses: frames lose theirs, objects are told apart as `<address-1>`, `<address-2>`, with
    /// `0x` or without. Places in a function or in a module stay, and numbers below 0x10000
    #[arg(long)]
    no_addresses: bool,
    /// Replace folders below a home, names of users and hosts, and strings by placeholders, the same
    /// text by the same one. Look the result over: a name that nothing marks as one is not found
    #[arg(long)]
    redact: bool,
    #[command(flatten)]
    by_time: by_time::Order,
}

/// `--format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// What happened, stacks, values and log records, in the order of the paste
    Text,
    /// Stacks, stops and values as a session of gdb prints them, for programs that read those
    Gdb,
    /// Exactly what the API returns
    Json,
    /// The records of logs of any size, each with the objects it names on a line of its own
    JsonLines,
    /// Headings and blocks, for an issue tracker
    Markdown,
}

/// Asks, and writes the trace.
pub(crate) fn run(
    args: &Args,
    backend: &Backend,
    job: &Job,
    output: &mut Output,
) -> Result<Outcome, Failure> {
    if args.format == Format::JsonLines {
        return records(args, output);
    }
    let by_time = args.by_time.reckoning();
    if by_time.is_some() && matches!(args.format, Format::Gdb | Format::Markdown) {
        let what = "records are shown by time as text, json or json-lines";
        return Err(Error::new(Kind::Request, what).hint("leave `--by-time` out").into());
    }
    let mut trace = if large::is_large(&args.files) {
        beside_records(args, output)?
    } else {
        let paste = paste::read(&args.files, output)?;
        let request = ParseRequest { text: paste.text, pieces: paste.pieces };
        backend.call::<ParseMethod>(job, request, output)?
    };
    if args.no_addresses {
        redact::addresses(&mut trace);
    }
    if args.redact {
        output.notice(&replaced(&redact::private(&mut trace)));
    }
    let found = !is_empty(&trace);
    if let Some(reckoning) = by_time {
        let remarks = by_time::order(&mut trace, reckoning);
        if args.format == Format::Text {
            output.result(&render::log(&std::mem::take(&mut trace.log)))?;
        }
        remarks.iter().for_each(|remark| output.notice(remark));
    }
    match args.format {
        Format::Text => output.result(&render::clean_text(&trace))?,
        Format::Gdb => output.result(&render::gdb_session(&trace))?,
        Format::Json | Format::JsonLines => output.json(&trace)?,
        Format::Markdown => output.result(&render::markdown(&trace))?,
    }
    if let Some(line) = skipped(&trace.skipped) {
        output.notice(&line);
    }
    Ok(if found { Outcome::Found } else { Outcome::NotFound })
}

/// A log record as it is shown by itself.
#[derive(Serialize)]
struct ShownRecord<'r> {
    #[serde(flatten)]
    record: &'r LogRecord,
    /// The objects it names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    keys: BTreeMap<&'r str, &'r str>,
}

/// Writes the log records as they come.
fn records(args: &Args, output: &mut Output) -> Result<Outcome, Failure> {
    if args.redact || args.no_addresses {
        return Err(Error::new(
            Kind::Request,
            "records that are shown one by one stay as they are",
        )
        .hint("placeholders need the whole: --format json")
        .into());
    }
    // Whoever waits ends it as any other program: no deadline.
    let job = Job::new();
    let engine = Engine::new(Config::load()?);
    let plugins = engine.plugins();
    let formats = plugins.line_formats();
    let (mut shown, mut problem) = (0usize, None);
    let mut lines = output.json_lines();
    let mut show = |record: &LogRecord| {
        let keys = record.keys().map(|key| (key.name, key.value)).collect();
        match lines.write(&ShownRecord { record, keys }) {
            Ok(()) => shown += 1,
            Err(error) => {
                job.cancel_handle().cancel();
                problem.get_or_insert(error);
            }
        }
    };
    let read = match args.by_time.reckoning() {
        Some(reckoning) => by_time::read(&job, &args.files, formats, reckoning, &mut show),
        None => large::read(&job, &args.files, formats, &mut show)
            .map(|trace| by_time::Merged { beside: vec![trace], remarks: Vec::new() }),
    };
    if let Some(error) = problem {
        return Err(error.into());
    }
    lines.finish()?;
    let by_time::Merged { beside, remarks } = read?;
    remarks.iter().for_each(|remark| output.notice(remark));
    if !beside.iter().all(is_empty) {
        output.notice("stacks, events and values are left out: --format text shows them");
    }
    let runs: Vec<_> = beside.into_iter().flat_map(|trace| trace.skipped).collect();
    if let Some(line) = skipped(&runs) {
        output.notice(&line);
    }
    Ok(if shown == 0 { Outcome::NotFound } else { Outcome::Found })
}

/// What files too large for a paste hold beside log records.
fn beside_records(args: &Args, output: &mut Output) -> Result<Trace, Failure> {
    if args.format == Format::Json || args.by_time.reckoning().is_some() {
        return Err(large::too_large().into());
    }
    let mut records = 0usize;
    let engine = Engine::new(Config::load()?);
    let plugins = engine.plugins();
    let formats = plugins.line_formats();
    let trace = large::read(&Job::new(), &args.files, formats, &mut |_| records += 1)?;
    output.notice(&format!(
        "{records} log records are left out of files this large: --format json-lines shows them"
    ));
    Ok(trace)
}

fn is_empty(trace: &Trace) -> bool {
    let told = [trace.stacks.len(), trace.events.len(), trace.values.len(), trace.modules.len()];
    told == [0; 4] && trace.log.is_empty()
}

/// `replaced 3 paths (1 different), no users, …`
fn replaced(replaced: &Replaced) -> String {
    let Replaced { paths, users, hosts, strings } = replaced;
    let kinds = [("path", paths), ("user name", users), ("host name", hosts), ("string", strings)];
    let count = |(noun, count): &(&str, &Count)| match count.times {
        0 => format!("no {noun}"),
        1 => format!("1 {noun}"),
        times => format!("{times} {noun}s ({} different)", count.different),
    };
    format!("replaced {}", kinds.iter().map(count).collect::<Vec<_>>().join(", "))
}

/// How many lines nothing was made of, and the first of them.
fn skipped(skipped: &[Skipped]) -> Option<String> {
    let first = skipped.first()?;
    let lines: usize = skipped.iter().map(|run| run.lines.last - run.lines.first + 1).sum();
    let lines = if lines == 1 { "1 line".to_owned() } else { format!("{lines} lines") };
    let piece = first.lines.piece.as_ref().map(|piece| format!("{piece}, ")).unwrap_or_default();
    Some(format!("{lines} skipped, the first at {piece}line {}: {}", first.lines.first, first.text))
}
