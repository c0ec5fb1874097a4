//! What the threads have met, as one table.

use rustc_hash::FxHashMap;

use super::super::DieSection;
use super::super::units::Units;
use super::bytes::{Contents, Name, TYPES_BIT, Types, hash_of};
use super::scan::{Met, Part, Run};

/// Puts the types of each name together: definitions first, both in the order of the file.
pub(super) fn contents<'a>(parts: &[Part<'a>], units: &Units, key: u64) -> Contents<'a> {
    let mut names: Vec<(u32, &'a [u8])> = Vec::new();
    for part in parts {
        names.extend(part.names.iter().map(|text| (hash_of(text), *text)));
    }
    names.sort_unstable();
    names.dedup();
    let ranks: FxHashMap<&[u8], u32> =
        names.iter().zip(0..).map(|((_, text), rank)| (*text, rank)).collect();
    let ranks: Vec<Vec<u32>> = parts.iter().map(|part| part.ranks(&ranks)).collect();
    let starts = starts(parts, &ranks, names.len());
    let types = placed(parts, &ranks, &starts);
    let names = names.iter().zip(starts.chunks_exact(2));
    let names = names.map(|((hash, text), starts)| {
        let (first, middle) = (starts.first().copied(), starts.get(1).copied());
        let first = first.unwrap_or_default();
        Name { hash: *hash, text, first, definitions: middle.unwrap_or(first) - first }
    });
    let bit = |section| if section == DieSection::Types { TYPES_BIT } else { 0 };
    let places = units.entries().iter().map(|unit| (unit.start | bit(unit.section), unit.end));
    let mut signatures: Vec<(u64, u64)> =
        units.signatures().map(|(signature, die)| (signature, die.packed())).collect();
    signatures.sort_unstable();
    Contents { key, names: names.collect(), units: places.collect(), signatures, types }
}

impl Part<'_> {
    /// The rank of each of its names.
    fn ranks(&self, ranks: &FxHashMap<&[u8], u32>) -> Vec<u32> {
        self.names.iter().map(|text| ranks.get(text).copied().unwrap_or_default()).collect()
    }

    /// Its units, each with its types.
    fn units(&self) -> impl Iterator<Item = (Run, &[Met])> {
        let ends = self.runs.iter().skip(1).map(|run| run.first).chain([self.types.len()]);
        let types = |(run, end): (&Run, usize)| {
            let types = self.types.get(run.first..end).unwrap_or_default();
            (*run, types)
        };
        self.runs.iter().zip(ends).map(types)
    }
}

/// Where the definitions and then the declarations of each name start, and where the last end.
fn starts(parts: &[Part<'_>], ranks: &[Vec<u32>], names: usize) -> Vec<u32> {
    let mut starts = vec![0_u32; names * 2 + 1];
    for (part, ranks) in parts.iter().zip(ranks) {
        for (counts, rank) in part.counts.iter().zip(ranks) {
            let first = *rank as usize * 2 + 1;
            for (start, count) in starts.iter_mut().skip(first).zip(counts) {
                *start += count;
            }
        }
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    starts
}

/// The types, those of each name together: a counting sort. Units are taken in the order of the file, and
/// so are the types of each name.
fn placed(parts: &[Part<'_>], ranks: &[Vec<u32>], starts: &[u32]) -> Types {
    let mut units: Vec<(Run, &[Met], &[u32])> = Vec::new();
    for (part, ranks) in parts.iter().zip(ranks) {
        units.extend(part.units().map(|(run, types)| (run, types, ranks.as_slice())));
    }
    units.sort_unstable_by_key(|(run, ..)| run.start);
    let last = units.iter().map(|(run, ..)| run.end).max().unwrap_or_default();
    let mut types = Types::new(starts.last().copied().unwrap_or_default() as usize, last);
    let mut next = starts.to_vec();
    for (run, met, ranks) in units {
        for met in met {
            let rank = ranks.get(met.name()).copied().unwrap_or_default() as usize;
            let list = rank * 2 + usize::from(met.is_declaration());
            if let Some(next) = next.get_mut(list) {
                types.set(*next as usize, met.die(run.start));
                *next += 1;
            }
        }
    }
    types
}
