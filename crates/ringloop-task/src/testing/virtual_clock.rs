//! A clock that somebody moves, and the bed of the thread that waits for it.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ringloop_core::Unpark;

use crate::context;

/// The clock of a [`VirtualDriver`](super::VirtualDriver): `Send`, `Sync`, cheap to clone.
///
/// # Examples
///
/// ```
/// use ringloop_task::testing::{VirtualDriver, settle};
/// use ringloop_task::{Scheduler, task, time};
/// use std::time::Duration;
///
/// let driver = VirtualDriver::new().autojump(false);
/// let clock = driver.clock();
/// Scheduler::new(driver).block_on(async {
///     let sleeper = task::spawn(time::sleep(Duration::from_secs(60)));
///     settle().await?;
///     clock.advance(Duration::from_secs(59));
///     settle().await?;
///     assert!(!sleeper.is_finished());
///     clock.advance(Duration::from_secs(1));
///     settle().await?;
///     assert!(sleeper.is_finished());
///     Ok::<(), ringloop_task::cancel::Cancelled>(())
/// })?;
/// # Ok::<(), ringloop_task::cancel::Cancelled>(())
/// ```
#[doc(alias = "MockClock")]
#[derive(Clone)]
pub struct VirtualClock {
    shared: Arc<Shared>,
}

impl VirtualClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "an instant can be had from the real clock only; it is where the virtual one starts"
    )]
    pub(super) fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                start: Instant::now(),
                state: Mutex::default(),
                changed: Condvar::new(),
            }),
        }
    }

    /// Returns the virtual time.
    #[must_use]
    pub fn now(&self) -> Instant {
        // `move_to` has seen to it that the sum exists.
        self.shared.start + self.shared.lock().elapsed
    }

    /// Returns how much virtual time has passed since the driver was made.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.shared.lock().elapsed
    }

    /// Moves the clock forward. Timers that are due fire at the end of the loop's turn, or at once
    /// if it is parked.
    ///
    /// # Panics
    ///
    /// If the time is beyond what an [`Instant`] can tell.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[track_caller]
    pub fn advance(&self, by: Duration) {
        begin_sleeps();
        let mut state = self.shared.lock();
        let moved = self.shared.move_by(&mut state, by);
        state.is_notified = true;
        drop(state);
        assert!(moved, "the end of time");
        self.shared.changed.notify_one();
    }

    /// Moves the clock forward to an instant. One that has passed changes nothing: time does not
    /// run backwards.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn advance_to(&self, instant: Instant) {
        begin_sleeps();
        let mut state = self.shared.lock();
        let elapsed = instant.saturating_duration_since(self.shared.start);
        state.elapsed = state.elapsed.max(elapsed);
        state.is_notified = true;
        drop(state);
        self.shared.changed.notify_one();
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

/// Sleeps that this turn of the loop has made count from here, and not from the new time.
fn begin_sleeps() {
    context::with_home(|home| home.now());
}

impl fmt::Debug for VirtualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualClock")
            .field("elapsed", &self.elapsed())
            .finish()
    }
}

/// What a driver, its clocks and its unparkers share.
pub(super) struct Shared {
    start: Instant,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// `start` plus this is an instant.
    elapsed: Duration,
    /// The current park, or the next one, ends: somebody has unparked it, or moved the clock.
    is_notified: bool,
}

/// How a look at the bed ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Rest {
    /// There was, or is now, something to do.
    Woken,
    /// Nothing happened for the whole of one's patience.
    Disturbed,
}

impl Shared {
    /// Moves the clock forward by `timeout`, unless somebody has notified the thread.
    pub(super) fn jump(&self, timeout: Duration) -> Rest {
        let mut state = self.lock();
        if std::mem::take(&mut state.is_notified) || self.move_by(&mut state, timeout) {
            Rest::Woken
        } else {
            Rest::Disturbed
        }
    }

    /// Waits, in real time, until somebody notifies the thread.
    pub(super) fn rest(&self, patience: Duration) -> Rest {
        let state = self.lock();
        let (mut state, _) = self
            .changed
            .wait_timeout_while(state, patience, |state| !state.is_notified)
            .unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut state.is_notified) {
            Rest::Woken
        } else {
            Rest::Disturbed
        }
    }

    /// Returns false if there is no such instant.
    fn move_by(&self, state: &mut State, by: Duration) -> bool {
        let elapsed = state.elapsed.checked_add(by);
        let elapsed = elapsed.filter(|elapsed| self.start.checked_add(*elapsed).is_some());
        if let Some(elapsed) = elapsed {
            state.elapsed = elapsed;
        }
        elapsed.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No other code runs under the lock, so a poisoned one still holds a valid state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Unpark for Shared {
    fn unpark(&self) {
        self.lock().is_notified = true;
        self.changed.notify_one();
    }
}
