//! How a duration is spread: counts in buckets that grow with what they hold.

use std::fmt;
use std::time::Duration;

/// Counts durations in buckets whose width is a quarter of a power of two or less.
///
/// A percentile is thus too high by a quarter at most, whatever the range: nanoseconds and hours
/// are in the same histogram. The largest value and the sum are exact.
///
/// # Examples
///
/// ```
/// use ringloop_offload::ThreadPool;
///
/// let stats = ThreadPool::blocking().stats();
/// assert_eq!(stats.wait_times.count(), 0);
/// println!("half of the jobs waited at most {:?}", stats.wait_times.percentile(50.0));
/// println!("no job ran longer than {:?}", stats.run_times.max());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Histogram {
    buckets: Box<[u64; BUCKETS]>,
    count: u64,
    sum_ns: u128,
    max_ns: u64,
}

impl Histogram {
    /// Makes an empty histogram.
    pub(crate) fn new() -> Self {
        Self {
            buckets: Box::new([0; BUCKETS]),
            count: 0,
            sum_ns: 0,
            max_ns: 0,
        }
    }

    /// Counts `duration`.
    pub(crate) fn record(&mut self, duration: Duration) {
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[bucket_of(ns)] += 1;
        self.count += 1;
        self.sum_ns += u128::from(ns);
        self.max_ns = self.max_ns.max(ns);
    }

    /// Counts what `other` has counted.
    pub(crate) fn add(&mut self, other: &Self) {
        for (bucket, more) in self.buckets.iter_mut().zip(other.buckets.iter()) {
            *bucket += more;
        }
        self.count += other.count;
        self.sum_ns += other.sum_ns;
        self.max_ns = self.max_ns.max(other.max_ns);
    }

    /// Returns how many durations were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns the sum of all durations.
    #[must_use]
    pub fn sum(&self) -> Duration {
        Duration::from_nanos_u128(self.sum_ns)
    }

    /// Returns the longest duration, zero if there is none.
    #[must_use]
    pub fn max(&self) -> Duration {
        Duration::from_nanos(self.max_ns)
    }

    /// Returns the mean duration, zero if there is none.
    #[must_use]
    pub fn mean(&self) -> Duration {
        let mean_ns = self.sum_ns.checked_div(u128::from(self.count));
        Duration::from_nanos_u128(mean_ns.unwrap_or(0))
    }

    /// Returns a duration that `percent` of the counted ones do not exceed.
    ///
    /// Zero if there is none. 50 is the median, 100 the longest; what is outside of 0 to 100 is
    /// taken as the nearest of the two.
    #[must_use]
    pub fn percentile(&self, percent: f64) -> Duration {
        let rank = self.rank(percent);
        let mut counted = 0;
        let bucket = self.buckets.iter().position(|in_bucket| {
            counted += in_bucket;
            counted >= rank
        });
        let end_ns = bucket.map_or(self.max_ns, last_of);
        Duration::from_nanos(end_ns.min(self.max_ns))
    }

    /// Returns how many durations are at or below the percentile, 1 at least.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and the count, and nobody sees the last digit of a count beyond 2^53"
    )]
    fn rank(&self, percent: f64) -> u64 {
        let share = percent.clamp(0.0, 100.0) / 100.0;
        ((self.count as f64 * share).ceil() as u64).clamp(1, self.count.max(1))
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Histogram")
            .field("count", &self.count)
            .field("mean", &self.mean())
            .field("p50", &self.percentile(50.0))
            .field("p99", &self.percentile(99.0))
            .field("max", &self.max())
            .finish_non_exhaustive()
    }
}

/// Four buckets for each power of two; below four, one for each value.
fn bucket_of(ns: u64) -> usize {
    let Some(power) = ns.checked_ilog2().filter(|power| *power >= 2) else {
        return usize::try_from(ns).unwrap_or(0);
    };
    let quarter = (ns >> (power - 2)) & 3;
    (power as usize - 1) * 4 + usize::try_from(quarter).unwrap_or(0)
}

/// The largest value of a bucket.
fn last_of(bucket: usize) -> u64 {
    if bucket < 4 {
        return bucket as u64;
    }
    let shift = bucket / 4 - 1;
    let first = (4 + bucket as u64 % 4) << shift;
    first + ((1 << shift) - 1)
}

const BUCKETS: usize = 63 * 4;

#[cfg(test)]
mod tests;
