//! Tasks whose errors are reported if nobody reads them.

use std::any::Any;
use std::error::Error;
use std::fmt::Display;
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::cell::Body;
use super::error::JoinError;
use super::join::JoinHandle;
use super::spawn::Builder;
use crate::cancel::{self, Cancelled};

/// Starts a task whose error must not be lost: if it returns `Err` and nobody reads it, a
/// [`Report::UnreadError`](crate::observe::Report::UnreadError) tells of it, when the handle is
/// gone and the task has ended.
///
/// For tasks that run on their own and whose handle is dropped. An error that is nothing but
/// [`Cancelled`] is not reported: somebody has asked for it. Panics that nobody reads are
/// [`Unhandled`](crate::Unhandled) with any task. Counterpart: "Task exception was never retrieved".
///
/// # Panics
///
/// Outside of a running loop.
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
/// use std::sync::mpsc;
///
/// let (log, reports) = mpsc::channel();
/// let mut scheduler = Scheduler::builder()
///     .on_report(move |report| log.send(report.to_string()).unwrap())
///     .build(ThreadDriver::new());
/// scheduler.block_on(async {
///     drop(task::spawn_reporting(async { "x".parse::<i32>().map(drop) }));
///     task::yield_now().await
/// })?;
/// assert!(reports.recv().unwrap().contains("invalid digit"));
/// # Ok::<(), ringloop_task::cancel::Cancelled>(())
/// ```
#[track_caller]
pub fn spawn_reporting<F, T, E>(future: F) -> JoinHandle<Result<T, E>>
where
    F: Future<Output = Result<T, E>> + 'static,
    T: 'static,
    E: Display + 'static,
{
    Builder::new().spawn_reporting(future)
}

impl Builder {
    /// Starts the task as [`spawn_reporting`] does: its error is reported if nobody reads it.
    ///
    /// # Panics
    ///
    /// Outside of a running loop.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[track_caller]
    pub fn spawn_reporting<F, T, E>(self, future: F) -> JoinHandle<Result<T, E>>
    where
        F: Future<Output = Result<T, E>> + 'static,
        T: 'static,
        E: Display + 'static,
    {
        self.start(Location::caller(), Reporting { future })
    }
}

pin_project! {
    /// A future whose error is reported if nobody reads it.
    struct Reporting<F> {
        #[pin]
        future: F,
    }
}

impl<F, T, E> Body for Reporting<F>
where
    F: Future<Output = Result<T, E>>,
    E: Display + 'static,
{
    type Output = Result<T, E>;

    fn unread(output: &Result<T, E>) -> Option<String> {
        let error = output.as_ref().err()?;
        (!is_cancelled(error)).then(|| error.to_string())
    }

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Self::Output, JoinError>> {
        self.project().future.poll(cx).map(Ok)
    }
}

/// Returns whether an error says no more than that somebody asked for it.
fn is_cancelled(error: &dyn Any) -> bool {
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return cancel::is_cancelled(error);
    }
    let boxed = error.downcast_ref::<Box<dyn Error>>();
    let shared = error.downcast_ref::<Box<dyn Error + Send + Sync>>();
    error.is::<Cancelled>()
        || boxed.is_some_and(|error| error.is::<Cancelled>())
        || shared.is_some_and(|error| error.is::<Cancelled>())
}
