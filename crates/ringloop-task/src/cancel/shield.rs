//! Keeping cancellation out.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::run_scoped::RunScoped;
use super::scope::{CancelScope, ScopeExit};
use crate::time;

/// Keeps cancellation from outside out of `body`: for cleanup that has to wait.
///
/// The task's own request and all scopes around are invisible inside; afterwards they are seen
/// again. [`shield_for`] gives the cleanup a bound of its own.
/// Counterpart: `asyncio.shield`, without its orphan.
///
/// # Panics
///
/// When polled outside of a running loop.
///
/// # Cancel safety
///
/// As that of the body, which a cancellation does not reach.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::cancel::{Cancelled, shield};
/// use ringloop_task::{Scheduler, task, time};
/// use std::time::Duration;
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     let child = task::spawn(async {
///         let worked = time::sleep(Duration::MAX).await;
///         shield(time::sleep(Duration::from_millis(1))).await?; // Say goodbye.
///         worked
///     });
///     child.cancel("enough");
///     assert_eq!(child.await.unwrap().unwrap_err().reason().text(), "enough");
/// });
/// ```
pub fn shield<F: Future>(body: F) -> Shield<F> {
    Shield {
        run: CancelScope::new().shielded().run(body),
    }
}

/// Keeps cancellation from outside out of `body` for so long at the most: for cleanup that has to
/// wait, but not for ever. The time is counted from the first poll.
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
/// As that of the body, which a cancellation from outside does not reach.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::cancel::shield_for;
/// use ringloop_task::{Scheduler, task, time};
/// use std::time::Duration;
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     let child = task::spawn(async {
///         let worked = time::sleep(Duration::MAX).await;
///         let goodbye = time::sleep(Duration::MAX); // To somebody who is gone.
///         let said = shield_for(Duration::from_millis(1), goodbye).await;
///         (worked.is_ok(), said.is_ok())
///     });
///     child.cancel("enough");
///     assert_eq!(child.await.unwrap(), (false, false));
/// });
/// ```
pub fn shield_for<F: Future>(duration: Duration, body: F) -> ShieldFor<F> {
    let scope = CancelScope::new().shielded().deadline_in(duration);
    ShieldFor {
        run: time::Timeout::of(scope.run(body)),
    }
}

pin_project! {
    /// Runs a body behind a shield; see [`shield`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct Shield<F> {
        #[pin]
        run: RunScoped<F>,
    }
}

pin_project! {
    /// Runs a body behind a shield with a deadline; see [`shield_for`].
    #[must_use = "futures do nothing unless awaited"]
    #[derive(Debug)]
    pub struct ShieldFor<F> {
        #[pin]
        run: time::Timeout<F>,
    }
}

impl<F: Future> Future for ShieldFor<F> {
    type Output = Result<F::Output, time::Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().run.poll(cx)
    }
}

impl<F: Future> Future for Shield<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().run.poll(cx).map(|exit| match exit {
            ScopeExit::Done(value) => value,
            ScopeExit::Cancelled(_) => unreachable!("a mere shield has nothing of its own"),
        })
    }
}

impl<F> fmt::Debug for Shield<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shield").finish_non_exhaustive()
    }
}
