//! Values of many kinds as a real gdb prints them, read into trees, against what gdb's own API says of
//! each: kinds, members by name and order, addresses with their symbols and strings.

#![allow(clippy::unwrap_used)] // Helpers of tests are not tests to clippy.

mod tools;

use std::path::Path;
use std::process::Command;

use dbgmate::job::Job;
use dbgmate::trace::{Piece, Value, ValueKind, parse};
use serde_json::Value as Json;
use tools::have;

/// What gdb prints with these commands, of tests/fixtures/values.cc where it stops.
fn gdb(commands: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("values");
    let compiled = Command::new("g++")
        .args(["-g", "-O0", "-o"])
        .arg(&program)
        .arg(root.join("tests/fixtures/values.cc"))
        .status()
        .unwrap();
    assert!(compiled.success());
    let mut gdb = Command::new("gdb");
    gdb.args(["-nx", "-q", "-batch", "-ex", "set debuginfod enabled off"]);
    gdb.args(["-ex", "break stop", "-ex", "run"]);
    for command in commands {
        gdb.args(["-ex", command]);
    }
    let output = gdb.arg(&program).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Why a value is not what gdb's API says, if so.
fn differs(value: &Value, tree: &Json) -> Option<String> {
    let kind = tree["kind"].as_str().unwrap();
    let wrong = |what: String| Some(format!("{what}: {value:?}, but gdb has {tree}"));
    let text = without_repeats(&value.text);
    // A reference: where it leads, then what is there.
    let text =
        text.split_once("&) @").and_then(|(_, to)| to.split_once(": ")).map_or(text, |(_, to)| to);
    match kind {
        "struct" => {
            let expected = tree["fields"].as_array().unwrap();
            if value.kind != ValueKind::Struct || expected.len() != value.fields.len() {
                return wrong(format!("{} members", value.fields.len()));
            }
            expected.iter().zip(&value.fields).find_map(|(expected, field)| {
                if expected["name"] != field.name.as_str() {
                    return wrong(format!("member {}", field.name));
                }
                differs(&field.value, &expected["value"])
            })
        }
        "array" => {
            let expected = tree["elements"].as_array().unwrap();
            let elements: Vec<&Value> = value.elements.iter().flat_map(repeated).collect();
            if value.kind != ValueKind::Array || expected.len() != elements.len() {
                return wrong(format!("{} elements", elements.len()));
            }
            expected.iter().zip(elements).find_map(|(expected, element)| differs(element, expected))
        }
        "string" => {
            let same = value.kind == ValueKind::String
                && tree["string"] == value.string.as_deref().unwrap();
            if same { None } else { wrong("string".to_owned()) }
        }
        "pointer" => {
            let address = value.address.map(|address| address.0);
            let string = value.string.as_deref();
            // gdb shows the symbols of static storage only.
            // It shows functions of C++ with their parameters.
            let name = |symbol: &str| symbol.split('(').next().unwrap().to_owned();
            let known = tree["symbol"].as_str().map(name);
            let symbol =
                value.symbol.as_deref().map(name).is_none_or(|symbol| known == Some(symbol));
            let same = value.kind == ValueKind::Pointer
                && tree["address"].as_u64() == address
                && tree["string"].as_str() == string
                && symbol;
            if same { None } else { wrong("pointer".to_owned()) }
        }
        "enum" => match tree["name"].as_str() {
            Some(name) if value.kind == ValueKind::Name && text == name => None,
            None if matches!(value.kind, ValueKind::Name | ValueKind::Scalar) => None,
            _ => wrong("enumerator".to_owned()),
        },
        "scalar" => {
            let first = text.split(' ').next().unwrap();
            let same = match (&tree["number"], &tree["float"], &tree["shown"]) {
                (Json::String(number), ..) => first == number,
                (_, Json::String(float), _) => {
                    let (read, gdbs) = (first.parse::<f64>(), float.parse::<f64>().unwrap());
                    first.starts_with("nan") && gdbs.is_nan()
                        || read.is_ok_and(|read| {
                            (read - gdbs).abs() <= gdbs.abs() * 1e-6 || read == gdbs
                        })
                }
                (_, _, Json::String(shown)) => first == shown,
                _ => false,
            };
            if same && value.kind == ValueKind::Scalar { None } else { wrong("scalar".to_owned()) }
        }
        other => wrong(format!("unknown kind {other}")),
    }
}

fn without_repeats(text: &str) -> &str {
    text.split_once(" <repeats ").map_or(text, |(text, _)| text)
}

/// An element as often as it stands for.
fn repeated(element: &Value) -> impl Iterator<Item = &Value> {
    let counted =
        element.text.rsplit_once(" <repeats ").and_then(|(_, count)| count.strip_suffix(" times>"));
    // Strings repeat characters inside.
    let counted = counted.filter(|_| element.kind != ValueKind::String);
    // gdb ends a long array with three dots.
    let times =
        if element.text == "..." { 0 } else { counted.map_or(1, |count| count.parse().unwrap()) };
    std::iter::repeat_n(element, times)
}

#[test]
fn trees_are_what_gdbs_api_says() {
    if !have(&["gdb", "g++"]) {
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gdb/value_trees.py");
    let printed = gdb(&[&format!("source {}", script.display())]);
    let values: Vec<Json> = printed
        .lines()
        .filter(|line| line.starts_with("{\"expression\""))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(values.len() > 120, "{printed}");
    let mut wrong = Vec::new();
    for shown in &values {
        let (expression, text) =
            (shown["expression"].as_str().unwrap(), shown["printed"].as_str().unwrap());
        let trace = parse(&Job::new(), &[Piece::unnamed(&format!("(gdb) p {expression}\n{text}"))])
            .unwrap();
        let [value] = trace.values.as_slice() else {
            wrong.push(format!("{expression}: {} values in {text}", trace.values.len()));
            continue;
        };
        assert_eq!(value.expression.as_deref(), Some(expression));
        if let Some(difference) = differs(&value.value, &shown["tree"]) {
            wrong.push(format!("{expression}: {text}  {difference}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_value_is_of_the_frame_and_thread_that_gdb_was_at() {
    if !have(&["gdb", "g++"]) {
        return;
    }
    let commands = [
        "bt",
        "echo (gdb) frame 1\\n",
        "frame 1",
        "echo (gdb) p number\\n",
        "p number",
        "echo (gdb) frame 0\\n",
        "frame 0",
        "echo (gdb) p *watched\\n",
        "p *watched",
    ];
    let trace = parse(&Job::new(), &[Piece::unnamed(&gdb(&commands))]).unwrap();
    let shown: Vec<_> = trace
        .values
        .iter()
        .map(|value| (value.expression.as_deref(), value.stack, value.frame, value.value.kind))
        .collect();
    let expected = [
        (Some("number"), Some(0), Some(1), ValueKind::Scalar),
        (Some("*watched"), Some(0), Some(0), ValueKind::Struct),
    ];
    assert_eq!(shown, expected);
    let arguments: Vec<&str> =
        trace.stacks[0].frames[0].arguments.iter().map(|argument| argument.name.as_str()).collect();
    assert_eq!(arguments, ["watched", "why", "fd"]);
}
