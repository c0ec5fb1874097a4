//! What the questions about types have in common: where is looked, and how the answer is shown.

use std::io;
use std::path::PathBuf;

use dbgmate::api::binary::BinaryRef;
use dbgmate::api::layout::Searched;
use dbgmate::error::Error;
use serde::Serialize;

use crate::binaries::{absolute, provenance};
use crate::output::Output;

/// Which definitions are meant.
#[derive(Debug, clap::Args)]
pub(crate) struct Scope {
    /// The binary to search; may be given several times
    #[arg(short, long = "binary", value_name = "PATH")]
    binaries: Vec<PathBuf>,
    /// Only definitions in this language: c, c++, rust, go, assembly, other
    #[arg(long, value_name = "LANGUAGE")]
    pub(crate) language: Option<String>,
}

impl Scope {
    /// The binaries as they are asked for.
    pub(crate) fn binaries(&self) -> Result<Vec<BinaryRef>, Error> {
        self.binaries.iter().map(absolute).collect()
    }
}

/// As text, or as JSON.
#[derive(Debug, clap::Args)]
pub(crate) struct Shown {
    /// Exactly what the API returns
    #[arg(long)]
    json: bool,
}

impl Shown {
    /// Writes an answer; beside the text, where it is from.
    pub(crate) fn write<A: Serialize>(
        &self,
        answer: &A,
        text: impl FnOnce(&A) -> String,
        searched: &[Searched],
        output: &mut Output,
    ) -> io::Result<()> {
        if self.json {
            return output.json(answer);
        }
        output.result(&text(answer))?;
        for line in provenance(searched) {
            output.notice(&line);
        }
        Ok(())
    }
}
