//! `dbgmate field-at TYPE OFFSET`: which member is at an offset.

use dbgmate::api::field_at::{FieldAtMethod, FieldAtRequest};
use dbgmate::job::Job;
use dbgmate::render;

use crate::backend::Backend;
use crate::number::number;
use crate::output::Output;
use crate::scope::{Scope, Shown};
use crate::{Failure, Outcome};

/// Show which member of a type is at an offset
///
/// Elements of arrays and members of members are told, of a union each member that is there, and what
/// no member covers is said to be a hole or padding. Where a name has several layouts, each has its
/// own answer. The exit status is 1 where the offset is behind the end of all of them.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The type, and bytes from its start: `struct libxl__ev_fd 20`, `libxl_ctx 0x1f8`
    #[arg(value_name = "TYPE OFFSET", required = true, num_args = 2..)]
    what: Vec<String>,
    /// A bit, counted from the offset
    #[arg(long, value_name = "BIT", value_parser = number)]
    bit: Option<u64>,
    /// So many bytes from the offset on [default: 1]
    #[arg(long, value_name = "BYTES", value_parser = number)]
    size: Option<u64>,
    #[command(flatten)]
    scope: Scope,
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
    let (offset, name) = args.what.split_last().ok_or_else(|| usage("an offset is needed"))?;
    let offset = number(offset).map_err(|why| usage(&why))?;
    let request = FieldAtRequest {
        type_name: name.join(" "),
        offset: Some(offset),
        bit_offset: args.bit,
        size: args.size,
        binaries: args.scope.binaries()?,
        language: args.scope.language,
    };
    let bit = offset.saturating_mul(8).saturating_add(args.bit.unwrap_or(0));
    let answer = backend.call::<FieldAtMethod>(job, request, output)?;
    let text = |answer: &_| render::field_at(answer, bit);
    args.shown.write(&answer, text, &answer.searched, output)?;
    let is_found = answer.matches.iter().any(|found| !found.places.is_empty());
    Ok(if is_found { Outcome::Found } else { Outcome::NotFound })
}

fn usage(why: &str) -> dbgmate::error::Error {
    dbgmate::error::Error::new(dbgmate::error::Kind::Request, why)
        .hint("dbgmate field-at TYPE OFFSET, the offset in bytes: 20, 0x14")
}
