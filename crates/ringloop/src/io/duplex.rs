//! Two connected ends in memory.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::mem;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use super::async_buf_read::AsyncBufRead;
use super::async_read::AsyncRead;
use super::async_write::AsyncWrite;

/// Makes two connected ends: what is written to one is read from the other, in both directions,
/// and at most `capacity` bytes of each direction are under way.
///
/// Counterpart: `std::os::unix::net::UnixStream::pair`, without the kernel: also on a loop that has
/// no ring, and in virtual time. Both ends stay on their thread.
///
/// # Panics
///
/// If `capacity` is zero.
///
/// # Examples
///
/// ```
/// use ringloop::io::{AsyncRead, AsyncWrite, duplex};
///
/// ringloop::run(async {
///     let (mut near, mut far) = duplex(64);
///     near.write_all(b"ping").await?;
///     near.shutdown().await?;
///     let mut text = String::new();
///     far.read_to_string(&mut text).await?;
///     assert_eq!(text, "ping");
///     // The other direction is open still.
///     far.write_all(b"pong").await?;
///     near.read_exact(&mut [0; 4]).await?;
///     Ok::<(), std::io::Error>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
#[track_caller]
#[doc(alias("socketpair", "pipe"))]
pub fn duplex(capacity: usize) -> (DuplexStream, DuplexStream) {
    assert!(capacity > 0, "nothing would go through");
    let one = Rc::new(Pipe::new(capacity));
    let other = Rc::new(Pipe::new(capacity));
    let near = DuplexStream::new(Rc::clone(&one), Rc::clone(&other));
    let far = DuplexStream::new(other, one);
    (near, far)
}

/// One end of a pair in memory, by [`duplex`].
///
/// A dropped end is a closed connection: the other one reads what was written before, then the
/// end, and its writes fail with `BrokenPipe`. What a reader has not taken when it is dropped is
/// lost.
pub struct DuplexStream {
    incoming: Rc<Pipe>,
    outgoing: Rc<Pipe>,
    /// What was taken out of the pipe, to be lent, and is there from `start` on.
    taken: Vec<u8>,
    start: usize,
}

impl DuplexStream {
    fn new(incoming: Rc<Pipe>, outgoing: Rc<Pipe>) -> Self {
        Self {
            incoming,
            outgoing,
            taken: Vec::new(),
            start: 0,
        }
    }
}

/// One direction.
struct Pipe {
    capacity: usize,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    /// What was written and is not with the reader.
    bytes: Vec<u8>,
    /// How much is with the reader and was not consumed.
    taken: usize,
    /// The writer is gone, or has said that no more will come.
    has_ended: bool,
    /// The reader is gone.
    is_closed: bool,
    reader: Option<Waker>,
    /// Waits for room, or until all has been read.
    writer: Option<Waker>,
}

impl Pipe {
    fn new(capacity: usize) -> Self {
        Self {
            capacity,
            state: RefCell::default(),
        }
    }

    /// Changes the state and then wakes or drops a waker, which is foreign code.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> (T, Option<Waker>)) -> T {
        let (value, waker) = change(&mut self.state.borrow_mut());
        if let Some(waker) = waker {
            waker.wake();
        }
        value
    }

    /// Puts `waker` in its place for later.
    fn keep(&self, place: fn(&mut State) -> &mut Option<Waker>, waker: &Waker) {
        let is_known = place(&mut self.state.borrow_mut())
            .as_ref()
            .is_some_and(|known| known.will_wake(waker));
        if !is_known {
            let waker = waker.clone();
            let old = place(&mut self.state.borrow_mut()).replace(waker);
            drop(old);
        }
    }

    /// No more will be written.
    fn end(&self) {
        self.change(|state| {
            state.has_ended = true;
            ((), state.reader.take())
        });
    }

    /// No more will be read.
    fn close(&self) {
        let bytes = self.change(|state| {
            state.is_closed = true;
            (mem::take(&mut state.bytes), state.writer.take())
        });
        drop(bytes);
    }
}

impl AsyncRead for DuplexStream {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let bytes = ready!(self.poll_fill_buf(cx))?;
        let count = bytes.len().min(buf.len());
        buf[..count].copy_from_slice(&bytes[..count]);
        self.consume(count);
        Poll::Ready(Ok(count))
    }
}

impl AsyncBufRead for DuplexStream {
    fn poll_fill_buf(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        if self.start == self.taken.len() {
            self.taken.clear();
            self.start = 0;
            let mut state = self.incoming.state.borrow_mut();
            if state.bytes.is_empty() && !state.has_ended {
                drop(state);
                self.incoming.keep(|state| &mut state.reader, cx.waker());
                return Poll::Pending;
            }
            mem::swap(&mut state.bytes, &mut self.taken);
            state.taken = self.taken.len();
        }
        Poll::Ready(Ok(&self.taken[self.start..]))
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
        assert!(self.start <= self.taken.len(), "more than what was lent");
        if count > 0 {
            self.incoming.change(|state| {
                state.taken -= count;
                ((), state.writer.take())
            });
        }
    }
}

impl AsyncWrite for DuplexStream {
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let pipe = &self.outgoing;
        let (is_open, len) = {
            let state = pipe.state.borrow();
            let is_open = !state.is_closed && !state.has_ended;
            (is_open, state.bytes.len() + state.taken)
        };
        if !is_open {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let count = bytes.len().min(pipe.capacity - len);
        if count == 0 && !bytes.is_empty() {
            pipe.keep(|state| &mut state.writer, cx.waker());
            return Poll::Pending;
        }
        pipe.change(|state| {
            state.bytes.extend_from_slice(&bytes[..count]);
            ((), state.reader.take())
        });
        Poll::Ready(Ok(count))
    }

    /// What was written is with the other end at once.
    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outgoing.end();
        Poll::Ready(Ok(()))
    }
}

impl Drop for DuplexStream {
    fn drop(&mut self) {
        self.outgoing.end();
        self.incoming.close();
    }
}

impl fmt::Debug for DuplexStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let incoming = self.incoming.state.borrow();
        let outgoing = self.outgoing.state.borrow();
        f.debug_struct("DuplexStream")
            .field("capacity", &self.incoming.capacity)
            .field("incoming_bytes", &(incoming.bytes.len() + incoming.taken))
            .field("outgoing_bytes", &(outgoing.bytes.len() + outgoing.taken))
            .field("is_incoming_ended", &incoming.has_ended)
            .field("is_outgoing_ended", &outgoing.has_ended)
            .finish()
    }
}
