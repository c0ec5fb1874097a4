//! Logs that are larger than a paste may be, gone through in pieces.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use dbgmate::error::{Error, Kind};
use dbgmate::job::{Job, Limits};
use dbgmate::trace::{LineFormats, LogRecord, LogStream, Trace};

use crate::paste::unreadable;

/// Bytes read at once.
pub(crate) const PIECE: usize = 256 << 10;

/// Whether the files are more than is read as one paste.
pub(crate) fn is_large(files: &[PathBuf]) -> bool {
    let bytes = |file: &PathBuf| file.metadata().map_or(0, |file| file.len());
    files.iter().map(bytes).sum::<u64>() > Limits::default().text_bytes as u64
}

/// Reads the files in order, standard input where there is none or for `-`, and shows each log record; `formats` are
/// those of the plugins.
/// What they hold beside those is returned.
pub(crate) fn read(
    job: &Job,
    files: &[PathBuf],
    formats: &LineFormats,
    each: &mut dyn FnMut(&LogRecord),
) -> Result<Trace, Error> {
    let mut log = LogStream::with(formats);
    let standard_input = [PathBuf::from("-")];
    for file in if files.is_empty() { &standard_input } else { files } {
        let name = (files.len() > 1).then(|| file.display().to_string());
        log.file(name.as_deref(), each);
        let failed = |error| unreadable(file, error);
        if file == Path::new("-") {
            feed(job, &mut log, io::stdin().lock(), each).map_err(failed)??;
        } else {
            let input = File::open(file).map_err(failed)?;
            feed(job, &mut log, input, each).map_err(failed)??;
        }
    }
    Ok(log.finish(each))
}

fn feed(
    job: &Job,
    log: &mut LogStream<'_>,
    mut input: impl Read,
    each: &mut dyn FnMut(&LogRecord),
) -> io::Result<Result<(), Error>> {
    let mut piece = vec![0; PIECE];
    loop {
        match input.read(&mut piece) {
            Ok(0) => return Ok(Ok(())),
            Ok(length) => {
                let bytes = piece.get(..length).unwrap_or_default();
                if let Err(stopped) = log.feed(job, bytes, each) {
                    return Ok(Err(stopped.into()));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The error of a form that needs the whole.
pub(crate) fn too_large() -> Error {
    let limit = Limits::default().text_bytes >> 20;
    Error::new(Kind::TooLarge, format!("the files are larger than {limit} MiB"))
        .hint("`dbgmate parse --format json-lines` shows their log records one by one")
}
