//! The log of libxenlight, libxenctrl and their helpers: which library said what, from where?
//!
//! ```text
//! libxl: debug: libxl_event.c:181:libxl__ev_fd_register: ev_fd=0x7f2b800639a0 register fd=50 events=3
//! xc: error: Can't create lock file …: Internal error
//! 2014-03-10 14:40:10 UTC [4836] libxl: error: …                                    with the pid
//! 2012-11-09 08:24:57.660+0000: libxl: libxl_event.c:181:libxl__ev_fd_register: …   libvirt's driver
//! xl: fatal error: xl_cmdimpl.c:1234, rc=-3: libxl_domain_info
//! ```
//! (tools/libs/toollog/xtl_logger_stdio.c; libvirt's src/libxl/libxl_logger.c, which has no level; xl's last
//! is of tools/xl/xl_utils.h, `MUST` and `CHK_ERRNOVAL`.)
//! Rule: a record goes on over the indented lines below it; here is only the first.

use super::{Format, Record, libvirt_log, number};
use crate::trace::search;

/// The levels (xentoollog.h, `xtl_level_to_string`).
const LEVELS: [&str; 9] =
    ["debug", "verbose", "detail", "progress", "info", "notice", "warning", "error", "critical"];

/// The record that starts with this line.
pub(super) fn record(text: &str) -> Option<Record<'_>> {
    // A date, a process or the name of a library.
    text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '[' | 'l' | 'x')).then_some(())?;
    let (time, text) = time(text).unwrap_or((None, text));
    let (pid, text) = pid(text).map_or((None, text), |(pid, text)| (Some(pid), text));
    if let Some(rest) = text.strip_prefix("xl: fatal error: ") {
        return fatal(rest);
    }
    let (program, rest) = search::split_once(text, ": ")?;
    is_context(program).then_some(())?;
    let (level, rest) = match rest.split_once(':') {
        Some((level, rest)) if LEVELS.contains(&level) => (Some(level), rest),
        // libvirt's driver prints the time always, and the level never.
        _ if time.is_some_and(|time| time.contains('.')) => (None, rest),
        _ => return None,
    };
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    let mut record = Record {
        format: Format::LibxlLog,
        time,
        level,
        thread: pid,
        program: Some(program),
        text: rest,
        ..Record::default()
    };
    if let Some((file, line, function, text)) = position(rest) {
        record.file = Some(file);
        record.line = Some(line);
        record.function = Some(function);
        record.text = text;
    }
    Some(record)
}

/// `xl_cmdimpl.c:1234, rc=-3: libxl_domain_info`, `xl_utils.c:67: fork: Out of memory`, behind what all begin with.
fn fatal(text: &str) -> Option<Record<'_>> {
    let (file, rest) = text.split_once(':')?;
    let (line, rest) = number(rest)?;
    let text = rest.strip_prefix(", ").or_else(|| rest.strip_prefix(": "))?;
    (!file.contains(char::is_whitespace)).then_some(())?;
    Some(Record {
        format: Format::LibxlLog,
        level: Some("fatal error"),
        file: Some(file),
        line: Some(line),
        program: Some("xl"),
        text,
        ..Record::default()
    })
}

/// `libxl_event.c:181:libxl__ev_fd_register: text`
fn position(text: &str) -> Option<(&str, u32, &str, &str)> {
    let (file, rest) = text.split_once(':')?;
    let (line, rest) = number(rest)?;
    let (function, text) = rest.strip_prefix(':')?.split_once(':')?;
    let plain = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
    (plain(file) && plain(function)).then_some((file, line, function, text.trim_start()))
}

/// Who logs: a Xen library or its helper.
fn is_context(program: &str) -> bool {
    let named = matches!(program, "xc" | "xl")
        || ["libxl", "libxen", "xen"].iter().any(|start| program.starts_with(start));
    named && program.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// `[4836] `
fn pid(text: &str) -> Option<(u64, &str)> {
    let (pid, rest) = number(text.strip_prefix('[')?)?;
    Some((pid, rest.strip_prefix("] ")?))
}

/// `2014-03-10 14:40:10 UTC `, as xl prints it when asked for the date; libvirt's `….660+0000: `.
fn time(text: &str) -> Option<(Option<&str>, &str)> {
    const LENGTH: usize = "2014-03-10 14:40:10".len();
    text.starts_with(|c: char| c.is_ascii_digit()).then_some(())?;
    let (_, rest) = text.split_at_checked(LENGTH)?;
    if let Some((time, rest)) = text.split_once(": ").filter(|(time, _)| libvirt_log::is_time(time))
    {
        return Some((Some(time), rest));
    }
    let (zone, rest) = rest.strip_prefix(' ')?.split_once(' ')?;
    let time = text.get(..LENGTH + 1 + zone.len())?;
    let dated = time.contains('-') && time.contains(':') && zone.len() <= 5;
    dated.then_some((Some(time), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_taken_apart() {
        let record = record(
            "libxl: debug: libxl_event.c:181:libxl__ev_fd_register: ev_fd=0x40 register fd=50",
        );
        let record = record.unwrap();
        assert_eq!((record.program, record.level), (Some("libxl"), Some("debug")));
        assert_eq!((record.file, record.line), (Some("libxl_event.c"), Some(181)));
        assert_eq!(record.function, Some("libxl__ev_fd_register"));
        assert_eq!(record.text, "ev_fd=0x40 register fd=50");
    }

    #[test]
    fn what_xl_must_do_has_a_position() {
        let read = |line| record(line).map(|record| (record.file, record.line, record.text));
        let expected = Some((Some("xl_cmdimpl.c"), Some(1234), "rc=-3: libxl_domain_info"));
        assert_eq!(read("xl: fatal error: xl_cmdimpl.c:1234, rc=-3: libxl_domain_info"), expected);
        let expected = Some((Some("xl_utils.c"), Some(67), "fork: Out of memory"));
        assert_eq!(read("xl: fatal error: xl_utils.c:67: fork: Out of memory"), expected);
        for line in ["xl: fatal error: my own", "xl: fatal error: a b:1: c", "xl: fatal error: "] {
            assert_eq!(read(line), None, "{line}");
        }
    }

    #[test]
    fn a_message_may_have_no_position() {
        for (line, program, text) in [
            (
                "xc: debug: outbuf_write: 4194304 > 90092@16687124",
                "xc",
                "outbuf_write: 4194304 > 90092@16687124",
            ),
            (
                "libxl-save-helper: debug: complete r=0: Success",
                "libxl-save-helper",
                "complete r=0: Success",
            ),
            ("xc: error: Can't lock 1:2: Internal error", "xc", "Can't lock 1:2: Internal error"),
        ] {
            let record = record(line).unwrap();
            assert_eq!((record.program, record.text, record.line), (Some(program), text, None));
        }
    }

    #[test]
    fn a_date_may_come_first() {
        let record =
            record("2014-03-10 14:40:10 UTC libxl: error: libxl.c:1:f: Domain 3:gone").unwrap();
        assert_eq!(record.time, Some("2014-03-10 14:40:10 UTC"));
        assert_eq!(record.text, "Domain 3:gone");
    }

    #[test]
    fn a_pid_may_follow_and_libvirts_driver_leaves_the_level_out() {
        let with_pid = record("2014-03-10 14:40:10 UTC [77] xl: debug: text").unwrap();
        assert_eq!((with_pid.thread, with_pid.text), (Some(77), "text"));
        let line =
            "2012-11-09 08:24:57.660+0000: libxl: libxl_event.c:181:libxl__ev_fd_register: text";
        let driver = record(line).unwrap();
        assert_eq!((driver.level, driver.line), (None, Some(181)));
        assert_eq!(driver.time, Some("2012-11-09 08:24:57.660+0000"));
        assert_eq!((driver.function, driver.text), (Some("libxl__ev_fd_register"), "text"));
        assert_eq!(record("2012-11-09 08:24:57.660+0000: 4836: error : f:1 : text"), None);
    }

    #[test]
    fn other_programs_are_none() {
        for line in [
            "gcc: error: no input files",
            "libxl: see error: x",
            "xc: information: y",
            "libxl:",
            "",
        ] {
            assert_eq!(record(line), None, "{line}");
        }
    }
}
