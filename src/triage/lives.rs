//! When did each object of the log begin, was it used after its end, and did it ever end?

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::facts::Facts;
use super::predicates::shorten;
use crate::notes::{LifeState, LifeStep, ObjectRule, SeenIn, StepRule};
use crate::public_name::public_name;
use crate::trace::{EventKind, Lines};

/// Objects that are told of, those with something odd first.
const MOST_OBJECTS: usize = 500;

/// Steps of one object that are kept: the first, and of the others the last.
const MOST_STEPS: usize = 64;

/// One object, with what the text tells of its life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectLife {
    /// What it is called: `libxl__ev_fd`, `ao`.
    pub name: String,
    /// Which one: its address or number.
    pub key: String,
    /// How its life went.
    pub state: LifeState,
    /// The same in a sentence.
    pub told: String,
    /// How often its life began.
    pub opened: usize,
    /// Its steps, in the order of the text.
    pub steps: Vec<LifeEvent>,
    /// Steps in their midst that are left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: usize,
    /// What to log to see all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<String>,
}

/// One step of a life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LifeEvent {
    /// What it does to the object.
    pub step: LifeStep,
    /// It came after the end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub after_end: bool,
    /// Where in the paste.
    pub lines: Lines,
    /// When, as the log prints it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The text there, shortened.
    pub text: String,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// An object: its piece of text and its key.
type Which = (Option<String>, String);

/// The life of every object that the rules follow.
pub(super) fn lives(facts: &Facts<'_>, rules: &[ObjectRule]) -> Vec<ObjectLife> {
    let mut lives = Vec::new();
    for rule in rules {
        let mut objects: BTreeMap<Which, Vec<LifeEvent>> = BTreeMap::new();
        for step in &rule.steps {
            if !facts.may_go_on() {
                return Vec::new();
            }
            for (key, event) in seen(facts, step) {
                let which = (event.lines.piece.clone(), key);
                objects.entry(which).or_default().push(event);
            }
        }
        lives.extend(objects.into_iter().map(|((_, key), steps)| life(rule, key, steps)));
    }
    lives.sort_by(|a, b| {
        let begins = |life: &ObjectLife| life.steps.first().map(|step| step.lines.clone());
        a.state.cmp(&b.state).then_with(|| begins(a).cmp(&begins(b)))
    });
    lives.truncate(MOST_OBJECTS);
    lives
}

/// Every place where a step is seen.
fn seen(facts: &Facts<'_>, rule: &StepRule) -> Vec<(String, LifeEvent)> {
    let event = |lines: &Lines, time: Option<&String>, text: &str| LifeEvent {
        step: rule.step,
        after_end: false,
        lines: lines.clone(),
        time: time.cloned(),
        text: shorten(text),
    };
    match &rule.seen_in {
        SeenIn::Log(pattern, regex) => {
            let records = facts.log(pattern).filter_map(|record| {
                let key = regex.captures(&record.text)?.name("key")?.as_str().to_owned();
                Some((key, event(&record.lines, record.time.as_ref(), &record.text)))
            });
            records.collect()
        }
        SeenIn::Breakpoint(function, argument) => {
            let stops = facts.trace.events.iter().filter_map(|stop| {
                let EventKind::Breakpoint { .. } = stop.what else { return None };
                let frame = stop.frame.as_deref()?;
                let name = frame.function.as_deref()?;
                (public_name(name) == function.as_str()).then_some(())?;
                let key = frame.arguments.iter().find(|printed| printed.name == *argument)?;
                let arguments = frame.arguments.iter();
                let printed: Vec<String> =
                    arguments.map(|one| format!("{}={}", one.name, one.value.text)).collect();
                let text = format!("{name} ({})", printed.join(", "));
                Some((key.value.text.clone(), event(&stop.lines, None, &text)))
            });
            stops.collect()
        }
    }
}

/// What the steps of one object make.
fn life(rule: &ObjectRule, key: String, mut steps: Vec<LifeEvent>) -> ObjectLife {
    steps.sort_by(|a, b| (&a.lines, a.step).cmp(&(&b.lines, b.step)));
    let (mut is_open, mut was_open, mut opened, mut used_after) = (false, false, 0usize, None);
    let mut ended = None;
    for step in &mut steps {
        match step.step {
            LifeStep::Opens => {
                (is_open, was_open) = (true, true);
                opened += 1;
            }
            LifeStep::Uses if ended.is_some() && !is_open => {
                step.after_end = true;
                used_after.get_or_insert(step.lines.first);
            }
            LifeStep::Uses => {}
            LifeStep::Closes => {
                is_open = false;
                ended = Some(step.lines.first);
            }
        }
    }
    let state = match used_after {
        _ if rule.incomplete.is_some() => LifeState::Incomplete,
        Some(_) => LifeState::UsedAfterClose,
        None if is_open => LifeState::NeverClosed,
        None if ended.is_none() && !was_open => LifeState::Incomplete,
        None => LifeState::Closed,
    };
    let last = steps.iter().rev().find(|step| step.step != LifeStep::Closes);
    let last = last.map_or_else(String::new, |step| step.text.clone());
    let told = in_words(rule, state, opened, used_after, ended, &last);
    let left_out = steps.len().saturating_sub(MOST_STEPS);
    steps.drain(1..1 + left_out.min(steps.len().saturating_sub(1)));
    let (name, setting) = (rule.name.clone(), rule.setting.clone());
    let setting = setting.filter(|_| state != LifeState::Closed);
    ObjectLife { name, key, state, told, opened, steps, left_out, setting }
}

fn in_words(
    rule: &ObjectRule,
    state: LifeState,
    opened: usize,
    used_after: Option<usize>,
    ended: Option<usize>,
    last: &str,
) -> String {
    let times = match opened {
        0 => "began before this text".to_owned(),
        1 => "began once".to_owned(),
        more => format!("began {more} times"),
    };
    match state {
        LifeState::UsedAfterClose => {
            let line = |at: Option<usize>| at.map_or_else(String::new, |at| format!(" line {at}"));
            format!("used at{} after its end at{}", line(used_after), line(ended))
        }
        LifeState::NeverClosed => {
            format!("{times}; its end is not in this text. The last that is told of it: {last}")
        }
        LifeState::Incomplete => match &rule.incomplete {
            Some(why) => format!("{times}. {why}"),
            None => format!("{times}, and its end is not in it"),
        },
        LifeState::Closed => format!("{times}, and ended"),
    }
}
