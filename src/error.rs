//! What went wrong, said once: every module's facts become a kind, a sentence and a next step here
//! and nowhere else, so that the terminal and the wire say the same.

use std::fmt;
use std::io;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::job::Stopped;
use crate::{binary, history, types};

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
    /// The history cannot be read or written.
    History,
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
            Kind::History => 12,
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

impl From<binary::Error> for Error {
    fn from(error: binary::Error) -> Self {
        use binary::Error as E;
        match error {
            E::Stopped(stopped) => stopped.into(),
            E::Unreadable { path, error } => {
                let sentence = match error.kind() {
                    io::ErrorKind::NotFound => format!("{} does not exist", path.display()),
                    _ => format!("{} cannot be read: {error}", path.display()),
                };
                let hint = match error.kind() {
                    io::ErrorKind::NotFound => "check the path",
                    io::ErrorKind::PermissionDenied => "copy it to where you may read it",
                    _ => "check the file and the disk it is on",
                };
                Error::new(Kind::Unreadable, sentence).hint(hint)
            }
            E::NotAFile { path, what } => {
                Error::new(Kind::Unreadable, format!("{} is a {what}", path.display()))
                    .hint("name an ELF program, library or object file")
            }
            E::Empty { path } => {
                Error::new(Kind::Malformed, format!("{} is empty", path.display()))
                    .hint("name an ELF program, library or object file")
            }
            E::NotElf { path, looks_like } => {
                let sentence = format!("{} is not an ELF file", path.display());
                match looks_like {
                    Some(what) => Error::new(Kind::Malformed, format!("{sentence} but {what}")),
                    None => Error::new(Kind::Malformed, sentence)
                        .hint("name an ELF program, library or object file"),
                }
            }
            E::Malformed { path, why } => {
                Error::new(Kind::Malformed, format!("{} is damaged: {why}", path.display()))
                    .hint("compare it with the package or build it came from")
            }
        }
    }
}

impl From<history::Error> for Error {
    fn from(error: history::Error) -> Self {
        use history::Error as E;
        let of = |what: String| Error::new(Kind::History, what);
        match error {
            E::Unusable { path, error } => {
                of(format!("the history {} cannot be used: {error}", path.display()))
                    .hint("check its folder, or name another file: `file` of [history] in the configuration")
            }
            E::InUse { path } => {
                of(format!("the history {} is locked by another program", path.display()))
                    .hint("try again when that one has ended")
            }
            E::Full { path } => {
                of(format!("there is no room on the disk of the history {}", path.display()))
                    .hint("make room; what was stored before is all there")
            }
            E::ReadOnly { path } => {
                of(format!("the history {} or its folder may not be written", path.display())).hint(
                    "make both writable, which they must be to be read too, or name another file: `file` of [history] in the configuration",
                )
            }
            E::Damaged { path, why } => {
                of(format!("the history {} is damaged: {why}", path.display())).hint(
                    "save what `dbgmate history export` still reads, move the file away, and import that",
                )
            }
            E::NotOurs { path } => {
                of(format!("{} is a database of another program", path.display()))
                    .hint("name another file: `file` of [history] in the configuration")
            }
            E::Newer { path, version, known } => of(format!(
                "the history {} is of a newer dbgmate: its form is version {version}, this one knows {known}",
                path.display()
            ))
            .hint("use that dbgmate; nothing was changed"),
            E::Failed { path, why } => {
                of(format!("the history {} cannot be used: {why}", path.display()))
                    .hint("check the disk it is on, and whose file and folder it is")
            }
        }
    }
}

impl From<types::Error> for Error {
    fn from(error: types::Error) -> Self {
        use types::Error as E;
        match error {
            E::Stopped(stopped) => stopped.into(),
            E::Dwarf(error) => Error::new(Kind::Malformed, error.to_string())
                .hint("compare the binary with the package or build it came from"),
            E::TooMany => Error::new(
                Kind::TooLarge,
                "the question needs more of the debug info than one may read",
            )
            .hint("ask for a type that is less far-reaching"),
            E::TooDeep => Error::new(Kind::Malformed, "types are nested in themselves without end")
                .hint("the debug info is damaged: compare the binary with the build it came from"),
            E::BadName(why) => {
                Error::new(Kind::Request, format!("that is not a type's name: {why}"))
                    .hint("write it as source text does, for instance `struct libxl__ev_fd`")
            }
            E::BadPath(why) => Error::new(Kind::Request, why)
                .hint("write members with dots and indices, for instance `entry.le_next`"),
            E::BadBytes(why) => Error::new(Kind::Request, why)
                .hint("give bytes in hexadecimal, or what gdb prints for `x/40xb ADDRESS`"),
            E::NoSuchMember { step, inside, members } => no_such_member(&step, &inside, &members),
        }
    }
}

fn no_such_member(step: &str, inside: &str, members: &[String]) -> Error {
    /// As many members as fit on a line.
    const SHOWN: usize = 12;
    let error = Error::new(Kind::NotFound, format!("`{inside}` has no member `{step}`"));
    if members.is_empty() {
        return error.hint("it is not a type with such members");
    }
    let mut shown = members.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if members.len() > SHOWN {
        shown.push_str(", …");
    }
    error.hint(format!("it has {shown}"))
}

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
