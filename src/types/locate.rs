//! What is at an offset of a type: the members that cover it, down to elements of arrays, or what no
//! member covers.

use std::ops::Range;

use gimli::constants as dw;

use super::members::Nesting;
use super::reader::{Reader, is_aggregate};
use super::{BitField, Error, Hole, Member, MemberKind, Parts, Size};
use crate::dwarf::{DebugFile, Die, DieRef};
use crate::job::Job;

/// What covers some bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// From the type asked for: `entry.le_next`, `fds[3].events`. Of a gap that of the struct it is in;
    /// empty for the type itself.
    pub path: String,
    /// What it is.
    pub what: Covering,
    /// Its bits, from the start of the type asked for.
    pub bits: BitField,
}

/// What covers a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Covering {
    /// A member, or an element, of this type. `is_bit_field` tells whether it is counted in bits.
    Member {
        /// Its type, spelled.
        type_name: String,
        /// Its width is in bits.
        is_bit_field: bool,
    },
    /// Bits between members.
    Hole,
    /// Bits after the last member.
    Padding,
}

/// As many places are listed; an offset has few, and a long range of an array many.
const MAX_PLACES: usize = 1000;

/// Members nested deeper are damage.
const MAX_DEPTH: usize = 64;

/// The places that cover some bits of the type of a DIE, in order; of a union those of each member.
/// None are covered behind its end.
pub fn locate(
    job: &Job,
    file: &DebugFile,
    die: DieRef,
    bits: Range<u64>,
    threads: usize,
) -> Result<Vec<Place>, Error> {
    let index = file.index(job, threads)?;
    let view = file.view();
    places(&Reader::new(job, &view, &index), die, bits)
}

/// The same, with a reader that is there.
pub(super) fn places(
    reader: &Reader<'_, '_>,
    die: DieRef,
    bits: Range<u64>,
) -> Result<Vec<Place>, Error> {
    let mut search = Search { reader, wanted: bits, places: Vec::new() };
    let die = reader.die(die)?;
    let size = reader.size_of(&die)?;
    let whole =
        Within { path: String::new(), start: 0, end: end_of(0, size), rest: Covering::Padding };
    search.inside(&die, &whole, 0)?;
    search.places.sort_by_key(|place| place.bits.offset);
    Ok(search.places)
}

struct Search<'r, 'v, 'a> {
    reader: &'r Reader<'v, 'a>,
    wanted: Range<u64>,
    places: Vec<Place>,
}

/// What is being looked into.
struct Within {
    path: String,
    /// In bits.
    start: u64,
    /// None where its size is not known.
    end: Option<u64>,
    /// What the bits behind its last member are: the end of an anonymous struct is amid those of the
    /// struct that its members are named in.
    rest: Covering,
}

impl<'a> Search<'_, '_, 'a> {
    /// Looks into what has members or elements; false for what has none.
    fn inside(&mut self, die: &Die<'a>, within: &Within, depth: usize) -> Result<bool, Error> {
        let Some(underlying) = self.reader.underlying(die.clone())? else { return Ok(false) };
        match underlying.tag() {
            tag if is_aggregate(tag) && !underlying.is_declaration() => {
                let size = self.reader.size_of(&underlying)?;
                let parts = self.reader.parts(
                    underlying.unit(),
                    underlying.at(),
                    size,
                    Nesting::Deep,
                    None,
                )?;
                self.aggregate(&parts, within, depth)?;
                Ok(true)
            }
            dw::DW_TAG_array_type => self.array(&underlying, within, depth),
            _ => Ok(false),
        }
    }

    fn aggregate(&mut self, parts: &Parts, within: &Within, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        let members = parts.members.iter().map(|member| member.seen_from(Some(within.start)));
        let flexible = members.clone().filter(Member::is_flexible_array);
        let rest = flexible.filter_map(|member| member.start()).min().unwrap_or(u64::MAX);
        self.gaps(&parts.holes, within, rest)?;
        for member in members {
            let open = member.start().filter(|_| member.is_flexible_array());
            let Some(bits) = member.covered().or(open.map(|start| start..u64::MAX)) else {
                continue;
            };
            if self.touches(&bits) {
                self.member(member, bits, within, depth)?;
            }
        }
        Ok(())
    }

    fn member(
        &mut self,
        member: Member<'_>,
        bits: Range<u64>,
        within: &Within,
        depth: usize,
    ) -> Result<(), Error> {
        let path = match (within.path.as_str(), member.name()) {
            (path, "") => path.to_owned(),
            ("", name) => name.to_owned(),
            (path, name) => format!("{path}.{name}"),
        };
        let end = member.size().known().map(|_| bits.end);
        let rest = match member.kind() {
            MemberKind::Anonymous | MemberKind::Base => Covering::Hole,
            MemberKind::Field => Covering::Padding,
        };
        let inner = Within { path, start: bits.start, end, rest };
        // As part of this struct: others of its members may be in its holes.
        if let Some(parts) = member.parts().filter(|parts| parts.depth.is_some()) {
            return self.aggregate(parts, &inner, depth + 1);
        }
        if let Some(at) = member.type_die() {
            let die = self.reader.die(at)?;
            if self.inside(&die, &inner, depth + 1)? {
                return Ok(());
            }
        }
        let is_bit_field = member.bits().is_some();
        let what = Covering::Member { type_name: member.type_name().to_string(), is_bit_field };
        self.add(inner.path, what, bits)
    }

    fn array(&mut self, array: &Die<'a>, within: &Within, depth: usize) -> Result<bool, Error> {
        let Some(element) = self.reader.type_of(array)? else { return Ok(false) };
        let Some(spacing) = self.reader.spacing(array, &element)? else { return Ok(false) };
        let subscripts = self.reader.subscripts(array)?;
        let whole = self.reader.size_of(&element)?.known().map(|bytes| bytes.saturating_mul(8));
        let size = whole.map_or(spacing, |whole| whole.min(spacing));
        if spacing == 0 {
            return Ok(true);
        }
        // A flexible array has as many elements as one asks for.
        let end = within.end.unwrap_or(u64::MAX).min(self.wanted.end);
        let first = self.wanted.start.saturating_sub(within.start) / spacing;
        let last = end.saturating_sub(within.start).div_ceil(spacing);
        for index in first..last {
            self.reader.count()?;
            let start = within.start.saturating_add(index.saturating_mul(spacing));
            let bits = start..start.saturating_add(size);
            let Some(indices) = subscripts.of(index) else { break };
            let path = format!("{}{indices}", within.path);
            let inner = Within { path, start, end: Some(bits.end), rest: Covering::Padding };
            if !self.inside(&element, &inner, depth + 1)? {
                let type_name = self.reader.spell(Some(&element))?;
                let is_bit_field = whole.is_some_and(|whole| whole != size)
                    || !bits.start.is_multiple_of(8)
                    || !size.is_multiple_of(8);
                self.add(inner.path, Covering::Member { type_name, is_bit_field }, bits)?;
            }
        }
        Ok(true)
    }

    /// What no member uses; what is behind `rest` is a flexible array's.
    fn gaps(&mut self, holes: &[Hole], within: &Within, rest: u64) -> Result<(), Error> {
        for hole in holes {
            let hole = hole.bits();
            let end = within.start.saturating_add(hole.end).min(within.end.unwrap_or(u64::MAX));
            let bits = within.start.saturating_add(hole.start)..end.min(rest);
            if !bits.is_empty() && self.touches(&bits) {
                let is_last = Some(bits.end) == within.end;
                let what = if is_last { within.rest.clone() } else { Covering::Hole };
                self.add(within.path.clone(), what, bits)?;
            }
        }
        Ok(())
    }

    fn touches(&self, bits: &Range<u64>) -> bool {
        bits.start < self.wanted.end && self.wanted.start < bits.end
    }

    fn add(&mut self, path: String, what: Covering, bits: Range<u64>) -> Result<(), Error> {
        self.reader.count()?;
        if self.places.len() >= MAX_PLACES {
            return Err(Error::TooMany);
        }
        let bits = BitField { offset: bits.start, size: bits.end.saturating_sub(bits.start) };
        self.places.push(Place { path, what, bits });
        Ok(())
    }
}

fn end_of(start: u64, size: Size) -> Option<u64> {
    start.checked_add(size.known()?.checked_mul(8)?)
}
