//! Passing on everything in both directions.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::buffer::Buffered;
use super::pump::Pump;
use crate::io::{AsyncRead, AsyncWrite, Wait};

/// Passes on everything between `a` and `b`, in both directions, until both have ended, and returns
/// how many bytes went from `a` to `b` and from `b` to `a`.
///
/// When one side has ended, what came from it is flushed and the other one is
/// [shut down](AsyncWrite::shutdown); the other direction goes on.
///
/// # Errors
///
/// The first error of either side, and a cancelled scope. It ends both directions: a proxy drops or
/// closes both streams then. What has come in the other direction by then is written first, such as
/// the answer of a server that takes no more of a request. [`copied`](CopyBidirectional::copied) tells what was passed on.
///
/// # Cancel safety
///
/// Not cancel safe: what was written is written, but what was read and not written is in the
/// future, at most 16 KiB of each direction, and lost with it. Both streams are open still, unless
/// the other side has ended.
///
/// # Examples
///
/// ```
/// use ringloop::io::{AsyncRead, AsyncWrite, copy_bidirectional, duplex};
///
/// ringloop::run(async {
///     let (mut client, mut front) = duplex(64);
///     let (mut back, mut server) = duplex(64);
///     let proxy = ringloop::spawn(async move { copy_bidirectional(&mut front, &mut back).await });
///     client.write_all(b"ping").await?;
///     client.shutdown().await?;
///     let mut request = Vec::new();
///     server.read_to_end(&mut request).await?;
///     assert_eq!(request, b"ping");
///     server.write_all(b"hello").await?;
///     drop(server);
///     let mut reply = Vec::new();
///     client.read_to_end(&mut reply).await?;
///     assert_eq!(reply, b"hello");
///     assert_eq!(proxy.await.expect("it does not panic")?, (4, 5));
///     Ok::<(), std::io::Error>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn copy_bidirectional<'a, A, B>(a: &'a mut A, b: &'a mut B) -> CopyBidirectional<'a, A, B>
where
    A: AsyncRead + AsyncWrite,
    B: AsyncRead + AsyncWrite,
{
    CopyBidirectional {
        a,
        b,
        a_to_b: Direction::default(),
        b_to_a: Direction::default(),
        wait: Wait::new(),
    }
}

/// The future of [`copy_bidirectional`].
#[must_use = "nothing is copied until it is awaited"]
pub struct CopyBidirectional<'a, A: ?Sized, B: ?Sized> {
    a: &'a mut A,
    b: &'a mut B,
    a_to_b: Direction,
    b_to_a: Direction,
    wait: Wait,
}

#[derive(Default)]
struct Direction {
    buffer: Buffered,
    pump: Pump,
    /// The writer has been shut down.
    is_done: bool,
}

impl<A: ?Sized, B: ?Sized> CopyBidirectional<'_, A, B> {
    /// Returns how many bytes were written, from the first to the second and back.
    #[must_use]
    pub fn copied(&self) -> (u64, u64) {
        (self.a_to_b.pump.copied, self.b_to_a.pump.copied)
    }
}

impl Direction {
    fn poll<R: AsyncRead, W: AsyncWrite>(
        &mut self,
        reader: &mut R,
        writer: &mut W,
        wait: &mut Wait,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.is_done {
            let mut reader = self.buffer.on(reader);
            ready!(self.pump.poll(&mut reader, writer, wait, cx))?;
            ready!(writer.poll_shutdown(cx))?;
            self.is_done = true;
        }
        Poll::Ready(Ok(()))
    }
}

impl<A, B> CopyBidirectional<'_, A, B>
where
    A: AsyncRead + AsyncWrite,
    B: AsyncRead + AsyncWrite,
{
    /// Gives both directions their turn, also if the first has more to do, or has failed.
    fn poll_both(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let there = self.a_to_b.poll(self.a, self.b, &mut self.wait, cx);
        let back = self.b_to_a.poll(self.b, self.a, &mut self.wait, cx);
        let (there, back) = (there?, back?);
        if there.is_ready() && back.is_ready() {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }
}

impl<A, B> Future for CopyBidirectional<'_, A, B>
where
    A: AsyncRead + AsyncWrite,
    B: AsyncRead + AsyncWrite,
{
    type Output = io::Result<(u64, u64)>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        ready!(this.wait.begin(cx))?;
        match this.poll_both(cx) {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(this.copied())),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => this.wait.go_on(cx),
        }
    }
}

impl<A: ?Sized, B: ?Sized> fmt::Debug for CopyBidirectional<'_, A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CopyBidirectional")
            .field("copied", &self.copied())
            .finish_non_exhaustive()
    }
}
