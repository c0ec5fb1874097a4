//! The folder in which all debuginfod clients of a person keep what they were sent, and that a server
//! had nothing.
//!
//! The layout is that of libdebuginfod (elfutils 0.188, read in its source): `BUILDID/debuginfo` with
//! mode 0400, an empty file where no server had any, which counts for as many seconds as the file
//! `cache_miss_s` says. Files are removed by libdebuginfod, when nobody has read them for a while.
//!
//! A download is written beside its place and renamed when it is whole. It is locked: who asks for the
//! same file meanwhile, in this process or another of ours, waits for it.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use etcetera::BaseStrategy;
use rustix::fs::{FlockOperation, flock};

use super::BuildId;

/// For so long a miss counts where `cache_miss_s` does not say.
const DEFAULT_MISS: Duration = Duration::from_secs(600);

/// What one build-id can be asked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Artifact<'a> {
    /// Its debug info.
    DebugInfo,
    /// A source file, by the absolute path that its DWARF has.
    Source(&'a Path),
}

/// The place of one artifact.
#[derive(Debug)]
pub(super) struct Entry {
    cache: PathBuf,
    folder: PathBuf,
    pub(super) path: PathBuf,
}

/// What is at a place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum State {
    Here,
    Absent,
    /// The servers were asked so long ago, and had none; they are not asked again for a while.
    Missed {
        ago: Duration,
        again_in: Duration,
    },
}

/// The folder for this person; none where they have no home.
pub fn cache_folder() -> Option<PathBuf> {
    let named = std::env::var_os("DEBUGINFOD_CACHE_PATH").filter(|path| !path.is_empty());
    if let Some(named) = named {
        return Some(named.into());
    }
    let base = etcetera::choose_base_strategy().ok()?;
    // Of old, and still used where it is.
    let old = base.home_dir().join(".debuginfod_client_cache");
    Some(if old.exists() { old } else { base.cache_dir().join("debuginfod_client") })
}

impl Entry {
    pub(super) fn of(cache: &Path, build_id: &BuildId, artifact: Artifact<'_>) -> Entry {
        let folder = cache.join(build_id.to_string());
        let path = match artifact {
            Artifact::DebugInfo => folder.join("debuginfo"),
            Artifact::Source(path) => {
                let mut name = b"source".to_vec();
                name.extend(escape(path.as_os_str().as_bytes()));
                folder.join(std::ffi::OsStr::from_bytes(&name))
            }
        };
        Entry { cache: cache.to_owned(), folder, path }
    }

    /// What is there. A miss that counts no longer is removed.
    pub(super) fn state(&self) -> State {
        let Ok(found) = fs::metadata(&self.path) else { return State::Absent };
        if found.size() > 0 {
            return State::Here;
        }
        let asked = found.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        // A time stamp of the future is of no use.
        let ago = SystemTime::now().duration_since(asked).unwrap_or(Duration::MAX);
        match self.miss().checked_sub(ago) {
            Some(again_in) => State::Missed { ago, again_in },
            None => {
                // Whoever else does so at the same time has the same right.
                let _ = fs::remove_file(&self.path);
                State::Absent
            }
        }
    }

    /// How long a miss counts.
    pub(super) fn miss(&self) -> Duration {
        let text = fs::read_to_string(self.cache.join("cache_miss_s")).unwrap_or_default();
        text.trim().parse().map_or(DEFAULT_MISS, Duration::from_secs)
    }

    /// Remembers that no server has it.
    pub(super) fn remember_miss(&self) {
        // Where it cannot be written, the servers are asked again.
        let _ = OpenOptions::new().write(true).create_new(true).open(&self.path);
    }

    /// Begins a download, unless another is under way: then none.
    pub(super) fn begin(&self) -> io::Result<Option<Partial>> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let path = self.partial();
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(&path);
        let file = match file {
            // Whoever was here before has just removed the folder.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        // Whoever had the lock before has renamed or removed the file: then this is no longer it.
        let own = file.metadata()?;
        let is_there = fs::metadata(&path).is_ok_and(|there| there.ino() == own.ino());
        let folder = self.folder.clone();
        Ok(is_there.then(|| Partial { file, path, folder, is_published: false }))
    }

    /// The size of what another has downloaded so far.
    pub(super) fn partial_size(&self) -> u64 {
        fs::metadata(self.partial()).map_or(0, |partial| partial.size())
    }

    fn partial(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".part");
        name.into()
    }
}

/// A download under way: locked, and removed unless it is published.
#[derive(Debug)]
pub(super) struct Partial {
    file: File,
    pub(super) path: PathBuf,
    folder: PathBuf,
    is_published: bool,
}

impl Partial {
    /// Forgets what was written.
    pub(super) fn restart(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        io::Seek::rewind(&mut self.file)
    }

    /// Adds to it.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Puts it in its place.
    pub(super) fn publish(mut self, entry: &Entry) -> io::Result<()> {
        self.file.set_permissions(Permissions::from_mode(0o400))?;
        fs::rename(&self.path, &entry.path)?;
        self.is_published = true;
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // What now has its name may be another's.
        if !self.is_published {
            let _ = fs::remove_file(&self.path);
            // It stays where it is not empty.
            let _ = fs::remove_dir(&self.folder);
        }
    }
}

/// A path as part of a file name: `/` becomes `##`, and `#` `#_`.
fn escape(path: &[u8]) -> Vec<u8> {
    let escaped = path.iter().flat_map(|byte| match byte {
        b'/' => b"##".as_slice(),
        b'#' => b"#_",
        other => std::slice::from_ref(other),
    });
    escaped.copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(cache: &Path) -> Entry {
        Entry::of(cache, &BuildId::new(&[0xab, 0xcd]).unwrap(), Artifact::DebugInfo)
    }

    #[test]
    fn names_are_those_of_libdebuginfod() {
        let id = BuildId::new(&[0xab, 0xcd, 0xef]).unwrap();
        let name = |artifact| Entry::of(Path::new("/c"), &id, artifact).path;
        assert_eq!(name(Artifact::DebugInfo), Path::new("/c/abcdef/debuginfo"));
        // By hand from path_escape in debuginfod-client.c.
        let source = Artifact::Source(Path::new("/usr/src/a#b.c"));
        assert_eq!(name(source), Path::new("/c/abcdef/source##usr##src##a#_b.c"));
    }

    #[test]
    fn a_miss_counts_as_long_as_the_cache_says() {
        let cache = tempfile::tempdir().unwrap();
        let entry = entry(cache.path());
        assert_eq!(entry.state(), State::Absent);
        fs::create_dir(&entry.folder).unwrap();
        entry.remember_miss();
        let State::Missed { ago, again_in } = entry.state() else { panic!("{:?}", entry.state()) };
        assert!(ago < Duration::from_secs(60) && again_in > Duration::from_secs(500));
        let long_ago = SystemTime::now() - Duration::from_secs(700);
        File::options().write(true).open(&entry.path).unwrap().set_modified(long_ago).unwrap();
        fs::write(cache.path().join("cache_miss_s"), "1000\n").unwrap();
        assert!(matches!(entry.state(), State::Missed { .. }));
        fs::write(cache.path().join("cache_miss_s"), "600\n").unwrap();
        assert_eq!(entry.state(), State::Absent);
        assert!(!entry.path.exists());
    }

    #[test]
    fn one_download_at_a_time_and_nothing_of_it_stays() {
        let cache = tempfile::tempdir().unwrap();
        let entry = entry(&cache.path().join("not/yet/there"));
        let mut first = entry.begin().unwrap().unwrap();
        assert!(entry.begin().unwrap().is_none());
        first.write(b"wrong").unwrap();
        assert_eq!(entry.partial_size(), 5);
        first.restart().unwrap();
        first.write(b"right").unwrap();
        assert_eq!(entry.state(), State::Absent);
        first.publish(&entry).unwrap();
        assert_eq!(fs::read(&entry.path).unwrap(), b"right");
        assert_eq!(fs::metadata(&entry.path).unwrap().mode() & 0o777, 0o400);
        assert_eq!(entry.state(), State::Here);
        drop(entry.begin().unwrap().unwrap());
        fs::remove_file(&entry.path).unwrap();
        drop(entry.begin().unwrap().unwrap());
        assert!(!entry.folder.exists());
    }
}
