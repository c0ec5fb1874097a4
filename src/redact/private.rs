//! A trace without what names people, machines and their data.

use std::borrow::Cow;

use super::names::Names;
use super::paths;
use super::placeholders::{Count, Placeholders};
use super::quoted::{self, Single};
use super::visit::{self, Visit, Whose};
use crate::trace::{Trace, Value};

/// What was replaced in a trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replaced {
    /// Folders below a person's home.
    pub paths: Count,
    /// Names of people.
    pub users: Count,
    /// Names and numbers of machines.
    pub hosts: Count,
    /// Strings in values, and texts in quotes in log messages.
    pub strings: Count,
}

/// Replaces private paths, names of people and machines, and strings by placeholders.
pub fn private(trace: &mut Trace) -> Replaced {
    let mut learning = Learning::default();
    visit::trace(trace, &mut learning);
    let mut private = Private {
        names: learning.0,
        paths: Placeholders::new("path"),
        users: Placeholders::new("user"),
        hosts: Placeholders::new("host"),
        strings: Placeholders::new("string"),
    };
    visit::trace(trace, &mut private);
    Replaced {
        paths: private.paths.count(),
        users: private.users.count(),
        hosts: private.hosts.count(),
        strings: private.strings.count(),
    }
}

/// Reads the names in all texts: they may be used before they are explained.
#[derive(Default)]
struct Learning(Names);

impl Visit for Learning {
    fn path(&mut self, path: &mut String) {
        self.0.learn(path);
    }

    fn words(&mut self, words: &mut String) {
        self.0.learn(words);
    }

    fn value(&mut self, value: &mut Value, _: Whose) {
        if let Some(string) = &value.string {
            self.0.learn(string);
        }
    }
}

struct Private {
    names: Names,
    paths: Placeholders,
    users: Placeholders,
    hosts: Placeholders,
    strings: Placeholders,
}

impl Private {
    fn all(&mut self, text: &mut String) {
        if let Some(without) = changed(paths::replace(text, &mut self.paths)) {
            *text = without;
        }
        if let Some(without) = changed(self.names.replace(text, &mut self.users, &mut self.hosts)) {
            *text = without;
        }
    }

    /// The strings in the text of a value, each as its placeholder, and all of them in a row.
    fn strings(&mut self, text: &str) -> Option<(String, String)> {
        let mut joined = String::new();
        let replaced = quoted::replace(text, Single::Characters, |inside| {
            let placeholder = self.strings.of(inside);
            joined.push_str(&placeholder);
            placeholder
        })?;
        Some((replaced, joined))
    }
}

fn changed(text: Cow<'_, str>) -> Option<String> {
    match text {
        Cow::Owned(changed) => Some(changed),
        Cow::Borrowed(_) => None,
    }
}

impl Visit for Private {
    fn path(&mut self, path: &mut String) {
        match paths::replace_whole(path, &mut self.paths) {
            Some(replaced) => *path = replaced,
            None => self.all(path),
        }
    }

    fn words(&mut self, words: &mut String) {
        self.all(words);
    }

    fn message(&mut self, message: &mut String) {
        let strings = &mut self.strings;
        if let Some(text) = quoted::replace(message, Single::Names, |inside| strings.of(inside)) {
            *message = text;
        }
        self.all(message);
    }

    fn value(&mut self, value: &mut Value, whose: Whose) {
        if whose == Whose::Programs || value.symbol.as_deref().is_some_and(is_name_of_function) {
            return self.all(&mut value.text);
        }
        if let Some((text, joined)) = self.strings(&value.text) {
            value.text = text;
            if !joined.is_empty() {
                value.string = value.string.take().map(|_| joined);
            }
        }
        self.all(&mut value.text);
    }
}

/// Whether the symbol is that of the compiler's own string with a function's name.
fn is_name_of_function(symbol: &str) -> bool {
    ["__PRETTY_FUNCTION__", "__func__", "__FUNCTION__"].iter().any(|name| symbol.starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Job;
    use crate::trace::{Piece, parse};

    fn read(text: &str) -> (Trace, Replaced) {
        let mut trace = parse(&Job::new(), &[Piece::unnamed(text)]).unwrap();
        let replaced = private(&mut trace);
        (trace, replaced)
    }

    #[test]
    fn a_string_is_replaced_wherever_its_value_is_repeated() {
        let (trace, replaced) = read(
            "#0  0x1 in f (ev=0x2 \"vm1\", buf=\"vm1\", '\\000' <repeats 9 times>, n=65 'A') at f.c:1\n\
             (gdb) p *ev\n$1 = {name = 0x3 \"vm1\", path = 0x4 \"other\"}\n",
        );
        let arguments = &trace.stacks[0].frames[0].arguments;
        assert_eq!(arguments[0].value.text, "0x2 \"<string-1>\"");
        assert_eq!(arguments[0].value.string.as_deref(), Some("<string-1>"));
        assert_eq!(arguments[1].value.text, "\"<string-1>\", '\\000' <repeats 9 times>");
        assert_eq!(arguments[2].value.text, "65 'A'");
        let value = &trace.values[0].value;
        assert_eq!(value.text, "{name = 0x3 \"<string-1>\", path = 0x4 \"<string-2>\"}");
        assert_eq!(value.fields[1].value.string.as_deref(), Some("<string-2>"));
        assert_eq!(replaced.strings.different, 2);
    }

    #[test]
    fn the_programs_own_words_stay() {
        let text = "#2  0x1 in __assert_fail (assertion=0x2 \"fd == ev->fd\", file=0x3 \"libxl_event.c\", \
                    line=1020, function=0x4 <__PRETTY_FUNCTION__.0> \"occurred\") at assert.c:81\n";
        let (trace, replaced) = read(text);
        let assertion = &trace.stacks[0].frames[0].arguments[0].value;
        assert_eq!(assertion.string.as_deref(), Some("fd == ev->fd"));
        assert_eq!(replaced, Replaced::default());
    }

    #[test]
    fn what_is_private_is_nowhere_left() {
        let secrets = ["alice", "acme", "vm-secret", "mars7", "10.1.2.3"];
        let text = "alice@mars7:~$ gdb /home/alice/acme/libvirtd\n\
                    Core was generated by `/home/alice/acme/libvirtd -l'.\n\
                    #0  0x1 in f (name=0x2 \"vm-secret\") at /home/alice/acme/f.c:7\n\
                    \x20       path = 0x3 \"/home/alice/acme/vm-secret.xml\"\n\
                    #1  0x2 in main () from /home/alice/acme/lib.so\n\
                    2012-11-15 03:01:03.903+0000: 4309: error : f:1 : no domain 'vm-secret' of alice at 10.1.2.3\n\
                    (gdb) p alice\n$1 = {owner = \"alice\", home = \"/home/alice\"}\n";
        let (trace, replaced) = read(text);
        let json = serde_json::to_string(&trace).unwrap();
        for secret in secrets {
            assert!(!json.contains(secret), "{secret}: {json}");
        }
        assert!(replaced.paths.times >= 3 && replaced.users.times >= 1);
        assert_eq!((replaced.hosts.different, replaced.strings.different >= 3), (2, true));
    }

    #[test]
    fn what_was_redacted_stays_as_it_is() {
        let (mut trace, _) = read("#0  0x1 in f (s=0x2 \"a b\") at /home/alice/f.c:7\n");
        let once = trace.clone();
        private(&mut trace);
        assert_eq!(trace, once);
    }
}
