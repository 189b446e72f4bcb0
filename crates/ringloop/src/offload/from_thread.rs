//! The way from a job back into the loop that has offloaded it.

use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;

use ringloop_offload::Interrupt;
use ringloop_task::Remote;
use ringloop_task::cancel::{CancelScope, CancelToken, Cancelled, Reason, ScopeExit};
use ringloop_task::task::JoinError;

use super::link::Link;

/// Returns the way to the loop that has offloaded the job that runs on this thread.
///
/// `None` outside of jobs, and in those that come from no runtime. What a job offloads itself has the
/// way to the same loop. Counterpart: `trio.from_thread`.
///
/// # Examples
///
/// ```
/// use std::cell::Cell;
///
/// # ringloop::run(async {
/// thread_local! {
///     static PERCENT: Cell<u32> = const { Cell::new(0) };
/// }
/// let work = ringloop::offload(|| {
///     let remote = ringloop::offload::remote().expect("this is a job of a loop");
///     for percent in [10, 60, 100] {
///         // On the loop's thread, in this order.
///         remote.call_soon(move || PERCENT.set(percent))?;
///     }
///     Ok::<(), ringloop::runtime::Closed>(())
/// });
/// work.await??;
/// ringloop::task::yield_now().await?;
/// assert_eq!(PERCENT.get(), 100);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
#[doc(alias = "from_thread")]
pub fn remote() -> Option<Remote> {
    Link::of_job().map(|link| link.remote().clone())
}

/// Runs the future that `make` makes in a task on the loop that has offloaded the job that runs on
/// this thread, and waits for it. `make` runs there, so the future need not be `Send`.
///
/// The task is in a scope that is cancelled when the job is [asked to stop](Interrupt), for the same
/// reason. It has the job's traveling [task locals](crate::local). Counterpart:
/// `trio.from_thread.run`, `asyncio.run_coroutine_threadsafe(...).result()`.
///
/// # Errors
///
/// [`FromThreadError`]: the job was asked to stop, before or meanwhile (and the future was left
/// because of that; a value wins), the future panicked, the loop has gone, or this is no job of one.
///
/// # Panics
///
/// On the loop's own thread, where it would wait for ever: a job may be there if its executor runs
/// it there.
///
/// # Cancel safety
///
/// Nothing to cancel: the function blocks; it is no future.
///
/// # Examples
///
/// ```
/// use ringloop::offload;
/// use std::time::Duration;
///
/// # ringloop::run(async {
/// let answer = offload(|| {
///     // A library that wants a blocking callback, on a thread of its own.
///     offload::block_on(|| async {
///         ringloop::sleep(Duration::from_millis(1)).await?;
///         Ok::<_, ringloop::Cancelled>(42)
///     })
/// });
/// assert_eq!(answer.await???, 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })??;
/// assert!(offload::block_on(|| async {}).unwrap_err().is_outside());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias("from_thread.run", "run_coroutine_threadsafe"))]
#[track_caller]
pub fn block_on<M, F>(make: M) -> Result<F::Output, FromThreadError>
where
    M: FnOnce() -> F + Send + 'static,
    F: Future + 'static,
    F::Output: Send + 'static,
{
    let link = Link::of_job().ok_or(FromThreadError::new(Kind::Outside))?;
    let interrupt = Interrupt::current();
    if interrupt.is_requested() {
        return Err(FromThreadError::new(Kind::Interrupted(why(&interrupt))));
    }
    match link.remote().block_on(move || obey(interrupt, make)) {
        Ok(ScopeExit::Done(value)) => Ok(value),
        Ok(ScopeExit::Cancelled(reason)) => Err(FromThreadError::new(Kind::Interrupted(reason))),
        Err(error) => Err(FromThreadError::new(Kind::Ended(error))),
    }
}

/// Runs the future in a scope that is cancelled when the job is asked to stop.
async fn obey<M, F>(interrupt: Interrupt, make: M) -> ScopeExit<F::Output>
where
    M: FnOnce() -> F,
    F: Future,
{
    let token = CancelToken::new();
    let scope = CancelScope::with_token(token.clone());
    let mut body = pin!(scope.run(async move { make().await }));
    let mut requested = pin!(interrupt.requested());
    poll_fn(|cx| {
        if !token.is_cancelled() && requested.as_mut().poll(cx).is_ready() {
            token.cancel(why(&interrupt));
        }
        body.as_mut().poll(cx)
    })
    .await
}

/// The reason why a job was asked to stop, in the words of tasks.
fn why(interrupt: &Interrupt) -> Reason {
    let Some(reason) = interrupt.reason() else {
        return Reason::from("nobody waits for the job that asked for it");
    };
    match reason.downcast_ref::<Cancelled>() {
        Some(cancelled) => cancelled.reason().clone(),
        None => Reason::from(reason.to_string()),
    }
}

/// Why [`block_on`] has no value.
///
/// # Examples
///
/// ```
/// let error = ringloop::offload::block_on(|| async {}).unwrap_err();
/// assert_eq!(error.to_string(), "this is no job that a loop has offloaded");
/// ```
#[derive(Debug)]
pub struct FromThreadError {
    // One word, so that it costs the value nothing.
    kind: Box<Kind>,
}

#[derive(Debug)]
enum Kind {
    Outside,
    Interrupted(Reason),
    Ended(JoinError),
}

impl FromThreadError {
    fn new(kind: Kind) -> Self {
        Self {
            kind: Box::new(kind),
        }
    }

    /// Returns whether there is no loop to run on: this is no job, or one that comes from no
    /// runtime.
    #[must_use]
    pub fn is_outside(&self) -> bool {
        matches!(*self.kind, Kind::Outside)
    }

    /// Returns why the job was asked to stop, if that was it.
    #[must_use]
    pub fn reason(&self) -> Option<&Reason> {
        match &*self.kind {
            Kind::Interrupted(reason) => Some(reason),
            Kind::Outside | Kind::Ended(_) => None,
        }
    }

    /// Returns whether the job was asked to stop, and that was it.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.reason().is_some()
    }

    /// Returns whether the loop has gone, before or meanwhile.
    #[must_use]
    #[doc(alias = "RunFinishedError")]
    pub fn is_gone(&self) -> bool {
        matches!(&*self.kind, Kind::Ended(error) if error.is_gone())
    }

    /// Returns whether the future panicked.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        matches!(&*self.kind, Kind::Ended(error) if error.is_panic())
    }

    /// Continues the future's panic on this thread. Other errors panic with their message.
    ///
    /// # Panics
    ///
    /// Always: that is what it is for.
    #[track_caller]
    pub fn resume(self) -> ! {
        match *self.kind {
            Kind::Ended(error) => error.resume(),
            Kind::Outside | Kind::Interrupted(_) => panic!("{self}"),
        }
    }
}

impl fmt::Display for FromThreadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.kind {
            Kind::Outside => f.write_str("this is no job that a loop has offloaded"),
            Kind::Interrupted(reason) => write!(f, "the job was asked to stop: {reason}"),
            Kind::Ended(error) => error.fmt(f),
        }
    }
}

impl Error for FromThreadError {}

impl From<FromThreadError> for io::Error {
    fn from(error: FromThreadError) -> Self {
        Self::other(error)
    }
}
