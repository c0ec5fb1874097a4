//! `dbgmate diff OLD NEW [TYPE]`: what has changed in types from one build to the next.

use std::path::PathBuf;

use dbgmate::api::diff::{DiffMethod, DiffRequest};
use dbgmate::job::Job;
use dbgmate::render;

use crate::backend::Backend;
use crate::binaries::absolute;
use crate::output::Output;
use crate::scope::Shown;
use crate::{Failure, Outcome};

/// Show what has changed in the types of a binary from one build to the next
///
/// Members that have come, gone or moved, and those of another size or type; enumerators of another
/// value; and what that does to the types that the changed ones are part of.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The older build
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The newer build
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// One type; all that have a name where there is none
    #[arg(value_name = "TYPE")]
    type_name: Vec<String>,
    #[command(flatten)]
    shown: Shown,
}

/// Asks, and writes the answer.
pub(crate) fn run(
    args: Args,
    backend: &Backend,
    job: &Job,
    output: &mut Output,
) -> Result<Outcome, Failure> {
    let type_name = args.type_name.join(" ");
    let request = DiffRequest {
        old: absolute(&args.old)?,
        new: absolute(&args.new)?,
        type_name: (!type_name.is_empty()).then_some(type_name),
    };
    let answer = backend.call::<DiffMethod>(job, request, output)?;
    args.shown.write(&answer, render::diff, &[], output)?;
    Ok(Outcome::Found)
}
