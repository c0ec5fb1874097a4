//! What does Xen's console put before a line: is it the hypervisor's or a guest's?
//!
//! ```text
//! (XEN) …                               (xen/drivers/char/console.c, `printk_start_of_line`)
//! (XEN) [2012-11-09 08:24:57] …         console_timestamps=date
//! (XEN) [2012-11-09 08:24:57.660] …     console_timestamps=datems
//! (XEN) [    1.234567] …                console_timestamps=boot
//! (d3) …                                a guest's own console
//! ```

use super::prefix::Prefix;
use super::syslog::{is_seconds, shaped};
use super::{Format, number};

/// What stands before the message, and the message with its indentation.
pub(super) fn prefix(line: &str) -> Option<(Prefix<'_>, &str)> {
    let (source, rest) = line.strip_prefix('(')?.split_once(')')?;
    let rest = rest.strip_prefix(' ').or_else(|| rest.is_empty().then_some(rest))?;
    let guest = source.strip_prefix('d').and_then(number::<u16>);
    (source == "XEN" || guest.is_some_and(|(_, end)| end.is_empty())).then_some(())?;
    let (time, rest) = match time(rest) {
        Some((time, rest)) => (Some(time), rest),
        None => (None, rest),
    };
    let program = Some(if source == "XEN" { "xen" } else { source });
    let prefix = Prefix { format: Format::XenConsole, time, program, thread: None, level: None };
    Some((prefix, rest))
}

fn time(text: &str) -> Option<(&str, &str)> {
    let (clock, rest) = text.strip_prefix('[')?.split_once(']')?;
    let rest = rest.strip_prefix(' ').or_else(|| rest.is_empty().then_some(rest))?;
    let time = clock.trim_start();
    (shaped(time, "0000-00-00 00:00:00") || is_seconds(time)).then_some((time, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hypervisors_lines_and_a_guests() {
        for (line, program, time, text) in [
            ("(XEN) d3v0 Triple fault", "xen", None, "d3v0 Triple fault"),
            ("(XEN)    [<ffff82d0>] R f+0x1/0x2", "xen", None, "   [<ffff82d0>] R f+0x1/0x2"),
            ("(XEN) [2012-11-09 08:24:57] x", "xen", Some("2012-11-09 08:24:57"), "x"),
            ("(XEN) [2012-11-09 08:24:57.660] x", "xen", Some("2012-11-09 08:24:57.660"), "x"),
            ("(XEN) [    1.234567] x", "xen", Some("1.234567"), "x"),
            ("(XEN) [VT-D] x", "xen", None, "[VT-D] x"),
            ("(d3) hello", "d3", None, "hello"),
            ("(XEN)", "xen", None, ""),
        ] {
            let (prefix, rest) = prefix(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((prefix.program, prefix.time, rest), (Some(program), time, text), "{line}");
        }
        for line in ["(gdb) bt", "(d) x", "(dx) x", "(1), where", "(XEN", ""] {
            assert!(prefix(line).is_none(), "{line}");
        }
    }
}
