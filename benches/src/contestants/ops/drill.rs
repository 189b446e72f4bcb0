//! The reads of random pages: who reads what, for how long, and how many there were.

use std::cell::{Cell, RefCell};
use std::io;
use std::time::Instant;

use super::page::PAGE_LEN;
use super::random::Random;
use super::{DirectReads, Tasks, Throughput};
use crate::clock;

/// One run of reads. Readers ask it for offsets until the time is over.
#[derive(Debug)]
pub(super) struct Drill<'p> {
    plan: &'p DirectReads<'p>,
    random: RefCell<Random>,
    start: Instant,
    is_over: Cell<bool>,
    operations: Cell<u64>,
}

impl<'p> Drill<'p> {
    /// Starts a run.
    pub(super) fn new(plan: &'p DirectReads<'p>) -> Self {
        Self {
            plan,
            random: RefCell::new(Random::new()),
            start: clock::now(),
            is_over: Cell::new(false),
            operations: Cell::new(0),
        }
    }

    /// Returns what to read next; `None` when the time is over.
    #[inline]
    pub(super) fn next_offset(&self) -> Option<u64> {
        let page = self.random.borrow_mut().below(self.plan.pages);
        (!self.is_over.get()).then_some(u64::from(page) * PAGE_LEN as u64)
    }

    /// Notes a read of `count` bytes.
    #[inline]
    pub(super) fn note(&self, count: usize) -> io::Result<()> {
        self.operations.set(self.operations.get() + 1);
        if count == PAGE_LEN {
            Ok(())
        } else {
            Err(io::Error::from(io::ErrorKind::UnexpectedEof))
        }
    }

    /// Looks at the clock, which is done once per turn of a loop.
    #[inline]
    pub(super) fn look(&self) {
        if clock::now() - self.start >= self.plan.duration {
            self.is_over.set(true);
        }
    }

    /// Returns what was done from the start up to now.
    pub(super) fn result(&self) -> Throughput {
        Throughput {
            operations: self.operations.get(),
            elapsed: clock::now() - self.start,
        }
    }

    /// Runs `readers` to their end.
    pub(super) fn run(
        &self,
        readers: Tasks<'_>,
        mut park: impl FnMut() -> io::Result<()>,
    ) -> io::Result<Throughput> {
        readers.run(|| {
            park()?;
            self.look();
            Ok(())
        })?;
        Ok(self.result())
    }
}
