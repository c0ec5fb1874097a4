//! A trace as its binaries tell it: what they say of an address stands where the paste had it, and
//! functions that were inlined there are frames of their own, as a debugger with debug info shows.
//!
//! ```text
//! printed    #1 0x…66c in ?? ()          resolved: virshDomainListCollect, inlined into cmdList
//! expanded   #1 0x…66c in virshDomainListCollect ()   #1 cmdList ()
//! ```

use std::borrow::Cow;

use super::model::{Frame, Resolved, ResolvedFrame, Stack, Trace};

impl Trace {
    /// The trace with what was looked up in the place of what was printed.
    pub fn expanded(&self) -> Cow<'_, Trace> {
        let is_resolved = |frame: &Frame| frame.resolved.is_some();
        if !self.stacks.iter().any(|stack| stack.frames.iter().any(is_resolved)) {
            return Cow::Borrowed(self);
        }
        let mut trace = self.clone();
        for stack in &mut trace.stacks {
            expand(stack);
        }
        Cow::Owned(trace)
    }
}

fn expand(stack: &mut Stack) {
    let mut frames = Vec::with_capacity(stack.frames.len());
    for mut frame in std::mem::take(&mut stack.frames) {
        match frame.resolved.take() {
            Some(resolved) => frames.extend(several(frame, resolved)),
            None => frames.push(frame),
        }
    }
    stack.frames = frames;
}

/// One frame for each function; the address stands on the first, the arguments printed are those of
/// the last, which is the one that was called.
fn several(printed: Frame, resolved: Resolved) -> Vec<Frame> {
    let mut address = printed.address;
    let last = resolved.frames.len().saturating_sub(1);
    let one = |(position, found): (usize, ResolvedFrame)| {
        let mut frame = Frame { address: address.take(), ..printed.clone() };
        if position < last {
            frame.arguments.clear();
            frame.locals.clear();
        }
        frame.function = found.function.or(frame.function);
        if found.file.is_some() {
            (frame.file, frame.line, frame.column) = (found.file, found.line, found.column);
        }
        frame
    };
    resolved.frames.into_iter().enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Job;
    use crate::trace::{Certainty, Piece, parse};

    #[test]
    fn inlined_functions_become_frames() {
        let text =
            "#0  0x1 in f (x=1) from /l.so\n#1  0x2 in ?? () from /l.so\n#2  0x3 in main ()\n";
        let mut trace = parse(&Job::new(), &[Piece::unnamed(text)]).unwrap();
        assert!(matches!(trace.expanded(), Cow::Borrowed(_)));
        let named = |name: &str| ResolvedFrame {
            function: Some(name.to_owned()),
            file: Some("l.c".to_owned()),
            line: Some(7),
            ..ResolvedFrame::default()
        };
        trace.stacks[0].frames[1].resolved = Some(Resolved {
            frames: vec![named("inner"), named("outer")],
            module: "/l.so".to_owned(),
            build_id: None,
            certainty: Certainty::Certain,
            via: "dwarf".to_owned(),
        });
        let expanded = trace.expanded();
        let frames = expanded.stacks[0].frames.iter();
        let shown: Vec<_> = frames
            .map(|frame| (frame.index, frame.address.map(|at| at.0), frame.function.as_deref()))
            .collect();
        let expected = [
            (0, Some(1), Some("f")),
            (1, Some(2), Some("inner")),
            (1, None, Some("outer")),
            (2, Some(3), Some("main")),
        ];
        assert_eq!(shown, expected);
        assert_eq!(expanded.stacks[0].frames[2].line, Some(7));
    }
}
