//! What the threads have met, as one table.

use rustc_hash::FxHashMap;

use super::super::units::Units;
use super::super::{DieRef, DieSection};
use super::bytes::{Contents, Name, TYPES_BIT, hash_of};
use super::scan::Part;

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
    let (starts, types) = placed(parts, &ranks, names.len());
    let names = names.iter().zip(starts.chunks_exact(2).zip(starts.iter().skip(2).step_by(2)));
    let names = names.map(|((hash, text), (start, _))| {
        let (first, middle) = (start.first().copied(), start.get(1).copied());
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
}

/// The types by name, and where in them the definitions and then the declarations of each name
/// start: a counting sort.
fn placed(parts: &[Part<'_>], ranks: &[Vec<u32>], names: usize) -> (Vec<u32>, Vec<DieRef>) {
    let all = || {
        parts.iter().zip(ranks).flat_map(|(part, ranks)| {
            part.types.iter().map(move |met| {
                let rank = ranks.get(met.name()).copied().unwrap_or_default();
                (rank as usize * 2 + usize::from(met.is_declaration()), met.die)
            })
        })
    };
    let mut starts = vec![0_u32; names * 2 + 1];
    for (list, _) in all() {
        if let Some(count) = starts.get_mut(list + 1) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    let mut types = vec![DieRef::default(); sum as usize];
    let mut next = starts.clone();
    for (list, die) in all() {
        let Some(next) = next.get_mut(list) else { continue };
        if let Some(place) = types.get_mut(*next as usize) {
            *place = die;
        }
        *next += 1;
    }
    for list in starts.windows(2) {
        let &[start, end] = list else { continue };
        // A few ascending runs, one a thread.
        if let Some(list) = types.get_mut(start as usize..end as usize) {
            list.sort();
        }
    }
    (starts, types)
}
