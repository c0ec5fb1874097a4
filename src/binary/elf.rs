//! What an ELF file says it is: machine, byte order, build-id, the libraries it needs.
//!
//! Sources: System V ABI, "ELF Header" and "Dynamic Section"; the GNU build-id note.

use std::fmt;
use std::path::Path;

use object::read::elf::{DynamicTable, ElfFile, FileHeader};
use object::{Architecture, Object, ObjectKind, elf};

use super::{Error, Mapping, Segment, segments};

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

/// What an ELF file says it is.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The machine, for instance `x86-64`.
    pub machine: String,
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
pub(crate) fn identify(path: &Path, mapping: &Mapping) -> Result<Identity, Error> {
    let file = parse(path, mapping)?;
    let (needed, runpath) = match &file {
        object::File::Elf32(file) => libraries(file),
        object::File::Elf64(file) => libraries(file),
        _ => Default::default(),
    };
    let endian = match file.endianness() {
        object::Endianness::Little => gimli::RunTimeEndian::Little,
        object::Endianness::Big => gimli::RunTimeEndian::Big,
    };
    Ok(Identity {
        machine: machine_name(file.architecture()),
        endian,
        build_id: file.build_id().ok().flatten().and_then(BuildId::new),
        needed,
        segments: segments::of(&file),
        runpath,
    })
}

/// Parses the headers.
pub(crate) fn parse<'data>(path: &Path, data: &'data [u8]) -> Result<object::File<'data>, Error> {
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

/// DT_NEEDED and the run path. Entries that are not text are left out.
fn libraries<'data, Elf>(file: &ElfFile<'data, Elf>) -> (Vec<String>, Vec<String>)
where
    Elf: FileHeader,
{
    let Ok(table): Result<DynamicTable<'data, Elf>, _> = file.elf_dynamic_table() else {
        return Default::default();
    };
    let strings = |wanted| -> Vec<String> {
        let entries = table.iter().filter(|entry| entry.tag == wanted);
        let texts = entries.filter_map(|entry| table.string(entry).ok());
        texts.filter_map(|text| String::from_utf8(text.to_vec()).ok()).collect()
    };
    let mut runpath = strings(elf::DT_RUNPATH);
    if runpath.is_empty() {
        runpath = strings(elf::DT_RPATH);
    }
    let runpath = runpath.iter().flat_map(|paths| paths.split(':')).map(str::to_owned).collect();
    (strings(elf::DT_NEEDED), runpath)
}
