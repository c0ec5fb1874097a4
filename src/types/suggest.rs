//! Names near one that was not found.

use std::collections::BTreeMap;

use super::Error;
use crate::dwarf::DebugFile;
use crate::job::Job;

/// As many suggestions as a person reads.
const MAX_SUGGESTIONS: usize = 5;

/// Names less alike than this are no help (Jaro-Winkler, 0 to 1).
const MIN_LIKENESS: f64 = 0.86;

/// The names of a binary that are most like `name`, best first.
pub fn near_names(
    job: &Job,
    file: &DebugFile,
    name: &str,
    threads: usize,
) -> Result<Vec<String>, Error> {
    let index = file.index(job, threads)?;
    let wanted = name.to_lowercase();
    let mut near: BTreeMap<String, (usize, f64)> = BTreeMap::new();
    for (count, candidate) in index.names().enumerate() {
        if count.is_multiple_of(1 << 12) {
            job.check()?;
        }
        let Ok(candidate) = std::str::from_utf8(candidate) else { continue };
        // The name itself was not found for other reasons.
        if candidate == name {
            continue;
        }
        // Much longer or shorter names are never near: most are left out without comparing.
        if candidate.len().abs_diff(name.len()) > 2 + name.len() / 3 {
            continue;
        }
        let lower = candidate.to_lowercase();
        let likeness = strsim::jaro_winkler(&wanted, &lower);
        if likeness >= MIN_LIKENESS {
            near.insert(candidate.to_owned(), (strsim::osa_distance(&wanted, &lower), likeness));
        }
    }
    let mut near: Vec<(String, (usize, f64))> = near.into_iter().collect();
    // Names of one family start alike: slips of the fingers tell them apart.
    near.sort_by(|(_, (one, alike)), (_, (other, like))| {
        one.cmp(other).then(like.total_cmp(alike))
    });
    Ok(near.into_iter().take(MAX_SUGGESTIONS).map(|(name, _)| name).collect())
}
