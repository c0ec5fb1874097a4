//! The two text forms of a layout, as a person reads them.

use dbgmate::api::layout::LayoutForm;

use super::toolchain::{Compiled, GCC};

const SOURCE: &str = include_str!("../fixtures/layouts_text.c");

fn script(compiled: &Compiled, type_name: &str) -> String {
    compiled.rendered(type_name, LayoutForm::Script)
}

fn layout(compiled: &Compiled, type_name: &str) -> String {
    compiled.rendered(type_name, LayoutForm::Layout)
}

#[test]
fn the_script_form_is_member_and_offset() {
    let compiled = GCC.compile(SOURCE).unwrap();
    insta::assert_snapshot!(script(&compiled, "struct request"), @r#"
    struct request {
        tag => 0
        ready => 1 (bit 0)
        kind => 1 (bits 1-3)
        flags => 4 (bits 0-19)
        next => 8
        prev => 16
        done => 24
        compare => 32
        handlers => 40
        x => 64
        y => 66
        both => 64
        many => 64
        names => 104
        spare => 168
        state => 184
        last => 188
        rest => 189
    }
    "#);
    insta::assert_snapshot!(script(&compiled, "enum state"), @r#"
    enum state {
        IDLE = 0
        BUSY = 5
        GONE = -1
    }
    "#);
    insta::assert_snapshot!(script(&compiled, "struct empty"), @r#"
    struct empty {
    }
    "#);
}

#[test]
fn the_script_form_of_a_member_is_one_line() {
    let compiled = GCC.compile(SOURCE).unwrap();
    insta::assert_snapshot!(script(&compiled, "request.many.buffers[1].length"), @r#"
    struct request.many.buffers[1].length => 96
    "#);
    insta::assert_snapshot!(script(&compiled, "request.kind"), @r#"
    struct request.kind => 1 (bits 1-3)
    "#);
}

#[test]
fn types_without_members_are_one_line() {
    let compiled = GCC.compile(SOURCE).unwrap();
    for form in [script, layout] {
        let lines = [form(&compiled, "size"), form(&compiled, "done_fn")].concat();
        let lines = lines.replace("/* ", "// ").replace(" */", "");
        insta::allow_duplicates! { insta::assert_snapshot!(lines, @r#"
        long unsigned int // 8 bytes
        void (request *, int) // a function type has no size
        "#) };
    }
}

#[test]
fn the_full_form_shows_types_holes_bits_and_cache_lines() {
    let compiled = GCC.compile(SOURCE).unwrap();
    insta::assert_snapshot!(layout(&compiled, "struct request"), @r#"
    struct request { /* source.c:9 */
        char tag;                                   /*     0     1 */
        unsigned int ready : 1;                     /*     1 bit 0 */
        unsigned int kind : 3;                      /*     1 bits 1-3 */
        /* 20 bits unused */
        unsigned int flags : 20;                    /*     4 bits 0-19 */
        /* 12 bits unused */
        struct list *next;                          /*     8     8 */
        struct list **prev;                         /*    16     8 */
        done_fn *done;                              /*    24     8 */
        int (*compare)(const void *, const void *); /*    32     8 */
        void (*handlers[3])(request *);             /*    40    24 */
        /* --- cache line 1 (at 64) --- */
        union {
            struct {
                short int x;                        /*    64     2 */
                short int y;                        /*    66     2 */
            };                                      /*    64     4 */
            long int both;                          /*    64     8 */
            struct {
                int count;                          /*    64     4 */
                /* 4 bytes unused */
                struct buffer buffers[2];           /*    72    32 */
            } many;                                 /*    64    40 */
        };                                          /*    64    40 */
        const char *const names[2][4];              /*   104    64 */
        /* --- cache line 2 (at 128, 40 bytes ago) --- */
        struct buffer spare;                        /*   168    16 */
        enum state state;                           /*   184     4 */
        _Bool last;                                 /*   188     1 */
        char rest[];                                /*   189     ? */
    };
    /* size 192, 15 members, 2 holes (4 bytes), 3 bytes at the end unused, 3 cache lines */
    "#);
}

#[test]
fn the_full_form_counts_one_as_one() {
    let compiled = GCC.compile(
        "struct one { char a; long b; }; struct sole { char a; }; struct one x; struct sole y;",
    );
    let compiled = compiled.unwrap();
    insta::assert_snapshot!(layout(&compiled, "struct one"), @r#"
    struct one { /* source.c:1 */
        char a;     /*     0     1 */
        /* 7 bytes unused */
        long int b; /*     8     8 */
    };
    /* size 16, 2 members, 1 hole (7 bytes), 1 cache line */
    "#);
    insta::assert_snapshot!(layout(&compiled, "struct sole"), @r#"
    struct sole { /* source.c:1 */
        char a; /*     0     1 */
    };
    /* size 1, 1 member, 1 cache line */
    "#);
}

#[test]
fn the_full_form_of_a_member_shows_its_type_to_the_bottom() {
    let compiled = GCC.compile(SOURCE).unwrap();
    insta::assert_snapshot!(layout(&compiled, "request.many.buffers[1]"), @r#"
    struct request.many.buffers[1]:
    struct buffer {
        char *base;               /*    88     8 */
        long unsigned int length; /*    96     8 */
    } buffers[1];                 /*    88    16 */
    /* from its address p: (struct request *)((char *)p - 88) */
    "#);
    insta::assert_snapshot!(layout(&compiled, "request.kind"), @r#"
    struct request.kind:
    unsigned int kind : 3; /*     1 bits 1-3 */
    "#);
}

#[test]
fn several_definitions_say_which_is_which() {
    let sources = [
        ("one", "struct s { int a; char b; } x1;"),
        ("two", "struct s { int a; char b; } x2;"),
        ("three", "struct s { long a; } x3;"),
    ];
    let compiled = GCC.compile_all(&sources).unwrap();
    insta::assert_snapshot!(script(&compiled, "struct s"), @r#"
    // 1 of 2: one.c:1, 2 units of compiled
    struct s {
        a => 0
        b => 4
    }

    // 2 of 2: three.c:1, 1 unit of compiled
    struct s {
        a => 0
    }
    "#);
    insta::assert_snapshot!(layout(&compiled, "struct s"), @r#"
    // 1 of 2: one.c:1, 2 units of compiled
    struct s { /* one.c:1 */
        int a;  /*     0     4 */
        char b; /*     4     1 */
    };
    /* size 8, 2 members, 3 bytes at the end unused, 1 cache line */

    // 2 of 2: three.c:1, 1 unit of compiled
    struct s { /* three.c:1 */
        long int a; /*     0     8 */
    };
    /* size 8, 1 member, 1 cache line */
    "#);
}

#[test]
fn unions_and_deep_anonymous_members_keep_their_nesting() {
    let source = "union u { struct { short x, y; struct { char in; } deep; }; long l; } u;";
    let compiled = GCC.compile(source).unwrap();
    insta::assert_snapshot!(script(&compiled, "union u"), @r#"
    union u {
        x => 0
        y => 2
        deep => 4
        l => 0
    }
    "#);
    insta::assert_snapshot!(layout(&compiled, "union u"), @r#"
    union u { /* source.c:1 */
        struct {
            short int x; /*     0     2 */
            short int y; /*     2     2 */
            struct {
                char in; /*     4     1 */
            } deep;      /*     4     1 */
            /* 1 byte unused */
        };               /*     0     6 */
        long int l;      /*     0     8 */
    };
    /* size 8, 2 members, 1 cache line */
    "#);
}

#[test]
fn no_cache_line_begins_within_a_union_that_is_qualified() {
    let source = "struct s { char before[60]; const volatile union {
        struct { char first[70]; char late; } one; char all[80]; } both; } *g;";
    let told = layout(&GCC.compile(source).unwrap(), "struct s");
    assert!(told.contains(" union {") && !told.contains("--- cache line"), "{told}");
}
