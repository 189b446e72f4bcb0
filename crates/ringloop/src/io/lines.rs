//! The lines of a source.

use std::fmt;
use std::io;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::async_buf_read::AsyncBufRead;
use super::read_line::invalid_text;
use super::read_until::append;
use crate::stream::Stream;

/// A [`Stream`] of the lines of a source, by [`AsyncBufRead::lines`].
///
/// Lines come without their `\n` or `\r\n`. A line that is not UTF-8 is an `InvalidData` error with
/// a `std::string::FromUtf8Error` that has its bytes, and the next line follows.
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
}

impl<R> Lines<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            bytes: Vec::new(),
        }
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

impl<R: AsyncBufRead + Unpin> Stream for Lines<R> {
    type Item = io::Result<String>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            let piece = ready!(this.source.poll_fill_buf(cx))?;
            let (count, is_found) = append(piece, &b'\n', &mut this.bytes, 0);
            this.source.consume(count);
            if count == 0 && this.bytes.is_empty() {
                return Poll::Ready(None);
            }
            if is_found || count == 0 {
                return Poll::Ready(Some(line(mem::take(&mut this.bytes))));
            }
        }
    }
}

impl<R: fmt::Debug> fmt::Debug for Lines<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines")
            .field("source", &self.source)
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
    String::from_utf8(bytes).map_err(|error| invalid_text(error.into_bytes()))
}
