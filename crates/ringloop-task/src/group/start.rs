//! Children that say when they are ready.

use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::io;
use std::panic::{Location, resume_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::child::Sink;
use super::desk::{Desk, Ready};
use super::handle::TaskGroup;
use super::shared::Failure;
use crate::cancel::{Reason, ReasonKind, Request};
use crate::task::{Builder, JoinError, JoinHandle};

impl<E: 'static> TaskGroup<E> {
    /// Starts a child and waits until it says that it is ready, with a value: a server that says
    /// where it listens.
    ///
    /// An error before that comes out here, and not of the group; one after it is the group's.
    /// Counterpart: `trio.Nursery.start`.
    ///
    /// # Errors
    ///
    /// [`StartError`]: the child failed, was cancelled or aborted, or ended without a report.
    ///
    /// # Panics
    ///
    /// When polled outside of a running loop, and with the child's panic if it was not ready yet.
    ///
    /// # Cancel safety
    ///
    /// Cancelled, it asks the child to cancel and waits for what comes first: the report, or the
    /// child's end. Dropped, it aborts a child that was not ready.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::ThreadDriver;
    /// use ringloop_task::group::{Ready, StartError, group};
    /// use ringloop_task::{Scheduler, time};
    /// use std::time::Duration;
    ///
    /// async fn serve(ready: Ready<u16>) -> Result<(), String> {
    ///     ready.report(8080);
    ///     let _ = time::sleep(Duration::from_millis(1)).await;
    ///     Ok(())
    /// }
    ///
    /// let port = Scheduler::new(ThreadDriver::new()).block_on(group(async |g| {
    ///     let (port, _server) = g.start(serve).await.map_err(|error| error.to_string())?;
    ///     Ok::<u16, String>(port)
    /// }));
    /// assert_eq!(port.unwrap(), 8080);
    /// ```
    #[track_caller]
    pub fn start<V, U, F>(
        &self,
        body: F,
    ) -> impl Future<Output = Result<(V, JoinHandle<U>), StartError<E>>> + use<V, U, F, E>
    where
        F: AsyncFnOnce(Ready<V>) -> Result<U, E> + 'static,
        V: 'static,
        U: 'static,
    {
        let at = Location::caller();
        let group = self.clone();
        async move {
            let desk = Rc::new(Desk::new());
            let ready = Ready::new(&desk);
            let child = async move { body(ready).await };
            let early = Rc::new(Early::new(desk));
            let handle = group.spawn_with(at, Builder::new(), child, Rc::clone(&early));
            drop(group);
            Starting::new(early, handle).await
        }
    }
}

/// What a child fails with before it is ready.
struct Early<V, E> {
    desk: Rc<Desk<V>>,
    failure: RefCell<Option<Failure<E>>>,
}

impl<V, E> Early<V, E> {
    fn new(desk: Rc<Desk<V>>) -> Self {
        Self {
            desk,
            failure: RefCell::new(None),
        }
    }
}

impl<V, E> Sink<E> for Rc<Early<V, E>> {
    fn take(&self, failure: Failure<E>) -> Option<Failure<E>> {
        if !self.desk.is_open() {
            return Some(failure);
        }
        self.failure.replace(Some(failure))
    }
}

/// Waits for the report of a child, or for its end.
struct Starting<V, U, E> {
    early: Rc<Early<V, E>>,
    /// `None` when the start is over.
    handle: Option<JoinHandle<U>>,
    /// Whether a child that cannot report any more was asked to cancel.
    has_asked: bool,
}

impl<V, U, E> Starting<V, U, E> {
    fn new(early: Rc<Early<V, E>>, handle: JoinHandle<U>) -> Self {
        Self {
            early,
            handle: Some(handle),
            has_asked: false,
        }
    }

    /// The child has ended without a report.
    fn failed(&self, output: Result<U, JoinError>) -> StartError<E> {
        let failure = self.early.failure.take();
        match (failure, output) {
            (Some(Failure::Error(error)), _) => StartError::Failed(error),
            (Some(Failure::Panic(payload)), _) => resume_unwind(payload),
            (None, Err(error)) if !self.has_asked => StartError::Ended(error),
            (None, _) => StartError::NotReady,
        }
    }
}

impl<V, U, E> Future for Starting<V, U, E> {
    type Output = Result<(V, JoinHandle<U>), StartError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let Some(mut handle) = this.handle.take() else {
            unreachable!("the future around this one is done")
        };
        if let Some(value) = this.early.desk.take() {
            handle.rewind();
            return Poll::Ready(Ok((value, handle)));
        }
        if let Poll::Ready(output) = Pin::new(&mut handle).poll(cx) {
            return Poll::Ready(Err(this.failed(output)));
        }
        this.early.desk.register(cx.waker());
        if this.early.desk.is_forsaken() && !this.has_asked {
            this.has_asked = true;
            let reason = Reason::new(ReasonKind::Group, "it cannot say that it is ready");
            handle.task().request(Request::new(reason));
        }
        this.handle = Some(handle);
        Poll::Pending
    }
}

impl<V, U, E> Unpin for Starting<V, U, E> {}

impl<V, U, E> Drop for Starting<V, U, E> {
    fn drop(&mut self) {
        self.early.desk.close();
        if let Some(handle) = self.handle.take() {
            handle.abort();
        }
    }
}

/// A child did not come to be ready; see [`TaskGroup::start`].
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError<E> {
    /// It failed with an error, which is not the group's.
    Failed(E),
    /// It ended, or dropped its [`Ready`], without a report.
    NotReady,
    /// It was cancelled or aborted, or the group is over.
    Ended(JoinError),
}

impl<E> StartError<E> {
    /// Returns the error that the child failed with.
    ///
    /// # Errors
    ///
    /// The start's error itself, if the child did not fail.
    pub fn into_failed(self) -> Result<E, Self> {
        match self {
            Self::Failed(error) => Ok(error),
            other @ (Self::NotReady | Self::Ended(_)) => Err(other),
        }
    }
}

impl<E: fmt::Display> fmt::Display for StartError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::NotReady => f.write_str("the task did not say that it is ready"),
            Self::Ended(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> Error for StartError<E> {}

/// What the child failed with is the error itself.
impl From<StartError<Self>> for io::Error {
    fn from(error: StartError<Self>) -> Self {
        match error {
            StartError::Failed(error) => error,
            StartError::Ended(error) => error.into(),
            StartError::NotReady => Self::other(error),
        }
    }
}
