//! Which of many runs of addresses has this one? Sorted, and searched by halves.

use std::cmp::Reverse;

/// Runs of addresses, each with what it is of. They may overlap.
#[derive(Debug)]
pub(super) struct Runs<T> {
    /// Apart from the rest, since a search looks at little else.
    starts: Box<[u64]>,
    runs: Box<[Run<T>]>,
}

#[derive(Clone, Copy, Debug)]
struct Run<T> {
    end: u64,
    /// The furthest end of this run and those before it.
    reach: u64,
    of: T,
}

impl<T: Copy> Runs<T> {
    /// Sorts runs, given by start, end and what they are of. Of two that are alike the later one is
    /// found first.
    pub(super) fn new(mut given: Vec<(u64, u64, T)>) -> Runs<T> {
        given.sort_by_key(|(start, end, _)| (*start, Reverse(*end)));
        let mut reach = 0;
        let run = |(_, end, of): &(u64, u64, T)| {
            reach = reach.max(*end);
            Run { end: *end, reach, of: *of }
        };
        let runs = given.iter().map(run).collect();
        Runs { starts: given.iter().map(|(start, ..)| *start).collect(), runs }
    }

    /// The runs that have an address, the one that starts last first: the innermost, where they
    /// nest. Each with its start.
    #[inline]
    pub(super) fn all(&self, address: u64) -> Holding<'_, T> {
        let next = self.starts.partition_point(|start| *start <= address);
        Holding { runs: self, address, next }
    }

    /// The first of them.
    #[inline]
    pub(super) fn find(&self, address: u64) -> Option<(u64, T)> {
        self.all(address).next()
    }

    /// What the runs are of, in the order of their starts.
    pub(super) fn iter(&self) -> impl Iterator<Item = T> {
        self.runs.iter().map(|run| run.of)
    }

    /// Bytes of memory they take.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.starts) + size_of_val(&*self.runs)
    }
}

/// The runs that have an address.
pub(super) struct Holding<'r, T> {
    runs: &'r Runs<T>,
    address: u64,
    /// The position after the run that is looked at next.
    next: usize,
}

impl<T: Copy> Iterator for Holding<'_, T> {
    type Item = (u64, T);

    #[inline]
    fn next(&mut self) -> Option<(u64, T)> {
        while let Some(position) = self.next.checked_sub(1) {
            self.next = position;
            let run = self.runs.runs.get(position).filter(|run| self.address < run.reach)?;
            if self.address < run.end {
                return Some((*self.runs.starts.get(position)?, run.of));
            }
        }
        None
    }
}

impl<T> Default for Runs<T> {
    fn default() -> Self {
        Runs { starts: Box::default(), runs: Box::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_run_is_found_first_and_gaps_have_none() {
        let runs = Runs::new(vec![(10, 40, 'a'), (20, 30, 'b'), (50, 60, 'c'), (20, 25, 'd')]);
        let all = |address| runs.all(address).map(|(_, of)| of).collect::<String>();
        for (address, expected) in [
            (9, ""),
            (10, "a"),
            (20, "dba"),
            (24, "dba"),
            (25, "ba"),
            (30, "a"),
            (40, ""),
            (59, "c"),
            (60, ""),
        ] {
            assert_eq!(all(address), expected, "{address}");
        }
        assert_eq!(runs.find(26), Some((20, 'b')));
    }

    #[test]
    fn of_runs_that_are_alike_the_later_is_found() {
        assert_eq!(Runs::new(vec![(1, 2, 'a'), (1, 2, 'b')]).find(1), Some((1, 'b')));
    }
}
