//! One download, from a server that may be slow, broken or hostile.
//!
//! A thread of its own speaks HTTP and hands over what it reads, a piece at a time; the caller looks at
//! the job, the clock and the size meanwhile, and simply stops listening when it has had enough. The
//! thread then ends at its next piece, or at the latest when ureq's own timeouts end it.

use std::io::Read;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use ureq::Agent;

use super::Limits;
use crate::job::{Job, Progress, Stopped};

/// How often the caller looks up while nothing comes.
const LOOK: Duration = Duration::from_millis(20);

/// A piece, in bytes; so many wait to be written at most.
const PIECE: usize = 1 << 16;
const PIECES: usize = 16;

/// A server that sends less than this while [`Limits::stall`] passes is stuck (libdebuginfod's measure).
const LEAST: u64 = 100 << 10;

/// What came of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All of it was received.
    Complete,
    /// The server has none.
    Unknown,
    /// The server is broken in some way, in words.
    Failed(String),
    /// The server took too long, in words: it is not to be waited for again soon.
    TooSlow(String),
}

/// What the thread reports.
enum Event {
    Began { status: u16, length: Option<u64> },
    Piece(Vec<u8>),
    End(Result<(), ureq::Error>),
}

/// Requests `url` and gives what comes to `sink`, whose failure is the disk's. `what` is the download,
/// for whoever waits.
pub(super) fn get(
    job: &Job,
    agent: &Agent,
    url: &str,
    limits: &Limits,
    what: &str,
    sink: &mut dyn FnMut(&[u8]) -> std::io::Result<()>,
) -> Result<Outcome, Stopped> {
    let (sender, events) = sync_channel(PIECES);
    let (agent, url) = (agent.clone(), url.to_owned());
    let named = thread::Builder::new().name("debuginfod".to_owned());
    if let Err(error) = named.spawn(move || transfer(&agent, &url, &sender)) {
        return Ok(Outcome::Failed(format!("no thread to ask it with: {error}")));
    }
    let mut download = Download::new(limits, what);
    loop {
        job.check()?;
        if let Some(outcome) = download.step(&events, job, sink) {
            return Ok(outcome);
        }
    }
}

/// One download, as its caller sees it.
struct Download<'l> {
    limits: &'l Limits,
    progress: Progress,
    started: Instant,
    began: bool,
    /// Since when [`LEAST`] bytes are awaited, and how many came since.
    window: (Instant, u64),
}

impl<'l> Download<'l> {
    fn new(limits: &'l Limits, what: &str) -> Download<'l> {
        let now = Instant::now();
        let progress = Progress { what: what.to_owned(), done: 0, total: None };
        Download { limits, progress, started: now, began: false, window: (now, 0) }
    }

    /// Waits a moment for the next event, and says when it is over.
    fn step(
        &mut self,
        events: &Receiver<Event>,
        job: &Job,
        sink: &mut dyn FnMut(&[u8]) -> std::io::Result<()>,
    ) -> Option<Outcome> {
        let over = match events.recv_timeout(LOOK) {
            Ok(Event::Began { status, length }) => self.begin(status, length),
            Ok(Event::Piece(piece)) => self.take(&piece, sink),
            Ok(Event::End(Ok(()))) => Some(Outcome::Complete),
            Ok(Event::End(Err(error))) => Some(self.failed(&error)),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                Some(Outcome::Failed("the download broke off here".to_owned()))
            }
        };
        job.progress(&self.progress);
        over.or_else(|| self.too_slow())
    }

    fn begin(&mut self, status: u16, length: Option<u64>) -> Option<Outcome> {
        self.began = true;
        self.window = (Instant::now(), 0);
        self.progress.total = length;
        match (status, length) {
            (200, Some(length)) if length > self.limits.size => Some(self.too_large(length)),
            (200, _) => None,
            (404, _) => Some(Outcome::Unknown),
            (other, _) => Some(Outcome::Failed(format!("it answers {other}"))),
        }
    }

    fn take(
        &mut self,
        piece: &[u8],
        sink: &mut dyn FnMut(&[u8]) -> std::io::Result<()>,
    ) -> Option<Outcome> {
        let length = piece.len() as u64;
        self.progress.done += length;
        self.window.1 += length;
        if self.progress.done > self.limits.size {
            return Some(self.too_large(self.progress.done));
        }
        let error = sink(piece).err()?;
        Some(Outcome::Failed(format!("what it sends cannot be written: {error}")))
    }

    fn too_large(&self, size: u64) -> Outcome {
        let most = self.limits.size;
        Outcome::Failed(format!("it sends {size} bytes or more, and {most} are allowed"))
    }

    fn too_slow(&mut self) -> Option<Outcome> {
        let Limits { connect, stall, total, .. } = *self.limits;
        let (since, received) = self.window;
        let words = if self.started.elapsed() > total {
            format!("it takes more than the {} allowed", seconds(total))
        } else if !self.began && self.started.elapsed() > connect + stall {
            format!("it does not answer within {}", seconds(connect + stall))
        } else if self.began && since.elapsed() > stall {
            if received >= LEAST {
                self.window = (Instant::now(), 0);
                return None;
            }
            format!("it sends only {received} bytes in {}", seconds(stall))
        } else {
            return None;
        };
        Some(Outcome::TooSlow(words))
    }

    fn failed(&self, error: &ureq::Error) -> Outcome {
        let Limits { connect, stall, total, .. } = *self.limits;
        use ureq::Timeout as T;
        match error {
            ureq::Error::Timeout(T::Resolve | T::Connect) => {
                Outcome::TooSlow(format!("no connection within {}", seconds(connect)))
            }
            ureq::Error::Timeout(T::Global) => {
                Outcome::TooSlow(format!("it takes more than the {} allowed", seconds(total)))
            }
            ureq::Error::Timeout(_) => {
                Outcome::TooSlow(format!("it sends nothing for {}", seconds(stall)))
            }
            ureq::Error::HostNotFound => Outcome::Failed("there is no such host".to_owned()),
            ureq::Error::ConnectionFailed => Outcome::Failed("no connection".to_owned()),
            ureq::Error::TooManyRedirects => {
                Outcome::Failed("it sends from one address to the next without end".to_owned())
            }
            error if self.progress.done > 0 => Outcome::Failed(format!(
                "it breaks off after {} bytes: {error}",
                self.progress.done
            )),
            error => Outcome::Failed(error.to_string()),
        }
    }
}

/// `30 s`, `0.3 s`.
fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

/// Speaks with the server until it is over or nobody listens any longer.
fn transfer(agent: &Agent, url: &str, events: &SyncSender<Event>) {
    // Nobody listens: then there is nobody to tell.
    let _ = events.send(Event::End(read(agent, url, events)));
}

fn read(agent: &Agent, url: &str, events: &SyncSender<Event>) -> Result<(), ureq::Error> {
    let response = agent.get(url).call()?;
    let (status, length) = (response.status().as_u16(), response.body().content_length());
    let mut is_heard = events.send(Event::Began { status, length }).is_ok();
    let mut body = response.into_body().into_reader();
    while is_heard {
        let mut piece = vec![0; PIECE];
        let length = body.read(&mut piece)?;
        if length == 0 {
            break;
        }
        piece.truncate(length);
        is_heard = events.send(Event::Piece(piece)).is_ok();
    }
    Ok(())
}
