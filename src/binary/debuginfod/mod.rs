//! Is the debug info of this build-id on a debuginfod server?
//!
//! Off unless a server is named ([`Servers`]). What was downloaded before, by whichever program, is in
//! the person's cache and is taken from there. A file counts only if it is the one that was asked for;
//! a server that hangs, lies or breaks off costs one sentence and never more time than [`Limits`] allow.
//!
//! Nothing is sent but the build-id, or the path of a source file of that build.

mod agent;
mod cache;
mod download;
mod fetch;
mod servers;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::BuildId;
use super::image::Image;
use super::place::{How, Log, Tried, Unfit};
use crate::job::{Job, Stopped};
use cache::Artifact;
pub use cache::cache_folder;
use fetch::Fetch;
pub use servers::{NamedBy, Servers};

/// A server that took too long is not asked again for so long: whoever works here would wait at each
/// binary anew.
const PAUSE: Duration = Duration::from_secs(120);

/// What a download may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// The time until there is a connection.
    pub connect: Duration,
    /// The time until the answer begins, and in which at least 100 KiB must come then.
    pub stall: Duration,
    /// The time for all of it.
    pub total: Duration,
    /// Its size, in bytes.
    pub size: u64,
}

/// A client of debuginfod servers.
#[derive(Debug)]
pub struct Debuginfod {
    urls: Vec<String>,
    cache: PathBuf,
    limits: Limits,
    agent: OnceLock<ureq::Agent>,
    /// Servers that took too long, and until when they are left alone.
    paused: Mutex<FxHashMap<String, Instant>>,
}

/// Whether servers may be asked, or only what they sent before may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// The cache, then the servers.
    #[default]
    Servers,
    /// The cache.
    Cache,
}

impl Debuginfod {
    /// A client of these servers; none where there are none, or no folder to keep files in.
    pub fn new(servers: &Servers, cache: Option<PathBuf>, limits: Limits) -> Option<Debuginfod> {
        if servers.urls.is_empty() {
            return None;
        }
        Some(Debuginfod {
            urls: servers.urls.clone(),
            cache: cache?,
            limits,
            agent: OnceLock::new(),
            paused: Mutex::default(),
        })
    }

    /// The source file that a build was made of, at the absolute path that its DWARF has: where it is
    /// now, or each place where it is not.
    pub fn source(
        &self,
        job: &Job,
        build_id: &BuildId,
        path: &Path,
    ) -> Result<PathBuf, SourceError> {
        let mut log = Log::default();
        if !path.is_absolute() {
            log.fail(path, "it is not an absolute path");
            return Err(SourceError::Absent(log.tried));
        }
        let wanted = Wanted { build_id, artifact: Artifact::Source(path), reach: Reach::Servers };
        // Nothing says what a source file must be.
        let open = |place: &Path| Ok(place.to_owned());
        let found = Fetch::new(self, job, wanted, &mut log, open).run()?;
        found.map(|(place, _)| place).ok_or(SourceError::Absent(log.tried))
    }

    /// The debug info of a build-id, if `is_it` finds what comes to be the one.
    pub(super) fn debug_info(
        &self,
        job: &Job,
        build_id: &BuildId,
        reach: Reach,
        log: &mut Log,
        is_it: impl Fn(&Image) -> Result<(), Unfit>,
    ) -> Result<Option<(Image, How)>, Stopped> {
        let wanted = Wanted { build_id, artifact: Artifact::DebugInfo, reach };
        let open = |place: &Path| {
            let image = Image::open(place)?;
            is_it(&image).map(|()| image)
        };
        Fetch::new(self, job, wanted, log, open).run()
    }

    /// For how long a server is left alone.
    fn pause_left(&self, url: &str) -> Option<Duration> {
        let until = self.lock().get(url).copied()?;
        until.checked_duration_since(Instant::now())
    }

    /// Leaves a server alone for a while.
    fn pause(&self, url: &str) {
        self.lock().insert(url.to_owned(), Instant::now() + PAUSE);
    }

    fn agent(&self) -> &ureq::Agent {
        self.agent.get_or_init(|| agent::agent(&self.limits))
    }

    /// A panic while the lock was held left the map whole.
    fn lock(&self) -> MutexGuard<'_, FxHashMap<String, Instant>> {
        self.paused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why there is no source file.
#[derive(Debug, PartialEq, Eq)]
pub enum SourceError {
    /// It is at none of these places.
    Absent(Vec<Tried>),
    /// Nobody waits for it any longer.
    Stopped(Stopped),
}

impl From<Stopped> for SourceError {
    fn from(stopped: Stopped) -> Self {
        SourceError::Stopped(stopped)
    }
}

/// What is asked for.
struct Wanted<'a> {
    build_id: &'a BuildId,
    artifact: Artifact<'a>,
    reach: Reach,
}

impl Wanted<'_> {
    fn what(&self) -> String {
        match self.artifact {
            Artifact::DebugInfo => format!("debug info of build-id {}", self.build_id),
            Artifact::Source(path) => path.display().to_string(),
        }
    }

    /// The address below that of a server (debuginfod(8), "WEBAPI").
    fn url(&self, server: &str) -> String {
        let base = format!("{server}/buildid/{}", self.build_id);
        match self.artifact {
            Artifact::DebugInfo => format!("{base}/debuginfo"),
            Artifact::Source(path) => format!("{base}/source{}", escape(path)),
        }
    }
}

/// A path in an address (RFC 3986 §2.1, §2.3).
fn escape(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    let escaped = bytes.map(|byte| match byte {
        b'/' | b'-' | b'.' | b'_' | b'~' => char::from(*byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(*byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    escaped.collect()
}

/// An address as it may be shown: without a name and password in it.
fn shown(url: &str) -> PathBuf {
    let without = url.split_once("://").and_then(|(scheme, rest)| {
        let authority = rest.split('/').next()?;
        let (secret, _) = authority.rsplit_once('@')?;
        Some(format!("{scheme}://{}", rest.get(secret.len() + 1..)?))
    });
    without.unwrap_or_else(|| url.to_owned()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_the_web_api() {
        let build_id = BuildId::new(&[0xab, 0xcd]).unwrap();
        let url = |artifact| {
            let wanted = Wanted { build_id: &build_id, artifact, reach: Reach::Servers };
            wanted.url("https://s/x")
        };
        assert_eq!(url(Artifact::DebugInfo), "https://s/x/buildid/abcd/debuginfo");
        // As curl's --path-as-is --data-urlencode has it: everything but unreserved characters.
        let source = Path::new("/usr/src/a b+c#é.c");
        let expected = "https://s/x/buildid/abcd/source/usr/src/a%20b%2Bc%23%C3%A9.c";
        assert_eq!(url(Artifact::Source(source)), expected);
    }

    #[test]
    fn passwords_are_not_shown() {
        for (url, expected) in [
            ("https://debuginfod.debian.net", "https://debuginfod.debian.net"),
            ("https://me:secret@server:8002/x", "https://server:8002/x"),
            ("https://me:sec@ret@server", "https://server"),
            ("https://server/a@b", "https://server/a@b"),
        ] {
            assert_eq!(shown(url), Path::new(expected));
        }
    }
}
