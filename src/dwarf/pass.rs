//! A pass over a unit's entries that meets the types with a name: the first question to a file makes one
//! over all of its units.
//!
//! Where the next entry is, is known once this one is read; and what they are comes in no order that a
//! processor could foresee. So what is done is the same for all that have values in fixed places: how far
//! the next one is, by the abbreviation or by DW_AT_sibling (DWARF 5 §2.3), and whether the type that may
//! be there counts, are chosen without a branch. And several units are passed in turns ([`go_on`]): while
//! one waits for its next bytes, the others do not. What has no fixed places is read in full.

use std::hint::select_unpredictable;

use gimli::{DwTag, Reader, UnitOffset, constants as dw};

use super::abbreviations::{Abbreviation, Declared, Named, Sibling, Stride};
use super::{Entries, Error};

/// So many units are passed in turns.
pub(super) const LANES: usize = 4;

/// So many entries of each are passed at a time.
const STEPS: usize = 128;

/// So much is met before it is handed over: few units of C have as many types.
const MET: usize = 1 << 14;

/// The bytes that a step looks at: a code, and attributes up to [`MAX_SIZE`] with a number behind them, as
/// is read, and not used, where there are none.
type Window = [u8; 2 + MAX_SIZE + 4];

/// Entries whose attributes take more bytes are read in full. All bits of it are set: so it is a mask too,
/// of places that are then known to be in a [`Window`].
const MAX_SIZE: usize = 63;

/// A unit, and how far it was passed.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    entries: Entries<'a>,
    /// Which of the flags of a [`Pace`] make it leave out children.
    jumps: u8,
    /// How far it is, in the bytes of the entries.
    at: usize,
    /// The types that were met: the first `count`.
    met: Vec<Met>,
    count: usize,
    error: Option<Error>,
}

/// What was met: a type whose name is in .debug_str, or what has to be read in full.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Met {
    /// Where in .debug_str the name is; of what has to be read in full, where it is in the unit.
    name: u32,
    /// Where it is in the unit, and the flags.
    offset: u32,
}

/// Set where an entry only says that the type exists.
const DECLARATION: u32 = 1 << 31;

/// Set where an entry has to be read in full, as all are in units whose offsets leave no room for the flags.
const OTHER: u32 = 1 << 30;

impl Met {
    fn in_full(offset: UnitOffset) -> Result<Met, Error> {
        let offset = u32::try_from(offset.0).map_err(|_| gimli::Error::UnsupportedOffset)?;
        Ok(Met { name: offset, offset: OTHER })
    }

    /// Where in .debug_str the name is; none for what has to be read in full.
    pub(super) fn name(self) -> Option<u32> {
        (self.offset & OTHER == 0).then_some(self.name)
    }

    /// Where it is in the unit.
    pub(super) fn offset(self) -> u32 {
        match self.offset & OTHER {
            0 => self.offset & !DECLARATION,
            _ => self.name,
        }
    }

    /// Whether it only says that the type exists; of what has to be read in full, that is not known.
    pub(super) fn is_declaration(self) -> bool {
        self.offset & DECLARATION != 0
    }
}

/// How a pass steps over entries of one abbreviation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace {
    /// Bytes that the attributes take, but for the one whose size varies.
    size: u8,
    /// Bytes from the first attribute to the name's place in .debug_str, or to what [`BLOCK`] and [`TEXT`]
    /// tell of.
    name: u8,
    /// Bytes from the first attribute to DW_AT_sibling.
    sibling: u8,
    /// What of it is used.
    flags: u8,
}

/// Nothing of it is: the entry is read in full.
const RARE: u8 = 1;
/// It is a type with a name.
const TYPE: u8 = 1 << 1;
/// It only says that the type exists.
const DECLARED: u8 = 1 << 2;
/// What makes a [`DECLARATION`] of it.
const DECLARED_SHIFT: u32 = 29;
/// It is left out with its children.
const JUMPS: u8 = 1 << 3;
/// The same, in C.
const JUMPS_IN_C: u8 = 1 << 4;
/// It has a block whose length comes before it, in LEB128: DW_AT_location mostly. It is no type.
const BLOCK: u8 = 1 << 5;
/// It has a text that ends with a zero byte: a short name mostly. It is no type.
const TEXT: u8 = 1 << 6;

/// What a pass does with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Steps over it, and goes on with its children, if it has any.
    Passed,
    /// Steps over its children too: no producer puts a type there. Concrete inlined instances have
    /// nothing that their abstract instance has (DWARF 5 §3.3.8.2), calls have parameters alone.
    Skipped,
    /// Meets it: a type that people name. Base types are among them: `size_t` leads to one.
    Type,
    /// Shows it: the import of a unit.
    Import,
}

impl Role {
    fn of(tag: DwTag) -> Role {
        match tag {
            dw::DW_TAG_structure_type
            | dw::DW_TAG_union_type
            | dw::DW_TAG_class_type
            | dw::DW_TAG_interface_type
            | dw::DW_TAG_enumeration_type
            | dw::DW_TAG_typedef
            | dw::DW_TAG_template_alias
            | dw::DW_TAG_base_type => Role::Type,
            dw::DW_TAG_imported_unit => Role::Import,
            dw::DW_TAG_inlined_subroutine
            | dw::DW_TAG_call_site
            | dw::DW_TAG_GNU_call_site
            | dw::DW_TAG_subroutine_type => Role::Skipped,
            _ => Role::Passed,
        }
    }
}

impl Pace {
    /// Over the byte that ends a list of children.
    pub(super) const NULL: Pace = Pace { size: 0, name: 0, sibling: 0, flags: 0 };

    /// Over an entry that is read in full.
    const RARE: Pace = Pace { size: 0, name: 0, sibling: 0, flags: RARE };

    /// Over entries of an abbreviation.
    pub(super) fn of(abbreviation: &Abbreviation, strides: &[Stride]) -> Pace {
        let role = Role::of(abbreviation.tag());
        let pace = match (role, abbreviation.size()) {
            (Role::Import, _) => None,
            (Role::Passed, None) => Pace::varying(strides),
            (_, size) => size.and_then(|size| Pace::fixed(abbreviation, role, size)),
        };
        pace.unwrap_or(Pace::RARE)
    }

    /// Over one of whose values the size varies.
    fn varying(strides: &[Stride]) -> Option<Pace> {
        let (before, varying, after) = match *strides {
            [varying] => (0, varying, 0),
            [Stride::Bytes(before), varying] => (before, varying, 0),
            [varying, Stride::Bytes(after)] => (0, varying, after),
            [Stride::Bytes(before), varying, Stride::Bytes(after)] => (before, varying, after),
            _ => return None,
        };
        let flags = match varying {
            Stride::Block => BLOCK,
            Stride::Text => TEXT,
            Stride::Bytes(_) | Stride::Leb | Stride::Value(_) => return None,
        };
        let place = |at| u8::try_from(at).ok();
        Some(Pace {
            size: place(before.checked_add(after)?)?,
            name: place(before)?,
            sibling: 0,
            flags,
        })
    }

    /// Over one whose values are all in fixed places.
    fn fixed(abbreviation: &Abbreviation, role: Role, size: u16) -> Option<Pace> {
        let place = |at: u16| u8::try_from(at).ok().filter(|at| usize::from(*at) <= MAX_SIZE);
        let mut pace = Pace { size: place(size)?, ..Pace::NULL };
        if role == Role::Type {
            match abbreviation.named() {
                Named::No => {}
                Named::StrAt(at) => {
                    pace.name = place(at)?;
                    pace.flags |= TYPE;
                }
                Named::TextAt(_) | Named::Somewhere => return None,
            }
            match abbreviation.declared() {
                Declared::No => {}
                Declared::Always => pace.flags |= DECLARED,
                Declared::Somewhere => return None,
            }
        }
        if role != Role::Passed && abbreviation.has_children() {
            match abbreviation.sibling() {
                Sibling::Absent => {}
                Sibling::At(at) => {
                    pace.sibling = place(at)?;
                    // A C type's children are members and enumerators: none is a type with a name.
                    pace.flags |= if role == Role::Type { JUMPS_IN_C } else { JUMPS };
                }
                Sibling::Last | Sibling::Somewhere => return None,
            }
        }
        Some(pace)
    }
}

/// Passes so many entries of each unit, in turns.
pub(super) fn go_on(passes: &mut [Pass<'_>]) {
    let mut lanes: Vec<Lane<'_, '_>> = passes.iter_mut().map(Pass::lane).collect();
    for _ in 0..STEPS {
        for lane in &mut lanes {
            lane.step();
        }
    }
    let ends: Vec<(usize, usize)> = lanes.iter().map(|lane| (lane.at, lane.count)).collect();
    for (pass, (at, count)) in passes.iter_mut().zip(ends) {
        pass.at = at;
        pass.count += count;
    }
}

impl<'a> Pass<'a> {
    /// Over the entries of a unit; `met` is memory that another one has left.
    pub(super) fn new(entries: Entries<'a>, is_c: bool, met: Vec<Met>) -> Pass<'a> {
        let jumps = JUMPS | if is_c { JUMPS_IN_C } else { 0 };
        Pass { entries, jumps, at: 0, met, count: 0, error: None }
    }

    /// Whether there is nothing left.
    pub(super) fn is_done(&self) -> bool {
        self.at >= self.entries.bytes().len()
    }

    /// Whether so much was met that it is to be handed over.
    pub(super) fn is_full(&self) -> bool {
        self.count >= MET
    }

    /// Forgets what was met so far.
    pub(super) fn clear(&mut self) {
        self.count = 0;
    }

    /// The unit, and what was met in it.
    pub(super) fn parts(&self) -> (&Entries<'a>, &[Met]) {
        (&self.entries, self.met.get(..self.count).unwrap_or_default())
    }

    /// Why it has ended before the unit does, and what it has to be given up.
    pub(super) fn end(self) -> (Result<(), Error>, Vec<Met>) {
        (self.error.map_or(Ok(()), Err), self.met)
    }

    fn lane(&mut self) -> Lane<'_, 'a> {
        if self.met.len() < self.count + STEPS {
            self.met.resize((self.count + STEPS).next_power_of_two(), Met::default());
        }
        let Pass { entries, jumps, at, met, count, error } = self;
        let root = entries.root().0;
        // In larger units, the places of entries leave no room for flags.
        let paces =
            if entries.end().0 < OTHER as usize { entries.abbreviations.paces() } else { &[] };
        let met = met.get_mut(*count..).unwrap_or_default();
        let (bytes, jumps, at) = (entries.bytes(), *jumps, *at);
        let is_little = entries.is_little_endian();
        Lane { bytes, paces, met, at, count: 0, root, jumps, is_little, entries, error }
    }
}

/// A unit that is being passed: what a step needs, at hand.
struct Lane<'p, 'a> {
    bytes: &'a [u8],
    paces: &'p [Pace],
    /// Room for what so many steps meet, and how much of it is used.
    met: &'p mut [Met],
    count: usize,
    at: usize,
    /// Where in the unit the bytes begin.
    root: usize,
    jumps: u8,
    is_little: bool,
    entries: &'p Entries<'a>,
    error: &'p mut Option<Error>,
}

impl Lane<'_, '_> {
    /// Passes one entry. Past the last, nothing happens.
    #[inline(always)]
    fn step(&mut self) {
        let window = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk);
        let Some(window) = window else { return self.step_in_full() };
        let Some((code, attributes)) = code_of(window) else { return self.step_in_full() };
        let pace = self.paces.get(code).copied().unwrap_or(Pace::RARE);
        if pace.flags & (RARE | BLOCK | TEXT) != 0 {
            return self.step_otherwise(pace, attributes);
        }
        let after = self.at + attributes + usize::from(pace.size);
        let sibling = number(window, attributes, pace.sibling, self.is_little);
        let sibling = (sibling as usize).wrapping_sub(self.root);
        let is_ahead = (sibling >= after) & (sibling < self.bytes.len());
        let name = number(window, attributes, pace.name, self.is_little);
        let declaration = u32::from(pace.flags & DECLARED) << DECLARED_SHIFT;
        let met = Met { name, offset: (self.root + self.at) as u32 | declaration };
        self.meet(met, pace.flags & TYPE != 0);
        self.at = select_unpredictable(is_ahead & (pace.flags & self.jumps != 0), sibling, after);
    }

    #[inline(always)]
    fn meet(&mut self, met: Met, is_type: bool) {
        if let Some(place) = self.met.get_mut(self.count) {
            *place = met;
        }
        self.count += usize::from(is_type);
    }

    /// The same, for an entry that has a value whose size varies, or that has to be read in full.
    fn step_otherwise(&mut self, pace: Pace, attributes: usize) {
        let attributes = self.at + attributes;
        let varying = self.bytes.get(attributes + usize::from(pace.name)..).unwrap_or_default();
        let size = match pace.flags & (BLOCK | TEXT) {
            BLOCK => {
                varying.first().filter(|&&size| size < 0x80).map(|size| usize::from(*size) + 1)
            }
            TEXT => memchr::memchr(0, varying).map(|length| length + 1),
            _ => None,
        };
        match size.map(|size| attributes + usize::from(pace.size) + size) {
            Some(next) if next <= self.bytes.len() => self.at = next,
            _ => self.step_in_full(),
        }
    }

    /// The same, for any entry.
    fn step_in_full(&mut self) {
        if self.at >= self.bytes.len() {
            return;
        }
        match self.entries.next_in_full(UnitOffset(self.root + self.at), self.jumps) {
            Ok((met, next)) => {
                self.meet(met.unwrap_or_default(), met.is_some());
                self.at = next.0 - self.root;
            }
            Err(error) => {
                *self.error = Some(error);
                self.at = self.bytes.len();
            }
        }
    }
}

impl Entries<'_> {
    /// The entry at an offset, if it is a type with a name, or the import of a unit; and where the next is.
    fn next_in_full(
        &self,
        offset: UnitOffset,
        jumps: u8,
    ) -> Result<(Option<Met>, UnitOffset), Error> {
        let Some(entry) = self.entry(offset)? else { return Ok((None, self.after_null(offset))) };
        let (role, after) = (Role::of(entry.tag()), self.after(&entry)?);
        if after > self.end() {
            return Err(gimli::Error::UnexpectedEof(self.bytes.offset_id()).into());
        }
        let (is_shown, leaves_out) = match role {
            Role::Import => (true, 0),
            Role::Type => (entry.abbreviation.named() != Named::No, JUMPS_IN_C),
            Role::Skipped => (false, JUMPS),
            Role::Passed => (false, 0),
        };
        let next = match entry.has_children() && leaves_out & jumps != 0 {
            true => self.sibling_ahead(&entry, after)?.unwrap_or(after),
            false => after,
        };
        Ok((if is_shown { Some(Met::in_full(offset)?) } else { None }, next))
    }
}

/// The code of an abbreviation, and how many bytes it takes; none where it takes more than two.
#[inline(always)]
fn code_of(window: &Window) -> Option<(usize, usize)> {
    // LEB128 (DWARF 5 §7.6): only the last byte has the uppermost bit clear.
    match *window {
        [first @ 0..0x80, ..] => Some((first.into(), 1)),
        [first, second @ 0..0x80, ..] => {
            Some((usize::from(first & 0x7f) | usize::from(second) << 7, 2))
        }
        _ => None,
    }
}

/// A number of four bytes, so many behind the start of the attributes.
#[inline(always)]
fn number(window: &Window, attributes: usize, place: u8, is_little: bool) -> u32 {
    let at = attributes + (usize::from(place) & MAX_SIZE);
    let number = window.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
    if is_little { u32::from_le_bytes(number) } else { u32::from_be_bytes(number) }
}
