//! Templates whose names are without their arguments, as `clang++ -gsimple-template-names` writes them:
//! compared with what the same compiler writes without that.

use dbgmate::types::Members;
use gimli::write::AttributeValue;
use gimli::{RunTimeEndian, constants as dw};

use super::dies::Dies;
use super::toolchain::{Toolchain, find_in};

const SOURCE: &str = "
    template <class T, unsigned N> struct box { T value[N]; char end; };
    template <class T> struct outer { struct inner { T t; template <class U> struct most { U u; T t; }; }; inner i; static T s; T f(T); };
    template <class... T> struct pack { long only; };
    template <class T> struct declared;
    template <class T> union either { T t; int i; };
    template <class F> struct calls { F *f; };
    template <int *P> struct address { int q; };
    template <template <class> class X> struct takes { X<int> x; };
    template <bool B, char C, long L> struct values { char a; };
    template <class T> struct same { char c; };
    template <class T> using other_name = box<T, 4>;
    namespace n { enum class e { A, B }; template <e E> struct by { char a[3]; }; template <class T> class in { T t; }; }
    namespace { template <class T> struct hidden { T t; }; }
    enum E { A, B, again = 1 }; enum class K : char { X = 'a', Y };
    namespace n { enum e2 { P, Q = 5 }; struct holds { enum z { Z }; }; namespace { enum hid { H }; } }
    template <E, K, n::e2, n::holds::z, n::hid> struct of { char c; };
    template <char...> struct chars { char c; };
    template <class T> struct kind { char c; };
    int variable;
    struct user {
        box<int, 3> a; box<int, 3> *pointer; const box<long, 2> &reference; box<unsigned char, 1> array[2];
        outer<int>::inner inner; outer<int> whole; outer<const short *>::inner::most<n::in<int>> most;
        pack<int, char *, box<int, 3>> some; pack<> none; declared<int> *one; declared<char> *other;
        either<short> united; calls<void(int)> call; address<&variable> ad; takes<outer> t; n::by<n::e::B> by;
        int box<int, 3>::*member; other_name<int> renamed; n::in<n::in<const char *>> twice; hidden<int> h;
        values<true, 'a', -1> v; void (*function)(box<int, 3>, outer<char>::inner *);
        same<int> same1; same<long> same2;
        of<B, K::Y, n::Q, n::holds::Z, n::H> e; of<(E)7, (K)3, n::P, (n::holds::z)1, n::H> f;
        chars<'\\0', '\\n', '\\'', '\\\\', '\\x80', '\\xff', '\\x1b', '?'> c; kind<decltype(nullptr)> null;
        kind<int (same<int>::*)() const &> method; kind<int (*)()> plain;
    };
    user *keep(user *u) { return new user(*u); }";

const WHOLE: Toolchain = Toolchain { program: "clang++", flags: &["-c", "-gdwarf-5"] };

const SIMPLE: [Toolchain; 4] = [
    Toolchain { program: "clang++", flags: &["-c", "-gdwarf-4", "-gsimple-template-names"] },
    Toolchain { program: "clang++", flags: &["-c", "-gdwarf-5", "-gsimple-template-names"] },
    Toolchain {
        program: "clang++",
        flags: &["-c", "-gdwarf-5", "-gsimple-template-names", "-fdebug-types-section"],
    },
    Toolchain {
        program: "clang++",
        flags: &["-shared", "-fPIC", "-nostdlib", "-g", "-gsplit-dwarf", "-gsimple-template-names"],
    },
];

/// Clang writes `3U`, `-1L`, `> >` and `std::nullptr_t`; no suffix, `>>` and the name that the type has in DWARF
/// are what can be known from the parameters.
fn without_taste(type_name: &str) -> String {
    let mut text = type_name.replace("-1L", "-1").replace("> >", ">>");
    text = text.replace("std::nullptr_t", "decltype(nullptr)");
    for number in ["1", "2", "3", "4"] {
        text = text.replace(&format!("{number}U"), number);
    }
    text
}

fn spelled(members: &Members) -> Vec<String> {
    let mut all = Vec::new();
    for member in members.iter() {
        all.push(format!("{}: {}", member.name(), without_taste(member.type_name())));
        all.extend(spelled(member.members()));
    }
    all
}

#[test]
fn members_types_are_spelled_with_their_arguments() {
    let Some(whole) = WHOLE.compile(SOURCE) else { return };
    let theirs = spelled(&whole.layout("user").members);
    assert!(theirs.contains(&"most: outer<const short *>::inner::most<n::in<int>>".to_owned()));
    for way in SIMPLE {
        let simple = way.compile(SOURCE).unwrap();
        assert_eq!(spelled(&simple.layout("user").members), theirs, "{way}");
    }
}

#[test]
fn classes_around_a_type_in_a_unit_of_its_own_are_spelled() {
    let typed = Toolchain { flags: &["-c", "-gdwarf-5", "-fdebug-types-section"], ..WHOLE };
    let (Some(whole), Some(typed)) = (WHOLE.compile(SOURCE), typed.compile(SOURCE)) else { return };
    assert_eq!(spelled(&typed.layout("user").members), spelled(&whole.layout("user").members));
}

#[test]
fn they_are_found_by_the_names_that_are_spelled() {
    let Some(whole) = WHOLE.compile(SOURCE) else { return };
    for way in SIMPLE {
        let simple = way.compile(SOURCE).unwrap();
        for name in [
            "box<int, 3>",
            "struct box<unsigned char,1u>",
            "outer<int>::inner",
            "outer<short const*>::inner::most<n::in<int>>",
            "inner::most<n::in<int>>",
            "pack<>",
            "pack<int, char*, box<int, 3> >",
            "union either<short>",
            "takes<outer>",
            "calls<void (int)>",
            "address<&variable>",
            "n::in<n::in<const char*>>",
            "(anonymous namespace)::hidden<int>",
            "values<true, 'a', -1>",
            "same<long int>",
            r"values<true, '\141', -1>",
            "values<true, 97, -1>",
            "n::by<n::e::B>",
            "n::by<(n::e)1>",
            "of<(E)1, (K)98, (n::e2)5, (n::holds::z)0, (n::(anonymous namespace)::hid)0>",
            "of<B, K::Y, n::Q, n::holds::Z, n::(anonymous namespace)::H>",
            r"chars<'\0', '\012', '\'', '\\', '\37777777600', '\377', '\033', '?'>",
            r"chars<0, 10, 39, 92, -128, -1, 27, 63>",
            "kind<std::nullptr_t>",
            "kind<decltype(nullptr)>",
            "kind<int (same<int>::*)(void) const &>",
            "kind<int (*)(void)>",
        ] {
            // One that is only asked for here: what is a scope in the other's name is spelled otherwise.
            let found = simple.find(name, None).unwrap();
            assert_eq!(found.len(), 1, "{name} by {way}: {found:#?}");
            let layout = &found[0].layout;
            if let [same] = whole.find(name, None).unwrap().as_slice() {
                assert_eq!(
                    without_taste(&same.layout.type_name),
                    layout.type_name,
                    "{name} by {way}"
                );
                assert_eq!(spelled(&same.layout.members), spelled(&layout.members), "{name}");
            }
        }
        for name in
            ["box<int, 4000>", "outer<long>::inner", "pack<int>", "same<short>", "n::box<int, 3>"]
        {
            assert_eq!(simple.find(name, None).unwrap(), [], "{name} by {way}");
        }
        // Without arguments it stands for all, however alike they are.
        assert_eq!(simple.find("same", None).unwrap().len(), 2, "{way}");
        assert_eq!(simple.find("outer::inner", None).unwrap().len(), 3, "{way}");
    }
}

#[test]
fn a_declaration_leads_to_the_definition_with_its_arguments() {
    let header = "
        template <class T> struct poly { T t; virtual void f(); };
        template <class T> void poly<T>::f() {}
        extern template struct poly<int>; extern template struct poly<float>;";
    let declares = format!(
        "{header} struct user {{ poly<int> i; poly<float> f; }}; user *keep() {{ return new user; }}"
    );
    let defines = format!("{header} template struct poly<float>; template struct poly<int>;");
    let whole =
        Toolchain { program: "clang++", flags: &["-shared", "-fPIC", "-nostdlib", "-gdwarf-5"] };
    let simple = Toolchain {
        flags: &["-shared", "-fPIC", "-nostdlib", "-gdwarf-5", "-gsimple-template-names"],
        ..whole
    };
    for way in [whole, simple] {
        let Some(compiled) = way.compile_all(&[("a", &declares), ("b", &defines)]) else { return };
        for (path, type_name) in [("i.t", "int"), ("f.t", "float")] {
            assert_eq!(compiled.member("user", path).type_name(), type_name, "{path} by {way}");
        }
    }
}

/// `struct s<s>` with a member of the last of a chain of structs, each an argument of the next some times.
fn chain(length: usize, arguments: usize) -> Dies {
    let mut dies = Dies::of(5, RunTimeEndian::Little, dw::DW_LANG_C_plus_plus_14);
    let mut inner = dies.int();
    for _ in 0..length {
        let outer = dies.aggregate(dw::DW_TAG_structure_type, "t", 4);
        for _ in 0..arguments {
            let parameter = dies.add(outer, dw::DW_TAG_template_type_parameter);
            dies.type_of(parameter, inner);
        }
        inner = outer;
    }
    let whole = dies.aggregate(dw::DW_TAG_structure_type, "s", 4);
    dies.member(whole, "m", inner, 0);
    // Its own argument.
    let parameter = dies.add(whole, dw::DW_TAG_template_type_parameter);
    dies.set(parameter, dw::DW_AT_type, AttributeValue::UnitRef(whole));
    dies
}

#[test]
fn arguments_without_end_are_cut_short() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("made.o");
    for (length, arguments) in [(1, 1), (10_000, 1), (1000, 2), (1000, 30)] {
        std::fs::write(&file, chain(length, arguments).elf()).unwrap();
        let found = find_in(&file, "s", None, None).unwrap();
        let [found] = found.as_slice() else { panic!("{found:?}") };
        let itself = "s<".repeat(13);
        assert_eq!(found.layout.type_name, format!("struct {itself}s<…>{}", ">".repeat(13)));
        let spelled = found.layout.members.get(0).unwrap().type_name();
        assert!(spelled.len() < 100_000, "{length} {arguments}: {}", spelled.len());
        assert_eq!(spelled.as_str() == "t<int>", length == 1);
        assert_eq!(spelled.contains('…'), length > 1);
    }
}

#[test]
fn arguments_are_cut_at_a_depth_and_not_by_what_was_met_before() {
    let mut dies = Dies::of(5, RunTimeEndian::Little, dw::DW_LANG_C_plus_plus_14);
    let mut types = vec![dies.int()];
    for level in 0..20 {
        let outer = dies.aggregate(dw::DW_TAG_structure_type, &format!("t{level}"), 4);
        let parameter = dies.add(outer, dw::DW_TAG_template_type_parameter);
        dies.type_of(parameter, types[level]);
        types.push(outer);
    }
    // The outermost, which has all others in it, before or behind one of these.
    for (name, order) in [("s", [20, 10]), ("r", [10, 20])] {
        let whole = dies.aggregate(dw::DW_TAG_structure_type, name, 8);
        dies.member(whole, "a", types[order[0]], 0);
        dies.member(whole, "b", types[order[1]], 4);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("made.o");
    std::fs::write(&file, dies.elf()).unwrap();
    let members = |name| -> Vec<String> {
        let found = find_in(&file, name, None, None).unwrap();
        found[0].layout.members.iter().map(|member| member.type_name().to_string()).collect()
    };
    let (one, other) = (members("s"), members("r"));
    assert_eq!((&one[0], &one[1]), (&other[1], &other[0]));
    assert_eq!(one[1], "t9<t8<t7<t6<t5<t4<t3<t2<t1<t0<int>>>>>>>>>>");
    assert!(one[0].ends_with("t7<t6<…>>>>>>>>>>>>>>"), "{}", one[0]);
}
