//! Some of several tasks, at most those that have ended.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::ready::ReadyQueue;
use crate::cancel::{CancelWatch, Cancelled};
use crate::task::{Edges, JoinError, JoinHandle};

/// What [`wait`] waits for.
#[non_exhaustive]
pub enum When<T> {
    /// Until one of the tasks has ended.
    First,
    /// Until all of them have ended.
    All,
    /// Until one has ended with a result that meets the condition, or all have ended.
    Until(fn(&Result<T, JoinError>) -> bool),
}

impl<T, E> When<Result<T, E>> {
    /// Until one of the tasks has failed, or all of them have ended.
    ///
    /// `Err` is a failure, also one that tells of a cancellation, and so is a [`JoinError`], unless
    /// [it says so](JoinError::is_cancelled). For anything else use [`When::Until`].
    pub const FIRST_ERROR: Self = Self::Until(has_failed);
}

fn has_failed<T, E>(result: &Result<Result<T, E>, JoinError>) -> bool {
    match result {
        Ok(output) => output.is_err(),
        Err(error) => !error.is_cancelled(),
    }
}

impl<T> When<T> {
    /// Returns whether the end of this task, whichever ended before, is enough.
    fn is_met_by(&self, handle: &JoinHandle<T>) -> bool {
        match self {
            Self::First => true,
            Self::All => false,
            Self::Until(condition) => handle.peek().is_some_and(condition),
        }
    }
}

impl<T> Clone for When<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for When<T> {}

impl<T> fmt::Debug for When<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::First => "First",
            Self::All => "All",
            Self::Until(_) => "Until(..)",
        })
    }
}

/// Waits for some of several tasks. Gives the handles of all that have ended by then, which give
/// their outputs at once; the others are left in `handles`. Both in the order of the handles.
///
/// The tasks are never cancelled by this, and their errors are nothing special. Of no handles at
/// all it gives none. With a limit of time, put it into a [`timeout`](crate::time::timeout): that
/// leaves all handles where they are. Counterpart: `asyncio.wait`.
///
/// # Errors
///
/// `Cancelled` if the *waiting* task or scope is cancelled; the tasks are not.
///
/// # Cancel safety
///
/// Cancel safe: dropped or cancelled before it completes, it had no effect: all handles are in
/// `handles`, and the tasks run on.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::task::{self, When};
/// use ringloop_task::{Scheduler, time};
/// use std::time::Duration;
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     let mut handles: Vec<_> = [3, 1, 2]
///         .map(|n| {
///             task::spawn(async move {
///                 time::sleep(Duration::from_millis(10 * n)).await.ok();
///                 n
///             })
///         })
///         .into();
///     while !handles.is_empty() {
///         for done in task::wait(&mut handles, When::First).await? {
///             println!("{} is done", done.await.expect("it does not panic"));
///         }
///     }
///     Ok::<(), ringloop_task::cancel::Cancelled>(())
/// })?;
/// # Ok::<(), ringloop_task::cancel::Cancelled>(())
/// ```
#[doc(alias("FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED"))]
#[track_caller]
pub fn wait<T>(handles: &mut Vec<JoinHandle<T>>, when: When<T>) -> WaitSome<'_, T> {
    WaitSome {
        handles,
        when,
        filed: None,
        ended: 0,
        watch: CancelWatch::new(),
    }
}

/// Waits for some of several tasks; see [`wait`].
#[must_use = "futures do nothing unless awaited"]
pub struct WaitSome<'a, T> {
    handles: &'a mut Vec<JoinHandle<T>>,
    when: When<T>,
    /// After the first poll.
    filed: Option<Filed>,
    /// How many tasks are known to have ended.
    ended: usize,
    watch: CancelWatch,
}

/// How tasks tell of their ends.
struct Filed {
    queue: Arc<ReadyQueue>,
    /// The places in `handles` of the members of the queue.
    places: Vec<usize>,
    _edges: Edges,
}

impl<T> WaitSome<'_, T> {
    /// The first poll: looks at all tasks. Returns whether it is over.
    fn look(&mut self) -> bool {
        let ended = self.handles.iter().filter(|handle| handle.is_finished());
        let is_met = ended.clone().any(|handle| self.when.is_met_by(handle));
        self.ended = ended.count();
        is_met || self.ended == self.handles.len()
    }

    /// Has all tasks that run tell of their ends.
    fn file(&mut self) -> &mut Filed {
        let queue = ReadyQueue::new();
        let mut places = Vec::new();
        for (place, handle) in self.handles.iter().enumerate() {
            if !handle.is_finished() {
                let (_, waker) = queue.enter();
                handle.register(&waker);
                places.push(place);
            }
        }
        let awaited = places.iter().map(|&place| self.handles[place].id());
        let edges = Edges::here(awaited);
        self.filed.insert(Filed {
            queue,
            places,
            _edges: edges,
        })
    }

    /// A later poll: looks at the tasks that have ended since the last one.
    fn look_again(&mut self) -> bool {
        while let Some(filed) = &self.filed
            && let Some(key) = filed.queue.pop()
        {
            let handle = &self.handles[filed.places[key.index()]];
            debug_assert!(handle.is_finished(), "only its end wakes a joiner");
            self.ended += 1;
            if self.when.is_met_by(handle) {
                return true;
            }
        }
        self.ended == self.handles.len()
    }

    /// Divides the handles.
    fn finish(&mut self) -> Vec<JoinHandle<T>> {
        let done = self.handles.extract_if(.., |handle| handle.is_finished());
        done.collect()
    }
}

impl<T> Future for WaitSome<'_, T> {
    type Output = Result<Vec<JoinHandle<T>>, Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let is_over = match &this.filed {
            None => this.look(),
            Some(_) => this.look_again(),
        };
        if is_over {
            return Poll::Ready(Ok(this.finish()));
        }
        this.watch.poll_cancelled(cx)?;
        let filed = match this.filed.as_mut() {
            None => this.file(),
            Some(filed) => filed,
        };
        filed.queue.begin(cx.waker());
        Poll::Pending
    }
}

impl<T> Drop for WaitSome<'_, T> {
    fn drop(&mut self) {
        if self.filed.is_some() {
            self.handles.iter().for_each(JoinHandle::unregister);
        }
    }
}

impl<T> fmt::Debug for WaitSome<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitSome")
            .field("handles", &self.handles.len())
            .field("when", &self.when)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
