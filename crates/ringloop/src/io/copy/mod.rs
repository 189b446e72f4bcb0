//! Passing on everything from a source to a sink.
//!
//! Both functions stand on one loop, which reads when it has nothing to write, and flushes when it
//! has nothing to read: what a buffered sink holds would else wait for the next bytes.

mod both;
mod buffer;
mod pump;

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pub use both::{CopyBidirectional, copy_bidirectional};

use super::{AsyncBufRead, AsyncRead, AsyncWrite, Partial, Wait};
use buffer::Buffered;
use pump::Pump;

/// Writes everything that `reader` has, up to its end, to `writer`, flushes that, and returns how
/// many bytes it was. The writer is not shut down.
///
/// # Errors
///
/// Of the reader, after everything that came before has been written, and of the writer; a
/// cancelled scope. A [`Partial`] tells how many bytes were written, if some were.
///
/// # Cancel safety
///
/// Not cancel safe: what was written is written, and [`copied`](Copy::copied) and the error tell how
/// much; bytes that were read and not written are in the future, see
/// [`unwritten`](Copy::unwritten), and lost with it. [`copy_buf`] leaves them in the reader.
///
/// # Examples
///
/// ```
/// use ringloop::io::copy;
///
/// ringloop::run(async {
///     let (mut source, mut sink): (&[u8], _) = (b"some bytes", Vec::new());
///     assert_eq!(copy(&mut source, &mut sink).await?, 10);
///     assert_eq!(sink, b"some bytes");
///     Ok::<(), std::io::Error>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn copy<'a, R: AsyncRead, W: AsyncWrite>(
    reader: &'a mut R,
    writer: &'a mut W,
) -> Copy<'a, R, W> {
    Copy {
        reader,
        writer,
        buffer: Buffered::default(),
        pump: Pump::default(),
        wait: Wait::new(),
    }
}

/// Writes everything that `reader` has, up to its end, to `writer`, flushes that, and returns how
/// many bytes it was. They are written from where the reader has them.
///
/// # Errors
///
/// As [`copy`].
///
/// # Cancel safety
///
/// Cancel safe: what was written is consumed, and [`copied`](CopyBuf::copied) and the error tell how
/// much; everything else is in the reader, and to call it again goes on.
///
/// # Examples
///
/// ```
/// use ringloop::io::copy_buf;
///
/// ringloop::run(async {
///     let (mut source, mut sink): (&[u8], _) = (b"some bytes", Vec::new());
///     assert_eq!(copy_buf(&mut source, &mut sink).await?, 10);
///     assert_eq!(sink, b"some bytes");
///     Ok::<(), std::io::Error>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn copy_buf<'a, R: AsyncBufRead, W: AsyncWrite>(
    reader: &'a mut R,
    writer: &'a mut W,
) -> CopyBuf<'a, R, W> {
    CopyBuf {
        reader,
        writer,
        pump: Pump::default(),
        wait: Wait::new(),
    }
}

/// The future of [`copy`].
#[must_use = "nothing is copied until it is awaited"]
pub struct Copy<'a, R: ?Sized, W: ?Sized> {
    reader: &'a mut R,
    writer: &'a mut W,
    buffer: Buffered,
    pump: Pump,
    wait: Wait,
}

impl<R: ?Sized, W: ?Sized> Copy<'_, R, W> {
    /// Returns how many bytes were written.
    #[must_use]
    pub fn copied(&self) -> u64 {
        self.pump.copied
    }

    /// Returns what was read and is not written.
    #[must_use]
    pub fn unwritten(&self) -> &[u8] {
        self.buffer.bytes()
    }
}

impl<R: AsyncRead, W: AsyncWrite> Future for Copy<'_, R, W> {
    type Output = io::Result<u64>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let mut reader = this.buffer.on(this.reader);
        (this.pump).poll_alone(&mut reader, this.writer, &mut this.wait, cx)
    }
}

/// The future of [`copy_buf`].
#[must_use = "nothing is copied until it is awaited"]
pub struct CopyBuf<'a, R: ?Sized, W: ?Sized> {
    reader: &'a mut R,
    writer: &'a mut W,
    pump: Pump,
    wait: Wait,
}

impl<R: ?Sized, W: ?Sized> CopyBuf<'_, R, W> {
    /// Returns how many bytes were written.
    #[must_use]
    pub fn copied(&self) -> u64 {
        self.pump.copied
    }
}

impl<R: AsyncBufRead, W: AsyncWrite> Future for CopyBuf<'_, R, W> {
    type Output = io::Result<u64>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        (this.pump).poll_alone(this.reader, this.writer, &mut this.wait, cx)
    }
}

impl Pump {
    /// One direction, with the rules of cancellation, and an error that tells how far it came.
    fn poll_alone<R: AsyncBufRead, W: AsyncWrite>(
        &mut self,
        reader: &mut R,
        writer: &mut W,
        wait: &mut Wait,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<u64>> {
        let mut steps = || {
            ready!(wait.begin(cx))?;
            match self.poll(reader, writer, wait, cx) {
                Poll::Pending => wait.go_on(cx),
                done @ Poll::Ready(_) => done,
            }
        };
        let result = ready!(steps());
        Poll::Ready(match result {
            Ok(()) => Ok(self.copied),
            Err(cause) if self.copied == 0 => Err(cause),
            Err(cause) => Err(Partial::new(self.copied, None, cause).into()),
        })
    }
}

impl<R: ?Sized, W: ?Sized> fmt::Debug for Copy<'_, R, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Copy")
            .field("copied", &self.copied())
            .field("unwritten", &self.unwritten().len())
            .finish_non_exhaustive()
    }
}

impl<R: ?Sized, W: ?Sized> fmt::Debug for CopyBuf<'_, R, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CopyBuf")
            .field("copied", &self.copied())
            .finish_non_exhaustive()
    }
}
