//! Waiting without sleeping: for a while before a sleep, or for as long as a device has to be
//! polled.
//!
//! An ordinary loop sleeps in the ring, and the multishot poll of its eventfd ends that. On a ring
//! of polled devices nothing but reads and writes can run, so no poll watches the eventfd. While
//! something is in flight there, the loop goes round: it polls the devices, looks at the wake
//! word, looks at the clock. While nothing is, it sleeps on the eventfd itself.

use std::io;
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::proactor::now;
use crate::ring::{Clock, Ring, SleepWord};
use crate::stats::ProactorStats;

/// How a loop waits that does not just sleep.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Idle {
    /// It looks for that long, then it sleeps.
    Spin(Duration),
    /// It polls its devices.
    Polled,
}

impl Idle {
    /// `None`: it just sleeps, as it does where time passes in sleeps alone.
    pub(crate) fn new(config: &Config, clock: &Clock) -> Option<Self> {
        if !clock.is_real() {
            None
        } else if config.device_polling {
            Some(Self::Polled)
        } else {
            (config.spin > Duration::ZERO).then_some(Self::Spin(config.spin))
        }
    }
}

/// Looks for `spin` whether anything comes, and then sleeps for what is left of `timeout`.
pub(crate) fn spin_then_sleep(
    spin: Duration,
    timeout: Option<Duration>,
    ring: &mut Ring,
    word: &SleepWord,
    stats: &mut ProactorStats,
) -> io::Result<()> {
    let start = now();
    if ring.has_unsubmitted() {
        stats.enters += 1;
        ring.enter(0, None)?;
    }
    loop {
        if ring.has_completions() || word.is_notified() {
            word.take_notification();
            return Ok(());
        }
        if ring.is_flagged() {
            stats.enters += 1;
            ring.enter(0, None)?;
            continue;
        }
        let waited = now() - start;
        if timeout.is_some_and(|timeout| waited >= timeout) {
            return Ok(());
        }
        if waited >= spin {
            break;
        }
        for _ in 0..LOOKS_PER_CLOCK {
            std::hint::spin_loop();
        }
    }
    if !word.fall_asleep() {
        return Ok(());
    }
    stats.enters += 1;
    let result = ring.enter(1, timeout.map(|timeout| left(start, timeout)));
    word.wake_up();
    result
}

/// Polls the devices until something completes, a wake comes or `timeout` has passed. Sleeps only
/// if nothing is `in_flight`.
pub(crate) fn poll_devices(
    in_flight: bool,
    timeout: Option<Duration>,
    ring: &mut Ring,
    word: &SleepWord,
    stats: &mut ProactorStats,
) -> io::Result<()> {
    let start = now();
    loop {
        stats.enters += 1;
        ring.enter(0, None)?;
        if ring.has_completions() || word.is_notified() {
            word.take_notification();
            return Ok(());
        }
        let timeout = timeout.map(|timeout| left(start, timeout));
        if timeout == Some(Duration::ZERO) {
            return Ok(());
        }
        if !in_flight {
            if word.fall_asleep() {
                let result = word.sleep(timeout);
                word.wake_up();
                return result;
            }
            return Ok(());
        }
    }
}

fn left(start: Instant, timeout: Duration) -> Duration {
    timeout.saturating_sub(now() - start)
}

/// A look at the clock costs more than a look at the queue.
const LOOKS_PER_CLOCK: u32 = 8;

#[cfg(test)]
mod tests;
