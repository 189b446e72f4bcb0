//! Waiting for a time.

use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::timers::TimerEntry;
use crate::cancel::{CancelWatch, Cancelled};
use crate::context;
use crate::home::Home;

/// Waits for `duration`, counted from this call.
///
/// Never ends early. The clock is read once for all sleeps that are made in one turn of the loop:
/// at the next [`now`](super::now), at the latest when the turn is over. So a task that computes
/// for a while after the call, without waiting, ends its sleep so much later. A zero duration is
/// one turn of the loop, as [`yield_now`]; one of centuries never ends. Counterpart:
/// `asyncio.sleep`.
///
/// [`yield_now`]: crate::task::yield_now
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
/// Cancel safe: dropped or cancelled before it completes, it had no effect.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, time};
/// use std::time::Duration;
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     let before = time::now();
///     time::sleep(Duration::from_millis(2)).await?;
///     assert!(time::now() - before >= Duration::from_millis(2));
///     Ok::<(), ringloop_task::cancel::Cancelled>(())
/// })?;
/// # Ok::<(), ringloop_task::cancel::Cancelled>(())
/// ```
#[doc(alias = "call_later")]
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    let state = if duration.is_zero() {
        State::Turn { has_begun: false }
    } else {
        let entry = context::with_home(|home| home.timers.insert_after(duration));
        match entry {
            Some(Some(entry)) => State::filed(entry),
            Some(None) => State::Forever,
            None => State::After(duration),
        }
    };
    Sleep {
        state,
        watch: CancelWatch::new(),
    }
}

/// Waits until `deadline`. At least one turn of the loop, also if it has passed.
///
/// Counterpart: `trio.sleep_until`; a callback for `loop.call_at` is a task that begins with it.
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
/// Cancel safe: dropped or cancelled before it completes, it had no effect.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, time};
/// use std::time::Duration;
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     let deadline = time::now() + Duration::from_millis(1);
///     time::sleep_until(deadline).await?;
///     assert!(time::now() >= deadline);
///     Ok::<(), ringloop_task::cancel::Cancelled>(())
/// })?;
/// # Ok::<(), ringloop_task::cancel::Cancelled>(())
/// ```
#[doc(alias = "call_at")]
#[track_caller]
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep {
        state: State::Until(deadline),
        watch: CancelWatch::new(),
    }
}

/// Waits for a time; see [`sleep`] and [`sleep_until`].
///
/// The deadline can be [moved](Self::reset), before and while the sleep is awaited.
#[must_use = "futures do nothing unless awaited"]
#[derive(Debug)]
pub struct Sleep {
    state: State,
    watch: CancelWatch,
}

#[derive(Debug)]
enum State {
    /// One turn of the loop.
    Turn {
        has_begun: bool,
    },
    /// Made outside of a loop: the time counts from the first poll.
    After(Duration),
    Until(Instant),
    /// The time runs, or is over.
    Filed {
        entry: TimerEntry,
        /// Whether the sleep was polled, and so takes a turn of the loop at least.
        has_begun: bool,
    },
    /// The deadline is too far away to exist.
    Forever,
}

impl State {
    #[inline]
    fn filed(entry: TimerEntry) -> Self {
        Self::Filed {
            entry,
            has_begun: false,
        }
    }
}

impl Sleep {
    /// Returns when the sleep ends: `None` if never, or if that is not known before the first poll,
    /// because the sleep was made outside of the loop.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_task::testing::VirtualDriver;
    /// use ringloop_task::{Scheduler, time};
    /// use std::time::Duration;
    ///
    /// Scheduler::new(VirtualDriver::new()).block_on(async {
    ///     let minute = Duration::from_secs(60);
    ///     assert_eq!(time::sleep(minute).deadline(), Some(time::now() + minute));
    ///     assert_eq!(time::sleep(Duration::MAX).deadline(), None);
    /// });
    /// ```
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Until(deadline) => Some(*deadline),
            State::Filed { entry, .. } => Some(entry.deadline()),
            State::Turn { .. } => context::with_home(|home| home.now()),
            State::After(_) | State::Forever => None,
        }
    }

    /// Returns whether the deadline has come. True before the task has run that awaits the sleep.
    #[must_use]
    pub fn is_elapsed(&self) -> bool {
        match &self.state {
            State::Turn { .. } => true,
            State::Until(deadline) => {
                context::with_home(|home| *deadline <= home.now()).unwrap_or_default()
            }
            State::Filed { entry, .. } => entry.has_fired(),
            State::After(_) | State::Forever => false,
        }
    }

    /// Moves the deadline, to earlier or later. A sleep that is over begins anew.
    ///
    /// A task that awaits the sleep need not poll it for that, unless its time was over or without
    /// end. Counterpart: `asyncio.Timeout.reschedule`.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_task::testing::VirtualDriver;
    /// use ringloop_task::{Scheduler, time};
    /// use std::time::Duration;
    ///
    /// Scheduler::new(VirtualDriver::new()).block_on(async {
    ///     let start = time::now();
    ///     let mut sleep = time::sleep(Duration::from_secs(60));
    ///     sleep.reset(start + Duration::from_secs(5));
    ///     (&mut sleep).await?;
    ///     assert_eq!(time::now() - start, Duration::from_secs(5));
    ///     sleep.reset(start + Duration::from_secs(8));
    ///     sleep.await?;
    ///     assert_eq!(time::now() - start, Duration::from_secs(8));
    ///     Ok::<(), ringloop_task::cancel::Cancelled>(())
    /// })?;
    /// # Ok::<(), ringloop_task::cancel::Cancelled>(())
    /// ```
    #[doc(alias = "reschedule")]
    pub fn reset(&mut self, deadline: Instant) {
        let is_moved = match &self.state {
            State::Filed { entry, .. } => entry.refile(deadline),
            State::Turn { .. } | State::After(_) | State::Until(_) | State::Forever => false,
        };
        if !is_moved {
            self.state = State::Until(deadline);
        }
    }

    /// Moves the deadline beyond the end of time.
    pub(super) fn never(&mut self) {
        self.state = State::Forever;
    }

    /// Says where in the source the sleep is awaited.
    pub(super) fn park_at(&mut self, location: &'static Location<'static>) {
        self.watch = CancelWatch::at(location);
    }

    /// A poll of a sleep whose time does not run in this loop yet.
    #[cold]
    fn file(&mut self, cx: &Context<'_>) {
        let entry = match &mut self.state {
            State::Turn { has_begun } => {
                *has_begun = true;
                return cx.waker().wake_by_ref();
            }
            State::Forever => return,
            State::Until(deadline) => file_at(*deadline, cx),
            // Carried over from another loop.
            State::Filed { entry, .. } => file_at(entry.deadline(), cx),
            State::After(duration) => {
                let entry = here(|home| home.timers.insert_after(*duration));
                entry.inspect(|entry| entry.update(cx.waker()))
            }
        };
        self.state = entry.map_or(State::Forever, |entry| State::Filed {
            entry,
            has_begun: true,
        });
    }
}

fn file_at(deadline: Instant, cx: &Context<'_>) -> Option<TimerEntry> {
    here(|home| home.timers.insert(deadline, cx.waker()))
}

fn here<R>(f: impl FnOnce(&Home) -> R) -> R {
    context::with_home(f).expect("a sleep is polled inside a running loop")
}

impl Future for Sleep {
    type Output = Result<(), Cancelled>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        match &this.state {
            State::Turn { has_begun: true } => return Poll::Ready(Ok(())),
            State::Filed {
                entry,
                has_begun: true,
            } if entry.has_fired() => return Poll::Ready(Ok(())),
            State::Turn { .. }
            | State::Filed { .. }
            | State::After(_)
            | State::Until(_)
            | State::Forever => {}
        }
        if let Err(cancelled) = this.watch.poll_cancelled(cx) {
            this.state = State::Forever;
            return Poll::Ready(Err(cancelled));
        }
        match &mut this.state {
            State::Filed { entry, has_begun } if entry.is_here() => {
                if *has_begun {
                    entry.update(cx.waker());
                } else if let Err(waker) = entry.arm(cx.waker()) {
                    // The time is over, and a sleep is one turn at least.
                    waker.wake();
                }
                *has_begun = true;
            }
            State::Turn { .. }
            | State::After(_)
            | State::Until(_)
            | State::Filed { .. }
            | State::Forever => this.file(cx),
        }
        Poll::Pending
    }
}
