//! One question's eyes on a debug file: borrows the sections, keeps the units it has met.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use gimli::{AttributeValue, DebugInfoOffset, UnitOffset};
use rustc_hash::FxHashMap;

use super::file::FileView;
use super::units::Place;
use super::{DebugFile, Die, DieRef, DieSection, Entries, Error, FileId, Root, Slice, UnitView};

/// Reads DIEs for one question, on one thread.
#[derive(Debug)]
pub struct View<'a> {
    file: &'a DebugFile,
    main: Rc<FileView<'a>>,
    /// The other files that were met.
    others: RefCell<FxHashMap<FileId, Rc<FileView<'a>>>>,
    units: RefCell<FxHashMap<(FileId, usize), Rc<UnitView<'a>>>>,
}

impl<'a> View<'a> {
    pub(super) fn new(file: &'a DebugFile, main: FileView<'a>) -> View<'a> {
        View { file, main: Rc::new(main), others: RefCell::default(), units: RefCell::default() }
    }

    /// The file it looks at.
    pub fn file(&self) -> &'a DebugFile {
        self.file
    }

    /// Reads the DIE at a reference.
    pub fn die(&self, at: DieRef) -> Result<Die<'a>, Error> {
        let file = self.of(at.file())?;
        let position = file.units().position_of(at).ok_or(Error::Dangling(at))?;
        let unit = self.unit(&file, position)?;
        Die::read(unit, at)
    }

    /// Eyes on one of the files that the debug info is in.
    pub(super) fn of(&self, id: FileId) -> Result<Rc<FileView<'a>>, Error> {
        if id == FileId::Main {
            return Ok(Rc::clone(&self.main));
        }
        if let Some(file) = self.others.borrow().get(&id) {
            return Ok(Rc::clone(file));
        }
        let file = Rc::new(match id {
            FileId::Split(number) if !self.file.splits().is_types(number) => {
                let skeleton = self.main.units().entries().get(number as usize);
                let (_, root) = self.entries(skeleton.ok_or(Error::Elsewhere(id))?.start)?;
                self.split(number, &root)?
            }
            FileId::Split(_) => self.file.splits().of_types(id, &self.main)?,
            FileId::Main | FileId::Supplement => {
                self.file.supplement().ok_or(Error::Elsewhere(id))?
            }
        });
        self.others.borrow_mut().insert(id, Rc::clone(&file));
        Ok(file)
    }

    fn split(&self, position: u32, root: &Root<'_>) -> Result<FileView<'a>, Error> {
        let id = FileId::Split(position);
        let debug_info = self.file.binary().debug_info().ok_or(Error::Elsewhere(id))?;
        self.file.splits().of_skeleton(debug_info, position, root, &self.main)
    }

    /// Reads the DIE that a DIE of `unit` refers to: most references stay in their unit, which then
    /// need not be looked up.
    pub fn die_from(&self, unit: &Rc<UnitView<'a>>, at: DieRef) -> Result<Die<'a>, Error> {
        if unit.holds(at) { Die::read(Rc::clone(unit), at) } else { self.die(at) }
    }

    /// Where an attribute's reference leads (DWARF 5 §7.5.5, class reference).
    pub fn follow(
        &self,
        from: &UnitView<'a>,
        value: AttributeValue<Slice<'a>>,
    ) -> Result<Option<DieRef>, Error> {
        Ok(Some(match value {
            AttributeValue::UnitRef(offset) => from.die_ref(offset),
            AttributeValue::DebugInfoRef(offset) => {
                DieRef::new(from.file.id, DieSection::Info, offset.0 as u64)
            }
            AttributeValue::DebugInfoRefSup(offset) => {
                DieRef::new(FileId::Supplement, DieSection::Info, offset.0 as u64)
            }
            AttributeValue::DebugTypesRef(signature) => {
                match from.file.units().by_signature(signature.0) {
                    Some(die) => die,
                    None => self.in_package(from.file.id, signature.0)?,
                }
            }
            _ => return Ok(None),
        }))
    }

    /// The type with a signature, in the package that a split unit is in.
    fn in_package(&self, from: FileId, signature: u64) -> Result<DieRef, Error> {
        let missing = Error::NoSuchSignature(signature);
        let FileId::Split(number) = from else { return Err(missing) };
        let file = self.of(self.file.splits().by_signature(number, signature)?)?;
        file.units().by_signature(signature).ok_or(missing)
    }

    /// The units with the rest of a split one, and the type units beside them.
    pub(super) fn rest_of_unit(&self, skeleton: u32) -> Result<Vec<Place>, Error> {
        let mut places: Vec<Place> = self.of(FileId::Split(skeleton))?.units().places().collect();
        for types in self.file.splits().types_beside(skeleton)? {
            places.extend(self.of(types)?.units().places());
        }
        Ok(places)
    }

    /// Looks for the package of split units by the first skeleton, so that references into its type
    /// units are found; what is not found is told by those who need it.
    pub(super) fn find_package(&self) {
        for position in (0..).take(self.main.units().entries().len()) {
            let unit = self.main.units().entries().get(position as usize);
            let root = unit.and_then(|unit| self.entries(unit.start).ok());
            if root.is_some_and(|(_, root)| root.split.is_some()) {
                let _ = self.rest_of_unit(position);
                return;
            }
        }
    }

    /// The unit that DW_AT_import leads to (DWARF 5 §3.2.5), unless it is in the main file, of which
    /// all are known.
    pub(super) fn imported(&self, at: DieRef) -> Result<Option<Place>, Error> {
        if at.file() == FileId::Main {
            return Ok(None);
        }
        let position = self.of(at.file())?.units().position_of(at).ok_or(Error::Dangling(at))?;
        Ok(Some(Place { file: at.file(), position: position as u32 }))
    }

    /// The unit at a position of a file's unit table.
    fn unit(&self, file: &Rc<FileView<'a>>, position: usize) -> Result<Rc<UnitView<'a>>, Error> {
        if let Some(unit) = self.units.borrow().get(&(file.id, position)) {
            return Ok(Rc::clone(unit));
        }
        let entry = file.units().entries().get(position);
        let entry = entry.ok_or(gimli::Error::OffsetOutOfBounds(position as u64))?;
        let header = file.header(entry)?;
        let abbreviations = match entry.abbreviations.get() {
            Some(abbreviations) => Arc::clone(abbreviations),
            None => {
                let parsed = file.dwarf.abbreviations(&header)?;
                Arc::clone(entry.abbreviations.get_or_init(|| parsed))
            }
        };
        let unit = Rc::new(UnitView::new(Rc::clone(file), entry, header, abbreviations)?);
        self.units.borrow_mut().insert((file.id, position), Rc::clone(&unit));
        Ok(unit)
    }

    /// The sections of the main file.
    pub fn dwarf(&self) -> &gimli::Dwarf<Slice<'a>> {
        &self.main.dwarf
    }

    /// The unit of a DIE, and the DIE's place in it.
    pub fn entries_of(&self, at: DieRef) -> Result<(Entries<'a>, UnitOffset), Error> {
        if at.section() != DieSection::Info {
            return Err(Error::Elsewhere(at.file()));
        }
        let file = self.of(at.file())?;
        let units = file.units();
        let unit = units.position_of(at).and_then(|position| units.entries().get(position));
        let start = unit.ok_or(Error::Dangling(at))?.start;
        let (entries, _) = read_entries(&file, start)?;
        let offset = usize::try_from(at.offset() - start).unwrap_or(usize::MAX);
        Ok((entries, UnitOffset(offset)))
    }

    /// A unit of the main file whose entries are read by their place, and what its root says, by the
    /// offset of its header in .debug_info.
    pub fn entries(&self, start: u64) -> Result<(Entries<'a>, Root<'a>), Error> {
        read_entries(&self.main, start)
    }

    /// The entries of a unit of the main file, of a split one those in its own file.
    pub fn whole(&self, start: u64) -> Result<WholeUnit<'a>, Error> {
        let (skeleton, root) = self.entries(start)?;
        if root.split.is_none() {
            return Ok(WholeUnit { entries: skeleton, root, missing: None });
        }
        match self.rest_of(self.position_of_unit(start)?, &skeleton, &root) {
            Ok(entries) => Ok(WholeUnit { entries, root, missing: None }),
            Err(error) => Ok(WholeUnit { entries: skeleton, root, missing: Some(error) }),
        }
    }

    /// The sections with the rest of the split unit whose skeleton is at `start`.
    pub fn split_sections(&self, start: u64) -> Result<gimli::Dwarf<Slice<'a>>, Error> {
        let (_, root) = self.entries(start)?;
        Ok(self.split(self.position_of_unit(start)?, &root)?.dwarf)
    }

    fn position_of_unit(&self, start: u64) -> Result<u32, Error> {
        let at = DieRef::new(FileId::Main, DieSection::Info, start);
        let position = self.main.units().position_of(at).ok_or(Error::Dangling(at))?;
        Ok(u32::try_from(position).unwrap_or(u32::MAX))
    }

    fn rest_of(
        &self,
        position: u32,
        skeleton: &Entries<'a>,
        root: &Root<'a>,
    ) -> Result<Entries<'a>, Error> {
        let file = self.of(FileId::Split(position))?;
        let id = root.split.map(|split| split.id);
        for unit in file.units().entries().iter().filter(|unit| unit.section == DieSection::Info) {
            let (mut entries, own) = read_entries(&file, unit.start)?;
            if own.dwo_id == id {
                entries.take_bases(skeleton);
                return Ok(entries);
            }
        }
        Err(Error::Elsewhere(file.id))
    }

    /// Where a unit's line program is: of a split one with its skeleton (DWARF 5 §3.1.3).
    fn line_program_of(
        &self,
        unit: &UnitView<'a>,
    ) -> Option<(Rc<FileView<'a>>, gimli::DebugLineOffset)> {
        match (unit.line_offset, unit.file.id) {
            (Some(offset), _) => Some((Rc::clone(&unit.file), offset)),
            (None, FileId::Split(skeleton)) => {
                let skeleton = self.main.units().entries().get(skeleton as usize)?;
                let (_, root) = self.entries(skeleton.start).ok()?;
                Some((Rc::clone(&self.main), root.line_program?))
            }
            (None, _) => None,
        }
    }

    /// The file names of a unit's line table (DWARF 5 §6.2.4), by DW_AT_decl_file's number.
    pub fn file_name(&self, unit: &UnitView<'a>, number: u64) -> Option<String> {
        let address_size = unit.unit.header.address_size();
        let (file, offset) = self.line_program_of(unit)?;
        let dwarf = &file.dwarf;
        let program = dwarf.debug_line.program(offset, address_size, None, None).ok()?;
        let header = program.header();
        let file = header.file(number)?;
        let text = |value| {
            let bytes = dwarf.attr_string(&unit.unit, value).ok()?;
            Some(bytes.to_string_lossy().into_owned())
        };
        let name = text(file.path_name())?;
        // Directory 0 is the compilation folder: leaving it out keeps the name as people know it.
        let named = file.directory_index() != 0;
        let directory = named.then(|| file.directory(header)).flatten().and_then(text);
        Some(match directory {
            Some(directory) if !name.starts_with('/') => format!("{directory}/{name}"),
            _ => name,
        })
    }
}

/// A unit with all its entries.
#[derive(Debug)]
pub struct WholeUnit<'a> {
    /// The entries.
    pub entries: Entries<'a>,
    /// What the root in the main file says.
    pub root: Root<'a>,
    /// Why the rest of a split unit is missing: the entries are then the skeleton's.
    pub missing: Option<Error>,
}

fn read_entries<'a>(file: &Rc<FileView<'a>>, start: u64) -> Result<(Entries<'a>, Root<'a>), Error> {
    let offset = usize::try_from(start).unwrap_or(usize::MAX);
    let header = file.dwarf.unit_header(DebugInfoOffset(offset))?;
    let abbreviations = file.abbreviations(&header)?;
    let mut entries = Entries::new(file, header, abbreviations)?;
    let root = entries.read_root()?;
    Ok((entries, root))
}
