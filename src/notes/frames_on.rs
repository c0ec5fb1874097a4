//! Which stacks does a note mean: frames in order, two stacks at once, a function calling itself?

use std::fmt;
use std::num::NonZeroUsize;

use serde::Deserialize;
use toml::Table;

use super::frame_pattern::{FramePattern, Globs, strings};

/// `{ frames, from?, count?, before?, signal?, program?, under?, asserted_in? }`.
#[derive(Clone, Debug)]
pub(crate) struct FramesOn {
    pub(crate) runs: Runs,
    pub(crate) from: Start,
    /// On exactly so many stacks, those with the same return address counted once; otherwise on
    /// one or more.
    pub(crate) count: Option<NonZeroUsize>,
    pub(crate) before: Option<Before>,
    pub(crate) signal: Vec<String>,
    pub(crate) program: Globs,
    /// A function further out than the frames.
    pub(crate) under: Globs,
    /// The functions whose assertion the stack may show.
    pub(crate) asserted_in: Vec<String>,
}

/// Runs of adjacent frames, innermost first; between two runs any frames may lie.
#[derive(Clone, Debug)]
pub(crate) struct Runs(Vec<Vec<FramePattern>>);

/// Where on a stack the frames begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Start {
    /// At the innermost frame, or at the one that a signal interrupted.
    Top,
    /// Anywhere.
    #[default]
    Anywhere,
}

/// What the stacks stand before in the paste.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Before {
    /// One signal, and after the one before it.
    Signal,
}

/// `{ stacks }`: one thread is here while another is there.
#[derive(Clone, Debug)]
pub(crate) struct StacksOn {
    /// Each on a stack of another thread than the others'.
    pub(crate) stacks: Vec<Runs>,
}

/// `{ recursion, signal? }`: functions that call one another without end.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recursion {
    /// At least so many frames of the same functions in turn.
    #[serde(rename = "recursion")]
    pub(crate) frames: NonZeroUsize,
    #[serde(default, deserialize_with = "strings")]
    pub(crate) signal: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FramesKeys {
    frames: Vec<FramePattern>,
    #[serde(default)]
    from: Start,
    count: Option<NonZeroUsize>,
    before: Option<Before>,
    #[serde(default, deserialize_with = "strings")]
    signal: Vec<String>,
    #[serde(default)]
    program: Globs,
    #[serde(default)]
    under: Globs,
    #[serde(default, deserialize_with = "strings")]
    asserted_in: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StacksKeys {
    stacks: Vec<Vec<FramePattern>>,
}

impl FramesOn {
    pub(super) fn read(keys: &Table) -> Result<FramesOn, String> {
        let FramesKeys { frames, from, count, before, signal, program, under, asserted_in } =
            super::predicate::parse(keys)?;
        let runs = Runs::read(&frames)?;
        Ok(FramesOn { runs, from, count, before, signal, program, under, asserted_in })
    }
}

impl StacksOn {
    pub(super) fn read(keys: &Table) -> Result<StacksOn, String> {
        let StacksKeys { stacks } = super::predicate::parse(keys)?;
        if !(2..=4).contains(&stacks.len()) {
            return Err("`stacks` takes two to four lists of frames".to_owned());
        }
        let stacks = stacks.iter().map(|frames| Runs::read(frames)).collect::<Result<_, _>>()?;
        Ok(StacksOn { stacks })
    }
}

impl Runs {
    fn read(frames: &[FramePattern]) -> Result<Runs, String> {
        let is_gap = |frame: &FramePattern| frame.names().as_deref() == Some(&["..."]);
        let runs: Vec<Vec<FramePattern>> =
            frames.split(is_gap).map(<[FramePattern]>::to_vec).collect();
        if runs.iter().any(Vec::is_empty) {
            return Err("`frames` needs a frame on both sides of each \"...\"".to_owned());
        }
        if !runs.iter().flatten().any(FramePattern::is_specific) {
            return Err("`frames` names no function".to_owned());
        }
        Ok(Runs(runs))
    }

    /// The first run and those further out.
    pub(crate) fn split_first(&self) -> Option<(&Vec<FramePattern>, &[Vec<FramePattern>])> {
        self.0.split_first()
    }

    /// Every frame, innermost first.
    pub(crate) fn frames(&self) -> impl Iterator<Item = &FramePattern> {
        self.0.iter().flatten()
    }
}

impl fmt::Display for Runs {
    /// `strlen ← strdup ← … ← main`: innermost first, each called by the next.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, run) in self.0.iter().enumerate() {
            f.write_str(if number > 0 { " ← … ← " } else { "" })?;
            let names: Vec<String> = run.iter().map(FramePattern::to_string).collect();
            f.write_str(&names.join(" ← "))?;
        }
        Ok(())
    }
}

impl fmt::Display for FramesOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(count) = self.count {
            write!(f, "{count} × ")?;
        }
        self.runs.fmt(f)?;
        f.write_str(match self.before {
            Some(Before::Signal) => " before the signal",
            None => "",
        })
    }
}

impl fmt::Display for StacksOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stacks: Vec<String> = self.stacks.iter().map(Runs::to_string).collect();
        write!(f, "one thread in {}", stacks.join(", another in "))
    }
}
