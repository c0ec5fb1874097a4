//! `dbgmate decode TYPE [FILE]`: what the bytes of a value say.

use std::path::PathBuf;

use dbgmate::api::decode::{DecodeMethod, DecodeRequest};
use dbgmate::job::Job;
use dbgmate::render;

use crate::backend::Backend;
use crate::output::Output;
use crate::scope::{Scope, Shown};
use crate::{Failure, Outcome, paste};

/// Show what the bytes of a value say, by the layout of its type
///
/// The bytes come from a file or from standard input: digits in hexadecimal, or what gdb prints for
/// `x/40xb ADDRESS` (also h, w and g). Enumerators are named, bit fields taken apart, texts quoted, and
/// of a union all members are shown. Bytes may be missing at the end.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The type: `struct libxl__ev_fd`; quote it, since a file may follow
    #[arg(value_name = "TYPE")]
    type_name: String,
    /// The bytes; standard input where no file is named, or for `-`
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
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
    let files: Vec<PathBuf> = args.file.into_iter().collect();
    let request = DecodeRequest {
        type_name: args.type_name,
        bytes: paste::read(&files, output)?.text.unwrap_or_default(),
        binaries: args.scope.binaries()?,
        language: args.scope.language,
    };
    let answer = backend.call::<DecodeMethod>(job, request, output)?;
    args.shown.write(&answer, render::decode, &answer.searched, output)?;
    Ok(Outcome::Found)
}
