//! Go: names with dots, and no member without a place of its own.

use std::fs;
use std::process::Command;

use super::toolchain::{Compiled, run};

const SOURCE: &str = r#"
package main

import (
    "fmt"
    "unsafe"
)

type Inner struct { a byte; b int64; c [3]uint16 }
type Outer struct {
    flag bool
    Inner
    text string
    list []Inner
    any  interface{}
    pair [2]Inner
    next *Outer
    call func(int) string
}

var kept = &Outer{text: "kept", call: func(n int) string { return fmt.Sprint(n) }}

func main() {
    var o Outer
    var i Inner
    for _, n := range []uintptr{
        unsafe.Sizeof(i), unsafe.Offsetof(i.a), unsafe.Offsetof(i.b), unsafe.Offsetof(i.c),
        unsafe.Sizeof(o), unsafe.Offsetof(o.flag), unsafe.Offsetof(o.Inner), unsafe.Offsetof(o.text),
        unsafe.Offsetof(o.list), unsafe.Offsetof(o.any), unsafe.Offsetof(o.pair),
        unsafe.Offsetof(o.pair) + unsafe.Sizeof(i) + unsafe.Offsetof(i.b),
        unsafe.Offsetof(o.next), unsafe.Offsetof(o.call),
    } {
        fmt.Println(n)
    }
    fmt.Println(kept.call(1), o, i)
}
"#;

/// What the program prints of itself, in the order of these.
const PLACES: [(&str, &[&str]); 2] = [
    ("main.Inner", &["a", "b", "c"]),
    ("main.Outer", &["flag", "Inner", "text", "list", "any", "pair", "pair[1].b", "next", "call"]),
];

#[test]
fn members_of_go_are_where_the_program_says() {
    let folder = tempfile::tempdir().unwrap();
    let (source, program) = (folder.path().join("main.go"), folder.path().join("program"));
    fs::write(&source, SOURCE).unwrap();
    let mut go = Command::new("go");
    go.args(["build", "-o"]).arg(&program).arg(&source).current_dir(&folder);
    go.env("GOCACHE", folder.path().join("cache"))
        .env("GOFLAGS", "-mod=mod")
        .env("GO111MODULE", "off");
    if run(&mut go).is_none() {
        return;
    }
    let printed = Command::new(&program).output().unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    let mut numbers = printed.lines().map_while(|line| line.parse::<u64>().ok());
    let compiled = Compiled::new(program, "go".to_owned(), folder);
    for (name, paths) in PLACES {
        assert_eq!(compiled.layout(name).size.known(), numbers.next(), "size of {name}");
        for path in paths {
            assert_eq!(compiled.member(name, path).offset(), numbers.next(), "{name}.{path}");
        }
    }
    assert_eq!(numbers.next(), None);
    // What the language itself is made of is a struct like any other.
    assert_eq!(compiled.member("string", "len").offset(), Some(8));
    assert_eq!(compiled.member("[]main.Inner", "cap").offset(), Some(16));
    let bytes = compiled.path().with_extension("bytes");
    fs::write(&bytes, "01 00 00 00 00 00 00 00 07 00 00 00 00 00 00 00").unwrap();
    for name in ["main.Inner", "struct main.Inner"] {
        let there = asked(&compiled, &["field-at", name, "8"]);
        assert_eq!(there, "struct main.Inner.b  int64, at 8, 8 bytes\n");
        let says = asked(&compiled, &["decode", name, bytes.to_str().unwrap()]);
        assert!(says.contains("b = 7\n"), "{says}");
    }
    let path = asked(&compiled, &["field-at", "main.Inner.b", "0"]);
    assert_eq!(path, "", "a member path is refused");
}

/// What dbgmate answers.
fn asked(compiled: &Compiled, arguments: &[&str]) -> String {
    let mut program = Command::new(env!("CARGO_BIN_EXE_dbgmate"));
    let home = compiled.path().parent().unwrap();
    program.args(["--daemon", "never"]).args(arguments).arg("--binary").arg(compiled.path());
    program.env("HOME", home).env("XDG_CACHE_HOME", home).env("XDG_CONFIG_HOME", home);
    String::from_utf8(program.output().unwrap().stdout).unwrap()
}
