//! What has a log put before each line of what another program printed?
//!
//! ```text
//! Nov 12 08:00:01 host kernel: [  123.456789] BUG: …        syslog, journalctl; the kernel's own time
//! 2024-11-12T08:00:01.123456+01:00 host libvirtd[77]: …      rsyslog's newer form
//! [Tue Nov 12 08:00:01 2024] BUG: …                          dmesg -T
//! (XEN) [2024-11-12 08:00:01.123] Xen call trace:            a serial console
//! :#0  0x… in raise () …                                     ABRT's bug reports
//! ```
//! Rule: only what its printer fixes exactly is taken off, and the line keeps its number.

/// Prefixes that can stand one behind the other.
const DEEP: usize = 4;

/// The line without what a log put before it.
pub(super) fn without(line: &str) -> &str {
    let mut rest = line;
    for _ in 0..DEEP {
        match xen(rest).or_else(|| kernel(rest)).or_else(|| syslog(rest)).or_else(|| abrt(rest)) {
            Some(inner) => rest = inner,
            None => break,
        }
    }
    rest
}

/// `(XEN) `, and the time behind it.
fn xen(line: &str) -> Option<&str> {
    let rest = ended(line.strip_prefix("(XEN)")?)?;
    Some(bracketed(rest, |inner| is_clock(inner, '-')).unwrap_or(rest))
}

/// `<4>[  123.456789] `, with the thread or processor behind it, and `dmesg -T`'s time.
fn kernel(line: &str) -> Option<&str> {
    let line = level(line).unwrap_or(line);
    let seconds = |inner: &str| {
        inner.trim_start().split_once('.').is_some_and(|(seconds, micros)| {
            is_number(seconds) && is_number(micros) && micros.len() == 6
        })
    };
    let rest =
        bracketed(line, seconds).or_else(|| bracketed(line, |inner| is_clock(inner, ':')))?;
    let caller = |inner: &str| {
        let inner = inner.trim_start();
        let id = inner.strip_prefix(['T', 'C']);
        id.is_some_and(is_number)
    };
    Some(bracketed(rest, caller).unwrap_or(rest))
}

/// `<4>`: the level of a message in /dev/kmsg.
fn level(line: &str) -> Option<&str> {
    let (level, rest) = line.strip_prefix('<')?.split_once('>')?;
    (is_number(level) && level.len() <= 3 && rest.starts_with('[')).then_some(rest)
}

/// What follows `[…] `, when the inside is as it has to be.
fn bracketed(line: &str, fits: impl Fn(&str) -> bool) -> Option<&str> {
    /// The longest of the times above.
    const LONGEST: usize = 40;
    let inner = line.strip_prefix('[')?;
    let end = inner.bytes().take(LONGEST).position(|byte| byte == b']')?;
    let (inner, rest) = inner.split_at_checked(end)?;
    fits(inner).then(|| ended(rest.strip_prefix(']')?)).flatten()
}

/// `Tue Nov 12 08:00:01 2024` or `2024-11-12 08:00:01.123`, by what separates its words.
fn is_clock(inner: &str, sign: char) -> bool {
    let mut words = inner.split_whitespace();
    let clock = words.clone().any(|word| word.len() >= 8 && is_time(word));
    let dated = words.next().is_some_and(|first| match sign {
        '-' => first.len() == 10 && first.matches('-').count() == 2,
        _ => first.len() == 3 && first.bytes().all(|byte| byte.is_ascii_alphabetic()),
    });
    clock && dated && inner.split_whitespace().count() <= 5
}

/// `Nov 12 08:00:01 host ident[77]: ` or `2024-11-12T08:00:01.123456+01:00 host ident[77]: `.
fn syslog(line: &str) -> Option<&str> {
    let rest = after_short_time(line).or_else(|| after_iso_time(line))?;
    let (first, after) = rest.split_once(' ').unwrap_or((rest, ""));
    if is_ident(first) {
        return Some(after);
    }
    let (second, after) = after.split_once(' ').unwrap_or((after, ""));
    is_ident(second).then_some(after)
}

/// `libvirtd[77]:`, `kernel:`
fn is_ident(word: &str) -> bool {
    let Some(ident) = word.strip_suffix(':') else { return false };
    let name = ident.split('[').next().unwrap_or_default();
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '@' | '(' | ')');
    !name.is_empty() && name.chars().all(plain) && !name.bytes().all(|byte| byte.is_ascii_digit())
}

/// What follows `Nov 12 08:00:01 `; journalctl can add fractions.
fn after_short_time(line: &str) -> Option<&str> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let rest = MONTHS.iter().find_map(|month| line.strip_prefix(month))?;
    let (day, rest) = rest.strip_prefix(' ')?.trim_start().split_once(' ')?;
    (is_number(day) && day.len() <= 2).then_some(())?;
    let (time, rest) = rest.split_once(' ')?;
    is_time(time).then_some(rest)
}

/// What follows `2024-11-12T08:00:01.123456+01:00 `.
fn after_iso_time(line: &str) -> Option<&str> {
    let (stamp, rest) = line.split_once(' ').filter(|(stamp, _)| stamp.len() <= 40)?;
    let (date, time) = stamp.split_once('T')?;
    (date.len() == 10 && date.split('-').all(is_number) && is_time(time)).then_some(rest)
}

/// `08:00:01`, with fractions and a zone or without.
fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let colon = |at: usize| bytes.get(at) == Some(&b':');
    [0, 1, 3, 4, 6, 7].into_iter().all(digit)
        && colon(2)
        && colon(5)
        && bytes.iter().skip(8).all(|byte| byte.is_ascii_digit() || b".+-:Z".contains(byte))
}

/// The colon before each line of a trace in ABRT's reports.
fn abrt(line: &str) -> Option<&str> {
    let rest = line.strip_prefix(':')?;
    let printed = rest.starts_with(['#', '[', ' ', 'T', 'P', 'C', '(']);
    (printed || rest.is_empty()).then_some(rest)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// What follows the one blank behind a prefix.
fn ended(rest: &str) -> Option<&str> {
    // Behind the kernel's time stands who called, in brackets of its own.
    if rest.is_empty() || rest.starts_with('[') { Some(rest) } else { rest.strip_prefix(' ') }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_go_one_after_the_other() {
        for line in
            ["   [<ffff82d040202020>] R f+0x1/0x2", "#0  0x01 in raise () from /lib/libc.so.6", ""]
        {
            for prefix in [
                "(XEN) ",
                "(XEN) [2024-11-12 08:00:01.123] ",
                "[  123.456789] ",
                "<4>[  123.456789][ T1234] ",
                "[Tue Nov 12 08:00:01 2024] ",
                "Nov  2 08:00:01 host kernel: ",
                "Nov 12 08:00:01.123456 host libvirtd[77]: ",
                "2024-11-12T08:00:01.123456+01:00 host a/b-c[77]: ",
                "Nov 12 08:00:01 host kernel: [  123.456789] (XEN) ",
            ] {
                assert_eq!(without(&format!("{prefix}{line}")), line, "{prefix}");
            }
        }
        assert_eq!((without("(XEN)"), without(":#0  f ()")), ("", "#0  f ()"));
    }

    #[test]
    fn other_lines_stay_as_they_are() {
        for line in [
            "[Switching to Thread 0x7f (LWP 7)]",
            "[0x7ffc1234]",
            "[  1] 1A31-97A7 0x7f /opt/a.so",
            "2012-11-09 08:24:57.660+0000: 4836: debug : f:1 : x",
            "2014-03-10 14:40:10 UTC libxl: error: x",
            "Nov 12 I saw: this",
            "Nov 12 08:00:01 I saw it: no",
            "::operator new (x)",
            "<optimized out>",
        ] {
            assert_eq!(without(line), line);
        }
    }
}
