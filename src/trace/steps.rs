//! How much work does reading a text take? Counted, so that a test can say that it grows in proportion;
//! outside of tests this is nothing.

#[cfg(test)]
thread_local! {
    static STEPS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// So many bytes are looked at, perhaps once more.
#[inline(always)]
pub(super) fn took(bytes: usize) {
    #[cfg(test)]
    STEPS.set(STEPS.get() + bytes as u64);
    #[cfg(not(test))]
    let _ = bytes;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Job;
    use crate::trace::{Piece, parse};

    fn steps(text: &str) -> u64 {
        STEPS.set(0);
        parse(&Job::new(), &[Piece::unnamed(text)]).unwrap();
        STEPS.get()
    }

    /// The beginnings of texts, and what is repeated behind them: on one line, or on many.
    const HARD: [(&str, &str); 45] = [
        ("", "x"),
        ("", "("),
        ("#0  f (a=", "("),
        ("#0  f (a=", "{"),
        ("#0  f (a=", "{a = "),
        ("#0  0x1 in ", "f(int)"),
        ("#0  0x1 in f", " ("),
        ("#0  0x1 in f", " () "),
        ("#0  f (a=", "\"\\"),
        ("#0  f (", "a=1, "),
        ("#0  f (", "a=<"),
        ("$1 = ", "{a = "),
        ("$1 = ", "{"),
        ("$1 = ", "(("),
        ("$1 = ", "[,"),
        ("$1 = ", "<"),
        ("$1 = {", "<a "),
        ("$1 = {", "'\\000', "),
        ("$1 = {", "\"a\", 'b' <repeats 9 times>, "),
        ("$1 = {", "members of "),
        ("$1 = {", "[\"a"),
        ("$1 = {a = ", "0x1 <f(int)>, b = "),
        ("(gdb) ", "(gdb) "),
        ("Thread 1 (", "\" ("),
        ("libxl: debug: ", ":1:"),
        ("a: b.c:", ":1: Assertion `"),
        ("Nov  9 08:24:57 h p[1]: ", "[ 1.000000] "),
        ("", ">"),
        ("#0  f (a=", "  (\n"),
        ("#0  f (a=", "  {\n"),
        ("#0  0x1 in f", "\n  (a)"),
        ("#0  f (a=1) at ", "a\n"),
        ("$1 = {", "  a = {\n"),
        ("", "#0\n"),
        // Lines that a mail may have broken: whole ones, ones that never close, and frames.
        ("", "and these are my words, which may go on and\nalso on\n"),
        (
            "",
            "==7==    by 0x1: f(a long line of words (\nand more (of it, which never is closed, as\n",
        ),
        ("", "    #0 0x1 in a_function_of_some_length\n/and/its/file/of/some/length.c:1\n"),
        ("java.lang.Error: x\n", "y\n"),
        ("  * frame #0: 0x1 a`operator(", "a=(\n"),
        ("", "#0  f ()\n"),
        ("", "#1  0x1 in f\n"),
        ("", "Thread 1 (Thread (\n"),
        ("", "a: b.c:1: f: Assertion `\n"),
        ("", "2012-11-15 03:01:03.903+0000: 4309: debug : f:1 : x=<domain>\n  <name/>\n"),
        ("", "(gdb) frame 3\n#3  0x1 in f ()\n        a = {b = {\n"),
    ];

    #[test]
    fn work_grows_in_proportion_to_the_text() {
        const SIZE: usize = 40_000;
        let mut wrong = Vec::new();
        for (start, repeated) in HARD {
            let text = |size: usize| format!("{start}{}", repeated.repeat(size / repeated.len()));
            let (small, large) = (steps(&text(SIZE)), steps(&text(4 * SIZE)));
            // Bounds on what is joined make some texts cheaper as they grow, none dearer.
            if large > 5 * small + SIZE as u64 || large > 400 * 4 * SIZE as u64 {
                wrong.push(format!("{start:?} + {repeated:?}: {small}, then {large}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn a_step_is_a_byte_looked_at() {
        assert!(steps(&"x".repeat(10_000)) >= 10_000);
        assert!(steps(&format!("$1 = {}", "{a = ".repeat(10_000))) >= 50_000);
    }
}
