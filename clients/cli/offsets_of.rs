//! `dbgmate offsets-of TYPE`: where the members of a type are.

use dbgmate::api::layout::{LayoutForm, OffsetsOfMethod, OffsetsOfRequest};
use dbgmate::job::Job;
use dbgmate::render;

use crate::backend::Backend;
use crate::output::{Output, form};
use crate::scope::{Scope, Shown};
use crate::{Failure, Outcome};

/// Show where the members of a struct, union, class, enum or typedef are
///
/// Every distinct definition of the name is shown. Without --binary the configured binaries are
/// searched, else those that the plugins name and this system has. A type that a binary does not
/// define is looked for in the libraries it needs and in the modules its plugins load.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The type, perhaps with a member path: `struct libxl__ev_fd`, `libxl_ctx`,
    /// `struct libxl__ev_fd.entry.le_next`
    #[arg(value_name = "TYPE", required = true, num_args = 1..)]
    type_name: Vec<String>,
    #[command(flatten)]
    scope: Scope,
    /// The C-like view with types, sizes, bit fields, holes and cache lines: --format layout
    #[arg(short, long, conflicts_with = "json")]
    layout: bool,
    /// How it is shown: `script` (the default), `layout`, `asserts` (C that compiles where the layout
    /// is true), `map` (members and holes to scale) or `svg` (the same as a picture)
    #[arg(long, value_name = "FORM", conflicts_with_all = ["layout", "json"], value_parser = form::<LayoutForm>)]
    format: Option<LayoutForm>,
    /// With --json: also the answer as text, as the API returns it
    #[arg(long, value_name = "FORM", requires = "json", value_parser = form::<LayoutForm>)]
    render: Option<LayoutForm>,
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
    let request = OffsetsOfRequest {
        // `offsets-of struct foo` without quotes is what people type.
        type_name: args.type_name.join(" "),
        path: None,
        binaries: args.scope.binaries()?,
        language: args.scope.language,
        render: args.render,
    };
    let answer = backend.call::<OffsetsOfMethod>(job, request, output)?;
    let short = if args.layout { LayoutForm::Layout } else { LayoutForm::Script };
    let form = args.format.unwrap_or(short);
    let text = |answer: &_| render::layout(answer, form);
    args.shown.write(&answer, text, &answer.searched, output)?;
    Ok(Outcome::Found)
}
