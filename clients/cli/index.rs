//! `dbgmate index FILE…`: read which types binaries have, for the questions to come.

use std::path::PathBuf;

use dbgmate::api::binary::{BinaryInfo, LoadMethod, LoadRequest};
use dbgmate::job::Job;
use dbgmate::render::escape::escape;

use crate::backend::Backend;
use crate::binaries::{absolute, without_debug_info};
use crate::output::Output;
use crate::{Failure, Outcome};

/// Read which types binaries have, so that the first question is answered at once
///
/// What is found is kept in the XDG cache folder; docs/configuration.md says how much of it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The binaries
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

/// Asks for each, and says what it has.
pub(crate) fn run(
    args: &Args,
    backend: &Backend,
    job: &Job,
    output: &mut Output,
) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::Found;
    for file in &args.files {
        let request = LoadRequest { binary: absolute(file)? };
        match backend.call::<LoadMethod>(job, request, output) {
            Ok(info) if info.debug_info.used.is_some() => output.result(&line(&info))?,
            Ok(info) => {
                outcome = Outcome::NotFound;
                let why = without_debug_info(&info.debug_info).unwrap_or_default();
                output.notice(&format!("{}: {why}", info.path));
            }
            Err(error) => {
                outcome = Outcome::NotFound;
                output.complain(&error);
            }
        }
    }
    Ok(outcome)
}

fn line(info: &BinaryInfo) -> String {
    let types = info.types.unwrap_or(0);
    format!("{}: {types} types in {} units\n", escape(&info.path), info.units)
}
