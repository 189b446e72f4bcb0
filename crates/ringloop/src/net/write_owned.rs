//! A buffer that is sent as it is.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ringloop_proactor::{IoBuf, OpError, Sender};

use crate::io::Wait;

/// The future of [`TcpStream::write_owned`](super::TcpStream::write_owned) and its like.
#[must_use = "nothing is sent until it is awaited"]
pub struct WriteOwned<'a, B> {
    pub(super) sender: &'a mut Sender,
    /// Until it is queued.
    pub(super) buffer: Option<B>,
    pub(super) wait: Wait,
}

/// The buffer is moved into the queue: it is not pinned here.
impl<B> Unpin for WriteOwned<'_, B> {}

impl<B: IoBuf> Future for WriteOwned<'_, B> {
    type Output = Result<(), OpError<B>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let queued = match ready!(this.wait.begin(cx)) {
            Err(cancelled) => Err(cancelled.into()),
            Ok(()) => match this.sender.poll_write_owned(cx, &mut this.buffer) {
                Poll::Pending => ready!(this.wait.go_on(cx)),
                Poll::Ready(queued) => queued,
            },
        };
        Poll::Ready(match (queued, this.buffer.take()) {
            (Err(error), Some(buffer)) => Err(OpError::new(error, buffer)),
            // What has been taken is sent, or the next call says why it is not.
            (Ok(_) | Err(_), _) => Ok(()),
        })
    }
}

impl<B> fmt::Debug for WriteOwned<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteOwned")
            .field("sender", &self.sender)
            .finish_non_exhaustive()
    }
}
