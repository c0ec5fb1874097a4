//! What was found out about questions to one file, so that a process finds it out once.

use std::sync::Mutex;

use rustc_hash::FxHashMap;

use super::debug_file::lock;

/// Bytes of a question and its answer that are held at most: two thousand definitions that all differ. What
/// is larger is of all types together.
const LARGEST: usize = 64 << 10;

/// Bytes that are held at most; all of them then make room.
const ROOM: usize = 1 << 20;

/// Answers by question.
#[derive(Debug, Default)]
pub(super) struct Answers {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    by_question: FxHashMap<String, Vec<u8>>,
    bytes: usize,
}

impl Answers {
    /// What was held of a question.
    pub(super) fn get(&self, question: &str) -> Option<Vec<u8>> {
        lock(&self.held).by_question.get(question).cloned()
    }

    /// Holds an answer, unless it is a large one.
    pub(super) fn hold(&self, question: &str, answer: &[u8]) {
        let bytes = question.len() + answer.len();
        if bytes > LARGEST {
            return;
        }
        let mut held = lock(&self.held);
        if held.bytes + bytes > ROOM {
            *held = Held::default();
        }
        held.bytes += bytes;
        let before = held.by_question.insert(question.to_owned(), answer.to_owned());
        held.bytes -= before.map_or(0, |before| question.len() + before.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_has_a_bound() {
        let answers = Answers::default();
        answers.hold("small", b"answer");
        answers.hold("large", &[0; LARGEST]);
        assert_eq!(answers.get("small").unwrap(), b"answer");
        assert_eq!(answers.get("large"), None);
        for number in 0..5_000 {
            answers.hold(&number.to_string(), &[0; 100]);
            answers.hold(&number.to_string(), &[0; 1000]);
            let held = lock(&answers.held);
            let sum: usize =
                held.by_question.iter().map(|(one, other)| one.len() + other.len()).sum();
            assert!(held.bytes <= ROOM && sum == held.bytes);
        }
        assert_eq!(answers.get("4999").unwrap().len(), 1000);
        assert_eq!(answers.get("small"), None);
    }
}
