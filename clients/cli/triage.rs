//! `dbgmate triage`: which known bug a pasted trace shows.

use std::collections::BTreeSet;
use std::path::PathBuf;

use dbgmate::api::triage::{ReportForm, ReportMethod, ReportRequest};
use dbgmate::config::Config;
use dbgmate::engine::Engine;
use dbgmate::error::{Error, Kind};
use dbgmate::job::Job;
use dbgmate::render;
use dbgmate::trace::{LogRecord, Trace};
use dbgmate::triage::Identity;

use crate::backend::Backend;
use crate::binaries::absolute;
use crate::output::{Output, form};
use crate::{Failure, Outcome, large, paste};

/// Records kept of a log that is too large to be read as a paste: each takes some 800 bytes, and all of it is to stay
/// below 64 MB.
const RECORDS: usize = 50_000;

/// Plugins and notes that are not used and are named.
const PROBLEMS: usize = 3;

/// Match a pasted backtrace or log against the known races and bugs
///
/// Prints each bug that fits with its evidence, line by line, what would confirm it, and what to do.
/// The exit status is 1 when none fits.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files with the paste; standard input where there is none, or for `-`
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A binary to look the frames up in: a program, a library, its unstripped twin; may be given
    /// several times
    #[arg(short, long = "binary", value_name = "PATH")]
    binaries: Vec<PathBuf>,
    /// With `--format json`: also the answer as text, as the API returns it
    #[arg(long, value_name = "FORM", value_parser = form::<ReportForm>)]
    render: Option<ReportForm>,
    /// Remember the crash: its fingerprint and the functions on its stack, no text of the paste
    #[arg(long)]
    remember: bool,
    /// The form of the answer
    #[arg(short, long, value_enum, default_value_t = Format::Text, value_name = "FORM")]
    format: Format,
    /// Short for `--format timeline`
    #[arg(long, conflicts_with_all = ["json", "format"])]
    timeline: bool,
    /// Short for `--format json`
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

/// `--format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For a terminal
    Text,
    /// For a bug tracker
    Markdown,
    /// Exactly what the API returns
    Json,
    /// A page that needs nothing else: the paste with the evidence marked, the interleaving drawn
    Html,
    /// Instead of the report, a picture (SVG) of when the objects in its logs began and ended
    Timeline,
}

impl Args {
    fn format(&self) -> Format {
        match (self.json, self.timeline) {
            (true, _) => Format::Json,
            (_, true) => Format::Timeline,
            _ => self.format,
        }
    }
}

/// Asks, and writes the report.
pub(crate) fn run(
    args: &Args,
    backend: &Backend,
    job: &Job,
    output: &mut Output,
) -> Result<Outcome, Failure> {
    let binaries = args.binaries.iter().map(absolute).collect::<Result<Vec<_>, _>>()?;
    let format = args.format();
    if args.render.is_some() && format != Format::Json {
        let error = Error::new(Kind::Request, "`--render` adds to the answer as JSON");
        return Err(error.hint("add `--format json`, or give the form to `--format`").into());
    }
    let render = if format == Format::Html { Some(ReportForm::Html) } else { args.render };
    let remember = args.remember.then_some(true);
    let request = if large::is_large(&args.files) {
        let trace = Some(what_notes_read(&args.files, output)?);
        ReportRequest { trace, binaries, remember, render, ..Default::default() }
    } else {
        let paste = paste::read(&args.files, output)?;
        let (text, pieces) = (paste.text, paste.pieces);
        ReportRequest { text, pieces, binaries, remember, render, ..Default::default() }
    };
    let answer = backend.call::<ReportMethod>(job, request, output)?;
    match &answer.history_problem {
        Some(problem) if args.remember => output.notice(&format!("not remembered: {problem}")),
        Some(problem) => output.notice(&format!("without the history: {problem}")),
        None if args.remember => output.notice(&remembered(&answer.report.identity)),
        None => {}
    }
    for problem in answer.plugin_problems.iter().take(PROBLEMS) {
        output.notice(&format!("not used: {problem}"));
    }
    if answer.plugin_problems.len() > PROBLEMS {
        let more = answer.plugin_problems.len() - PROBLEMS;
        output.notice(&format!("and {more} more; `dbgmate notes check` names all"));
    }
    let report = &answer.report;
    match format {
        Format::Text => output.result(&render::report::styled(report))?,
        Format::Markdown => output.result(&render::report_markdown(report))?,
        Format::Json => output.json(&answer)?,
        // With the paste in it, which only the answer has.
        Format::Html => output.result(answer.rendered.as_deref().unwrap_or_default())?,
        Format::Timeline => output.result(&render::lives_svg::timeline(report))?,
    }
    let found = match format {
        Format::Timeline => !report.objects.is_empty(),
        _ => !report.notes.is_empty(),
    };
    Ok(if found { Outcome::Found } else { Outcome::NotFound })
}

/// What is remembered of a crash.
fn remembered(identity: &Identity) -> String {
    match &identity.fingerprint {
        Some(fingerprint) => format!("remembered as {fingerprint}: {}", identity.because),
        None if identity.frames.is_empty() => format!("nothing to remember: {}", identity.because),
        None => format!("remembered without a fingerprint: {}", identity.because),
    }
}

/// Files too large for a paste: all but the log records that no note looks at.
fn what_notes_read(files: &[PathBuf], output: &mut Output) -> Result<Trace, Error> {
    let engine = Engine::new(Config::load()?);
    let plugins = engine.plugins();
    let (notes, formats) = (plugins.notes(), plugins.line_formats());
    let (mut kept, mut read, mut programs) = (Vec::new(), 0usize, BTreeSet::new());
    let mut trace = large::read(&Job::new(), files, formats, &mut |record: &LogRecord| {
        read += 1;
        let names = record.program.as_ref().is_some_and(|program| {
            !programs.contains(program)
                && programs.len() < RECORDS
                && programs.insert(program.clone())
        });
        if kept.len() < RECORDS && (names || notes.read(&record.text)) {
            kept.push(record.clone());
        }
    })?;
    let lost = if kept.len() < RECORDS { "" } else { ", the first of them" };
    output.notice(&format!(
        "of {read} log records {} are kept, those that a note may speak of{lost}",
        kept.len()
    ));
    trace.log = kept;
    Ok(trace)
}
