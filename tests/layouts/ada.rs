//! Ada: records with variants, ranges of other types, components placed by the bit.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use dbgmate::binary::{Binary, DebugSources};
use dbgmate::dwarf::DebugFile;
use dbgmate::job::Job;
use dbgmate::types::{self, Decoded, LayoutMatch, Member, Survey, Surveyor};

use super::toolchain::{find_in, run};

/// What the source gives the objects of each type, in the order in which the program prints their bytes.
const VALUES: [(&str, &[&str]); 15] = [
    ("plain", &["a = 120 'x'", "b = 3", "c = true", "d = 1.5"]),
    ("shape", &["k = square (1)", "id = 7", "side = 3", "tilt = -2"]),
    ("shape", &["k = circle (0)", "id = 8", "radius = 0.25"]),
    ("grade", &["n = 5", "one = 77"]),
    ("grade", &["n = 0", "zero = -1"]),
    ("grade", &["n = 25", "two = 121 'y'"]),
    ("grade", &["n = 1000", "rest = -300"]),
    ("tight", &["set = true", "count = 1000", "of_it = line (2)", "shift = -5", "ordinal = 900"]),
    ("chosen", &["n = 2", "two = 122 'z'"]),
    ("chosen", &["n = 3", "high = -7"]),
    (
        "dense",
        &[
            "set = true",
            "part.low = 700",
            "part.sign = -3",
            "list[5] = 1",
            "list[6] = 2",
            "list[7] = 3",
            "last = point (3)",
        ],
    ),
    ("twice", &["one = 1", "two = 2"]),
    ("lean", &["one = only (0)", "next = 119 'w'"]),
    (
        "holder",
        &["first = 5", "inner.k = line (2)", "inner.id = 9", "inner.side = 4", "inner.tilt = -6"],
    ),
    (
        "grid",
        &[
            "rows[-1][3] = 1",
            "rows[-1][4] = 2",
            "rows[0][3] = 3",
            "rows[0][4] = 4",
            "rows[1][3] = 5",
            "rows[1][4] = 6",
            "cols[-1][3] = 1",
            "cols[0][3] = 3",
            "cols[1][3] = 5",
            "cols[-1][4] = 2",
            "cols[0][4] = 4",
            "cols[1][4] = 6",
            "parts[7].low = 1",
            "parts[7].sign = 2",
            "parts[8].low = 3",
            "parts[8].sign = 4",
            "kinds[1] = 8",
            "kinds[2] = 9",
        ],
    ),
];

/// With which discriminants components are there, as the source says.
const WHEN: [(&str, &str, &str); 10] = [
    ("shape", "radius", "0"),
    ("shape", "side", "1, 2"),
    ("shape", "tilt", "1, 2"),
    ("grade", "zero", "0"),
    ("grade", "one", "1..=9"),
    ("grade", "two", "10, 20..=29"),
    ("grade", "rest", "otherwise"),
    ("chosen", "low", "0..=1"),
    ("chosen", "two", "2"),
    ("chosen", "high", "otherwise"),
];

fn records(program: &Path, name: &str) -> Vec<LayoutMatch> {
    find_in(program, &format!("records__{name}"), None, None).unwrap()
}

/// The first bit of a component of a layout, and how many it has.
fn place(found: &LayoutMatch, component: &str) -> (u64, u64) {
    let mut members = found.layout.members.iter();
    place_of(members.find(|member| member.name() == component).unwrap())
}

fn place_of(member: Member<'_>) -> (u64, u64) {
    match member.bits() {
        Some(bits) => (bits.offset, bits.size),
        None => (member.offset().unwrap() * 8, member.size().known().unwrap() * 8),
    }
}

/// What all that is in a value says, by path.
fn values(decoded: &Decoded) -> Vec<String> {
    let mut all = Vec::new();
    for value in &decoded.values {
        let name = &value.name;
        all.extend(value.text.iter().map(|text| format!("{name} = {text}")));
        let dot = |inner: &str| if inner.starts_with('[') { "" } else { "." };
        let inside = values(value).into_iter();
        all.extend(inside.map(|inner| format!("{name}{}{inner}", dot(&inner))));
    }
    all
}

/// Whether an element has this place, and at each bit of the place it is told.
fn is_element(file: &DebugFile, program: &Path, record: &str, path: &str, place: (u64, u64)) {
    for found in find_in(program, &format!("records__{record}"), Some(path), None).unwrap() {
        assert_eq!(place_of(found.selected.unwrap().member.view()), place, "{path}");
        for bit in [place.0, place.0 + place.1 - 1] {
            let there =
                types::locate(&Job::new(), file, found.layout.die, bit..bit + 1, 1).unwrap();
            // A row is told by its elements; what no component of an element has, by the element.
            let is_it = there.iter().all(|place| place.path.starts_with(path));
            assert!(is_it && !there.is_empty(), "{path}: {there:?}");
        }
    }
}

fn check(flags: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("records");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/records.adb");
    let mut gnat = Command::new("gnatmake");
    gnat.arg("-q").arg(source).arg("-o").arg(&program).arg("-cargs").args(flags);
    if run(gnat.current_dir(&folder)).is_none() {
        return;
    }
    let printed = Command::new(&program).output().unwrap();
    assert!(printed.status.success());
    let printed = String::from_utf8(printed.stdout).unwrap();
    let file = Binary::open(&Job::new(), &program, &DebugSources::default()).unwrap();
    let file = DebugFile::new(Arc::new(file));
    let (mut places, mut objects) = (0, 0);
    for line in printed.lines() {
        let (name, numbers) = line.split_once(' ').unwrap();
        let mut numbers = numbers.split_whitespace().map(|number| number.parse::<u64>().unwrap());
        if let Some((record, component)) = name.split_once('.') {
            let expected = (numbers.next().unwrap(), numbers.next().unwrap());
            if component.contains('[') {
                is_element(&file, &program, record, component, expected);
                places += 1;
                continue;
            }
            for found in records(&program, record) {
                assert_eq!(place(&found, component), expected, "{flags:?}: {name}");
            }
            places += 1;
            continue;
        }
        let bytes: Vec<u8> = numbers.map(|byte| byte as u8).collect();
        let (record, expected) = VALUES[objects];
        assert_eq!(name, record);
        let found = records(&program, name);
        let said = found.iter().map(|found| {
            values(&types::decode(&Job::new(), &file, found.layout.die, &bytes, 1).unwrap())
        });
        // Beside a record whose components have places of their own, GNAT describes an aligned one that does
        // not say which component is the discriminant: nothing tells its variants apart.
        let (told, untold): (Vec<_>, Vec<_>) = said.partition(|said| said == expected);
        let is_whole = !told.is_empty() && (untold.is_empty() || name == "chosen");
        assert!(is_whole, "{flags:?}: {name}: {told:?} {untold:?}");
        objects += 1;
    }
    assert_eq!((places, objects), (32, VALUES.len()), "{printed}");
    for (record, component, expected) in WHEN {
        let found = records(&program, record);
        let when = found.iter().map(|found| {
            let mut members = found.layout.members.iter();
            let member = members.find(|member| member.name() == component).unwrap();
            let when: Vec<String> = member.variants().iter().map(ToString::to_string).collect();
            when.join(" and ")
        });
        let when: Vec<String> = when.collect();
        assert!(when.iter().any(|when| when == expected), "{flags:?}: {component}: {when:?}");
    }
    // Small and packed records are aligned as GNAT thinks best.
    let survey = Survey::of(&Job::new(), &file, 1).unwrap();
    let job = Job::new();
    let surveyor = Surveyor::new(&job, &file, &survey).unwrap();
    for found in ["twice", "dense", "lean"].into_iter().flat_map(|name| records(&program, name)) {
        let told = surveyor.alignment(found.layout.die).unwrap();
        assert_eq!(told, found.layout.align, "only what is stated: {flags:?}");
    }
    // Its type has 16 bits, of which this part takes 14.
    for found in find_in(&program, "records__dense", Some("part"), None).unwrap() {
        assert_eq!(found.selected.unwrap().member.view().holes().count(), 0, "{flags:?}");
    }
    // What is in a part that starts within a byte, by its path and by its place.
    for (path, first, count) in [("part.low", 1, 10), ("part.sign", 11, 4), ("list[6]", 17, 2)] {
        for found in find_in(&program, "records__dense", Some(path), None).unwrap() {
            let bits = found.selected.unwrap().member.view().bits().unwrap();
            assert_eq!((bits.offset, bits.size), (first, count), "{flags:?}: {path}");
            let wanted = first..first + 1;
            let there = types::locate(&Job::new(), &file, found.layout.die, wanted, 1).unwrap();
            let there: Vec<_> = there.into_iter().map(|place| (place.path, place.bits)).collect();
            assert_eq!(there, [(path.to_owned(), bits)], "{flags:?}");
        }
    }
    // A range without a name is spelled as what it is a range of.
    for found in records(&program, "tight") {
        let types = found.layout.members.iter().map(|member| member.type_name().as_str());
        assert!(types.clone().all(|spelled| spelled != "?"), "{:?}", types.collect::<Vec<_>>());
    }
}

#[test]
fn components_are_where_the_compiler_says_and_say_what_the_source_gives_them() {
    for version in ["-gdwarf-3", "-gdwarf-4", "-gdwarf-5"] {
        check(&[version]);
        check(&[version, "-fgnat-encodings=minimal", "-O1"]);
    }
}
