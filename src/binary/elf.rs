//! What an ELF file says it is: machine, byte order, build-id, the libraries it needs.
//!
//! Sources: System V ABI, "ELF Header"; the GNU build-id note.

use std::fmt;
use std::path::Path;

use object::{Architecture, Object, ObjectKind, ObjectSection, SectionKind, elf};

use super::dynamic::Dynamic;
use super::{Error, Segment, segments};
use crate::address::FileAddress;

/// The GNU build-id: a hash of what the linker wrote, kept by tools that strip or split.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BuildId(Box<[u8]>);

impl BuildId {
    /// A build-id of at least two bytes (the first names a folder), at most 64.
    pub fn new(bytes: &[u8]) -> Option<BuildId> {
        (2..=64).contains(&bytes.len()).then(|| BuildId(bytes.into()))
    }
}

impl fmt::Display for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BuildId({self})")
    }
}

/// How a file is loaded (ELF header, e_type).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// At the addresses it was linked for: a program that is not position-independent, a kernel.
    Fixed,
    /// Anywhere: a shared library, a position-independent program.
    Anywhere,
    /// Not at all before it is linked: an object file, a kernel module.
    Relocatable,
}

/// What an ELF file says it is.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The machine, for instance `x86-64`.
    pub machine: String,
    /// The same for programs.
    pub architecture: Architecture,
    /// How it is loaded.
    pub kind: Kind,
    /// Whether it holds machine code: a separate debug file has only its place.
    pub has_code: bool,
    /// Whether it is a program rather than a library.
    pub is_program: bool,
    /// DT_SONAME: the name that others know a library by.
    pub soname: Option<String>,
    /// Where execution starts.
    pub entry: FileAddress,
    /// The byte order.
    pub endian: gimli::RunTimeEndian,
    /// The build-id.
    pub build_id: Option<BuildId>,
    /// DT_NEEDED, in order.
    pub needed: Vec<String>,
    /// What is loaded; nothing in a relocatable file.
    pub segments: Vec<Segment>,
    /// DT_RUNPATH, or DT_RPATH where there is none, as written.
    pub runpath: Vec<String>,
}

/// Reads what a file is. Damage in the dynamic section loses the libraries, not the answer.
pub(super) fn identify(file: &object::File<'_>) -> Identity {
    let dynamic = match file {
        object::File::Elf32(file) => Dynamic::read(file),
        object::File::Elf64(file) => Dynamic::read(file),
        _ => Dynamic::default(),
    };
    let kind = match file.kind() {
        ObjectKind::Relocatable => Kind::Relocatable,
        ObjectKind::Executable => Kind::Fixed,
        _ => Kind::Anywhere,
    };
    let endian = match file.endianness() {
        object::Endianness::Little => gimli::RunTimeEndian::Little,
        object::Endianness::Big => gimli::RunTimeEndian::Big,
    };
    Identity {
        machine: machine_name(file.architecture()),
        architecture: file.architecture(),
        kind,
        has_code: has_code(file),
        entry: FileAddress(file.entry()),
        // A library may have an entry too, as libc.so.6 does.
        is_program: kind == Kind::Fixed
            || dynamic.is_pie
            || (file.entry() != 0 && dynamic.soname.is_none()),
        soname: dynamic.soname,
        endian,
        build_id: file.build_id().ok().flatten().and_then(BuildId::new),
        needed: dynamic.needed,
        segments: segments::of(file),
        runpath: dynamic.runpath,
    }
}

fn has_code(file: &object::File<'_>) -> bool {
    let is_code = |section: object::Section<'_, '_>| {
        section.kind() == SectionKind::Text
            && section.file_range().is_some_and(|(_, size)| size > 0)
    };
    // A program can do without section headers.
    file.sections().next().is_none() || file.sections().any(is_code)
}

/// Parses the headers.
pub(super) fn parse<'data>(path: &Path, data: &'data [u8]) -> Result<object::File<'data>, Error> {
    if !data.starts_with(&elf::ELFMAG) {
        return Err(Error::NotElf { path: path.to_owned(), looks_like: looks_like(data) });
    }
    let file = object::File::parse(data)
        .map_err(|error| Error::Malformed { path: path.to_owned(), why: error.to_string() })?;
    match file.kind() {
        ObjectKind::Core => Err(Error::NotElf {
            path: path.to_owned(),
            looks_like: Some("a core dump: name the program it came from"),
        }),
        _ => Ok(file),
    }
}

/// Names what people pass by mistake.
fn looks_like(data: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &str); 8] = [
        (b"MZ", "a Windows program"),
        (b"\xcf\xfa\xed\xfe", "a macOS program"),
        (b"!<arch>", "a static library: extract its objects with `ar x`"),
        (b"\x1f\x8b", "gzip: decompress it first"),
        (b"\x28\xb5\x2f\xfd", "zstd: decompress it first"),
        (b"\xfd7zXZ", "xz: decompress it first"),
        (b"#!", "a script: name the program that it starts"),
        (b"INPUT", "a linker script: name the library that it points to"),
    ];
    known.into_iter().find(|(magic, _)| data.starts_with(magic)).map(|(_, what)| what)
}

fn machine_name(architecture: Architecture) -> String {
    match architecture {
        Architecture::X86_64 => "x86-64".to_owned(),
        Architecture::I386 => "i386".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}
