//! What does llvm-symbolizer say is at an address?

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value as Json;

/// The functions at each address of a file, innermost first.
pub(crate) fn symbolized(places: &[(&str, u64)], options: &[&str]) -> Vec<Vec<Json>> {
    let questions: String =
        places.iter().map(|(module, address)| format!("\"{module}\" {address:#x}\n")).collect();
    let mut symbolizer = Command::new("llvm-symbolizer");
    symbolizer.arg("--output-style=JSON").args(options);
    let mut child = symbolizer.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(questions.as_bytes()).unwrap();
    let answers = child.wait_with_output().unwrap().stdout;
    let answers = serde_json::Deserializer::from_slice(&answers).into_iter::<Json>();
    let symbols = |answer: Json| answer["Symbol"].as_array().unwrap().clone();
    let answers: Vec<Vec<Json>> = answers.map(|answer| symbols(answer.unwrap())).collect();
    assert_eq!(answers.len(), places.len());
    answers
}
