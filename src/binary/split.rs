//! Where is the rest of a split unit: in a .dwo file, or in the .dwp package that a binary's were
//! gathered into?
//!
//! DWARF 5 §7.3.2: a skeleton unit in the binary names the .dwo by path and by `dwo_id`; before, GNU
//! tools did the same with attributes of their own. The path is where the compiler wrote it, which may
//! be on another machine; the `dwo_id` says whether a file is the one.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use gimli::{
    AttributeValue, DwarfPackage, DwoId, EndianSlice, RunTimeEndian, UnitHeader, UnitType,
    constants as dw,
};
use rustc_hash::FxHashMap;

use super::debuglink::folders_of;
use super::image::Image;
use super::place::{Log, Seen, Tried, Unfit};
use super::{FileStamp, Sections};
use crate::job::Stopped;

/// As many .dwo files of one binary are kept open; the one used longest ago makes room.
const MAX_OPEN: usize = 512;

/// As many places are looked at again, to see whether a binary is current. A build that writes .dwo
/// files writes many: among the first are some.
const MAX_SEEN: usize = 1024;

/// Before DWARF 5 each unit's abbreviations have to be read for its id. Compilers write one unit.
const MAX_OLD_UNITS: usize = 256;

type Slice<'a> = EndianSlice<'a, RunTimeEndian>;

/// A unit whose debug info is in another file, as its skeleton has it.
#[derive(Clone, Copy, Debug)]
pub struct SplitUnit<'a> {
    /// DW_AT_dwo_name.
    pub name: &'a Path,
    /// DW_AT_comp_dir, where a relative name starts.
    pub comp_dir: Option<&'a Path>,
    /// The id that the unit in the other file has as well.
    pub dwo_id: DwoId,
}

/// A .dwo or .dwp file.
#[derive(Debug)]
pub struct SplitFile(Image);

impl SplitFile {
    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// The state in which it was opened.
    pub(crate) fn stamp(&self) -> FileStamp {
        self.0.stamp
    }

    /// Its sections; see [`Sections::dwo_bytes`].
    pub fn sections(&self) -> &Sections {
        &self.0.sections
    }

    /// The package that it is, which has type units by their signature; none for a .dwo.
    pub fn package(&self) -> gimli::Result<Option<DwarfPackage<Slice<'_>>>> {
        is_package(&self.0).then(|| package(&self.0)).transpose()
    }

    /// What is to be read of the unit with this id: all of a .dwo, a unit's part of a package; none
    /// where the package has no such unit. `parent` has the skeleton, and gives the sections that
    /// stay with it.
    pub fn dwarf<'a>(
        &'a self,
        dwo_id: DwoId,
        parent: &gimli::Dwarf<Slice<'a>>,
    ) -> gimli::Result<Option<gimli::Dwarf<Slice<'a>>>> {
        if let Some(package) = self.package()? {
            return package.find_cu(dwo_id, parent);
        }
        let mut dwarf = dwo(&self.0)?;
        dwarf.make_dwo(parent);
        Ok(Some(dwarf))
    }
}

/// The split files of one binary's debug info.
#[derive(Debug)]
pub(super) struct Splits {
    /// The binary, and the file with its debug info, which may be the same.
    files: [PathBuf; 2],
    packages: OnceLock<Packages>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct Packages {
    found: Vec<Arc<SplitFile>>,
    log: Log,
}

#[derive(Debug, Default)]
struct State {
    open: FxHashMap<DwoId, (u64, Arc<SplitFile>)>,
    clock: u64,
    seen: Seen,
}

impl Splits {
    pub(super) fn new(binary: &Path, debug: &Path) -> Splits {
        let files = [binary.to_owned(), debug.to_owned()];
        Splits { files, packages: OnceLock::new(), state: Mutex::default() }
    }

    /// The file with the rest of a unit, or each place where it is not.
    pub(super) fn find(&self, wanted: &SplitUnit<'_>) -> Result<Arc<SplitFile>, Vec<Tried>> {
        if let Some(open) = self.lock().used(wanted.dwo_id) {
            return Ok(open);
        }
        let mut log = Log::default();
        let found = match self.in_packages(wanted, &mut log) {
            Some(package) => Some(package),
            None => self.dwo(wanted, &mut log),
        };
        let Log { tried, seen, .. } = log;
        let mut state = self.lock();
        state.seen.extend(seen, MAX_SEEN);
        let found = found.ok_or(tried)?;
        state.keep(wanted.dwo_id, &found);
        Ok(found)
    }

    fn in_packages(&self, wanted: &SplitUnit<'_>, log: &mut Log) -> Option<Arc<SplitFile>> {
        let packages = self.packages.get_or_init(|| Packages::find(&self.files));
        log.tried.extend(packages.log.tried.iter().cloned());
        for file in &packages.found {
            match has_unit(&file.0, wanted.dwo_id) {
                Ok(()) => return Some(Arc::clone(file)),
                Err(why) => log.fail(file.path(), why),
            }
        }
        None
    }

    fn dwo(&self, wanted: &SplitUnit<'_>, log: &mut Log) -> Option<Arc<SplitFile>> {
        for place in self.places(wanted) {
            let is_it = |image: &Image| has_unit(image, wanted.dwo_id).map_err(Unfit::Why);
            if let Some(image) = without_job(log.open(&place, is_it)) {
                return Some(Arc::new(SplitFile(image)));
            }
        }
        None
    }

    /// The places of a .dwo: as named, then beside the binary and beside its debug file.
    fn places(&self, wanted: &SplitUnit<'_>) -> Vec<PathBuf> {
        let named = wanted.comp_dir.map_or(wanted.name.to_owned(), |dir| dir.join(wanted.name));
        let mut places = Vec::new();
        if named.is_absolute() {
            places.push(named.clone());
        }
        for folder in self.files.iter().flat_map(|file| folders_of(file)) {
            // What is absolute is itself again, joined to anything.
            places.extend([folder.join(&named), folder.join(wanted.name)]);
            places.extend(wanted.name.file_name().map(|name| folder.join(name)));
        }
        without_doubles(places)
    }

    pub(super) fn is_current(&self) -> bool {
        let packages = self.packages.get().is_none_or(Packages::is_current);
        packages && self.lock().is_current()
    }

    /// A panic while the lock was held left the state whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Packages {
    /// `BINARY.dwp`, beside the binary or its debug file.
    fn find(files: &[PathBuf; 2]) -> Packages {
        let mut log = Log::default();
        let [binary, debug] = files;
        let names = [binary.file_name(), debug.file_name()].into_iter().flatten();
        let names: Vec<PathBuf> = names
            .map(|name| {
                let mut name = name.to_owned();
                name.push(".dwp");
                PathBuf::from(name)
            })
            .collect();
        let folders = [binary, debug].into_iter().flat_map(|file| folders_of(file));
        let places = folders.flat_map(|folder| names.iter().map(move |name| folder.join(name)));
        let is_it = |image: &Image| match is_package(image) {
            true => Ok(()),
            false => Err("it has no .debug_cu_index section".into()),
        };
        let places = without_doubles(places.collect());
        let found = places.iter().filter_map(|place| without_job(log.open(place, is_it)));
        let found = found.map(|image| Arc::new(SplitFile(image))).collect();
        Packages { found, log }
    }

    fn is_current(&self) -> bool {
        let is_torn = |file: &Arc<SplitFile>| file.0.mapping.is_torn();
        self.log.is_current() && !self.found.iter().any(is_torn)
    }
}

impl State {
    fn used(&mut self, dwo_id: DwoId) -> Option<Arc<SplitFile>> {
        self.clock += 1;
        let (used, file) = self.open.get_mut(&dwo_id)?;
        *used = self.clock;
        Some(Arc::clone(file))
    }

    fn keep(&mut self, dwo_id: DwoId, file: &Arc<SplitFile>) {
        self.open.insert(dwo_id, (self.clock, Arc::clone(file)));
        if self.open.len() > MAX_OPEN {
            let oldest = self.open.iter().min_by_key(|(_, (used, _))| *used).map(|(id, _)| *id);
            oldest.and_then(|id| self.open.remove(&id));
        }
    }

    fn is_current(&self) -> bool {
        let is_torn = |(_, file): &(u64, Arc<SplitFile>)| file.0.mapping.is_torn();
        self.seen.is_current() && !self.open.values().any(is_torn)
    }
}

fn without_doubles(places: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut once: Vec<PathBuf> = Vec::new();
    for place in places {
        if !once.contains(&place) {
            once.push(place);
        }
    }
    once
}

/// Nothing here asks a job: a place costs a few system calls.
fn without_job(opened: Result<Option<Image>, Stopped>) -> Option<Image> {
    opened.ok().flatten()
}

fn is_package(image: &Image) -> bool {
    !image.sections.dwo_bytes(gimli::SectionId::DebugCuIndex).is_empty()
}

/// Whether a file has the unit with this id, or why not.
fn has_unit(image: &Image, dwo_id: DwoId) -> Result<(), String> {
    let has = match is_package(image) {
        true => package(image).map(|package| package.cu_index.find(dwo_id.0).is_some()),
        false => dwo(image).and_then(|dwarf| has_unit_in(&dwarf, dwo_id)),
    };
    match has {
        Ok(true) => Ok(()),
        Ok(false) => Err(format!("it has no unit with the dwo_id {:016x}", dwo_id.0)),
        Err(error) => Err(format!("its units cannot be read: {error}")),
    }
}

fn has_unit_in(dwarf: &gimli::Dwarf<Slice<'_>>, dwo_id: DwoId) -> gimli::Result<bool> {
    let mut headers = dwarf.units();
    let mut old = 0;
    while let Some(header) = headers.next()? {
        let found = match header.type_() {
            UnitType::SplitCompilation(id) => Some(id),
            UnitType::Compilation if old < MAX_OLD_UNITS => {
                old += 1;
                id_of_old(dwarf, &header)?
            }
            _ => None,
        };
        if found == Some(dwo_id) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// DW_AT_GNU_dwo_id, as GCC and Clang write it up to DWARF 4.
fn id_of_old(
    dwarf: &gimli::Dwarf<Slice<'_>>,
    header: &UnitHeader<Slice<'_>>,
) -> gimli::Result<Option<DwoId>> {
    let abbreviations = dwarf.abbreviations(header)?;
    let root = header.entry(&abbreviations, header.root_offset())?;
    Ok(match root.attr_value(dw::DW_AT_GNU_dwo_id) {
        Some(AttributeValue::DwoId(id)) => Some(id),
        _ => None,
    })
}

fn dwo(image: &Image) -> gimli::Result<gimli::Dwarf<Slice<'_>>> {
    let mut dwarf = gimli::Dwarf::load(|id| Ok::<_, gimli::Error>(section(image, id)))?;
    dwarf.file_type = gimli::DwarfFileType::Dwo;
    Ok(dwarf)
}

fn package(image: &Image) -> gimli::Result<DwarfPackage<Slice<'_>>> {
    let empty = EndianSlice::new(&[], image.identity.endian);
    DwarfPackage::load(|id| Ok::<_, gimli::Error>(section(image, id)), empty)
}

fn section(image: &Image, id: gimli::SectionId) -> Slice<'_> {
    EndianSlice::new(image.sections.dwo_bytes(id), image.identity.endian)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_used_longest_ago_makes_room() {
        let any = Image::open(&std::env::current_exe().unwrap()).unwrap();
        let any = Arc::new(SplitFile(any));
        let mut state = State::default();
        for id in 0..MAX_OPEN as u64 {
            assert!(state.used(DwoId(id)).is_none());
            state.keep(DwoId(id), &any);
        }
        assert!(state.used(DwoId(0)).is_some());
        state.keep(DwoId(u64::MAX), &any);
        assert_eq!(state.open.len(), MAX_OPEN);
        assert!(state.used(DwoId(0)).is_some() && state.used(DwoId(u64::MAX)).is_some());
        assert!(state.used(DwoId(1)).is_none());
    }
}
