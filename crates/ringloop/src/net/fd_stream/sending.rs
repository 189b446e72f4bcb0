//! Sending messages, one after another.

use std::future::{Future, poll_fn};
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ringloop_proactor::ops::SendMsg;
use ringloop_proactor::{Ancillary, Op};
use ringloop_task::cancel::{CancelWatch, Cancelled};
use socket2::SockRef;

use super::{FDS_MAX, FdStream};
use crate::io::Wait;

impl FdStream {
    /// Sends all of `bytes`, and duplicates of `fds` with the first of them. It is done when the
    /// kernel has them.
    ///
    /// # Errors
    ///
    /// As `sendmsg(2)`, of this or an earlier message; `InvalidInput` for descriptors without a
    /// byte to carry them, or more than 253; a cancelled scope.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: cancelled, nothing was sent; if the kernel had a part already, it is done, and
    /// the rest goes out before anything else ([`flush`](Self::flush) waits for it). Dropped before
    /// it completes, the message may go out, whole and in its place. A stream that is dropped gives
    /// up what the kernel has not taken.
    pub async fn send(&mut self, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        self.flush().await?;
        if bytes.is_empty() && fds.is_empty() {
            return Ok(());
        }
        self.sending = Some(self.message(bytes, fds)?);
        self.is_rest = false;
        Sending::new(self).await
    }

    /// Makes the operation. It has descriptors of its own: those of the caller may be closed when
    /// it comes to its turn.
    fn message(
        &self,
        bytes: &[u8],
        fds: &[BorrowedFd<'_>],
    ) -> io::Result<Op<SendMsg<[Vec<u8>; 1]>>> {
        if bytes.is_empty() || fds.len() > FDS_MAX {
            let text = "a message has a byte at least, and 253 descriptors at most";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let proactor = self.fd.handle();
        let mut gift = Ancillary::new();
        if !fds.is_empty() {
            let own = fds.iter().map(|fd| fd.try_clone_to_owned());
            let own: io::Result<Vec<_>> = own.map(|fd| fd.map(|fd| proactor.adopt(fd))).collect();
            gift.push_descriptors(&own?)?;
        }
        let buffers = [bytes.to_vec()];
        Ok(proactor.send_msg(&self.fd, buffers, None, gift, libc::MSG_WAITALL)?)
    }

    /// Waits for the message that is under way.
    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(sending) = &mut self.sending {
            let result = ready!(Pin::new(sending).poll(cx));
            self.sending = None;
            let (count, [bytes]) = result?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.is_rest = count < bytes.len();
            if self.is_rest {
                // The descriptors have gone with the first byte.
                self.sending = Some(self.message(&bytes[count..], &[])?);
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Waits until the kernel has everything that was sent.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    pub async fn flush(&mut self) -> io::Result<()> {
        let mut wait = Wait::new();
        poll_fn(|cx| {
            ready!(wait.begin(cx))?;
            match self.poll_sent(cx) {
                Poll::Pending => wait.go_on(cx),
                result @ Poll::Ready(_) => result,
            }
        })
        .await
    }

    /// Tells the peer that no more will come; receiving goes on.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send) and `shutdown(2)`; a cancelled scope.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, the stream is open still.
    pub async fn shutdown(&mut self) -> io::Result<()> {
        self.flush().await?;
        SockRef::from(&self.as_fd()).shutdown(Shutdown::Write)
    }
}

/// Waits for the message that has just begun; cancelled, asks the kernel to let it be, and waits
/// for what it says.
struct Sending<'a> {
    stream: &'a mut FdStream,
    watch: CancelWatch,
    asked: Option<Cancelled>,
}

impl<'a> Sending<'a> {
    fn new(stream: &'a mut FdStream) -> Self {
        Self {
            stream,
            watch: CancelWatch::new(),
            asked: None,
        }
    }
}

impl Future for Sending<'_> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            if let Poll::Ready(result) = this.stream.poll_sent(cx) {
                return Poll::Ready(match (&this.asked, result) {
                    (Some(cancelled), Err(error))
                        if error.raw_os_error() == Some(libc::ECANCELED) =>
                    {
                        Err(cancelled.clone().into())
                    }
                    (_, result) => result,
                });
            }
            if this.asked.is_some() {
                // With a part sent it has happened, and the rest follows.
                return match this.stream.is_rest {
                    true => Poll::Ready(Ok(())),
                    false => Poll::Pending,
                };
            }
            let Err(cancelled) = this.watch.poll_cancelled(cx) else {
                return Poll::Pending;
            };
            // A rest follows its message, whoever is cancelled.
            if let Some(sending) = &mut this.stream.sending
                && !this.stream.is_rest
            {
                sending.request_cancel();
            }
            this.watch.stay();
            this.asked = Some(cancelled);
        }
    }
}
