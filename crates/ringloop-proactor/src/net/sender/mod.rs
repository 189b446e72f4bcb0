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
mod piping;
mod poll;
mod send;
mod spares;

use std::cell::{OnceCell, RefCell};
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;

use self::ending::{Ending, bound_linger};
use self::outbox::Outbox;
use self::send::SendAll;

use crate::buf::{IoBuf, OpError};
use crate::fd::Fd;
use crate::op::ServiceKey;

pub use pipe::SendPipe;
pub(crate) use spares::Spares;

/// The send queue of one stream socket, with the semantics of asyncio's transports.
///
/// [`write_all`](Self::write_all) copies into the queue, [`write_owned`](Self::write_owned) queues
/// a buffer as it is, and either is done when the queue is below its high-water mark of 256 KiB.
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
    /// Once there was something to send: many a stream is only read, or only closed.
    key: OnceCell<ServiceKey>,
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
        Self {
            state,
            key: OnceCell::new(),
        }
    }

    /// The service, which is made when it is needed first.
    #[inline]
    fn key(&self) -> &ServiceKey {
        self.key.get_or_init(|| self.insert())
    }

    #[cold]
    fn insert(&self) -> ServiceKey {
        let service = SendAll {
            state: Rc::clone(&self.state),
        };
        self.state.fd.handle().shared().insert_service(service)
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
        self.state.outbox.borrow_mut().shuts_down_on_drop = shuts_down;
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
        let mut outbox = self.state.outbox.borrow_mut();
        outbox.rest().zero_copy_from = len.unwrap_or(usize::MAX);
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

    /// Returns how many bytes the kernel has not taken, or, after an error, never will.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.state.outbox.borrow().unsent()
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let waiter = self.state.outbox.borrow_mut().take_waiter();
        drop(waiter);
        if self.state.outbox.borrow().shuts_down_on_drop {
            self.shut_down_when_sent();
        }
        // Also what a peer has to acknowledge first, which was sent without a copy.
        if self.state.outbox.borrow().armed {
            bound_linger(&self.state.fd);
        }
        if let Some(key) = self.key.get() {
            drop(self.state.fd.handle().shared().release(key, true));
        }
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outbox = self.state.outbox.borrow();
        f.debug_struct("Sender")
            .field("fd", &self.state.fd)
            .field("queued_bytes", &outbox.unsent())
            .field("is_open", &(outbox.ending == Ending::Open))
            .field("error", &outbox.error())
            .finish()
    }
}
