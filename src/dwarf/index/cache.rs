//! The folder of index files.
//!
//! A file is written beside its place and renamed: whoever reads, and whoever writes the same at the
//! same time, has a whole one. It is not waited for until it is on disk: one that a crash of the machine
//! has cut fails its checksum and is made again. What was used longest ago makes room.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, SystemTime};

use super::super::debug_file::lock;
use super::bytes::Table;
use super::key::Key;
use crate::binary::{Mapping, map_file};

/// A time stamp that is younger says enough of when a file was used.
const FRESH: Duration = Duration::from_secs(3600);

/// What is being written for so long was given up.
const GIVEN_UP: Duration = Duration::from_secs(3600);

/// The bytes before an answer.
const ANSWER_HEAD: usize = 16;

/// Changed whenever what is put into answers is.
const ANSWER_VERSION: u32 = 2;

/// How names of files that are being written end.
const PARTIAL: &str = ".part";

/// The folder in which indexes are kept between processes. What cannot be read or written there is
/// as if there were no such folder: the index is made anew.
///
/// Indexes are written by threads of their own, which are waited for when it is dropped.
#[derive(Debug)]
pub struct IndexCache {
    folder: Folder,
    writers: Mutex<Vec<JoinHandle<()>>>,
}

/// Where the files are, and how many bytes they may have together.
#[derive(Clone, Debug)]
struct Folder {
    path: PathBuf,
    size: u64,
}

impl Drop for IndexCache {
    fn drop(&mut self) {
        self.settle();
    }
}

impl IndexCache {
    /// A folder, which may not be there yet, for files of so many bytes together.
    pub fn new(path: PathBuf, size: u64) -> IndexCache {
        IndexCache { folder: Folder { path, size }, writers: Mutex::default() }
    }

    /// Waits until all that was to be kept is written.
    pub fn settle(&self) {
        let writers = std::mem::take(&mut *lock(&self.writers));
        for writer in writers {
            // One that has panicked has written nothing: the index is made again.
            let _ = writer.join();
        }
    }

    /// The index of a key; none where it is not there, or not as it was made.
    pub(super) fn load(&self, key: &Key) -> Option<Mapping> {
        let path = self.folder.path.join(key.file_name());
        let mapping = map_file(&path).ok()?;
        if Table::checked(&mapping, key.content).is_none() {
            // Whoever made it anew meanwhile only loses the work.
            let _ = fs::remove_file(&path);
            return None;
        }
        touch(&path);
        Some(mapping)
    }

    /// What was found out about a question to the binary of a key.
    pub(in crate::dwarf) fn recall(&self, key: &Key, question: &str) -> Option<Vec<u8>> {
        let path = self.folder.path.join(key.answer_name(question));
        let mapping = map_file(&path).ok()?;
        let (head, answer) = mapping.split_at_checked(ANSWER_HEAD)?;
        if head != answer_head(key, question, answer) {
            let _ = fs::remove_file(&path);
            return None;
        }
        touch(&path);
        Some(answer.to_vec())
    }

    /// Keeps what was found out about a question to the binary of a key.
    pub(in crate::dwarf) fn remember(&self, key: &Key, question: &str, answer: &[u8]) {
        let bytes = [&answer_head(key, question, answer), answer].concat();
        // Else it is found out again.
        self.folder.keep(&key.answer_name(question), &bytes);
    }

    /// Keeps an index for those who come later; it may be written after this has returned.
    pub(super) fn keep(&self, key: &Key, bytes: Arc<Box<[u8]>>) {
        let (folder, name) = (self.folder.clone(), key.file_name());
        let written = Arc::clone(&bytes);
        match Builder::new().spawn(move || folder.keep(&name, &written)) {
            Ok(writer) => {
                let mut writers = lock(&self.writers);
                writers.retain(|writer| !writer.is_finished());
                writers.push(writer);
            }
            // Without a thread it is waited for.
            Err(_) => self.folder.keep(&key.file_name(), &bytes),
        }
    }
}

impl Folder {
    /// Keeps a file. Without room or leave to write, the next process makes it again.
    fn keep(&self, name: &str, bytes: &[u8]) {
        if bytes.len() as u64 <= self.size && self.write(name, bytes).is_ok() {
            self.make_room();
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        DirBuilder::new().recursive(true).mode(0o700).create(&self.path)?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let partial = format!("{name}.{}-{number}{PARTIAL}", std::process::id());
        let partial = self.path.join(partial);
        let written = (|| {
            let mut options = OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(0o600).open(&partial)?;
            file.write_all(bytes)?;
            fs::rename(&partial, self.path.join(name))
        })();
        if written.is_err() {
            let _ = fs::remove_file(&partial);
        }
        written
    }

    /// Removes what was used longest ago until the rest is small enough, and what was given up.
    fn make_room(&self) {
        let Ok(entries) = fs::read_dir(&self.path) else { return };
        let now = SystemTime::now();
        let mut files: Vec<(Duration, u64, PathBuf)> = Vec::new();
        for entry in entries.flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            let age = age(&metadata, now);
            if !entry.file_name().to_string_lossy().ends_with(PARTIAL) {
                files.push((age, metadata.len(), entry.path()));
            } else if age > GIVEN_UP {
                let _ = fs::remove_file(entry.path());
            }
        }
        files.sort();
        let mut sum = 0_u64;
        for (_, size, path) in files {
            sum = sum.saturating_add(size);
            if sum > self.size {
                let _ = fs::remove_file(path);
            }
        }
    }
}

/// Marks a file as used now.
fn touch(path: &Path) {
    let touched = || -> io::Result<()> {
        let now = SystemTime::now();
        let is_fresh = age(&fs::metadata(path)?, now) < FRESH;
        if is_fresh { Ok(()) } else { File::options().write(true).open(path)?.set_modified(now) }
    };
    // It then goes sooner than it should.
    let _ = touched();
}

/// What stands before an answer: it tells whether all of it is there, and whose it is.
fn answer_head(key: &Key, question: &str, answer: &[u8]) -> [u8; ANSWER_HEAD] {
    let mut checksum = crc32fast::Hasher::new_with_initial(ANSWER_VERSION);
    checksum.update(question.as_bytes());
    checksum.update(answer);
    let mut head = [0; ANSWER_HEAD];
    let parts = [&key.content.to_le_bytes()[..], &checksum.finalize().to_le_bytes()].concat();
    head.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    head
}

/// How long ago a file was changed; nothing for a time stamp of the future.
fn age(metadata: &fs::Metadata, now: SystemTime) -> Duration {
    let changed = metadata.modified().unwrap_or(now);
    now.duration_since(changed).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("not/yet/there");
        (folder, path)
    }

    fn names(path: &Path) -> Vec<String> {
        let entries = fs::read_dir(path).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Keeps an index of so many bytes, and waits until it is written.
    fn keep(cache: &IndexCache, name: &str, size: usize) {
        let Folder { path, size: room } = cache.folder.clone();
        IndexCache::new(path, room).keep(&Key::made_up(name), Arc::new(vec![0; size].into()));
    }

    #[test]
    fn what_was_used_longest_ago_makes_room() {
        let (_folder, path) = folder();
        let cache = IndexCache::new(path.clone(), 100);
        for (name, hours) in [("a", 5_u64), ("b", 9), ("c", 7)] {
            cache.folder.write(&Key::made_up(name).file_name(), &[0; 30]).unwrap();
            let used = SystemTime::now() - Duration::from_secs(hours * 3600);
            let file = path.join(Key::made_up(name).file_name());
            File::options().write(true).open(file).unwrap().set_modified(used).unwrap();
        }
        fs::write(path.join("old.types.1-0.part"), "x").unwrap();
        let long_ago = SystemTime::now() - Duration::from_secs(7200);
        let partial = File::options().write(true).open(path.join("old.types.1-0.part")).unwrap();
        partial.set_modified(long_ago).unwrap();
        fs::write(path.join("new.types.2-0.part"), "x").unwrap();
        keep(&cache, "d", 30);
        let left: Vec<String> = names(&path).iter().map(|name| name[..3].to_owned()).collect();
        assert_eq!(left, ["a-0", "c-0", "d-0", "new"]);
        // One that has no room of itself is not written, and drives out none.
        keep(&cache, "e", 101);
        assert_eq!(names(&path).len(), 4);
    }

    #[test]
    fn an_answer_is_of_its_question_and_whole() {
        let (_folder, path) = folder();
        let cache = IndexCache::new(path.clone(), 100);
        let (key, other) = (Key::made_up("a"), Key::made_up("b"));
        cache.remember(&key, "struct x", b"answer");
        assert_eq!(cache.recall(&key, "struct x").unwrap(), b"answer");
        assert_eq!(cache.recall(&key, "struct y"), None);
        assert_eq!(cache.recall(&other, "struct x"), None);
        let file = path.join(key.answer_name("struct x"));
        let whole = fs::read(&file).unwrap();
        for at in 0..whole.len() {
            let mut altered = whole.clone();
            altered[at] ^= 1;
            fs::write(&file, &altered).unwrap();
            assert_eq!(cache.recall(&key, "struct x"), None, "byte {at}");
            fs::write(&file, &whole[..at]).unwrap();
            assert_eq!(cache.recall(&key, "struct x"), None, "{at} bytes");
        }
        // A file of another question in its place.
        cache.remember(&key, "struct y", b"other");
        fs::rename(path.join(key.answer_name("struct y")), &file).unwrap();
        assert_eq!(cache.recall(&key, "struct x"), None);
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_no_trouble() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "x").unwrap();
        let cache = IndexCache::new(path.clone(), 100);
        keep(&cache, "a", 5);
        assert!(cache.load(&Key::made_up("a")).is_none());
        assert_eq!(fs::read(&path).unwrap(), b"x");
    }
}
