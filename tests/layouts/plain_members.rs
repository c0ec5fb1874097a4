//! A plain member, read by the places of its attributes, says what its entry says when all of it is decoded.

use dbgmate::dwarf::{Die, PlainMember, View, unsigned};
use gimli::{AttributeValue, RunTimeEndian, SectionId, constants as dw};

use super::dies::elf_of;
use super::toolchain::{Compiled, EVERYWHERE, find_in};

const SOURCE: &str = "struct inside { long first_long; char first_char; };
    struct sample {
        char first_byte; struct inside inner_one; int *pointer_member; short shorts_member[3];
        unsigned bits_member : 3; unsigned more_bits : 9; unsigned : 0; unsigned last_bits : 30;
        union { int number_member; float fraction_member; }; union inner { int a_number; } named_union;
        int aligned_member __attribute__((aligned(64))); char far_away[70000]; const char *behind_it;
        int a; };
    struct sample sample;";

/// The name and the place of a member at an entry if it is read as a plain one, which is the same decoded.
fn plain<'a>(view: &View<'a>, die: &Die<'a>) -> Option<(String, PlainMember<'static>)> {
    let (unit, at) = (die.unit(), die.at());
    let (mut short, mut whole) = (unit.walk(at).unwrap(), unit.walk(at).unwrap());
    let Some(member) = short.plain_member() else {
        assert_eq!(short.next(), at);
        return None;
    };
    let (mut name, mut target, mut place, mut bits, mut align) =
        (Some([].as_slice()), None, 0, (None, None), None);
    let step = whole.step(|attribute, value| match (attribute, value) {
        (dw::DW_AT_name, value) => name = view.string(unit, value),
        (dw::DW_AT_type, AttributeValue::UnitRef(offset)) => target = Some(unit.die_ref(offset)),
        (dw::DW_AT_data_member_location, value) => place = unsigned(value).unwrap(),
        (dw::DW_AT_data_bit_offset, value) => bits.0 = unsigned(value),
        (dw::DW_AT_bit_size, value) => bits.1 = unsigned(value),
        (dw::DW_AT_alignment, value) => align = unsigned(value),
        other => panic!("{other:?} is not what a plain member has"),
    });
    let step = step.unwrap().unwrap();
    assert_eq!((step.tag, step.has_children), (dw::DW_TAG_member, false));
    assert_eq!(short.next(), whole.next());
    let (name, target, bits) = (name.unwrap(), target.unwrap(), bits.0.zip(bits.1));
    assert_eq!(member, PlainMember { name, target, place, bits, align });
    Some((String::from_utf8(name.to_vec()).unwrap(), PlainMember { name: &[], ..member }))
}

fn plain_members(compiled: &Compiled) -> Vec<(String, PlainMember<'static>)> {
    let view = compiled.opened().view();
    let whole = view.die(compiled.layout("struct sample").die).unwrap();
    let members = whole.children().map(|child| child.unwrap());
    let members = members.filter(|child| child.tag() == dw::DW_TAG_member);
    members.filter_map(|child| plain(&view, &child)).collect()
}

#[test]
fn a_plain_member_says_what_its_entry_says() {
    for way in EVERYWHERE {
        let Some(compiled) = way.compile(SOURCE) else { continue };
        let members = plain_members(&compiled);
        // 64-bit DWARF is read in full, and so are places that are expressions, as before DWARF 4, and names that
        // are numbers of a table.
        let read_in_full = ["-gdwarf64", "-gsplit-dwarf", "-gdwarf-2", "-gdwarf-3"];
        let is_plain =
            way.program != "clang" && !way.flags.iter().any(|flag| read_in_full.contains(flag));
        assert!(members.len() >= 3 || !is_plain, "{way}: {members:?}");
        if way.flags == ["-c", "-gdwarf-5"] && way.program != "clang" {
            let named =
                |name| members.iter().find(|(its, _)| its == name).map(|(_, member)| member);
            assert!(named("behind_it").is_some_and(|it| it.place > 70_000), "{way}: {members:?}");
            assert!(named("aligned_member").is_some_and(|it| it.align == Some(64)), "{way}");
            assert!(named("").is_some(), "what has no name: {way}");
            assert!(named("a").is_some(), "what is in the entry itself: {way}: {members:?}");
            assert!(members.iter().filter(|(_, it)| it.bits.is_some()).count() == 3, "{way}");
        }
    }
}

/// Entries that have two names: one in place, and one elsewhere. No compiler writes them.
#[test]
fn a_second_name_puts_nothing_out_of_place() {
    // Code, tag, whether it has children; names of attributes and their forms.
    const DECLARATIONS: [&[u8]; 4] = [
        &[1, 0x11, 1, 0x13, 0x0b, 0, 0],
        &[2, 0x24, 0, 0x03, 0x08, 0x0b, 0x0b, 0, 0],
        &[3, 0x13, 1, 0x03, 0x08, 0x0b, 0x0b, 0, 0],
        &[4, 0x0d, 0, 0x03, 0x08, 0x03, 0x0e, 0x49, 0x13, 0x38, 0x0b, 0, 0],
    ];
    let mut abbreviations = DECLARATIONS.concat();
    abbreviations.push(0);
    let int_at = 13_u32;
    let mut entries = b"\x01\x0c\x02int\0\x04\x03s\0\x0c".to_vec();
    for (place, name) in [(0, 1_u32), (4, 7), (8, 14)] {
        entries.extend(b"\x04here\0");
        entries.extend(name.to_le_bytes());
        entries.extend(int_at.to_le_bytes());
        entries.push(place);
    }
    entries.push(0);
    // What is behind the last is long enough to be looked at.
    (0..8).for_each(|_| entries.extend(b"\x02padding\0\x04"));
    entries.push(0);
    let mut info = (entries.len() as u32 + 7).to_le_bytes().to_vec();
    info.extend([4, 0, 0, 0, 0, 0, 8]);
    info.extend(entries);
    let sections = [
        (SectionId::DebugInfo, info),
        (SectionId::DebugAbbrev, abbreviations),
        (SectionId::DebugStr, b"\0first\0second\0third\0".to_vec()),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made.o");
    std::fs::write(&path, elf_of(RunTimeEndian::Little, &sections)).unwrap();
    let [found] = find_in(&path, "struct s", None, None).unwrap().try_into().unwrap();
    let members = found.layout.members.iter().map(|member| (member.name(), member.offset()));
    let expected = [("first", Some(0)), ("second", Some(4)), ("third", Some(8))];
    assert_eq!(members.collect::<Vec<_>>(), expected);
}
