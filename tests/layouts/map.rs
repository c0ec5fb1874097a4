//! The pictures of a layout, byte for byte: an object for each member that is zero but for it says
//! which bytes are the member's.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use dbgmate::api::layout::LayoutForm;
use regex::Regex;

use super::case::Said;
use super::toolchain::{Compiled, GCC, run};

/// Members with values that set all their bytes.
const MEMBERS: &[(&str, &str, &str)] = &[
    ("first", "char first", "-1"),
    ("second", "int second", "-1"),
    ("flag", "unsigned flag : 3", "-1"),
    ("far", "long far", "-1"),
    (
        "text",
        "char text[70]",
        "\"0123456789012345678901234567890123456789012345678901234567890123456789\"",
    ),
    ("pointer", "void *pointer", "(void *)-1"),
    ("pair", "struct { short a, b; } pair", "{ -1, -1 }"),
    ("last", "char last", "-1"),
];

fn compiled(keyword: &str) -> Compiled {
    let declared: Vec<&str> = MEMBERS.iter().map(|(_, declaration, _)| *declaration).collect();
    let mut source = format!("{keyword} s {{ {}; }};\n", declared.join("; "));
    for (name, _, value) in MEMBERS {
        source += &format!("const {keyword} s only_{name} = {{ .{name} = {value} }};\n");
    }
    GCC.compile(&source).unwrap()
}

/// The names of the members that have each byte, by the compiler.
fn owners(compiled: &Compiled) -> Vec<Vec<&'static str>> {
    let said = Said::read(compiled);
    let mut owners = Vec::new();
    for (name, ..) in MEMBERS {
        let (bytes, _) = said.object(&format!("only_{name}"));
        owners.resize(bytes.len(), Vec::new());
        for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte != 0) {
            owners[at].push(*name);
        }
    }
    owners
}

/// What a map in letters shows for each byte: rows, then the legend, which begins with a letter.
fn drawn(map: &str) -> Vec<Vec<String>> {
    let legend = Regex::new(r"(?:^|  )([a-zA-Z0-9]) (\w+) \d+[+.]").unwrap();
    let digits = Regex::new(r"/\* (\d+) bytes").unwrap().captures(map).unwrap()[1].len();
    let lines: Vec<&str> = map.lines().skip(1).collect();
    let rows = lines.iter().position(|line| line.starts_with("a ")).unwrap();
    let (rows, below) = lines.split_at(rows);
    let mut names = BTreeMap::new();
    for line in below {
        names.extend(legend.captures_iter(line).map(|c| (c[1].to_owned(), c[2].to_owned())));
    }
    let (mut drawn, mut start): (Vec<Vec<String>>, usize) = (Vec::new(), 0);
    for row in rows {
        let (label, cells) = row.split_at(digits + 1);
        start = label.trim().parse().unwrap_or(start);
        for (column, cell) in cells.chars().enumerate() {
            drawn.resize(drawn.len().max(start + column + 1), Vec::new());
            if cell.is_alphanumeric() {
                drawn[start + column].push(names[&cell.to_string()].clone());
            }
        }
    }
    drawn
}

#[test]
fn each_byte_has_the_letter_of_its_member() {
    for keyword in ["struct", "union"] {
        let compiled = compiled(keyword);
        let map = compiled.rendered(&format!("{keyword} s"), LayoutForm::Map);
        let mut drawn = drawn(&map);
        let mut owners = owners(&compiled);
        owners.iter_mut().for_each(|names| names.sort_unstable());
        drawn.iter_mut().for_each(|names| names.sort_unstable());
        assert_eq!(drawn, owners, "{map}");
    }
}

#[test]
fn each_rectangle_is_where_its_member_is() {
    let compiled = compiled("struct");
    let svg = compiled.rendered("struct s", LayoutForm::Svg);
    let rectangle = Regex::new(
        r#"<rect class="(?:m c\d|c\d|hole)" x="([\d.]+)" y="(\d+)" width="([\d.]+)" height="24"><title>(\w+)"#,
    )
    .unwrap();
    let top: u64 = 40;
    let mut drawn = vec![Vec::new(); owners(&compiled).len()];
    let mut rows: Vec<u64> = Vec::new();
    for found in rectangle.captures_iter(&svg) {
        let number = |at: usize| found[at].parse::<f64>().unwrap();
        let y = number(2) as u64;
        if !rows.contains(&y) {
            rows.push(y);
        }
        let row = rows.iter().position(|row| *row == y).unwrap() as f64;
        // Sixteen pixels a byte; a bit field begins within one.
        let from = row * 64.0 + (number(1) - 72.0) / 16.0;
        let to = from + number(3) / 16.0;
        let name = &found[4];
        if name != "unused" {
            let bytes = from.floor() as usize..to.ceil() as usize;
            drawn[bytes].iter_mut().for_each(|names| names.push(name.to_owned()));
        }
    }
    assert_eq!(rows.first(), Some(&top));
    assert_eq!(drawn, owners(&compiled), "{svg}");
}

#[test]
fn the_picture_is_xml() {
    let compiled = compiled("union");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picture.svg");
    fs::write(&path, compiled.rendered("union s", LayoutForm::Svg)).unwrap();
    let read = "import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])";
    run(Command::new("python3").args(["-c", read]).arg(&path));
}

#[test]
fn large_types_are_drawn_small() {
    let source = "struct big { char a[4]; int b; char c[100000000]; long d[2]; } *x;";
    let compiled = GCC.compile(source).unwrap();
    let map = compiled.rendered("struct big", LayoutForm::Map);
    assert!(map.lines().count() < 12 && map.contains("rows alike"), "{map}");
    let svg = compiled.rendered("struct big", LayoutForm::Svg);
    assert!(svg.lines().count() < 200, "{svg}");
}
