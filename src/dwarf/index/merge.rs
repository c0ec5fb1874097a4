//! What the threads have met, as one table.

use super::super::DieSection;
use super::super::units::Units;
use super::bytes::{Contents, Name, TYPES_BIT, put_type, width_of};
use super::scan::{Named, Part, Run, Sorted};

/// A unit with its types, and the ranks of the names of the part it is in.
type Ranked<'p> = (Run, &'p [Named], &'p [u32]);

/// Puts the types of each name together: definitions first, both in the order of the file. None where they
/// are more than can be counted.
pub(super) fn merged(parts: &[Part<'_>], units: &Units, key: u64) -> Option<Box<[u8]>> {
    let (names, ranks) = ranked_names(parts);
    let starts = starts(parts, &ranks, names.len());
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
    let mut ranked: Vec<Ranked<'_>> = Vec::new();
    for (part, ranks) in parts.iter().zip(&ranks) {
        ranked.extend(part.units().map(|(run, types)| (run, types, ranks.as_slice())));
    }
    // The parts of a unit are all of one thread.
    ranked.sort_unstable_by_key(|(run, ..)| (run.start, run.first));
    let width = width_of(ranked.iter().map(|(run, ..)| run.end).max().unwrap_or_default());
    let types = parts.iter().map(|part| part.types.len()).sum();
    let (names, units) = (names.collect(), places.collect());
    let contents = Contents { key, names, units, signatures, types, width };
    contents.fits().then(|| contents.bytes(|bytes| place(&ranked, starts, width, bytes)))
}

/// A name behind its hash.
type Hashed<'a> = (u32, &'a [u8]);

/// The names of all parts, each once, by hash and text; and for each part the rank of each of its names.
fn ranked_names<'a>(parts: &[Part<'a>]) -> (Vec<Hashed<'a>>, Vec<Vec<u32>>) {
    let mut all: Vec<(Sorted<'a>, usize)> = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        all.extend(part.sorted.iter().map(|name| (*name, number)));
    }
    // A stable sort merges what is sorted already.
    all.sort_by(|((one, one_text, _), _), ((other, text, _), _)| {
        (one, one_text).cmp(&(other, text))
    });
    let mut names: Vec<Hashed<'a>> = Vec::new();
    let mut ranks: Vec<Vec<u32>> = parts.iter().map(|part| vec![0; part.counts.len()]).collect();
    for ((hash, text, position), part) in all {
        if names.last() != Some(&(hash, text)) {
            names.push((hash, text));
        }
        let rank = ranks.get_mut(part).and_then(|ranks| ranks.get_mut(position as usize));
        rank.into_iter().for_each(|rank| *rank = names.len() as u32 - 1);
    }
    (names, ranks)
}

impl Part<'_> {
    /// Its units, each with its types.
    fn units(&self) -> impl Iterator<Item = (Run, &[Named])> {
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
        sum = start.saturating_add(sum);
        *start = sum;
    }
    starts
}

/// Places the types, those of each name together: a counting sort. Units are in the order of the file, and
/// so are then the types of each name.
fn place(units: &[Ranked<'_>], mut next: Vec<u32>, width: usize, bytes: &mut [u8]) {
    for (run, types, ranks) in units {
        for named in *types {
            let rank = ranks.get(named.name()).copied().unwrap_or_default() as usize;
            let list = rank * 2 + usize::from(named.is_declaration());
            if let Some(next) = next.get_mut(list) {
                put_type(bytes, width, *next as usize, named.die(run.start));
                *next += 1;
            }
        }
    }
}
