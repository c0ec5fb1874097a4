//! Where does a `.gnu_debuglink` lead, and is the file there the one that was split off?
//!
//! The places are those of gdb's manual, "Debugging Information in Separate Files". A name alone says
//! little, since every build has files of the same names: the CRC-32 over the whole file decides.

use std::path::{Path, PathBuf};

use super::image::Image;
use super::links::DebugLink;
use super::place::Unfit;
use crate::job::{Job, Stopped};

/// The CRC of so many bytes takes a millisecond, unless they come from a slow disk.
const CHUNK: usize = 1 << 20;

/// The places to look at, in order: beside the binary, in `.debug` beside it, and under each debug
/// folder at the path of the binary's folder; then the same for where its links lead.
pub(super) fn places(binary: &Path, name: &Path, directories: &[PathBuf]) -> Vec<PathBuf> {
    let mut places = Vec::new();
    for folder in folders_of(binary) {
        places.push(folder.join(name));
        places.push(folder.join(".debug").join(name));
        // Under another folder a path starts anew.
        let below = folder.strip_prefix("/").unwrap_or(&folder);
        places.extend(directories.iter().map(|directory| directory.join(below).join(name)));
    }
    places
}

/// The folder of a file as it is named, and, where that is another one, the folder it really is in.
pub(super) fn folders_of(file: &Path) -> Vec<PathBuf> {
    let named = std::path::absolute(file).ok();
    let real = file.canonicalize().ok();
    let folder = |path: Option<PathBuf>| Some(path?.parent()?.to_owned());
    let (named, real) = (folder(named), folder(real));
    let real = real.filter(|real| named.as_ref() != Some(real));
    named.into_iter().chain(real).collect()
}

/// Whether a file is the one that the binary's link stands for.
pub(super) fn is_linked(
    job: &Job,
    binary: &Image,
    link: &DebugLink,
    candidate: &Image,
) -> Result<(), Unfit> {
    if candidate.stamp == binary.stamp {
        return Err("it is the file itself".into());
    }
    if let (Some(own), Some(its)) = (&binary.identity.build_id, &candidate.identity.build_id)
        && own != its
    {
        return Err("its build-id is another one".into());
    }
    candidate.has_debug_info()?;
    let crc = crc(job, &candidate.mapping)?;
    if crc != link.crc {
        let wanted = link.crc;
        return Err(Unfit::Why(format!("its CRC-32 is {crc:08x}, not {wanted:08x} as linked")));
    }
    Ok(())
}

/// The CRC-32 that zlib, gzip and Ethernet use.
fn crc(job: &Job, bytes: &[u8]) -> Result<u32, Stopped> {
    let mut hasher = crc32fast::Hasher::new();
    for chunk in bytes.chunks(CHUNK) {
        job.check()?;
        hasher.update(chunk);
    }
    Ok(hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc_is_the_one_that_everybody_means() {
        // The check value that the catalogue of CRC algorithms lists for CRC-32/ISO-HDLC.
        assert_eq!(crc(&Job::new(), b"123456789"), Ok(0xcbf4_3926));
        let long = vec![0; 3 * CHUNK + 5];
        assert_eq!(crc(&Job::new(), &long), Ok(crc32fast::hash(&long)));
    }

    #[test]
    fn a_crc_is_not_computed_for_nobody() {
        let job = Job::new();
        job.cancel_handle().cancel();
        assert_eq!(crc(&job, b"123456789"), Err(Stopped::Cancelled));
    }

    #[test]
    fn places_are_those_of_gdb() {
        let directories = ["/usr/lib/debug".into(), "/opt/debug".into()];
        let places = places(Path::new("/nowhere/lib/a.so"), Path::new("a.debug"), &directories);
        let expected = [
            "/nowhere/lib/a.debug",
            "/nowhere/lib/.debug/a.debug",
            "/usr/lib/debug/nowhere/lib/a.debug",
            "/opt/debug/nowhere/lib/a.debug",
        ];
        assert_eq!(places, expected.map(PathBuf::from));
    }
}
