//! `dbgmate find PATTERN`: which types there are.

use dbgmate::api::find::{FindMethod, FindRequest, SeenBytes};
use dbgmate::api::functions::{FunctionRole, FunctionsMethod, FunctionsRequest};
use dbgmate::job::Job;
use dbgmate::render;

use crate::backend::Backend;
use crate::number::number;
use crate::output::Output;
use crate::scope::{Scope, Shown};
use crate::{Failure, Outcome};

/// What is asked of types and not of functions.
const NO_FUNCTION: [&str; 10] =
    ["name", "like", "has", "size", "align", "seen", "holds", "part_of", "points_to", "language"];

/// List the types of a name, size or shape
///
/// Without --binary the configured binaries are searched, else those that the plugins name and this
/// system has. Every condition that is given has to hold.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A glob, `libxl__ev_*` or `struct libxl__*` (this very name without `*`), or between slashes a
    /// regular expression, `/_ev_(fd|time)$/`
    #[arg(value_name = "PATTERN")]
    name: Option<String>,
    /// A name that may be mistyped: the types of the few names nearest to it
    #[arg(long, value_name = "NAME")]
    like: Option<String>,
    /// With a member of this name
    #[arg(long, value_name = "MEMBER")]
    has: Option<String>,
    /// Of so many bytes
    #[arg(long, value_name = "BYTES", value_parser = number)]
    size: Option<u64>,
    /// Aligned to so many bytes
    #[arg(long, value_name = "BYTES", value_parser = number)]
    align: Option<u64>,
    /// With a member, at any depth, of so many bytes at this offset; may be given several times, for
    /// what was seen in a dump
    #[arg(long, value_name = "OFFSET:SIZE", value_parser = seen_bytes)]
    seen: Vec<SeenBytes>,
    /// With this type as part of their bytes, at any depth: `struct point`
    #[arg(long, value_name = "TYPE")]
    holds: Option<String>,
    /// That are part of this type's bytes, at any depth
    #[arg(long, value_name = "TYPE")]
    part_of: Option<String>,
    /// With a pointer to this type among their members
    #[arg(long, value_name = "TYPE")]
    points_to: Option<String>,
    /// Not types, but the functions with a parameter that is this type, or leads to it by pointers
    /// and typedefs
    #[arg(long, value_name = "TYPE", conflicts_with_all = NO_FUNCTION)]
    takes: Option<String>,
    /// The same for what functions return
    #[arg(long, value_name = "TYPE", conflicts_with_all = NO_FUNCTION, conflicts_with = "takes")]
    returns: Option<String>,
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
    let asked = args.takes.as_ref().map(|of| (of, FunctionRole::Takes));
    if let Some((of, role)) = asked.or(args.returns.as_ref().map(|of| (of, FunctionRole::Returns)))
    {
        let request = FunctionsRequest {
            type_name: of.clone(),
            only: Some(role),
            binaries: args.scope.binaries()?,
            limit: args.limit,
            cursor: None,
        };
        return functions(&args, request, backend, job, output);
    }
    let request = FindRequest {
        name: args.name,
        has_member: args.has,
        like: args.like,
        size: args.size,
        align: args.align,
        seen: args.seen,
        holds: args.holds,
        part_of: args.part_of,
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
    match (answer.types.is_empty(), answer.near.is_empty()) {
        (_, false) => {
            output.notice(&format!("no such name: did you mean {}?", answer.near.join(", ")));
        }
        (true, true) => output.notice("no type is as asked"),
        (false, true) => {}
    }
    Ok(if answer.types.is_empty() { Outcome::NotFound } else { Outcome::Found })
}

fn functions(
    args: &Args,
    request: FunctionsRequest,
    backend: &Backend,
    job: &Job,
    output: &mut Output,
) -> Result<Outcome, Failure> {
    let answer = backend.call::<FunctionsMethod>(job, request, output)?;
    args.shown.write(&answer, render::functions, &[], output)?;
    if answer.next.is_some() {
        output.notice("there are more: --limit shows them");
    }
    if answer.functions.is_empty() {
        output.notice("no function is as asked");
    }
    Ok(if answer.functions.is_empty() { Outcome::NotFound } else { Outcome::Found })
}

/// `0x18:4`, four bytes at offset 24.
fn seen_bytes(text: &str) -> Result<SeenBytes, String> {
    let (offset, size) = text.split_once(':').ok_or("an offset and a size: 24:4, 0x18:4")?;
    Ok(SeenBytes { offset: number(offset)?, size: number(size)? })
}
