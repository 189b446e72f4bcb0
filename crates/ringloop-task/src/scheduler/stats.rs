//! What a scheduler has done so far.

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
    /// Tasks that were taken over from other threads.
    pub remote_wakes: u64,
    /// Reports to the hook for what nobody awaits.
    pub unhandled: u64,
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
