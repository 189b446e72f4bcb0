//! What a wait asks of the runtime that polls it.
//!
//! The locks and queues of this crate wake tasks and know nothing else of them. Whether a wait is
//! cancelled, whether the task has had its share of the thread, and what the task is called are
//! questions for the runtime; [`Host`] is where they are asked. A host is chosen by type, so one
//! that has nothing to say ([`AnyExecutor`]) costs nothing.

use std::convert::Infallible;
use std::fmt;
use std::panic::Location;
use std::task::{Context, Poll, Waker};

use crate::deadlock::{Deadlock, TaskLabel};

/// A runtime, as the waits of this crate see it.
///
/// Each type of [`hosted`](crate::hosted) has a host as its last parameter; the types at the root
/// of the crate are those of [`AnyExecutor`]. A runtime with cancellation implements the trait for
/// a type that is never made, and gives its users aliases with it, as the crate `ringloop` does.
///
/// The protocol of one wait: [`watch`](Self::watch) when its future is made;
/// [`poll_begin`](Self::poll_begin) at its first poll, and again as long as that says `Pending`;
/// then, in each poll that finds that there is nothing yet, [`poll_cancelled`](Self::poll_cancelled)
/// after the waker has been filed. A value that is there wins over a cancellation. The watch is
/// dropped when the wait is over.
///
/// # Examples
///
/// A host on which everything can be called off at once:
///
/// ```
/// use ringloop_sync::{Host, hosted};
/// use std::cell::Cell;
/// use std::fmt;
/// use std::panic::Location;
/// use std::pin::pin;
/// use std::task::{Context, Poll, Waker};
///
/// thread_local! { static STOPPED: Cell<bool> = const { Cell::new(false) } }
///
/// #[derive(Debug, PartialEq)]
/// struct Stopped;
///
/// impl fmt::Display for Stopped {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         f.write_str("everything has stopped")
///     }
/// }
///
/// impl std::error::Error for Stopped {}
///
/// enum Stoppable {}
///
/// impl Host for Stoppable {
///     type Watch = ();
///     type Cancelled = Stopped;
///     type Outcome<T> = Result<T, Stopped>;
///
///     fn watch(_: &'static Location<'static>) {}
///
///     fn poll_begin(watch: &mut (), cx: &mut Context<'_>) -> Poll<Result<(), Stopped>> {
///         Poll::Ready(Self::poll_cancelled(watch, cx))
///     }
///
///     fn poll_cancelled(_: &mut (), _: &mut Context<'_>) -> Result<(), Stopped> {
///         if STOPPED.get() { Err(Stopped) } else { Ok(()) }
///     }
///
///     fn outcome<T>(result: Result<T, Stopped>) -> Result<T, Stopped> {
///         result
///     }
/// }
///
/// let mutex = hosted::Mutex::<_, Stoppable>::new(5);
/// let held = mutex.try_lock();
/// let mut lock = pin!(mutex.lock());
/// let mut cx = Context::from_waker(Waker::noop());
/// assert!(lock.as_mut().poll(&mut cx).is_pending());
/// STOPPED.set(true); // And wake everybody, in a real runtime.
/// assert!(matches!(lock.as_mut().poll(&mut cx), Poll::Ready(Err(Stopped))));
/// # drop(held);
/// ```
pub trait Host: 'static {
    /// What a wait keeps to notice that it is cancelled.
    type Watch: fmt::Debug + Unpin;

    /// Why a wait ended without what it waited for. [`Infallible`] where nothing is ever cancelled.
    type Cancelled: std::error::Error + 'static;

    /// What a wait for a `T` gives that can fail only by being cancelled: `T` itself where nothing
    /// is, a `Result` elsewhere.
    type Outcome<T>;

    /// Makes the watch of a wait that was begun at `at` in the source.
    fn watch(at: &'static Location<'static>) -> Self::Watch;

    /// Asked before a wait begins: `Err` if it is cancelled already, `Pending` with the waker woken
    /// if the task has to let others go first, and else yes, which spends a piece of the task's
    /// share.
    fn poll_begin(
        watch: &mut Self::Watch,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Self::Cancelled>>;

    /// Asked when there is nothing yet: `Err` if the wait is cancelled; else sees to it that the
    /// future is polled again when it is.
    ///
    /// # Errors
    ///
    /// Why the wait is cancelled.
    fn poll_cancelled(watch: &mut Self::Watch, cx: &mut Context<'_>)
    -> Result<(), Self::Cancelled>;

    /// Told by a wait that it goes on although it is cancelled, because it cannot leave things as
    /// they are: one for a [`Condvar`](crate::Condvar) locks its mutex again. In each poll in which
    /// [`poll_cancelled`](Self::poll_cancelled) has said so.
    ///
    /// For hosts that drop what does not heed a cancellation. Does nothing unless implemented.
    #[inline]
    fn stay(watch: &mut Self::Watch) {
        let _ = watch;
    }

    /// Asked when a lock is taken, and when a wait for one begins: the task that runs, if
    /// [deadlocks](crate::deadlock) are to be looked for. `waker` is what it is polled with, if it is
    /// polled for the lock; a host had better say nothing if that belongs to a part of the task which
    /// is polled apart from the others, for such parts do not wait for each other in order.
    ///
    /// Says nothing unless implemented.
    #[inline]
    fn task(waker: Option<&Waker>) -> Option<TaskLabel> {
        let _ = waker;
        None
    }

    /// Told of tasks that wait for each other, in the middle of a poll. Does nothing unless
    /// implemented.
    fn report(deadlock: &Deadlock) {
        let _ = deadlock;
    }

    /// Puts what a wait gave into the form that the caller gets.
    fn outcome<T>(result: Result<T, Self::Cancelled>) -> Self::Outcome<T>;
}

/// The host that says nothing: every executor will do, nothing is cancelled but by dropping, and
/// what is waited for comes as it is.
///
/// # Examples
///
/// ```
/// # use std::pin::pin;
/// # use std::task::{Context, Poll, Waker};
/// let mutex = ringloop_sync::Mutex::new(5);
/// let mut lock = pin!(mutex.lock());
/// # let mut cx = Context::from_waker(Waker::noop());
/// assert!(matches!(lock.as_mut().poll(&mut cx), Poll::Ready(guard) if *guard == 5)); // Not `Ok(guard)`.
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum AnyExecutor {}

impl Host for AnyExecutor {
    type Watch = ();
    type Cancelled = Infallible;
    type Outcome<T> = T;

    #[inline]
    fn watch(_: &'static Location<'static>) {}

    #[inline]
    fn poll_begin((): &mut (), _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn poll_cancelled((): &mut (), _: &mut Context<'_>) -> Result<(), Infallible> {
        Ok(())
    }

    #[inline]
    fn outcome<T>(result: Result<T, Infallible>) -> T {
        let Ok(value) = result;
        value
    }
}
