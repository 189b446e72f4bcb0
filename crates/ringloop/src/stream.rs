//! Values that come one after another, each of which is waited for.
//!
//! [`Stream`] is this crate's own trait, until std has one. Connections
//! ([`TcpListener`](crate::net::TcpListener)), datagrams and [lines](crate::io::Lines) are streams.

use std::future::Future;
use std::ops::DerefMut;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ringloop_task::cancel::Cancelled;

use crate::io::Wait;

/// Values that come one after another. Counterpart: `std::iter::Iterator`, asyncio's `async for`.
///
/// Implementors write [`poll_next`](Self::poll_next), which knows nothing of cancellation;
/// [`next`](Self::next) and [`try_next`](Self::try_next) give it the rules. The items of a stream
/// that is awaited are results, since each wait may be cancelled.
///
/// # Examples
///
/// ```
/// use ringloop::cancel::Cancelled;
/// use ringloop::stream::Stream;
/// use std::pin::Pin;
/// use std::task::{Context, Poll};
///
/// struct Countdown(u32);
///
/// impl Stream for Countdown {
///     type Item = Result<u32, Cancelled>;
///
///     fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
///         let Some(next) = self.0.checked_sub(1) else {
///             return Poll::Ready(None);
///         };
///         self.0 = next;
///         Poll::Ready(Some(Ok(next)))
///     }
/// }
///
/// ringloop::run(async {
///     let mut seen = Vec::new();
///     let mut countdown = Countdown(3);
///     while let Some(number) = countdown.try_next().await? {
///         seen.push(number);
///     }
///     assert_eq!(seen, [2, 1, 0]);
///     Ok::<(), Cancelled>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias("AsyncIterator", "__anext__"))]
pub trait Stream {
    /// What comes.
    type Item;

    /// Returns the next item, `None` at the end, or wakes the task later.
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>>;

    /// Waits for the next item; `None` at the end. A cancelled scope is an item that is an error.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    fn next(&mut self) -> Next<'_, Self>
    where
        Self: Sized + Unpin,
    {
        Next {
            stream: self,
            wait: Wait::new(),
        }
    }

    /// Waits for the next item; `None` at the end.
    ///
    /// # Errors
    ///
    /// That of the item; a cancelled scope.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    fn try_next(&mut self) -> TryNext<'_, Self>
    where
        Self: Sized + Unpin,
    {
        TryNext { next: self.next() }
    }
}

/// The future of [`Stream::next`].
#[must_use = "nothing is waited for until it is awaited"]
#[derive(Debug)]
pub struct Next<'a, S> {
    stream: &'a mut S,
    wait: Wait,
}

impl<S, T, E> Future for Next<'_, S>
where
    S: Stream<Item = Result<T, E>> + Unpin,
    E: From<Cancelled>,
{
    type Output = Option<Result<T, E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        ready!(this.wait.begin(cx))?;
        match Pin::new(&mut *this.stream).poll_next(cx) {
            Poll::Pending => this.wait.go_on(cx).map(Some),
            item @ Poll::Ready(_) => item,
        }
    }
}

/// The future of [`Stream::try_next`].
#[must_use = "nothing is waited for until it is awaited"]
#[derive(Debug)]
pub struct TryNext<'a, S> {
    next: Next<'a, S>,
}

impl<S, T, E> Future for TryNext<'_, S>
where
    S: Stream<Item = Result<T, E>> + Unpin,
    E: From<Cancelled>,
{
    type Output = Result<Option<T>, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(ready!(Pin::new(&mut self.next).poll(cx)).transpose())
    }
}

impl<S: Stream + Unpin + ?Sized> Stream for &mut S {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut **self).poll_next(cx)
    }
}

impl<P> Stream for Pin<P>
where
    P: DerefMut<Target: Stream>,
{
    type Item = <P::Target as Stream>::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.as_deref_mut().poll_next(cx)
    }
}

impl<S: Stream + Unpin + ?Sized> Stream for Box<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut **self).poll_next(cx)
    }
}
