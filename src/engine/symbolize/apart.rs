//! A paste may be of several runs of a program: each had its modules elsewhere.
//!
//! When no load bias fits all frames of a module, each stack is placed alone; those that come to the
//! same bias in the same binary are then one run, and prove it together. Where another stack cannot be
//! of that binary at all, it may be another build of the module, and nothing is proved.

use super::candidates::Candidates;
use super::place::{Outcome, Placed, Question, place};
use super::sightings::{Place, Seen};
use crate::api::symbols::RefusedModule;
use crate::job::Stopped;
use crate::symbols::Callee;

/// The runs of a module that were placed, each with its frames; and what is left.
pub(super) type Runs<'t> = (Vec<(Seen<'t>, Box<Placed>)>, Vec<RefusedModule>);

/// Places the stacks of a module apart. Nothing is gained where there is but one.
pub(super) fn place_apart<'t>(
    candidates: &Candidates<'_>,
    question: &Question<'_>,
    whole: &Seen<'t>,
) -> Result<Option<Runs<'t>>, Stopped> {
    let parts = stacks(whole);
    if parts.len() < 2 {
        return Ok(None);
    }
    let mut runs: Vec<(Seen<'t>, Box<Placed>)> = Vec::new();
    let mut refused = Vec::new();
    for part in parts {
        match place(candidates, &Question { seen: &part, ..*question })? {
            Outcome::Refused(module) => refused.push(module),
            Outcome::Placed(placed) => {
                match runs.iter_mut().find(|(_, known)| known.is_same_run(&placed)) {
                    Some((seen, _)) => seen.extend(part),
                    None => runs.push((part, placed)),
                }
            }
        }
    }
    if runs.is_empty() {
        return Ok(None);
    }
    let mut together = Vec::new();
    for (seen, mut placed) in runs {
        placed.doubted = refused.iter().any(|module| placed.is_refuted_by(module));
        let placed = placed.check_again(&Question { seen: &seen, ..*question })?;
        together.push((seen, Box::new(placed)));
    }
    Ok(Some((together, refused)))
}

/// The frames of each stack, and of each stop, by themselves.
fn stacks<'t>(whole: &Seen<'t>) -> Vec<Seen<'t>> {
    let group = |place: &Place| match *place {
        Place::Stack(stack, _) => (0, stack),
        Place::Event(event) => (1, event),
    };
    let mut parts: Vec<Seen<'t>> = Vec::new();
    let mut last = None;
    // Where the frames of the part begin in the whole.
    let mut start = 0;
    for (position, (place, sighting)) in whole.places.iter().zip(&whole.sightings).enumerate() {
        if last.replace(group(place)) != Some(group(place)) {
            parts.push(Seen::new(whole.name, whole.addresses));
            start = position;
        }
        let Some(part) = parts.last_mut() else { continue };
        let mut sighting = *sighting;
        if let Callee::Sighting(position) = sighting.callee {
            // What a frame has called is of its own stack.
            sighting.callee = position.checked_sub(start).map_or(Callee::Unknown, Callee::Sighting);
        }
        part.take(whole, position, sighting);
    }
    parts
}
