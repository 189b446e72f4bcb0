//! Task numbers.

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// The number of a task: unique in the process, and rising in spawn order on one scheduler.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, task};
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     let first = task::spawn(async {}).id();
///     let second = task::spawn(async {}).id();
///     assert!(first < second);
/// });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(u64);

impl TaskId {
    /// Returns the number itself.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Hands out the numbers of one scheduler. It takes a block of them at a time, so that a spawn
/// needs no atomic operation.
#[derive(Debug)]
pub(crate) struct TaskIds {
    next: Cell<u64>,
    end: Cell<u64>,
}

impl TaskIds {
    pub(crate) fn new() -> Self {
        Self {
            next: Cell::new(0),
            end: Cell::new(0),
        }
    }

    /// Returns the next number.
    pub(crate) fn next(&self) -> TaskId {
        if self.next.get() == self.end.get() {
            self.refill();
        }
        let id = self.next.get();
        self.next.set(id + 1);
        TaskId(id)
    }

    #[cold]
    fn refill(&self) {
        // Relaxed: only the numbers have to differ.
        let start = NEXT_BLOCK.fetch_add(BLOCK_LEN, Ordering::Relaxed);
        self.next.set(start);
        self.end.set(start + BLOCK_LEN);
    }
}

/// The first number that belongs to no scheduler. Zero is never used.
static NEXT_BLOCK: AtomicU64 = AtomicU64::new(1);

const BLOCK_LEN: u64 = 1 << 16;
