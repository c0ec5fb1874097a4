//! `dbgmate triage`: which known bug a pasted trace shows.

use std::path::PathBuf;

use dbgmate::api::triage::{ReportForm, ReportMethod, ReportRequest};
use dbgmate::job::Job;
use dbgmate::render;

use crate::backend::Backend;
use crate::binaries::absolute;
use crate::output::{Output, form};
use crate::{Failure, Outcome, paste};

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
    let paste = paste::read(&args.files, output)?;
    let binaries = args.binaries.iter().map(absolute).collect::<Result<Vec<_>, _>>()?;
    let (text, pieces) = (paste.text, paste.pieces);
    let render = args.render;
    let request = ReportRequest { text, pieces, binaries, render, ..Default::default() };
    let answer = backend.call::<ReportMethod>(job, request, output)?;
    if args.json {
        output.json(&answer)?;
    } else {
        output.result(&render::report::styled(&answer.report))?;
    }
    Ok(if answer.report.notes.is_empty() { Outcome::NotFound } else { Outcome::Found })
}
