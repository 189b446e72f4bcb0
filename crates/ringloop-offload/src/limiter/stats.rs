//! What a limiter tells about itself: plain data.

/// A snapshot of a [`Limiter`](crate::Limiter).
///
/// Counterpart: `CapacityLimiterStatistics` of Trio.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimiterStats {
    /// The most jobs that are let through at a time.
    pub limit: usize,
    /// Jobs that were let through and are not gone; more than `limit` for a while after it has
    /// shrunk.
    pub in_use: usize,
    /// Jobs that wait for a slot, without those that were cancelled.
    pub waiting: usize,
    /// The most jobs that ever waited at a time, with some that were cancelled.
    pub waiting_max: usize,
    /// Jobs let through since the limiter was made.
    pub granted: u64,
    /// Those of `granted` that had to wait.
    pub delayed: u64,
}
