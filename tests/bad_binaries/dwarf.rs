//! Debug info that contradicts itself, goes round in circles, or is larger than life.

use std::fmt::Write;

use gimli::write::{AttributeValue, Expression};
use gimli::{RunTimeEndian, SectionId, constants as dw};

use super::ask::{Answer, Ask, Files};
use super::dies::{Dies, elf};

/// Asks for `struct s` of a file that is made here, in every form, and for all its types of a size; returns
/// what the first says.
fn ask(bytes: &[u8]) -> Answer {
    ask_for("s", bytes)
}

fn ask_for(name: &str, bytes: &[u8]) -> Answer {
    let files = Files::new();
    let path = files.write("made.o", bytes);
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_dbgmate"));
    let form = |form: &[&str]| {
        let ask = Ask::program(program, &[]).arguments(&["offsets-of", name]).arguments(form);
        ask.arguments(&["--binary"]).path(&path).answer()
    };
    let find = Ask::program(program, &[]).arguments(&["find", "--size", "8", "--binary"]);
    let found = find.path(&path).answer();
    assert!(matches!(found.status, Some(0 | 1)), "{found:?}");
    form(&["--layout"]).is_sound();
    form(&["--json"]).is_sound();
    let answer = form(&[]);
    answer.is_sound();
    answer
}

#[test]
fn typedefs_in_a_circle_are_refused() {
    let mut dies = Dies::new();
    let one = dies.named(dw::DW_TAG_typedef, "s");
    let two = dies.named(dw::DW_TAG_typedef, "t");
    dies.type_of(one, two);
    dies.type_of(two, one);
    ask(&dies.elf()).is_refusal(1, &["nested in themselves without end"]);
}

#[test]
fn types_that_are_their_own_type_are_refused_or_cut_short() {
    for tag in [
        dw::DW_TAG_typedef,
        dw::DW_TAG_const_type,
        dw::DW_TAG_pointer_type,
        dw::DW_TAG_array_type,
        dw::DW_TAG_subroutine_type,
        dw::DW_TAG_ptr_to_member_type,
        dw::DW_TAG_enumeration_type,
    ] {
        let mut dies = Dies::new();
        let round = dies.named(tag, "round");
        dies.type_of(round, round);
        let whole = dies.aggregate(dw::DW_TAG_structure_type, "s", 8);
        dies.member(whole, "m", round, 0);
        ask(&dies.elf());
    }
}

#[test]
fn a_struct_in_itself_is_refused() {
    let mut dies = Dies::new();
    let whole = dies.aggregate(dw::DW_TAG_structure_type, "s", 8);
    dies.member(whole, "inner", whole, 0);
    ask(&dies.elf()).is_refusal(1, &["nested in themselves without end"]);
}

#[test]
fn a_damaged_definition_does_not_hide_a_sound_one() {
    let mut dies = Dies::new();
    let int = dies.int();
    let endless = dies.aggregate(dw::DW_TAG_structure_type, "s", 8);
    dies.member(endless, "inner", endless, 0);
    let round = dies.named(dw::DW_TAG_typedef, "s");
    dies.type_of(round, round);
    let sound = dies.aggregate(dw::DW_TAG_structure_type, "s", 4);
    dies.member(sound, "a", int, 0);
    assert_eq!(ask(&dies.elf()).stdout, "struct s {\n    a => 0\n}\n");
}

#[test]
fn structs_in_each_other_are_refused() {
    let mut dies = Dies::new();
    let one = dies.aggregate(dw::DW_TAG_structure_type, "s", 8);
    let two = dies.aggregate(dw::DW_TAG_union_type, "u", 8);
    dies.member(one, "", two, 0);
    dies.member(two, "", one, 0);
    ask(&dies.elf()).is_refusal(1, &["nested in themselves without end"]);
}

#[test]
fn a_base_of_itself_is_refused() {
    let mut dies = Dies::new();
    let whole = dies.aggregate(dw::DW_TAG_structure_type, "s", 8);
    let base = dies.add(whole, dw::DW_TAG_inheritance);
    dies.type_of(base, whole);
    ask(&dies.elf()).is_refusal(1, &["nested in themselves without end"]);
}

#[test]
fn members_that_double_at_every_level_are_refused() {
    let mut dies = Dies::new();
    let mut inner = dies.int();
    for level in 0..30 {
        let name = if level == 29 { "s".to_owned() } else { format!("s{level}") };
        let outer = dies.aggregate(dw::DW_TAG_structure_type, &name, 8);
        dies.member(outer, "a", inner, 0);
        dies.member(outer, "b", inner, 4);
        inner = outer;
    }
    ask(&dies.elf()).is_refusal(1, &["needs more of the debug info than one may read"]);
}

#[test]
fn chains_of_a_hundred_thousand_types_are_refused_or_cut_short() {
    for tag in [
        dw::DW_TAG_typedef,
        dw::DW_TAG_pointer_type,
        dw::DW_TAG_array_type,
        dw::DW_TAG_structure_type,
    ] {
        let mut dies = Dies::new();
        let mut inner = dies.int();
        for _ in 0..100_000 {
            let outer = dies.add(dies.root(), tag);
            match tag {
                dw::DW_TAG_structure_type => {
                    dies.member(outer, "", inner, 0);
                }
                _ => dies.type_of(outer, inner),
            }
            inner = outer;
        }
        let whole = dies.aggregate(dw::DW_TAG_structure_type, "s", 8);
        dies.member(whole, "m", inner, 0);
        ask(&dies.elf());
    }
}

#[test]
fn a_hundred_thousand_members_are_shown() {
    let mut dies = Dies::new();
    let int = dies.int();
    let whole = dies.aggregate(dw::DW_TAG_structure_type, "s", 400_000);
    for index in 0..100_000 {
        dies.member(whole, &format!("m{index}"), int, index * 4);
    }
    let answer = ask(&dies.elf());
    assert_eq!(answer.stdout.lines().count(), 100_002);
    assert!(answer.stdout.contains("\n    m99999 => 399996\n"));
}

#[test]
fn numbers_at_the_edge_do_not_overflow() {
    let edges = [u64::MAX, u64::MAX - 1, u64::MAX / 8 + 1, 1 << 63, 1 << 62, u64::MAX - 7];
    for edge in edges {
        let mut dies = Dies::new();
        let int = dies.int();
        let number = AttributeValue::Udata;
        let array = dies.add(dies.root(), dw::DW_TAG_array_type);
        dies.type_of(array, int);
        for _ in 0..3 {
            let range = dies.add(array, dw::DW_TAG_subrange_type);
            dies.set(range, dw::DW_AT_upper_bound, number(edge));
        }
        let whole = dies.aggregate(dw::DW_TAG_structure_type, "s", edge);
        dies.set(whole, dw::DW_AT_alignment, number(edge));
        let inner = dies.aggregate(dw::DW_TAG_structure_type, "", edge);
        dies.member(inner, "deep", int, edge);
        dies.member(whole, "array", array, edge);
        dies.member(whole, "far", int, edge);
        dies.member(whole, "inner", inner, edge);
        for (attribute, value) in [
            (dw::DW_AT_data_bit_offset, number(edge)),
            (dw::DW_AT_bit_offset, number(edge)),
            (dw::DW_AT_bit_offset, AttributeValue::Sdata(edge as i64)),
        ] {
            let field = dies.member(whole, "bits", int, edge);
            dies.set(field, attribute, value);
            dies.set(field, dw::DW_AT_bit_size, number(edge));
        }
        let elf = dies.elf();
        ask(&elf);
        ask_for("struct s.array[1][2][3]", &elf);
        ask_for(&format!("struct s.array[{}]", edge - 1), &elf);
    }
}

#[test]
fn place_expressions_that_are_no_constants_are_not_folded() {
    let mut dies = Dies::new();
    let int = dies.int();
    let whole = dies.aggregate(dw::DW_TAG_structure_type, "s", 8);
    for (name, bytes) in [
        ("plus", &[0x23, 0x05][..]),        // DW_OP_plus_uconst 5
        ("two", &[0x23, 0x05, 0x23, 0x02]), // twice
        ("constant", &[0x35, 0x22]),        // DW_OP_lit5 DW_OP_plus
        ("deref", &[0x06]),                 // DW_OP_deref
        ("underflow", &[0x22]),             // DW_OP_plus on an empty stack
        ("endless", &[0x2f, 0xfd, 0xff]),   // DW_OP_skip to itself
        ("cut", &[0x23]),                   // its operand is missing
        ("empty", &[]),
    ] {
        let member = dies.member(whole, name, int, 0);
        let place = AttributeValue::Exprloc(Expression::raw(bytes.to_vec()));
        dies.set(member, dw::DW_AT_data_member_location, place);
    }
    let answer = ask(&dies.elf());
    let places: Vec<&str> = answer.stdout.lines().map(str::trim).collect();
    for line in ["plus => 5", "two => 7", "constant => 5", "empty => 0"] {
        assert!(places.contains(&line), "{line} is not in {places:?}");
    }
    for name in ["deref", "underflow", "endless", "cut"] {
        let unknown = format!("{name} => ? (its offset is only known at run time)");
        assert!(places.contains(&unknown.as_str()), "{unknown} is not in {places:?}");
    }
}

#[test]
fn names_of_members_cannot_move_the_cursor() {
    let mut dies = Dies::new();
    let int = dies.named(dw::DW_TAG_base_type, "int\x1b]0;title\x07");
    dies.set(int, dw::DW_AT_byte_size, AttributeValue::Udata(4));
    let whole = dies.aggregate(dw::DW_TAG_structure_type, "s", 4);
    dies.member(whole, "a\x1b[2Jb\nc\u{202e}d", int, 0);
    let elf = dies.elf();
    let files = Files::new();
    let path = files.write("made.o", &elf);
    for form in ["--layout", "--daemon=never"] {
        let answer = Ask::of(&path).arguments(&[form]).answer();
        assert_eq!(answer.status, Some(0), "{answer:?}");
        assert!(answer.stdout.contains("a\\x1b[2Jb\\nc\\u{202e}d"), "{answer:?}");
        assert!(!answer.stdout.contains(['\x1b', '\x07', '\u{202e}']), "{answer:?}");
    }
    assert!(ask(&elf).stdout.contains("=> 0"));
}

#[test]
fn very_long_names_are_shown() {
    let mut dies = Dies::new();
    let int = dies.int();
    let whole = dies.aggregate(dw::DW_TAG_structure_type, "s", 4);
    let long = "x".repeat(1 << 20);
    dies.member(whole, &long, int, 0);
    assert!(ask(&dies.elf()).stdout.contains(&long));
}

/// A unit by hand: an abbreviation table and the DIEs after the root, for what the writer refuses.
fn by_hand(abbreviations: &[u8], dies: &[u8]) -> Vec<u8> {
    // Abbreviation 1: the root, with DW_AT_language in DW_FORM_data1 and children.
    let mut abbrev = vec![1, 0x11, 1, 0x13, 0x0b, 0, 0];
    abbrev.extend_from_slice(abbreviations);
    abbrev.push(0);
    let mut body = vec![4, 0, 0, 0, 0, 0, 8, 1, 0x0c];
    body.extend_from_slice(dies);
    let mut info = u32::try_from(body.len()).unwrap().to_le_bytes().to_vec();
    info.extend_from_slice(&body);
    elf(&[(SectionId::DebugInfo, info), (SectionId::DebugAbbrev, abbrev)])
}

/// Where the first DIE after the root of [`by_hand`] is, from the start of the unit.
const FIRST: u8 = 13;

#[test]
fn siblings_that_point_backwards_or_outside_are_not_followed() {
    // Abbreviation 2: a struct with name, size (data1) and sibling (ref4) that has children;
    // 3: a member with name and place.
    let abbreviations = [
        2, 0x13, 1, 0x03, 0x08, 0x0b, 0x0b, 0x01, 0x13, 0, 0, 3, 0x0d, 0, 0x03, 0x08, 0x38, 0x0b,
        0, 0,
    ];
    for sibling in [0, 1, u32::from(FIRST), u32::from(FIRST) + 4, 4000, u32::MAX] {
        let mut dies = vec![2, b's', 0, 8];
        dies.extend_from_slice(&sibling.to_le_bytes());
        dies.extend_from_slice(&[3, b'a', 0, 0, 3, b'b', 0, 4, 0, 0]);
        let answer = ask(&by_hand(&abbreviations, &dies));
        assert_eq!(
            answer.stdout, "struct s {\n    a => 0\n    b => 4\n}\n",
            "{sibling}: {answer:?}"
        );
    }
}

#[test]
fn siblings_that_lie_about_how_many_members_there_are_take_no_memory() {
    // Abbreviation 2: a base type with size and encoding (data1); 3: a struct with size (data4) and sibling
    // (ref4); 4: the same with a name in front; 5: a member with name, type (ref4) and place (data4).
    let abbreviations = [
        &[2, 0x24, 0, 0x0b, 0x0b, 0x3e, 0x0b, 0, 0][..],
        &[3, 0x13, 1, 0x0b, 0x06, 0x01, 0x13, 0, 0],
        &[4, 0x13, 1, 0x03, 0x08, 0x0b, 0x06, 0x01, 0x13, 0, 0],
        &[5, 0x0d, 0, 0x03, 0x08, 0x49, 0x13, 0x38, 0x06, 0, 0],
    ];
    const COUNT: u32 = 60_000;
    const STRUCT: u32 = 9 + 11 + 1;
    let first = u32::from(FIRST) + 3;
    let whole = first + COUNT * STRUCT;
    let member = |name: &str, of: u32, place: u32| {
        [&[5], name.as_bytes(), &[0], &of.to_le_bytes(), &place.to_le_bytes()].concat()
    };
    let mut dies = vec![2, 4, 5];
    for _ in 0..COUNT {
        dies.extend([&[3], &4_u32.to_le_bytes()[..], &whole.to_le_bytes()].concat());
        dies.extend(member("a", u32::from(FIRST), 0));
        dies.push(0);
    }
    dies.extend([b"\x04s\0", &(4 * COUNT).to_le_bytes()[..], &0_u32.to_le_bytes()].concat());
    for number in 0..COUNT {
        dies.extend(member(&format!("m{number}"), first + number * STRUCT, 4 * number));
    }
    dies.extend([0, 0]);
    let answer = ask(&by_hand(&abbreviations.concat(), &dies));
    assert!(answer.stdout.contains("\n    m59999 => 239996\n"), "{}", answer.stdout.len());
}

#[test]
fn references_to_nowhere_are_said() {
    // Abbreviation 2: a typedef with name and type (ref4).
    let abbreviations = [2, 0x16, 0, 0x03, 0x08, 0x49, 0x13, 0, 0];
    for target in [0, 1, u32::from(FIRST) + 1, 5000, u32::MAX] {
        let mut dies = vec![2, b's', 0];
        dies.extend_from_slice(&target.to_le_bytes());
        dies.push(0);
        ask(&by_hand(&abbreviations, &dies)).is_refusal(1, &[]);
    }
}

#[test]
fn structs_nested_a_hundred_thousand_deep_are_walked() {
    // Abbreviation 2: a struct with name that has children.
    let abbreviations = [2, 0x13, 1, 0x03, 0x08, 0, 0];
    let files = Files::new();
    let mut dies: Vec<u8> = b"\x02s\0".repeat(100_000);
    dies.extend(vec![0; 100_001]);
    let path = files.write("made.o", &by_hand(&abbreviations, &dies));
    Ask::of(&path).answer().is_sound();
    ask(&by_hand(&abbreviations, &b"\x02s\0".repeat(5_000)));
}

#[test]
fn what_a_million_entries_enclose_is_found_or_refused() {
    // Structs, namespaces and blocks (abbreviation 2) around a struct of 8 bytes (3).
    for tag in [0x13, 0x39, 0x0b] {
        let abbreviations = [2, tag, 1, 0, 0, 3, 0x13, 0, 0x03, 0x08, 0x0b, 0x0b, 0, 0];
        let files = Files::new();
        let mut dies = vec![2; 1_000_000];
        dies.extend(b"\x03s\0\x08");
        dies.extend(vec![0; 1_000_001]);
        let path = files.write("made.o", &by_hand(&abbreviations, &dies));
        Ask::of(&path).answer().is_sound();
    }
}

/// `struct s` with a pointer to a function that takes others so many times, which take others; each is also
/// the argument of a template that the next takes, where that is asked for. Those in the middle take `first`.
fn functions(levels: usize, takes: usize, first: &str, in_templates: bool) -> Vec<u8> {
    let mut dies = Dies::of(5, RunTimeEndian::Little, dw::DW_LANG_C_plus_plus_14);
    let mut inner = dies.aggregate(dw::DW_TAG_structure_type, first, 8);
    for _ in 0..levels {
        let function = dies.add(dies.root(), dw::DW_TAG_subroutine_type);
        for _ in 0..takes {
            let parameter = dies.add(function, dw::DW_TAG_formal_parameter);
            dies.type_of(parameter, inner);
        }
        let pointer = dies.add(dies.root(), dw::DW_TAG_pointer_type);
        dies.type_of(pointer, function);
        inner = pointer;
        if in_templates {
            inner = dies.aggregate(dw::DW_TAG_structure_type, "t", 8);
            for _ in 0..2 {
                let parameter = dies.add(inner, dw::DW_TAG_template_type_parameter);
                dies.type_of(parameter, pointer);
            }
        }
    }
    let whole = dies.aggregate(dw::DW_TAG_structure_type, "s", 8);
    dies.member(whole, "m", inner, 0);
    dies.elf()
}

#[test]
fn functions_that_take_functions_many_times_are_cut_short() {
    let long = "l".repeat(1000);
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_dbgmate"));
    for in_templates in [false, true] {
        for (levels, takes, first) in [(5, 32, &*long), (30, 32, "l"), (30, 2, &long), (30, 2, "")]
        {
            let bomb = functions(levels, takes, first, in_templates);
            let files = Files::new();
            let path = files.write("made.o", &bomb);
            let ask = Ask::program(program, &[]).arguments(&["offsets-of", "s", "--json"]);
            let answer = ask.arguments(&["--binary"]).path(&path).answer();
            let told = &answer.stdout;
            assert!(told.contains('…') && told.len() < 400_000, "{} {answer:?}", told.len());
        }
    }
    let few = ask(&functions(2, 3, "l", false));
    assert!(!few.stdout.contains('…'), "{few:?}");
}

#[test]
fn abbreviations_that_go_on_without_end_are_survived() {
    // A form that says "see the next number", a hundred thousand times (DW_FORM_indirect).
    let abbreviations = [2, 0x13, 0, 0x03, 0x16, 0, 0];
    let mut dies = vec![2];
    dies.extend(vec![0x16; 100_000]);
    ask(&by_hand(&abbreviations, &dies)).is_refusal(1, &[]);
    // Attributes that take no bytes: a DIE that costs nothing, a hundred thousand attributes long.
    let mut abbreviations = vec![2, 0x13, 0];
    abbreviations.extend([0x3c, 0x19].repeat(100_000));
    abbreviations.extend([0, 0]);
    ask(&by_hand(&abbreviations, &[2; 1000])).is_refusal(1, &[]);
}

#[test]
fn abbreviations_twice_or_absent_are_said() {
    let twice = [2, 0x13, 0, 0x03, 0x08, 0, 0, 2, 0x17, 0, 0x03, 0x08, 0, 0];
    ask(&by_hand(&twice, b"\x02s\0\0"));
    ask(&by_hand(&[], b"\x07s\0\0")).is_refusal(1, &[]);
}

#[test]
fn units_that_lie_about_their_length_are_said() {
    let mut dies = Dies::new();
    let int = dies.int();
    let whole = dies.aggregate(dw::DW_TAG_structure_type, "s", 4);
    dies.member(whole, "a", int, 0);
    let sections = dies.sections();
    for length in [0_u32, 1, 6, 7, 11, 0x7fff_ffff, 0xffff_fff0, 0xffff_ffff] {
        let mut sections = sections.clone();
        for (id, bytes) in &mut sections {
            if *id == SectionId::DebugInfo {
                bytes[..4].copy_from_slice(&length.to_le_bytes());
            }
        }
        ask(&elf(&sections)).is_refusal(1, &[]);
    }
}

#[test]
fn a_thousand_definitions_that_differ_are_all_shown() {
    let mut dies = Dies::new();
    let int = dies.int();
    let mut expected = String::new();
    for size in 1..=1000 {
        let whole = dies.aggregate(dw::DW_TAG_structure_type, "s", size * 4);
        dies.member(whole, "last", int, (size - 1) * 4);
        writeln!(expected, "    last => {}", (size - 1) * 4).unwrap();
    }
    let answer = ask(&dies.elf());
    let shown: String = answer
        .stdout
        .lines()
        .filter(|line| line.contains("=>"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(shown, expected);
}
