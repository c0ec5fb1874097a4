//! Pasted text, from files or from standard input.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use dbgmate::api::trace::TextPiece;
use dbgmate::error::{Error, Kind};
use dbgmate::job::Limits;

use crate::output::Output;

/// What a person pasted: one text, or several named ones.
pub(crate) struct Paste {
    /// The text, when it is one.
    pub(crate) text: Option<String>,
    /// The texts, when they are several.
    pub(crate) pieces: Vec<TextPiece>,
}

/// Reads the files in order; standard input where there is none, or for `-`.
pub(crate) fn read(files: &[PathBuf], output: &mut Output) -> Result<Paste, Error> {
    let mut room = Limits::default().text_bytes;
    let paste = match files {
        [] => Paste { text: Some(standard_input(&mut room, output)?), pieces: Vec::new() },
        [one] => Paste { text: Some(one_file(one, &mut room, output)?), pieces: Vec::new() },
        several => {
            let mut pieces = Vec::new();
            for file in several {
                let text = one_file(file, &mut room, output)?;
                pieces.push(TextPiece { name: file.display().to_string(), text });
            }
            Paste { text: None, pieces }
        }
    };
    if paste.is_blank() {
        output.notice("the paste is empty");
    }
    Ok(paste)
}

impl Paste {
    fn is_blank(&self) -> bool {
        let pieces = self.pieces.iter().map(|piece| piece.text.as_str());
        self.text.as_deref().into_iter().chain(pieces).all(|text| text.trim().is_empty())
    }
}

fn one_file(path: &Path, room: &mut usize, output: &mut Output) -> Result<String, Error> {
    if path == Path::new("-") {
        return standard_input(room, output);
    }
    let failed = |error| unreadable(path, error);
    let file = File::open(path).map_err(failed)?;
    bounded(file, room, &path.display().to_string()).map_err(failed)?
}

/// The error of a file that cannot be read.
pub(crate) fn unreadable(path: &Path, error: io::Error) -> Error {
    Error::new(Kind::Unreadable, format!("{} cannot be read: {error}", path.display()))
        .hint("check the path, or paste into standard input")
}

fn standard_input(room: &mut usize, output: &mut Output) -> Result<String, Error> {
    let input = io::stdin().lock();
    if input.is_terminal() {
        output.notice("paste the trace, then press Ctrl-D on a line of its own");
    }
    bounded(input, room, "standard input").map_err(|error| {
        Error::new(Kind::Unreadable, format!("standard input cannot be read: {error}"))
    })?
}

/// Reads text within the room that is left; bytes that are no text are shown as such.
fn bounded(input: impl Read, room: &mut usize, name: &str) -> io::Result<Result<String, Error>> {
    let mut bytes = Vec::new();
    input.take(*room as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > *room {
        let limit = Limits::default().text_bytes >> 20;
        let error = Error::new(Kind::TooLarge, format!("{name} is larger than {limit} MiB"));
        return Ok(Err(error.hint("cut it down to the part around the crash")));
    }
    *room -= bytes.len();
    Ok(Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())))
}
