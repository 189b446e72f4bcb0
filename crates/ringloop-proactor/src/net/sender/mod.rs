//! Sending a byte stream: a queue with one send in flight.
//!
//! Bytes that are written are copied into one buffer, which is the next send. An owned buffer is
//! queued as it is, and from then on the queue is a [line](line::Line) of segments until that has
//! been sent: what is copied behind an owned buffer waits behind it. One send takes the segments
//! at the front.
//!
//! # States
//!
//! | ending | what writes say | leads to |
//! |---|---|---|
//! | open | they are queued | asked, or at once under way, or done |
//! | asked: end when all is sent | `EPIPE` | under way |
//! | under way: the kernel ends the direction | `EPIPE` | done, or open with an error |
//! | done | `EPIPE` | — |
//!
//! An error of a send empties the queue, shows at every later call, and there is nothing to end.

mod ending;
mod line;
mod outbox;
mod owned;
mod pipe;
mod send;
mod spares;

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use self::ending::{Ending, bound_linger};
use self::outbox::{HIGH_WATER_BYTES, Outbox};
use self::owned::Owned;
use self::send::SendAll;
use super::{keep, proactor_gone};
use crate::buf::{IoBuf, OpError};
use crate::fd::Fd;
use crate::op::ServiceKey;

pub use pipe::SendPipe;
pub(crate) use spares::Spares;

/// The send queue of one stream socket, with the semantics of asyncio's transports.
///
/// [`write_all`](Self::write_all) copies into the queue, [`write_owned`](Self::write_owned) queues
/// a buffer as it is, and either is done when the queue is below its high-water mark of 128 KiB.
/// What a task writes in one turn goes out as one send with the turn's batch, in order, one send in
/// flight at a time. [`flush`](Self::flush) waits until the kernel has taken everything,
/// [`shutdown`](Self::shutdown) ends the stream then.
///
/// An error shows at the next call, whatever it is, and at every later one; what was queued is
/// gone, and [`queued_bytes`](Self::queued_bytes) goes on telling how much that was.
///
/// # A dropped sender
///
/// It sends what it holds, and then lets go of the socket. That is bounded: the end of the
/// proactor waits for it no longer than [`Config::linger`](crate::Config::linger), and a TCP peer
/// that takes nothing for a minute is given up, for which `TCP_USER_TIMEOUT` is set at the drop
/// unless the program has set one. Until then a peer that does not read costs the high-water mark,
/// one owned buffer, and the socket. A peer on the same machine, on a Unix socket, may take as long
/// as it likes.
pub struct Sender {
    state: Rc<State>,
    key: ServiceKey,
    shuts_down_on_drop: bool,
}

struct State {
    fd: Fd,
    outbox: RefCell<Outbox>,
}

impl Sender {
    /// Makes the send queue of a connected stream socket.
    #[must_use]
    pub fn new(fd: Fd) -> Self {
        let state = Rc::new(State {
            fd,
            outbox: RefCell::default(),
        });
        let service = SendAll {
            state: Rc::clone(&state),
        };
        let key = state.fd.handle().shared().insert_service(service);
        Self {
            state,
            key,
            shuts_down_on_drop: false,
        }
    }

    /// Returns the socket.
    #[must_use]
    pub fn fd(&self) -> &Fd {
        &self.state.fd
    }

    /// Sets whether the stream is [shut down](Self::shutdown) when the sender is dropped, once
    /// everything has been sent. It is for the half of a stream whose other half goes on; a stream
    /// that is dropped as a whole ends when its socket is closed.
    pub fn set_shutdown_on_drop(&mut self, shuts_down: bool) {
        self.shuts_down_on_drop = shuts_down;
    }

    /// Sets from which length on owned buffers are sent without a copy in the kernel, `None` for
    /// never, which is the default. Counterpart: `io_uring_prep_send_zc(3)`.
    ///
    /// It spares the copy into the kernel's memory and costs a second completion, which comes when
    /// the peer has acknowledged the bytes: until then the buffer is kept and counts as queued, and
    /// nothing more is sent. So it pays for large buffers on a fast network whose device can gather.
    /// On loopback the kernel copies all the same, which makes it a loss at any length. Buffers below
    /// 16 KiB are copied anyway. Where a socket does not have it, as one of the Unix domain, buffers are sent as ever.
    pub fn set_zero_copy_from(&mut self, len: Option<usize>) {
        self.state.outbox.borrow_mut().zero_copy_from = len.unwrap_or(usize::MAX);
    }

    /// Queues all of `bytes`; waits while the queue is above its high-water mark.
    ///
    /// # Errors
    ///
    /// As `send(2)`, of this or an earlier write; `EPIPE` if the peer has closed, and after a
    /// [`shutdown`](Self::shutdown).
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: dropped, a prefix of `bytes` may have been queued, and will be sent. Call
    /// [`poll_write`](Self::poll_write) to know how much.
    pub async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let count = poll_fn(|cx| self.poll_write(cx, rest)).await?;
            rest = &rest[count..];
        }
        Ok(())
    }

    /// Queues an owned buffer, all of it and as it is; waits while the queue is above its
    /// high-water mark.
    ///
    /// Nothing is copied, but for a buffer below 16 KiB, for which that is cheaper. The buffer is dropped
    /// when it has been sent; a [`Chunk`](crate::Chunk) that was received goes back where it came
    /// from then. Memory for what is queued is bounded by the high-water mark and one buffer.
    ///
    /// # Errors
    ///
    /// As [`write_all`](Self::write_all); the buffer comes back.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped before it completes, nothing of the buffer is sent. Call
    /// [`poll_write_owned`](Self::poll_write_owned) to keep the buffer.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor, Receiver, Sender};
    /// use std::io::{Read, Write};
    /// use std::os::unix::net::UnixStream;
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let (near, mut far) = UnixStream::pair()?;
    /// let near = proactor.handle().adopt(near);
    /// let (mut receiver, mut sender) = (Receiver::new(near.clone()), Sender::new(near));
    /// far.write_all(&[7; 10_000])?;
    /// proactor.block_on(async {
    ///     let mut echoed = 0;
    ///     while echoed < 10_000 {
    ///         let chunk = receiver.read_chunk().await?;
    ///         echoed += chunk.len();
    ///         sender.write_owned(chunk).await?;
    ///     }
    ///     sender.flush().await
    /// })??;
    /// let mut bytes = [0; 10_000];
    /// far.read_exact(&mut bytes)?;
    /// assert_eq!(bytes, [7; 10_000]);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub async fn write_owned<B: IoBuf>(&mut self, buffer: B) -> Result<(), OpError<B>> {
        let mut buffer = Some(buffer);
        let result = poll_fn(|cx| self.poll_write_owned(cx, &mut buffer)).await;
        match (result, buffer) {
            (Err(error), Some(buffer)) => Err(OpError::new(error, buffer)),
            (Ok(_) | Err(_), _) => Ok(()),
        }
    }

    /// Waits until the kernel has taken everything that was queued.
    ///
    /// # Errors
    ///
    /// As [`write_all`](Self::write_all).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped before it completes, it had no effect.
    pub async fn flush(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Flushes, then ends the stream for the peer, which can be received from all the same. Once it
    /// has succeeded, it does nothing. Counterpart: `shutdown(2)` with `SHUT_WR`.
    ///
    /// # Errors
    ///
    /// As [`write_all`](Self::write_all) and `shutdown(2)`.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped before everything has been sent, it had no effect.
    pub async fn shutdown(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_shutdown(cx)).await
    }

    /// Queues some of `bytes` and returns how many, or wakes the task when there is room.
    ///
    /// # Errors
    ///
    /// As [`write_all`](Self::write_all).
    #[inline(always)]
    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut outbox = self.state.outbox.borrow_mut();
        let room = outbox.room();
        if room == 0 || outbox.is_special {
            drop(outbox);
            return self.poll_write_special(cx, bytes);
        }
        let count = bytes.len().min(room);
        outbox.push(&bytes[..count], &self.state.fd);
        if count > 0 && !std::mem::replace(&mut outbox.armed, true) {
            drop(outbox);
            return Poll::Ready(self.start().map(|()| count));
        }
        Poll::Ready(Ok(count))
    }

    /// A write into a queue that is full, has an owned buffer in it, or takes nothing any more.
    #[cold]
    fn poll_write_special(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let room = ready!(self.poll_room(cx))?;
        let count = bytes.len().min(room);
        let mut outbox = self.state.outbox.borrow_mut();
        outbox.push(&bytes[..count], &self.state.fd);
        drop(outbox);
        Poll::Ready(self.arm().map(|()| count))
    }

    /// Queues some of the bytes of several slices, one after the other, and returns how many that
    /// were, or wakes the task when there is room.
    ///
    /// # Errors
    ///
    /// As [`write_all`](Self::write_all).
    pub fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if slices.iter().all(|slice| slice.is_empty()) {
            return Poll::Ready(Ok(0));
        }
        let room = ready!(self.poll_room(cx))?;
        let mut left = room;
        let mut outbox = self.state.outbox.borrow_mut();
        for slice in slices {
            let count = slice.len().min(left);
            outbox.push(&slice[..count], &self.state.fd);
            left -= count;
            if left == 0 {
                break;
            }
        }
        drop(outbox);
        Poll::Ready(self.arm().map(|()| room - left))
    }

    /// Queues the buffer in its place, all of it, and returns its length, or wakes the task when
    /// there is room. The buffer is taken when it is queued, and stays in its place otherwise.
    ///
    /// # Errors
    ///
    /// As [`write_owned`](Self::write_owned).
    pub fn poll_write_owned<B: IoBuf>(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Option<B>,
    ) -> Poll<io::Result<usize>> {
        let room = ready!(self.poll_room(cx))?;
        let Some(bytes) = buffer.as_ref().map(IoBuf::as_slice) else {
            return Poll::Ready(Ok(0));
        };
        let len = bytes.len();
        if len < COPIED_BELOW_BYTES && len <= room {
            let mut outbox = self.state.outbox.borrow_mut();
            outbox.push(bytes, &self.state.fd);
            drop(outbox);
            if len > 0 {
                self.arm()?;
            }
            drop(buffer.take());
            return Poll::Ready(Ok(len));
        }
        if !self.state.fd.handle().shared().is_open() {
            return Poll::Ready(Err(proactor_gone()));
        }
        let Some(owned) = buffer.take().and_then(Owned::new) else {
            return Poll::Ready(Ok(0));
        };
        let len = owned.len();
        self.state.outbox.borrow_mut().push_owned(owned);
        // The buffer has been taken: if it cannot be sent, the next call says so.
        drop(self.arm());
        Poll::Ready(Ok(len))
    }

    /// Queues the next `len` bytes of a pipe, which are in it and stay there until then, or wakes
    /// the task when there is room. Nobody else may read from the pipe meanwhile.
    ///
    /// They are moved inside the kernel. It does that in a thread of its own, which waits as long as
    /// the socket has no room. Counterpart: `splice(2)`.
    ///
    /// # Errors
    ///
    /// As [`write_all`](Self::write_all).
    pub fn poll_write_pipe(
        &mut self,
        cx: &mut Context<'_>,
        pipe: &SendPipe,
        len: usize,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_room(cx))?;
        if len > 0 {
            let owned = Owned::in_pipe(pipe.reader(), len);
            self.state.outbox.borrow_mut().push_owned(owned);
            self.arm()?;
        }
        Poll::Ready(Ok(()))
    }

    /// Tells how much room the queue has, or wakes the task when it has some.
    ///
    /// # Errors
    ///
    /// As [`write_all`](Self::write_all).
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let outbox = self.state.outbox.borrow();
        if let Some(errno) = outbox.refusal() {
            return Poll::Ready(Err(io::Error::from_raw_os_error(errno)));
        }
        match outbox.room() {
            0 => drop(outbox),
            room => return Poll::Ready(Ok(room)),
        }
        self.wait(cx)
    }

    /// Tells whether everything has been sent, or wakes the task when it has.
    ///
    /// # Errors
    ///
    /// As [`write_all`](Self::write_all).
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outbox = self.state.outbox.borrow();
        if let Some(errno) = outbox.error {
            return Poll::Ready(Err(io::Error::from_raw_os_error(errno)));
        }
        if outbox.unsent() == 0 {
            return Poll::Ready(Ok(()));
        }
        drop(outbox);
        self.wait(cx)
    }

    /// Leaves the waker for when something changes.
    fn wait<T>(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        keep(&self.state.outbox, |outbox| &mut outbox.waiter, cx.waker());
        Poll::Pending
    }

    /// Returns how many bytes the kernel has not taken, or, after an error, never will.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.state.outbox.borrow().unsent()
    }

    /// Sees to it that what is queued is sent with the next turn.
    fn arm(&self) -> io::Result<()> {
        if std::mem::replace(&mut self.state.outbox.borrow_mut().armed, true) {
            return Ok(());
        }
        self.start()
    }

    /// Starts the service, which is marked as armed.
    #[inline]
    fn start(&self) -> io::Result<()> {
        if self.state.fd.handle().shared().start(&self.key) {
            return Ok(());
        }
        self.not_started()
    }

    #[cold]
    fn not_started(&self) -> io::Result<()> {
        let mut outbox = self.state.outbox.borrow_mut();
        outbox.armed = false;
        let line = outbox.fail(libc::ESHUTDOWN);
        drop(outbox);
        drop(line);
        Err(proactor_gone())
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let waiter = self.state.outbox.borrow_mut().waiter.take();
        drop(waiter);
        if self.shuts_down_on_drop {
            self.shut_down_when_sent();
        }
        if self.queued_bytes() > 0 {
            bound_linger(&self.state.fd);
        }
        drop(self.state.fd.handle().shared().release(&self.key, true));
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outbox = self.state.outbox.borrow();
        f.debug_struct("Sender")
            .field("fd", &self.state.fd)
            .field("queued_bytes", &outbox.unsent())
            .field("is_open", &(outbox.ending == Ending::Open))
            .field("error", &outbox.error)
            .finish()
    }
}

/// Owned buffers below this are copied: decision 0026 has the measurement.
const COPIED_BELOW_BYTES: usize = 16 * 1024;

const _: () = assert!(COPIED_BELOW_BYTES < HIGH_WATER_BYTES);
