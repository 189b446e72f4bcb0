//! Ticks, a period apart.

use std::fmt;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::sleep::{Sleep, sleep_until};
use crate::cancel::Cancelled;

/// Ticks every `period`, for the first time at once.
///
/// The ticks are counted from this call, so they do not drift, however long the task takes between
/// them; what happens when it takes too long, says [`MissedTicks`]. Counterpart: a loop around
/// `asyncio.sleep`, without its drift.
///
/// # Panics
///
/// If the period is zero, and outside of a running loop.
///
/// # Examples
///
/// ```
/// use ringloop_task::testing::VirtualDriver;
/// use ringloop_task::{Scheduler, time};
/// use std::time::Duration;
///
/// Scheduler::new(VirtualDriver::new()).block_on(async {
///     let (start, second) = (time::now(), Duration::from_secs(1));
///     let mut interval = time::interval(second);
///     for n in 0..5 {
///         interval.tick().await?;
///         assert_eq!(time::now(), start + n * second);
///         time::sleep(second / 3).await?; // Work.
///     }
///     Ok::<(), ringloop_task::cancel::Cancelled>(())
/// })?;
/// # Ok::<(), ringloop_task::cancel::Cancelled>(())
/// ```
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    interval_at(super::now(), period)
}

/// Ticks every `period`, for the first time at `start`.
///
/// # Panics
///
/// If the period is zero.
///
/// # Examples
///
/// ```
/// use ringloop_task::testing::VirtualDriver;
/// use ringloop_task::{Scheduler, time};
/// use std::time::Duration;
///
/// Scheduler::new(VirtualDriver::new()).block_on(async {
///     let (start, second) = (time::now(), Duration::from_secs(1));
///     let mut interval = time::interval_at(start + second, second);
///     assert_eq!(interval.tick().await?, start + second);
///     Ok::<(), ringloop_task::cancel::Cancelled>(())
/// })?;
/// # Ok::<(), ringloop_task::cancel::Cancelled>(())
/// ```
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    assert!(!period.is_zero(), "an interval has a period");
    Interval {
        sleep: sleep_until(start),
        next: Some(start),
        period,
        missed: MissedTicks::Burst,
    }
}

/// Ticks, a period apart; see [`interval`] and [`interval_at`].
#[must_use = "an interval ticks only when it is asked"]
#[derive(Debug)]
pub struct Interval {
    /// Until the next tick.
    sleep: Sleep,
    /// The next tick, unless it is beyond the end of time.
    next: Option<Instant>,
    period: Duration,
    missed: MissedTicks,
}

/// What an [`Interval`] does with the ticks whose time passed before the task asked for them.
///
/// # Examples
///
/// ```
/// use ringloop_task::testing::VirtualDriver;
/// use ringloop_task::time::{self, MissedTicks};
/// use ringloop_task::Scheduler;
/// use std::time::Duration;
///
/// // A period of 10, and work that takes 35 after the first tick.
/// async fn ticks(missed: MissedTicks) -> Vec<u128> {
///     let (start, ms) = (time::now(), Duration::from_millis(1));
///     let mut interval = time::interval(10 * ms).missed_ticks(missed);
///     let mut ticks = Vec::new();
///     for n in 0..6 {
///         interval.tick().await.unwrap();
///         ticks.push((time::now() - start).as_millis());
///         if n == 0 {
///             time::sleep(35 * ms).await.unwrap();
///         }
///     }
///     ticks
/// }
///
/// let mut scheduler = Scheduler::new(VirtualDriver::new());
/// let mut run = |missed| scheduler.block_on(ticks(missed));
/// assert_eq!(run(MissedTicks::Burst), [0, 35, 35, 35, 40, 50]);
/// assert_eq!(run(MissedTicks::Delay), [0, 35, 45, 55, 65, 75]);
/// assert_eq!(run(MissedTicks::Skip), [0, 35, 40, 50, 60, 70]);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MissedTicks {
    /// They come one after the other, as fast as the task asks for them, until all are made up for.
    #[default]
    Burst,
    /// They are dropped, and the ticks are counted from the late one: there is a period between
    /// two ticks. A tick is late when it comes 5 milliseconds, or a whole period, after its time.
    Delay,
    /// They are dropped, and the next tick comes when it would have come anyway.
    Skip,
}

impl Interval {
    /// Sets what happens with ticks that come too late: [`MissedTicks::Burst`] if not set.
    pub fn missed_ticks(mut self, missed: MissedTicks) -> Self {
        self.missed = missed;
        self
    }

    /// Waits for the next tick. Returns the time it was meant for, which lies in the past if the
    /// task is late.
    ///
    /// A tick takes a turn of the loop at least, so a burst of them does not keep others waiting.
    ///
    /// # Errors
    ///
    /// `Cancelled` if the task or a scope around is cancelled.
    ///
    /// # Panics
    ///
    /// When polled outside of a running loop.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect. The tick is that of
    /// the next call.
    #[track_caller]
    pub fn tick(&mut self) -> Tick<'_> {
        self.sleep.park_at(Location::caller());
        Tick { interval: self }
    }

    /// Returns the time between two ticks.
    #[must_use]
    pub fn period(&self) -> Duration {
        self.period
    }

    /// Returns when the next tick is due: `None` if never.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.next
    }

    /// Starts anew: the next tick comes a period from now.
    ///
    /// # Panics
    ///
    /// Outside of a running loop.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_task::testing::VirtualDriver;
    /// use ringloop_task::{Scheduler, time};
    /// use std::time::Duration;
    ///
    /// Scheduler::new(VirtualDriver::new()).block_on(async {
    ///     let (start, second) = (time::now(), Duration::from_secs(1));
    ///     let mut interval = time::interval(10 * second);
    ///     interval.tick().await?;
    ///     time::sleep(7 * second).await?;
    ///     interval.reset();
    ///     assert_eq!(interval.tick().await?, start + 17 * second);
    ///     Ok::<(), ringloop_task::cancel::Cancelled>(())
    /// })?;
    /// # Ok::<(), ringloop_task::cancel::Cancelled>(())
    /// ```
    #[track_caller]
    pub fn reset(&mut self) {
        self.go_on_at(super::now().checked_add(self.period));
    }

    /// Starts anew: the next tick comes at `instant`.
    pub fn reset_at(&mut self, instant: Instant) {
        self.go_on_at(Some(instant));
    }

    /// Polls for the next tick.
    ///
    /// # Errors
    ///
    /// `Cancelled` if the task or a scope around is cancelled. The interval goes on.
    ///
    /// # Panics
    ///
    /// Outside of a running loop.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Result<Instant, Cancelled>> {
        let slept = match Pin::new(&mut self.sleep).poll(cx) {
            Poll::Ready(slept) => slept,
            Poll::Pending => return Poll::Pending,
        };
        let tick = match (slept, self.next) {
            (Ok(()), Some(tick)) => tick,
            (Ok(()), None) => unreachable!("a sleep without end does not end"),
            (Err(cancelled), next) => {
                self.go_on_at(next);
                return Poll::Ready(Err(cancelled));
            }
        };
        self.go_on_at(self.missed.next(tick, super::now(), self.period));
        Poll::Ready(Ok(tick))
    }

    fn go_on_at(&mut self, next: Option<Instant>) {
        self.next = next;
        match next {
            Some(next) => self.sleep.reset(next),
            None => self.sleep.never(),
        }
    }
}

impl MissedTicks {
    /// Returns the tick after `tick`, which the task learned of at `now`. `None` if it is beyond
    /// the end of time.
    fn next(self, tick: Instant, now: Instant, period: Duration) -> Option<Instant> {
        let late = now.saturating_duration_since(tick);
        match self {
            Self::Delay if late >= LATE.min(period) => now.checked_add(period),
            Self::Skip if late >= period => {
                // What is left of the time that would have brought the last of the missed ones.
                let rest = late.as_nanos() % period.as_nanos();
                let rest = Duration::from_nanos_u128(rest);
                (now - rest).checked_add(period)
            }
            Self::Burst | Self::Delay | Self::Skip => tick.checked_add(period),
        }
    }
}

/// Waits for a tick; see [`Interval::tick`].
#[must_use = "futures do nothing unless awaited"]
pub struct Tick<'a> {
    interval: &'a mut Interval,
}

impl Future for Tick<'_> {
    type Output = Result<Instant, Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.interval.poll_tick(cx)
    }
}

impl fmt::Debug for Tick<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tick")
            .field("next", &self.interval.next)
            .finish()
    }
}

/// How late a tick has to be for [`MissedTicks::Delay`] to count from it: later than a loop that
/// is not busy.
const LATE: Duration = Duration::from_millis(5);
