//! In which order were the records of several logs written?
//!
//! ```
//! use dbgmate::trace::{ByTime, LogRecord, Reckoning};
//!
//! let at = |time: &str| LogRecord { time: Some(time.to_owned()), ..LogRecord::default() };
//! let a = vec![at("2012-11-09 08:24:57+0000"), at("2012-11-09 08:24:59+0000")];
//! let b = vec![at("2012-11-09T09:24:58+01:00")];
//! let sources = vec![("a".to_owned(), a.into_iter()), ("b".to_owned(), b.into_iter())];
//! let times: Vec<_> = ByTime::new(sources, Reckoning::default()).filter_map(|r| r.time).collect();
//! assert_eq!(times[1], "2012-11-09T09:24:58+01:00");
//! ```
//!
//! Each log is read once, in its order, and one record of each is kept: a merge. Rule: what cannot be
//! compared is not. A record without a time of the common clock stays behind the one before it in its log; a
//! log without any comes last. Of equal times the log named first goes first.

use std::collections::VecDeque;

use super::model::LogRecord;
use super::time::{Clock, Reckoning, Time, time};

/// Records looked at for the clock of a log.
const AHEAD: usize = 1024;

/// The records of several logs, each ordered by itself, in order of time.
#[derive(Debug)]
pub struct ByTime<R> {
    sources: Vec<Source<R>>,
    reckoning: Reckoning,
    clock: Option<Clock>,
}

/// One log.
#[derive(Debug)]
struct Source<R> {
    name: String,
    records: R,
    /// Records read ahead.
    ahead: VecDeque<LogRecord>,
    /// The clock of its first time.
    clock: Option<Clock>,
    /// The time at which its next record stands in the order: that of the latest so far.
    reached: Option<Time>,
    back: Option<Back>,
    without: u64,
    records_read: u64,
}

/// Where a log goes back in time.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Back {
    records: u64,
    first_line: usize,
}

impl<R: Iterator<Item = LogRecord>> ByTime<R> {
    /// Merges these logs, each with its name.
    pub fn new(sources: Vec<(String, R)>, reckoning: Reckoning) -> Self {
        let source = |(name, records)| Source {
            name,
            records,
            ahead: VecDeque::new(),
            clock: None,
            reached: None,
            back: None,
            without: 0,
            records_read: 0,
        };
        let mut sources: Vec<_> = sources.into_iter().map(source).collect();
        sources.iter_mut().for_each(|source| source.look_ahead(reckoning));
        let clock = common(&sources);
        for source in &mut sources {
            source.advance(clock, reckoning);
        }
        ByTime { sources, reckoning, clock }
    }

    /// What a reader of the order must know, a sentence each; complete when all records are read.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        let Some(clock) = self.clock else {
            return vec![
                "no log has a time that is understood: they follow one another".to_owned(),
            ];
        };
        for source in &self.sources {
            let Source { name, without, records_read, .. } = source;
            match source.clock {
                Some(own) if own != clock => remarks.push(format!(
                    "{name} has {own}, which cannot be compared with {clock}: it comes last"
                )),
                None if *records_read > 0 => {
                    remarks.push(format!("{name} has no time that is understood: it comes last"));
                }
                _ if *without > 0 => remarks.push(format!(
                    "{name}: {} without a time to compare, each behind the one before it",
                    counted(*without)
                )),
                _ => {}
            }
            if let Some(Back { records, first_line }) = &source.back {
                remarks.push(format!(
                    "{name}: {} earlier than one before, the first at line {first_line}; left in \
                     the order of the log",
                    counted(*records)
                ));
            }
        }
        remarks
    }
}

/// The clock that most logs have, of as many the one that comes first.
fn common<R>(sources: &[Source<R>]) -> Option<Clock> {
    let logs = |clock: Clock| sources.iter().filter(|source| source.clock == Some(clock)).count();
    let clocks = sources.iter().rev().filter_map(|source| source.clock);
    clocks.max_by_key(|clock| logs(*clock))
}

fn counted(records: u64) -> String {
    if records == 1 { "1 record is".to_owned() } else { format!("{records} records are") }
}

impl<R: Iterator<Item = LogRecord>> Source<R> {
    /// Reads as far as the first time.
    fn look_ahead(&mut self, reckoning: Reckoning) {
        while self.clock.is_none() && self.ahead.len() < AHEAD {
            let Some(record) = self.records.next() else { break };
            self.clock = read(&record, reckoning).map(|time| time.clock);
            self.ahead.push_back(record);
        }
    }

    /// Makes the next record the first of `ahead`, and takes note of its time.
    fn advance(&mut self, common: Option<Clock>, reckoning: Reckoning) {
        if self.ahead.is_empty() {
            self.ahead.extend(self.records.next());
        }
        let Some(record) = self.ahead.front() else { return };
        self.records_read += 1;
        match read(record, reckoning).filter(|time| Some(time.clock) == common) {
            Some(time) if self.reached.is_some_and(|reached| time < reached) => {
                let first_line = record.lines.first;
                let back = self.back.get_or_insert(Back { records: 0, first_line });
                back.records += 1;
            }
            Some(time) => self.reached = Some(time),
            None => self.without += 1,
        }
    }

    /// Where its next record stands: nothing is before the first time, and a log of another clock last.
    fn place(&self, common: Option<Clock>) -> (bool, Option<Time>) {
        (self.clock != common, self.reached)
    }
}

impl<R: Iterator<Item = LogRecord>> Iterator for ByTime<R> {
    type Item = LogRecord;

    fn next(&mut self) -> Option<LogRecord> {
        let (clock, reckoning) = (self.clock, self.reckoning);
        let left = self.sources.iter_mut().filter(|source| !source.ahead.is_empty());
        // The first of equals.
        let source = left.min_by_key(|source| source.place(clock))?;
        let record = source.ahead.pop_front();
        source.advance(clock, reckoning);
        record
    }
}

fn read(record: &LogRecord, reckoning: Reckoning) -> Option<Time> {
    time(record.time.as_deref()?, reckoning)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Lines;

    /// A log of `time text` lines; `-` for no time.
    fn log(name: &str, records: &[(&str, &str)]) -> (String, std::vec::IntoIter<LogRecord>) {
        let record = |(at, (time, text)): (usize, &(&str, &str))| LogRecord {
            lines: Lines { piece: Some(name.to_owned()), first: at + 1, last: at + 1 },
            time: (*time != "-").then(|| (*time).to_owned()),
            text: (*text).to_owned(),
            ..LogRecord::default()
        };
        let records: Vec<_> = records.iter().enumerate().map(record).collect();
        (name.to_owned(), records.into_iter())
    }

    fn merged(
        logs: Vec<(String, std::vec::IntoIter<LogRecord>)>,
        reckoning: Reckoning,
    ) -> (String, Vec<String>) {
        let mut by_time = ByTime::new(logs, reckoning);
        let texts: Vec<_> = by_time.by_ref().map(|record| record.text).collect();
        (texts.join(" "), by_time.remarks())
    }

    #[test]
    fn equal_times_keep_the_order_of_the_logs_and_untimed_records_theirs() {
        let a = log("a", &[("-", "a0"), ("1.5", "a1"), ("-", "a2"), ("3.0", "a3")]);
        let b = log("b", &[("1.5", "b1"), ("2.0", "b2"), ("3.0", "b3")]);
        let (order, remarks) = merged(vec![a, b], Reckoning::default());
        assert_eq!(order, "a0 a1 a2 b1 b2 a3 b3");
        assert_eq!(
            remarks,
            ["a: 2 records are without a time to compare, each behind the one before it"]
        );
    }

    #[test]
    fn what_goes_back_stays_in_its_log_and_is_said() {
        let a = log("a", &[("1.0", "a1"), ("9.0", "a2"), ("2.0", "a3"), ("9.5", "a4")]);
        let b = log("b", &[("3.0", "b1"), ("9.2", "b2")]);
        let (order, remarks) = merged(vec![a, b], Reckoning::default());
        assert_eq!(order, "a1 b1 a2 a3 b2 a4");
        assert_eq!(remarks.len(), 1);
        assert!(remarks[0].contains("1 record is earlier") && remarks[0].contains("line 3"));
    }

    #[test]
    fn a_log_of_another_clock_comes_last_until_its_zone_is_known() {
        let logs = || {
            vec![
                log("boot", &[("1.0", "k1"), ("2.0", "k2")]),
                log("a", &[("2012-11-09 08:00:00+0000", "a1"), ("2012-11-09 08:00:02+0000", "a2")]),
                log("b", &[("Nov  9 09:00:01", "b1")]),
                log("c", &[("2012-11-09T08:00:03Z", "c1")]),
                log("d", &[("-", "d1")]),
            ]
        };
        let (order, remarks) = merged(logs(), Reckoning::default());
        assert_eq!(order, "a1 a2 c1 k1 k2 b1 d1");
        assert_eq!(remarks.len(), 3, "{remarks:?}");
        assert!(
            remarks[0].starts_with("boot has seconds since") && remarks[2].starts_with("d has no")
        );
        let known = Reckoning { offset: Some(3600), year: Some(2012) };
        assert_eq!(merged(logs(), known).0, "a1 b1 a2 c1 k1 k2 d1");
    }

    #[test]
    fn logs_without_times_follow_one_another() {
        let (order, remarks) =
            merged(vec![log("a", &[("-", "a1")]), log("b", &[("x", "b1")])], Reckoning::default());
        assert_eq!((order.as_str(), remarks.len()), ("a1 b1", 1));
        assert_eq!(merged(Vec::new(), Reckoning::default()).0, "");
    }
}
