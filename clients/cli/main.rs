//! `dbgmate`: the command line.
//!
//! Each subcommand is a file: its manual, its arguments, `run`. Results go to standard output,
//! everything else to standard error; the exit status is 0 found, 1 not found or failed, 2 wrong
//! usage.

mod backend;
mod binaries;
mod by_time;
mod decode;
mod diff;
mod doctor;
mod field_at;
mod find;
mod history;
mod index;
mod json;
mod large;
mod manual;
mod notes;
mod number;
mod offsets_of;
mod output;
mod parse;
mod paste;
mod progress;
mod scope;
mod serve;
mod symbolize;
mod triage;

use std::process::ExitCode;

use clap::Parser;
use dbgmate::config::Config;
use dbgmate::error::{Error, Kind};
use dbgmate::job::Job;

use backend::{Backend, Mode};
use output::{ColorMode, Output};

/// The heading of the options that every subcommand takes.
const GLOBAL: &str = "Global options";

/// Where is this field, and where have I seen this crash: struct layouts from DWARF, and pasted
/// backtraces matched against known races.
#[derive(Debug, Parser)]
#[command(name = "dbgmate", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// Ask the daemon: when it runs and agrees with this program, never, or always
    #[arg(long, value_enum, default_value_t = Mode::Auto, global = true, value_name = "WHEN", help_heading = GLOBAL)]
    daemon: Mode,
    /// Colours: on a terminal (and not under NO_COLOR), always, or never
    #[arg(long, value_enum, default_value_t = ColorMode::Auto, global = true, value_name = "WHEN", help_heading = GLOBAL)]
    color: ColorMode,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    OffsetsOf(offsets_of::Args),
    FieldAt(field_at::Args),
    Find(find::Args),
    Decode(decode::Args),
    Diff(diff::Args),
    Parse(parse::Args),
    Symbolize(symbolize::Args),
    Triage(triage::Args),
    Notes(notes::Args),
    History(history::Args),
    Index(index::Args),
    Serve(serve::Args),
    Doctor(doctor::Args),
    Completions(manual::Completions),
    Man(manual::Man),
}

/// Whether what was asked for was found: the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Found,
    NotFound,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    cli.color.apply();
    let mut output = Output::new();
    match run(cli, &mut output) {
        Ok(Outcome::Found) => ExitCode::SUCCESS,
        Ok(Outcome::NotFound) => ExitCode::from(1),
        Err(Failure::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            // Whoever read has read enough (`| head`).
            ExitCode::SUCCESS
        }
        Err(Failure::Output(error)) => {
            output.complain(&Error::new(Kind::Internal, format!("cannot write: {error}")));
            ExitCode::from(1)
        }
        Err(Failure::Answer(error)) => {
            output.complain(&error);
            ExitCode::from(if error.kind == Kind::Request { 2 } else { 1 })
        }
    }
}

/// Why a command ended early.
pub(crate) enum Failure {
    /// The question has no answer.
    Answer(Error),
    /// The answer could not be written.
    Output(std::io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Answer(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::Output(error)
    }
}

fn run(cli: Cli, output: &mut Output) -> Result<Outcome, Failure> {
    match cli.command {
        Command::Completions(args) => manual::complete(&args, output),
        Command::Man(args) => manual::man(&args, output),
        Command::Serve(args) => {
            serve::run(&args, Config::load()?)?;
            Ok(Outcome::Found)
        }
        Command::Doctor(args) => doctor::run(&args, output),
        Command::OffsetsOf(args) => {
            let (backend, job) = answering(cli.daemon, output)?;
            offsets_of::run(args, &backend, &job, output)
        }
        Command::FieldAt(args) => {
            let (backend, job) = answering(cli.daemon, output)?;
            field_at::run(args, &backend, &job, output)
        }
        Command::Find(args) => {
            let (backend, job) = answering(cli.daemon, output)?;
            find::run(args, &backend, &job, output)
        }
        Command::Decode(args) => {
            let (backend, job) = answering(cli.daemon, output)?;
            decode::run(args, &backend, &job, output)
        }
        Command::Diff(args) => {
            let (backend, job) = answering(cli.daemon, output)?;
            diff::run(args, &backend, &job, output)
        }
        Command::Index(args) => {
            let (backend, job) = answering(cli.daemon, output)?;
            index::run(&args, &backend, &job, output)
        }
        Command::Parse(args) => {
            let (backend, job) = answering(cli.daemon, output)?;
            parse::run(&args, &backend, &job, output)
        }
        Command::Symbolize(args) => {
            let (backend, job) = answering(cli.daemon, output)?;
            symbolize::run(&args, &backend, &job, output)
        }
        Command::History(args) => {
            let (backend, job) = answering(cli.daemon, output)?;
            history::run(args, &backend, &job, output)
        }
        Command::Triage(args) => {
            let (backend, job) = answering(cli.daemon, output)?;
            triage::run(&args, &backend, &job, output)
        }
        Command::Notes(args) => {
            let (backend, job) = answering(cli.daemon, output)?;
            notes::run(&args, &backend, &job, output)
        }
    }
}

/// Who answers, and the job to answer under.
fn answering(mode: Mode, output: &mut Output) -> Result<(Backend, Job), Error> {
    let config = Config::load()?;
    let choice = backend::choose(mode, &config)?;
    if let Some(notice) = choice.notice {
        output.notice(&notice);
    }
    Ok((choice.backend, Job::new().with_deadline(config.deadline())))
}
