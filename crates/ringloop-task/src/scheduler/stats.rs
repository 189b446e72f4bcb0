//! What a scheduler has done so far.

use std::time::Duration;

/// What a scheduler has done so far; see [`Scheduler::stats`](crate::Scheduler::stats).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchedulerStats {
    /// Tasks that have not ended.
    pub tasks_live: usize,
    /// Tasks that were ever spawned, main tasks included.
    pub tasks_spawned: u64,
    /// Tasks in the ready queue.
    pub ready_len: usize,
    /// Timers that wait.
    pub timers_len: usize,
    /// Polls of tasks.
    pub polls: u64,
    /// Turns of the loop, which are parks of the driver.
    pub turns: u64,
    /// Wakes that put a task into the ready queue, of whichever thread.
    pub wakes: u64,
    /// Tasks that were taken over from other threads.
    pub remote_wakes: u64,
    /// Timers that have fired.
    pub timers_fired: u64,
    /// What nobody awaits; see [`Unhandled`](crate::Unhandled).
    pub unhandled: u64,
    /// See [`Report`](crate::observe::Report).
    pub reports: u64,
    /// How long the longest poll took. `None` without debug mode, which takes the time.
    pub longest_poll: Option<Duration>,
}

/// What became of the tasks that were left at a shutdown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Tasks that were asked to cancel and ended in time.
    pub cancelled: usize,
    /// Tasks whose futures were dropped, because the grace was over.
    pub aborted: usize,
    /// Panics that nobody read.
    pub panicked: usize,
}
