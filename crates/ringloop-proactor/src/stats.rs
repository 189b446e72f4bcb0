//! What a proactor has done so far, as plain data.

/// Counters of one [`Proactor`](crate::Proactor), from its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProactorStats {
    /// Calls of `park`.
    pub turns: u64,
    /// Calls of `io_uring_enter(2)`.
    pub enters: u64,
    /// Entries handed to the kernel.
    pub submissions: u64,
    /// Completions taken from the kernel.
    pub completions: u64,
    /// How often the submission queue was full in the middle of a flush.
    pub full_queues: u64,
    /// The largest number of completions in one turn.
    pub batch_max: u64,
    /// Turns in which more completions came than the completion queue holds. None are lost, but
    /// they cost more, and the kernel ends multishot operations.
    pub overflows: u64,
    /// Requests to end one operation, because it was cancelled or dropped, or its queue was full.
    pub cancels_asked: u64,
    /// Those among them that found the operation over, not begun, or under way in a worker.
    pub cancels_missed: u64,
    /// Completions that no live operation was waiting for. Anything but zero is a bug.
    pub stale_completions: u64,
    /// Operations that the kernel has not finished.
    pub in_flight: usize,
    /// Operations in the table: in flight, staged, completed and not taken, or resting services.
    pub live: usize,
}
