//! What stands for a text that was taken out?

use rustc_hash::FxHashMap;

/// How much was replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// How often.
    pub times: usize,
    /// How many different texts.
    pub different: usize,
}

/// The placeholders of one kind: `<path-1>`, `<path-2>`, in the order in which they are met.
#[derive(Debug)]
pub(super) struct Placeholders {
    kind: &'static str,
    numbers: FxHashMap<String, usize>,
    times: usize,
}

impl Placeholders {
    pub(super) fn new(kind: &'static str) -> Self {
        Placeholders { kind, numbers: FxHashMap::default(), times: 0 }
    }

    /// What stands for the text: always the same for the same.
    pub(super) fn of(&mut self, text: &str) -> String {
        self.times += 1;
        let next = self.numbers.len() + 1;
        let number = match self.numbers.get(text) {
            Some(number) => *number,
            None => *self.numbers.entry(text.to_owned()).or_insert(next),
        };
        format!("<{}-{number}>", self.kind)
    }

    pub(super) fn count(&self) -> Count {
        Count { times: self.times, different: self.numbers.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_has_the_same_placeholder() {
        let mut paths = Placeholders::new("path");
        let shown = ["/a", "/b", "/a"].map(|path| paths.of(path));
        assert_eq!(shown, ["<path-1>", "<path-2>", "<path-1>"]);
        assert_eq!(paths.count(), Count { times: 3, different: 2 });
    }
}
