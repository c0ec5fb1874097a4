//! `dbgmate history`: which crashes were seen before.

use std::io::BufRead;
use std::path::PathBuf;

use dbgmate::api::history::{
    DeleteMethod, DeleteRequest, ExportMethod, GetMethod, GetRequest, ImportMethod, ImportRequest,
    Imported, Line, ListMethod, ListRequest, NoteMethod, NoteRequest, SimilarMethod,
    SimilarRequest,
};
use dbgmate::error::{Error, Kind};
use dbgmate::job::Job;
use dbgmate::render;

use crate::backend::Backend;
use crate::binaries::absolute;
use crate::output::Output;
use crate::{Failure, Outcome, paste};

/// Lines that are imported or exported at once.
const AT_ONCE: usize = 1_000;

/// The longest line of an import, in bytes.
const LONGEST_LINE: usize = 16 << 20;

/// The crashes that were remembered, and those like one
///
/// `dbgmate triage --remember` remembers a crash, and with `enabled = true` under [history] in the
/// configuration every triage does: its fingerprint, the functions on its stack and the notes that
/// fitted, no text of the paste. Reports then say how often a crash was seen.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// The crashes, the latest first
    List {
        /// So many at most
        #[arg(long, value_name = "NUMBER", default_value_t = 100)]
        limit: usize,
        /// Exactly what the API returns
        #[arg(long)]
        json: bool,
    },
    /// All that is known of one crash
    Show {
        /// Its number in the list
        #[arg(value_name = "ID")]
        id: i64,
        /// Exactly what the API returns
        #[arg(long)]
        json: bool,
    },
    /// The crashes that are like one of them, or like that of a paste
    Similar {
        /// A number in the list, or files with a paste (`./7` for a file of such a name); standard
        /// input where there is none, or for `-`
        #[arg(value_name = "ID|FILE")]
        what: Vec<PathBuf>,
        /// A binary to look the frames of a paste up in: a program, a library, its unstripped twin; may be
        /// given several times
        #[arg(short, long = "binary", value_name = "PATH")]
        binaries: Vec<PathBuf>,
        /// So many at most
        #[arg(long, value_name = "NUMBER", default_value_t = 10)]
        limit: usize,
        /// Exactly what the API returns
        #[arg(long)]
        json: bool,
    },
    /// Attach your own words to all crashes of a fingerprint; reports show them
    Note {
        /// A number in the list, or a fingerprint
        #[arg(value_name = "ID|FINGERPRINT")]
        what: String,
        /// The words, in the place of earlier ones; "" takes those away
        #[arg(value_name = "TEXT")]
        text: String,
    },
    /// Forget crashes
    Delete {
        /// Their numbers in the list
        #[arg(value_name = "ID", required = true)]
        ids: Vec<i64>,
    },
    /// Write all of it to standard output, as JSON lines
    Export,
    /// Take over what another history has exported
    Import {
        /// The file; standard input where there is none, or for `-`
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

/// Asks, and writes the answer.
pub(crate) fn run(
    args: Args,
    backend: &Backend,
    job: &Job,
    output: &mut Output,
) -> Result<Outcome, Failure> {
    match args.command {
        Command::List { limit, json } => {
            let request = ListRequest { limit: Some(limit), cursor: None };
            let answer = backend.call::<ListMethod>(job, request, output)?;
            if json {
                output.json(&answer)?;
            } else {
                output.result(&render::history::list(&answer.entries))?;
                if answer.next.is_some() {
                    output.notice("there are more: --limit shows them");
                }
            }
            Ok(found(!answer.entries.is_empty()))
        }
        Command::Show { id, json } => {
            let entry = backend.call::<GetMethod>(job, GetRequest { id }, output)?;
            if json {
                output.json(&entry)?;
            } else {
                output.result(&render::history::entry(&entry))?;
            }
            Ok(Outcome::Found)
        }
        Command::Similar { what, binaries, limit, json } => {
            let binaries = binaries.iter().map(absolute).collect::<Result<Vec<_>, _>>()?;
            let request =
                SimilarRequest { binaries, limit: Some(limit), ..question(&what, output)? };
            let answer = backend.call::<SimilarMethod>(job, request, output)?;
            if json {
                output.json(&answer)?;
            } else {
                output.result(&render::history::similar(&answer.similar))?;
            }
            Ok(found(!answer.similar.is_empty()))
        }
        Command::Note { what, text } => {
            let id = what.parse().ok();
            let fingerprint = id.is_none().then_some(what);
            let request = NoteRequest { id, fingerprint, text };
            let answer = backend.call::<NoteMethod>(job, request, output)?;
            output.notice(&format!("noted for {}", answer.fingerprint));
            Ok(Outcome::Found)
        }
        Command::Delete { ids } => {
            let asked = ids.len();
            let answer = backend.call::<DeleteMethod>(job, DeleteRequest { ids }, output)?;
            output.notice(&format!("{} of {asked} were there and are forgotten", answer.deleted));
            Ok(found(answer.deleted > 0))
        }
        Command::Export => export(backend, job, output),
        Command::Import { file } => import(file, backend, job, output),
    }
}

fn found(any: bool) -> Outcome {
    if any { Outcome::Found } else { Outcome::NotFound }
}

/// One number is a crash of the history, everything else a paste.
fn question(what: &[PathBuf], output: &mut Output) -> Result<SimilarRequest, Error> {
    let only = if let [only] = what { only.to_str() } else { None };
    if let Some(id) = only.and_then(|text| text.parse().ok()) {
        return Ok(SimilarRequest { id: Some(id), ..Default::default() });
    }
    let paste = paste::read(what, output)?;
    Ok(SimilarRequest { text: paste.text, pieces: paste.pieces, ..Default::default() })
}

fn export(backend: &Backend, job: &Job, output: &mut Output) -> Result<Outcome, Failure> {
    let mut cursor = None;
    loop {
        let request = ListRequest { limit: Some(AT_ONCE), cursor };
        let answer = backend.call::<ExportMethod>(job, request, output)?;
        let mut lines = output.json_lines();
        for line in &answer.lines {
            lines.write(line)?;
        }
        lines.finish()?;
        cursor = answer.next;
        if cursor.is_none() {
            return Ok(Outcome::Found);
        }
    }
}

/// Part by part, each stored before the next is read. What has an error ends it: what came before
/// is stored, and to import it again stores nothing twice.
fn import(
    file: Option<PathBuf>,
    backend: &Backend,
    job: &Job,
    output: &mut Output,
) -> Result<Outcome, Failure> {
    let file = file.filter(|file| file.as_os_str() != "-");
    let name = file.as_ref().map_or("standard input".to_owned(), |file| file.display().to_string());
    let unreadable = |error: std::io::Error| {
        Error::new(Kind::Unreadable, format!("{name} cannot be read: {error}"))
    };
    let mut input: Box<dyn BufRead> = match &file {
        None => Box::new(std::io::stdin().lock()),
        Some(file) => {
            let opened = std::fs::File::open(file).map_err(unreadable)?;
            Box::new(std::io::BufReader::new(opened))
        }
    };
    let (mut lines, mut all, mut number) = (Vec::new(), Imported::default(), 0_usize);
    loop {
        let mut text = Vec::new();
        let mut limited = std::io::Read::take(&mut input, LONGEST_LINE as u64);
        let is_end = limited.read_until(b'\n', &mut text).map_err(unreadable)? == 0;
        number += 1;
        if !text.trim_ascii().is_empty() {
            lines.push(line(&text).map_err(|why| {
                Error::new(Kind::Request, format!("{name}:{number}: {why}"))
                    .hint("take what `dbgmate history export` has written")
            })?);
        }
        if is_end || lines.len() >= AT_ONCE {
            let request = ImportRequest { lines: std::mem::take(&mut lines) };
            let part = backend.call::<ImportMethod>(job, request, output)?;
            all.added += part.added;
            all.known += part.known;
        }
        if is_end {
            break;
        }
    }
    output.notice(&format!("{} lines are new, {} were known", all.added, all.known));
    Ok(Outcome::Found)
}

fn line(text: &[u8]) -> Result<Line, String> {
    let line: Line = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    line.flaw().map_or(Ok(line), |flaw| Err(flaw.to_owned()))
}
