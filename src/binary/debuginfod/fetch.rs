//! Getting one file: from the cache, or from a server into the cache and then from there.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::cache::{Entry, Partial, State};
use super::download::{self, Outcome};
use super::{Debuginfod, PAUSE, Reach, Wanted, agent, shown};
use crate::binary::place::{How, Log, Unfit};
use crate::job::{Job, Progress, Stopped};

/// How often one who waits for another's download looks.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// One file to get. `open` opens what is at a path, and says whether it is the one.
pub(super) struct Fetch<'a, Open> {
    client: &'a Debuginfod,
    job: &'a Job,
    wanted: Wanted<'a>,
    entry: Entry,
    log: &'a mut Log,
    open: Open,
}

impl<'a, Open> Fetch<'a, Open> {
    pub(super) fn new(
        client: &'a Debuginfod,
        job: &'a Job,
        wanted: Wanted<'a>,
        log: &'a mut Log,
        open: Open,
    ) -> Fetch<'a, Open> {
        let entry = Entry::of(&client.cache, wanted.build_id, wanted.artifact);
        Fetch { client, job, wanted, entry, log, open }
    }
}

impl<T, Open: Fn(&Path) -> Result<T, Unfit>> Fetch<'_, Open> {
    /// The file, and how it came.
    pub(super) fn run(mut self) -> Result<Option<(T, How)>, Stopped> {
        let fetched = self.look_and_ask();
        // Also what others put there later is to be noticed.
        self.log.seen.add(&self.entry.path);
        fetched
    }

    fn look_and_ask(&mut self) -> Result<Option<(T, How)>, Stopped> {
        match self.entry.state() {
            State::Here => {
                if let Some(found) = self.open_cached()? {
                    return Ok(Some(found));
                }
            }
            State::Missed { ago, again_in } => {
                self.note_miss(ago, again_in);
                return Ok(None);
            }
            State::Absent => {}
        }
        let urls = self.servers();
        if urls.is_empty() {
            return Ok(None);
        }
        let Some(partial) = self.begin()? else { return Ok(None) };
        // Whom we have waited for may have found it, or not.
        match self.entry.state() {
            State::Here => match self.open_cached()? {
                Some(found) => Ok(Some(found)),
                None => self.ask_all(partial, &urls),
            },
            State::Missed { ago, again_in } => {
                self.note_miss(ago, again_in);
                Ok(None)
            }
            State::Absent => self.ask_all(partial, &urls),
        }
    }

    fn open_cached(&mut self) -> Result<Option<(T, How)>, Stopped> {
        self.open_at_place(How::DebuginfodCache)
    }

    fn open_at_place(&mut self, how: How) -> Result<Option<(T, How)>, Stopped> {
        match (self.open)(&self.entry.path) {
            Ok(found) => Ok(Some((found, how))),
            Err(Unfit::Stopped(stopped)) => Err(stopped),
            Err(Unfit::Why(why)) => {
                self.log.fail(&self.entry.path, why);
                Ok(None)
            }
        }
    }

    fn note_miss(&mut self, ago: Duration, again_in: Duration) {
        let (ago, again) = (ago.as_secs(), again_in.as_secs());
        let why = format!("no server had it {ago} s ago; they are asked again in {again} s");
        self.log.fail(&self.entry.path, why);
        self.log.again_in(again_in);
    }

    /// The servers to ask now.
    fn servers(&mut self) -> Vec<String> {
        let mut urls = Vec::new();
        for url in &self.client.urls {
            let place = shown(url);
            if let Some(why) = agent::refusal(url) {
                self.log.fail(&place, why);
            } else if let Some(left) = self.client.pause_left(url) {
                let left = left.as_secs() + 1;
                let why = format!("it took too long before, and is asked again in {left} s");
                self.log.fail(&place, why);
                self.log.again_in(Duration::from_secs(left));
            } else if self.wanted.reach == Reach::Cache {
                self.log.fail(&place, "it is not asked here, and the cache has nothing");
            } else {
                urls.push(url.clone());
            }
        }
        urls
    }

    /// Waits until nobody else downloads this file.
    fn begin(&mut self) -> Result<Option<Partial>, Stopped> {
        let started = Instant::now();
        let what = format!("waiting for another download of {}", self.wanted.what());
        loop {
            self.job.check()?;
            let why = match self.entry.begin() {
                Ok(Some(partial)) => return Ok(Some(partial)),
                Ok(None) if started.elapsed() <= self.client.limits.total => {
                    let done = self.entry.partial_size();
                    self.job.progress(&Progress { what: what.clone(), done, total: None });
                    thread::sleep(LOOK_AGAIN);
                    continue;
                }
                Ok(None) => "another download of it does not end".to_owned(),
                Err(error) => format!("nothing can be kept there: {error}"),
            };
            self.log.fail(&self.entry.path, why);
            return Ok(None);
        }
    }

    fn ask_all(
        &mut self,
        mut partial: Partial,
        urls: &[String],
    ) -> Result<Option<(T, How)>, Stopped> {
        let mut unknown = 0;
        for url in urls {
            let why = match self.ask(url, &mut partial)? {
                Outcome::Complete => match (self.open)(&partial.path) {
                    Ok(_) => return self.publish(partial, url),
                    Err(Unfit::Stopped(stopped)) => return Err(stopped),
                    Err(Unfit::Why(why)) => format!("what it sends is not it: {why}"),
                },
                Outcome::Unknown => {
                    unknown += 1;
                    "it has none for this build-id".to_owned()
                }
                Outcome::Failed(why) => why,
                Outcome::TooSlow(why) => {
                    self.client.pause(url);
                    why
                }
            };
            self.log.fail(&shown(url), why);
        }
        if unknown == self.client.urls.len() {
            self.entry.remember_miss();
            self.log.again_in(self.entry.miss());
        } else {
            self.log.again_in(PAUSE);
        }
        Ok(None)
    }

    fn ask(&self, url: &str, partial: &mut Partial) -> Result<Outcome, Stopped> {
        if let Err(error) = partial.restart() {
            return Ok(Outcome::Failed(format!("what it sends cannot be written: {error}")));
        }
        let Debuginfod { limits, .. } = self.client;
        let what = format!("{} from {}", self.wanted.what(), shown(url).display());
        let mut write = |bytes: &[u8]| partial.write(bytes);
        let url = self.wanted.url(url);
        download::get(self.job, self.client.agent(), &url, limits, &what, &mut write)
    }

    fn publish(&mut self, partial: Partial, url: &str) -> Result<Option<(T, How)>, Stopped> {
        if let Err(error) = partial.publish(&self.entry) {
            self.log.fail(&self.entry.path, format!("nothing can be kept there: {error}"));
            return Ok(None);
        }
        self.open_at_place(How::Debuginfod(shown(url).display().to_string()))
    }
}
