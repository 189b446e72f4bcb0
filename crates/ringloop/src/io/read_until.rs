//! Reading through a separator.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::async_buf_read::AsyncBufRead;
use super::separators::Separators;
use super::wait::Wait;

/// The future of [`AsyncBufRead::read_until`].
#[must_use = "nothing is read until it is awaited"]
pub struct ReadUntil<'a, R: ?Sized, S> {
    source: &'a mut R,
    separators: S,
    bytes: &'a mut Vec<u8>,
    /// How long the vector was.
    start: usize,
    wait: Wait,
}

impl<'a, R: ?Sized, S> ReadUntil<'a, R, S> {
    #[track_caller]
    pub(super) fn new(source: &'a mut R, separators: S, bytes: &'a mut Vec<u8>) -> Self {
        Self {
            source,
            separators,
            start: bytes.len(),
            bytes,
            wait: Wait::new(),
        }
    }
}

impl<R: ?Sized, S> Unpin for ReadUntil<'_, R, S> {}

impl<R: AsyncBufRead + ?Sized, S: Separators> Future for ReadUntil<'_, R, S> {
    type Output = io::Result<usize>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        ready!(this.wait.begin(cx))?;
        if !this.separators.are_valid() {
            return Poll::Ready(Err(invalid_separator()));
        }
        let (bytes, start) = (&mut *this.bytes, this.start);
        poll_until(
            this.source,
            &this.separators,
            bytes,
            start,
            &mut this.wait,
            cx,
        )
    }
}

impl<R: ?Sized, S> fmt::Debug for ReadUntil<'_, R, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadUntil")
            .field("count", &(self.bytes.len() - self.start))
            .finish_non_exhaustive()
    }
}

/// Reads into `bytes`, from `start` on, through a separator or to the end, or until there is
/// nothing yet.
pub(super) fn poll_until<R: AsyncBufRead + ?Sized, S: Separators + ?Sized>(
    source: &mut R,
    separators: &S,
    bytes: &mut Vec<u8>,
    start: usize,
    wait: &mut Wait,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    loop {
        let piece = match source.poll_fill_buf(cx) {
            Poll::Ready(Ok(piece)) => piece,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return wait.go_on(cx),
        };
        let (count, is_found) = append(piece, separators, bytes, start);
        source.consume(count);
        if is_found || count == 0 {
            return Poll::Ready(Ok(bytes.len() - start));
        }
        ready!(wait.next_step(cx));
    }
}

/// Appends `piece` to `bytes` up to where a separator ends, which may have begun in `bytes`, though
/// not before `start`. Returns how much was appended, and whether there was one.
pub(super) fn append<S: Separators + ?Sized>(
    piece: &[u8],
    separators: &S,
    bytes: &mut Vec<u8>,
    start: usize,
) -> (usize, bool) {
    let before = bytes.len();
    let longest = separators.longest();
    if longest > 1 && before > start {
        // Only the end of the bytes and the beginning of the piece can be one separator.
        let overlap = longest - 1;
        bytes.extend_from_slice(&piece[..overlap.min(piece.len())]);
        let from = start.max(before.saturating_sub(overlap));
        if let Some(found) = separators.find(&bytes[from..]) {
            bytes.truncate(from + found.end);
            return (bytes.len() - before, true);
        }
        bytes.truncate(before);
    }
    let found = separators.find(piece).map(|found| found.end);
    let count = found.unwrap_or(piece.len());
    bytes.extend_from_slice(&piece[..count]);
    (count, found.is_some())
}

#[cold]
pub(super) fn invalid_separator() -> io::Error {
    let what = "there must be a separator, and none may be empty";
    io::Error::new(io::ErrorKind::InvalidInput, what)
}
