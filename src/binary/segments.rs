//! Where the parts of a file are loaded: its PT_LOAD program headers (System V ABI, "Program
//! Header").

use object::read::elf::ProgramHeader;
use object::{Endianness, File, elf};

use crate::address::{FileAddress, FileOffset};

/// One part of a file that is mapped into a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The first byte's place in the file.
    pub offset: FileOffset,
    /// The first byte's address.
    pub address: FileAddress,
    /// Bytes that are in the file.
    pub file_size: u64,
    /// Bytes in memory: what is beyond the file's is zero.
    pub memory_size: u64,
    /// Whether it holds code.
    pub executable: bool,
}

impl Segment {
    /// Whether an address is in it.
    pub fn holds(&self, address: FileAddress) -> bool {
        address.0.checked_sub(self.address.0).is_some_and(|offset| offset < self.memory_size)
    }
}

/// The parts of a file that are loaded, in the order of the headers, by address.
pub(super) fn of(file: &File<'_>) -> Vec<Segment> {
    match file {
        File::Elf32(file) => segments(file.elf_program_headers(), file.endian()),
        File::Elf64(file) => segments(file.elf_program_headers(), file.endian()),
        _ => Vec::new(),
    }
}

fn segments<Header: ProgramHeader<Endian = Endianness>>(
    headers: &[Header],
    endian: Endianness,
) -> Vec<Segment> {
    let loaded = headers.iter().filter(|header| header.p_type(endian) == elf::PT_LOAD);
    let segment = |header: &Header| Segment {
        offset: FileOffset(header.p_offset(endian).into()),
        address: FileAddress(header.p_vaddr(endian).into()),
        file_size: header.p_filesz(endian).into(),
        memory_size: header.p_memsz(endian).into(),
        executable: header.p_flags(endian).contains(elf::PF_X),
    };
    loaded.map(segment).collect()
}
