//! How much may one paste keep in memory?
//!
//! Small texts can name many things: `{1,1,1,…}` costs a hundred times its length as a tree. Rule:
//! whoever keeps something pays first, for the room it takes rather than for the bytes it shows;
//! what cannot be paid for is skipped, and said to be.

/// What may still be kept, in bytes, roughly counted.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
}

/// Enough for 1,200,000 frames, or as many short records of a log: a crash may stand behind a
/// million of them.
const DEFAULT: usize = 736 << 20;

/// What an allocator needs for one more text, in bytes, beside the text itself: glibc's smallest
/// chunk is 32.
pub(super) const HEAP: usize = 32;

impl Default for Budget {
    fn default() -> Self {
        Budget { left: DEFAULT }
    }
}

impl Budget {
    /// Pays for `bytes`; false, and nothing paid, when that is more than is left.
    #[must_use]
    pub(super) fn pay(&mut self, bytes: usize) -> bool {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }

    /// Nothing more can be paid: what follows is one skipped run.
    pub(super) fn exhaust(&mut self) {
        self.left = 0;
    }

    /// A budget of `bytes`.
    pub(super) fn of(bytes: usize) -> Self {
        Budget { left: bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_paid_costs_nothing() {
        let mut budget = Budget::of(10);
        assert!(budget.pay(6));
        assert!(!budget.pay(5));
        assert!(budget.pay(4));
    }

    #[test]
    fn nothing_is_left_of_what_is_exhausted() {
        let mut budget = Budget::of(10);
        budget.exhaust();
        assert!(!budget.pay(1));
    }
}
