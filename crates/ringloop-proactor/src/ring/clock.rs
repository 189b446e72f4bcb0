//! A clock that costs one instruction to read, for telling how long something has taken.
//!
//! Ticks mean nothing by themselves. They become a duration when somebody asks, by comparing how
//! far the ticks and the system's clock have come since the start.

#![expect(unsafe_code, reason = "the processor's counter has no safe function")]

use std::time::{Duration, Instant};

/// When the ticks were what, once.
#[derive(Debug)]
pub(crate) struct TickClock {
    start: Instant,
    start_ticks: u64,
}

impl TickClock {
    pub(crate) fn new() -> Self {
        Self {
            start: now(),
            start_ticks: ticks(),
        }
    }

    /// How long ago the ticks were `then`, to about a millisecond.
    pub(crate) fn since(&self, then: u64) -> Duration {
        let now_ticks = ticks();
        let elapsed = now().saturating_duration_since(self.start);
        let all = now_ticks.saturating_sub(self.start_ticks).max(1);
        let part = now_ticks.saturating_sub(then).min(all);
        let nanos = elapsed.as_nanos() * u128::from(part) / u128::from(all);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// The time-stamp counter. It only has to be roughly steady: nothing but reports stands on it.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn ticks() -> u64 {
    // SAFETY: the instruction reads a counter that every x86-64 processor has.
    unsafe { std::arch::x86_64::_rdtsc() }
}

/// Nanoseconds of the coarse monotonic clock.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub(crate) fn ticks() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the kernel writes one timespec, a live local. It knows this clock since 2.6.32.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &raw mut time) };
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}

#[expect(
    clippy::disallowed_methods,
    reason = "it tells the age of operations, which is the same under any driver"
)]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::{TickClock, ticks};
    use std::time::Duration;

    #[test]
    fn ticks_become_the_time_that_has_passed() {
        let clock = TickClock::new();
        let then = ticks();
        let start = super::now();
        while super::now() - start < Duration::from_millis(20) {}
        let age = clock.since(then);
        assert!(age >= Duration::from_millis(15), "{age:?}");
        assert!(
            age <= super::now() - start + Duration::from_millis(5),
            "{age:?}"
        );
        assert_eq!(clock.since(u64::MAX), Duration::ZERO);
    }
}
