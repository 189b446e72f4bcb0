//! Reading a line of text.

use std::fmt;
use std::future::Future;
use std::io;
use std::mem;
use std::pin::Pin;
use std::string::FromUtf8Error;
use std::task::{Context, Poll, ready};

use super::async_buf_read::AsyncBufRead;
use super::read_until::poll_until;
use super::wait::Wait;

/// The future of [`AsyncBufRead::read_line`].
#[must_use = "nothing is read until it is awaited"]
pub struct ReadLine<'a, R: ?Sized> {
    source: &'a mut R,
    text: Utf8<'a>,
    wait: Wait,
}

impl<'a, R: ?Sized> ReadLine<'a, R> {
    #[track_caller]
    pub(super) fn new(source: &'a mut R, text: &'a mut String) -> Self {
        Self {
            source,
            text: Utf8::new(text),
            wait: Wait::new(),
        }
    }
}

impl<R: AsyncBufRead + ?Sized> Future for ReadLine<'_, R> {
    type Output = io::Result<usize>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        ready!(this.wait.begin(cx))?;
        let (bytes, wait) = (&mut this.text.bytes, &mut this.wait);
        let count = ready!(poll_until(this.source, &b'\n', bytes, 0, wait, cx))?;
        this.text.finish()?;
        Poll::Ready(Ok(count))
    }
}

impl<R: ?Sized> fmt::Debug for ReadLine<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadLine")
            .field("count", &self.text.bytes.len())
            .finish_non_exhaustive()
    }
}

/// Bytes that are appended to a string once they are whole characters. They are on their own until
/// then: to look at the string again for each line would take longer with each line.
pub(super) struct Utf8<'a> {
    text: &'a mut String,
    /// What is to be appended; in the string's memory, if that was empty.
    pub(super) bytes: Vec<u8>,
}

impl<'a> Utf8<'a> {
    pub(super) fn new(text: &'a mut String) -> Self {
        let bytes = match text.is_empty() {
            true => mem::take(text).into_bytes(),
            false => Vec::new(),
        };
        Self { text, bytes }
    }

    /// Appends the bytes, unless they are no text: then the error has them.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        let new = String::from_utf8(mem::take(&mut self.bytes)).map_err(invalid_text)?;
        self.append(new);
        Ok(())
    }

    fn append(&mut self, new: String) {
        if self.text.is_empty() {
            *self.text = new;
        } else {
            self.text.push_str(&new);
        }
    }
}

/// Appends what is whole characters.
impl Drop for Utf8<'_> {
    fn drop(&mut self) {
        let mut bytes = mem::take(&mut self.bytes);
        if let Err(error) = str::from_utf8(&bytes) {
            bytes.truncate(error.valid_up_to());
        }
        self.append(String::from_utf8(bytes).expect("what is no text was cut off"));
    }
}

/// The error of bytes that are not UTF-8, which has them.
#[cold]
pub(super) fn invalid_text(error: FromUtf8Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
