//! `history.*`: which crashes were seen before; and what triage has to do with it.

use std::hash::Hasher;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use fnv::FnvHasher;

use super::symbolize::{Wanted, symbolize};
use super::{Answer, Engine, paste};
use crate::api::history::{
    DeleteMethod, DeleteRequest, Deleted, Entry, ExportMethod, Exported, GetMethod, GetRequest,
    HistoryList, ImportMethod, ImportRequest, Imported, Line, ListMethod, ListRequest, NoteMethod,
    NoteRequest, Noted, SimilarCrashes, SimilarMethod, SimilarRequest,
};
use crate::error::{Error, Kind};
use crate::history::{History, PersonNote, Record, Seen, now};
use crate::job::Job;
use crate::trace::{Event, Stack, Trace};
use crate::triage::{self, Report};

/// How long one who writes, or asks for nothing else, waits for other writers.
const WAIT: Duration = Duration::from_secs(5);

/// How long a triage that only looks does: a report without a history is better than a late one.
const SHORT_WAIT: Duration = Duration::from_millis(500);

/// Entries of a part, where the question does not say.
const PART: usize = 100;

/// Entries of a part at most.
const LARGEST_PART: usize = 10_000;

/// Similar crashes, where the question does not say.
const SIMILAR: usize = 10;

impl Engine {
    fn history_file(&self) -> Result<&Path, Error> {
        self.config().history.file.as_deref().ok_or_else(|| {
            Error::new(Kind::History, "there is no folder for a history")
                .hint("set HOME, or name a file: `file` of [history] in the configuration")
        })
    }

    /// The history, if there is one.
    fn history(&self) -> Result<Option<History>, Error> {
        Ok(History::open_existing(self.history_file()?, WAIT)?)
    }

    fn history_to_write(&self) -> Result<History, Error> {
        Ok(History::open(self.history_file()?, WAIT)?)
    }

    /// Whether triage has anything to do with the history: it remembers, or there is one.
    pub(super) fn has_history(&self, remember: bool) -> bool {
        let file = self.config().history.file.as_deref();
        remember || file.is_some_and(Path::exists)
    }

    /// What the history knows of the crash of a report; remembers it, where that is asked for. What
    /// cannot be remembered is still looked up.
    pub(super) fn recall(
        &self,
        report: &Report,
        digest: String,
        remember: bool,
    ) -> (Option<Seen>, Result<(), Error>) {
        let mut history = match self.history_for(remember) {
            Ok(Some(history)) => history,
            Ok(None) => return (None, Ok(())),
            Err(error) => return (None, Err(error)),
        };
        let identity = &report.identity;
        let fingerprint = identity.fingerprint.as_deref();
        let seen = fingerprint.map(|fingerprint| history.seen(fingerprint, &digest)).transpose();
        let seen = match seen {
            Ok(seen) => seen.flatten(),
            Err(error) => return (None, Err(error.into())),
        };
        // A text without a crash is nothing to be remembered.
        let has_crash = fingerprint.is_some() || !identity.frames.is_empty();
        let stored = if remember && has_crash {
            let line = Line::Record(record(report, digest));
            store(&mut history, &[line], self.config().history.keep).map(|_| ())
        } else {
            Ok(())
        };
        (seen, stored)
    }

    /// The history to be asked, if there is one, or to be written, which is begun.
    fn history_for(&self, remember: bool) -> Result<Option<History>, Error> {
        let file = self.history_file()?;
        let opened = match remember {
            true => History::open(file, WAIT).map(Some),
            false => History::open_existing(file, SHORT_WAIT),
        };
        Ok(opened?)
    }
}

fn record(report: &Report, digest: String) -> Record {
    let identity = &report.identity;
    Record {
        digest,
        at: now(),
        fingerprint: identity.fingerprint.clone(),
        because: identity.because.clone(),
        frames: identity.frames.clone(),
        notes: report.notes.iter().map(|note| note.id.clone()).collect(),
    }
}

/// A hash of what a paste says of its crash as it was printed, by which it is known again.
pub(super) fn digest(trace: &Trace) -> String {
    struct Hashed(FnvHasher);
    impl Write for Hashed {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.write(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut hashed = Hashed(FnvHasher::default());
    let said: (&[Stack], &[Event]) = (&trace.stacks, &trace.events);
    // Plain data is always JSON, and nothing here can fail to be written.
    let _ = serde_json::to_writer(&mut hashed, &said);
    format!("{:#018x}", hashed.0.finish())
}

fn store(history: &mut History, lines: &[Line], keep: u64) -> Result<Imported, Error> {
    let flawed = lines.iter().zip(1..).find_map(|(line, number)| Some((number, line.flaw()?)));
    if let Some((number, flaw)) = flawed {
        let what = format!("line {number} is none of a history: {flaw}");
        return Err(Error::new(Kind::Request, what).hint("take what `history export` has written"));
    }
    Ok(history.store(lines, keep)?)
}

fn unknown(id: i64) -> Error {
    Error::new(Kind::NotFound, format!("the history has no crash {id}"))
        .hint("`dbgmate history list` shows those it has")
}

/// The number that a cursor stands for, and the size of the part.
fn part(request: &ListRequest) -> Result<(Option<i64>, usize), Error> {
    let cursor = request.cursor.as_deref().map(str::parse).transpose();
    let cursor = cursor.map_err(|_| {
        Error::new(Kind::Request, "that is no cursor of a history")
            .hint("pass the `next` of an answer as it is")
    })?;
    Ok((cursor, request.limit.unwrap_or(PART).min(LARGEST_PART)))
}

impl Answer for ListMethod {
    fn answer(engine: &Engine, _: &Job, request: ListRequest) -> Result<HistoryList, Error> {
        let (before, limit) = part(&request)?;
        let history = engine.history()?;
        let page = history.map(|history| history.list(before, limit)).transpose()?;
        let page = page.unwrap_or_default();
        Ok(HistoryList { entries: page.entries, next: page.next.map(|id| id.to_string()) })
    }
}

impl Answer for GetMethod {
    fn answer(engine: &Engine, _: &Job, request: GetRequest) -> Result<Entry, Error> {
        let history = engine.history()?.ok_or_else(|| unknown(request.id))?;
        history.get(request.id)?.ok_or_else(|| unknown(request.id))
    }
}

impl Answer for SimilarMethod {
    fn answer(
        engine: &Engine,
        job: &Job,
        mut request: SimilarRequest,
    ) -> Result<SimilarCrashes, Error> {
        let limit = request.limit.unwrap_or(SIMILAR).min(LARGEST_PART);
        let has_paste =
            request.text.is_some() || request.trace.is_some() || !request.pieces.is_empty();
        let (fingerprint, frames) = match request.id {
            Some(_) if has_paste => {
                return Err(Error::new(Kind::Request, "either `id` or a paste")
                    .hint("give exactly one of them"));
            }
            Some(id) => {
                let found = engine.history()?.map(|history| history.get(id)).transpose()?;
                let record = found.flatten().ok_or_else(|| unknown(id))?.record;
                (record.fingerprint, record.frames)
            }
            None => {
                let (trace, text) = (request.trace.take(), request.text.as_deref());
                let trace = paste::read(engine, job, trace, text, &request.pieces)?;
                // As triage has it: what is unknown in the paste may be known by its address.
                let wanted = Wanted { binaries: &request.binaries, ..Wanted::default() };
                let trace = symbolize(engine, job, trace, &wanted)?.trace;
                let identity = triage::report(job, trace, engine.plugins().notes())?.identity;
                (identity.fingerprint, identity.frames)
            }
        };
        let Some(history) = engine.history()? else {
            return Ok(SimilarCrashes { similar: Vec::new() });
        };
        let similar = history.similar(fingerprint.as_deref(), &frames, request.id, limit)?;
        Ok(SimilarCrashes { similar })
    }
}

impl Answer for NoteMethod {
    fn answer(engine: &Engine, _: &Job, request: NoteRequest) -> Result<Noted, Error> {
        let fingerprint = match (request.id, request.fingerprint) {
            (None, Some(fingerprint)) => fingerprint,
            (Some(id), None) => {
                let found = engine.history()?.map(|history| history.get(id)).transpose()?;
                let record = found.flatten().ok_or_else(|| unknown(id))?.record;
                record.fingerprint.ok_or_else(|| {
                    let what = format!("crash {id} has no fingerprint: {}", record.because);
                    Error::new(Kind::Request, what).hint("a note belongs to a fingerprint")
                })?
            }
            _ => {
                return Err(Error::new(Kind::Request, "a note is for `id` or `fingerprint`")
                    .hint("give exactly one of the two"));
            }
        };
        let note = PersonNote { fingerprint, text: request.text, at: now() };
        if let Some(flaw) = Line::Note(note.clone()).flaw() {
            return Err(Error::new(Kind::Request, flaw).hint("`dbgmate history list` shows them"));
        }
        engine.history_to_write()?.annotate(&note)?;
        Ok(Noted { fingerprint: note.fingerprint })
    }
}

impl Answer for DeleteMethod {
    fn answer(engine: &Engine, _: &Job, request: DeleteRequest) -> Result<Deleted, Error> {
        let history = engine.history()?;
        let deleted = history.map(|mut history| history.delete(&request.ids)).transpose()?;
        Ok(Deleted { deleted: deleted.unwrap_or(0) })
    }
}

impl Answer for ExportMethod {
    fn answer(engine: &Engine, _: &Job, request: ListRequest) -> Result<Exported, Error> {
        let (after, limit) = part(&request)?;
        let Some(history) = engine.history()? else {
            return Ok(Exported { lines: Vec::new(), next: None });
        };
        let page = history.in_order(after, limit)?;
        let records = page.entries.into_iter().map(|entry| Line::Record(entry.record));
        let mut lines: Vec<Line> = records.collect();
        if page.next.is_none() {
            lines.extend(history.person_notes()?.into_iter().map(Line::Note));
        }
        Ok(Exported { lines, next: page.next.map(|id| id.to_string()) })
    }
}

impl Answer for ImportMethod {
    fn answer(engine: &Engine, _: &Job, request: ImportRequest) -> Result<Imported, Error> {
        let keep = engine.config().history.keep;
        store(&mut engine.history_to_write()?, &request.lines, keep)
    }
}
