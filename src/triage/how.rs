//! How does a person get what a note would have liked to see?

use crate::notes::{Deadlock, Predicate};

/// One sentence for the report.
pub(super) fn to_get(predicate: &Predicate) -> String {
    match predicate {
        Predicate::Assertion(_) => {
            "the program's last line on standard error or in the journal; or \
             `bt` with debug info of the C library, where __assert_fail shows its arguments"
                .to_owned()
        }
        Predicate::Frames(asked) if asked.before.is_some() => {
            "break at the innermost of these functions, with `bt` at each stop".to_owned()
        }
        Predicate::Frames(_) => "`bt` of the thread that stopped, up to its first frame".to_owned(),
        Predicate::Stacks(_) => "`thread apply all bt` while it hangs or where it died".to_owned(),
        Predicate::Recursion(_) => "`bt 60` of the thread that stopped".to_owned(),
        Predicate::Deadlock(asked) => {
            let threads = match asked.deadlock {
                Deadlock::Itself => "in the frame",
                Deadlock::Ring => "in each frame",
            };
            format!("`thread apply all bt`, then `p *mutex` {threads} of pthread_mutex_lock")
        }
        Predicate::Value(asked) => match &asked.function {
            Some(function) => format!("`print {}` in the frame of {function}", asked.shown),
            None => format!("`print {}`", asked.shown),
        },
        Predicate::Log(_) => {
            "the log of that time; what to set stands below, where known".to_owned()
        }
        Predicate::Object(_) => {
            "the log from before the object began; what to set stands below, where known".to_owned()
        }
        Predicate::Fault(_) => {
            "the same under valgrind, or built with -fsanitize=address".to_owned()
        }
        Predicate::Breakpoint(asked) => {
            format!("`break {}`, and what the debugger prints there", asked.function)
        }
        Predicate::Signal(asked) if asked.address.is_some() => {
            "`p $_siginfo._sifields._sigfault.si_addr`, or the kernel's line in dmesg".to_owned()
        }
        Predicate::Signal(_) => {
            "the lines in which the debugger says what stopped the program".to_owned()
        }
        Predicate::Program(_) => "the lines that name the program: `info inferiors`".to_owned(),
    }
}
