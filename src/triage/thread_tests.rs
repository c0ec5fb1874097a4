//! Predicates that look at several threads, at a whole stack, or at what a tool said.

use super::tests::{holds, matched, stack};
use crate::trace::Piece;

/// Two threads in gdb's words, each with these frames.
fn threads(stacks: &[&[&str]]) -> String {
    let mut text = String::new();
    for (number, frames) in stacks.iter().enumerate() {
        let thread = number + 1;
        text +=
            &format!("\nThread {thread} (Thread 0x7f00000{thread}700 (LWP {})):\n", 100 + thread);
        for (index, frame) in frames.iter().enumerate() {
            text += &format!("#{index}  0x00007f0000001{index:03x} in {frame}\n");
        }
    }
    text
}

#[test]
fn stacks_are_of_two_threads_and_share_their_variables() {
    let predicate = "{ stacks = [['wait', '...', { function = 'take', args = { m = '?m' } }], [{ function = 'hold', args = { m = '?m' } }]] }";
    let paste = |held: &str| {
        threads(&[&["wait ()", "take (m=0x10)", "main ()"], &["sleep ()", held, "start ()"]])
    };
    assert!(holds(predicate, &paste("hold (m=0x10)")));
    assert!(!holds(predicate, &paste("hold (m=0x20)")));
    assert!(!holds(predicate, &paste("hold (m=<optimized out>)")));
    assert!(!holds(predicate, &threads(&[&["wait ()", "take (m=0x1)", "hold (m=0x1)"]])));
    let evidence =
        matched(&format!("all = [{predicate}]"), &[Piece::unnamed(&paste("hold (m=16)"))]);
    let lines: Vec<usize> = evidence.unwrap().evidence.iter().map(|one| one.lines.first).collect();
    assert_eq!(lines, [3, 9], "one place a thread");
}

#[test]
fn the_same_thread_printed_twice_is_one() {
    let predicate = "{ stacks = [['f'], ['g']] }";
    let twice = threads(&[&["f ()", "g ()"]]).repeat(2);
    assert!(!holds(predicate, &twice));
    let bare = stack(&["f"]) + "\n" + &stack(&["g"]);
    assert!(!holds(predicate, &bare), "nothing says that these are two threads");
}

#[test]
fn alternatives_and_beginnings_of_names() {
    let paste = stack(&["a", "remoteRelayDomainEventReboot", "main"]);
    for (frames, expected) in [
        ("'a', 'remoteRelay*'", true),
        ("{ function = ['x', 'a'] }, 'remoteRelay*'", true),
        ("{ function = ['x', 'y'] }", false),
        ("'a', 'remoteX*'", false),
    ] {
        assert_eq!(holds(&format!("{{ frames = [{frames}] }}"), &paste), expected, "{frames}");
    }
}

#[test]
fn recursion_is_a_cycle_of_any_few_functions() {
    let deep: Vec<&str> = ["malloc"].into_iter().chain(["a", "b"].repeat(30)).collect();
    let signal = "Program received signal SIGSEGV, Segmentation fault.\n0x1 in malloc ()\n";
    let overflow = signal.to_owned() + &stack(&deep);
    assert!(holds("{ recursion = 50, signal = 'SIGSEGV' }", &overflow));
    assert!(!holds("{ recursion = 61, signal = 'SIGSEGV' }", &overflow));
    assert!(!holds("{ recursion = 50, signal = 'SIGBUS' }", &overflow));
    assert!(!holds("{ recursion = 50, signal = 'SIGSEGV' }", &stack(&deep)), "nothing stopped it");
    assert!(!holds("{ recursion = 4 }", &stack(&["a", "b", "c", "d", "e", "f"])));
    assert!(!holds(
        "{ recursion = 4 }",
        "#0 0x1 in ?? ()\n#1 0x2 in ?? ()\n#2 0x3 in ?? ()\n#3 0x4 in ?? ()\n"
    ));
}

/// A thread that waits for a mutex at this address.
fn waiting(mutex: &str) -> Vec<String> {
    vec!["__lll_lock_wait ()".to_owned(), format!("___pthread_mutex_lock (mutex={mutex}) at m.c:1")]
}

/// What gdb prints of a mutex.
fn owner(mutex: &str, owner: u32) -> String {
    format!(
        "(gdb) p *(pthread_mutex_t *) {mutex}\n$1 = {{__data = {{__lock = 2, __count = 0, __owner = {owner}, __nusers = 1}}, __align = 2}}\n"
    )
}

#[test]
fn a_deadlock_is_told_by_the_owners_of_the_mutexes() {
    let (one, two) = (waiting("0x100"), waiting("0x200"));
    let stacks: Vec<Vec<&str>> =
        [&one, &two].iter().map(|frames| frames.iter().map(String::as_str).collect()).collect();
    let both = threads(&[&stacks[0], &stacks[1]]);
    let ring = "{ deadlock = 'ring' }";
    let itself = "{ deadlock = 'itself' }";
    for (owners, in_ring, by_itself) in [
        ([102, 101], true, false),
        ([101, 101], false, true),
        ([102, 999], false, false),
        ([0, 0], false, false),
    ] {
        let paste = format!("{both}\n{}{}", owner("0x100", owners[0]), owner("0x200", owners[1]));
        assert_eq!(holds(ring, &paste), in_ring, "{owners:?}");
        assert_eq!(holds(itself, &paste), by_itself, "{owners:?}");
    }
    assert!(!holds(ring, &both), "nobody said who holds what");
}

#[test]
fn a_fault_is_known_by_its_words_its_teller_and_its_address() {
    let paste = "==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000018 at pc 0x1 bp 0x2 sp 0x3\nREAD of size 4 at 0x602000000018 thread T0\n    #0 0x1 in f a.c:1\n";
    for (predicate, expected) in [
        ("{ fault = '^heap-use-after-free' }", true),
        ("{ fault = ['^double-free', '^heap-use'], by = 'sanitizer' }", true),
        ("{ fault = '^heap-use', by = 'valgrind' }", false),
        ("{ fault = '^heap-use', address = '> 0x1000' }", true),
        ("{ fault = '^heap-use', address = '< 0x1000' }", false),
        ("{ log = '^heap-use' }", false),
    ] {
        assert_eq!(holds(predicate, paste), expected, "{predicate}");
    }
}

#[test]
fn the_address_of_a_signal_is_where_it_is_printed() {
    let near = "{ signal = 'SIGSEGV', address = '< 0x1000' }";
    let gdb = |address: &str| {
        format!(
            "Program received signal SIGSEGV, Segmentation fault.\n0x1 in f ()\n(gdb) p $_siginfo._sifields._sigfault.si_addr\n$1 = (void *) {address}\n"
        )
    };
    assert!(holds(near, &gdb("0x8")));
    assert!(!holds(near, &gdb("0x7fff0000")));
    assert!(!holds(near, "Program received signal SIGSEGV, Segmentation fault.\n0x1 in f ()\n"));
    let kernel =
        "[ 1.0] xl[12]: segfault at 18 ip 00007f1 sp 00007f2 error 4 in libx.so[7f0+1000]\n";
    assert!(holds(near, kernel));
}
