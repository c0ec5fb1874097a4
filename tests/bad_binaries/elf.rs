//! ELF files whose headers, sections or sizes are not what they say.

use std::fs;
use std::process::Command;

use object::{CompressionFormat, Object, ObjectSection};

use super::ask::{Ask, Files, SHARED, SOURCE};

/// The bytes of a sound library.
fn library(files: &Files) -> Vec<u8> {
    fs::read(files.compile("lib.so", SOURCE, SHARED)).unwrap()
}

/// The bytes of a library that is large enough for the linker to compress it.
fn compressed(files: &Files) -> Vec<u8> {
    let mut source = SOURCE.to_owned();
    for number in 0..100 {
        source.push_str(&format!("struct s{number} {{ int a, b, c; }} x{number};"));
    }
    let flags = [SHARED, &["-gz=zlib"]].concat();
    fs::read(files.compile("lib.so", &source, &flags)).unwrap()
}

/// Where sections start and end in the file, with a byte to either side.
fn boundaries(bytes: &[u8]) -> Vec<usize> {
    let file = object::File::parse(bytes).unwrap();
    let ranges = file.sections().filter_map(|section| section.file_range());
    let edges = ranges.flat_map(|(start, size)| [start, start + size]);
    let around = edges.flat_map(|edge| [edge.saturating_sub(1), edge, edge + 1]);
    let mut all: Vec<usize> = around.map(|edge| edge as usize).collect();
    all.extend([16, 40, 63, 64, 65, bytes.len() - 1]);
    all.retain(|edge| *edge < bytes.len());
    all.sort_unstable();
    all.dedup();
    all
}

#[test]
fn a_library_cut_anywhere_is_refused() {
    let files = Files::new();
    let bytes = library(&files);
    let cuts = boundaries(&bytes);
    assert!(cuts.len() > 30, "{cuts:?}");
    // The section headers are at the end: whatever is cut off, they are.
    for cut in cuts {
        Ask::of(&files.write("cut.so", &bytes[..cut])).refuses(&["cut.so"]);
    }
}

#[test]
fn header_fields_that_lie_are_survived() {
    let files = Files::new();
    let bytes = library(&files);
    // ELF64 header: offset and size of each field that leads elsewhere (System V ABI, "ELF Header").
    let fields = [
        ("e_phoff", 32, 8),
        ("e_shoff", 40, 8),
        ("e_phentsize", 54, 2),
        ("e_phnum", 56, 2),
        ("e_shentsize", 58, 2),
        ("e_shnum", 60, 2),
        ("e_shstrndx", 62, 2),
    ];
    for (name, offset, size) in fields {
        for value in [0_u64, 1, 7, 0x7fff, 0xffff, u64::from(u32::MAX), u64::MAX / 2, u64::MAX] {
            let mut lying = bytes.clone();
            lying[offset..offset + size].copy_from_slice(&value.to_le_bytes()[..size]);
            let answer = Ask::of(&files.write(&format!("{name}-{value:x}"), &lying)).answer();
            answer.is_sound();
        }
    }
}

#[test]
fn section_headers_that_lie_are_survived() {
    let files = Files::new();
    let bytes = library(&files);
    let start = u64::from_le_bytes(bytes[40..48].try_into().unwrap()) as usize;
    let count = usize::from(u16::from_le_bytes(bytes[60..62].try_into().unwrap()));
    // Of each section header: sh_type, sh_offset, sh_size, sh_link, and SHF_COMPRESSED in sh_flags.
    for section in 0..count {
        let header = start + section * 64;
        for (offset, size, value) in [
            (4, 4, 8_u64),
            (24, 8, u64::MAX - 4),
            (32, 8, u64::MAX),
            (32, 8, 1 << 40),
            (40, 4, 0xffff_ffff),
            (8, 8, 0x800),
        ] {
            let mut lying = bytes.clone();
            let at = header + offset;
            lying[at..at + size].copy_from_slice(&value.to_le_bytes()[..size]);
            Ask::of(&files.write("lying.so", &lying)).answer().is_sound();
        }
    }
}

#[test]
fn a_few_bytes_that_claim_terabytes_are_not_believed() {
    let files = Files::new();
    let mut bytes = compressed(&files);
    for claimed in [1_u64 << 40, u64::MAX, 1 << 31, 3 << 30] {
        for section in compressed_sections(&bytes) {
            // Elf64_Chdr: type, reserved, then ch_size.
            bytes[section + 8..section + 16].copy_from_slice(&claimed.to_le_bytes());
        }
        let name = format!("claims-{claimed}");
        Ask::of(&files.write(&name, &bytes)).refuses(&[&name, "cannot be used"]);
    }
}

#[test]
fn a_package_that_claims_four_billion_units_is_not_believed() {
    let files = Files::new();
    let flags = [SHARED, &["-gdwarf-4", "-gsplit-dwarf", "-fdebug-types-section"]].concat();
    let library = files.compile("sound", SOURCE, &flags);
    let package = files.path("sound.dwp");
    let mut dwp = std::process::Command::new("dwp");
    match dwp.arg("-e").arg(&library).arg("-o").arg(&package).status() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
        status => assert!(status.unwrap().success()),
    }
    let mut bytes = std::fs::read(&package).unwrap();
    let file = object::File::parse(&*bytes).unwrap();
    let index = file.section_by_name(".debug_tu_index").unwrap().file_range().unwrap().0 as usize;
    // The header: version, columns, units, slots. Rows without columns, and no slots, take no bytes.
    bytes[index + 4..index + 16].fill(0);
    bytes[index + 8..index + 12].fill(0xff);
    std::fs::write(&package, &bytes).unwrap();
    for entry in std::fs::read_dir(library.parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "dwo") {
            std::fs::remove_file(path).unwrap();
        }
    }
    Ask::of(&library).answer().is_sound();
}

#[test]
fn compressed_sections_that_are_damaged_are_said_to_be() {
    let files = Files::new();
    let bytes = compressed(&files);
    for section in compressed_sections(&bytes) {
        let mut damaged = bytes.clone();
        damaged[section + 30] ^= 0xff;
        Ask::of(&files.write("damaged.so", &damaged)).answer().is_sound();
        let mut unknown = bytes.clone();
        unknown[section] = 77; // ch_type
        Ask::of(&files.write("unknown.so", &unknown)).answer().is_sound();
    }
}

/// Where compressed debug sections start in the file.
fn compressed_sections(bytes: &[u8]) -> Vec<usize> {
    let file = object::File::parse(bytes).unwrap();
    let is_compressed = |section: &object::Section<'_, '_>| {
        let range = section.compressed_file_range();
        range.is_ok_and(|range| range.format != CompressionFormat::None)
    };
    let found: Vec<usize> = file
        .sections()
        .filter(is_compressed)
        .map(|section| section.file_range().unwrap().0 as usize)
        .collect();
    assert!(found.len() >= 2, "the linker compresses .debug_info and .debug_abbrev");
    found
}

#[test]
fn debug_sections_emptied_or_exchanged_are_survived() {
    let files = Files::new();
    let library = files.compile("lib.so", SOURCE, SHARED);
    let junk = files.write("junk", &[0xa5; 4096]);
    for section in [".debug_info", ".debug_abbrev", ".debug_str", ".debug_line", ".debug_line_str"]
    {
        for content in [&junk, &files.write("empty", b""), &files.write("zeros", &[0; 4096])] {
            let changed = files.path("changed.so");
            let update = format!("{section}={}", content.display());
            let status = Command::new("objcopy")
                .args(["--update-section", &update])
                .args([&library, &changed])
                .status();
            assert!(status.unwrap().success());
            Ask::of(&changed).answer().is_sound();
        }
        let removed = files.path("removed.so");
        let status = Command::new("objcopy")
            .args(["--remove-section", section])
            .args([&library, &removed])
            .status();
        assert!(status.unwrap().success());
        Ask::of(&removed).answer().is_sound();
    }
}
