//! The lines of a source.

use std::fmt;
use std::io;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ringloop_task::task::poll_budget;

use super::async_buf_read::AsyncBufRead;
use super::buf_stream::ReadError;
use super::read_line::invalid_text;
use super::read_until::append;
use crate::stream::Stream;

/// A [`Stream`] of the lines of a source, by [`AsyncBufRead::lines`].
///
/// Lines come without their `\n` or `\r\n`. A line that is not UTF-8 is an `InvalidData` error with
/// a `std::string::FromUtf8Error` that has its bytes, and the next line follows. An error of the
/// source keeps what came before it for the next item.
///
/// # Examples
///
/// ```
/// use ringloop::io::AsyncBufRead;
/// use ringloop::stream::Stream;
///
/// ringloop::run(async {
///     let mut lines = b"one\r\ntwo\n\nfour".lines();
///     let mut seen = Vec::new();
///     while let Some(line) = lines.next().await {
///         seen.push(line?);
///     }
///     assert_eq!(seen, ["one", "two", "", "four"]);
///     Ok::<(), std::io::Error>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "nothing is read until its lines are awaited"]
pub struct Lines<R> {
    source: R,
    /// The beginning of a line whose end has not come.
    bytes: Vec<u8>,
    limit: usize,
    /// The rest of a line over the limit is dropped.
    is_skipping: bool,
}

impl<R> Lines<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            bytes: Vec::new(),
            limit: usize::MAX,
            is_skipping: false,
        }
    }

    /// Lets lines have `limit` bytes; without it, as many as there is memory for. A longer line is
    /// an error with [`ReadError::LimitOverrun`] inside, and the next line follows.
    pub fn with_limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// Returns the source.
    #[must_use]
    pub fn get_ref(&self) -> &R {
        &self.source
    }

    /// Returns the source, and the beginning of a line whose end has not come.
    #[must_use]
    pub fn into_parts(self) -> (R, Vec<u8>) {
        (self.source, self.bytes)
    }
}

impl<R: AsyncBufRead> Lines<R> {
    /// Returns whether a line, or the last bytes, are there; `false` at the end.
    fn poll_line(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        loop {
            let piece = ready!(self.source.poll_fill_buf(cx))?;
            let is_end = piece.is_empty();
            let (count, is_found) = append(piece, &b'\n', &mut self.bytes, 0);
            self.source.consume(count);
            if self.is_skipping {
                self.bytes.clear();
                self.is_skipping = !is_found && !is_end;
                if is_end {
                    return Poll::Ready(Ok(false));
                }
            } else {
                let consumed = self.bytes.len() - usize::from(is_found);
                if consumed > self.limit {
                    self.bytes.clear();
                    self.is_skipping = !is_found;
                    return Poll::Ready(Err(ReadError::LimitOverrun { consumed }.into()));
                }
                if is_found || is_end {
                    return Poll::Ready(Ok(!self.bytes.is_empty()));
                }
            }
            // A line may have no end, and its source always more of it.
            ready!(poll_budget(cx)).spend();
        }
    }
}

impl<R: AsyncBufRead + Unpin> Stream for Lines<R> {
    type Item = io::Result<String>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if !ready!(self.poll_line(cx))? {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(line(mem::take(&mut self.bytes))))
    }
}

impl<R: fmt::Debug> fmt::Debug for Lines<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines")
            .field("source", &self.source)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

fn line(mut bytes: Vec<u8>) -> io::Result<String> {
    if bytes.ends_with(b"\n") {
        bytes.pop();
        if bytes.ends_with(b"\r") {
            bytes.pop();
        }
    }
    String::from_utf8(bytes).map_err(invalid_text)
}
