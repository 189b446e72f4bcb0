//! How much a task may do before others have their turn.
//!
//! A task gives way where it waits. If what it waits for is always there (bytes in a queue, tasks
//! that have ended), it would never wait, and hold the loop. So every poll of a task has a budget:
//! so many waits may be over at once, and the next one takes a turn of the loop first.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::cancel::{CancelWatch, Cancelled};
use crate::context;
use crate::home::Home;

/// How many waits of one poll of a task may be over at once, without waiting.
pub const POLL_BUDGET: u32 = 128;

/// Returns a piece of the running task's budget for this poll; `Pending`, with the task woken, if it
/// is used up.
///
/// For the authors of futures that wait for something themselves. Ask before you look whether the
/// wait is over, and [`spend`](Budget::spend) the piece if it is: waiting costs nothing. Outside of
/// tasks there is no bound. Combinators need nothing of it.
/// Counterpart: tokio's `coop::poll_proceed`.
///
/// # Cancel safety
///
/// Nothing to cancel: the function does not wait.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, task};
/// use std::cell::Cell;
/// use std::future::poll_fn;
/// use std::task::{Poll, ready};
///
/// /// Takes a number out of a box that is never empty.
/// async fn take(numbers: &Cell<u32>) -> u32 {
///     poll_fn(|cx| {
///         let budget = ready!(task::poll_budget(cx));
///         numbers.set(numbers.get() + 1);
///         budget.spend();
///         Poll::Ready(numbers.get())
///     })
///     .await
/// }
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     let numbers = Cell::new(0);
///     let other = task::spawn(async {});
///     while !other.is_finished() {
///         take(&numbers).await;
///     }
///     assert_eq!(numbers.get(), task::POLL_BUDGET + 1);
/// });
/// ```
#[inline]
#[doc(alias("coop", "poll_proceed"))]
pub fn poll_budget(cx: &mut Context<'_>) -> Poll<Budget> {
    if !context::has_ease() {
        ready!(poll_left(cx));
    }
    Poll::Ready(Budget {
        not_send: PhantomData,
    })
}

/// `Pending`, with the task woken, if the budget is used up. There is no ease.
#[inline]
fn poll_left(cx: &mut Context<'_>) -> Poll<()> {
    let is_used_up = context::with_home(|home| {
        let spent = home.counts.spent.get();
        spent >= POLL_BUDGET && is_used_up(home, cx)
    });
    if is_used_up.unwrap_or(false) {
        Poll::Pending
    } else {
        Poll::Ready(())
    }
}

/// Spends a piece of the running task's budget, for a wait that is over; `Pending`, with the task
/// woken, if it is used up.
#[inline(always)]
pub(crate) fn poll_spend(cx: &mut Context<'_>) -> Poll<()> {
    if context::take_ease() {
        return Poll::Ready(());
    }
    let is_used_up = context::with_home(|home| {
        let spent = home.counts.spent.get();
        home.counts.spent.set(spent.wrapping_add(1));
        spent >= POLL_BUDGET && is_used_up(home, cx)
    });
    if is_used_up.unwrap_or(false) {
        Poll::Pending
    } else {
        Poll::Ready(())
    }
}

/// Spends a piece of the running task's budget, if there is one. There is no ease.
#[inline(always)]
pub(crate) fn try_spend(home: &Home) -> bool {
    let spent = home.counts.spent.get();
    let is_left = spent < POLL_BUDGET;
    if is_left {
        home.counts.spent.set(spent + 1);
    }
    is_left
}

/// Has the task polled again after the others. Returns false outside of tasks.
#[cold]
fn is_used_up(home: &Home, cx: &mut Context<'_>) -> bool {
    if home.current.get().is_none() {
        home.counts.spent.set(0);
        return false;
    }
    home.counts.spent.set(POLL_BUDGET);
    // A cancelled task that gives way is not parked on something that cannot be told.
    home.let_through();
    cx.waker().wake_by_ref();
    true
}

/// A piece of a task's budget; see [`poll_budget`].
#[must_use = "a wait that is over at once spends it"]
pub struct Budget {
    not_send: PhantomData<*const ()>,
}

impl Budget {
    /// The wait is over: the piece is used.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[inline(always)]
    pub fn spend(self) {
        spend_budget();
    }
}

/// Spends a piece of the running task's budget without a look whether there is one, for a wait that
/// is over: as [`Budget::spend`], where the piece was asked for elsewhere.
///
/// # Cancel safety
///
/// Nothing to cancel: the function does not wait.
#[inline(always)]
pub fn spend_budget() {
    if context::take_ease() {
        return;
    }
    context::with_home(|home| {
        let spent = &home.counts.spent;
        spent.set(spent.get().wrapping_add(1));
    });
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget").finish_non_exhaustive()
    }
}

/// Gives way if the task has done much in this poll; else goes on at once.
///
/// For long computations in one task, in the place of a [`yield_now`](super::yield_now()) that counts
/// its rounds.
///
/// # Errors
///
/// `Cancelled` if the task or a scope around is cancelled.
///
/// # Cancel safety
///
/// Cancel safe: dropped or cancelled before it completes, it had no effect.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, task};
///
/// let sum = Scheduler::new(ThreadDriver::new()).block_on(async {
///     let mut sum = 0;
///     for n in 0..1000 {
///         sum += n;
///         task::consume_budget().await?;
///     }
///     Ok::<u32, ringloop_task::cancel::Cancelled>(sum)
/// })?;
/// assert_eq!(sum, 499_500);
/// # Ok::<(), ringloop_task::cancel::Cancelled>(())
/// ```
#[track_caller]
pub fn consume_budget() -> ConsumeBudget {
    ConsumeBudget {
        watch: CancelWatch::new(),
    }
}

/// Gives way now and then; see [`consume_budget`].
#[must_use = "futures do nothing unless awaited"]
#[derive(Debug)]
pub struct ConsumeBudget {
    watch: CancelWatch,
}

impl Future for ConsumeBudget {
    type Output = Result<(), Cancelled>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.watch.poll_cancelled(cx)?;
        ready!(poll_budget(cx)).spend();
        Poll::Ready(Ok(()))
    }
}

/// What is counted in one poll of a task. Next to each other, so that one store makes both zero.
#[derive(Debug, Default)]
#[repr(C, align(8))]
pub(crate) struct PollCounts {
    /// How many waits were told that they are cancelled.
    pub(crate) denied: std::cell::Cell<u32>,
    /// How much of the budget is spent, or lent (E1 of [`context`]).
    pub(crate) spent: std::cell::Cell<u32>,
}

impl Home {
    /// The poll of a task begins, which is the current one and was asked to cancel or not.
    #[inline]
    pub(crate) fn begin_counts(&self, is_requested: bool) {
        if is_requested {
            return self.begin_counts_requested();
        }
        self.counts.denied.set(0);
        self.counts.spent.set(POLL_BUDGET);
        context::replace_ease(POLL_BUDGET);
    }

    /// The same for a task whose waits have to look.
    #[cold]
    fn begin_counts_requested(&self) {
        self.counts.denied.set(0);
        self.counts.spent.set(0);
        context::replace_ease(0);
    }

    /// Lends what is left of the budget, if all is as it mostly is (E1).
    pub(crate) fn lend(&self) {
        let Some(task) = self.current.get() else {
            return;
        };
        if self.scope.borrow().is_none() && !super::is_requested(task) {
            let spent = self.counts.spent.replace(POLL_BUDGET);
            context::replace_ease(POLL_BUDGET.saturating_sub(spent));
        }
    }

    /// Takes back what was lent and is left: something changes that waits have to look at.
    #[inline]
    pub(crate) fn recall(&self) {
        let spent = &self.counts.spent;
        spent.set(spent.get().wrapping_sub(context::replace_ease(0)));
    }
}

impl PollCounts {
    /// Returns what was counted and begins anew.
    pub(crate) fn take(&self) -> Self {
        let taken = Self::default();
        taken.denied.set(self.denied.replace(0));
        taken.spent.set(self.spent.replace(0));
        taken
    }

    /// Goes on with what was counted before.
    pub(crate) fn restore(&self, taken: &Self) {
        self.denied.set(taken.denied.get());
        self.spent.set(taken.spent.get());
    }
}
