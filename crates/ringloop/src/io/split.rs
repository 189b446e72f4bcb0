//! The two directions of any stream, separately.
//!
//! The stream wakes and clones wakers while it is polled, which is foreign code and may poll the
//! other half at once. That one has to wait until the stream is free, and is told then.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

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
    let shared = Rc::new(Shared {
        stream: RefCell::new(stream),
        refused: Cell::new(None),
    });
    let reading = Rc::clone(&shared);
    (ReadHalf { shared: reading }, WriteHalf { shared })
}

/// A stream with two halves.
struct Shared<S> {
    stream: RefCell<S>,
    /// Who polled a half while the other one was being polled.
    refused: Cell<Option<Waker>>,
}

impl<S> Shared<S> {
    /// Polls the stream, unless that is being done: then whoever asks is woken behind it.
    fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut S, &mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        if self.stream.try_borrow_mut().is_err() {
            let waker = cx.waker().clone();
            drop(self.refused.replace(Some(waker)));
            return Poll::Pending;
        }
        // Dropped behind the borrow, also if the stream panics.
        let _free = Free(&self.refused);
        poll(&mut self.stream.borrow_mut(), cx)
    }
}

/// Wakes who was refused, when it is dropped.
struct Free<'a>(&'a Cell<Option<Waker>>);

impl Drop for Free<'_> {
    fn drop(&mut self) {
        if let Some(refused) = self.0.take() {
            refused.wake();
        }
    }
}

/// The reading direction of a stream, by [`split`].
pub struct ReadHalf<S> {
    shared: Rc<Shared<S>>,
}

/// The writing direction of a stream, by [`split`].
pub struct WriteHalf<S> {
    shared: Rc<Shared<S>>,
}

impl<S> ReadHalf<S> {
    /// Returns whether `writer` is the other half.
    #[must_use]
    pub fn is_pair_of(&self, writer: &WriteHalf<S>) -> bool {
        Rc::ptr_eq(&self.shared, &writer.shared)
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
        match Rc::try_unwrap(self.shared) {
            Ok(shared) => Ok(shared.stream.into_inner()),
            Err(_) => unreachable!("there are two halves, and one is gone"),
        }
    }
}

impl<S: AsyncRead> AsyncRead for ReadHalf<S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.shared.poll(cx, |stream, cx| stream.poll_read(cx, buf))
    }
}

impl<S: AsyncWrite> AsyncWrite for WriteHalf<S> {
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.shared
            .poll(cx, |stream, cx| stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.shared
            .poll(cx, |stream, cx| stream.poll_write_vectored(cx, slices))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shared.poll(cx, |stream, cx| stream.poll_flush(cx))
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shared.poll(cx, |stream, cx| stream.poll_shutdown(cx))
    }
}

impl<S: fmt::Debug> fmt::Debug for ReadHalf<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadHalf")
            .field("stream", &self.shared.stream)
            .finish()
    }
}

impl<S: fmt::Debug> fmt::Debug for WriteHalf<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteHalf")
            .field("stream", &self.shared.stream)
            .finish()
    }
}
