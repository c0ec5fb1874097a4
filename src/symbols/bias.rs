//! Where could this module have been loaded, by the names of its frames?
//!
//! A frame with a name says that its address, less the load bias, is in the code of that symbol.
//! Load biases are multiples of a page, so one frame leaves few, and several leave one or none.
//!
//! ```text
//! frame    0x7f3a10024c35 in f ()    f is 0x4c00..0x4d80 of the file
//! bias     0x7f3a10024c35 − 0x4c35 = 0x7f3a10020000: the only page-aligned one
//! ```

use std::cmp::Reverse;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::elf_symbols::Symbol;
use super::image::{Extent, Image};
use super::sighting::Sighting;
use crate::address::{FileAddress, LoadBias};
use crate::binary::Binary;
use crate::job::{Job, Stopped};

/// The smallest page of the machines that matter; larger pages are multiples of it.
const PAGE: u64 = 4096;

/// As many candidates are followed: more would say nothing.
const MAX_CANDIDATES: usize = 1024;

/// As many are weighed against one another where none fits.
const MAX_LIKELY: usize = 16;

/// A name that stands for more places says nothing of where a frame is.
const MAX_PLACES: usize = 256;

/// Frames read between two looks at the job.
const FRAMES_A_LOOK: usize = 256;

/// The addresses that a name can stand for.
pub(super) type Places = Vec<Extent>;

/// How much a printed name is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Belief {
    /// The address is inside the symbol.
    Inside,
    /// It is inside the symbol or, as older debuggers print code that has no symbol of its own, in
    /// what follows up to the next one.
    NextBefore,
}

/// The load biases at which every frame with a name is where its name says; where there is none, the
/// one at which most are, which shows what does not fit. Empty when no frame has a name that the
/// binary knows.
pub(super) fn candidates(
    job: &Job,
    binary: &Binary,
    image: &Image,
    sightings: &[Sighting<'_>],
    belief: Belief,
) -> Result<Vec<LoadBias>, Stopped> {
    let known = Known::of(job, binary, image, sightings, belief)?;
    // The frame that leaves the fewest decides which are tried.
    let Some((first, narrowest)) = known.0.iter().min_by_key(|(_, places)| width(places)) else {
        return Ok(Vec::new());
    };
    let tried = narrowest.iter().flat_map(|place| biases(first, *place)).take(MAX_CANDIDATES);
    let mut found: Vec<LoadBias> = Vec::new();
    for bias in tried {
        job.check()?;
        if !found.contains(&bias) && known.all_agree(bias) {
            found.push(bias);
        }
    }
    if found.is_empty() {
        found.extend(known.likeliest());
    }
    Ok(found)
}

/// A frame's name, the offset behind it, and whether the address is where a call ends.
type Name<'t> = (Option<&'t str>, Option<u64>, bool);

/// The frames whose names the binary knows, each once.
struct Known<'s, 't>(Vec<(&'s Sighting<'t>, Arc<Places>)>);

impl<'s, 't> Known<'s, 't> {
    fn of(
        job: &Job,
        binary: &Binary,
        image: &Image,
        sightings: &'s [Sighting<'t>],
        belief: Belief,
    ) -> Result<Known<'s, 't>, Stopped> {
        let mut by_name: FxHashMap<Name<'_>, Arc<Places>> = FxHashMap::default();
        let mut seen = FxHashSet::default();
        let mut known = Vec::new();
        for (count, sighting) in sightings.iter().enumerate() {
            if count.is_multiple_of(FRAMES_A_LOOK) {
                job.check()?;
            }
            let is_call = sighting.instruction(LoadBias(0)) != sighting.file_address(LoadBias(0));
            let name = (sighting.name, sighting.offset, is_call);
            if !seen.insert((sighting.address, name)) {
                continue;
            }
            let places = by_name
                .entry(name)
                .or_insert_with(|| Arc::new(places(binary, image, sighting, belief)));
            if !places.is_empty() {
                known.push((sighting, Arc::clone(places)));
            }
        }
        Ok(Known(known))
    }

    fn all_agree(&self, bias: LoadBias) -> bool {
        self.0.iter().all(|known| agrees(known, bias))
    }

    /// The bias at which most frames are where their names say.
    fn likeliest(&self) -> Option<LoadBias> {
        let mut votes: FxHashMap<LoadBias, usize> = FxHashMap::default();
        for (sighting, places) in &self.0 {
            if let Some(bias) = nearest(sighting, places) {
                *votes.entry(bias).or_default() += 1;
            }
        }
        let mut votes: Vec<(LoadBias, usize)> = votes.into_iter().collect();
        votes.sort_unstable_by_key(|(bias, count)| (Reverse(*count), bias.0));
        let agreeing = |bias: &LoadBias| self.0.iter().filter(|known| agrees(known, *bias)).count();
        let likely = votes.into_iter().take(MAX_LIKELY).map(|(bias, _)| bias);
        likely.max_by_key(agreeing)
    }
}

fn agrees((sighting, places): &(&Sighting<'_>, Arc<Places>), bias: LoadBias) -> bool {
    let at = sighting.instruction(bias);
    places.iter().any(|place| place.holds(at))
}

/// The places that a frame's name stands for; none where it has no name that the binary knows.
pub(super) fn places(
    binary: &Binary,
    image: &Image,
    sighting: &Sighting<'_>,
    belief: Belief,
) -> Places {
    let Some(name) = sighting.name else { return Places::new() };
    if let Some(called) = name.strip_suffix("@plt") {
        return image.plt.named(called.as_bytes());
    }
    let symbols = image.symbols.printed(binary, name, MAX_PLACES + 1);
    if symbols.len() > MAX_PLACES {
        return Places::new();
    }
    let place = |symbol: &Symbol| match sighting.offset {
        // `name+0x1c` is one address, not a range.
        Some(offset) => {
            let at = FileAddress(symbol.start().0.saturating_add(offset));
            let instruction = sighting.pc.lookup_address(at);
            Extent { start: instruction, end: FileAddress(instruction.0.saturating_add(1)) }
        }
        None => {
            let (start, size) = (symbol.start(), symbol.size());
            let end = FileAddress(start.0.saturating_add(size));
            match belief {
                Belief::Inside if size > 0 => Extent { start, end },
                Belief::Inside | Belief::NextBefore => {
                    let next = image.symbols.next_dynamic_after(start);
                    Extent { start, end: next.map_or(end, |next| next.max(end)) }
                }
            }
        }
    };
    symbols.iter().copied().map(place).collect()
}

/// The page-aligned biases that put a frame's instruction into a place.
fn biases(sighting: &Sighting<'_>, place: Extent) -> impl Iterator<Item = LoadBias> {
    let runtime = sighting.instruction(LoadBias(0)).0;
    // The first address of the place with the same position in its page.
    let first = place.start.0.wrapping_add(runtime.wrapping_sub(place.start.0) % PAGE);
    let files = (first..place.end.0).step_by(PAGE as usize);
    files.map(move |file| LoadBias(runtime.wrapping_sub(file)))
}

/// A bias that puts a frame's instruction into a place, or on the page where that starts.
fn nearest(sighting: &Sighting<'_>, places: &Places) -> Option<LoadBias> {
    let within = places.iter().find_map(|place| biases(sighting, *place).next());
    let start = places.first()?.start;
    let runtime = sighting.instruction(LoadBias(0)).0;
    Some(within.unwrap_or(LoadBias(runtime.wrapping_sub(start.0) & !(PAGE - 1))))
}

fn width(places: &Places) -> u64 {
    let sizes = places.iter().map(|place| place.end.0.saturating_sub(place.start.0));
    sizes.fold(0, u64::saturating_add)
}
