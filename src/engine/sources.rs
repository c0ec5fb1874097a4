//! The lines of source around a place, read from the folders that are configured for it, or as a
//! debuginfod server has them.
//!
//! Rule: the paths come from binaries, which anybody may have made: a file is read only where it
//! lies below a configured folder, links followed. What a server sends is in the cache.

use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex};

use rustc_hash::FxHashMap;

use super::binaries::lock;
use crate::binary::debuginfod::{Debuginfod, SourceError};
use crate::binary::{BuildId, Mapping, map_file};
use crate::config::SourceMap;
use crate::job::{Job, Stopped};
use crate::trace::SourceLine;

/// Longer lines are cut: they are data, not something to read.
const MAX_LINE: usize = 500;

/// At most so many lines are shown around a place.
const MAX_CONTEXT: u32 = 1000;

/// Source files that were asked for, for one question.
#[derive(Debug)]
pub(super) struct Sources<'c> {
    roots: Vec<PathBuf>,
    map: &'c [SourceMap],
    debuginfod: Option<&'c Debuginfod>,
    context: u32,
    known: Mutex<FxHashMap<Asked, Option<Arc<Mapping>>>>,
}

/// A source file as the binary that was made of it has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Asked {
    build_id: Option<BuildId>,
    path: String,
}

impl<'c> Sources<'c> {
    /// So many lines before and after each place, from below these folders.
    pub(super) fn new(
        roots: &[PathBuf],
        map: &'c [SourceMap],
        debuginfod: Option<&'c Debuginfod>,
        context: u32,
    ) -> Sources<'c> {
        let roots = roots.iter().filter_map(|root| root.canonicalize().ok()).collect();
        let context = context.min(MAX_CONTEXT);
        Sources { roots, map, debuginfod, context, known: Mutex::default() }
    }

    /// The lines around `line` of the file that the compiler of this build was told as `path`; none
    /// where it is not to be had.
    pub(super) fn around(
        &self,
        job: &Job,
        build_id: Option<&BuildId>,
        path: &str,
        line: u32,
    ) -> Result<Option<Vec<SourceLine>>, Stopped> {
        let asked = Asked { build_id: build_id.cloned(), path: path.to_owned() };
        let text = self.file(job, asked)?;
        Ok(text.and_then(|text| self.lines(&text, line)))
    }

    fn lines(&self, text: &[u8], line: u32) -> Option<Vec<SourceLine>> {
        let first = line.saturating_sub(self.context).max(1);
        let count = (line.saturating_add(self.context) - first + 1) as usize;
        let lines = text.split(|byte| *byte == b'\n').zip(1..);
        let wanted = lines.skip(first as usize - 1).take(count);
        let lines: Vec<SourceLine> =
            wanted.map(|(text, line)| SourceLine { line, text: as_text(text) }).collect();
        // A file that has changed may be shorter.
        lines.iter().any(|shown| shown.line == line).then_some(lines)
    }

    fn file(&self, job: &Job, asked: Asked) -> Result<Option<Arc<Mapping>>, Stopped> {
        if let Some(known) = lock(&self.known).get(&asked) {
            return Ok(known.clone());
        }
        let found = match self.places(&asked.path).find_map(|place| self.open(&place)) {
            Some(found) => Some(found),
            None => self.served(job, &asked)?,
        };
        lock(&self.known).insert(asked, found.clone());
        Ok(found)
    }

    fn served(&self, job: &Job, asked: &Asked) -> Result<Option<Arc<Mapping>>, Stopped> {
        let Some((debuginfod, build_id)) = self.debuginfod.zip(asked.build_id.as_ref()) else {
            return Ok(None);
        };
        match debuginfod.source(job, build_id, Path::new(&asked.path)) {
            Ok(place) => Ok(map_file(&place).ok().map(Arc::new)),
            Err(SourceError::Absent(_)) => Ok(None),
            Err(SourceError::Stopped(stopped)) => Err(stopped),
        }
    }

    /// Where a file may be: where its path is mapped to, as it is, and below each folder without
    /// the first parts of its path.
    fn places(&self, path: &str) -> impl Iterator<Item = PathBuf> {
        let path = normalized(Path::new(path));
        let mapped = self.map.iter().filter_map({
            let path = path.clone();
            move |map| Some(map.to.join(path.strip_prefix(&map.from).ok()?))
        });
        let parts: Vec<Component<'_>> =
            path.components().filter(|part| matches!(part, Component::Normal(_))).collect();
        let ends: Vec<PathBuf> =
            (0..parts.len()).map(|skipped| parts.iter().skip(skipped).collect()).collect();
        let below = self
            .roots
            .iter()
            .flat_map(move |root| ends.iter().map(|end| root.join(end)).collect::<Vec<_>>());
        mapped.chain(std::iter::once(path)).collect::<Vec<_>>().into_iter().chain(below)
    }

    fn open(&self, place: &Path) -> Option<Arc<Mapping>> {
        let real = place.canonicalize().ok()?;
        let is_below = self.roots.iter().any(|root| real.starts_with(root));
        is_below.then(|| map_file(&real).ok().map(Arc::new))?
    }
}

/// A path without `.` and `..`, as text: `build/../src/a.c` is `src/a.c`. Compilers are told such
/// paths; where a link is among the folders it may be another file, which is seldom meant.
pub(super) fn normalized(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if normal.file_name().is_some() => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}

fn as_text(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = String::from_utf8_lossy(line.get(..MAX_LINE.min(line.len())).unwrap_or_default());
    text.into_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_found_by_the_end_of_its_path_and_only_below_its_folders() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("libvirt");
        fs::create_dir_all(root.join("src/util")).unwrap();
        fs::write(root.join("src/util/a.c"), "one\ntwo\nthree\r\nfour\n").unwrap();
        fs::write(home.path().join("secret"), "s\n").unwrap();
        std::os::unix::fs::symlink(home.path().join("secret"), root.join("link.c")).unwrap();
        let roots = [root.clone()];
        let sources = Sources::new(&roots, &[], None, 1);
        let lines = |path: &str, line| {
            let lines = sources.around(&Job::new(), None, path, line).unwrap()?;
            Some(
                lines
                    .into_iter()
                    .map(|line| format!("{} {}", line.line, line.text))
                    .collect::<Vec<_>>(),
            )
        };
        let expected = Some(vec!["2 two".to_owned(), "3 three".to_owned(), "4 four".to_owned()]);
        assert_eq!(lines("/build/x/libvirt-9/build/../src/util/a.c", 3), expected);
        assert_eq!(lines(root.join("src/util/a.c").to_str().unwrap(), 3), expected);
        assert_eq!(lines("src/util/a.c", 9), None);
        assert_eq!(lines("/x/link.c", 1), None);
        assert_eq!(lines(home.path().join("secret").to_str().unwrap(), 1), None);
        assert_eq!(lines("../../../../etc/passwd", 1), None);
    }

    #[test]
    fn a_mapped_path_comes_first() {
        let home = tempfile::tempdir().unwrap();
        for folder in ["new", "src"] {
            fs::create_dir(home.path().join(folder)).unwrap();
            fs::write(home.path().join(folder).join("a.c"), folder).unwrap();
        }
        let map = [SourceMap { from: "/build/src".into(), to: home.path().join("new") }];
        let roots = [home.path().to_owned()];
        let sources = Sources::new(&roots, &map, None, 0);
        let first = |path| sources.around(&Job::new(), None, path, 1).unwrap().unwrap().remove(0);
        assert_eq!(first("/build/src/a.c").text, "new");
        assert_eq!(first("/other/src/a.c").text, "src");
    }
}
