//! A module that was placed: which binary it is, where it was, and what is proved of that.

use std::path::Path;
use std::sync::Arc;

use super::candidates::Candidate;
use super::place::Question;
use super::sightings::Seen;
use crate::api::binary::Provenance;
use crate::api::symbols::{BiasSource, PlacedModule, RefusedModule};
use crate::engine::binaries::Opened;
use crate::job::Stopped;
use crate::symbols::{Placement, Proof, Sighting};
use crate::trace::Certainty;

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
    pub(super) same_build_id: bool,
    /// Other frames of the module cannot be from this build.
    pub(super) doubted: bool,
    /// The positions of frames that a signal interrupted, as the code tells.
    pub(super) interrupted: Vec<usize>,
}

impl Placed {
    pub(super) fn new(
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
        seen.sightings_in(self.opened.binary(), &self.interrupted)
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
        let told = question.seen.sightings_in(checked.binary(), &[]);
        let first = symbols.check(question.job, &checked.file, bias, &told)?;
        self.interrupted = question.seen.interrupted(&first.proofs);
        let sightings = question.seen.sightings_in(checked.binary(), &self.interrupted);
        self.placement = symbols.check(question.job, &checked.file, bias, &sightings)?;
        Ok(self)
    }

    /// Whether the code proves the build, or the paste says it.
    pub(super) fn is_proved(&self) -> bool {
        self.same_build_id || self.placement.is_proof()
    }

    /// Whether the build is proved for one of its frames. A frame that cannot be where the module is
    /// proves nothing, and nothing is proved of it.
    pub(super) fn certainty(&self, position: usize, sighting: &Sighting<'_>) -> Certainty {
        let proof = self.placement.proofs.get(position);
        let fits = proof.is_some_and(|proof| !matches!(proof, Proof::Misfit(_)));
        let proved = !self.doubted && self.placement.is_proved(sighting);
        match fits && (self.same_build_id || proved) {
            true => Certainty::Certain,
            false => Certainty::Probable,
        }
    }

    /// Where the binary has no debug info, another file of the same build may have it.
    pub(super) fn use_twin(&mut self, candidates: &[Candidate]) {
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
        let sightings = self.sightings(seen);
        let certain = |(position, sighting): &(usize, &Sighting<'_>)| {
            self.certainty(*position, sighting) == Certainty::Certain
        };
        let proved = sightings.iter().enumerate().filter(certain).count();
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
