//! libvirt's log: who said what, when, on which thread?
//!
//! ```text
//! 2012-11-15 03:01:03.903+0000: 4309: error : virNodeGetSecurityModel:9567 : this function is …
//! 2012-11-09 08:24:57.660+00004836: debug : virObjectUnref:137 : OBJECT_DISPOSE: obj=0x8960c0
//! 2012-11-15 03:00:53.748+0000: 4312: info : libvirt version: 1.0.0
//! ```
//! (src/util/virlog.c, `virLogFormatString`.) The second form, the thread's id glued to the time
//! zone, is that of the buffer which old daemons dump as they abort. Rule: messages may go on over
//! many lines, domain XML for one; here is only the first.
//!
//! ```text
//! Caught abort signal dumping internal log buffer:
//!     ====== start of log =====
//! ```
//! (src/util/virlog.c before 1.2.3, `virLogEmergencyDumpAll`.)

use super::{Format, Record, Says, Start, number};

/// The record that starts with this line.
pub(super) fn record(text: &str) -> Option<Record<'_>> {
    const TIME: usize = "2012-11-09 08:24:57.660+0000".len();
    let (time, rest) = text.split_at_checked(TIME)?;
    is_time(time).then_some(())?;
    let rest = rest.strip_prefix(": ").unwrap_or(rest);
    let (thread, rest) = number(rest)?;
    let rest = rest.strip_prefix(": ")?;
    let (level, rest) = rest.split_at_checked(rest.find(|c: char| !c.is_ascii_lowercase())?)?;
    let rest = rest.strip_prefix(" : ")?;
    let (function, line, text) = position(rest).unwrap_or((None, None, rest));
    Some(Record {
        format: Format::LibvirtLog,
        time: Some(time),
        level: Some(level),
        thread: Some(thread),
        line,
        function,
        text,
        ..Record::default()
    })
}

/// What stands around the buffer that a daemon dumps as a signal kills it.
pub(super) fn start(text: &str) -> Option<Start<'_>> {
    const SIGNALS: [(&str, &str); 5] = [
        ("Caught signal Floating-point exception", "SIGFPE"),
        ("Caught Segmentation violation", "SIGSEGV"),
        ("Caught illegal instruction", "SIGILL"),
        ("Caught abort signal", "SIGABRT"),
        ("Caught bus error", "SIGBUS"),
    ];
    let marks = ["====== start of log =====", "====== end of log ====="];
    if marks.contains(&text) {
        return Some(Start::Says(Format::LibvirtLog, Says::Remark));
    }
    let caught = text.strip_suffix("dumping internal log buffer:")?.trim_end();
    let signal = SIGNALS.iter().find(|(words, _)| *words == caught);
    let says = match signal {
        Some((_, name)) => Says::Signal { name, meaning: None },
        None => Says::Remark,
    };
    Some(Start::Says(Format::LibvirtLog, says))
}

pub(super) fn is_time(text: &str) -> bool {
    let shape = b"0000-00-00 00:00:00.000+0000";
    text.len() == shape.len()
        && text.bytes().zip(shape).all(|(byte, &shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            b'+' => byte == b'+' || byte == b'-',
            separator => byte == separator,
        })
}

/// `virObjectUnref:137 : text`
fn position(text: &str) -> Option<(Option<&str>, Option<u32>, &str)> {
    let name = |byte: u8| byte.is_ascii_alphanumeric() || b"_./-".contains(&byte) || byte >= 0x80;
    let end = text.bytes().position(|byte| !name(byte)).filter(|end| *end > 0)?;
    let (function, rest) = text.split_at_checked(end)?;
    let (line, rest) = number(rest.strip_prefix(':')?)?;
    let text = rest.strip_prefix(" : ").or_else(|| (rest == " :").then_some(""))?;
    Some((Some(function), Some(line), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thread_may_be_glued_to_the_time_zone() {
        let glued =
            record("2012-11-09 08:24:57.660+00004836: debug : virFileClose:72 : Closed fd 21");
        let spaced =
            record("2012-11-09 08:24:57.660+0000: 4836: debug : virFileClose:72 : Closed fd 21");
        assert_eq!(glued, spaced);
        let record = glued.unwrap();
        assert_eq!(record.time, Some("2012-11-09 08:24:57.660+0000"));
        assert_eq!((record.thread, record.level), (Some(4836), Some("debug")));
        assert_eq!((record.function, record.line), (Some("virFileClose"), Some(72)));
        assert_eq!(record.text, "Closed fd 21");
    }

    #[test]
    fn a_message_may_have_no_function() {
        let record = record("2012-11-15 03:00:53.748+0000: 4312: info : libvirt version: 1.0.0");
        assert_eq!(record.unwrap().text, "libvirt version: 1.0.0");
    }

    #[test]
    fn a_dump_tells_its_signal() {
        let says = |text| match start(text) {
            Some(Start::Says(_, says)) => Some(says),
            _ => None,
        };
        let abort = Says::Signal { name: "SIGABRT", meaning: None };
        assert_eq!(says("Caught abort signal dumping internal log buffer:"), Some(abort));
        assert_eq!(says("User-requested dumping internal log buffer:"), Some(Says::Remark));
        assert_eq!(says("====== end of log ====="), Some(Says::Remark));
        assert_eq!(says("dumping it"), None);
    }

    #[test]
    fn other_lines_are_none() {
        for line in
            ["2012-11-09 08:24:57", "2012-11-09 08:24:57.660+0000: xl: text", "<domain>", ""]
        {
            assert_eq!(record(line), None, "{line}");
        }
    }
}
