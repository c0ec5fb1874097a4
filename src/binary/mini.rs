//! The symbol table that Fedora and others leave in stripped binaries, in `.gnu_debugdata`: an ELF file
//! with nothing but `.symtab`, xz'd (gdb's manual, "MiniDebugInfo").

use std::io::Read;
use std::ops::Range;
use std::sync::OnceLock;

use lzma_rust2::XzReader;
use object::elf::ELFMAG;

use super::Mapping;

/// Far more than the names and addresses of any program take.
const MAX_UNPACKED: u64 = 256 << 20;

/// What unpacking may need besides, in KiB: `xz -9` makes 64 MiB of it.
const MAX_DICTIONARY: u32 = 128 << 10;

/// The file that was packed, once it is needed.
#[derive(Debug, Default)]
pub(super) struct MiniDebugInfo(OnceLock<Result<Box<[u8]>, String>>);

impl MiniDebugInfo {
    /// The bytes of the file that is packed at `range`, or why there are none.
    pub(super) fn unpacked(&self, mapping: &Mapping, range: &Range<u64>) -> Result<&[u8], &str> {
        let bytes = self.0.get_or_init(|| {
            let packed = slice(mapping, range).ok_or("it lies outside the file")?;
            unpack(packed)
        });
        bytes.as_deref().map_err(String::as_str)
    }
}

fn slice<'m>(mapping: &'m Mapping, range: &Range<u64>) -> Option<&'m [u8]> {
    mapping.get(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)
}

fn unpack(packed: &[u8]) -> Result<Box<[u8]>, String> {
    let mut bytes = Vec::new();
    // xz and its parallel kin may write several streams, one after the other.
    let reader = XzReader::new_mem_limit(packed, true, MAX_DICTIONARY);
    let read = reader.take(MAX_UNPACKED + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("it cannot be unpacked: {error}"))?;
    if bytes.len() as u64 > MAX_UNPACKED {
        return Err(format!("it holds more than the {MAX_UNPACKED} bytes allowed"));
    }
    match bytes.starts_with(&ELFMAG) {
        true => Ok(bytes.into()),
        false => Err("what is packed there is not an ELF file".to_owned()),
    }
}
