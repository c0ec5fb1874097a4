//! Which words of a text name a person or a machine?
//!
//! A name is known by where it stands: below `/home`, before or behind an `@`, behind `://` or `user`.
//! Once known it is found wherever it stands as a word.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use rustc_hash::FxHashSet;

use super::paths;
use super::placeholders::Placeholders;

/// Names kept, so that no text makes them many.
const MOST: usize = 100_000;

/// Words that name everyone's users and machines, or that sentences have for other things.
const COMMON: [&str; 26] = [
    "root",
    "user",
    "users",
    "host",
    "home",
    "admin",
    "daemon",
    "nobody",
    "qemu",
    "libvirt",
    "xen",
    "system",
    "session",
    "localhost",
    "localdomain",
    "path",
    "string",
    "address",
    "name",
    "build",
    "test",
    "shared",
    "the",
    "and",
    "plt",
    "entry",
];

/// The regular expression, which is right: none only where it is not.
pub(super) fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

/// Where names stand. Behind `://` and `@` comes a host, before `@` a person; an option or a field
/// tells either.
static PLACES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(concat!(
        r"://(?:(?P<user1>[\w.+-]+)(?::[^@/\s]*)?@)?(?P<host1>[A-Za-z\d][\w.-]*)",
        r"|\b(?P<user2>[A-Za-z_][\w.+-]*)@(?:(?P<host2>[A-Za-z][A-Za-z\d-]*(?:\.[A-Za-z\d-]+)+)",
        r"|(?P<host5>[A-Za-z][A-Za-z\d-]*)(?:[\s:]|$))",
        r"|(?i:\b(?:user(?:name)?|logname)[=:] ?)(?P<user3>[A-Za-z_][\w.-]*)",
        r"|(?i:\bhost(?:name)?[=:] ?)(?P<host3>[A-Za-z\d][\w.-]*)",
        r"|\b[Uu][Ii][Dd][=:] ?\d+ ?\((?P<user4>[A-Za-z_][\w.-]*)\)",
        r"|^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d (?P<host4>[A-Za-z\d][\w.-]*) [\w./-]+(?:\[\d+\])?:",
    ))
});

/// IPv4; the hardware's; IPv6, of which a short one only in the ranges that are given out.
static NUMBERS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(concat!(
        r"\b(?:\d{1,3}\.){3}\d{1,3}\b",
        r"|\b(?:[\da-fA-F]{2}:){5}[\da-fA-F]{2}\b",
        r"|\b(?:[\da-fA-F]{1,4}:){7}[\da-fA-F]{1,4}\b",
        r"|\b(?:fe80|f[cd][\da-f]{2}|2[\da-f]{3}):[\da-f:]*::?[\da-f]{1,4}\b",
    ))
});

static WORD: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"\w[\w.-]*\w"));

/// The names of a trace.
#[derive(Debug, Default)]
pub(super) struct Names {
    users: FxHashSet<String>,
    hosts: FxHashSet<String>,
}

impl Names {
    /// Keeps the names whose place in the text tells what they are.
    pub(super) fn learn(&mut self, text: &str) {
        for user in paths::users(text) {
            keep(&mut self.users, user);
        }
        let places = PLACES.as_ref().filter(|_| text.contains(['@', ':', '=']));
        for found in places.into_iter().flat_map(|places| places.captures_iter(text)) {
            let any = |names: &[&str]| {
                names.iter().find_map(|name| found.name(name)).map(|name| name.as_str())
            };
            let host = any(&["host1", "host2", "host3", "host4", "host5"]);
            // `malloc@plt` is no one.
            if host.is_some_and(|host| COMMON.contains(&host)) {
                continue;
            }
            if let Some(user) = any(&["user1", "user2", "user3", "user4"]) {
                keep(&mut self.users, user);
            }
            if let Some(host) = host {
                keep(&mut self.hosts, host);
            }
        }
    }

    /// The text with its names as their placeholders.
    pub(super) fn replace<'t>(
        &self,
        text: &'t str,
        users: &mut Placeholders,
        hosts: &mut Placeholders,
    ) -> Cow<'t, str> {
        let has_number =
            text.bytes().any(|byte| byte.is_ascii_digit()) && text.contains(['.', ':']);
        let numbered = match NUMBERS.as_ref().filter(|_| has_number) {
            Some(number) => number.replace_all(text, |found: &Captures<'_>| match &found[0] {
                everyones @ ("127.0.0.1" | "0.0.0.0" | "00:00:00:00:00:00") => everyones.to_owned(),
                number => hosts.of(number),
            }),
            None => text.into(),
        };
        if self.users.is_empty() && self.hosts.is_empty() {
            return numbered;
        }
        let Some(word) = WORD.as_ref() else { return numbered };
        let replaced =
            word.replace_all(&numbered, |found: &Captures<'_>| self.word(&found[0], users, hosts));
        match replaced {
            Cow::Owned(replaced) => replaced.into(),
            Cow::Borrowed(_) => numbered,
        }
    }

    /// The word, or what stands for it or its parts: `alice-laptop`, `db.example.org`.
    fn word(&self, word: &str, users: &mut Placeholders, hosts: &mut Placeholders) -> String {
        let mut one = |word: &str| {
            if self.hosts.contains(word) {
                Some(hosts.of(word))
            } else {
                self.users.contains(word).then(|| users.of(word))
            }
        };
        if let Some(placeholder) = one(word) {
            return placeholder;
        }
        let parts = word.split_inclusive(['-', '.']);
        let part = |part: &str| {
            let name = part.trim_end_matches(['-', '.']);
            one(name).map_or_else(|| part.to_owned(), |new| new + &part[name.len()..])
        };
        parts.map(part).collect()
    }
}

fn keep(names: &mut FxHashSet<String>, name: &str) {
    let name = name.trim_end_matches(['.', '-']);
    let letters = name.bytes().any(|byte| byte.is_ascii_alphabetic());
    if name.len() >= 3 && letters && !COMMON.contains(&name) && names.len() < MOST {
        names.insert(name.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(learned: &[&str], text: &str) -> String {
        let mut names = Names::default();
        learned.iter().for_each(|text| names.learn(text));
        let (mut users, mut hosts) = (Placeholders::new("user"), Placeholders::new("host"));
        names.replace(text, &mut users, &mut hosts).into_owned()
    }

    #[test]
    fn a_name_is_known_by_its_place_and_found_anywhere() {
        for (learned, text, expected) in [
            ("/home/alice/x.c", "alice said, malice-free", "<user-1> said, malice-free"),
            ("alice@db1.example.org:~$ gdb", "db1.example.org", "<host-1>"),
            ("qemu+ssh://bob@build7/system", "bob at build7:", "<user-1> at <host-1>:"),
            ("USER=carol HOSTNAME=mars", "carol-mars", "<user-1>-<host-1>"),
            ("UID: 1000 (dora)", "dora", "<user-1>"),
            ("Nov  9 08:24:57 venus libvirtd[4836]: x", "on venus", "on <host-1>"),
            ("/home/user/x.c", "the user is here", "the user is here"),
            ("Thread 1 (LWP 7)", "nothing", "nothing"),
            ("ssh eve@pluto", "eve@pluto", "<user-1>@<host-1>"),
            (
                "malloc@plt a::b@entry=1 memcpy@GLIBC_2.14 c@@V:",
                "malloc plt entry GLIBC memcpy",
                "malloc plt entry GLIBC memcpy",
            ),
        ] {
            assert_eq!(replaced(&[learned], text), expected, "{learned}");
        }
    }

    #[test]
    fn numbers_of_machines_are_names() {
        for (text, expected) in [
            ("from 10.0.3.7:16509 to 127.0.0.1", "from <host-1>:16509 to 127.0.0.1"),
            ("mac 00:16:3e:5d:aa:7b up", "mac <host-1> up"),
            ("on fe80::216:3eff:fe5d:aa7b", "on <host-1>"),
            (
                "2012-11-09 08:24:57.660 add::fade a.c:12:3",
                "2012-11-09 08:24:57.660 add::fade a.c:12:3",
            ),
        ] {
            assert_eq!(replaced(&[], text), expected);
        }
    }
}
