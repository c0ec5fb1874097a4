//! Would two processes give the same answers? One hash of all that decides them besides the
//! question: the configuration, the debuginfod servers of the environment, the plugins on disk, and the build, with the plugins inside it.
//!
//! Files are compared by their stamp (inode, size, times), not by their text: a command computes
//! the hash before it knows whether it needs any plugin, in well under a millisecond. Touching a
//! file is therefore a difference, which costs a restart; missing one would cost a wrong answer.
//!
//! The hash is 64-bit FNV-1a: fixed by its definition, unlike those of the standard library, and
//! enough where nobody gains by a collision. The build is in it, so that only copies of one program
//! ever agree.

use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use fnv::FnvHasher;

use super::debug_sources::servers;
use crate::binary::FileStamp;
use crate::config::Config;

/// The program that runs, by its file: what is there now, even if another has taken its name.
const PROGRAM: &str = "/proc/self/exe";

/// Folders of a plugin folder are looked through so deep: `libxl/notes/`.
const DEPTH: u32 = 2;

/// The hash, in hexadecimal, as of now.
pub fn agreement_hash(config: &Config) -> String {
    agreement(fixed_hash(config), plugins_hash(config))
}

/// The same for a process that has been running for a while: with the plugins as of now, and the rest
/// as it was.
pub(super) fn agreement(fixed: u64, plugins: u64) -> String {
    let mut hasher = FnvHasher::default();
    (fixed, plugins).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// What a process reads once.
pub(super) fn fixed_hash(config: &Config) -> u64 {
    let mut hasher = FnvHasher::default();
    config.hash().hash(&mut hasher);
    servers(config).hash(&mut hasher);
    FileStamp::of(Path::new(PROGRAM)).ok().hash(&mut hasher);
    hasher.finish()
}

/// The plugins on disk.
pub(super) fn plugins_hash(config: &Config) -> u64 {
    let mut hasher = FnvHasher::default();
    for folder in &config.plugins {
        hash_plugins(folder, DEPTH, &mut hasher);
    }
    hasher.finish()
}

/// The stamps of all files of knowledge (TOML and tables) below a folder, with their paths, in the order of those.
fn hash_plugins(folder: &Path, depth: u32, hasher: &mut impl Hasher) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort_unstable();
    for path in paths {
        if path.extension().is_some_and(|extension| extension == "toml" || extension == "tsv") {
            path.hash(hasher);
            FileStamp::of(&path).ok().hash(hasher);
        } else if depth > 0 && !is_hidden(&path) && path.is_dir() {
            path.hash(hasher);
            hash_plugins(&path, depth - 1, hasher);
        }
    }
}

/// `.git` and the like.
fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn any_change_of_a_plugin_changes_the_hash() {
        let home = tempfile::tempdir().unwrap();
        let config = Config { plugins: vec![home.path().to_owned()], ..Config::default() };
        let mut seen = vec![agreement_hash(&config)];
        let mut changed = |what: &str| {
            let hash = agreement_hash(&config);
            assert_eq!(agreement_hash(&config), hash);
            assert!(!seen.contains(&hash), "{what}");
            seen.push(hash);
        };
        let notes = home.path().join("mine/notes");
        fs::create_dir_all(&notes).unwrap();
        changed("a folder");
        fs::write(home.path().join("mine/plugin.toml"), "name = \"mine\"").unwrap();
        changed("a manifest");
        fs::write(notes.join("a.toml"), "title = \"a\"").unwrap();
        changed("a note");
        fs::write(notes.join("a.toml"), "title = \"another\"").unwrap();
        changed("its text");
        fs::rename(notes.join("a.toml"), notes.join("b.toml")).unwrap();
        changed("its name");
        fs::write(notes.join("c.toml"), "").unwrap();
        changed("another note");
        fs::remove_file(notes.join("b.toml")).unwrap();
        changed("the first is gone");
    }

    #[test]
    fn what_is_no_plugin_does_not_count() {
        let home = tempfile::tempdir().unwrap();
        let config = Config { plugins: vec![home.path().to_owned()], ..Config::default() };
        let before = agreement_hash(&config);
        fs::create_dir_all(home.path().join(".git/refs")).unwrap();
        fs::write(home.path().join(".git/refs/x.toml"), "").unwrap();
        fs::write(home.path().join("README"), "").unwrap();
        assert_eq!(agreement_hash(&config), before);
        assert_ne!(agreement_hash(&Config::default()), before);
    }
}
