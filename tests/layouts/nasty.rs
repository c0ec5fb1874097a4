//! Renderings of what no compiler writes: names that are markup or move cursors, sizes that no machine
//! has, more members than anybody reads.

use dbgmate::api::binary::BinaryRef;
use dbgmate::api::layout::{LayoutForm, OffsetsOfMethod, OffsetsOfRequest};
use dbgmate::config::Config;
use dbgmate::engine::{Answer, Engine};
use dbgmate::job::Job;
use dbgmate::render;
use gimli::constants as dw;
use gimli::write::{AttributeValue, UnitEntryId};

use super::dies::Dies;

const FORMS: [LayoutForm; 5] =
    [LayoutForm::Script, LayoutForm::Layout, LayoutForm::Asserts, LayoutForm::Map, LayoutForm::Svg];

/// `struct s` of so many bytes in every form, with the members that are added: the struct and an int are
/// given.
fn pages(
    size: u64,
    add: impl FnOnce(&mut Dies, UnitEntryId, UnitEntryId),
) -> Vec<(LayoutForm, String)> {
    let mut dies = Dies::new();
    let int = dies.int();
    let whole = dies.aggregate(dw::DW_TAG_structure_type, "s", size);
    add(&mut dies, whole, int);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("made.o");
    std::fs::write(&file, dies.elf()).unwrap();
    let request = OffsetsOfRequest {
        type_name: "s".to_owned(),
        binaries: vec![BinaryRef::Path(file.to_str().unwrap().to_owned())],
        ..OffsetsOfRequest::default()
    };
    let engine = Engine::new(Config::default());
    let answer = OffsetsOfMethod::answer(&engine, &Job::new(), request).unwrap();
    let page = |form| (form, render::plain(&render::layout(&answer, form)));
    FORMS.map(page).into_iter().collect()
}

fn page(form: LayoutForm, pages: Vec<(LayoutForm, String)>) -> String {
    pages.into_iter().find(|(its, _)| *its == form).unwrap().1
}

#[test]
fn names_are_text_in_every_form() {
    let long = "x".repeat(100_000);
    let names = [
        "a\nb",
        "\u{1b}[31mred",
        "\u{9b}2J",
        "</text></title><script>alert(1)</script>",
        "*/ int x; /*",
        "\u{202e}abc",
        "\"&\\",
        long.as_str(),
    ];
    let pages = pages(400_000, |dies, whole, int| {
        for (number, name) in names.iter().enumerate() {
            let named = dies.aggregate(dw::DW_TAG_structure_type, name, 4);
            dies.member(whole, name, int, number as u64 * 20_000);
            dies.member(whole, "of_such_a_type", named, number as u64 * 20_000 + 8);
        }
    });
    for (form, page) in pages {
        let is_bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!page.contains(is_bad), "{form:?}");
        match form {
            LayoutForm::Svg => {
                assert!(!page.contains("<script") && page.len() < 50_000, "{}", page.len());
            }
            LayoutForm::Asserts => {
                for line in page.lines().filter(|line| line.starts_with("/*")) {
                    let inside = line.strip_prefix("/*").unwrap().strip_suffix("*/").unwrap();
                    assert!(!inside.contains("*/"), "{line}");
                }
                let others = page.lines().filter(|line| !line.starts_with("/*"));
                let is_code = |line: &str| {
                    line.is_empty() || line.starts_with("#include") || line.starts_with("_Static")
                };
                assert!(others.clone().all(is_code), "{:?}", others.collect::<Vec<_>>());
            }
            LayoutForm::Script | LayoutForm::Layout | LayoutForm::Map => {}
        }
    }
}

#[test]
fn sizes_that_are_none_in_bits_are_told_in_bytes() {
    let padded = pages(1 << 63, |dies, whole, int| {
        dies.member(whole, "a", int, 0);
    });
    let told = page(LayoutForm::Layout, padded);
    assert!(told.contains("9223372036854775804 bytes at the end unused"), "{told}");
    let empty = page(LayoutForm::Layout, pages(u64::MAX, |_, _, _| {}));
    assert!(empty.contains("18446744073709551615 bytes at the end unused"), "{empty}");
}

#[test]
fn places_of_large_structs_stand_in_columns() {
    let told = pages(123_456_789, |dies, whole, int| {
        for offset in [0, 99_996, 99_999_996, 123_456_785] {
            let member = dies.member(whole, &format!("m{offset}"), int, offset);
            if offset == 99_996 {
                dies.set(member, dw::DW_AT_bit_size, AttributeValue::Udata(3));
                dies.set(member, dw::DW_AT_data_bit_offset, AttributeValue::Udata(offset * 8));
            }
        }
    });
    let told = page(LayoutForm::Layout, told);
    let comments = told.lines().filter(|line| line.contains("int m"));
    let columns: Vec<_> = comments.map(|line| (line.find("/*"), line.find("*/"))).collect();
    assert_eq!(columns.len(), 4);
    assert!(columns.iter().all(|column| *column == columns[0]), "{told}");
}

#[test]
fn many_small_members_are_no_hole() {
    let many = pages(240_000, |dies, whole, int| {
        for number in 0..60_000 {
            dies.member(whole, &format!("m{number}"), int, number * 4);
        }
    });
    for (form, page) in many {
        match form {
            LayoutForm::Map => {
                assert!(page.contains(&"+".repeat(64)) && !page.contains('·'));
                assert!(page.ends_with("\n+ several members\n"));
            }
            LayoutForm::Svg => assert!(page.contains("not listed: 59000 members")),
            LayoutForm::Script | LayoutForm::Layout | LayoutForm::Asserts => {
                assert!(page.contains("m59999"), "{form:?}");
            }
        }
    }
}

#[test]
fn what_overlaps_has_a_lane_each_and_no_more_than_are_read() {
    let over = pages(4, |dies, whole, int| {
        for number in 0..60_000 {
            dies.member(whole, &format!("m{number}"), int, 0);
        }
    });
    for (form, page) in over {
        if matches!(form, LayoutForm::Map | LayoutForm::Svg) {
            assert!(page.contains("not shown: 59976 members") && page.len() < 10_000, "{form:?}");
        }
    }
}
