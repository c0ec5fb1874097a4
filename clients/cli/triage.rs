//! `dbgmate triage`: which known bug a pasted trace shows.

use std::collections::BTreeSet;
use std::path::PathBuf;

use dbgmate::api::triage::{ReportForm, ReportMethod, ReportRequest};
use dbgmate::config::Config;
use dbgmate::engine::Engine;
use dbgmate::error::Error;
use dbgmate::job::Job;
use dbgmate::render;
use dbgmate::trace::{LogRecord, Trace};
use dbgmate::triage::Identity;

use crate::backend::Backend;
use crate::binaries::absolute;
use crate::output::{Output, form};
use crate::{Failure, Outcome, large, paste};

/// Records kept of a log that is too large to be read as a paste.
const RECORDS: usize = 100_000;

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
    /// With --json: also the answer as text, as the API returns it
    #[arg(long, value_name = "FORM", requires = "json", value_parser = form::<ReportForm>)]
    render: Option<ReportForm>,
    /// Remember the crash: its fingerprint and the functions on its stack, no text of the paste
    #[arg(long)]
    remember: bool,
    /// Instead of the report, a picture (SVG) of when the objects in its logs began and ended
    #[arg(long, conflicts_with = "json")]
    timeline: bool,
    /// Exactly what the API returns
    #[arg(long)]
    json: bool,
}

/// Asks, and writes the report.
pub(crate) fn run(
    args: &Args,
    backend: &Backend,
    job: &Job,
    output: &mut Output,
) -> Result<Outcome, Failure> {
    let binaries = args.binaries.iter().map(absolute).collect::<Result<Vec<_>, _>>()?;
    let render = args.render;
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
        Some(problem) => output.notice(&format!("without the history: {problem}")),
        None if args.remember => output.notice(&remembered(&answer.report.identity)),
        None => {}
    }
    if args.json {
        output.json(&answer)?;
    } else if args.timeline {
        output.result(&render::lives_svg::timeline(&answer.report))?;
        return Ok(if answer.report.objects.is_empty() {
            Outcome::NotFound
        } else {
            Outcome::Found
        });
    } else {
        output.result(&render::report::styled(&answer.report))?;
    }
    Ok(if answer.report.notes.is_empty() { Outcome::NotFound } else { Outcome::Found })
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
    let (notes, formats) = (engine.plugins().notes(), engine.plugins().line_formats());
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
