//! A source of bytes.

use std::io;
use std::task::{Context, Poll};

use super::chain::Chain;
use super::read::Read;
use super::read_exact::ReadExact;
use super::read_to_end::{ReadToEnd, ReadToString};
use super::take::Take;
use super::wait::Wait;

/// A source of bytes. Counterpart: `std::io::Read`, `asyncio.StreamReader`.
///
/// Implementors write [`poll_read`](Self::poll_read); the methods to await stand on it and give it
/// the rules of cancellation. Bytes belong to the source until they are copied out, so an
/// implementation must be able to be polled once and then left alone.
///
/// A `Box<dyn AsyncRead>` is a source, too.
pub trait AsyncRead {
    /// Copies bytes into `buf` and returns how many, zero at the end, or wakes the task later.
    ///
    /// # Errors
    ///
    /// As `std::io::Read::read`. Bytes that came before an error are returned before it.
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Reads up to `buf.len()` bytes and returns how many, zero at the end.
    ///
    /// # Errors
    ///
    /// As [`poll_read`](Self::poll_read); a cancelled scope, which
    /// [`is_cancelled`](crate::cancel::is_cancelled) tells.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    #[inline]
    fn read<'a>(&'a mut self, buf: &'a mut [u8]) -> Read<'a, Self>
    where
        Self: Sized,
    {
        Read {
            source: self,
            buf,
            wait: Wait::new(),
        }
    }

    /// Reads exactly `buf.len()` bytes.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` if the source ends before, with a [`Partial`](super::Partial) that tells how
    /// many bytes there were; else as [`read`](Self::read), with a `Partial` if some were read.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: bytes that were read before are in `buf`; the error, and
    /// [`filled`](ReadExact::filled) of the future, tell how many.
    /// [`BufStream::read_exact`](super::BufStream::read_exact) keeps them in the stream.
    #[track_caller]
    #[doc(alias = "readexactly")]
    fn read_exact<'a>(&'a mut self, buf: &'a mut [u8]) -> ReadExact<'a, Self>
    where
        Self: Sized,
    {
        ReadExact {
            source: self,
            buf,
            filled: 0,
            wait: Wait::new(),
        }
    }

    /// Appends everything up to the end to `bytes`, and returns how much that was.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read); bytes that were read before are in `bytes`.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: bytes that were read before are in `bytes`, and to call it again goes on.
    #[track_caller]
    fn read_to_end<'a>(&'a mut self, bytes: &'a mut Vec<u8>) -> ReadToEnd<'a, Self>
    where
        Self: Sized,
    {
        ReadToEnd {
            source: self,
            bytes,
            count: 0,
            wait: Wait::new(),
        }
    }

    /// Appends everything up to the end to `text`, and returns how many bytes that was.
    ///
    /// # Errors
    ///
    /// `InvalidData` if it is not UTF-8, with a `std::string::FromUtf8Error` that has all the bytes,
    /// and `text` is as before; else as [`read`](Self::read).
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: whole characters that were read before are in `text`, but the first bytes of
    /// one that was cut are lost.
    #[track_caller]
    fn read_to_string<'a>(&'a mut self, text: &'a mut String) -> ReadToString<'a, Self>
    where
        Self: Sized,
    {
        ReadToString::new(self, text)
    }

    /// Makes a source of the next `limit` bytes of this one.
    fn take(self, limit: u64) -> Take<Self>
    where
        Self: Sized,
    {
        Take::new(self, limit)
    }

    /// Makes a source of this one up to its end, then `next`.
    fn chain<R: AsyncRead>(self, next: R) -> Chain<Self, R>
    where
        Self: Sized,
    {
        Chain::new(self, next)
    }
}
