//! Which unit is an instruction of? Ranges of addresses, first as .debug_aranges lists them (DWARF 5
//! §6.1.2), which names the unit without looking at any other; then of the units it leaves out.

use std::sync::OnceLock;

use rustc_hash::FxHashSet;

use super::runs::Runs;
use super::unit::UnitTable;
use crate::dwarf::{DebugFile, Error, View};
use crate::job::{Job, Stopped};

/// Units and the addresses they have.
#[derive(Debug, Default)]
pub(super) struct Units {
    /// Positions in `units`.
    runs: Runs<u32>,
    units: Box<[Slot]>,
    /// Why units are missing, if any are.
    problem: Option<Error>,
}

/// A unit, and its tables once an address was looked up in it.
#[derive(Debug)]
pub(super) struct Slot {
    /// The offset of its header in .debug_info.
    pub(super) start: u64,
    /// None where it cannot be read.
    pub(super) table: OnceLock<Option<UnitTable>>,
}

/// As many ranges of units are read: a kernel's have some hundred thousand.
const MAX_RANGES: usize = 1 << 24;

/// Units read between two looks at the job.
const UNITS_A_LOOK: usize = 64;

impl Units {
    /// Those that .debug_aranges lists.
    pub(super) fn listed(view: &View<'_>) -> Units {
        let mut found = Found::default();
        let mut sets = view.dwarf().debug_aranges.headers();
        // Damage loses the list from there on: those units are found as the unlisted are.
        while let Ok(Some(set)) = sets.next() {
            let unit = found.unit(set.debug_info_offset().0 as u64);
            let mut entries = set.entries();
            while let Ok(Some(entry)) = entries.next() {
                found.range(entry.range(), unit);
            }
        }
        found.finish(view)
    }

    /// Those whose root tells their addresses, without the ones of `listed`.
    pub(super) fn unlisted(
        job: &Job,
        file: &DebugFile,
        view: &View<'_>,
        listed: &Units,
    ) -> Result<Units, Stopped> {
        let known: FxHashSet<u64> = listed.with_ranges();
        let (mut found, mut ranges) = (Found::default(), 0);
        for (count, start) in file.unit_starts().enumerate() {
            if count % UNITS_A_LOOK == 0 {
                job.check()?;
            }
            if known.contains(&start) {
                continue;
            }
            // A unit that cannot be read has no addresses.
            let Ok((entries, root)) = view.entries(start) else { continue };
            let unit = found.unit(start);
            let read = entries.ranges(&root.extent, |range| found.range(range, unit));
            ranges += read.unwrap_or_default();
            // Units that name one list over and over are no producer's.
            if ranges > MAX_RANGES {
                return Ok(Units { problem: Some(Error::TooManyRanges), ..found.finish(view) });
            }
        }
        Ok(found.finish(view))
    }

    /// Why units are missing, if any are.
    pub(super) fn problem(&self) -> Option<&Error> {
        self.problem.as_ref()
    }

    /// The units that have an address, the one whose range starts last first.
    #[inline]
    pub(super) fn find(&self, address: u64) -> impl Iterator<Item = &Slot> {
        self.runs.all(address).filter_map(|(_, unit)| self.units.get(unit as usize))
    }

    fn with_ranges(&self) -> FxHashSet<u64> {
        let units = self.runs.iter().filter_map(|unit| self.units.get(unit as usize));
        units.map(|unit| unit.start).collect()
    }
}

/// What has been found so far.
#[derive(Default)]
struct Found {
    runs: Vec<(u64, u64, u32)>,
    units: Vec<Slot>,
}

impl Found {
    fn unit(&mut self, start: u64) -> u32 {
        self.units.push(Slot { start, table: OnceLock::new() });
        (self.units.len() - 1) as u32
    }

    fn range(&mut self, range: gimli::Range, unit: u32) {
        if range.begin < range.end {
            self.runs.push((range.begin, range.end, unit));
        }
    }

    fn finish(mut self, view: &View<'_>) -> Units {
        // Linkers put zero where they have left code out.
        if !view.file().binary().has_code_at_zero() {
            self.runs.retain(|(start, ..)| *start > 0);
        }
        Units { runs: Runs::new(self.runs), units: self.units.into(), problem: None }
    }
}
