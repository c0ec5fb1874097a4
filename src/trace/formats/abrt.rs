//! Of which program is a report of ABRT?
//!
//! ```text
//! executable:     /usr/sbin/libvirtd
//! reason:         Process /usr/sbin/libvirtd was killed by signal 6 (SIGABRT)
//! Truncated backtrace:
//! :#0  0x00007f5fb5929b55 in raise () from /lib64/libc.so.6
//! ```
//! (libreport, src/plugins/bugzilla_format.conf.) The backtrace itself is gdb's, each line behind a colon.

use super::{Format, Says, Start};

/// What the line says.
pub(super) fn start(text: &str) -> Option<Start<'_>> {
    if text == "Truncated backtrace:" {
        return Some(Start::Says(Format::Abrt, Says::Remark));
    }
    let (name, value) = text.split_once(':')?;
    // The values are lined up.
    let value = value.strip_prefix("  ")?.trim_start();
    let says = match name {
        "executable" if value.starts_with('/') => Says::Program { path: value },
        "cmdline" | "reason" | "crash_function" | "backtrace_rating" | "uid" => Says::Remark,
        _ => return None,
    };
    Some(Start::Says(Format::Abrt, says))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_known() {
        let program = Start::Says(Format::Abrt, Says::Program { path: "/usr/bin/a b" });
        assert_eq!(start("executable:     /usr/bin/a b"), Some(program));
        for line in ["executable: /usr/bin/a", "executable:     none", "my words:  x", ""] {
            assert_eq!(start(line), None, "{line}");
        }
    }
}
