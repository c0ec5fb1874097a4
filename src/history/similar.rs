//! Which crashes of the history are like this one?
//!
//! Comparing with every stack of a large history takes seconds. Only those are compared that share a
//! pair of neighbouring functions near the top (`pairs.rs`), the rarer the pair the sooner: a pair
//! that very many stacks have tells little, and is looked at for its latest stacks only.

use std::cmp::Reverse;

use rusqlite::{OptionalExtension, params};
use rustc_hash::FxHashMap;

use super::pairs::pairs;
use super::similarity::similarity;
use super::{Error, History, Similar};

/// Stacks looked at for one pair.
const OF_A_PAIR: usize = 5_000;

/// Stacks that are compared.
const COMPARED: usize = 1_000;

/// What is less alike is not like it.
const LEAST: f64 = 0.3;

impl History {
    /// So many crashes, other than the record of this number, that are like the one with these functions
    /// on its stack: those of its fingerprint first, then the most alike.
    pub fn similar(
        &self,
        fingerprint: Option<&str>,
        frames: &[String],
        except: Option<i64>,
        limit: usize,
    ) -> Result<Vec<Similar>, Error> {
        let asked: Vec<&str> = frames.iter().map(String::as_str).collect();
        let found = self.candidates(&asked).and_then(|stacks| self.compared(&asked, &stacks));
        let mut scored = found.map_err(|error| self.error(error))?;
        scored.sort_by(|(a, at_a), (b, at_b)| b.total_cmp(a).then(at_b.cmp(at_a)));
        let mut similar = Vec::new();
        let same = fingerprint.map(|fingerprint| self.latest(fingerprint, except)).transpose()?;
        let same = same.flatten();
        if let Some(entry) = same {
            let other: Vec<&str> = entry.record.frames.iter().map(String::as_str).collect();
            let similarity = similarity(&asked, &other);
            let times = self.times_of(entry.id, except).map_err(|error| self.error(error))?;
            similar.push(Similar { entry, times, same_fingerprint: true, similarity });
        }
        for (similarity, stack) in scored {
            if similar.len() > limit {
                break;
            }
            let latest = self.latest_of(stack, except).map_err(|error| self.error(error))?;
            let Some((id, times)) = latest else { continue };
            let Some(entry) = self.get(id)? else { continue };
            let same_fingerprint =
                fingerprint.is_some() && entry.record.fingerprint.as_deref() == fingerprint;
            if similar.iter().all(|known| known.entry.id != id) {
                similar.push(Similar { entry, times, same_fingerprint, similarity });
            }
        }
        similar.sort_by_key(|one| !one.same_fingerprint);
        similar.truncate(limit);
        Ok(similar)
    }

    /// The stacks that share most with the one asked about, by pairs that few stacks have.
    fn candidates(&self, asked: &[&str]) -> rusqlite::Result<Vec<i64>> {
        /// What a pair counts of which not all stacks were looked at: it decides between equals.
        const COMMON: f32 = 0.001;
        let sql = "SELECT stack FROM pair WHERE hash = ?1 ORDER BY stack DESC LIMIT ?2";
        let mut statement = self.connection.prepare(sql)?;
        let mut shared: FxHashMap<i64, f32> = FxHashMap::default();
        for pair in pairs(asked.iter().copied()) {
            let stacks = statement.query_map(params![pair, OF_A_PAIR as i64], |row| row.get(0))?;
            let stacks: Vec<i64> = stacks.collect::<Result<_, _>>()?;
            let counts = if stacks.len() < OF_A_PAIR { 1.0 } else { COMMON };
            for stack in stacks {
                *shared.entry(stack).or_default() += counts;
            }
        }
        let mut ranked: Vec<(i64, f32)> = shared.into_iter().collect();
        let order = |a: &(i64, f32), b: &(i64, f32)| b.1.total_cmp(&a.1).then(b.0.cmp(&a.0));
        if ranked.len() > COMPARED {
            ranked.select_nth_unstable_by(COMPARED, order);
            ranked.truncate(COMPARED);
        }
        // In the order of the file.
        ranked.sort_unstable_by_key(|(stack, _)| Reverse(*stack));
        Ok(ranked.into_iter().map(|(stack, _)| stack).collect())
    }

    /// How alike each of these stacks is, without those that are not.
    fn compared(&self, asked: &[&str], stacks: &[i64]) -> rusqlite::Result<Vec<(f64, i64)>> {
        let mut statement = self.connection.prepare("SELECT frames FROM stack WHERE id = ?1")?;
        let mut scored = Vec::with_capacity(stacks.len());
        for stack in stacks {
            let mut rows = statement.query([stack])?;
            let Some(row) = rows.next()? else { continue };
            let frames = row.get_ref(0)?.as_str()?;
            let other: Vec<&str> = frames.split('\n').collect();
            scored.push((similarity(asked, &other), *stack));
        }
        scored.retain(|(similarity, _)| *similarity >= LEAST);
        Ok(scored)
    }

    /// The latest record with a stack, and how many there are, without the one excepted.
    fn latest_of(&self, stack: i64, except: Option<i64>) -> rusqlite::Result<Option<(i64, u64)>> {
        let sql = "SELECT max(id), count(*) FROM record WHERE stack = ?1 AND id IS NOT ?2";
        self.connection.query_row(sql, params![stack, except], |row| {
            let (id, times): (Option<i64>, i64) = (row.get(0)?, row.get(1)?);
            Ok(id.map(|id| (id, times.cast_unsigned())))
        })
    }

    /// How many records have the stack of this one.
    fn times_of(&self, id: i64, except: Option<i64>) -> rusqlite::Result<u64> {
        let sql = "SELECT stack FROM record WHERE id = ?1";
        let stack: Option<i64> =
            self.connection.query_row(sql, [id], |row| row.get(0)).optional()?;
        let latest = stack.map(|stack| self.latest_of(stack, except)).transpose()?.flatten();
        Ok(latest.map_or(0, |(_, times)| times))
    }
}
