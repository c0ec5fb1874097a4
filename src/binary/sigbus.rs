//! What happens when a mapped file shrinks under us: the kernel answers a read past its new end
//! with SIGBUS, which would end the daemon.
//!
//! The handler puts a page of zeros where the file's page is gone and marks the mapping as torn; the
//! reader goes on (everything is bounds-checked, zeros are harmless), and whoever asked is told
//! afterwards that the file changed. Any other SIGBUS ends the process as it would have.
//!
//! A handler may only use what is async-signal-safe: atomics and plain system calls, no lock, no
//! memory from the heap. Hence a fixed table.
#![allow(unsafe_code)]

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// As many files can be mapped at once.
const SLOTS: usize = 4096;

/// One mapping: free while `start` is 0, being filled or emptied while it is 1.
struct Slot {
    start: AtomicUsize,
    end: AtomicUsize,
    torn: AtomicBool,
}

const RESERVED: usize = 1;

static TABLE: [Slot; SLOTS] = [const {
    Slot { start: AtomicUsize::new(0), end: AtomicUsize::new(0), torn: AtomicBool::new(false) }
}; SLOTS];

static PAGE_SIZE: AtomicUsize = AtomicUsize::new(4096);

/// Keeps a mapping in the handler's table. It must be dropped before the memory is unmapped, or
/// the handler could write into what took its place.
#[derive(Debug)]
pub(super) struct Watch(usize);

impl Watch {
    /// Watches `memory`, a mapping of a file. Fails when the table is full.
    pub(super) fn new(memory: &[u8]) -> io::Result<Watch> {
        install()?;
        let start = memory.as_ptr() as usize;
        let free = |slot: &Slot| {
            let (acquire, relaxed) = (Ordering::Acquire, Ordering::Relaxed);
            slot.start.compare_exchange(0, RESERVED, acquire, relaxed).is_ok()
        };
        let position = TABLE.iter().position(free);
        let (Some(position), Some(slot)) = (position, position.and_then(|at| TABLE.get(at))) else {
            return Err(io::Error::other("too many files are open"));
        };
        slot.torn.store(false, Ordering::Relaxed);
        slot.end.store(start + memory.len(), Ordering::Release);
        slot.start.store(start, Ordering::Release);
        Ok(Watch(position))
    }

    /// Whether a page of the file was gone when it was read.
    pub(super) fn is_torn(&self) -> bool {
        TABLE.get(self.0).is_some_and(|slot| slot.torn.load(Ordering::Acquire))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(slot) = TABLE.get(self.0) {
            slot.start.store(0, Ordering::Release);
        }
    }
}

/// Installs the handler, once.
fn install() -> io::Result<()> {
    static INSTALLED: OnceLock<Result<(), i32>> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| {
        PAGE_SIZE.store(rustix::param::page_size(), Ordering::Relaxed);
        // SAFETY: an all-zero sigaction is valid; the handler has the signature SA_SIGINFO asks
        // for and is async-signal-safe.
        let result = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_sigbus as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigaction(libc::SIGBUS, &action, std::ptr::null_mut())
        };
        if result == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error().raw_os_error().unwrap_or(0))
        }
    });
    installed.map_err(io::Error::from_raw_os_error)
}

extern "C" fn on_sigbus(_: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the kernel hands a valid siginfo to an SA_SIGINFO handler. A positive code says that
    // the kernel sent the signal; only then is there an address.
    let address = unsafe { ((*info).si_code > 0).then(|| (*info).si_addr() as usize) };
    if !address.is_some_and(repair) {
        // SAFETY: restoring the default and raising a signal are always allowed. A fault happens
        // again on return, a signal that was sent is delivered again: either ends the process as if
        // there were no handler.
        unsafe {
            libc::signal(libc::SIGBUS, libc::SIG_DFL);
            libc::raise(libc::SIGBUS);
        }
    }
}

/// The bounds of a watched mapping; none for a free slot, or one that changes hands meanwhile.
fn bounds(slot: &Slot) -> Option<(usize, usize)> {
    let start = slot.start.load(Ordering::Acquire);
    let end = slot.end.load(Ordering::Acquire);
    (start > RESERVED && slot.start.load(Ordering::Acquire) == start).then_some((start, end))
}

/// Puts zeros from the page on to the end of a watched mapping, since the file ends before it; false
/// where the address belongs to none.
fn repair(address: usize) -> bool {
    let holds = |slot: &Slot| {
        let (start, end) = bounds(slot)?;
        (start..end).contains(&address).then_some(end)
    };
    let Some((slot, end)) = TABLE.iter().find_map(|slot| Some((slot, holds(slot)?))) else {
        return false;
    };
    let size = PAGE_SIZE.load(Ordering::Relaxed);
    let page = address & !(size - 1);
    // SAFETY: the pages lie in a mapping of ours that is still watched, hence still mapped; they are
    // replaced by readable zeros, which every reader of mapped bytes copes with. errno is the
    // interrupted code's and is put back.
    let mapped = unsafe {
        let errno = *libc::__errno_location();
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
        let length = end - page;
        let mapped = libc::mmap(page as *mut libc::c_void, length, libc::PROT_READ, flags, -1, 0);
        *libc::__errno_location() = errno;
        mapped
    };
    slot.torn.store(true, Ordering::Release);
    mapped != libc::MAP_FAILED
}
