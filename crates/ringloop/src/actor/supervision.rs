//! When an actor that fails is made anew, how often, and how soon.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::error::Failure;

/// Which failures an actor is made anew after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Restart {
    /// None: the first one ends it.
    Never,
    /// An error that a hook returns. A panic ends it.
    OnError,
    /// A panic. An error ends it.
    OnPanic,
    /// Both.
    Always,
}

/// When an actor that fails is made anew, how often, and how soon; see
/// [`Inbox::supervise`](super::Inbox::supervise).
///
/// At most 3 times within 5 seconds and at once, unless it is said otherwise. Counterpart: the
/// supervisors of Erlang.
///
/// # Examples
///
/// ```
/// use ringloop::actor::{Restart, Supervision};
/// use std::time::Duration;
///
/// // After 10, 20, 40, 40 ms; the fifth failure within a second is the last.
/// let supervision = Supervision::new(Restart::Always)
///     .max_restarts(4, Duration::from_secs(1))
///     .backoff(Duration::from_millis(10), Duration::from_millis(40));
/// # let _ = supervision;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Supervision {
    restart: Restart,
    max_restarts: usize,
    within: Duration,
    backoff: Duration,
    max_backoff: Duration,
}

impl Supervision {
    /// Makes an actor anew after such failures.
    #[must_use]
    pub const fn new(restart: Restart) -> Self {
        Self {
            restart,
            max_restarts: 3,
            within: Duration::from_secs(5),
            backoff: Duration::ZERO,
            max_backoff: Duration::ZERO,
        }
    }

    /// Sets that the actor is made anew at most `count` times within any such duration; the next
    /// failure is its last. [`Duration::MAX`] counts all of its life.
    #[must_use]
    pub const fn max_restarts(mut self, count: usize, within: Duration) -> Self {
        self.max_restarts = count;
        self.within = within;
        self
    }

    /// Sets how long it takes before the actor is made anew: `first`, and twice as long for each
    /// failure that the [duration](Self::max_restarts) has seen already, but not longer than
    /// `longest`.
    #[must_use]
    pub const fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        self.backoff = first;
        self.max_backoff = longest;
        self
    }

    fn covers<E>(&self, failure: &Failure<E>) -> bool {
        match self.restart {
            Restart::Never => false,
            Restart::OnError => matches!(failure, Failure::Error(_)),
            Restart::OnPanic => matches!(failure, Failure::Panic(_)),
            Restart::Always => true,
        }
    }
}

/// How often an actor was made anew, and when.
pub(super) struct Restarts {
    supervision: Supervision,
    count: u32,
    /// The failures of the last while.
    recent: VecDeque<Instant>,
}

impl Restarts {
    pub(super) fn new(supervision: Supervision) -> Self {
        Self {
            supervision,
            count: 0,
            recent: VecDeque::new(),
        }
    }

    /// How often the actor was made anew.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// After which time the actor is to be made anew, if it is.
    pub(super) fn next<E>(&mut self, failure: &Failure<E>, now: Instant) -> Option<Duration> {
        let Supervision {
            max_restarts,
            within,
            backoff,
            max_backoff,
            ..
        } = self.supervision;
        while self
            .recent
            .front()
            .is_some_and(|&then| now - then >= within)
        {
            self.recent.pop_front();
        }
        // Nothing is ever forgotten then, so the number is all that has to be kept.
        let is_for_life = within == Duration::MAX;
        let seen = if is_for_life {
            usize::try_from(self.count).unwrap_or(usize::MAX)
        } else {
            self.recent.len()
        };
        if !self.supervision.covers(failure) || seen >= max_restarts {
            return None;
        }
        let doublings = u32::try_from(seen).unwrap_or(u32::MAX);
        let factor = 2_u32.checked_pow(doublings).unwrap_or(u32::MAX);
        if !is_for_life {
            self.recent.push_back(now);
        }
        self.count = self.count.saturating_add(1);
        Some(backoff.saturating_mul(factor).min(max_backoff))
    }
}
