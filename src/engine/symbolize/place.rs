//! Where a module of a paste was loaded, and which binary it is: the surest source first, and the
//! code decides.

use std::path::Path;
use std::sync::Arc;

use super::candidates::{Candidate, Candidates, file_name, is_named};
use super::check_of_misfit;
use super::given;
use super::sightings::{Addresses, Place, Seen};
use crate::address::{LoadBias, RuntimeAddress};
use crate::api::binary::Provenance;
use crate::api::symbols::{
    BiasSource, GivenModule, MisfitFrame, PlacedModule, Refusal, RefusedModule, TriedBinary,
};
use crate::binary::Kind;
use crate::engine::binaries::Opened;
use crate::job::{Job, Stopped};
use crate::symbols::{Misfit, Placement, Proof, Sighting};
use crate::trace::{Certainty, Module, Trace};

/// A module that was placed, or not.
#[derive(Debug)]
pub(super) enum Outcome {
    Placed(Box<Placed>),
    Refused(RefusedModule),
}

/// A module of which binary and load bias are known.
#[derive(Debug)]
pub(super) struct Placed {
    /// The binary to look addresses up in.
    pub(super) opened: Arc<Opened>,
    /// The one whose code was checked: a stripped twin, where the other has only debug info.
    checked: Arc<Opened>,
    /// Where it was loaded.
    pub(super) placement: Placement,
    because: BiasSource,
    /// The paste gives the binary's build-id.
    same_build_id: bool,
    /// Other frames of the module cannot be from this build.
    pub(super) doubted: bool,
    /// The positions of frames that a signal interrupted, as the code tells.
    interrupted: Vec<usize>,
}

/// Everything that is known when a module is placed.
#[derive(Clone, Copy)]
pub(super) struct Question<'q> {
    pub(super) job: &'q Job,
    pub(super) trace: &'q Trace,
    pub(super) given: &'q [GivenModule],
    pub(super) seen: &'q Seen<'q>,
}

/// Chooses binary and load bias.
pub(super) fn place(
    candidates: &Candidates<'_>,
    question: &Question<'_>,
) -> Result<Outcome, Stopped> {
    let found = candidates.of(question.seen.name);
    // One that was called off has left candidates unopened.
    question.job.check()?;
    let mut fits: Vec<Placed> = Vec::new();
    let mut tried: Vec<TriedBinary> = Vec::new();
    let mut ambiguous = false;
    for (_, opened) in &found {
        let Ok(opened) = opened else { continue };
        match question.in_binary(opened)? {
            Verdict::Fits(placed) => fits.push(*placed),
            Verdict::Ambiguous(biases) => {
                ambiguous = true;
                tried.extend(biases.iter().map(|bias| tried_at(opened, *bias)));
            }
            Verdict::OtherBuild(placement) => tried.push(question.misfit(opened, &placement)),
            Verdict::NoNames => tried.push(tried_binary(opened)),
        }
    }
    tried.extend(found.iter().filter_map(could_not_be_opened));
    Ok(match best(fits) {
        Ok(Some(mut placed)) => {
            placed.use_twin(&found);
            Outcome::Placed(Box::new(placed))
        }
        Ok(None) => {
            let why = if found.is_empty() {
                Refusal::NoBinary
            } else if ambiguous {
                Refusal::Ambiguous
            } else if tried.iter().any(|tried| tried.misfit.is_some()) {
                Refusal::OtherBuild
            } else if tried.iter().all(|tried| tried.problem.is_some()) {
                Refusal::NoBinary
            } else {
                Refusal::NoNames
            };
            Outcome::Refused(question.refused(why, tried))
        }
        Err(several) => {
            let tried =
                several.iter().map(|placed| tried_at(&placed.opened, placed.placement.bias));
            Outcome::Refused(question.refused(Refusal::Ambiguous, tried.collect()))
        }
    })
}

/// The one that is left: a proved build before others; several that differ leave none.
fn best(mut fits: Vec<Placed>) -> Result<Option<Placed>, Vec<Placed>> {
    if fits.iter().any(Placed::is_certain) {
        fits.retain(Placed::is_certain);
    }
    // Copies of one build say the same.
    let build = |placed: &Placed| placed.opened.binary().build_id().cloned();
    if let Some(first) = fits.first()
        && fits.iter().all(|other| build(other).is_some() && build(other) == build(first))
    {
        // A debug file has no code to prove it; its debug info is used all the same.
        let surest = fits.iter().enumerate().max_by_key(|(_, placed)| placed.placement.pins());
        let position = surest.map_or(0, |(position, _)| position);
        return Ok(Some(fits.swap_remove(position)));
    }
    if fits.len() > 1 { Err(fits) } else { Ok(fits.pop()) }
}

/// What one binary could be.
enum Verdict {
    Fits(Box<Placed>),
    Ambiguous(Vec<LoadBias>),
    OtherBuild(Placement),
    NoNames,
}

impl Question<'_> {
    /// Tries the sources of a load bias in their order; the first that fits decides.
    fn in_binary(&self, opened: &Arc<Opened>) -> Result<Verdict, Stopped> {
        let (same_build_id, symbols) = (self.has_build_id_of(opened), opened.symbols());
        let mut misfit = None;
        for (because, bias) in self.told(opened) {
            let mut placed = {
                let placement =
                    symbols.check(self.job, &opened.file, bias, &self.seen.sightings)?;
                Placed::new(opened, placement, because, same_build_id)
            };
            placed.interrupted = self.seen.interrupted(&placed.placement.proofs);
            if !placed.interrupted.is_empty() {
                let sightings = self.seen.with_exact(&placed.interrupted);
                placed.placement = symbols.check(self.job, &opened.file, bias, &sightings)?;
            }
            if same_build_id || self.is_plausible(&placed.placement) {
                return Ok(Verdict::Fits(Box::new(placed)));
            }
            misfit.get_or_insert(placed.placement);
        }
        let inferred = symbols.infer(self.job, &opened.file, &self.seen.sightings)?;
        let any_inferred = !inferred.is_empty();
        let mut fits: Vec<Placement> = Vec::new();
        for placement in inferred {
            if self.is_plausible(&placement) {
                fits.push(placement);
            } else {
                misfit.get_or_insert(placement);
            }
        }
        if fits.len() > 1 && fits.iter().any(Placement::is_proof) {
            fits.retain(Placement::is_proof);
        }
        let because = BiasSource::Inferred;
        Ok(match (fits.len(), misfit) {
            (1, _) if let Some(placement) = fits.pop() => {
                Verdict::Fits(Box::new(Placed::new(opened, placement, because, same_build_id)))
            }
            (0, Some(placement)) => Verdict::OtherBuild(placement),
            (0, None) => {
                debug_assert!(!any_inferred, "each is a fit or a misfit");
                Verdict::NoNames
            }
            _ => Verdict::Ambiguous(fits.iter().map(|placement| placement.bias).collect()),
        })
    }

    /// The load biases that something says, the surest first.
    fn told(&self, opened: &Opened) -> Vec<(BiasSource, LoadBias)> {
        if self.seen.addresses == Addresses::Module {
            return given::in_file(opened.binary())
                .map(|bias| (BiasSource::Listed, bias))
                .collect();
        }
        let binary = opened.binary();
        let mut told: Vec<(BiasSource, LoadBias)> = Vec::new();
        let given = self.given.iter().filter(|given| self.is_this(given.name.as_deref()));
        told.extend(given.map(|given| (BiasSource::Given, given.bias)));
        let listed = self.listed(opened).filter_map(|module| given::bias(binary, module));
        told.extend(listed.map(|bias| (BiasSource::Listed, bias)));
        if binary.identity().kind == Kind::Fixed {
            told.push((BiasSource::Fixed, LoadBias(0)));
        }
        if let (None, Some(address)) = (self.seen.name, self.printed_main())
            && let Some(main) = opened.symbols().main(&opened.file)
        {
            told.push((BiasSource::StartFrame, LoadBias::between(address, main)));
        }
        let mut seen = Vec::new();
        told.retain(|(_, bias)| {
            !seen.contains(bias) && {
                seen.push(*bias);
                true
            }
        });
        told
    }

    /// Where the paste lists this module, in the same text; frames of the program itself do not say
    /// its name.
    fn listed(&self, opened: &Opened) -> impl Iterator<Item = &Module> {
        let piece = self.seen.places.first().and_then(|place| self.piece_of(*place));
        let modules = self.trace.modules.iter();
        let same_text = modules.filter(move |module| module.lines.piece.as_deref() == piece);
        same_text.filter(|module| match self.seen.name {
            Some(_) => self.is_this(Some(&module.path)),
            None => is_named(opened, &module.path),
        })
    }

    /// Whether a name is this module's; the program itself has none in a backtrace.
    fn is_this(&self, name: Option<&str>) -> bool {
        match (self.seen.name, name) {
            (Some(own), Some(name)) => own == name || file_name(own) == file_name(name),
            (None, None) => true,
            _ => false,
        }
    }

    fn has_build_id_of(&self, opened: &Opened) -> bool {
        let own = opened.binary().build_id().map(ToString::to_string);
        let listed = self.listed(opened).filter_map(|module| module.build_id.as_ref());
        own.is_some_and(|own| listed.into_iter().any(|id| *id == own))
    }

    /// `main=0x…` of glibc's first frames.
    fn printed_main(&self) -> Option<RuntimeAddress> {
        let frames = self.trace.stacks.iter().flat_map(|stack| &stack.frames);
        let starts = frames.filter(|frame| {
            frame.function.as_deref().is_some_and(|name| name.starts_with("__libc_start"))
        });
        let arguments = starts.flat_map(|frame| &frame.arguments);
        arguments.filter(|argument| argument.name == "main").find_map(|main| main.value.address)
    }

    /// Whether nothing speaks against a placement; or only frames without a name, as a damaged stack
    /// has them, against a build that enough others pin.
    fn is_plausible(&self, placement: &Placement) -> bool {
        let misfits = self.seen.sightings.iter().zip(&placement.proofs);
        let mut misfits = misfits.filter(|(_, proof)| matches!(proof, Proof::Misfit(_)));
        let Some(first) = misfits.next() else { return true };
        let unnamed = |(sighting, proof): &(&Sighting<'_>, &Proof)| {
            sighting.name.is_none() && **proof != Proof::Misfit(Misfit::OtherFunction)
        };
        placement.has_enough_pins()
            && std::iter::once(first).chain(misfits).all(|one| unnamed(&one))
    }

    fn misfit(&self, opened: &Opened, placement: &Placement) -> TriedBinary {
        let misfit = placement.misfit().and_then(|(position, why)| {
            let frame = match *self.seen.places.get(position)? {
                Place::Stack(stack, frame) => self.trace.stacks.get(stack)?.frames.get(frame)?,
                Place::Event(event) => self.trace.events.get(event)?.frame.as_deref()?,
            };
            let (index, lines) = (frame.index, frame.lines.clone());
            Some(MisfitFrame { index, lines, why: check_of_misfit(why) })
        });
        TriedBinary { misfit, ..tried_at(opened, placement.bias) }
    }

    fn refused(&self, why: Refusal, tried: Vec<TriedBinary>) -> RefusedModule {
        let (name, frames) = (self.seen.name.map(str::to_owned), self.seen.sightings.len());
        RefusedModule { name, frames, why, tried }
    }

    fn piece_of(&self, place: Place) -> Option<&str> {
        match place {
            Place::Stack(stack, _) => self.trace.stacks.get(stack)?.lines.piece.as_deref(),
            Place::Event(event) => self.trace.events.get(event)?.lines.piece.as_deref(),
        }
    }
}

impl Placed {
    fn new(
        opened: &Arc<Opened>,
        placement: Placement,
        because: BiasSource,
        same_build_id: bool,
    ) -> Placed {
        let (opened, checked) = (Arc::clone(opened), Arc::clone(opened));
        let interrupted = Vec::new();
        let doubted = false;
        Placed { opened, checked, placement, because, same_build_id, doubted, interrupted }
    }

    /// The sightings of the module, as the code tells them.
    pub(super) fn sightings<'t>(&self, seen: &Seen<'t>) -> Vec<Sighting<'t>> {
        seen.with_exact(&self.interrupted)
    }

    /// Whether another placement is of the same process.
    pub(super) fn is_same_run(&self, other: &Placed) -> bool {
        self.placement.bias == other.placement.bias
            && self.opened.binary().path() == other.opened.binary().path()
    }

    /// Whether other frames of the module were tried in this binary, and cannot be from it.
    pub(super) fn is_refuted_by(&self, refused: &RefusedModule) -> bool {
        let path = self.checked.binary().path();
        let mut here = refused.tried.iter().filter(|tried| Path::new(&tried.path) == path);
        here.any(|tried| tried.misfit.is_some())
    }

    /// The same place, checked against the frames of another question.
    pub(super) fn check_again(mut self, question: &Question<'_>) -> Result<Placed, Stopped> {
        let (checked, bias) = (&self.checked, self.placement.bias);
        let symbols = checked.symbols();
        let first = symbols.check(question.job, &checked.file, bias, &question.seen.sightings)?;
        self.interrupted = question.seen.interrupted(&first.proofs);
        let sightings = question.seen.with_exact(&self.interrupted);
        self.placement = symbols.check(question.job, &checked.file, bias, &sightings)?;
        Ok(self)
    }

    /// Whether the build is proved for the whole module.
    pub(super) fn is_certain(&self) -> bool {
        self.same_build_id
    }

    /// Whether the build is proved for one of its frames.
    pub(super) fn certainty(&self, sighting: &Sighting<'_>) -> Certainty {
        let proved = !self.doubted && self.placement.is_proved(sighting);
        match self.same_build_id || proved {
            true => Certainty::Certain,
            false => Certainty::Probable,
        }
    }

    /// Where the binary has no debug info, another file of the same build may have it.
    fn use_twin(&mut self, candidates: &[Candidate]) {
        let own = self.opened.binary();
        if own.debug_info().is_some() || own.build_id().is_none() {
            return;
        }
        let twin = candidates.iter().filter_map(|(_, opened)| opened.as_ref().ok()).find(|other| {
            other.binary().debug_info().is_some() && other.binary().build_id() == own.build_id()
        });
        if let Some(twin) = twin {
            self.opened = Arc::clone(twin);
        }
    }

    /// What the answer says of it.
    pub(super) fn module(&self, seen: &Seen<'_>) -> PlacedModule {
        let binary = self.opened.binary();
        let certain = |sighting: &&Sighting<'_>| self.certainty(sighting) == Certainty::Certain;
        let proved = seen.sightings.iter().filter(certain).count();
        let all = proved == seen.sightings.len();
        PlacedModule {
            name: seen.name.map(str::to_owned),
            path: binary.path().display().to_string(),
            build_id: binary.build_id().map(ToString::to_string),
            bias: self.placement.bias,
            because: self.because,
            certainty: if all { Certainty::Certain } else { Certainty::Probable },
            frames: seen.sightings.len(),
            proved,
            debug_info: Provenance::from(&*self.opened),
            problem: self.opened.symbols().problem().map(str::to_owned),
        }
    }
}

fn tried_binary(opened: &Opened) -> TriedBinary {
    TriedBinary {
        path: opened.binary().path().display().to_string(),
        build_id: opened.binary().build_id().map(ToString::to_string),
        bias: None,
        misfit: None,
        problem: None,
    }
}

fn tried_at(opened: &Opened, bias: LoadBias) -> TriedBinary {
    TriedBinary { bias: Some(bias), ..tried_binary(opened) }
}

fn could_not_be_opened((path, opened): &Candidate) -> Option<TriedBinary> {
    let problem = opened.as_ref().err()?.sentence.clone();
    let path = path.display().to_string();
    Some(TriedBinary { path, build_id: None, bias: None, misfit: None, problem: Some(problem) })
}
