//! What is wrong with a plugin or a note, where, and what to do about it?

use std::fmt;
use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

/// A plugin, note or pattern that is not used, with the reason. Everything else is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// The file or folder, as a path a person can open; `shipped:…` for one inside the program.
    pub file: String,
    /// The line, from 1, where one line is to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub hint: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}; {}", self.what, self.hint)
    }
}

/// One thing wrong inside a TOML text, by its place in bytes.
#[derive(Clone, Debug)]
pub(super) struct Flaw {
    pub(super) span: Option<Range<usize>>,
    pub(super) what: String,
    pub(super) hint: &'static str,
}

impl Flaw {
    /// A flaw of the value that stands there.
    pub(super) fn at<T>(value: &Spanned<T>, what: impl Into<String>, hint: &'static str) -> Self {
        Flaw { span: Some(value.span()), what: what.into(), hint }
    }

    /// The flaw as a person reads it: the place counted in lines of its file.
    pub(super) fn in_file(self, file: &str, text: &str) -> Problem {
        let line = self.span.map(|span| {
            let before = text.as_bytes().get(..span.start).unwrap_or_default();
            before.iter().filter(|byte| **byte == b'\n').count() + 1
        });
        Problem { file: file.to_owned(), line, what: self.what, hint: self.hint.to_owned() }
    }
}

impl From<toml::de::Error> for Flaw {
    fn from(error: toml::de::Error) -> Self {
        let what = error.message().lines().collect::<Vec<_>>().join(" ");
        Flaw { span: error.span(), what, hint: "mend that line; docs/notes.md explains each key" }
    }
}
