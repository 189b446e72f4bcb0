//! Scopes with a deadline, for one future.

use std::error::Error;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;

use crate::cancel::{CancelScope, RunScoped, ScopeExit};

/// Gives `body` so much time, counted from the first poll.
///
/// When the time is over, the wait that the body is parked on gives `Err(Cancelled)`, and the body
/// unwinds with `?`; the timeout waits for that, so cleanup is not cut off. It is an [`Elapsed`]
/// only if the cancellation comes out, alive in what the body returns: a body that finishes all the
/// same keeps its value. (So a body that has partial results to tell returns them without the
/// error, or with a copy of its [`Reason`](crate::cancel::Reason).)
/// A body that waits for nothing but futures that know nothing of cancellation (a postbox, a channel
/// of another library) is dropped where it is. Counterpart: `asyncio.timeout`.
///
/// # Errors
///
/// `Elapsed` if the body was cancelled because the time was over.
///
/// # Panics
///
/// When polled outside of a running loop.
///
/// # Cancel safety
///
/// As that of the body.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, time};
/// use std::time::Duration;
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     let slow = time::sleep(Duration::MAX);
///     assert!(time::timeout(Duration::from_millis(1), slow).await.is_err());
///     assert_eq!(time::timeout(Duration::from_millis(1), async { 7 }).await, Ok(7));
/// });
/// ```
#[doc(alias = "wait_for")]
#[doc(alias = "fail_after")]
pub fn timeout<F: Future>(timeout: Duration, body: F) -> Timeout<F> {
    Timeout {
        run: CancelScope::new().deadline_in(timeout).run(body),
    }
}

/// Gives `body` time until `deadline`; otherwise as [`timeout`]. Counterpart: `asyncio.timeout_at`.
///
/// # Errors
///
/// `Elapsed` if the body was cancelled because the time was over.
///
/// # Panics
///
/// When polled outside of a running loop.
///
/// # Cancel safety
///
/// As that of the body.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, time};
/// use std::time::Duration;
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     let slow = time::sleep(Duration::MAX);
///     let late = time::timeout_at(time::now(), slow).await;
///     assert_eq!(late.unwrap_err().to_string(), "the deadline has passed");
/// });
/// ```
#[doc(alias = "fail_at")]
pub fn timeout_at<F: Future>(deadline: Instant, body: F) -> Timeout<F> {
    Timeout {
        run: CancelScope::new().deadline_at(deadline).run(body),
    }
}

/// Gives `body` so much time, and goes on without its value when that is over.
///
/// Counterpart: `trio.move_on_after`.
///
/// # Panics
///
/// When polled outside of a running loop.
///
/// # Cancel safety
///
/// As that of the body.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, time};
/// use std::time::Duration;
///
/// let slow = async { time::move_on_after(Duration::ZERO, time::sleep(Duration::MAX)).await };
/// assert!(Scheduler::new(ThreadDriver::new()).block_on(slow).is_none());
/// ```
pub fn move_on_after<F: Future>(timeout: Duration, body: F) -> MoveOn<F> {
    MoveOn {
        run: CancelScope::new().deadline_in(timeout).run(body),
    }
}

pin_project! {
    /// Runs a body with a deadline; see [`timeout`].
    #[must_use = "futures do nothing unless awaited"]
    #[derive(Debug)]
    pub struct Timeout<F> {
        #[pin]
        run: RunScoped<F>,
    }
}

pin_project! {
    /// Runs a body with a deadline; see [`move_on_after`].
    #[must_use = "futures do nothing unless awaited"]
    #[derive(Debug)]
    pub struct MoveOn<F> {
        #[pin]
        run: RunScoped<F>,
    }
}

impl<F> Timeout<F> {
    /// Makes a timeout of a scope that has a deadline.
    pub(crate) fn of(run: RunScoped<F>) -> Self {
        Self { run }
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().run.poll(cx).map(|exit| match exit {
            ScopeExit::Done(value) => Ok(value),
            ScopeExit::Cancelled(_) => Err(Elapsed { _private: () }),
        })
    }
}

impl<F: Future> Future for MoveOn<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().run.poll(cx).map(ScopeExit::done)
    }
}

/// The time that a [`timeout`] gave was over.
///
/// It becomes an [`io::Error`] of the kind [`TimedOut`](io::ErrorKind::TimedOut), so that `?` works
/// in a function that returns `io::Result`. Counterpart: `TimeoutError`.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, time};
/// use std::{io, time::Duration};
///
/// async fn slow() -> io::Result<()> {
///     time::timeout(Duration::ZERO, time::sleep(Duration::MAX)).await??;
///     Ok(())
/// }
///
/// let error = Scheduler::new(ThreadDriver::new()).block_on(slow()).unwrap_err();
/// assert_eq!(error.kind(), io::ErrorKind::TimedOut);
/// ```
#[doc(alias("TimeoutError", "TooSlowError"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elapsed {
    _private: (),
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the deadline has passed")
    }
}

impl Error for Elapsed {}

impl From<Elapsed> for io::Error {
    fn from(elapsed: Elapsed) -> Self {
        Self::new(io::ErrorKind::TimedOut, elapsed)
    }
}
