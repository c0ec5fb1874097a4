//! `dbgmate parse`: a pasted trace, clean enough for a bug report.

use std::path::PathBuf;

use dbgmate::api::trace::{ParseMethod, ParseRequest};
use dbgmate::job::Job;
use dbgmate::redact::{self, Count, Replaced};
use dbgmate::render;
use dbgmate::trace::{Skipped, Trace};

use crate::backend::Backend;
use crate::output::Output;
use crate::{Failure, Outcome, paste};

/// Clean a pasted trace or log for a bug report
///
/// Wrapped lines are joined; prompts, quoting and colours are gone; every stack has its thread and what
/// happened. Lines that nothing was made of are counted on standard error. The exit status is 1 when
/// nothing was made of any.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files with the paste; standard input where there is none, or for `-`
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The form of the answer
    #[arg(short, long, value_enum, default_value_t = Format::Text, value_name = "FORM")]
    format: Format,
    /// Without addresses: frames lose theirs, objects are told apart as `<address-1>`, `<address-2>`
    #[arg(long)]
    no_addresses: bool,
    /// Replace folders below a home, names of users and hosts, and strings by placeholders, the same
    /// text by the same one. Look the result over: a name that nothing marks as one is not found
    #[arg(long)]
    redact: bool,
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
    let paste = paste::read(&args.files, output)?;
    let request = ParseRequest { text: paste.text, pieces: paste.pieces };
    let mut trace = backend.call::<ParseMethod>(job, request, output)?;
    if args.no_addresses {
        redact::addresses(&mut trace);
    }
    if args.redact {
        output.notice(&replaced(&redact::private(&mut trace)));
    }
    match args.format {
        Format::Text => output.result(&render::clean_text(&trace))?,
        Format::Gdb => output.result(&render::gdb_session(&trace))?,
        Format::Json => output.json(&trace)?,
        Format::Markdown => output.result(&render::markdown(&trace))?,
    }
    if let Some(line) = skipped(&trace.skipped) {
        output.notice(&line);
    }
    Ok(if is_empty(&trace) { Outcome::NotFound } else { Outcome::Found })
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
