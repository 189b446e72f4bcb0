//! All results of several tasks, which run on whatever one of them does.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec;

use crate::cancel::{Request, check_cancelled};
use crate::task::{Edges, JoinError, JoinHandle};

/// Waits for all of several tasks, and gives their results in the order of the handles.
///
/// A task that fails or panics does not concern the others: they run on, and its result has its
/// place among theirs. Where a failure has to end the others, use a task group, or
/// [`try_join!`](macro@crate::future::try_join). Of no handles at all the result is empty.
///
/// Counterpart: `asyncio.gather(…, return_exceptions=True)`.
///
/// # Cancel safety
///
/// Awaited in a scope that is cancelled, it passes the request on to all the tasks, once, and goes
/// on waiting for their ends. Dropped, it detaches the tasks, and drops the results so far.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, task, time};
/// use std::time::Duration;
///
/// let results = Scheduler::new(ThreadDriver::new()).block_on(async {
///     task::gather((1..=3).map(|n| {
///         task::spawn(async move {
///             time::sleep(Duration::from_millis(4 - n)).await?;
///             Ok::<u64, ringloop_task::cancel::Cancelled>(n)
///         })
///     }))
///     .await
/// });
/// let numbers: Vec<u64> = results.into_iter().map(|result| result.unwrap().unwrap()).collect();
/// assert_eq!(numbers, [1, 2, 3]);
/// ```
pub fn gather<T>(handles: impl IntoIterator<Item = JoinHandle<T>>) -> Gather<T> {
    let handles: Vec<_> = handles.into_iter().collect();
    Gather {
        results: Vec::with_capacity(handles.len()),
        handles: handles.into_iter(),
        has_passed_on: false,
        edges: None,
    }
}

/// Waits for several tasks; see [`gather`].
#[must_use = "futures do nothing unless awaited"]
pub struct Gather<T> {
    /// Those that have not given their results.
    handles: vec::IntoIter<JoinHandle<T>>,
    results: Vec<Result<T, JoinError>>,
    /// Whether a request has been passed on: once is enough.
    has_passed_on: bool,
    /// After the first poll that was pending: whose ends are waited for.
    edges: Option<Edges>,
}

impl<T> Unpin for Gather<T> {}

impl<T> Future for Gather<T> {
    type Output = Vec<Result<T, JoinError>>;

    /// Waits for one after the other: all have to end, so it does not matter which one is first.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        while let Some(handle) = this.handles.as_mut_slice().first_mut() {
            // It passes a request on to its own task, and sees to it that this is polled then.
            let Poll::Ready(result) = Pin::new(handle).poll(cx) else {
                this.edges.get_or_insert_with(|| {
                    Edges::here(this.handles.as_slice().iter().map(JoinHandle::id))
                });
                this.pass_on();
                return Poll::Pending;
            };
            this.results.push(result);
            drop(this.handles.next());
        }
        Poll::Ready(std::mem::take(&mut this.results))
    }
}

impl<T> Gather<T> {
    /// Passes a request on to all tasks.
    fn pass_on(&mut self) {
        if self.has_passed_on {
            return;
        }
        if let Err(cancelled) = check_cancelled() {
            self.has_passed_on = true;
            for handle in self.handles.as_slice() {
                handle.task().request(Request::passed_on(&cancelled));
            }
        }
    }
}

impl<T> fmt::Debug for Gather<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gather")
            .field("done", &self.results.len())
            .field("left", &self.handles.len())
            .finish_non_exhaustive()
    }
}
