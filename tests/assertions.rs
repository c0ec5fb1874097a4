//! Are failed assertions read in each language that glibc prints them in?

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use dbgmate::job::Job;
use dbgmate::trace::{EventKind, Piece, parse};

/// glibc's lines, as `de_DE.UTF-8` and others print them (glibc 2.36).
const LINES: &[&str] = &[
    "prog: a.c:3: main: Сцвярджэнне `x == 1' не спраўджана.",
    "prog: a.c:3: main: Пропадна проверката за истина - 'x == 1'.",
    "prog: a.c:3: main: L’asserció «x == 1» ha fallat.",
    "prog: a.c:3: main: Předpoklad „x == 1“ nesplněn.",
    "prog: a.c:3: main: Zusicherung »x == 1« nicht erfüllt.",
    "prog: a.c:3: main: Kontrolo 'x == 1' malsukcesis.",
    "prog: a.c:3: main: La declaración `x == 1' no se cumple.",
    "prog: a.c:3: main: Väite ”x == 1” ei pidä paikkaansa.",
    "prog: a.c\u{a0}:3\u{a0}:\u{a0}main:  l'assertion «\u{a0}x == 1\u{a0}» a échoué.",
    "prog: a.c:3: main: Kontrolni test „x == 1“ nije uspio.",
    "prog: a.c:3: main: Insuccesso del assertion `x == 1'.",
    "prog: a.c:3: main: asserzione \"x == 1\" non riuscita.",
    "prog: a.c:3: main: アサーション `x == 1' に失敗しました。",
    "prog: a.c:3: main: assertion `x == 1' 실패.",
    "prog: a.c:3: main: Controletest 'x == 1' faalt.",
    "prog: a.c:3: main: Warunek zapewnienia `x == 1' nie został spełniony.",
    "prog: a.c:3: main: a asserção \"x == 1\" falhou.",
    "prog: a.c:3: main: Assertiva “x == 1” falhou.",
    "prog: a.c:3: main: Проверочное утверждение «x == 1» не выполнено.",
    "prog: a.c:3: main: Predpostavka »x == 1« spodletela.",
    "prog: a.c:3: main: Тврдња „x == 1“ није успела.",
    "prog: a.c:3: main: Försäkran ”x == 1” falsk.",
    "prog: a.c:3: main: Sav `x == 1' başarısızlığa uğradı.",
    "prog: a.c:3: main: Не пройдено перевірку «x == 1».",
    "prog: a.c:3: main:  Khẳng định “x == 1” gặp lỗi.",
    "prog: a.c:3：main: 假设 ‘x == 1’ 失败。",
    "prog: a.c:3：main: 假設『x == 1』失敗。",
];

/// glibc's message.
const MESSAGE: &[u8] = b"%s%s%s:%u: %s%sAssertion `%s' failed.\n%n";

fn assert_read(line: &str) {
    for before in ["", "Nov 12 08:00:01 host prog[77]: "] {
        let text = format!("{before}{line}\n");
        let trace = parse(&Job::new(), &[Piece::unnamed(&text)]).unwrap();
        let expected = EventKind::Assertion {
            expression: "x == 1".to_owned(),
            file: Some("a.c".to_owned()),
            line: Some(3),
            function: Some("main".to_owned()),
            program: Some("prog".to_owned()),
        };
        let kinds: Vec<_> = trace.events.iter().map(|event| &event.what).collect();
        assert_eq!(kinds, [&expected], "{text}");
    }
}

#[test]
fn each_language_says_the_same() {
    for line in LINES {
        assert_read(line);
    }
}

/// The catalogues of the machine that runs this may be of any version of glibc, or lacking.
#[test]
fn the_catalogues_say_the_same() {
    let Ok(languages) = fs::read_dir("/usr/share/locale") else { return };
    for language in languages {
        let path = language.unwrap().path().join("LC_MESSAGES/libc.mo");
        let Some(format) = translation(&path) else { continue };
        let mut line = format.replace("%n", "").replacen("%u", "3", 1);
        for part in ["prog", ": ", "a.c", "main", ": ", "x == 1"] {
            line = line.replacen("%s", part, 1);
        }
        assert_read(line.trim_end());
    }
}

/// What a compiled catalogue (gettext's manual, "The Format of GNU MO Files") has for the message.
fn translation(path: &Path) -> Option<String> {
    let bytes = fs::read(path).ok()?;
    let word = |at: usize| {
        let word = bytes.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(word)).ok()
    };
    let string = |table: usize, index: usize| {
        let at = table + 8 * index;
        bytes.get(word(at + 4)?..)?.get(..word(at)?)
    };
    let (count, originals, translations) = (word(8)?, word(12)?, word(16)?);
    let index = (0..count).find(|&index| string(originals, index) == Some(MESSAGE))?;
    String::from_utf8(string(translations, index)?.to_vec()).ok()
}
