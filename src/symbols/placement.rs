//! Is this binary, at this load bias, the one that the trace is of? The call check over all frames.
//!
//! Names alone accept most wrong builds: a function that has moved by sixteen bytes is still there.
//! What does not move along is what a return address says: that a call ends there, and that this
//! call reaches the function of the next inner frame.
//!
//! A frame *pins* the build when its address is the only one in its function where such a call ends,
//! of those that the function can have brought there by moving as a whole, which it does in steps of
//! the alignment that the compiler gave it: had it moved, the frame's true address would be another
//! such place. Three pins
//! that agree prove the build, for the frames at them and between them; a frame outside, with
//! several places to be, could have moved unseen.

use std::cell::{Cell, RefCell};

use rustc_hash::FxHashMap;

use super::bias::{self, Belief};
use super::calls::{self, Before, Call, Flow};
use super::code::Code;
use super::image::{Extent, Image};
use super::sighting::{Callee, Sighting};
use crate::address::{FileAddress, LoadBias, RuntimeAddress};
use crate::binary::Binary;
use crate::job::{Job, Stopped};
use crate::public_name::public_name;

/// What the code says of one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It is the only address of its function where it could be.
    Pinned,
    /// Nothing speaks against it, and other addresses would do as well.
    Fits,
    /// It fits if the function that was called has jumped on to the one shown: a tail call.
    TailCall,
    /// It cannot be.
    Misfit(Misfit),
}

/// Why a frame cannot be from a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// There is no code at its address.
    NoCode,
    /// Another function than the one printed has the address.
    OtherFunction,
    /// No instruction starts at its address.
    NoInstruction,
    /// No call ends at its address.
    NoCall,
    /// The call that ends there reaches another function than the next inner frame's.
    CallsOther,
}

/// So many frames have to pin a build to prove it.
const PINS: usize = 3;

/// Where a module was, and what each frame says of that.
#[derive(Clone, Debug)]
pub struct Placement {
    /// The load bias.
    pub bias: LoadBias,
    /// For each sighting, in their order.
    pub proofs: Vec<Proof>,
    /// The first and the last address of those that are proved.
    proved: Option<(FileAddress, FileAddress)>,
    /// How many different addresses pin it.
    pins: usize,
}

impl Placement {
    /// Checks a load bias against all frames.
    pub(super) fn check(
        job: &Job,
        binary: &Binary,
        image: &Image,
        bias: LoadBias,
        sightings: &[Sighting<'_>],
    ) -> Result<Placement, Stopped> {
        let some_are_named = sightings.iter().any(|sighting| sighting.name.is_some());
        let code = Code::of(binary);
        let (read, jumps) = (Cell::new(0), RefCell::default());
        let check =
            Check { job, binary, image, code, bias, sightings, some_are_named, read, jumps };
        let proofs = check.all()?;
        let pins = pins(bias, sightings, &proofs);
        let contradicted = proofs.iter().any(|proof| matches!(proof, Proof::Misfit(_)));
        let proved = match pins.as_slice() {
            [first, .., last] if pins.len() >= PINS && !contradicted => Some((*first, *last)),
            _ => None,
        };
        Ok(Placement { bias, proofs, proved, pins: pins.len() })
    }

    /// Whether a frame is proved to be of this build.
    pub fn is_proved(&self, sighting: &Sighting<'_>) -> bool {
        let at = sighting.file_address(self.bias);
        self.proved.is_some_and(|(first, last)| first <= at && at <= last)
    }

    /// Whether enough frames pin this build, and none contradicts it.
    pub fn is_proof(&self) -> bool {
        self.proved.is_some()
    }

    /// How many different addresses pin this build.
    pub fn pins(&self) -> usize {
        self.pins
    }

    /// Whether enough frames pin this build, whatever others say.
    pub fn has_enough_pins(&self) -> bool {
        self.pins >= PINS
    }

    /// The position of the first frame that cannot be from this build, and why.
    pub fn misfit(&self) -> Option<(usize, Misfit)> {
        self.proofs.iter().enumerate().find_map(|(position, proof)| match proof {
            Proof::Misfit(misfit) => Some((position, *misfit)),
            _ => None,
        })
    }
}

/// The addresses that pin the build, in order: the same frame in many threads says the same once.
fn pins(bias: LoadBias, sightings: &[Sighting<'_>], proofs: &[Proof]) -> Vec<FileAddress> {
    let pinned = sightings.iter().zip(proofs).filter(|(_, proof)| **proof == Proof::Pinned);
    let mut pins: Vec<FileAddress> =
        pinned.map(|(sighting, _)| sighting.file_address(bias)).collect();
    pins.sort_unstable();
    pins.dedup();
    pins
}

/// One check of one bias.
struct Check<'c, 't> {
    job: &'c Job,
    binary: &'c Binary,
    image: &'c Image,
    code: Code<'c>,
    bias: LoadBias,
    sightings: &'c [Sighting<'t>],
    some_are_named: bool,
    /// Bytes of functions read to follow calls and jumps.
    read: Cell<u64>,
    /// Which function may jump on to which other, or to the linkage table.
    jumps: RefCell<FxHashMap<(Extent, Option<Extent>), bool>>,
}

/// Of so much code calls and jumps are followed, in bytes, in half a second; a module's frames need a
/// few megabytes. What then is not known proves nothing.
const MAX_CODE: u64 = 64 << 20;

/// How well a call explains the next inner frame, from bad to good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// It goes elsewhere.
    Other,
    /// It goes to a function that may jump on to it.
    TailCall,
    /// Nobody can say from here where it goes.
    Unknown,
    /// It goes there.
    There,
}

impl Check<'_, '_> {
    /// The proofs of all frames; those that are alike are looked at once.
    fn all(&self) -> Result<Vec<Proof>, Stopped> {
        let mut known: FxHashMap<(RuntimeAddress, Option<&str>, Called<'_>), Proof> =
            FxHashMap::default();
        let mut proofs = Vec::with_capacity(self.sightings.len());
        for sighting in self.sightings {
            self.job.check()?;
            let key = (sighting.address, sighting.name, self.called(sighting.callee));
            proofs.push(*known.entry(key).or_insert_with(|| self.frame(sighting)));
        }
        Ok(proofs)
    }

    fn called<'t>(&self, callee: Callee<'t>) -> Called<'t> {
        match callee {
            Callee::Unknown => Called::Unknown,
            Callee::Elsewhere(name) => Called::Elsewhere(name),
            Callee::Sighting(position) => match self.sightings.get(position) {
                Some(sighting) => Called::Here(sighting.instruction(self.bias)),
                None => Called::Unknown,
            },
        }
    }

    fn frame(&self, sighting: &Sighting<'_>) -> Proof {
        let at = sighting.instruction(self.bias);
        if !self.code.is_code(at) {
            return Proof::Misfit(Misfit::NoCode);
        }
        if self.is_other_function(sighting, at) {
            return Proof::Misfit(Misfit::OtherFunction);
        }
        // A debug file has no code to be asked.
        if !self.binary.identity().has_code {
            return Proof::Fits;
        }
        let function = self.image.function_at(at);
        let Some(after) = sighting.return_address(self.bias) else {
            let starts = |function| calls::starts_at(&self.code, function, at);
            return match function.is_none_or(starts) {
                true => Proof::Fits,
                false => Proof::Misfit(Misfit::NoInstruction),
            };
        };
        let call = match calls::before(&self.code, function, after) {
            Before::Unknown => return Proof::Fits,
            Before::NoCall => return Proof::Misfit(Misfit::NoCall),
            Before::Call(call) => call,
        };
        let called = self.called(sighting.callee);
        match self.reach(call, called) {
            Reach::Other => Proof::Misfit(Misfit::CallsOther),
            Reach::TailCall => Proof::TailCall,
            reach if self.is_only_place(function, after, called, reach) => Proof::Pinned,
            Reach::There | Reach::Unknown => Proof::Fits,
        }
    }

    /// Whether another function than the one printed has the address. A debugger that names some
    /// frames of a module has its exported symbols, so a frame without a name is in none of them.
    fn is_other_function(&self, sighting: &Sighting<'_>, at: FileAddress) -> bool {
        if sighting.name.is_none() {
            return self.some_are_named && self.image.symbols.is_exported(at);
        }
        let places = bias::places(self.binary, self.image, sighting, Belief::NextBefore);
        !places.is_empty() && !places.iter().any(|place| place.holds(at))
    }

    /// Whether no other call in the function explains the frame as well.
    fn is_only_place(
        &self,
        function: Option<Extent>,
        after: FileAddress,
        called: Called<'_>,
        reach: Reach,
    ) -> bool {
        let Some(function) = function.filter(|_| called != Called::Unknown) else { return false };
        if !self.may_read(function) {
            return false;
        }
        let alignment = self.image.extents.alignment_of(function);
        !calls::steps(&self.code, function).any(|step| match step.flow {
            Flow::Call(call)
                if step.end != after && step.end.0.abs_diff(after.0).is_multiple_of(alignment) =>
            {
                self.reach(call, called) >= reach
            }
            _ => false,
        })
    }

    fn reach(&self, call: Call, called: Called<'_>) -> Reach {
        if called == Called::Unknown {
            return Reach::Unknown;
        }
        match call {
            Call::Indirect => Reach::Unknown,
            Call::Through(slot) => match self.image.plt.at_slot(slot) {
                Some(name) => self.reach_by_name(name, called),
                None => Reach::Unknown,
            },
            Call::Direct(target) => match self.image.plt.find(target) {
                Some(name) => self.reach_by_name(name, called),
                None if self.image.plt.holds(target) => Reach::Unknown,
                None => self.reach_by_address(target, called),
            },
        }
    }

    fn reach_by_name(&self, name: &[u8], called: Called<'_>) -> Reach {
        match called {
            Called::Unknown => Reach::Unknown,
            // A function that is called by name would have been printed by it.
            Called::Elsewhere(None) => Reach::TailCall,
            // A function has many names, and it may have jumped on to another.
            Called::Elsewhere(Some(shown)) => {
                match is_same_function(&String::from_utf8_lossy(name), shown) {
                    true => Reach::There,
                    false => Reach::TailCall,
                }
            }
            Called::Here(_) => {
                let own = self.image.symbols.named(self.binary, name);
                let reaches = own.map(|symbol| match symbol.is_ifunc() {
                    true => Reach::Unknown,
                    false => self.reach_by_address(symbol.start(), called),
                });
                // Another module's function may have jumped back into this one.
                reaches.max().unwrap_or(Reach::TailCall)
            }
        }
    }

    fn reach_by_address(&self, target: FileAddress, called: Called<'_>) -> Reach {
        let Some(function) = self.image.function_at(target) else { return Reach::Unknown };
        let jumps = match called {
            Called::Unknown => return Reach::Unknown,
            Called::Here(at) => match self.image.function_at(at) {
                None => return Reach::Unknown,
                Some(shown) if shown == function => return Reach::There,
                Some(shown) => self.may_jump(function, Some(shown)),
            },
            // Out of this module one gets by a jump to its linkage table only.
            Called::Elsewhere(_) => self.may_jump(function, None),
        };
        if jumps { Reach::TailCall } else { Reach::Other }
    }

    /// Whether a function may go on without a call, perhaps by way of others: in `other`, or where the
    /// linkage table leads.
    fn may_jump(&self, function: Extent, other: Option<Extent>) -> bool {
        if let Some(known) = self.jumps.borrow().get(&(function, other)) {
            return *known;
        }
        let jumps = self.follow_jumps(function, other);
        self.jumps.borrow_mut().insert((function, other), jumps);
        jumps
    }

    fn follow_jumps(&self, function: Extent, other: Option<Extent>) -> bool {
        let mut seen = vec![function];
        let mut next = 0;
        while let Some(function) = seen.get(next).copied() {
            next += 1;
            if !self.may_read(function) {
                return true;
            }
            for step in calls::steps(&self.code, function) {
                let target = match step.flow {
                    Flow::IndirectJump => return true,
                    Flow::Jump(target) if !function.holds(target) => target,
                    Flow::Jump(_) | Flow::Next | Flow::Call(_) => continue,
                };
                if other.is_some_and(|other| other.holds(target)) || self.image.plt.holds(target) {
                    return true;
                }
                let onward = self.image.function_at(target);
                if let Some(onward) = onward.filter(|onward| !seen.contains(onward))
                    && seen.len() < MAX_JUMPS
                {
                    seen.push(onward);
                }
            }
        }
        false
    }

    /// Whether one more function may be read.
    fn may_read(&self, function: Extent) -> bool {
        self.read.set(self.read.get().saturating_add(function.end.0 - function.start.0));
        self.read.get() <= MAX_CODE && self.job.check().is_ok()
    }
}

/// A function may jump on to others, and they too: more than so many are not followed.
const MAX_JUMPS: usize = 16;

/// What a frame has called, at the bias that is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Called<'t> {
    Unknown,
    /// The instruction that the next inner frame stands at.
    Here(FileAddress),
    Elsewhere(Option<&'t str>),
}

/// Whether two names are of one function: libraries give theirs several, with underscores before
/// them and words behind.
fn is_same_function(called: &str, shown: &str) -> bool {
    bare(called) == bare(shown)
}

fn bare(name: &str) -> String {
    let public = public_name(name);
    let mut bare = public.trim_start_matches('_');
    for prefix in ["GI_", "libc_", "IO_", "new_", "old_"] {
        bare = bare.strip_prefix(prefix).unwrap_or(bare).trim_start_matches('_');
    }
    for suffix in ["_impl", "_internal", "_implementation", "_nocancel", "_cancel", "64"] {
        bare = bare.strip_suffix(suffix).unwrap_or(bare);
    }
    bare.to_owned()
}
