//! A source of bytes that lends what it has.

use std::io;
use std::task::{Context, Poll};

use super::async_read::AsyncRead;
use super::fill_buf::FillBuf;
use super::lines::Lines;
use super::read_line::ReadLine;
use super::read_until::ReadUntil;
use super::separators::Separators;

/// A source of bytes that lends what it has received. Counterpart: `std::io::BufRead`.
///
/// Implementors write [`poll_fill_buf`](Self::poll_fill_buf) and [`consume`](Self::consume); the
/// methods to await stand on them and give them the rules of cancellation.
pub trait AsyncBufRead: AsyncRead {
    /// Lends the next bytes, none at the end, or wakes the task later. They stay where they are
    /// until they are consumed: asked again, it lends them again, and perhaps more.
    ///
    /// # Errors
    ///
    /// As [`poll_read`](AsyncRead::poll_read). Bytes that came before an error are lent before it.
    fn poll_fill_buf(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>>;

    /// Leaves the first `count` bytes behind, which were lent.
    fn consume(&mut self, count: usize);

    /// Lends the next bytes, none at the end.
    ///
    /// # Errors
    ///
    /// As [`poll_fill_buf`](Self::poll_fill_buf); a cancelled scope, which
    /// [`is_cancelled`](crate::cancel::is_cancelled) tells.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    fn fill_buf(&mut self) -> FillBuf<'_, Self>
    where
        Self: Sized,
    {
        FillBuf::new(self)
    }

    /// Appends everything through the first of `separators`, or up to the end, to `bytes`, and
    /// returns how much that was. Nothing behind the separator is consumed.
    ///
    /// There is no limit to what is read;
    /// [`BufStream::read_until`](super::BufStream::read_until) has one.
    ///
    /// # Errors
    ///
    /// As [`fill_buf`](Self::fill_buf), with the bytes that were read before in `bytes`;
    /// `InvalidInput` if there is no separator, or an empty one.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: bytes that were read before are in `bytes`, and to call it again goes on. Only a
    /// separator of several bytes of which some are in `bytes` already is not recognized then;
    /// `BufStream::read_until` leaves them in the stream.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop::io::AsyncBufRead;
    ///
    /// ringloop::run(async {
    ///     let mut source: &[u8] = b"name: value\r\nbody";
    ///     let mut bytes = Vec::new();
    ///     source.read_until(b": ", &mut bytes).await?;
    ///     assert_eq!(bytes, b"name: ");
    ///     bytes.clear();
    ///     source.read_until(["\r\n", "\n"], &mut bytes).await?;
    ///     assert_eq!(bytes, b"value\r\n");
    ///     assert_eq!(source, b"body");
    ///     Ok::<(), std::io::Error>(())
    /// })??;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[track_caller]
    #[doc(alias = "readuntil")]
    fn read_until<'a, S: Separators>(
        &'a mut self,
        separators: S,
        bytes: &'a mut Vec<u8>,
    ) -> ReadUntil<'a, Self, S>
    where
        Self: Sized,
    {
        ReadUntil::new(self, separators, bytes)
    }

    /// Appends a line with its line feed, or the last one without, to `text`, and returns how many
    /// bytes that was, zero at the end.
    ///
    /// # Errors
    ///
    /// `InvalidData` if the line is not UTF-8, with a `std::string::FromUtf8Error` that has all the
    /// bytes, and `text` is as before; else as [`fill_buf`](Self::fill_buf).
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: whole characters that were read before are in `text`, but the first bytes of
    /// one that was cut are lost.
    #[track_caller]
    #[doc(alias = "readline")]
    fn read_line<'a>(&'a mut self, text: &'a mut String) -> ReadLine<'a, Self>
    where
        Self: Sized,
    {
        ReadLine::new(self, text)
    }

    /// Makes a [stream](crate::stream::Stream) of the lines, without their line feeds.
    fn lines(self) -> Lines<Self>
    where
        Self: Sized,
    {
        Lines::new(self)
    }
}
