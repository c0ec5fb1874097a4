//! The procedure linkage table: what is called through each of its entries.
//!
//! An entry jumps to where a slot of the global offset table points; the relocation of that slot
//! names the function (psABI of x86-64, i386 and AArch64, "Procedure Linkage Table").

use object::{
    Architecture, Object, ObjectSection, ObjectSymbol, ObjectSymbolTable, RelocationTarget,
};

use super::code::Code;
use super::image::Extent;
use crate::address::FileAddress;
use crate::binary::Binary;

/// The functions that a binary calls by name.
#[derive(Debug, Default)]
pub(super) struct Plt {
    /// By address.
    entries: Box<[Entry]>,
    /// The tables, each from its start to its end.
    tables: Box<[Extent]>,
    /// The slots that are filled with a function's address, by address.
    slots: Box<[Slot]>,
}

/// One entry of the table.
#[derive(Clone, Copy, Debug)]
struct Entry {
    start: u64,
    end: u64,
    slot: u64,
}

/// A slot of the global offset table.
#[derive(Clone, Debug)]
struct Slot {
    address: u64,
    name: Box<[u8]>,
}

/// Where linkers put entries; the second has those for Intel's branch tracking.
const SECTIONS: [&str; 3] = [".plt", ".plt.sec", ".plt.got"];

/// Every entry is so long on these machines.
const ENTRY: usize = 16;

impl Plt {
    /// Reads a binary's table. Damage leaves entries out.
    pub(super) fn read(binary: &Binary) -> Plt {
        let Ok(file) = object::File::parse(binary.bytes()) else { return Plt::default() };
        let slots = slots(&file);
        if slots.is_empty() {
            return Plt::default();
        }
        let code = Code::of(binary);
        // i386 counts from the start of the table of slots.
        let base = [".got.plt", ".got"].iter().find_map(|name| file.section_by_name(name));
        let base = base.map_or(0, |section| section.address());
        let (mut entries, mut tables) = (Vec::new(), Vec::new());
        for section in SECTIONS.iter().filter_map(|name| file.section_by_name(name)) {
            let end = section.address().saturating_add(section.size());
            tables.push(Extent { start: FileAddress(section.address()), end: FileAddress(end) });
            let step = if section.name() == Ok(".plt.got") { ENTRY / 2 } else { ENTRY };
            // As far as the file has it: a header can claim any size.
            let bytes = code.between(FileAddress(section.address()), FileAddress(end));
            let parts = bytes.unwrap_or_default().chunks(step);
            for (start, part) in (section.address()..).step_by(step).zip(parts) {
                if let Some(slot) = slot_of(code.architecture, part, start, base) {
                    let end = start + part.len() as u64;
                    entries.push(Entry { start, end, slot });
                }
            }
        }
        entries.sort_by_key(|entry| entry.start);
        Plt { entries: entries.into(), tables: tables.into(), slots }
    }

    /// The name of the function that the entry at an address calls.
    pub(super) fn find(&self, address: FileAddress) -> Option<&[u8]> {
        let after = self.entries.partition_point(|entry| entry.start <= address.0);
        let entry = self.entries.get(after.checked_sub(1)?)?;
        if address.0 >= entry.end {
            return None;
        }
        self.at_slot(FileAddress(entry.slot))
    }

    /// The entries that call a function, each from its start to its end.
    pub(super) fn named(&self, name: &[u8]) -> Vec<Extent> {
        let calls = |entry: &&Entry| self.at_slot(FileAddress(entry.slot)) == Some(name);
        let entries = self.entries.iter().filter(calls);
        let extent =
            |entry: &Entry| Extent { start: FileAddress(entry.start), end: FileAddress(entry.end) };
        entries.map(extent).collect()
    }

    /// Whether an address is in one of the tables.
    pub(super) fn holds(&self, address: FileAddress) -> bool {
        self.tables.iter().any(|table| table.holds(address))
    }

    /// The name of the function whose address a slot is filled with.
    pub(super) fn at_slot(&self, slot: FileAddress) -> Option<&[u8]> {
        let position = self.slots.binary_search_by_key(&slot.0, |slot| slot.address).ok()?;
        self.slots.get(position).map(|slot| &*slot.name)
    }
}

/// The slots that a relocation fills with the address of a named function or object.
fn slots(file: &object::File<'_>) -> Box<[Slot]> {
    let (Some(relocations), Some(symbols)) =
        (file.dynamic_relocations(), file.dynamic_symbol_table())
    else {
        return Box::default();
    };
    let slot = |(address, relocation): (u64, object::Relocation)| {
        let RelocationTarget::Symbol(index) = relocation.target() else { return None };
        let symbol = symbols.symbol_by_index(index).ok()?;
        let name = symbol.name_bytes().ok().filter(|name| !name.is_empty())?;
        Some(Slot { address, name: name.into() })
    };
    let mut slots: Vec<Slot> = relocations.filter_map(slot).collect();
    slots.sort_by_key(|slot| slot.address);
    slots.into()
}

/// The slot through which the code of an entry jumps.
fn slot_of(architecture: Architecture, bytes: &[u8], start: u64, base: u64) -> Option<u64> {
    match architecture {
        Architecture::X86_64 | Architecture::X86_64_X32 => {
            let (at, displacement) = indirect_jump(bytes, 0x25)?;
            Some(start.wrapping_add(at as u64 + 6).wrapping_add_signed(displacement.into()))
        }
        Architecture::I386 => match indirect_jump(bytes, 0xa3) {
            // jmp *displacement(%ebx)
            Some((_, displacement)) => Some(base.wrapping_add_signed(displacement.into())),
            // jmp *address
            None => Some(u64::from(indirect_jump(bytes, 0x25)?.1 as u32)),
        },
        Architecture::Aarch64 => slot_aarch64(bytes, start),
        _ => None,
    }
}

/// FF /4 with a displacement: where it is, and that.
fn indirect_jump(bytes: &[u8], modrm: u8) -> Option<(usize, i32)> {
    let at = bytes.windows(2).position(|window| window == [0xff, modrm])?;
    let displacement = bytes.get(at + 2..)?.first_chunk::<4>()?;
    Some((at, i32::from_le_bytes(*displacement)))
}

/// adrp x16, page; ldr x17, [x16, #offset]
fn slot_aarch64(bytes: &[u8], start: u64) -> Option<u64> {
    let words = bytes.as_chunks::<4>().0;
    words.windows(2).zip((start..).step_by(4)).find_map(|(pair, at)| {
        let [page, load] = pair else { return None };
        let (page, load) = (u32::from_le_bytes(*page), u32::from_le_bytes(*load));
        if page & 0x9f00_001f != 0x9000_0010 || load & 0xffc0_03ff != 0xf940_0211 {
            return None;
        }
        let pages = (page >> 5 & 0x7_ffff) << 2 | (page >> 29 & 3);
        let pages = i64::from((pages << 11) as i32 >> 11);
        let offset = u64::from(load >> 10 & 0xfff) * 8;
        Some((at & !0xfff).wrapping_add_signed(pages << 12).wrapping_add(offset))
    })
}
