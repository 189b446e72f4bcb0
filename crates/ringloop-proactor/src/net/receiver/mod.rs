//! Receiving a byte stream: one multishot receive into provided buffers.

mod inbox;
mod piece;
mod recv;
mod stop;

use std::cell::OnceCell;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use self::inbox::{CLOSED, ENDED, End, HALTED, Inbox, READING, RESTS};
use self::piece::Piece;
use self::recv::RecvMultishot;
use super::proactor_gone;
use crate::buf::Chunk;
use crate::fd::Fd;
use crate::op::ServiceKey;
use crate::wakes::Retired;

/// The receive queue of one stream socket.
///
/// Bytes that arrive belong to the queue: [`read`](Self::read) copies them out,
/// [`read_chunk`](Self::read_chunk) lends them. At 256 KiB, or at a number of pieces, the queue is
/// full, and the kernel is asked to stop. What it has taken out of the socket by then is kept as well;
/// all else waits in the socket, and the peer is slowed down. An idle connection holds no buffer, unless it began
/// to wait while none of the shared ones was free: then it holds one of its own.
pub struct Receiver {
    inbox: Rc<Inbox>,
    /// Once something was to be received: many a stream is only closed.
    key: OnceCell<ServiceKey>,
    /// What is being read: a piece that has left the queue, in part. The status tells of it, too.
    current: Option<Piece>,
}

impl Receiver {
    /// Makes the receive queue of a connected stream socket. Nothing is received before the first
    /// read.
    #[must_use]
    pub fn new(fd: Fd) -> Self {
        Self {
            inbox: Rc::new(Inbox::new(fd)),
            key: OnceCell::new(),
            current: None,
        }
    }

    /// The service, which is made when it is needed first.
    fn key(&self) -> &ServiceKey {
        self.key.get_or_init(|| {
            let service = RecvMultishot {
                inbox: Rc::clone(&self.inbox),
            };
            self.inbox.fd.handle().shared().insert_service(service)
        })
    }

    /// Returns the socket.
    #[must_use]
    pub fn fd(&self) -> &Fd {
        &self.inbox.fd
    }

    /// Copies received bytes into `buf` and returns their number, zero at the end of the stream.
    ///
    /// # Errors
    ///
    /// As `recv(2)`, once everything that was received before the error has been read.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: bytes that arrive after the future was dropped wait for the next read.
    pub async fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| self.poll_read(cx, buf)).await
    }

    /// Lends the next received bytes without a copy, an empty chunk at the end of the stream.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: bytes that arrive after the future was dropped wait for the next read.
    pub async fn read_chunk(&mut self) -> io::Result<Chunk> {
        poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// Copies received bytes into `buf`, or wakes the task when there are some.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    #[inline(always)]
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let inbox = &*self.inbox;
        if inbox.status.is_usual() {
            if let Some(count) = inbox.read_front(buf) {
                return Poll::Ready(Ok(count));
            }
            if inbox.is_empty() && !buf.is_empty() {
                return self.wait(cx);
            }
        }
        self.poll_read_more(cx, buf)
    }

    /// The same if there is more than one piece that fits, or no receive under way.
    #[cold]
    fn poll_read_more(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut copied = 0;
        while copied < buf.len() {
            if copied > 0 && self.current.is_none() && self.inbox.is_empty() {
                break;
            }
            ready!(self.poll_current(cx))?;
            let Some(piece) = &self.current else {
                break;
            };
            let bytes = self.inbox.bytes(piece);
            let count = bytes.len().min(buf.len() - copied);
            buf[copied..copied + count].copy_from_slice(&bytes[..count]);
            self.consume(count);
            copied += count;
        }
        Poll::Ready(Ok(copied))
    }

    /// Lends the next received bytes, or wakes the task when there are some.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    #[inline]
    pub fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Chunk>> {
        let inbox = &*self.inbox;
        if inbox.status.is_usual() {
            return match inbox.take_front() {
                Some(chunk) => Poll::Ready(Ok(chunk)),
                None => self.wait(cx),
            };
        }
        self.poll_chunk_more(cx)
    }

    /// The same if there is more than one piece, or no receive under way.
    #[cold]
    fn poll_chunk_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Chunk>> {
        ready!(self.poll_current(cx))?;
        let piece = self.take_current();
        let pool = self.inbox.pool.as_ref();
        Poll::Ready(Ok(piece
            .map(|piece| piece.into_chunk(pool))
            .unwrap_or_default()))
    }

    /// Returns the next received bytes where they are, without taking them, or wakes the task when
    /// there are some. They are the next bytes until [`consume`](Self::consume) leaves them behind;
    /// none are there at the end of the stream.
    ///
    /// Counterpart: `std::io::BufRead::fill_buf`.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor, Receiver};
    /// use std::future::poll_fn;
    /// use std::io::Write;
    /// use std::os::unix::net::UnixStream;
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let (near, mut far) = UnixStream::pair()?;
    /// far.write_all(b"head: body")?;
    /// let mut receiver = Receiver::new(proactor.handle().adopt(near));
    /// let head = poll_fn(|cx| {
    ///     let bytes = std::task::ready!(receiver.poll_fill_buf(cx))?;
    ///     let head = bytes.split(|&byte| byte == b':').next().unwrap_or(bytes);
    ///     std::task::Poll::Ready(Ok::<_, std::io::Error>(head.to_vec()))
    /// });
    /// let head = proactor.block_on(head)??;
    /// assert_eq!(head, b"head");
    /// receiver.consume(head.len() + 2);
    /// assert_eq!(proactor.block_on(receiver.read_chunk())??[..], *b"body");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[inline]
    pub fn poll_fill_buf(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        ready!(self.poll_current(cx))?;
        let bytes = self.current.as_ref().map(|piece| self.inbox.bytes(piece));
        Poll::Ready(Ok(bytes.unwrap_or_default()))
    }

    /// Leaves the first `count` bytes behind that [`poll_fill_buf`](Self::poll_fill_buf) returned,
    /// all of them if there are fewer.
    ///
    /// Counterpart: `std::io::BufRead::consume`.
    #[inline]
    pub fn consume(&mut self, count: usize) {
        let Some(piece) = &mut self.current else {
            return;
        };
        if count < piece.len() {
            piece.advance(count);
        } else if let Some(piece) = self.take_current() {
            self.inbox.give_back(piece);
        }
    }

    /// Sees to it that a piece is being read, unless the stream has ended.
    #[inline]
    fn poll_current(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.current.is_some() {
            return Poll::Ready(Ok(()));
        }
        self.current = self.inbox.pop();
        if self.current.is_none() {
            return self.poll_end(cx);
        }
        self.inbox.status.set(READING);
        if self.inbox.is_drained() {
            self.arm();
        }
        Poll::Ready(Ok(()))
    }

    /// Takes what is being read.
    #[inline]
    fn take_current(&mut self) -> Option<Piece> {
        self.inbox.status.clear(READING);
        self.current.take()
    }

    /// With an empty queue: the end of the stream, or a wait for more.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.inbox.take_end() {
            Some(End::Closed) => return Poll::Ready(Ok(())),
            Some(End::Failed(errno)) => {
                return Poll::Ready(Err(io::Error::from_raw_os_error(errno.into())));
            }
            None => {}
        }
        if self.inbox.status.has(RESTS) && !self.arm() {
            return Poll::Ready(Err(proactor_gone()));
        }
        self.wait(cx)
    }

    /// Leaves the waker for when something comes.
    #[inline(always)]
    fn wait<T>(&self, cx: &mut Context<'_>) -> Poll<T> {
        let inbox = &*self.inbox;
        if inbox.reader.is(cx.waker()) {
            inbox.waits.set(true);
            return Poll::Pending;
        }
        self.register(cx);
        Poll::Pending
    }

    /// Leaves another waker.
    #[cold]
    fn register(&self, cx: &mut Context<'_>) {
        let inbox = &*self.inbox;
        // Foreign code, which may take a turn.
        let waker = cx.waker().clone();
        inbox.waits.set(true);
        let old = inbox.reader.replace(waker);
        // Something may have come meanwhile.
        if !inbox.is_empty() || inbox.status.has(RESTS | ENDED) {
            inbox.waits.set(false);
            cx.waker().wake_by_ref();
        }
        self.retire(old);
    }

    fn retire(&self, waker: Option<Retired>) {
        if let Some(waker) = waker {
            self.inbox.fd.handle().shared().retire(waker);
        }
    }

    #[cold]
    fn arm(&self) -> bool {
        let status = &self.inbox.status;
        if !status.has(RESTS) || status.has(HALTED) {
            return true;
        }
        let is_started = self.inbox.fd.handle().shared().start(self.key());
        if is_started {
            status.clear(RESTS);
        }
        is_started
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.consume(usize::MAX);
        let inbox = &*self.inbox;
        inbox.status.set(CLOSED);
        while let Some(piece) = inbox.pop() {
            inbox.give_back(piece);
        }
        inbox.waits.set(false);
        self.retire(inbox.reader.take());
        if let Some(key) = self.key.get() {
            drop(inbox.fd.handle().shared().release(key, false));
        }
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let current = self.current.as_ref().map_or(0, Piece::len);
        f.debug_struct("Receiver")
            .field("fd", &self.inbox.fd)
            .field("queued_bytes", &(self.inbox.queued_bytes() + current))
            .field("armed", &!self.inbox.status.has(RESTS))
            .field("end", &self.inbox.end())
            .finish()
    }
}
