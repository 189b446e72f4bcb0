//! What a piece of work takes: time, and allocations of the thread that does it.

use std::time::{Duration, Instant};

use crate::allocations;
use crate::clock;

/// Runs from its start until it is read.
#[derive(Clone, Copy, Debug)]
pub struct Meter {
    start: Instant,
    allocations: u64,
}

/// What a piece of work took.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Cost {
    /// Time.
    pub elapsed: Duration,
    /// Calls of the allocator that asked for memory.
    pub allocations: u64,
}

impl Meter {
    /// Starts to measure the calling thread.
    pub fn start() -> Self {
        Self {
            allocations: allocations::count(),
            start: clock::now(),
        }
    }

    /// Returns what the calling thread has taken since the start.
    pub fn read(&self) -> Cost {
        Cost {
            elapsed: clock::now() - self.start,
            allocations: allocations::count() - self.allocations,
        }
    }
}
