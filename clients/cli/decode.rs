//! `dbgmate decode TYPE [FILE]`: what the bytes of a value say.

use std::path::PathBuf;

use dbgmate::address::RuntimeAddress;
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
/// of a union all members are shown. Pointers have the symbol they point to, where it is known where
/// the binary was loaded. Bytes may be missing at the end.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The type: `struct libxl__ev_fd`; quote it, since a file may follow
    #[arg(value_name = "TYPE")]
    type_name: String,
    /// The bytes; standard input where no file is named, or for `-`
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Where the binary's first mapping starts in the process: then pointers into it are named. Not
    /// needed for a program that is loaded where it was linked, and where gdb names a symbol
    #[arg(long, value_name = "ADDRESS", conflicts_with = "maps")]
    base: Option<RuntimeAddress>,
    /// A file with what gdb's `info sharedlibrary` or /proc/PID/maps say: pointers into all of them are
    /// named
    #[arg(long, value_name = "FILE")]
    maps: Option<PathBuf>,
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
    let maps = match &args.maps {
        Some(path) => paste::read(std::slice::from_ref(path), output)?.text,
        None => None,
    };
    let files: Vec<PathBuf> = args.file.into_iter().collect();
    let request = DecodeRequest {
        type_name: args.type_name,
        bytes: paste::read(&files, output)?.text.unwrap_or_default(),
        base: args.base,
        maps,
        binaries: args.scope.binaries()?,
        language: args.scope.language,
    };
    let answer = backend.call::<DecodeMethod>(job, request, output)?;
    args.shown.write(&answer, render::decode, &answer.searched, output)?;
    Ok(Outcome::Found)
}
