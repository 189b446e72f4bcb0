//! Reading pieces.

use std::future::{Future, poll_fn};
use std::io;
use std::ops::Range;
use std::task::{Context, Poll, ready};

use super::{BufStream, ReadError};
use crate::io::lines::Lines;
use crate::io::read_until::invalid_separator;
use crate::io::{AsyncBufRead, AsyncRead, Separators, Wait};

impl<S: AsyncRead> BufStream<S> {
    /// Reads through the first of `separators`, and lends what that is, with the separator.
    ///
    /// # Errors
    ///
    /// [`LimitOverrun`](ReadError::LimitOverrun) if there are more than [`limit`](Self::limit) bytes
    /// before the separator, which are all in the stream still;
    /// [`Incomplete`](ReadError::Incomplete) if the end comes before, with what there was. An error
    /// of the stream leaves everything that came before in the stream, and is told once; what comes
    /// then is the end. `InvalidInput` if there is no separator, or an empty one.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect: the bytes stay in
    /// the stream.
    #[track_caller]
    #[doc(alias = "readuntil")]
    pub fn read_until<T: Separators>(
        &mut self,
        separators: T,
    ) -> impl Future<Output = Result<&[u8], ReadError>> {
        let wait = Wait::new();
        async move {
            let found = self.find(&separators, wait).await?;
            match found {
                Some(found) => Ok(self.window.take(found.end)),
                None => Err(self.incomplete(None)),
            }
        }
    }

    /// Reads a line and lends it, with its line feed; the last one as it is, and nothing at the
    /// end.
    ///
    /// # Errors
    ///
    /// As [`read_until`](Self::read_until), but the end is none. A line that is too long stays in
    /// the stream, where [`skip_until`](Self::skip_until) drops it. asyncio drops as much of it as
    /// has come, so that its rest looks like a line of its own, which a peer may exploit.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect: the bytes stay in
    /// the stream.
    #[track_caller]
    #[doc(alias = "readline")]
    pub fn read_line(&mut self) -> impl Future<Output = Result<&[u8], ReadError>> {
        let wait = Wait::new();
        async move {
            let found = self.find(&b'\n', wait).await?;
            let len = found.map_or(self.window.len(), |found| found.end);
            Ok(self.window.take(len))
        }
    }

    /// Drops everything through the first of `separators`, or up to the end, however much that is,
    /// and returns whether the separator came. The buffer does not grow.
    ///
    /// # Errors
    ///
    /// Of the stream; `InvalidInput` if there is no separator, or an empty one; a cancelled scope.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what was dropped before belongs to what is dropped, and to call it again goes
    /// on.
    #[track_caller]
    pub fn skip_until<T: Separators>(
        &mut self,
        separators: T,
    ) -> impl Future<Output = io::Result<bool>> {
        let mut wait = Wait::new();
        async move {
            poll_fn(|cx| {
                ready!(wait.begin(cx))?;
                if !separators.are_valid() {
                    return Poll::Ready(Err(invalid_separator()));
                }
                loop {
                    if let Some(found) = separators.find(self.window.bytes()) {
                        self.window.take(found.end);
                        return Poll::Ready(Ok(true));
                    }
                    // The first bytes of a separator may be the last ones that have come.
                    let len = self.window.len();
                    self.window
                        .take((len + 1).saturating_sub(separators.longest()));
                    let len_max = separators.longest() + SKIP_STEP;
                    if ready!(self.poll_more(cx, &mut wait, len_max))? == 0 {
                        let len = self.window.len();
                        self.window.take(len);
                        return Poll::Ready(Ok(false));
                    }
                    ready!(wait.next_step(cx));
                }
            })
            .await
        }
    }

    /// Reads exactly `count` bytes, and lends them. The limit does not count.
    ///
    /// # Errors
    ///
    /// [`Incomplete`](ReadError::Incomplete) if the end comes before, with what there was; an error
    /// of the stream leaves everything that came before in the stream.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect: the bytes stay in
    /// the stream.
    #[track_caller]
    #[doc(alias = "readexactly")]
    pub fn read_exact(&mut self, count: usize) -> impl Future<Output = Result<&[u8], ReadError>> {
        let wait = Wait::new();
        async move {
            self.gather(count, wait).await?;
            if self.window.len() < count {
                return Err(self.incomplete(Some(count)));
            }
            Ok(self.window.take(count))
        }
    }

    /// Waits until there are `count` bytes, or the end, and lends them without taking them: they
    /// are fewer only at the end. The limit does not count.
    ///
    /// # Errors
    ///
    /// Of the stream, which leaves everything that came before in the stream; a cancelled scope.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    pub fn peek(&mut self, count: usize) -> impl Future<Output = io::Result<&[u8]>> {
        let wait = Wait::new();
        async move {
            self.gather(count, wait).await?;
            Ok(&self.window.bytes()[..count.min(self.window.len())])
        }
    }

    /// Reads everything up to the end. The limit does not count.
    ///
    /// # Errors
    ///
    /// Of the stream, which leaves everything that came before in the stream; a cancelled scope.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect: the bytes stay in
    /// the stream.
    #[track_caller]
    pub fn read_to_end(&mut self) -> impl Future<Output = io::Result<Vec<u8>>> {
        let wait = Wait::new();
        async move {
            self.gather(usize::MAX, wait).await?;
            Ok(self.window.take_all())
        }
    }

    /// Makes a [stream](crate::stream::Stream) of the lines, without their line feeds. A line over
    /// the limit is an error, and the next one follows.
    pub fn lines(self) -> Lines<Self> {
        let limit = self.limit;
        AsyncBufRead::lines(self).with_limit(limit)
    }

    /// Returns where the first separator is, `None` if the end comes before.
    async fn find<T: Separators>(
        &mut self,
        separators: &T,
        mut wait: Wait,
    ) -> Result<Option<Range<usize>>, ReadError> {
        let mut seen = 0;
        poll_fn(|cx| {
            ready!(wait.begin(cx))?;
            if !separators.are_valid() {
                return Poll::Ready(Err(invalid_separator().into()));
            }
            loop {
                let found = separators.find(&self.window.bytes()[seen..]);
                if let Some(found) = found {
                    let found = seen + found.start..seen + found.end;
                    return Poll::Ready(self.within_limit(found.start).map(|()| Some(found)));
                }
                // The first bytes of a separator may be the last ones that have come.
                seen = seen.max((self.window.len() + 1).saturating_sub(separators.longest()));
                self.within_limit(seen)?;
                let len_max = self
                    .limit
                    .saturating_mul(2)
                    .saturating_add(separators.longest());
                if ready!(self.poll_more(cx, &mut wait, len_max))? == 0 {
                    return Poll::Ready(Ok(None));
                }
                ready!(wait.next_step(cx));
            }
        })
        .await
    }

    /// Reads until there are `count` bytes, or the end.
    async fn gather(&mut self, count: usize, mut wait: Wait) -> io::Result<()> {
        poll_fn(|cx| {
            ready!(wait.begin(cx))?;
            while self.window.len() < count {
                let len_max = count.max(self.limit.saturating_mul(2));
                if ready!(self.poll_more(cx, &mut wait, len_max))? == 0 {
                    break;
                }
                if self.window.len() < count {
                    ready!(wait.next_step(cx));
                }
            }
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// Reads some more, zero at the end.
    fn poll_more(
        &mut self,
        cx: &mut Context<'_>,
        wait: &mut Wait,
        len_max: usize,
    ) -> Poll<io::Result<usize>> {
        let filled = self.window.poll_fill(self.stream.get_mut(), cx, len_max);
        match filled {
            Poll::Ready(Ok(count)) => {
                self.has_ended = count == 0;
                Poll::Ready(Ok(count))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => wait.go_on(cx),
        }
    }

    fn within_limit(&self, consumed: usize) -> Result<(), ReadError> {
        if consumed > self.limit {
            return Err(ReadError::LimitOverrun { consumed });
        }
        Ok(())
    }

    #[cold]
    fn incomplete(&mut self, expected: Option<usize>) -> ReadError {
        let partial = self.window.take_all();
        ReadError::Incomplete { partial, expected }
    }
}

/// What is in the buffer comes first. With an empty one, a read goes through if it is large.
impl<S: AsyncRead> AsyncRead for BufStream<S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if self.window.len() == 0 && buf.len() >= THROUGH_MIN {
            let count = ready!(self.get_mut().poll_read(cx, buf))?;
            self.has_ended = count == 0;
            return Poll::Ready(Ok(count));
        }
        let bytes = ready!(self.poll_fill_buf(cx))?;
        let count = bytes.len().min(buf.len());
        buf[..count].copy_from_slice(&bytes[..count]);
        self.window.take(count);
        Poll::Ready(Ok(count))
    }
}

impl<S: AsyncRead> AsyncBufRead for BufStream<S> {
    fn poll_fill_buf(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        if self.window.len() == 0 {
            let len_max = self.limit.saturating_mul(2);
            let count = ready!(self.window.poll_fill(self.stream.get_mut(), cx, len_max))?;
            self.has_ended = count == 0;
        }
        Poll::Ready(Ok(self.window.bytes()))
    }

    fn consume(&mut self, count: usize) {
        self.window.take(count);
    }
}

/// How much is dropped at a time.
const SKIP_STEP: usize = 8 * 1024;
/// A read of so much does not use the buffer.
const THROUGH_MIN: usize = 8 * 1024;
