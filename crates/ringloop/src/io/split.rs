//! The two directions of any stream, separately.

use std::cell::RefCell;
use std::fmt;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::task::{Context, Poll};

use super::async_read::AsyncRead;
use super::async_write::AsyncWrite;

/// Takes the two directions of a stream apart, so that two tasks of one thread may use them.
///
/// The streams of [`net`](crate::net) have halves of their own, which lend what they have received
/// and end the stream when the writing one is dropped. Dropping a half of this function does
/// nothing before the other one is dropped, too: [shut](AsyncWrite::shutdown) the writing one down.
///
/// # Examples
///
/// ```
/// use ringloop::io::{AsyncRead, AsyncWrite, copy, duplex, split};
///
/// ringloop::run(async {
///     let (mut near, far) = duplex(64);
///     let (mut reader, mut writer) = split(far);
///     let echo = ringloop::spawn(async move {
///         copy(&mut reader, &mut writer).await?;
///         writer.shutdown().await
///     });
///     near.write_all(b"echo").await?;
///     near.shutdown().await?;
///     let mut text = String::new();
///     near.read_to_string(&mut text).await?;
///     assert_eq!(text, "echo");
///     echo.await.expect("it does not panic")
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn split<S>(stream: S) -> (ReadHalf<S>, WriteHalf<S>)
where
    S: AsyncRead + AsyncWrite,
{
    let stream = Rc::new(RefCell::new(stream));
    let reading = Rc::clone(&stream);
    (ReadHalf { stream: reading }, WriteHalf { stream })
}

/// The reading direction of a stream, by [`split`].
pub struct ReadHalf<S> {
    stream: Rc<RefCell<S>>,
}

/// The writing direction of a stream, by [`split`].
pub struct WriteHalf<S> {
    stream: Rc<RefCell<S>>,
}

impl<S> ReadHalf<S> {
    /// Returns whether `writer` is the other half.
    #[must_use]
    pub fn is_pair_of(&self, writer: &WriteHalf<S>) -> bool {
        Rc::ptr_eq(&self.stream, &writer.stream)
    }

    /// Puts the two directions together again.
    ///
    /// # Errors
    ///
    /// Both halves as they are, if they are of different streams.
    pub fn unsplit(self, writer: WriteHalf<S>) -> Result<S, (Self, WriteHalf<S>)> {
        if !self.is_pair_of(&writer) {
            return Err((self, writer));
        }
        drop(writer);
        match Rc::try_unwrap(self.stream) {
            Ok(stream) => Ok(stream.into_inner()),
            Err(_) => unreachable!("there are two halves, and one is gone"),
        }
    }
}

impl<S: AsyncRead> AsyncRead for ReadHalf<S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.stream.borrow_mut().poll_read(cx, buf)
    }
}

impl<S: AsyncWrite> AsyncWrite for WriteHalf<S> {
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stream.borrow_mut().poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.borrow_mut().poll_write_vectored(cx, slices)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.borrow_mut().poll_flush(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.borrow_mut().poll_shutdown(cx)
    }
}

impl<S: fmt::Debug> fmt::Debug for ReadHalf<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadHalf")
            .field("stream", &self.stream)
            .finish()
    }
}

impl<S: fmt::Debug> fmt::Debug for WriteHalf<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteHalf")
            .field("stream", &self.stream)
            .finish()
    }
}
