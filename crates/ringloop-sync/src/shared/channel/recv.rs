//! The futures of an item.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::pipe::{Pipe, Receivers};
use super::sides::Call;
use crate::channel::{RecvError, TryRecvError};
use crate::host::Host;
use crate::shared::wait::Wait;

/// A future of the next item; see [`Receiver::recv`](super::Receiver::recv).
#[must_use = "futures do nothing unless awaited"]
pub struct Recv<'a, T, H: Host> {
    pipe: &'a Pipe<T>,
    wait: Wait<H>,
}

impl<'a, T, H: Host> Recv<'a, T, H> {
    #[inline]
    pub(super) fn new(pipe: &'a Pipe<T>, at: &'static Location<'static>) -> Self {
        Self {
            pipe,
            wait: Wait::new(at),
        }
    }

    #[inline]
    pub(super) fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, RecvError<H::Cancelled>>> {
        if !self.wait.is_listed() {
            ready!(self.wait.poll_begin(cx)).map_err(RecvError::Cancelled)?;
            if let Some(received) = settle(self.pipe.try_recv()) {
                return Poll::Ready(received);
            }
            let waker = cx.waker().clone();
            let received = self.pipe.recv_or_wait(&mut self.wait, waker);
            if let Some(received) = received.and_then(settle) {
                return Poll::Ready(received);
            }
        }
        self.poll_listed(cx)
    }

    fn poll_listed(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, RecvError<H::Cancelled>>> {
        let left = ready!(self.wait.poll_listed(&Receivers(self.pipe), cx));
        Poll::Ready(match left {
            Ok(Call::Item) => Ok(self.pipe.take_reserved()),
            Ok(Call::Closed) => Err(RecvError::Closed),
            Err((_, cancelled)) => Err(RecvError::Cancelled(cancelled)),
        })
    }

    /// Ends the wait: the item, if one was reserved for this receiver.
    pub(super) fn give_up(&mut self) -> Result<T, TryRecvError> {
        match self.wait.leave(&Receivers(self.pipe)) {
            Some(Ok(Call::Item)) => Ok(self.pipe.take_reserved()),
            Some(Ok(Call::Closed)) => Err(TryRecvError::Closed),
            Some(Err(_)) | None => Err(TryRecvError::Empty),
        }
    }
}

/// The result, unless the receiver has to wait.
#[inline]
fn settle<T, C>(received: Result<T, TryRecvError>) -> Option<Result<T, RecvError<C>>> {
    match received {
        Ok(item) => Some(Ok(item)),
        Err(TryRecvError::Closed) => Some(Err(RecvError::Closed)),
        Err(TryRecvError::Empty) => None,
    }
}

impl<T, H: Host> Future for Recv<'_, T, H> {
    type Output = Result<T, RecvError<H::Cancelled>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_recv(cx)
    }
}

impl<T, H: Host> Drop for Recv<'_, T, H> {
    #[inline]
    fn drop(&mut self) {
        if self.wait.is_listed()
            && let Some(Ok(Call::Item)) = self.wait.leave(&Receivers(self.pipe))
        {
            self.pipe.pass_on();
        }
    }
}

impl<T, H: Host> fmt::Debug for Recv<'_, T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recv")
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

/// A future of the next item, or of the end; see [`Receiver::next`](super::Receiver::next).
#[must_use = "futures do nothing unless awaited"]
#[derive(Debug)]
pub struct RecvNext<'a, T, H: Host>(pub(super) Recv<'a, T, H>);

impl<T, H: Host> Future for RecvNext<'_, T, H> {
    type Output = H::Outcome<Option<T>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let received = ready!(self.0.poll_recv(cx));
        Poll::Ready(H::outcome(match received {
            Ok(item) => Ok(Some(item)),
            Err(RecvError::Closed) => Ok(None),
            Err(RecvError::Cancelled(cancelled)) => Err(cancelled),
        }))
    }
}
