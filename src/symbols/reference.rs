//! The same question, asked of the crate addr2line: an independent reading of the same debug info,
//! slower to start and shared with other tools. For doubt and for tests, never for answers.

use addr2line::{Context, FrameIter, LookupResult};

use super::files::SourcePath;
use super::lookup::SourceFrame;
use crate::address::FileAddress;
use crate::dwarf::{DebugFile, Slice};

/// The debug info of one binary, as the crate addr2line reads it.
pub struct Reference<'a> {
    context: Context<Slice<'a>>,
}

impl<'a> Reference<'a> {
    /// Reads the units of a file; none where the crate cannot.
    pub fn new(file: &'a DebugFile) -> Option<Reference<'a>> {
        let dwarf = file.view().into_dwarf();
        Context::from_dwarf(dwarf).ok().map(|context| Reference { context })
    }

    /// The frames at an address in words, innermost first, as [`words`] puts ours.
    pub fn words(&self, address: FileAddress) -> String {
        let frames = match self.context.find_frames(address.0) {
            LookupResult::Output(frames) => frames,
            // A split unit: its file is looked for by nobody here.
            load @ LookupResult::Load { .. } => load.skip_all_loads(),
        };
        frames.ok().map(in_words).unwrap_or_default()
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
