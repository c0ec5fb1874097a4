//! What a file says of what completes it: the separate debug file, the supplement that it shares with
//! others, and the small symbol table that is packed into it.
//!
//! Sources: gdb's manual, "Debugging Information in Separate Files" and "MiniDebugInfo"; DWARF 5 §7.3.6 (.debug_sup);
//! dwz(1), which names supplements in .gnu_debugaltlink.

use std::ffi::OsStr;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use gimli::{EndianSlice, Reader, RunTimeEndian};
use object::{Object, ObjectSection};

use super::BuildId;

/// What a file names.
#[derive(Debug)]
pub(super) struct Links {
    /// The file that its debug info was moved to.
    pub(super) debuglink: Option<Result<DebugLink, String>>,
    /// The file that its debug info shares entries and strings with.
    pub(super) supplement: Option<Result<SupplementLink, String>>,
    /// The checksum that a DWARF 5 supplement is known by, in a file that is one.
    pub(super) checksum: Option<BuildId>,
    /// Where in the file a small symbol table is packed.
    pub(super) mini: Option<Range<u64>>,
}

/// `.gnu_debuglink`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DebugLink {
    /// A file name, without folders.
    pub(super) name: PathBuf,
    /// The CRC-32 of the whole file.
    pub(super) crc: u32,
}

/// `.gnu_debugaltlink` or `.debug_sup`.
#[derive(Debug)]
pub(super) struct SupplementLink {
    /// A path, absolute or from the folder of the file that names it.
    pub(super) name: PathBuf,
    /// What it must carry.
    pub(super) id: BuildId,
}

impl Links {
    /// Reads what a file names.
    pub(super) fn of(file: &object::File<'_>, endian: RunTimeEndian) -> Links {
        let mini = file.section_by_name(".gnu_debugdata");
        let mini = mini.and_then(|section| section.file_range());
        let (sup, checksum) = debug_sup(file, endian);
        Links {
            debuglink: debuglink(file).transpose(),
            supplement: altlink(file).or(sup),
            checksum,
            mini: mini.map(|(start, size)| start..start.saturating_add(size)),
        }
    }
}

fn debuglink(file: &object::File<'_>) -> Result<Option<DebugLink>, String> {
    let link = file.gnu_debuglink().map_err(|error| error.to_string())?;
    link.map(|(name, crc)| Ok(DebugLink { name: file_name(name)?, crc })).transpose()
}

/// A name that stays in the folder it is looked for in.
fn file_name(name: &[u8]) -> Result<PathBuf, String> {
    if name.is_empty() || name.contains(&b'/') || name == b"." || name == b".." {
        let shown = String::from_utf8_lossy(name);
        return Err(format!("it names {shown:?}, which is no file name"));
    }
    Ok(path(name))
}

fn altlink(file: &object::File<'_>) -> Option<Result<SupplementLink, String>> {
    let link = file.gnu_debugaltlink().map_err(|error| error.to_string()).transpose()?;
    Some(link.and_then(|(name, id)| supplement_link(name, id)))
}

fn supplement_link(name: &[u8], id: &[u8]) -> Result<SupplementLink, String> {
    let id = BuildId::new(id).ok_or("it has no build-id to know the supplement by")?;
    if name.is_empty() {
        return Err("it names no file".to_owned());
    }
    Ok(SupplementLink { name: path(name), id })
}

/// `.debug_sup`: what the file names with it, or what it is known by if it is a supplement itself.
fn debug_sup(
    file: &object::File<'_>,
    endian: RunTimeEndian,
) -> (Option<Result<SupplementLink, String>>, Option<BuildId>) {
    let Some(section) = file.section_by_name(".debug_sup") else { return (None, None) };
    let data = section.data().map_err(|error| error.to_string());
    let read = |data| parse_debug_sup(EndianSlice::new(data, endian)).map_err(|e| e.to_string());
    match data.and_then(read) {
        Ok(sup) if sup.is_supplement => (None, BuildId::new(sup.checksum)),
        Ok(sup) => (Some(supplement_link(sup.name, sup.checksum)), None),
        Err(why) => (Some(Err(why)), None),
    }
}

/// `.debug_sup`: in the file that needs a supplement, and in the supplement.
struct DebugSup<'a> {
    is_supplement: bool,
    name: &'a [u8],
    checksum: &'a [u8],
}

fn parse_debug_sup(mut data: EndianSlice<'_, RunTimeEndian>) -> gimli::Result<DebugSup<'_>> {
    let version = data.read_u16()?;
    // dwz 0.14 and later write 5, the only version there is.
    if version != 5 {
        return Err(gimli::Error::UnknownVersion(u64::from(version)));
    }
    let is_supplement = data.read_u8()? != 0;
    let name = data.read_null_terminated_slice()?.slice();
    let length = data.read_uleb128_u16()?;
    let checksum = data.split(usize::from(length))?.slice();
    Ok(DebugSup { is_supplement, name, checksum })
}

fn path(name: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_debuglink_names_a_file_in_the_folder_and_no_other() {
        assert_eq!(file_name(b"libfoo.so.debug"), Ok("libfoo.so.debug".into()));
        assert_eq!(file_name(b"..debug"), Ok("..debug".into()));
        for name in [&b""[..], b"/etc/shadow", b"../libfoo.debug", b"a/b", b"..", b"."] {
            assert!(file_name(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn debug_sup_is_read_as_the_standard_has_it() {
        // By hand from DWARF 5 §7.3.6: version, is_supplementary, file name, checksum length, checksum.
        let little = b"\x05\0\0../sup.debug\0\x03abc";
        let sup = parse_debug_sup(EndianSlice::new(little, RunTimeEndian::Little)).unwrap();
        assert!(!sup.is_supplement);
        assert_eq!((sup.name, sup.checksum), (&b"../sup.debug"[..], &b"abc"[..]));
        let big = b"\0\x05\x01\0\x02xy";
        let sup = parse_debug_sup(EndianSlice::new(big, RunTimeEndian::Big)).unwrap();
        assert!(sup.is_supplement && sup.name.is_empty() && sup.checksum == b"xy");
        for cut in 0..little.len() {
            let cut = EndianSlice::new(&little[..cut], RunTimeEndian::Little);
            assert!(parse_debug_sup(cut).is_err());
        }
        let huge = b"\x05\0\0x\0\xff\xff\xff\xff\x0fabc";
        assert!(parse_debug_sup(EndianSlice::new(huge, RunTimeEndian::Little)).is_err());
    }
}
