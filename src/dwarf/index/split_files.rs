//! Which files of split units an index was made from: they are rewritten without the binary.
//!
//! Their paths are kept beside the index, each with the state in which its file was read. An index that is
//! made from such files is kept under a key that those states are part of.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::super::DebugFile;
use super::cache::IndexCache;
use super::key::Key;
use crate::binary::FileStamp;

/// Under this name the files are kept.
const KEPT_AS: &str = "split files";

/// The key of an index that an earlier process may have left; none where a file of a split unit is not
/// as it was.
pub(super) fn recalled(cache: &IndexCache, key: &Key) -> Option<Key> {
    let Some(list) = cache.recall(key, KEPT_AS) else { return Some(key.clone()) };
    let mut left = list.as_slice();
    while !left.is_empty() {
        let (stamp, rest) = left.split_first_chunk()?;
        let (path, rest) = rest.split_at_checked(memchr::memchr(0, rest)?)?;
        left = rest.get(1..)?;
        let now = FileStamp::of(Path::new(std::ffi::OsStr::from_bytes(path))).ok()?;
        if hash_of(&now) != u64::from_le_bytes(*stamp) {
            return None;
        }
    }
    Some(key.with(&list))
}

/// Keeps the files that an index was made from; its key.
pub(super) fn noted(cache: &IndexCache, key: &Key, file: &DebugFile) -> Key {
    let mut list = Vec::new();
    let mut known: Vec<&Path> = Vec::new();
    for split in file.splits().files() {
        // Of a package, each unit says so.
        if known.contains(&split.path()) {
            continue;
        }
        known.push(split.path());
        list.extend_from_slice(&hash_of(&split.stamp()).to_le_bytes());
        list.extend_from_slice(split.path().as_os_str().as_bytes());
        list.push(0);
    }
    if list.is_empty() {
        return key.clone();
    }
    cache.remember(key, KEPT_AS, &list);
    key.with(&list)
}

fn hash_of(stamp: &FileStamp) -> u64 {
    let mut hasher = DefaultHasher::new();
    stamp.hash(&mut hasher);
    hasher.finish()
}
