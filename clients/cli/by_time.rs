//! The records of several logs in the order of their times.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use dbgmate::error::Error;
use dbgmate::job::Job;
use dbgmate::trace::{ByTime, LineFormats, LogRecord, LogStream, Reckoning, Trace};

use crate::large::PIECE;
use crate::paste::unreadable;

/// `--by-time` and what belongs to it.
#[derive(Debug, clap::Args)]
pub(crate) struct Order {
    /// Log records of several files in the order of their times. Times with a zone, without one, without a
    /// year, and seconds since the machine started are not compared with one another
    #[arg(long)]
    by_time: bool,
    /// Where logs do not say their zone: how far it is from UTC, as +01:00
    #[arg(long, requires = "by_time", value_name = "OFFSET", value_parser = zone, allow_hyphen_values = true)]
    zone: Option<i32>,
    /// Where logs do not say their year: which it is
    #[arg(long, requires = "by_time", value_name = "YEAR", value_parser = clap::value_parser!(i16).range(1970..))]
    year: Option<i16>,
}

fn zone(text: &str) -> Result<i32, String> {
    Reckoning::offset(text).ok_or_else(|| "not an offset from UTC, such as +01:00".to_owned())
}

impl Order {
    /// What is known of the clocks, if records are wanted by them.
    pub(crate) fn reckoning(&self) -> Option<Reckoning> {
        self.by_time.then_some(Reckoning { offset: self.zone, year: self.year })
    }
}

/// Puts the records of a trace in order; what a reader must know of it is returned.
pub(crate) fn order(trace: &mut Trace, reckoning: Reckoning) -> Vec<String> {
    let mut logs: Vec<(String, VecDeque<LogRecord>)> = Vec::new();
    for record in trace.log.drain(..) {
        let name = record.lines.piece.as_deref().unwrap_or("the paste");
        match logs.last_mut().filter(|(last, _)| last == name) {
            Some((_, log)) => log.push_back(record),
            None => logs.push((name.to_owned(), VecDeque::from([record]))),
        }
    }
    let logs = logs.into_iter().map(|(name, log)| (name, log.into_iter())).collect();
    let mut by_time = ByTime::new(logs, reckoning);
    trace.log.extend(by_time.by_ref());
    by_time.remarks()
}

/// What was read of files of any size.
pub(crate) struct Merged {
    /// What each holds beside records.
    pub(crate) beside: Vec<Trace>,
    /// What a reader of the order must know.
    pub(crate) remarks: Vec<String>,
}

/// Shows the records of files of any size in order, of standard input where there is none or for `-`.
pub(crate) fn read(
    job: &Job,
    files: &[PathBuf],
    formats: &LineFormats,
    reckoning: Reckoning,
    each: &mut dyn FnMut(&LogRecord),
) -> Result<Merged, Error> {
    let problem = RefCell::new(None);
    let beside = RefCell::new(Vec::new());
    let mut logs = Vec::new();
    let standard_input = [PathBuf::from("-")];
    for file in if files.is_empty() { &standard_input } else { files } {
        let log = Log::open(job, file, files.len() > 1, formats, &problem, &beside);
        let log = log.map_err(|error| unreadable(file, error))?;
        logs.push((file.display().to_string(), log));
    }
    let mut by_time = ByTime::new(logs, reckoning);
    by_time.by_ref().for_each(|record| each(&record));
    let remarks = by_time.remarks();
    drop(by_time);
    match problem.into_inner() {
        Some(problem) => Err(problem),
        None => Ok(Merged { beside: beside.into_inner(), remarks }),
    }
}

/// The records of one file, read as they are asked for.
struct Log<'r> {
    job: &'r Job,
    path: PathBuf,
    input: Box<dyn Read>,
    stream: Option<LogStream<'r>>,
    piece: Vec<u8>,
    records: VecDeque<LogRecord>,
    /// Why reading ended early, whichever file it was.
    problem: &'r RefCell<Option<Error>>,
    beside: &'r RefCell<Vec<Trace>>,
}

impl<'r> Log<'r> {
    fn open(
        job: &'r Job,
        path: &Path,
        is_named: bool,
        formats: &'r LineFormats,
        problem: &'r RefCell<Option<Error>>,
        beside: &'r RefCell<Vec<Trace>>,
    ) -> io::Result<Self> {
        let input: Box<dyn Read> = if path == Path::new("-") {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(path)?)
        };
        let mut stream = LogStream::with(formats);
        let name = is_named.then(|| path.display().to_string());
        stream.file(name.as_deref(), &mut |_| {});
        Ok(Log {
            job,
            path: path.to_owned(),
            input,
            stream: Some(stream),
            piece: vec![0; PIECE],
            records: VecDeque::new(),
            problem,
            beside,
        })
    }

    /// Reads on; false at the end.
    fn fill(&mut self) -> Result<bool, Error> {
        let Some(stream) = &mut self.stream else { return Ok(false) };
        let records = &mut self.records;
        let mut each = |record: &LogRecord| records.push_back(record.clone());
        match self.input.read(&mut self.piece) {
            Ok(0) => {
                if let Some(stream) = self.stream.take() {
                    self.beside.borrow_mut().push(stream.finish(&mut each));
                }
            }
            Ok(length) => {
                stream.feed(self.job, self.piece.get(..length).unwrap_or_default(), &mut each)?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(&self.path, error)),
        }
        Ok(true)
    }
}

impl Iterator for Log<'_> {
    type Item = LogRecord;

    fn next(&mut self) -> Option<LogRecord> {
        while self.records.is_empty() && self.problem.borrow().is_none() {
            match self.fill() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    self.problem.replace(Some(error));
                }
            }
        }
        if self.problem.borrow().is_some() { None } else { self.records.pop_front() }
    }
}
