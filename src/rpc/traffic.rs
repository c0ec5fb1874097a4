//! Has everything been said? When a daemon stops, the answers of those who waited are still on
//! their way; connections over which nothing is on its way any longer may be cut.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// Between the end of the work and the first byte of its answer lies less.
const QUIET: Duration = Duration::from_millis(250);

/// What goes out over all connections of a server.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    bytes: AtomicU64,
    blocked: AtomicUsize,
}

impl Traffic {
    /// So many bytes were handed to the kernel.
    pub(super) fn sent(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// A connection has something to send, and its client does not take it yet.
    pub(super) fn block(&self) {
        self.blocked.fetch_add(1, Ordering::Relaxed);
    }

    /// It does again, or the connection has ended.
    pub(super) fn unblock(&self) {
        self.blocked.fetch_sub(1, Ordering::Relaxed);
    }

    /// Returns when nothing has been sent for a moment and nothing waits to be.
    pub(super) async fn ceased(&self) {
        loop {
            let before = self.bytes.load(Ordering::Relaxed);
            tokio::time::sleep(QUIET).await;
            let is_quiet = self.bytes.load(Ordering::Relaxed) == before;
            if is_quiet && self.blocked.load(Ordering::Relaxed) == 0 {
                return;
            }
        }
    }
}
