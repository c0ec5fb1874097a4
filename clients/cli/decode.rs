//! `dbgmate decode TYPE [FILE]`: what the bytes of a value say.

use std::path::PathBuf;

use dbgmate::api::decode::{DecodeMethod, DecodeRequest};
use dbgmate::job::Job;
use dbgmate::render;

use crate::backend::Backend;
use crate::binaries::{absolute, provenance};
use crate::output::Output;
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
    /// The binary to search; may be given several times
    #[arg(short, long = "binary", value_name = "PATH")]
    binaries: Vec<PathBuf>,
    /// Only definitions in this language: c, c++, rust, go, assembly, other
    #[arg(long, value_name = "LANGUAGE")]
    language: Option<String>,
    /// Exactly what the API returns
    #[arg(long)]
    json: bool,
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
        binaries: args.binaries.iter().map(absolute).collect::<Result<_, _>>()?,
        language: args.language,
    };
    let answer = backend.call::<DecodeMethod>(job, request, output)?;
    if args.json {
        output.json(&answer)?;
    } else {
        output.result(&render::decode(&answer))?;
        for line in provenance(&answer.searched) {
            output.notice(&line);
        }
    }
    Ok(Outcome::Found)
}
