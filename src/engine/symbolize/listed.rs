//! Where a paste itself lists its modules.
//!
//! A list is of the process that the text around it is of: the piece it stands in. A piece with a list
//! and no frames, as a file with /proc/PID/maps, is of all pieces.

use std::collections::{BTreeMap, BTreeSet};

use super::candidates::{file_name, names_of, stem};
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

/// One list. It may be as long as the paste, so nothing goes through all of it for each module.
#[derive(Debug, Default)]
struct List<'t> {
    /// By their names without folder and version.
    by_stem: BTreeMap<&'t str, Vec<&'t Module>>,
    /// Those with both their ends, by their start.
    ranges: BTreeMap<RuntimeAddress, (RuntimeAddress, &'t Module)>,
}

impl<'t> List<'t> {
    fn add(&mut self, module: &'t Module) {
        self.by_stem.entry(stem(file_name(&module.path))).or_default().push(module);
        if let (Some(start), Some(end)) = (module.start, module.end) {
            self.ranges.insert(start, (end, module));
        }
    }

    /// The start of the range that holds an address, and its module.
    fn holder(&self, address: RuntimeAddress) -> Option<(RuntimeAddress, &'t Module)> {
        let (start, (end, module)) = self.ranges.range(..=address).next_back()?;
        (address < *end).then_some((*start, *module))
    }
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
            list.add(module);
        }
        lists
    }

    /// The name of the module whose range holds an address.
    pub(super) fn holder(
        &self,
        piece: Option<&'t str>,
        address: RuntimeAddress,
    ) -> Option<&'t str> {
        let mut lists = self.serving(piece);
        lists.find_map(|list| list.holder(address)).map(|(_, module)| module.path.as_str())
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
        let other_names = names_of(opened);
        match seen.name {
            Some(own) => self.of_module(piece, seen, own, &other_names),
            None => other_names.iter().flat_map(|name| self.alike(piece, stem(name))).collect(),
        }
    }

    /// The same, without a binary that tells other names.
    pub(super) fn named_places(&self, piece: Option<&'t str>, seen: &Seen<'_>) -> Vec<&'t Module> {
        seen.name.map_or_else(Vec::new, |own| self.of_module(piece, seen, own, &[]))
    }

    fn of_module(
        &self,
        piece: Option<&'t str>,
        seen: &Seen<'_>,
        own: &str,
        other_names: &[String],
    ) -> Vec<&'t Module> {
        let own = file_name(own);
        let mut places = self.holders(piece, seen);
        let alike = self.alike(piece, stem(own));
        // Several versions of a library can be loaded at once: the name of one is not another's.
        let exact = |module: &&&Module| file_name(&module.path) == own;
        if alike.iter().any(|module| exact(&module)) {
            places.extend(alike.iter().filter(exact));
        } else {
            places.extend(alike);
            let others =
                other_names.iter().map(|name| stem(name)).filter(|name| *name != stem(own));
            places.extend(others.flat_map(|name| self.alike(piece, name)));
        }
        places
    }

    /// The modules whose ranges hold frames, each range once.
    fn holders(&self, piece: Option<&'t str>, seen: &Seen<'_>) -> Vec<&'t Module> {
        if seen.addresses == Addresses::Module {
            return Vec::new();
        }
        let held = |list: &List<'t>| -> BTreeMap<RuntimeAddress, &'t Module> {
            seen.sightings.iter().filter_map(|sighting| list.holder(sighting.address)).collect()
        };
        self.serving(piece).flat_map(|list| held(list).into_values()).collect()
    }

    /// The modules of a name without folder and version.
    fn alike(&self, piece: Option<&'t str>, stem: &str) -> Vec<&'t Module> {
        let lists = self.serving(piece).filter_map(|list| list.by_stem.get(stem));
        lists.flatten().copied().collect()
    }

    /// The lists that a piece's frames are to be looked up in.
    fn serving(&self, piece: Option<&'t str>) -> impl Iterator<Item = &List<'t>> + use<'_, 't> {
        self.of_piece.get(&piece).into_iter().chain(std::iter::once(&self.of_all))
    }
}
