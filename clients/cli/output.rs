//! Standard output and standard error, with colours where they are wanted.

use std::io::{self, BufWriter, Write};

use anstream::{AutoStream, ColorChoice};
use dbgmate::error::Error;
use dbgmate::render::escape::escape;
use dbgmate::render::style::{ERROR, HINT};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::json;

/// `--color`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ColorMode {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl ColorMode {
    /// Decides for all output of this process.
    pub(crate) fn apply(self) {
        let choice = match self {
            ColorMode::Auto => ColorChoice::Auto,
            ColorMode::Always => ColorChoice::Always,
            ColorMode::Never => ColorChoice::Never,
        };
        choice.write_global();
    }
}

/// The form of a text by its name in the API.
pub(crate) fn form<F: DeserializeOwned>(name: &str) -> Result<F, String> {
    let name = serde_json::Value::String(name.to_owned());
    serde_json::from_value(name).map_err(|error| error.to_string())
}

/// Where results go that come one by one.
pub(crate) struct JsonLines<'o>(BufWriter<io::StdoutLock<'o>>);

impl JsonLines<'_> {
    pub(crate) fn write(&mut self, result: &impl Serialize) -> io::Result<()> {
        json::write(&mut self.0, result)?;
        self.0.write_all(b"\n")
    }

    /// All that was written is where it belongs.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Where results and remarks go.
pub(crate) struct Output {
    results: AutoStream<io::Stdout>,
    remarks: AutoStream<io::Stderr>,
}

impl Output {
    pub(crate) fn new() -> Output {
        Output { results: anstream::stdout(), remarks: anstream::stderr() }
    }

    /// A result: text with styles, which go where they are not wanted.
    pub(crate) fn result(&mut self, styled: &str) -> io::Result<()> {
        self.results.write_all(styled.as_bytes())?;
        self.results.flush()
    }

    /// A result as JSON: exactly what the API returns.
    pub(crate) fn json(&mut self, answer: &impl Serialize) -> io::Result<()> {
        // Straight to the file, in large pieces: JSON has no styles to look for, and standard output
        // writes line by line.
        let mut results = BufWriter::with_capacity(1 << 16, self.results.as_inner().lock());
        json::write_pretty(&mut results, answer)?;
        writeln!(results)?;
        results.flush()
    }

    /// Results that come one by one, each as JSON on a line of its own.
    pub(crate) fn json_lines(&mut self) -> JsonLines<'_> {
        JsonLines(BufWriter::with_capacity(1 << 16, self.results.as_inner().lock()))
    }

    /// A remark that is no result. Nobody may be reading: that is no reason to fail.
    pub(crate) fn notice(&mut self, text: &str) {
        let _ = writeln!(self.remarks, "dbgmate: {}", escape(text));
    }

    /// An error, with what to do about it.
    pub(crate) fn complain(&mut self, error: &Error) {
        let sentence = escape(&error.sentence);
        let _ = writeln!(self.remarks, "{ERROR}dbgmate:{ERROR:#} {sentence}");
        if let Some(next_step) = &error.next_step {
            let _ = writeln!(self.remarks, "{HINT}  try:{HINT:#} {}", escape(next_step));
        }
    }
}
