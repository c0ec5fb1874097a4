//! Where a paste itself lists its modules.
//!
//! A list is of the process that the text around it is of: the piece it stands in. A piece with a list
//! and no frames, as a file with /proc/PID/maps, is of all pieces.

use std::collections::{BTreeMap, BTreeSet};

use super::candidates::{file_name, is_named, stem};
use super::sightings::{Addresses, Seen};
use crate::address::RuntimeAddress;
use crate::engine::binaries::Opened;
use crate::trace::{Module, Trace};

/// All lists of a paste.
#[derive(Debug, Default)]
pub(super) struct Lists<'t> {
    of_piece: BTreeMap<Option<&'t str>, List<'t>>,
    of_all: List<'t>,
}

/// One list.
#[derive(Debug, Default)]
struct List<'t> {
    modules: Vec<&'t Module>,
    /// Those with both their ends, by their start.
    ranges: BTreeMap<RuntimeAddress, (RuntimeAddress, &'t Module)>,
}

impl<'t> Lists<'t> {
    pub(super) fn of(trace: &'t Trace) -> Lists<'t> {
        let stops = trace.events.iter().filter(|event| event.frame.is_some());
        let lines = trace.stacks.iter().map(|stack| &stack.lines);
        let lines = lines.chain(stops.map(|event| &event.lines));
        let with_frames: BTreeSet<Option<&str>> =
            lines.map(|lines| lines.piece.as_deref()).collect();
        let mut lists = Lists::default();
        for module in &trace.modules {
            let piece = module.lines.piece.as_deref();
            let list = match with_frames.contains(&piece) {
                true => lists.of_piece.entry(piece).or_default(),
                false => &mut lists.of_all,
            };
            list.modules.push(module);
            if let (Some(start), Some(end)) = (module.start, module.end) {
                list.ranges.insert(start, (end, module));
            }
        }
        lists
    }

    /// The name of the module whose range holds an address.
    pub(super) fn holder(
        &self,
        piece: Option<&'t str>,
        address: RuntimeAddress,
    ) -> Option<&'t str> {
        self.serving(piece).find_map(|list| {
            let (_, (end, module)) = list.ranges.range(..=address).next_back()?;
            (address < *end).then_some(module.path.as_str())
        })
    }

    /// The listed places of the module that frames are of, the surest first: whose range holds one of
    /// them; then by name. A debugger prints the name of a link, `libvirt.so.0`, where the kernel has
    /// that of the file, `libvirt.so.0.9000.0`. Frames of the program itself do not say its name.
    pub(super) fn places(
        &self,
        piece: Option<&'t str>,
        seen: &Seen<'_>,
        opened: &Opened,
    ) -> Vec<&'t Module> {
        match seen.name {
            Some(_) => self.by_name(piece, seen, |module| is_named(opened, &module.path)),
            None => self.all(piece).filter(|module| is_named(opened, &module.path)).collect(),
        }
    }

    /// The same, without a binary to tell other names by.
    pub(super) fn named_places(&self, piece: Option<&'t str>, seen: &Seen<'_>) -> Vec<&'t Module> {
        self.by_name(piece, seen, |_| false)
    }

    fn by_name(
        &self,
        piece: Option<&'t str>,
        seen: &Seen<'_>,
        is_it_too: impl Fn(&Module) -> bool,
    ) -> Vec<&'t Module> {
        let Some(own) = seen.name.map(file_name) else { return Vec::new() };
        let addresses = addresses(seen);
        let mut places: Vec<&Module> =
            self.all(piece).filter(|module| holds_one(module, &addresses)).collect();
        let exact = |module: &&Module| file_name(&module.path) == own;
        // Several versions of a library can be loaded at once: the name of one is not another's.
        if self.all(piece).any(|module| exact(&module)) {
            places.extend(self.all(piece).filter(exact));
        } else {
            let alike = |module: &Module| stem(file_name(&module.path)) == stem(own);
            places.extend(self.all(piece).filter(|module| alike(module) || is_it_too(module)));
        }
        places
    }

    fn all(&self, piece: Option<&'t str>) -> impl Iterator<Item = &'t Module> + use<'_, 't> {
        self.serving(piece).flat_map(|list| list.modules.iter().copied())
    }

    /// The lists that a piece's frames are to be looked up in.
    fn serving(&self, piece: Option<&'t str>) -> impl Iterator<Item = &List<'t>> + use<'_, 't> {
        self.of_piece.get(&piece).into_iter().chain(std::iter::once(&self.of_all))
    }
}

/// The process's addresses of the frames, in order.
fn addresses(seen: &Seen<'_>) -> Vec<RuntimeAddress> {
    if seen.addresses == Addresses::Module {
        return Vec::new();
    }
    let mut addresses: Vec<RuntimeAddress> =
        seen.sightings.iter().map(|sighting| sighting.address).collect();
    addresses.sort_unstable();
    addresses
}

fn holds_one(module: &Module, addresses: &[RuntimeAddress]) -> bool {
    let (Some(start), Some(end)) = (module.start, module.end) else { return false };
    let first = addresses.partition_point(|address| *address < start);
    addresses.get(first).is_some_and(|address| *address < end)
}
