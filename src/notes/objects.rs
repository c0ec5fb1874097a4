//! Which objects can be followed through a log, and by which words?

use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::patterns::compile;
use super::problem::Flaw;

/// One kind of object.
#[derive(Clone, Debug)]
pub(crate) struct ObjectRule {
    /// What it is called.
    pub(crate) name: String,
    pub(crate) steps: Vec<StepRule>,
    /// Why a life cannot be told whole, where that is so.
    pub(crate) incomplete: Option<String>,
    /// What to log to see all of it.
    pub(crate) setting: Option<String>,
}

/// One step of its life.
#[derive(Clone, Debug)]
pub(crate) struct StepRule {
    pub(crate) step: LifeStep,
    pub(crate) seen_in: SeenIn,
}

/// Where a step is seen.
#[derive(Clone, Debug)]
pub(crate) enum SeenIn {
    /// In a log record; the group `key` of the pattern is the object.
    Log(String, Regex),
    /// At a breakpoint; this argument is the object.
    Breakpoint(String, String),
}

/// What a step does to an object.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum LifeStep {
    /// Its life begins.
    Opens,
    /// It is used.
    Uses,
    /// Its life ends.
    Closes,
}

/// How a life went, as far as the text tells.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum LifeState {
    /// It was used after its end.
    UsedAfterClose,
    /// Its end is not in the text.
    NeverClosed,
    /// Its ends cannot be told from the text at all.
    Incomplete,
    /// It ended.
    Closed,
}

/// `[[object]]` of a `plugin.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ObjectKeys {
    name: String,
    incomplete: Option<String>,
    setting: Option<String>,
    #[serde(rename = "step")]
    steps: Vec<Spanned<StepKeys>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepKeys {
    what: LifeStep,
    log: Option<String>,
    breakpoint: Option<String>,
    key: Option<String>,
}

impl ObjectRule {
    pub(super) fn read(keys: ObjectKeys) -> Result<ObjectRule, Flaw> {
        let steps = keys.steps.iter().map(StepRule::read).collect::<Result<_, _>>()?;
        let ObjectKeys { name, incomplete, setting, .. } = keys;
        Ok(ObjectRule { name, steps, incomplete, setting })
    }

    /// The patterns of its steps.
    pub(super) fn patterns(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| match &step.seen_in {
            SeenIn::Log(pattern, _) => Some(pattern.as_str()),
            SeenIn::Breakpoint(..) => None,
        })
    }
}

impl StepRule {
    fn read(keys: &Spanned<StepKeys>) -> Result<StepRule, Flaw> {
        const HINT: &str = "give `log` with a group (?<key>…), or `breakpoint` and `key`";
        let flaw = |what: String| Flaw::at(keys, what, HINT);
        let StepKeys { what, log, breakpoint, key } = keys.get_ref();
        let seen_in = match (log, breakpoint, key) {
            (Some(log), None, None) => {
                let regex = compile(log).map_err(flaw)?;
                if !regex.capture_names().flatten().any(|name| name == "key") {
                    return Err(flaw(format!("{log:?} does not say what the object is")));
                }
                SeenIn::Log(log.clone(), regex)
            }
            (None, Some(function), Some(argument)) => {
                SeenIn::Breakpoint(function.clone(), argument.clone())
            }
            _ => return Err(flaw("a step is seen in a log or at a breakpoint".to_owned())),
        };
        Ok(StepRule { step: *what, seen_in })
    }
}
