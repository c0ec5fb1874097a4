//! Which functions were inlined where an instruction is? The inlined subroutines of one function
//! (DWARF 5 §3.3.8), by address.
//!
//! Inlined functions nest; at each address the innermost is kept, and each knows the one around it.
//!
//! ```text
//! entries   f { a { b }   c }
//! calls     0: a in f   1: b in a   2: c in f
//! steps     0x10: a   0x14: b   0x18: a   0x20: none   0x28: c   0x30: none
//! ```

use std::collections::BinaryHeap;
use std::sync::OnceLock;

use gimli::{AttributeValue, Range, UnitOffset, constants as dw};

use super::functions::MAX_RANGES;
use super::text::Text;
use crate::dwarf::{Entries, Entry, Error, Extent, Target};

/// What was inlined into one function.
#[derive(Debug, Default)]
pub(super) struct Inlined {
    calls: Box<[Call]>,
    /// By start; each holds up to the next.
    steps: Box<[Step]>,
}

/// One call that was inlined.
#[derive(Debug)]
pub(super) struct Call {
    /// The call around it.
    parent: Option<CallIndex>,
    /// The entry of the function that was inlined.
    pub(super) origin: Option<Target>,
    /// That function's name, once it was wanted.
    pub(super) name: OnceLock<Option<Text>>,
    /// Where the call stands in source text.
    pub(super) file: u32,
    /// From 1; 0 where not known.
    pub(super) line: u32,
    /// From 1; 0 where not known.
    pub(super) column: u32,
}

/// The position of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CallIndex(u32);

/// From this address on, this call is the innermost.
#[derive(Clone, Copy, Debug)]
struct Step {
    start: u64,
    call: Option<CallIndex>,
}

/// As many calls are read of one function; what is deeper or behind is left out.
const MAX_CALLS: usize = 1 << 20;

/// Calls and blocks nested deeper than this are damage.
const MAX_DEPTH: usize = 1024;

impl Inlined {
    /// Reads what is below a function's entry. Damage loses what is behind it, and is told.
    pub(super) fn read(entries: &Entries<'_>, function: UnitOffset) -> (Inlined, Option<Error>) {
        let mut found = Found { calls: Vec::new(), ranges: Vec::new(), read: 0 };
        // What was found before the damage is right.
        let problem = found.search(entries, function).err();
        let steps = flatten(&found.ranges);
        (Inlined { calls: found.calls.into(), steps }, problem)
    }

    /// The calls at an address, innermost first.
    #[inline]
    pub(super) fn at(&self, address: u64) -> Option<CallIndex> {
        let position = self.steps.partition_point(|step| step.start <= address).checked_sub(1)?;
        self.steps.get(position)?.call
    }

    /// One call.
    #[inline]
    pub(super) fn call(&self, index: CallIndex) -> Option<&Call> {
        self.calls.get(index.0 as usize)
    }

    /// Bytes of memory it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.calls) + size_of_val(&*self.steps)
    }
}

impl Call {
    /// The call around this one.
    pub(super) fn parent(&self) -> Option<CallIndex> {
        self.parent
    }
}

/// What has been found so far.
struct Found {
    calls: Vec<Call>,
    /// In the order of the entries: what is inside comes later.
    ranges: Vec<(Range, CallIndex)>,
    /// How many have been read.
    read: usize,
}

impl Found {
    fn search<'a>(&mut self, entries: &Entries<'a>, function: UnitOffset) -> Result<(), Error> {
        let Some(root) = entries.entry(function)? else { return Ok(()) };
        if !root.has_children() {
            return Ok(());
        }
        let mut offset = entries.after(&root)?;
        // The calls around the lists of children that are open.
        let mut around: Vec<Option<CallIndex>> = vec![None];
        while let Some(&parent) = around.last()
            && offset < entries.end()
        {
            let Some(entry) = entries.entry(offset)? else {
                around.pop();
                offset = entries.after_null(offset);
                continue;
            };
            let inside = match entry.tag() {
                dw::DW_TAG_inlined_subroutine if self.calls.len() < MAX_CALLS => {
                    let (call, after) = self.add(entries, &entry, parent)?;
                    offset = after;
                    Some(call)
                }
                dw::DW_TAG_lexical_block
                | dw::DW_TAG_try_block
                | dw::DW_TAG_catch_block
                | dw::DW_TAG_with_stmt => {
                    offset = entries.after(&entry)?;
                    parent
                }
                _ => {
                    offset = entries.after_children(&entry)?;
                    continue;
                }
            };
            if entry.has_children() {
                if around.len() > MAX_DEPTH {
                    return Err(Error::TooDeep);
                }
                around.push(inside);
            }
        }
        Ok(())
    }

    fn add<'a>(
        &mut self,
        entries: &Entries<'a>,
        entry: &Entry,
        parent: Option<CallIndex>,
    ) -> Result<(CallIndex, UnitOffset), Error> {
        let mut extent = Extent::default();
        let mut call =
            Call { parent, origin: None, name: OnceLock::new(), file: 0, line: 0, column: 0 };
        let number = |value: AttributeValue<_>| match value {
            AttributeValue::FileIndex(number) => u32::try_from(number).unwrap_or(0),
            value => value.udata_value().and_then(|number| u32::try_from(number).ok()).unwrap_or(0),
        };
        let after = entries.attributes(entry, |name, value| {
            match name {
                dw::DW_AT_abstract_origin => call.origin = entries.target(value),
                dw::DW_AT_call_file => call.file = number(value),
                dw::DW_AT_call_line => call.line = number(value),
                dw::DW_AT_call_column => call.column = number(value),
                _ => extent.take(name, value),
            }
            Ok(())
        })?;
        let index = CallIndex(self.calls.len() as u32);
        self.calls.push(call);
        let ranges = &mut self.ranges;
        self.read += entries.ranges(&extent, |range| ranges.push((range, index)))?;
        if self.read > MAX_RANGES {
            return Err(Error::TooManyRanges);
        }
        Ok((index, after))
    }
}

/// At each address the last of the ranges that have it, as steps from one to the next.
fn flatten(ranges: &[(Range, CallIndex)]) -> Box<[Step]> {
    let mut starts: Vec<&(Range, CallIndex)> = ranges.iter().collect();
    starts.sort_by_key(|(range, _)| range.begin);
    let mut steps: Vec<Step> = Vec::new();
    let mut starts = starts.into_iter().peekable();
    // Those that have begun, the innermost on top; ended ones are dropped when they come up.
    let mut open: BinaryHeap<(CallIndex, u64)> = BinaryHeap::new();
    loop {
        let end = open.peek().map(|(_, end)| *end);
        let next = starts.peek().map(|(range, _)| range.begin);
        let Some(position) = end.into_iter().chain(next).min() else { break };
        while let Some((range, call)) = starts.next_if(|(range, _)| range.begin <= position) {
            open.push((*call, range.end));
        }
        while open.peek().is_some_and(|(_, end)| *end <= position) {
            open.pop();
        }
        let call = open.peek().map(|(call, _)| *call);
        match steps.last_mut() {
            Some(last) if last.call == call => {}
            Some(last) if last.start == position => last.call = call,
            _ => steps.push(Step { start: position, call }),
        }
    }
    steps.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(ranges: &[(u64, u64)]) -> Vec<(u64, Option<u32>)> {
        let ranges: Vec<(Range, CallIndex)> = ranges
            .iter()
            .zip(0..)
            .map(|(&(begin, end), call)| (Range { begin, end }, CallIndex(call)))
            .collect();
        let steps = flatten(&ranges);
        steps.iter().map(|step| (step.start, step.call.map(|call| call.0))).collect()
    }

    #[test]
    fn the_innermost_call_holds_its_addresses() {
        let expected = [
            (0x10, Some(0)),
            (0x14, Some(1)),
            (0x18, Some(0)),
            (0x20, None),
            (0x28, Some(2)),
            (0x30, None),
        ];
        assert_eq!(steps(&[(0x10, 0x20), (0x14, 0x18), (0x28, 0x30)]), expected);
    }

    #[test]
    fn calls_that_touch_or_cross_leave_no_gap() {
        assert_eq!(steps(&[(1, 2), (2, 3)]), [(1, Some(0)), (2, Some(1)), (3, None)]);
        assert_eq!(steps(&[(1, 5), (3, 9)]), [(1, Some(0)), (3, Some(1)), (9, None)]);
        assert_eq!(steps(&[(3, 9), (1, 5)]), [(1, Some(1)), (5, Some(0)), (9, None)]);
        assert_eq!(steps(&[(1, 9), (1, 9)]), [(1, Some(1)), (9, None)]);
        assert_eq!(steps(&[]), []);
    }
}
