//! The index as bytes: what is kept in memory, written to the cache and mapped from there.
//!
//! ```text
//! header      magic, version, checksum, key, counts
//! names       hash | place in texts | first type | how many of its types are definitions; by hash,
//!             then text, and one more that ends the last
//! units       start | end, with the section in the topmost bit; by section and place
//! signatures  signature | type, by signature
//! types       references to DIEs: those of a name together, definitions first
//! texts       the names, in the order of `names`
//! ```
//!
//! All numbers are little-endian. A checksum over all of it is compared once, when a file is mapped;
//! what is read afterwards is bounds-checked all the same, and is nothing where it lies outside.

use super::super::DieRef;

/// Changed whenever the format is, or what is put into it.
const VERSION: u32 = 1;

const MAGIC: &[u8; 8] = b"dbgmate\0";
const HEADER: usize = 64;
const NAME: usize = 16;
const UNIT: usize = 16;
const SIGNATURE: usize = 16;
/// Where the checksum is, which covers all behind it.
const CHECKSUM: usize = 12;
const COVERED: usize = 16;

/// Set in the start of a unit that is in .debug_types.
pub(super) const TYPES_BIT: u64 = 1 << 63;

/// What a table is made of.
#[derive(Debug, Default)]
pub(super) struct Contents<'c> {
    pub(super) key: u64,
    /// By hash, then text.
    pub(super) names: Vec<Name<'c>>,
    pub(super) units: Vec<(u64, u64)>,
    pub(super) signatures: Vec<(u64, u64)>,
    pub(super) types: usize,
    /// Bytes of a reference: four where all of them fit, else eight.
    pub(super) width: usize,
}

/// A name, and where its types are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name<'c> {
    pub(super) hash: u32,
    pub(super) text: &'c [u8],
    pub(super) first: u32,
    pub(super) definitions: u32,
}

/// An index, used in place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table<'b> {
    bytes: &'b [u8],
    names: usize,
    units: usize,
    signatures: usize,
    types: usize,
    /// Bytes of a reference: four where all of them fit, else eight.
    width: usize,
}

/// The hash that names are sorted by.
pub(super) fn hash_of(name: &[u8]) -> u32 {
    crc32fast::hash(name)
}

impl Contents<'_> {
    /// Lays it out; `place` puts the references where they belong.
    pub(super) fn bytes(&self, place: impl FnOnce(&mut [u8])) -> Box<[u8]> {
        let texts: usize = self.names.iter().map(|name| name.text.len()).sum();
        let fixed = HEADER
            + (self.names.len() + 1) * NAME
            + self.units.len() * UNIT
            + self.signatures.len() * SIGNATURE;
        let types = self.types * self.width;
        let mut bytes = Vec::with_capacity(fixed + types + texts);
        self.header(&mut bytes);
        let mut text = 0_u32;
        for name in &self.names {
            put(&mut bytes, [name.hash, text, name.first, name.definitions]);
            text += name.text.len() as u32;
        }
        put(&mut bytes, [u32::MAX, text, self.types as u32, 0]);
        for (one, other) in self.units.iter().chain(&self.signatures) {
            bytes.extend_from_slice(&one.to_le_bytes());
            bytes.extend_from_slice(&other.to_le_bytes());
        }
        bytes.resize(fixed + types, 0);
        place(bytes.get_mut(fixed..).unwrap_or_default());
        for name in &self.names {
            bytes.extend_from_slice(name.text);
        }
        let checksum = crc32fast::hash(bytes.get(COVERED..).unwrap_or_default());
        if let Some(place) = bytes.get_mut(CHECKSUM..COVERED) {
            place.copy_from_slice(&checksum.to_le_bytes());
        }
        bytes.into()
    }

    fn header(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(MAGIC);
        put(bytes, [VERSION, 0]);
        bytes.extend_from_slice(&self.key.to_le_bytes());
        put(bytes, [self.names.len(), self.units.len()].map(|count| count as u32));
        put(bytes, [self.signatures.len(), self.types].map(|count| count as u32));
        put(bytes, [self.width as u32]);
        bytes.resize(HEADER, 0);
    }

    /// Whether all of it can be counted in the numbers that the format has.
    pub(super) fn fits(&self) -> bool {
        let texts: usize = self.names.iter().map(|name| name.text.len()).sum();
        [texts, self.names.len() + 1, self.types].iter().all(|&n| u32::try_from(n).is_ok())
    }
}

/// How many bytes references take, of which none is above `last`.
pub(super) fn width_of(last: DieRef) -> usize {
    if u32::try_from(last.packed()).is_ok() { 4 } else { 8 }
}

/// Puts a reference at a position.
#[inline]
pub(super) fn put_type(bytes: &mut [u8], width: usize, position: usize, die: DieRef) {
    let start = position * width;
    let packed = die.packed().to_le_bytes();
    // The common width in a constant: a kernel has a million references.
    match (width, packed.first_chunk::<4>()) {
        (4, Some(low)) => put_at(bytes, start, low),
        _ => put_at(bytes, start, &packed),
    }
}

fn put_at<const N: usize>(bytes: &mut [u8], start: usize, number: &[u8; N]) {
    if let Some(place) = bytes.get_mut(start..).and_then(<[u8]>::first_chunk_mut) {
        *place = *number;
    }
}

fn put<const N: usize>(bytes: &mut Vec<u8>, numbers: [u32; N]) {
    for number in numbers {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
}

impl<'b> Table<'b> {
    /// Reads the header of bytes that were laid out here.
    pub(super) fn of(bytes: &'b [u8]) -> Option<Table<'b>> {
        if bytes.get(..MAGIC.len())? != MAGIC || u32_at(bytes, 8)? != VERSION {
            return None;
        }
        let count = |position: usize| Some(u32_at(bytes, 24 + 4 * position)? as usize);
        let width = count(4)?;
        let table = Table {
            bytes,
            names: count(0)?,
            units: count(1)?,
            signatures: count(2)?,
            types: count(3)?,
            width,
        };
        (matches!(width, 4 | 8) && table.texts_start()? <= bytes.len()).then_some(table)
    }

    /// The same, of bytes that come from elsewhere: whole, unaltered, and made for this key.
    pub(super) fn checked(bytes: &'b [u8], key: u64) -> Option<Table<'b>> {
        let table = Table::of(bytes)?;
        let checksum = crc32fast::hash(bytes.get(COVERED..)?);
        let is_it = u32_at(bytes, CHECKSUM)? == checksum && u64_at(bytes, COVERED)? == key;
        is_it.then_some(table)
    }

    /// How many types there are.
    pub(super) fn types(&self) -> usize {
        self.types
    }

    /// How many names there are.
    pub(super) fn names(&self) -> usize {
        self.names
    }

    /// The name at a position.
    pub(super) fn name(&self, position: usize) -> Option<Name<'b>> {
        if position >= self.names {
            return None;
        }
        let at = HEADER + position * NAME;
        let number = |at| u32_at(self.bytes, at);
        let texts = self.texts_start()?;
        let (start, end) = (number(at + 4)? as usize, number(at + NAME + 4)? as usize);
        let text = self.bytes.get(texts.checked_add(start)?..texts.checked_add(end)?)?;
        Some(Name {
            hash: number(at)?,
            text,
            first: number(at + 8)?,
            definitions: number(at + 12)?,
        })
    }

    /// The position of a name.
    pub(super) fn position_of(&self, name: &[u8]) -> Option<usize> {
        let wanted = hash_of(name);
        let (mut low, mut high) = (0, self.names);
        while low < high {
            let middle = low + (high - low) / 2;
            if u32_at(self.bytes, HEADER + middle * NAME)? < wanted {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        (low..self.names)
            .map_while(|position| Some((position, self.name(position)?)))
            .take_while(|(_, found)| found.hash == wanted)
            .find(|(_, found)| found.text == name)
            .map(|(position, _)| position)
    }

    /// The definitions of the name at a position, and its declarations.
    pub(super) fn types_of(&self, position: usize) -> Option<(Refs<'b>, Refs<'b>)> {
        let name = self.name(position)?;
        let end = u32_at(self.bytes, HEADER + (position + 1) * NAME + 8)? as usize;
        let first = name.first as usize;
        let middle = first.checked_add(name.definitions as usize)?;
        Some((self.refs(first, middle)?, self.refs(middle, end)?))
    }

    fn refs(&self, first: usize, end: usize) -> Option<Refs<'b>> {
        let start = self.types_start();
        let at = |position: usize| start.checked_add(position.checked_mul(self.width)?);
        let bytes = (end <= self.types).then(|| self.bytes.get(at(first)?..at(end)?))??;
        Some(Refs { bytes, width: self.width })
    }

    /// The start, with the section, and the end of each unit of the main file.
    pub(super) fn units(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.pairs(HEADER + (self.names + 1) * NAME, self.units)
    }

    /// The signatures of type units of the main file, and their types.
    pub(super) fn signatures(&self) -> impl Iterator<Item = (u64, DieRef)> + '_ {
        let pairs = self.pairs(self.signatures_start(), self.signatures);
        pairs.map(|(signature, die)| (signature, DieRef::from_packed(die)))
    }

    fn pairs(&self, start: usize, count: usize) -> impl Iterator<Item = (u64, u64)> + '_ {
        (0..count).map_while(move |position| {
            let at = start + position * UNIT;
            Some((u64_at(self.bytes, at)?, u64_at(self.bytes, at + 8)?))
        })
    }

    // Counts are of four bytes: in the sums of few of them nothing overflows.

    fn signatures_start(&self) -> usize {
        HEADER + (self.names + 1) * NAME + self.units * UNIT
    }

    fn types_start(&self) -> usize {
        self.signatures_start() + self.signatures * SIGNATURE
    }

    fn texts_start(&self) -> Option<usize> {
        self.types_start().checked_add(self.types.checked_mul(self.width)?)
    }
}

/// References that stand one behind another.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Refs<'b> {
    bytes: &'b [u8],
    width: usize,
}

impl<'b> Refs<'b> {
    /// In the order of the file.
    pub(super) fn iter(self) -> impl Iterator<Item = DieRef> + use<'b> {
        self.bytes.chunks_exact(self.width.max(1)).map(|chunk| {
            let mut packed = [0; 8];
            packed.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
            DieRef::from_packed(u64::from_le_bytes(packed))
        })
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let number = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(number.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let number = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_le_bytes(number.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::super::super::{DieSection, FileId};
    use super::*;

    fn die(offset: u64) -> DieRef {
        DieRef::new(FileId::Main, DieSection::Info, offset)
    }

    fn bytes(far: u64) -> Box<[u8]> {
        let mut names: Vec<Name<'_>> = Vec::new();
        for (position, text) in [b"foo".as_slice(), b"", b"quite_long_a_name"].iter().enumerate() {
            let (first, definitions) = (position as u32 * 2, 1);
            names.push(Name { hash: hash_of(text), text, first, definitions });
        }
        // Their types go with them.
        names.sort_by_key(|name| name.hash);
        let mut first = 0;
        for name in &mut names {
            name.first = first;
            first += 2;
        }
        let width = width_of(die(far));
        let units = vec![(0, 40), (TYPES_BIT, 30)];
        let contents = Contents { key: 7, names, units, signatures: vec![(9, 3)], types: 6, width };
        contents.bytes(|types| {
            for (position, offset) in [11, 12, 21, 22, 31, far].into_iter().enumerate() {
                put_type(types, width, position, die(offset));
            }
        })
    }

    #[test]
    fn what_was_laid_out_is_found() {
        for far in [32, 1 << 40] {
            let bytes = bytes(far);
            let table = Table::checked(&bytes, 7).unwrap();
            assert_eq!(Table::checked(&bytes, 8).map(|_| ()), None);
            let mut all = Vec::new();
            for name in [b"foo".as_slice(), b"", b"quite_long_a_name"] {
                let position = table.position_of(name).unwrap();
                assert_eq!(table.name(position).unwrap().text, name);
                let (definitions, declarations) = table.types_of(position).unwrap();
                all.extend(definitions.iter().chain(declarations.iter()));
                assert_eq!((definitions.iter().count(), declarations.iter().count()), (1, 1));
            }
            all.sort_unstable();
            assert_eq!(all, [11, 12, 21, 22, 31, far].map(die));
            assert_eq!(table.position_of(b"fo"), None);
            assert_eq!(table.units().collect::<Vec<_>>(), [(0, 40), (TYPES_BIT, 30)]);
            assert_eq!(table.signatures().collect::<Vec<_>>(), [(9, die(3))]);
        }
    }

    #[test]
    fn no_byte_can_change_and_none_be_missing() {
        let bytes = bytes(32);
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut altered = bytes.clone();
                altered[at] ^= 1 << bit;
                assert!(Table::checked(&altered, 7).is_none(), "byte {at}, bit {bit}");
            }
            assert!(Table::checked(&bytes[..at], 7).is_none(), "{at} bytes");
        }
    }

    /// One whose checksum is right and whose numbers are not leads nowhere, and to no panic.
    #[test]
    fn numbers_are_not_trusted() {
        let bytes = bytes(32);
        for at in COVERED..bytes.len() - 3 {
            for number in [0_u32, 1, 5, 0x7fff_ffff, u32::MAX] {
                let mut altered = bytes.to_vec();
                altered[at..at + 4].copy_from_slice(&number.to_le_bytes());
                let checksum = crc32fast::hash(&altered[COVERED..]).to_le_bytes();
                altered[CHECKSUM..COVERED].copy_from_slice(&checksum);
                let Some(table) = Table::checked(&altered, 7) else { continue };
                for position in 0..table.names().min(9) {
                    let _ = table.name(position).and_then(|name| table.position_of(name.text));
                    if let Some((definitions, declarations)) = table.types_of(position) {
                        let _ = definitions.iter().chain(declarations.iter()).count();
                    }
                }
                let _ = table.units().chain([(0, 0)]).count() + table.signatures().count();
            }
        }
    }
}
