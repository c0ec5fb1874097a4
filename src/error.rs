//! What went wrong, said once: every module's facts become a kind, a sentence and a next step here
//! and nowhere else, so that the terminal and the wire say the same.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::job::Stopped;

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The kind, for programs.
    pub kind: Kind,
    /// What happened, in one sentence without a full stop, for people.
    pub sentence: String,
    /// What to do about it.
    pub next_step: Option<String>,
}

/// The kinds of error: stable names on the wire (`data.kind`), each with its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The request itself makes no sense: an empty name, a path that cannot be parsed.
    Request,
    /// Nothing goes by that name in the binaries searched.
    NotFound,
    /// The file cannot be read: missing, no permission, a folder, a FIFO.
    Unreadable,
    /// The file is not an ELF file, or a damaged one.
    Malformed,
    /// The binary has no debug info, and none was found for it.
    NoDebugInfo,
    /// More than the limits allow.
    TooLarge,
    /// The caller gave up.
    Cancelled,
    /// The time allowed has passed.
    Deadline,
    /// A plugin, a note or the configuration is wrong.
    Configuration,
    /// The daemon does not answer, or is not to be trusted.
    Daemon,
    /// Our own fault.
    Internal,
}

impl Kind {
    /// The JSON-RPC error code: outside −32768…−32000, which the protocol keeps for itself.
    pub fn code(self) -> i32 {
        match self {
            Kind::Request => 1,
            Kind::NotFound => 2,
            Kind::Unreadable => 3,
            Kind::Malformed => 4,
            Kind::NoDebugInfo => 5,
            Kind::TooLarge => 6,
            Kind::Cancelled => 7,
            Kind::Deadline => 8,
            Kind::Configuration => 9,
            Kind::Daemon => 10,
            Kind::Internal => 11,
        }
    }
}

impl Error {
    /// An error of this kind with its sentence.
    pub fn new(kind: Kind, sentence: impl Into<String>) -> Self {
        Error { kind, sentence: sentence.into(), next_step: None }
    }

    /// The same error with what to do about it.
    pub fn hint(mut self, next_step: impl Into<String>) -> Self {
        self.next_step = Some(next_step.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)?;
        match &self.next_step {
            Some(next_step) => write!(f, "; {next_step}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

impl From<Stopped> for Error {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Cancelled => Error::new(Kind::Cancelled, "the request was cancelled"),
            Stopped::DeadlinePassed => {
                Error::new(Kind::Deadline, "the time allowed for this request has passed")
                    .hint("ask for less at once, or raise the deadline in the configuration")
            }
        }
    }
}
