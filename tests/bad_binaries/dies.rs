//! Debug info that no compiler writes, built as trees of DIEs.

use gimli::write::{AttributeValue, DwarfUnit, EndianVec, Sections, UnitEntryId};
use gimli::{Encoding, Format, RunTimeEndian, SectionId, constants as dw};
use object::write::Object;

/// A file of one unit, as it grows.
pub(crate) struct Dies {
    dwarf: DwarfUnit,
    endian: RunTimeEndian,
}

impl Dies {
    /// Of a C unit of DWARF 4.
    pub(crate) fn new() -> Dies {
        Dies::of(4, RunTimeEndian::Little, dw::DW_LANG_C11)
    }

    pub(crate) fn of(version: u16, endian: RunTimeEndian, language: gimli::DwLang) -> Dies {
        let encoding = Encoding { format: Format::Dwarf32, version, address_size: 8 };
        let mut dies = Dies { dwarf: DwarfUnit::new(encoding), endian };
        let root = dies.root();
        dies.set(root, dw::DW_AT_language, AttributeValue::Language(language));
        dies
    }

    pub(crate) fn root(&self) -> UnitEntryId {
        self.dwarf.unit.root()
    }

    /// Adds a DIE below another.
    pub(crate) fn add(&mut self, parent: UnitEntryId, tag: gimli::DwTag) -> UnitEntryId {
        self.dwarf.unit.add(parent, tag)
    }

    /// Adds a named DIE below the root.
    pub(crate) fn named(&mut self, tag: gimli::DwTag, name: &str) -> UnitEntryId {
        let die = self.add(self.root(), tag);
        self.set(die, dw::DW_AT_name, AttributeValue::String(name.into()));
        die
    }

    /// Adds a struct or union of so many bytes.
    pub(crate) fn aggregate(&mut self, tag: gimli::DwTag, name: &str, size: u64) -> UnitEntryId {
        let die = self.named(tag, name);
        self.set(die, dw::DW_AT_byte_size, AttributeValue::Udata(size));
        die
    }

    /// Adds a member at an offset.
    pub(crate) fn member(
        &mut self,
        parent: UnitEntryId,
        name: &str,
        of: UnitEntryId,
        offset: u64,
    ) -> UnitEntryId {
        let member = self.add(parent, dw::DW_TAG_member);
        if !name.is_empty() {
            self.set(member, dw::DW_AT_name, AttributeValue::String(name.into()));
        }
        self.type_of(member, of);
        self.set(member, dw::DW_AT_data_member_location, AttributeValue::Udata(offset));
        member
    }

    pub(crate) fn int(&mut self) -> UnitEntryId {
        let int = self.named(dw::DW_TAG_base_type, "int");
        self.set(int, dw::DW_AT_byte_size, AttributeValue::Udata(4));
        int
    }

    pub(crate) fn type_of(&mut self, die: UnitEntryId, of: UnitEntryId) {
        self.set(die, dw::DW_AT_type, AttributeValue::UnitRef(of));
    }

    pub(crate) fn set(&mut self, die: UnitEntryId, name: gimli::DwAt, value: AttributeValue) {
        self.dwarf.unit.get_mut(die).set(name, value);
    }

    /// The sections of the file.
    pub(crate) fn sections(mut self) -> Vec<(SectionId, Vec<u8>)> {
        let mut sections = Sections::new(EndianVec::new(self.endian));
        self.dwarf.write(&mut sections).unwrap();
        let mut all = Vec::new();
        let _ = sections.for_each(|id, data| -> Result<(), ()> {
            if !data.slice().is_empty() {
                all.push((id, data.slice().to_vec()));
            }
            Ok(())
        });
        all
    }

    /// The file.
    pub(crate) fn elf(self) -> Vec<u8> {
        let endian = self.endian;
        elf_of(endian, &self.sections())
    }
}

/// A relocatable ELF file with nothing but these sections.
pub(crate) fn elf(sections: &[(SectionId, Vec<u8>)]) -> Vec<u8> {
    elf_of(RunTimeEndian::Little, sections)
}

pub(crate) fn elf_of(endian: RunTimeEndian, sections: &[(SectionId, Vec<u8>)]) -> Vec<u8> {
    let (architecture, endian) = match endian {
        RunTimeEndian::Little => (object::Architecture::X86_64, object::Endianness::Little),
        RunTimeEndian::Big => (object::Architecture::PowerPc64, object::Endianness::Big),
    };
    let mut file = Object::new(object::BinaryFormat::Elf, architecture, endian);
    for (id, bytes) in sections {
        let section = file.add_section(Vec::new(), id.name().into(), object::SectionKind::Debug);
        file.append_section_data(section, bytes, 1);
    }
    file.write().unwrap()
}
