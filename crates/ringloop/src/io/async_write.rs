//! A sink of bytes.

use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use super::flush::{Flush, Shutdown};
use super::wait::Wait;
use super::write::Write;
use super::write_all::WriteAll;
use super::write_vectored::{WriteAllVectored, WriteVectored};

/// A sink of bytes. Counterpart: `std::io::Write`, `asyncio.StreamWriter`.
///
/// Implementors write the `poll_` methods; the methods to await stand on them and give them the
/// rules of cancellation.
///
/// A `Box<dyn AsyncWrite>` is a sink, too.
pub trait AsyncWrite {
    /// Takes some of `bytes` and returns how many, or wakes the task when there is room.
    ///
    /// # Errors
    ///
    /// As `std::io::Write::write`, also of earlier writes.
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Takes some of the bytes of `slices`, in order, and returns how many, or wakes the task when
    /// there is room. Unless it is written, it takes of the first slice that is not empty.
    ///
    /// # Errors
    ///
    /// As [`poll_write`](Self::poll_write).
    fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = slices.iter().find(|slice| !slice.is_empty());
        self.poll_write(cx, first.map_or(&[], |slice| slice))
    }

    /// Tells whether everything taken so far is out, or wakes the task when it is.
    ///
    /// # Errors
    ///
    /// As `std::io::Write::flush`.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Flushes and ends the sink: the other side sees the end, and can still be read from. Once
    /// done, it may be asked for again, and does nothing.
    ///
    /// # Errors
    ///
    /// As `std::net::TcpStream::shutdown`.
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Writes some of `bytes` and returns how many.
    ///
    /// # Errors
    ///
    /// As [`poll_write`](Self::poll_write); a cancelled scope, which
    /// [`is_cancelled`](crate::cancel::is_cancelled) tells.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    #[inline]
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> Write<'a, Self>
    where
        Self: Sized,
    {
        Write {
            sink: self,
            bytes,
            wait: Wait::new(),
        }
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write), with a [`Partial`](super::Partial) that tells how many bytes were
    /// accepted if some were; `WriteZero` if the sink takes no more.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: a prefix may have been written; the error, and
    /// [`written`](WriteAll::written) of the future, tell how much.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop::io::{AsyncWrite, Partial, duplex};
    /// use ringloop::cancel::is_cancelled;
    /// use std::time::Duration;
    ///
    /// ringloop::run(async {
    ///     let (mut near, _far) = duplex(4);
    ///     // Nobody reads.
    ///     let mut accepted = 0;
    ///     let late = ringloop::timeout(Duration::from_millis(1), async {
    ///         let result = near.write_all(b"too long").await;
    ///         if let Err(error) = &result {
    ///             assert!(is_cancelled(error));
    ///             accepted = Partial::of(error).map_or(0, Partial::done);
    ///         }
    ///         result
    ///     });
    ///     assert!(late.await.is_err());
    ///     assert_eq!(accepted, 4);
    /// })?;
    /// # Ok::<(), ringloop::SetupError>(())
    /// ```
    #[track_caller]
    #[inline]
    #[doc(alias("sendall", "drain"))]
    fn write_all<'a>(&'a mut self, bytes: &'a [u8]) -> WriteAll<'a, Self>
    where
        Self: Sized,
    {
        WriteAll {
            sink: self,
            bytes,
            written: 0,
            wait: Wait::new(),
        }
    }

    /// Writes some of the bytes of `slices`, in order, and returns how many.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    fn write_vectored<'a>(&'a mut self, slices: &'a [IoSlice<'a>]) -> WriteVectored<'a, Self>
    where
        Self: Sized,
    {
        WriteVectored {
            sink: self,
            slices,
            wait: Wait::new(),
        }
    }

    /// Writes all the bytes of `slices`, in order.
    ///
    /// # Errors
    ///
    /// As [`write_all`](Self::write_all).
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: a prefix may have been written; the error, and
    /// [`written`](WriteAllVectored::written) of the future, tell how much.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop::io::AsyncWrite;
    /// use std::io::IoSlice;
    ///
    /// ringloop::run(async {
    ///     let mut sink = Vec::new();
    ///     sink.write_all_vectored(&[IoSlice::new(b"head "), IoSlice::new(b"body")]).await?;
    ///     assert_eq!(sink, b"head body");
    ///     Ok::<(), std::io::Error>(())
    /// })??;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias("writelines", "sendmsg"))]
    fn write_all_vectored<'a>(&'a mut self, slices: &'a [IoSlice<'a>]) -> WriteAllVectored<'a, Self>
    where
        Self: Sized,
    {
        WriteAllVectored::new(self, slices)
    }

    /// Waits until everything written so far is out.
    ///
    /// # Errors
    ///
    /// As [`poll_flush`](Self::poll_flush); a cancelled scope.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    fn flush(&mut self) -> Flush<'_, Self>
    where
        Self: Sized,
    {
        Flush {
            sink: self,
            wait: Wait::new(),
        }
    }

    /// Flushes and ends the sink: the other side sees the end, and can still be read from.
    ///
    /// # Errors
    ///
    /// As [`poll_shutdown`](Self::poll_shutdown); a cancelled scope.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, the sink is open still.
    #[track_caller]
    #[doc(alias = "write_eof")]
    fn shutdown(&mut self) -> Shutdown<'_, Self>
    where
        Self: Sized,
    {
        Shutdown {
            sink: self,
            wait: Wait::new(),
        }
    }
}
