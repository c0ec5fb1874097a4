//! Names of templates, as people and compilers spell their arguments.

use dbgmate::job::Job;
use dbgmate::types::{self, TypeName};

use super::toolchain::{Compiled, GXX, Toolchain};

const SOURCE: &str = "
    template <class T, unsigned N> struct box { T value[N]; char end; };
    template <class... T> struct pack { long only; };
    template <bool B, char C> struct flags { short a; };
    namespace n { enum class e { A, B }; template <e E> struct by { char a[3]; }; struct in { int a[5]; }; }
    namespace { template <class T> struct hidden { T t[7]; }; }
    box<unsigned long, 3> v; box<long double, 2> w; box<n::in, 1> x; pack<int, unsigned char *, n::in> y;
    template <class T> struct holds { T t[3]; }; holds<const n::in *> c; holds<volatile unsigned short *const> d{};
    flags<true, 'a'> z; n::by<n::e::B> u; hidden<short> t;
    void *keep = &t;";

const WAYS: [Toolchain; 5] = [
    GXX,
    Toolchain { program: "g++", flags: &["-c", "-gdwarf-3", "-gstrict-dwarf"] },
    Toolchain { program: "clang++", flags: &["-c", "-gdwarf-4"] },
    Toolchain { program: "clang++", flags: &["-c", "-gdwarf-5"] },
    Toolchain { program: "clang++", flags: &["-c", "-gdwarf-5", "-gsimple-template-names"] },
];

fn each(check: impl Fn(&Compiled, Toolchain)) {
    for toolchain in WAYS {
        if let Some(compiled) = toolchain.compile(SOURCE) {
            check(&compiled, toolchain);
        }
    }
}

#[test]
fn unsigned_long_is_long_unsigned_int_and_3_is_3u() {
    each(|compiled, toolchain| {
        for name in [
            "box<unsigned long, 3>",
            "box<long unsigned int, 3>",
            "box<unsigned long int,3u>",
            "struct box<long unsigned, 3U>",
        ] {
            assert_eq!(compiled.layout(name).size.known(), Some(32), "{name} by {toolchain}");
        }
        assert_eq!(compiled.layout("box<long double, 2>").size.known(), Some(48), "{toolchain}");
        for name in ["box<long, 3>", "box<unsigned long, 4>", "box<unsigned long>", "pack<int>"] {
            assert_eq!(compiled.find(name, None).unwrap(), [], "{name} by {toolchain}");
        }
    });
}

#[test]
fn qualifiers_stand_on_either_side() {
    each(|compiled, toolchain| {
        for name in [
            "holds<const n::in *>",
            "holds<n::in const*>",
            "holds<volatile unsigned short *const>",
            "holds<short unsigned int volatile * const>",
        ] {
            assert_eq!(compiled.layout(name).size.known(), Some(24), "{name} by {toolchain}");
        }
        assert_eq!(compiled.find("holds<n::in *const>", None).unwrap(), [], "{toolchain}");
    });
}

#[test]
fn packs_and_values_are_part_of_the_name() {
    each(|compiled, toolchain| {
        for (name, size) in [
            ("pack<int, unsigned char*, n::in>", 8),
            ("pack<int,unsigned char *,n::in>", 8),
            ("box<n::in, 1>", 24),
        ] {
            assert_eq!(compiled.layout(name).size.known(), Some(size), "{name} by {toolchain}");
        }
    });
}

#[test]
fn the_answer_has_the_arguments_that_the_debug_info_leaves_out() {
    let simple = WAYS[4];
    let Some(compiled) = simple.compile(SOURCE) else { return };
    assert_eq!(compiled.layout("box<n::in, 1>").type_name, "struct box<n::in, 1>");
    // All instances, where none is asked for.
    assert_eq!(compiled.find("box", None).unwrap().len(), 3);
    assert_eq!(compiled.layout("flags").type_name, "struct flags<true, 'a'>");
}

#[test]
fn anonymous_namespaces_need_not_be_written() {
    each(|compiled, toolchain| {
        for name in ["hidden<short>", "::hidden<short>", "hidden<short int>"] {
            assert_eq!(compiled.layout(name).size.known(), Some(14), "{name} by {toolchain}");
        }
    });
}

#[test]
fn functions_that_take_an_instance_are_found_however_it_is_spelled() {
    let source =
        format!("{SOURCE} int takes(box<unsigned long, 3> *b, n::in *) {{ return b->end; }}");
    for toolchain in WAYS {
        let Some(compiled) = toolchain.compile(&source) else { continue };
        for (name, count) in [
            ("box<unsigned long, 3>", 1),
            ("box<long unsigned int,3u>", 1),
            ("box<unsigned long, 4>", 0),
            ("box<long double, 2>", 0),
            ("n::in", 1),
        ] {
            let name = TypeName::parse(name).unwrap();
            let found = types::functions(&Job::new(), compiled.opened(), &name, 1).unwrap();
            assert_eq!(found.len(), count, "{name} by {toolchain}: {found:?}");
        }
    }
}
