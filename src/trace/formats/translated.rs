//! glibc's line about a failed assertion in the languages it is translated to.
//!
//! ```text
//! prog: a.c:3: main: Zusicherung »x == 1« nicht erfüllt.
//! prog: a.c :3 : main:  l'assertion « x == 1 » a échoué.
//! prog: a.c:3:main: 假设 ‘x == 1’ 失败。
//! ```
//! (assert/assert.c, ``%s%s%s:%u: %s%sAssertion `%s' failed.``; the catalogues po/*.po of glibc 2.36.)
//! Rule: the words around the expression are the catalogue's, the quotes any: they differ between
//! versions, and pastes make others of them.

use memchr::memchr;

use super::assertion::{CLOSING, OPENING};

/// What a translated line says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Translated<'a> {
    /// The program and the file.
    pub(super) position: &'a str,
    pub(super) line: u32,
    pub(super) function: &'a str,
    pub(super) expression: &'a str,
}

/// The words before the expression and those behind it, to the end of the line.
const WORDS: [(&str, &str); 27] = [
    ("Сцвярджэнне", "не спраўджана."),                // be
    ("Пропадна проверката за истина -", "."),         // bg
    ("L’asserció", "ha fallat."),                     // ca
    ("Předpoklad", "nesplněn."),                      // cs
    ("Zusicherung", "nicht erfüllt."),                // de
    ("Kontrolo", "malsukcesis."),                     // eo
    ("La declaración", "no se cumple."),              // es
    ("Väite", "ei pidä paikkaansa."),                 // fi
    ("l'assertion", "a échoué."),                     // fr
    ("Kontrolni test", "nije uspio."),                // hr
    ("Insuccesso del assertion", "."),                // ia
    ("asserzione", "non riuscita."),                  // it
    ("アサーション", "に失敗しました。"),             // ja
    ("assertion", "실패."),                           // ko
    ("Controletest", "faalt."),                       // nl
    ("Warunek zapewnienia", "nie został spełniony."), // pl
    ("a asserção", "falhou."),                        // pt
    ("Assertiva", "falhou."),                         // pt_BR
    ("Проверочное утверждение", "не выполнено."),     // ru
    ("Predpostavka", "spodletela."),                  // sl
    ("Тврдња", "није успела."),                       // sr
    ("Försäkran", "falsk."),                          // sv
    ("Sav", "başarısızlığa uğradı."),                 // tr
    ("Не пройдено перевірку", "."),                   // uk
    ("Khẳng định", "gặp lỗi."),                       // vi
    ("假设", "失败。"),                               // zh_CN
    ("假設", "失敗。"),                               // zh_TW
];

/// Whether the line ends as all translations do. Few lines have to be looked at further.
pub(super) fn may_be(text: &str) -> bool {
    text.ends_with(['.', '。'])
}

/// What the line says, if it is a translation of glibc's.
pub(super) fn translated(text: &str) -> Option<Translated<'_>> {
    (may_be(text) && memchr(b':', text.as_bytes()).is_some()).then_some(())?;
    let (before, expression) = WORDS.iter().find_map(|&words| around_expression(text, words))?;
    let (position, line, function) = file_and_line(before)?;
    Some(Translated { position, line, function, expression })
}

/// What is before the words of a language, and the expression within them.
fn around_expression<'a>(text: &'a str, (first, last): (&str, &str)) -> Option<(&'a str, &'a str)> {
    let (before, quoted) = text.strip_suffix(last)?.split_once(first)?;
    let expression = quoted.trim().strip_prefix(OPENING)?.strip_suffix(CLOSING)?;
    Some((before, expression.trim()))
}

/// `FILE:LINE: FUNCTION: `, with a blank before each colon in French and none behind it in Chinese.
fn file_and_line(text: &str) -> Option<(&str, u32, &str)> {
    text.rmatch_indices(':').find_map(|(at, _)| {
        let (digits, function) = text.get(at + 1..)?.split_once(':')?;
        let file = text.get(..at)?.trim_end();
        // A clock's `08:00:01` has a digit before its colon.
        (!file.is_empty() && !file.ends_with(|c: char| c.is_ascii_digit())).then_some(())?;
        Some((file, digits.trim_end().parse().ok()?, function))
    })
}

#[cfg(test)]
mod tests {
    use super::{Translated, WORDS, translated};

    #[test]
    fn each_language_is_read_with_the_quotes_of_any() {
        let expected = Translated {
            position: "prog: a.c",
            line: 3,
            function: " main: ",
            expression: "x == 1",
        };
        for (first, last) in WORDS {
            for (open, close) in [("`", "'"), ("»", "«"), ("« ", " »"), ("„", "\""), ("『", "』")]
            {
                let line = format!("prog: a.c:3: main: {first} {open}x == 1{close} {last}");
                assert_eq!(translated(&line), Some(expected.clone()), "{line}");
            }
        }
    }

    #[test]
    fn what_is_no_assertion_of_a_place_is_none() {
        for line in [
            "",
            ".",
            "Zusicherung »x« nicht erfüllt.",
            "08:00:01 prog: Zusicherung »x« nicht erfüllt.",
            "prog: a.c:3: main: Zusicherung x nicht erfüllt.",
            "prog: a.c:3: main: Zusicherung »x« nicht erfüllt. Und dann?",
            "prog: a.c:b: main: Sav `x' başarısızlığa uğradı.",
        ] {
            assert_eq!(translated(line), None, "{line}");
        }
    }
}
