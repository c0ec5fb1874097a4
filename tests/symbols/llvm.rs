//! llvm-symbolizer's answers.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// A frame in plain words: function, file, line, column; nothing for what is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plain {
    pub(crate) function: String,
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// The frames at each address, innermost first.
pub(crate) fn symbolize(binary: &Path, addresses: &[u64]) -> Vec<Vec<Plain>> {
    let mut child = Command::new("llvm-symbolizer")
        .args(["--output-style=JSON", "--functions=linkage", "--no-demangle", "--inlines"])
        .arg(format!("--obj={}", binary.display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let lines: String = addresses.iter().map(|address| format!("{address:#x}\n")).collect();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Vec<Plain>> = text.lines().map(answer).collect();
    assert_eq!(answers.len(), addresses.len(), "one line an address");
    answers
}

fn answer(line: &str) -> Vec<Plain> {
    let answer: Value = serde_json::from_str(line).unwrap();
    let frames = answer["Symbol"].as_array().into_iter().flatten();
    let number = |frame: &Value, name: &str| frame[name].as_u64().unwrap_or(0) as u32;
    let text = |frame: &Value, name: &str| frame[name].as_str().unwrap_or_default().to_owned();
    let frames = frames.map(|frame| Plain {
        function: text(frame, "FunctionName"),
        file: text(frame, "FileName"),
        line: number(frame, "Line"),
        column: number(frame, "Column"),
    });
    frames.collect()
}
