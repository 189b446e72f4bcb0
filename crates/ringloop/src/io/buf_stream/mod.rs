//! A stream with a buffer in each direction.
//!
//! What was read and not taken belongs to the stream: a read that is dropped, cancelled, or ends
//! with an error leaves it there. What was written is sent when the buffer is full, or is flushed. At
//! a drop, nobody can wait any more: what the stream below takes at once is passed on.

mod below;
mod outbox;
mod read_error;
mod reading;
mod window;
mod writing;

use std::fmt;

pub use read_error::ReadError;

use below::Below;
use outbox::Outbox;
use window::Window;

/// A stream with a buffer in each direction. Counterpart: `asyncio.StreamReader` and
/// `asyncio.StreamWriter`, `std::io::BufReader` and `std::io::BufWriter`.
///
/// Pieces are lent from the buffer, without a copy. All reads are cancel safe: the bytes stay in
/// the stream. A piece that ends with a separator may have [`limit`](Self::with_limit) bytes before
/// it, so that a peer that never sends one cannot fill the memory; while the buffer holds twice as
/// much, no more is read for such a piece. Larger pieces may be asked for; what they needed of memory
/// beyond four times the limit is given back when the next piece is waited for.
///
/// Written bytes are gathered until there are 8 KiB, or they are [flushed](Self::flush); a larger
/// write goes through as it is. A stream that is dropped passes on what the one below takes without
/// waiting, as `std::io::BufWriter` does with everything: a stream of [`net`](crate::net) takes it
/// all, unless its peer reads too slowly. To be sure, and to hear of an error, flush.
///
/// The methods of [`AsyncRead`](super::AsyncRead) and [`AsyncBufRead`](super::AsyncBufRead) are
/// there, too, for code that is generic over those: they know no limit.
///
/// # Examples
///
/// ```
/// use ringloop::io::{AsyncWrite, BufStream, duplex};
///
/// ringloop::run(async {
///     let (near, mut far) = duplex(64);
///     far.write_all(b"PUT /name\r\n\r\n\x05Marie").await?;
///     let mut stream = BufStream::new(near);
///     assert_eq!(stream.read_line().await?, b"PUT /name\r\n");
///     assert_eq!(stream.read_until(b"\r\n").await?, b"\r\n");
///     let len = usize::from(stream.read_exact(1).await?[0]);
///     assert_eq!(stream.read_exact(len).await?, b"Marie");
///     Ok::<(), std::io::Error>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a stream that is dropped loses what it has read, and maybe what it should have sent"]
#[doc(alias("StreamReader", "StreamWriter", "BufReader", "BufWriter"))]
pub struct BufStream<S> {
    stream: Below<S>,
    window: Window,
    limit: usize,
    has_ended: bool,
    outbox: Outbox,
    is_shut_down: bool,
    /// Passes on what is not flushed. Only who has written knows how.
    at_drop: Option<fn(&mut Self)>,
}

impl<S> BufStream<S> {
    /// Gives a stream buffers, with a limit of 64 KiB.
    pub fn new(stream: S) -> Self {
        Self::with_limit(stream, LIMIT_DEFAULT)
    }

    /// Gives a stream buffers. Before a separator there may be `limit` bytes.
    pub fn with_limit(stream: S, limit: usize) -> Self {
        Self {
            stream: Below::new(stream),
            window: Window::default(),
            limit,
            has_ended: false,
            outbox: Outbox::default(),
            is_shut_down: false,
            at_drop: None,
        }
    }

    /// Returns how many bytes there may be before a separator.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Returns what was read and not taken, without waiting.
    #[must_use]
    pub fn buffer(&self) -> &[u8] {
        self.window.bytes()
    }

    /// Returns what was written and is not with the stream below.
    #[must_use]
    pub fn unflushed(&self) -> &[u8] {
        self.outbox.bytes()
    }

    /// Returns whether the end of the stream was seen, and everything before it was taken.
    #[must_use]
    pub fn at_eof(&self) -> bool {
        self.has_ended && self.window.len() == 0
    }

    /// Returns the stream below. What is read from it directly comes behind what is in the buffer.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        self.stream.get()
    }

    /// Returns the stream below, to be changed. What is read from it directly comes behind what is
    /// in the buffer, what is written before what is not flushed.
    #[must_use]
    pub fn get_mut(&mut self) -> &mut S {
        self.stream.get_mut()
    }

    /// Returns the stream below, what was read from it and not taken, and what was written and is
    /// not with it: everything that there is.
    #[must_use]
    pub fn into_parts(mut self) -> (S, Vec<u8>, Vec<u8>) {
        let stream = self.stream.take();
        (stream, self.window.take_all(), self.outbox.take_all())
    }

    /// Returns the stream below if the buffers are empty.
    ///
    /// # Errors
    ///
    /// The stream as it is, if something is in its buffers.
    pub fn into_inner(mut self) -> Result<S, Self> {
        if self.buffer().is_empty() && self.unflushed().is_empty() {
            Ok(self.stream.take())
        } else {
            Err(self)
        }
    }
}

/// Passes on what the stream below takes without waiting, unless this is a panic: then nobody knows
/// what was meant to be sent.
impl<S> Drop for BufStream<S> {
    fn drop(&mut self) {
        let pass_on = self.at_drop.filter(|_| self.stream.is_there());
        if let Some(pass_on) = pass_on.filter(|_| !std::thread::panicking()) {
            pass_on(self);
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for BufStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BufStream")
            .field("stream", &self.stream)
            .field("limit", &self.limit)
            .field("buffered_bytes", &self.window.len())
            .field("unflushed_bytes", &self.outbox.bytes().len())
            .field("has_ended", &self.has_ended)
            .finish()
    }
}

/// As asyncio's.
const LIMIT_DEFAULT: usize = 64 * 1024;
