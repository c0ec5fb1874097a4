//! `trace.symbolize`: the frames of a paste, looked up in the binaries they are from.

mod apart;
mod candidates;
pub(super) mod given;
mod listed;
mod place;
mod placed;
mod sightings;

use super::resolve::Resolver;
use super::sources::Sources;
use super::{Answer, Engine, paste};
use crate::address::FileAddress;
use crate::api::binary::BinaryRef;
use crate::api::symbols::{GivenModule, SymbolizeMethod, SymbolizeRequest, Symbolized, TraceForm};
use crate::error::Error;
use crate::job::Job;
use crate::render;
use crate::symbols::{Misfit, Proof};
use crate::trace::{Frame, FrameCheck, Resolved, Trace};
use apart::place_apart;
use candidates::Candidates;
use listed::Lists;
use place::{Outcome, Placed, Question, place};
use sightings::{Place, Seen};

impl Answer for SymbolizeMethod {
    fn answer(
        engine: &Engine,
        job: &Job,
        mut request: SymbolizeRequest,
    ) -> Result<Symbolized, Error> {
        let trace = paste::read(
            engine,
            job,
            request.trace.take(),
            request.text.as_deref(),
            &request.pieces,
        )?;
        let sources = engine.sources(request.context);
        let wanted = Wanted {
            binaries: &request.binaries,
            modules: &request.modules,
            sources: sources.as_ref(),
        };
        let mut answer = symbolize(engine, job, trace, &wanted)?;
        let styled = request.render.map(|TraceForm::Text| render::trace::text(&answer));
        answer.rendered = styled.as_deref().map(render::plain);
        Ok(answer)
    }
}

/// What a question says besides the trace.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted<'w> {
    /// Binaries to look in first.
    pub(super) binaries: &'w [BinaryRef],
    /// Where modules were loaded.
    pub(super) modules: &'w [GivenModule],
    /// Where source lines come from, if they are wanted.
    pub(super) sources: Option<&'w Sources<'w>>,
}

/// Fills in what binaries say of a trace's frames.
pub(super) fn symbolize(
    engine: &Engine,
    job: &Job,
    mut trace: Trace,
    wanted: &Wanted<'_>,
) -> Result<Symbolized, Error> {
    let candidates = Candidates::new(engine, job, wanted.binaries, &trace)?;
    let mut answer = Symbolized::default();
    let mut found: Vec<(Place, FrameCheck, Option<Resolved>)> = Vec::new();
    let lists = Lists::of(&trace);
    for seen in sightings::seen(&trace, &lists) {
        job.check()?;
        let given = wanted.modules;
        let question = Question { job, trace: &trace, lists: &lists, given, seen: &seen };
        match place(&candidates, &question)? {
            Outcome::Placed(placed) => {
                look_up(engine, job, wanted, &seen, &placed, &mut found)?;
                answer.modules.push(placed.module(&seen));
            }
            Outcome::Refused(refused) => match place_apart(&candidates, &question, &seen)? {
                None => answer.refused.push(refused),
                Some((runs, left)) => {
                    for (seen, placed) in &runs {
                        look_up(engine, job, wanted, seen, placed, &mut found)?;
                        answer.modules.push(placed.module(seen));
                    }
                    answer.refused.extend(left);
                }
            },
        }
    }
    answer.refused.extend(sightings::without_address(&trace));
    answer.unused = candidates.unused(&answer);
    for (at, check, resolved) in found {
        if let Some(frame) = frame_at(&mut trace, at) {
            frame.check = Some(check);
            frame.resolved = resolved;
        }
    }
    answer.trace = trace;
    Ok(answer)
}

fn frame_at(trace: &mut Trace, place: Place) -> Option<&mut Frame> {
    match place {
        Place::Stack(stack, frame) => trace.stacks.get_mut(stack)?.frames.get_mut(frame),
        Place::Event(event) => trace.events.get_mut(event)?.frame.as_deref_mut(),
    }
}

/// Looks the frames of a placed module up.
fn look_up(
    engine: &Engine,
    job: &Job,
    wanted: &Wanted<'_>,
    seen: &Seen<'_>,
    placed: &Placed,
    found: &mut Vec<(Place, FrameCheck, Option<Resolved>)>,
) -> Result<(), Error> {
    let bias = placed.placement.bias;
    let sightings = placed.sightings(seen);
    let addresses: Vec<FileAddress> =
        sightings.iter().map(|sighting| sighting.instruction(bias)).collect();
    let symbols = placed.opened.symbols();
    let resolver =
        Resolver::new(engine, job, &placed.opened, &symbols, wanted.sources, &addresses)?;
    for (position, (sighting, address)) in sightings.iter().zip(addresses).enumerate() {
        let (Some(place), Some(proof)) =
            (seen.places.get(position), placed.placement.proofs.get(position))
        else {
            continue;
        };
        let certainty = placed.certainty(position, sighting);
        let resolved = match proof {
            Proof::Misfit(_) => None,
            _ => resolver.at(job, address, certainty)?,
        };
        found.push((*place, check_of(*proof), resolved));
    }
    Ok(())
}

fn check_of(proof: Proof) -> FrameCheck {
    match proof {
        Proof::Pinned => FrameCheck::Pinned,
        Proof::Fits => FrameCheck::Fits,
        Proof::TailCall => FrameCheck::TailCall,
        Proof::Misfit(misfit) => check_of_misfit(misfit),
    }
}

fn check_of_misfit(misfit: Misfit) -> FrameCheck {
    match misfit {
        Misfit::NoCode => FrameCheck::NoCode,
        Misfit::OtherFunction => FrameCheck::OtherFunction,
        Misfit::NoInstruction => FrameCheck::NoInstruction,
        Misfit::NoCall => FrameCheck::NoCall,
        Misfit::CallsOther => FrameCheck::CallsOther,
    }
}
