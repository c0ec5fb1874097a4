//! Types as they are spelled, given back to the compiler: it says whether they are those of the source.

use std::fs;
use std::process::Command;

use dbgmate::api::layout::LayoutForm;

use super::toolchain::{CLANG, CLANGXX, GCC, GXX, Toolchain, run};

const SOURCE: &str = "
    typedef char text[8];
    typedef int (*callback)(int, const char *);
    typedef void function(struct s *, int);
    struct s {
        const char *const constant;
        int *const volatile twice;
        int *volatile const *behind;
        volatile struct s *restrict self;
        int *const many[3];
        _Atomic(int *) atomic;
        const _Atomic(int *) both;
        _Atomic int *to_atomic;
        char (*const array)[8];
        const int *(*rows)[2][3];
        int *const (*pointers)[3];
        const text words[2];
        char *(*const call)(const volatile char *);
        int (*(*returns)(struct s *))[2];
        void (*(*handler)(void))(int, ...);
        int *const (*fixed)(int *const *);
        function *declared;
        callback callbacks[2][2];
        const volatile unsigned long long number;
        char (*rest[])[8];
    };
    struct s *g;
";

const MEMBERS: &[&str] = &[
    "constant",
    "twice",
    "behind",
    "self",
    "many",
    "atomic",
    "both",
    "to_atomic",
    "array",
    "rows",
    "pointers",
    "words",
    "call",
    "returns",
    "handler",
    "fixed",
    "declared",
    "callbacks",
    "number",
    "rest",
];

/// Compiles the source with what is asked of it.
pub(super) fn ask(toolchain: Toolchain, source: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(if toolchain.program.contains("++") { "a.cc" } else { "a.c" });
    fs::write(&path, source).unwrap();
    let machine = toolchain.flags.iter().filter(|flag| flag.starts_with("-m"));
    run(Command::new(toolchain.program).args(machine).args(["-w", "-fsyntax-only"]).arg(&path));
}

#[test]
fn a_spelled_type_is_the_members() {
    for toolchain in [GCC, CLANG] {
        let Some(compiled) = toolchain.compile(SOURCE) else { continue };
        let mut source = SOURCE.to_owned();
        for name in MEMBERS {
            let type_name = compiled.member("struct s", name).type_name().clone();
            // Pointers to both: qualifiers of the types themselves would not count.
            source += &format!(
                "_Static_assert(__builtin_types_compatible_p(\
                     __typeof__(&((struct s *)0)->{name}), __typeof__({type_name}) *), \
                 \"{name}: {type_name}\");\n"
            );
        }
        ask(toolchain, &source);
    }
}

#[test]
fn rows_of_an_array_and_arrays_that_are_qualified_have_their_type() {
    let source = "
        struct s { void (*calls[2][3])(int); int *const volatile many[2][3]; const volatile int numbers[2][3]; int (*const *arrays[2][3])[4]; };
        struct s *g;";
    for toolchain in [GCC, CLANG] {
        let Some(compiled) = toolchain.compile(source) else { continue };
        let mut asked = source.to_owned();
        for path in ["calls", "many", "numbers", "arrays"] {
            for path in [path.to_owned(), format!("{path}[1]"), format!("{path}[1][2]")] {
                let type_name = compiled.member("struct s", &path).type_name().clone();
                asked += &format!(
                    "_Static_assert(__builtin_types_compatible_p(\
                         __typeof__(&((struct s *)0)->{path}), __typeof__({type_name}) *), \
                     \"{path}: {type_name}\");\n"
                );
            }
        }
        ask(toolchain, &asked);
    }
}

#[test]
fn the_layout_form_declares_the_members() {
    for toolchain in [GCC, CLANG] {
        let Some(compiled) = toolchain.compile(SOURCE) else { continue };
        let told = compiled.rendered("struct s", LayoutForm::Layout);
        let mut source = format!("{SOURCE}\n{}", told.replacen("struct s {", "struct told {", 1));
        for name in MEMBERS {
            source += &format!(
                "_Static_assert(__builtin_types_compatible_p(\
                     __typeof__(&((struct s *)0)->{name}), __typeof__(&((struct told *)0)->{name})), \
                 \"{name}\");\n"
            );
        }
        ask(toolchain, &source);
    }
}

#[test]
fn vectors_are_no_arrays() {
    let source = "
        #define V(n) __attribute__((vector_size(n)))
        typedef float four V(16);
        struct s {
            V(16) float plain; four named; V(8) short many[3][2]; V(16) int *pointer; const V(32) char fixed;
            V(16) int (*call)(V(16) float, const V(16) float *); four (*rows)[2]; V(16) int *const pointers[2];
            V(16) const volatile int *both; V(16) int (*of_array)[2];
        };
        struct s *g;";
    let names =
        "plain named many pointer fixed call rows pointers both of_array many[1] many[1][1]";
    for toolchain in [GCC, CLANG] {
        let Some(compiled) = toolchain.compile(source) else { continue };
        let told = compiled.rendered("struct s", LayoutForm::Layout);
        let mut asked = format!("{source}\n{}", told.replacen("struct s {", "struct told {", 1));
        for path in names.split(' ') {
            let type_name = compiled.member("struct s", path).type_name().clone();
            // GCC writes no `const` of a vector.
            if toolchain.program == "gcc" && matches!(path, "fixed" | "both") {
                continue;
            }
            for theirs in [
                format!("__typeof__({type_name}) *"),
                format!("__typeof__(&((struct told *)0)->{path})"),
            ] {
                asked += &format!(
                    "_Static_assert(__builtin_types_compatible_p(\
                         __typeof__(&((struct s *)0)->{path}), {theirs}), \"{path}: {type_name}\");\n"
                );
            }
        }
        ask(toolchain, &asked);
        ask(
            toolchain,
            &format!("{source}\n{}", compiled.rendered("struct s", LayoutForm::Asserts)),
        );
        assert_eq!(compiled.member("struct s", "plain[2]").type_name(), "float");
        let plain = compiled.member("struct s", "plain").type_name().clone();
        assert_eq!(plain, "float __attribute__((vector_size(16)))");
    }
}

#[test]
fn pointers_to_members_are_spelled_around_their_class() {
    let source = "
        namespace n { struct c { int a; int f(int) { return 1; } }; }
        struct s {
            int n::c::*data; int n::c::*const constant = nullptr; int n::c::*many[2];
            int (*const &reference)[3]; int *const volatile twice = nullptr;
        };
        s *g;";
    let compiled = GXX.compile(source).unwrap();
    let mut asked = source.to_owned();
    for name in ["data", "constant", "many", "reference", "twice"] {
        let type_name = compiled.member("s", name).type_name().clone();
        asked += &format!(
            "static_assert(__is_same(decltype(s::{name}), {type_name}), \"{name}: {type_name}\");\n"
        );
    }
    ask(GXX, &asked);
}

/// Pointers to member functions, whose object is no parameter of theirs.
const METHODS: &str = "
    struct b { int f(int) const; };
    template <class T> struct one { T t; };
    typedef int qualified(int) const;
    struct s {
        int (b::*reads)(int) const; int (b::*moves)() volatile; int (b::*both)(int, ...) const volatile &;
        void (b::*ends)() &&; int (b::*const fixed)() = nullptr; int (b::*many[3])(int) const; qualified b::*named;
        int (*(b::*returns)(int) const)(char); void (b::*takes)(void (b::*)() const); int (*plain)(b *);
        one<int (b::*)(int) const> in;
    };
    s *keep(s *t) { return new s(*t); }";

#[test]
fn pointers_to_member_functions_are_spelled_without_their_object() {
    let names = "reads moves both ends fixed many named returns takes plain in";
    for toolchain in [GXX, CLANGXX] {
        let Some(compiled) = toolchain.compile(METHODS) else { continue };
        let told =
            compiled.rendered("s", LayoutForm::Layout).replacen("struct s {", "struct told {", 1);
        let mut asked = format!("{METHODS}\n{told}");
        for name in names.split(' ') {
            let type_name = compiled.member("s", name).type_name().clone();
            // What is told has no values to begin with.
            for theirs in [format!("{type_name}"), format!("decltype(told::{name})")] {
                asked += &format!(
                    "static_assert(__is_same(decltype(s::{name}), {theirs}), \"{name}: {type_name}\");\n"
                );
            }
        }
        ask(toolchain, &asked);
        ask(toolchain, &format!("{METHODS}\n{}", compiled.rendered("s", LayoutForm::Asserts)));
        assert_eq!(
            compiled.member("s", "both").type_name(),
            "int (b::*)(int, ...) const volatile &"
        );
    }
}

#[test]
fn templates_of_member_functions_are_found_by_their_names() {
    let simple =
        Toolchain { program: "clang++", flags: &["-c", "-gdwarf-5", "-gsimple-template-names"] };
    for toolchain in [GXX, CLANGXX, simple] {
        let Some(compiled) = toolchain.compile(METHODS) else { continue };
        assert_eq!(compiled.find("one<int (b::*)(int) const>", None).unwrap().len(), 1);
        assert_eq!(compiled.find("one<int (b::*)(int)>", None).unwrap(), [], "{toolchain}");
    }
}

#[test]
fn pointers_to_members_of_what_has_no_namespace_are_declared() {
    let source = "
        template <class F> struct box { int a[3]; };
        namespace n { namespace { struct c { int d; int a[2]; }; } }
        namespace { struct c { int d; int a[2]; };
        struct s {
            int c::*data; int (c::*array)[2]; int (*c::*const *many)[3]; int (box<void (*)(int)>::*behind)[3];
            int (n::c::*named[2])[2]; c (*(*returns)(int c::*))[2];
        }; s *g; }
        void *keep = &g;";
    for toolchain in [GXX, CLANGXX] {
        let Some(compiled) = toolchain.compile(source) else { continue };
        let told = compiled.rendered("s", LayoutForm::Layout);
        assert!(told.contains("(anonymous namespace)::c::*data;"), "{told}");
        // The compiler has no word for it: within it, none is needed.
        let told =
            told.replace("(anonymous namespace)::", "").replacen("struct s {", "struct told {", 1);
        let mut asked = format!("{source}\nnamespace {{ {told} }}");
        for name in ["data", "array", "many", "behind", "named", "returns"] {
            asked += &format!(
                "static_assert(__is_same(decltype(s::{name}), decltype(told::{name})), \"{name}\");\n"
            );
        }
        ask(toolchain, &asked);
    }
}
