//! All of several futures, unless one fails: then the others are cancelled, and waited for.

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::crowd::Crowd;
use super::own_scope;
use crate::cancel::{CancelToken, Reason, ReasonKind, RunScoped, ScopeExit};

/// Polls any number of futures side by side until all have succeeded: gives a future of
/// `Ok(tuple)`. When one fails, the others are cancelled *and waited for*, and its error is the
/// result.
///
/// The futures give a `Result` each, with one error type. They are polled in a cancel scope: the
/// first error is a request to all others, whose waits give `Err(Cancelled)`; those that clean up,
/// behind a [`shield`](crate::cancel::shield), are given the time. A future that waits for
/// something that cannot be told is dropped. What the others return after the first error, errors
/// and values, is dropped.
///
/// At each poll the first argument goes first, and its error is the first if two fail in one poll.
/// The futures are evaluated at once. Counterpart: `asyncio.TaskGroup` around several coroutines,
/// as opposed to `asyncio.gather`, which leaves the siblings of a failure running.
///
/// # Panics
///
/// The future panics when it is polled outside of a running loop. A panic of one of the futures
/// passes through, and drops the others.
///
/// # Cancel safety
///
/// As that of the futures: cancelled, all of them are, and are waited for; dropped, they are
/// dropped.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::cancel::Cancelled;
/// use ringloop_task::future::try_join;
/// use ringloop_task::{Scheduler, time};
/// use std::io;
/// use std::time::Duration;
///
/// async fn fetch(name: &str) -> io::Result<usize> {
///     time::sleep(Duration::from_millis(1)).await?;
///     Ok(name.len())
/// }
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     let (one, three) = try_join!(fetch("one"), fetch("three")).await?;
///     assert_eq!((one, three), (3, 5));
///
///     let long = async { time::sleep(Duration::MAX).await.map_err(io::Error::from) };
///     let fails = async { Err::<(), _>(io::Error::other("out of luck")) };
///     let error = try_join!(long, fails).await.unwrap_err();
///     assert_eq!(error.to_string(), "out of luck");
///     Ok::<(), io::Error>(())
/// })?;
/// # Ok::<(), io::Error>(())
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __try_join {
    (@pair) => {
        ()
    };
    (@pair $first:expr, $($rest:expr,)*) => {
        (
            ::core::future::IntoFuture::into_future($first),
            $crate::__try_join!(@pair $($rest,)*),
        )
    };
    (@join $failure:ident $futures:ident [$($path:tt)*]) => {
        ::core::future::ready(())
    };
    (@join $failure:ident $futures:ident [$($path:tt)*] $first:expr, $($rest:expr,)*) => {
        $crate::future::join(
            $failure.catch($futures $($path)* .0),
            $crate::__try_join!(@join $failure $futures [$($path)* .1] $($rest,)*),
        )
    };
    (@flat $outputs:ident [$($flat:tt)*] [$($path:tt)*]) => {
        ($($flat)*)
    };
    (@flat $outputs:ident [$($flat:tt)*] [$($path:tt)*] $first:expr, $($rest:expr,)*) => {
        $crate::__try_join!(
            @flat $outputs
            [$($flat)* $crate::future::__macros::succeeded($outputs $($path)* .0),]
            [$($path)* .1]
            $($rest,)*
        )
    };
    ($($future:expr),+ $(,)?) => {
        $crate::future::__macros::try_join(
            $crate::__try_join!(@pair $($future,)+),
            |failure, futures| $crate::__try_join!(@join failure futures [] $($future,)+),
            |outputs| $crate::__try_join!(@flat outputs [] [] $($future,)+),
        )
    };
}

/// Polls any number of futures of one type until all have succeeded: gives their values in the
/// order of the futures. When one fails, the others are cancelled *and waited for*, and its error
/// is the result.
///
/// As [`try_join!`](macro@crate::future::try_join), for a number that is known when it runs. Each
/// future is polled only when it was woken, first woken, first polled. Counterpart:
/// `asyncio.TaskGroup`.
///
/// # Errors
///
/// The first that one of the futures gives. What the others give after it is dropped.
///
/// # Panics
///
/// When polled outside of a running loop. A panic of one of the futures passes through, and drops
/// the others.
///
/// # Cancel safety
///
/// As that of the futures: cancelled, all of them are, and are waited for; dropped, they are
/// dropped.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::future::try_join_all;
/// use ringloop_task::{Scheduler, cancel::Cancelled, time};
/// use std::time::Duration;
///
/// let lengths = Scheduler::new(ThreadDriver::new()).block_on(try_join_all(
///     ["one", "three"].map(async |name| {
///         time::sleep(Duration::from_millis(1)).await?;
///         Ok::<usize, Cancelled>(name.len())
///     }),
/// ));
/// assert_eq!(lengths?, [3, 5]);
/// # Ok::<(), Cancelled>(())
/// ```
pub async fn try_join_all<I, F, T, E>(futures: I) -> Result<Vec<T>, E>
where
    I: IntoIterator<Item = F>,
    F: Future<Output = Result<T, E>>,
{
    let crowd = Crowd::new();
    let _emptier = crowd.emptier();
    for future in futures {
        // Nobody has emptied it.
        let _key = crowd.add(Box::pin(future), ());
    }
    let mut values: Vec<Option<T>> = Vec::new();
    values.resize_with(crowd.len(), || None);
    let failure = Failure::new();
    let all = poll_fn(|cx| {
        crowd.poll(cx, |key, result| match result {
            Ok(value) => values[key.index()] = Some(value),
            Err(error) => failure.set(error),
        });
        if crowd.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    });
    let exit = own_scope(failure.token.clone()).run(all).await;
    failure.result(exit)?;
    Ok(values.into_iter().map(succeeded).collect())
}

/// Makes the future of [`try_join!`](macro@crate::future::try_join). For its expansion.
pub fn try_join<P, A, E, M, T>(
    futures: P,
    begin: impl FnOnce(&Rc<Failure<E>>, P) -> A,
    flatten: M,
) -> TryJoin<A, E, M>
where
    A: Future,
    M: FnOnce(A::Output) -> T,
{
    let failure = Rc::new(Failure::new());
    let all = begin(&failure, futures);
    TryJoin {
        all: own_scope(failure.token.clone()).run(all),
        failure,
        flatten: Some(flatten),
    }
}

pin_project! {
    /// The future of [`try_join!`](macro@crate::future::try_join).
    #[must_use = "futures do nothing unless awaited"]
    pub struct TryJoin<A, E, M> {
        #[pin]
        all: RunScoped<A>,
        failure: Rc<Failure<E>>,
        // What makes a tuple of the outputs.
        flatten: Option<M>,
    }
}

impl<A, E, M, T> Future for TryJoin<A, E, M>
where
    A: Future,
    M: FnOnce(A::Output) -> T,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Poll::Ready(exit) = this.all.poll(cx) else {
            return Poll::Pending;
        };
        let flatten = this.flatten.take();
        let flatten = flatten.expect("a scope that was left panics when it is polled");
        Poll::Ready(this.failure.result(exit).map(flatten))
    }
}

impl<A, E, M> fmt::Debug for TryJoin<A, E, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryJoin")
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

/// The first error of several futures that run side by side, which cancels the others.
pub struct Failure<E> {
    token: CancelToken,
    first: RefCell<Option<E>>,
}

impl<E> Failure<E> {
    fn new() -> Self {
        Self {
            token: CancelToken::new(),
            first: RefCell::new(None),
        }
    }

    /// Makes one of the futures that run side by side.
    pub fn catch<F: Future>(self: &Rc<Self>, future: F) -> Caught<F, E> {
        Caught {
            future,
            failure: Rc::clone(self),
        }
    }

    /// Keeps the first error and cancels the others.
    fn set(&self, error: E) {
        if self.first.borrow().is_some() {
            return;
        }
        self.first.replace(Some(error));
        let reason = "another of the joined futures failed";
        self.token.cancel(Reason::new(ReasonKind::Group, reason));
    }

    /// Returns the first error, or what came out of the scope in which all futures ran.
    fn result<T>(&self, exit: ScopeExit<T>) -> Result<T, E> {
        match (self.first.take(), exit) {
            (Some(error), _) => Err(error),
            (None, ScopeExit::Done(outputs)) => Ok(outputs),
            (None, ScopeExit::Cancelled(_)) => {
                unreachable!("the scope is cancelled by the first error alone")
            }
        }
    }
}

pin_project! {
    /// One of several futures; gives nothing if it fails.
    #[must_use = "futures do nothing unless awaited"]
    #[derive(Debug)]
    pub struct Caught<F, E> {
        #[pin]
        future: F,
        failure: Rc<Failure<E>>,
    }
}

impl<F, T, E> Future for Caught<F, E>
where
    F: Future<Output = Result<T, E>>,
{
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let this = self.project();
        this.future.poll(cx).map(|result| match result {
            Ok(value) => Some(value),
            Err(error) => {
                this.failure.set(error);
                None
            }
        })
    }
}

impl<E> fmt::Debug for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure")
            .field("has_happened", &self.first.borrow().is_some())
            .finish()
    }
}

/// Returns the value of a future that did not fail.
///
/// # Panics
///
/// If it did.
pub fn succeeded<T>(value: Option<T>) -> T {
    value.expect("all have succeeded when there is no error")
}
