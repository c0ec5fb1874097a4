//! The same question, asked of the crate addr2line: an independent reading of the same debug info,
//! slower to start and shared with other tools. For doubt and for tests, never for answers.

use std::cell::OnceCell;
use std::sync::Arc;

use addr2line::{Context, FrameIter, LookupContinuation, LookupResult};
use gimli::DwoId;
use rustc_hash::FxHashMap;

use super::files::SourcePath;
use super::lookup::SourceFrame;
use crate::address::FileAddress;
use crate::dwarf::{DebugFile, Slice, View};

/// The debug info of one binary, as the crate addr2line reads it.
pub struct Reference<'a> {
    context: Context<Slice<'a>>,
    view: View<'a>,
    /// The skeletons by their id, once a split unit was met.
    skeletons: OnceCell<FxHashMap<u64, u64>>,
}

impl<'a> Reference<'a> {
    /// Reads the units of a file; none where the crate cannot.
    pub fn new(file: &'a DebugFile) -> Option<Reference<'a>> {
        let context = Context::from_dwarf(file.dwarf()).ok()?;
        Some(Reference { context, view: file.view(), skeletons: OnceCell::new() })
    }

    /// The frames at an address in words, innermost first, as [`words`] puts ours.
    pub fn words(&self, address: FileAddress) -> String {
        let mut found = self.context.find_frames(address.0);
        let frames = loop {
            found = match found {
                LookupResult::Output(frames) => break frames,
                LookupResult::Load { load, continuation } => {
                    continuation.resume(self.split(load.dwo_id).map(Arc::new))
                }
            };
        };
        frames.ok().map(in_words).unwrap_or_default()
    }

    /// The sections of a split unit: where they are is the one thing that the crate leaves to us.
    fn split(&self, id: DwoId) -> Option<gimli::Dwarf<Slice<'a>>> {
        let skeletons = self.skeletons.get_or_init(|| {
            let starts = self.view.file().unit_starts();
            let id = |start| Some((self.view.entries(start).ok()?.1.split?.id.0, start));
            starts.filter_map(id).collect()
        });
        self.view.split_sections(*skeletons.get(&id.0)?).ok()
    }
}

fn in_words(mut frames: FrameIter<'_, Slice<'_>>) -> String {
    let mut words = Vec::new();
    while let Ok(Some(frame)) = frames.next() {
        let name = frame.function.as_ref().map(|function| function.name.slice());
        let location = frame.location.as_ref();
        let file = location.and_then(|location| location.file).unwrap_or_default();
        let line = location.and_then(|location| location.line).unwrap_or(0);
        let column = location.and_then(|location| location.column).unwrap_or(0);
        words.push(one(name, file, line, column));
    }
    words.join(" < ")
}

/// Frames in words, innermost first.
pub fn words<'a>(frames: impl Iterator<Item = SourceFrame<'a>>) -> String {
    let path = |path: Option<SourcePath<'_>>| path.map(|path| path.to_string());
    let words = frames.map(|frame| {
        one(frame.function, &path(frame.path).unwrap_or_default(), frame.line, frame.column)
    });
    words.collect::<Vec<_>>().join(" < ")
}

fn one(name: Option<&[u8]>, file: &str, line: u32, column: u32) -> String {
    let name = String::from_utf8_lossy(name.unwrap_or(b"??"));
    // Without a line the column says nothing: addr2line leaves it out.
    let column = if line == 0 { 0 } else { column };
    format!("{name} {file}:{line}:{column}")
}
