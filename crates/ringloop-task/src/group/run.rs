//! The future of a group: its body, then the wait for its children.

use std::panic::{Location, resume_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::caught::Caught;
use super::error::GroupError;
use super::handle::TaskGroup;
use super::shared::{Failure, Shared};
use crate::cancel::{CancelScope, CancelWatch, check_cancelled};
use crate::task::Hubs;
use crate::unhandled::Payload;

/// Runs `body`, and the tasks that it spawns into the group, to their ends.
///
/// The group's future is done when the body and all children are, those included that children
/// have spawned meanwhile. So no child outlives it. The first failure of a child, or of the body,
/// cancels all the others, and the errors of all are collected. A child that was merely cancelled,
/// because the `Cancelled` that it was told is alive in its error, has not failed. Counterpart:
/// `asyncio.TaskGroup`, `trio.open_nursery`.
///
/// A cancellation of the scope or task around reaches the body's waits and all children, and comes
/// out in the error. Errors outrank it; it is seen again at the next wait.
///
/// # Errors
///
/// [`GroupError`]: with the errors of children and body, in the order of their failing; or without
/// any, if the body was cancelled before it had a value.
///
/// # Panics
///
/// When polled outside of a running loop. If the body or a child panics, the others are cancelled
/// and waited for, and then the panic goes on here. Further panics, and the errors, go to the hook
/// for what is unhandled.
///
/// # Cancel safety
///
/// As that of body and children, which are all cancelled, and waited for. If the future is
/// *dropped*, the children are aborted: their futures are dropped at once, and what failed before
/// goes to the hook for what is unhandled. If it is forgotten
/// ([`mem::forget`](std::mem::forget)), they run on as tasks of their own, and what they fail with
/// is lost.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::cancel::Cancelled;
/// use ringloop_task::group::group;
/// use ringloop_task::{Scheduler, time};
/// use std::time::Duration;
///
/// async fn double(n: u32) -> Result<u32, Cancelled> {
///     time::sleep(Duration::from_millis(1)).await?;
///     Ok(2 * n)
/// }
///
/// let sum = Scheduler::new(ThreadDriver::new()).block_on(group(async |g| {
///     let children: Vec<_> = (1..=3).map(|n| g.spawn(double(n))).collect();
///     let mut sum = 0;
///     for child in children {
///         sum += child.await.unwrap_or(0);
///     }
///     Ok::<u32, Cancelled>(sum)
/// }));
/// assert_eq!(sum.unwrap(), 12);
/// ```
#[doc(alias("TaskGroup", "open_nursery", "nursery"))]
#[must_use = "futures do nothing unless awaited"]
#[track_caller]
pub fn group<T, E, B>(body: B) -> impl Future<Output = Result<T, GroupError<E>>>
where
    B: AsyncFnOnce(&TaskGroup<E>) -> Result<T, E>,
    E: 'static,
{
    let at = Location::caller();
    async move {
        let scope = CancelScope::new().boundary();
        let guard = Guard(Rc::new(Shared::new(&scope)));
        let shared = &guard.0;
        Hubs::add(shared);
        let handle = TaskGroup::new(Rc::clone(shared));
        let mut returned = None;
        let run = scope.run(async { returned = Some(body(&handle).await) });
        let mut outside = Outside::new(at);
        // Around the scope: a panic is no value that the scope may take for its cancellation, and
        // it may come from the drop of a body that cannot be told.
        let exit = Caught::new(Passing {
            future: run,
            shared,
            outside: &mut outside,
        });
        let panicked = exit.await.err();
        let outcome = Outcome::new(shared, returned, panicked);
        let outside = &mut outside;
        Drain { shared, outside }.await;
        outcome.finish(shared)
    }
}

/// What the body came to.
enum Outcome<T, E> {
    Value(T),
    /// The body has failed, which is noted, or was cancelled and dropped.
    None,
    /// The body's error, in which something seemed to be alive that the group was told, and how
    /// many children had failed before.
    Told(E, usize),
}

impl<T, E> Outcome<T, E> {
    fn new(shared: &Shared<E>, returned: Option<Result<T, E>>, panicked: Option<Payload>) -> Self {
        if let Some(payload) = panicked {
            shared.fail(None, Failure::Panic(payload));
            return Self::None;
        }
        match returned {
            None => Self::None,
            Some(Ok(value)) => Self::Value(value),
            Some(Err(error)) if shared.node().is_out() => Self::Told(error, shared.errors_len()),
            Some(Err(error)) => {
                shared.fail(None, Failure::Error(error));
                Self::None
            }
        }
    }

    /// The children are gone.
    fn finish(self, shared: &Shared<E>) -> Result<T, GroupError<E>> {
        if let Some(payload) = shared.take_panic() {
            drop(self);
            shared.report_errors();
            resume_unwind(payload);
        }
        let mut errors = shared.take_errors();
        let told = match self {
            Self::Value(value) if errors.is_empty() => return Ok(value),
            Self::Value(value) => {
                drop(value);
                None
            }
            Self::None => None,
            Self::Told(error, position) => Some((error, position)),
        };
        // Only now is the count sure: it was not what a child was told and kept.
        if let Some((error, position)) = told {
            if shared.node().is_out() {
                drop(error);
            } else {
                errors.insert(position, error);
            }
        }
        if errors.is_empty() {
            let outer = check_cancelled().err();
            let cancelled = outer.unwrap_or_else(|| shared.node().cancelled());
            Err(GroupError::cancelled_by(cancelled))
        } else {
            Err(GroupError::of(errors))
        }
    }
}

pin_project! {
    /// Runs the body's scope, and passes cancellation from outside on to the children.
    struct Passing<'a, F, E> {
        #[pin]
        future: F,
        shared: &'a Shared<E>,
        outside: &'a mut Outside,
    }
}

impl<F: Future, E> Future for Passing<'_, F, E> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.outside.pass_on(this.shared, cx);
        this.future.poll(cx)
    }
}

/// Waits until all children are gone.
struct Drain<'a, E> {
    shared: &'a Shared<E>,
    outside: &'a mut Outside,
}

impl<E> Future for Drain<'_, E> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.shared.poll_empty(cx.waker()) {
            this.shared.close();
            return Poll::Ready(());
        }
        this.outside.pass_on(this.shared, cx);
        Poll::Pending
    }
}

/// What is around the group, whose cancellation it passes on.
struct Outside {
    watch: CancelWatch,
    is_told: bool,
}

impl Outside {
    fn new(at: &'static Location<'static>) -> Self {
        Self {
            watch: CancelWatch::at(at),
            is_told: false,
        }
    }

    /// Passes a cancellation on, once. The group goes on until its members have ended.
    fn pass_on<E>(&mut self, shared: &Shared<E>, cx: &mut Context<'_>) {
        if self.is_told {
            self.watch.stay_on();
        } else if let Err(outer) = self.watch.poll_cancelled(cx) {
            self.is_told = true;
            self.watch.stay();
            shared.pass_on(&outer);
        }
    }
}

/// The group's future exists. Children that are left when it goes are aborted.
struct Guard<E>(Rc<Shared<E>>);

impl<E> Drop for Guard<E> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}
