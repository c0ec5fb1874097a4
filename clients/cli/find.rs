//! `dbgmate find PATTERN`: which types there are.

use dbgmate::api::find::{FindMethod, FindRequest};
use dbgmate::job::Job;
use dbgmate::render;

use crate::backend::Backend;
use crate::number::number;
use crate::output::Output;
use crate::scope::{Scope, Shown};
use crate::{Failure, Outcome};

/// List the types of a name, size or shape
///
/// Without --binary the configured binaries are searched, else those that the plugins name and this
/// system has. Every condition that is given has to hold.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A glob, `libxl__ev_*`, or between slashes a regular expression, `/_ev_(fd|time)$/`
    #[arg(value_name = "PATTERN", required_unless_present_any = ["has", "size", "holds", "points_to"])]
    name: Option<String>,
    /// With a member of this name
    #[arg(long, value_name = "MEMBER")]
    has: Option<String>,
    /// Of so many bytes
    #[arg(long, value_name = "BYTES", value_parser = number)]
    size: Option<u64>,
    /// With this type as part of their bytes, spelled as it is shown: `struct point`
    #[arg(long, value_name = "TYPE")]
    holds: Option<String>,
    /// With a pointer to this type, spelled as it is shown
    #[arg(long, value_name = "TYPE")]
    points_to: Option<String>,
    #[command(flatten)]
    scope: Scope,
    /// So many names at most [default: 100]
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
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
    let request = FindRequest {
        name: args.name,
        has_member: args.has,
        size: args.size,
        holds: args.holds,
        points_to: args.points_to,
        binaries: args.scope.binaries()?,
        language: args.scope.language,
        limit: args.limit,
        cursor: None,
    };
    let answer = backend.call::<FindMethod>(job, request, output)?;
    args.shown.write(&answer, render::find, &[], output)?;
    if answer.next.is_some() {
        output.notice("there are more: --limit shows them");
    }
    Ok(if answer.types.is_empty() { Outcome::NotFound } else { Outcome::Found })
}
