//! Split DWARF: skeletons in the binary, the rest in .dwo files or in a .dwp package.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use dbgmate::binary::{Binary, DebugInfo, SplitFile, SplitUnit, Tried};
use gimli::{AttributeValue, DwoId, EndianSlice, RunTimeEndian, UnitType, constants as dw};

use super::made::{Made, OTHER, SOURCE, has, open, run, used, why};

type Slice<'a> = EndianSlice<'a, RunTimeEndian>;

/// What a skeleton says.
#[derive(Debug)]
struct Skeleton {
    name: PathBuf,
    comp_dir: Option<PathBuf>,
    dwo_id: DwoId,
}

impl Skeleton {
    fn wanted(&self) -> SplitUnit<'_> {
        SplitUnit { name: &self.name, comp_dir: self.comp_dir.as_deref(), dwo_id: self.dwo_id }
    }
}

fn own(debug_info: &DebugInfo) -> gimli::Dwarf<Slice<'_>> {
    let section = |id| EndianSlice::new(debug_info.sections().bytes(id), RunTimeEndian::Little);
    gimli::Dwarf::load(|id| Ok::<_, gimli::Error>(section(id))).unwrap()
}

/// The only skeleton of a binary.
fn skeleton(binary: &Binary) -> Skeleton {
    let dwarf = own(binary.debug_info().unwrap());
    let header = dwarf.units().next().unwrap().unwrap();
    let unit = dwarf.unit(header).unwrap();
    let root = header.entry(&unit.abbreviations, header.root_offset()).unwrap();
    let text = |name| {
        let value = root.attr_value(name)?;
        Some(PathBuf::from(OsStr::from_bytes(dwarf.attr_string(&unit, value).unwrap().slice())))
    };
    let name = text(dw::DW_AT_dwo_name).or_else(|| text(dw::DW_AT_GNU_dwo_name)).unwrap();
    let dwo_id = match (header.type_(), root.attr_value(dw::DW_AT_GNU_dwo_id)) {
        (UnitType::Skeleton(id), _) | (_, Some(AttributeValue::DwoId(id))) => id,
        other => panic!("no skeleton: {other:?}"),
    };
    Skeleton { name, comp_dir: text(dw::DW_AT_comp_dir), dwo_id }
}

pub(super) fn find(binary: &Binary) -> Result<Arc<SplitFile>, Vec<Tried>> {
    binary.debug_info().unwrap().split(&skeleton(binary).wanted())
}

/// Checks that the file has the unit, by the types that can be read of it.
fn has_struct(binary: &Binary, file: &SplitFile) {
    let parent = own(binary.debug_info().unwrap());
    let id = skeleton(binary).dwo_id;
    let dwarf = file.dwarf(id, &parent).unwrap().unwrap();
    let mut names = Vec::new();
    let mut headers = dwarf.units();
    while let Some(header) = headers.next().unwrap() {
        let unit = dwarf.unit(header).unwrap();
        let mut entries = unit.entries();
        while let Some(entry) = entries.next_dfs().unwrap() {
            if entry.tag() == dw::DW_TAG_structure_type
                && let Some(name) = entry.attr_value(dw::DW_AT_name)
            {
                names.push(dwarf.attr_string(&unit, name).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    assert_eq!(names, ["s"], "{}", file.path().display());
}

/// A library with split DWARF, and its only .dwo: compiled in a build folder under a relative name,
/// as build systems do.
fn library(made: &Made, version: &str, more: &[&str]) -> (PathBuf, PathBuf) {
    library_of(SOURCE, made, version, more)
}

fn library_of(source: &str, made: &Made, version: &str, more: &[&str]) -> (PathBuf, PathBuf) {
    let folder = made.write("lib/a.c", source).parent().unwrap().to_owned();
    run(Command::new("gcc")
        .current_dir(&folder)
        .args(["-g", "-shared", "-fPIC", "-nostdlib", "-Wl,--build-id", "-gsplit-dwarf"])
        .args([version, "a.c", "-o", "a.so"])
        .args(more));
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut dwos = files.filter(|path| path.extension().is_some_and(|suffix| suffix == "dwo"));
    let dwo = dwos.next().unwrap();
    assert!(dwos.next().is_none());
    (folder.join("a.so"), dwo)
}

/// The file at another place.
fn moved(file: &Path, to: PathBuf) -> PathBuf {
    fs::rename(file, &to).unwrap();
    to
}

/// Gathers the .dwo files of a library.
pub(super) fn pack(tool: &str, library: &Path, package: &Path) {
    // Relative names start where the tool does, whatever DW_AT_comp_dir says.
    let folder = library.parent().unwrap();
    run(Command::new(tool).current_dir(folder).arg("-e").arg(library).arg("-o").arg(package));
}

const VERSIONS: [&str; 2] = ["-gdwarf-4", "-gdwarf-5"];

#[test]
fn it_is_found_where_the_compiler_wrote_it() {
    for version in VERSIONS {
        let made = Made::new();
        let (library, dwo) = library(&made, version, &[]);
        let binary = open(&library, &[]);
        let found = find(&binary).unwrap();
        assert_eq!(found.path().canonicalize().unwrap(), dwo.canonicalize().unwrap());
        has_struct(&binary, &found);
        assert!(Arc::ptr_eq(&found, &find(&binary).unwrap()));
        assert!(binary.is_current());
        fs::remove_file(dwo).unwrap();
        assert!(!binary.is_current());
    }
}

#[test]
fn type_units_are_passed_over_on_the_way_to_the_unit() {
    for version in VERSIONS {
        let made = Made::new();
        let (library, _) = library(&made, version, &["-fdebug-types-section"]);
        let found = find(&open(&library, &[]));
        assert!(found.is_ok(), "{found:?}");
    }
}

#[test]
fn it_is_found_beside_the_binary_and_beside_its_debug_file() {
    for version in VERSIONS {
        let made = Made::new();
        let (library, dwo) = library(&made, version, &[]);
        let library = moved(&library, made.place("installed/a.so"));
        let name = dwo.file_name().unwrap();
        let away = moved(&dwo, made.path("away"));
        let before = open(&library, &[]);
        let tried = find(&before).unwrap_err();
        for place in [dwo.clone(), made.path("installed").join(name)] {
            assert_eq!(why(&tried, &place), "it does not exist");
        }
        assert!(before.is_current());
        let beside = moved(&away, made.path("installed").join(name));
        assert!(!before.is_current());
        let binary = open(&library, &[]);
        let found = find(&binary).unwrap();
        assert_eq!(found.path(), beside);
        has_struct(&binary, &found);

        let debug = made.split(&library, "installed/.debug/a.debug");
        let beside = moved(&beside, made.path("installed/.debug").join(name));
        let binary = open(&library, &[]);
        assert_eq!(used(&binary), debug);
        let found = find(&binary).unwrap();
        assert_eq!(found.path(), beside);
        has_struct(&binary, &found);
    }
}

#[test]
fn a_package_beside_the_binary_has_all_of_them() {
    // The dwp of binutils 2.40 crashes on DWARF 5; LLVM's does not.
    for (version, tool) in
        [("-gdwarf-4", "dwp"), ("-gdwarf-4", "llvm-dwp"), ("-gdwarf-5", "llvm-dwp")]
    {
        if !has(tool) {
            continue;
        }
        let made = Made::new();
        let (library, dwo) = library(&made, version, &[]);
        let package = made.path("lib/a.so.dwp");
        pack(tool, &library, &package);
        fs::remove_file(dwo).unwrap();
        let binary = open(&library, &[]);
        let found = find(&binary).unwrap();
        assert_eq!(found.path(), package, "{version} {tool}");
        has_struct(&binary, &found);
        let other = DwoId(skeleton(&binary).dwo_id.0 ^ 1);
        let parent = own(binary.debug_info().unwrap());
        assert!(found.dwarf(other, &parent).unwrap().is_none());
        let wanted = skeleton(&binary);
        let tried =
            binary.debug_info().unwrap().split(&SplitUnit { dwo_id: other, ..wanted.wanted() });
        let expected = format!("it has no unit with the dwo_id {:016x}", other.0);
        assert_eq!(why(&tried.unwrap_err(), &package), expected);
        // A link to the library, as `liba.so` is one to `liba.so.1.2`.
        let named = made.place("named/b.so");
        std::os::unix::fs::symlink(&library, &named).unwrap();
        assert!(find(&open(&named, &[])).is_err());
        fs::rename(&package, made.path("named/b.so.dwp")).unwrap();
        assert!(find(&open(&named, &[])).is_ok());
        assert!(!binary.is_current());
    }
}

#[test]
fn a_package_has_the_type_units_as_well() {
    if !has("dwp") {
        return;
    }
    let made = Made::new();
    let (library, dwo) = library(&made, "-gdwarf-4", &["-fdebug-types-section"]);
    pack("dwp", &library, &made.path("lib/a.so.dwp"));
    let binary = open(&library, &[]);
    let found = find(&binary).unwrap();
    let package = found.package().unwrap().unwrap();
    // `struct s` and nothing else has one.
    assert_eq!(package.tu_index.unit_count(), 1);
    fs::remove_file(made.path("lib/a.so.dwp")).unwrap();
    let plain = find(&open(&library, &[])).unwrap();
    assert_eq!(plain.path(), dwo);
    assert!(plain.package().unwrap().is_none());
}

#[test]
fn a_package_is_also_found_beside_the_debug_file() {
    if !has("dwp") {
        return;
    }
    let made = Made::new();
    let (library, dwo) = library(&made, "-gdwarf-4", &[]);
    pack("dwp", &library, &made.place("lib/.debug/a.so.dwp"));
    fs::remove_file(dwo).unwrap();
    made.split(&library, "lib/.debug/a.debug");
    assert_eq!(find(&open(&library, &[])).unwrap().path(), made.path("lib/.debug/a.so.dwp"));
}

#[test]
fn the_dwo_of_another_build_does_not_count() {
    for version in VERSIONS {
        let made = Made::new();
        let (library, dwo) = library(&made, version, &[]);
        let other = Made::new();
        let (_, other_dwo) = library_of(OTHER, &other, version, &[]);
        fs::copy(other_dwo, &dwo).unwrap();
        let binary = open(&library, &[]);
        let id = skeleton(&binary).dwo_id.0;
        let expected = format!("it has no unit with the dwo_id {id:016x}");
        assert_eq!(why(&find(&binary).unwrap_err(), &dwo), expected);
    }
}

#[test]
fn hostile_names_lead_nowhere() {
    let made = Made::new();
    let fifo = made.path("fifo");
    run(Command::new("mkfifo").arg(&fifo));
    let (library, _) = library(&made, "-gdwarf-5", &[]);
    let binary = open(&library, &[]);
    for (name, why_not) in [
        ("/etc/shadow", "it is not an ELF file"),
        ("/dev/zero", "it is a device"),
        (fifo.to_str().unwrap(), "it is a FIFO"),
        ("/", "it is a folder"),
        ("../../../../../../../../../../../etc/passwd", "it is not an ELF file"),
        (library.to_str().unwrap(), "it has no unit with the dwo_id 000000000000002a"),
    ] {
        let comp_dir = made.path("lib");
        let wanted =
            SplitUnit { name: Path::new(name), comp_dir: Some(&comp_dir), dwo_id: DwoId(42) };
        let tried = binary.debug_info().unwrap().split(&wanted).unwrap_err();
        let place = comp_dir.join(name);
        let why = why(&tried, &place);
        assert!(why == why_not || why.contains("Permission denied"), "{name}: {tried:?}");
    }
}

#[test]
fn a_damaged_dwo_is_passed_over() {
    for version in VERSIONS {
        let made = Made::new();
        let (library, dwo) = library(&made, version, &[]);
        let bytes = fs::read(&dwo).unwrap();
        let binary = open(&library, &[]);
        // Whatever byte is wrong, the file counts or it does not.
        for at in (0..bytes.len()).step_by(11) {
            let mut damaged = bytes.clone();
            damaged[at] = 0xff;
            fs::write(&dwo, damaged).unwrap();
            let binary = open(&library, &[]);
            if let Ok(file) = find(&binary) {
                let parent = own(binary.debug_info().unwrap());
                let _ = file.dwarf(skeleton(&binary).dwo_id, &parent);
            }
        }
        fs::write(&dwo, b"").unwrap();
        assert!(find(&binary).unwrap_err().iter().any(|tried| tried.why == "it is empty"));
    }
}
