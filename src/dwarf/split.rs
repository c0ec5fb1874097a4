//! The files of split units (DWARF 5 §7.3.2; GNU's DebugFission before it), found once each.
//!
//! A skeleton unit of the main file names a .dwo file, unless all of them were gathered into one .dwp
//! package. The type units of a package are by themselves in it (§7.3.5).

use std::path::Path;
use std::sync::{Arc, OnceLock};

use gimli::{DebugTypeSignature, DwoId};

use super::file::{FileTables, FileView};
use super::{Error, FileId, Root};
use crate::binary::{DebugInfo, SplitFile, SplitUnit};

/// The files of split units.
#[derive(Debug)]
pub(super) struct Splits {
    /// By the position of the skeleton.
    parts: Box<[OnceLock<Result<Part, Error>>]>,
    types: OnceLock<PackageTypes>,
}

/// What one split unit is in.
#[derive(Debug)]
struct Part {
    file: Arc<SplitFile>,
    id: DwoId,
    tables: FileTables,
}

/// The type units of a package, by their row (§7.3.5.3), which counts from 1.
#[derive(Debug)]
struct PackageTypes {
    file: Arc<SplitFile>,
    tables: Box<[FileTables]>,
}

/// A reason names so many of the places that were tried.
const MAX_TRIED: usize = 3;

impl Splits {
    /// Nothing is found yet, of so many units.
    pub(super) fn new(units: usize) -> Splits {
        // A reference to a DIE has room for so many.
        let count = units.min(FileId::MAX_SPLIT as usize);
        Splits { parts: (0..count).map(|_| OnceLock::new()).collect(), types: OnceLock::new() }
    }

    /// The file of the skeleton at a position, whose root is given.
    pub(super) fn of_skeleton<'a>(
        &'a self,
        debug_info: &DebugInfo,
        position: u32,
        root: &Root<'_>,
        main: &FileView<'a>,
    ) -> Result<FileView<'a>, Error> {
        let id = FileId::Split(position);
        let wanted = root.split.ok_or(Error::Elsewhere(id))?;
        let place = self.parts.get(position as usize).ok_or(Error::Elsewhere(id))?;
        let part = place.get_or_init(|| {
            let (name, comp_dir) = (path(wanted.name), root.comp_dir.map(path));
            let unit = SplitUnit { name, comp_dir, dwo_id: wanted.id };
            let file = debug_info.split(&unit).map_err(|tried| {
                let places = tried.iter().take(MAX_TRIED);
                let places: Vec<String> = places
                    .map(|tried| format!("{}: {}", tried.place.display(), tried.why))
                    .collect();
                Error::NoSplitFile { name: name.display().to_string(), tried: places.join("; ") }
            })?;
            Ok(Part { file, id: wanted.id, tables: FileTables::default() })
        });
        let part = part.as_ref().map_err(Clone::clone)?;
        let dwarf = part.file.dwarf(part.id, &main.dwarf)?.ok_or(Error::Elsewhere(id))?;
        Ok(FileView::new(id, dwarf, &part.tables))
    }

    /// The files that were found so far, one of them as often as it has units.
    pub(super) fn files(&self) -> impl Iterator<Item = &SplitFile> {
        let found = self.parts.iter().filter_map(|part| part.get()?.as_ref().ok());
        found.map(|part| &*part.file)
    }

    /// The files of all type units of the package that the split unit at a position is in; none where
    /// it is in no package.
    pub(super) fn types_beside(&self, position: u32) -> Result<Vec<FileId>, Error> {
        let Some(types) = self.types_of(position)? else { return Ok(Vec::new()) };
        Ok((1..=types.tables.len() as u32).filter_map(|row| self.id_of_row(row)).collect())
    }

    /// The file of the type unit with a signature, in the package of the split unit at a position.
    pub(super) fn by_signature(&self, position: u32, signature: u64) -> Result<FileId, Error> {
        let missing = Error::NoSuchSignature(signature);
        let Some(types) = self.types_of(position)? else { return Err(missing) };
        let package = types.file.package()?;
        let row =
            package.and_then(|package| package.tu_index.find(DebugTypeSignature(signature).0));
        row.and_then(|row| self.id_of_row(row)).ok_or(missing)
    }

    /// The file of a type unit in a package.
    pub(super) fn of_types<'a>(
        &'a self,
        id: FileId,
        main: &FileView<'a>,
    ) -> Result<FileView<'a>, Error> {
        let missing = Error::Elsewhere(id);
        let FileId::Split(number) = id else { return Err(missing) };
        let types = self.types.get().ok_or(missing.clone())?;
        let row = (number as usize).checked_sub(self.parts.len()).ok_or(missing.clone())?;
        let tables = types.tables.get(row).ok_or(missing.clone())?;
        let package = types.file.package()?.ok_or(missing)?;
        let dwarf = package.tu_sections(row as u32 + 1, &main.dwarf)?;
        Ok(FileView::new(id, dwarf, tables))
    }

    /// Whether a number is that of a type unit in a package.
    pub(super) fn is_types(&self, number: u32) -> bool {
        number as usize >= self.parts.len()
    }

    fn id_of_row(&self, row: u32) -> Option<FileId> {
        let number = u32::try_from(self.parts.len()).ok()?.checked_add(row.checked_sub(1)?)?;
        (number < FileId::MAX_SPLIT).then_some(FileId::Split(number))
    }

    fn types_of(&self, position: u32) -> Result<Option<&PackageTypes>, Error> {
        // A type unit of the package refers to others there.
        if self.is_types(position) {
            return Ok(self.types.get());
        }
        let part = self.parts.get(position as usize).and_then(OnceLock::get);
        let Some(Ok(part)) = part else { return Ok(None) };
        let Some(package) = part.file.package()? else { return Ok(None) };
        Ok(Some(self.types.get_or_init(|| {
            // The table of slots is read, the number of units only claimed: each has a slot (DWARF 5
            // §7.3.5.3).
            let index = &package.tu_index;
            let rows = index.unit_count().min(index.slot_count());
            let tables = (0..rows).map(|_| FileTables::default()).collect();
            PackageTypes { file: Arc::clone(&part.file), tables }
        })))
    }
}

fn path(bytes: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt;
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}
