//! Sending a byte stream: a queue with one send in flight.

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::mem;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::{keep, proactor_gone};
use crate::fd::Fd;
use crate::op::{Flow, RETIRED, Service, ServiceKey};
use crate::ring::{Cqe, Sqe};

/// The send queue of one stream socket, with the semantics of asyncio's transports.
///
/// [`write_all`](Self::write_all) copies into the queue and is done when the queue is below its
/// high-water mark. What a task writes in one turn goes out as one send with the turn's batch, in
/// order, one send in flight at a time. [`flush`](Self::flush) waits until the kernel has taken
/// everything. A dropped sender sends what it holds.
pub struct Sender {
    state: Rc<State>,
    key: ServiceKey,
}

struct State {
    fd: Fd,
    outbox: RefCell<Outbox>,
}

#[derive(Default)]
struct Outbox {
    /// What the kernel is sending, from `sent` on. Not touched while `armed`.
    sending: Vec<u8>,
    sent: usize,
    /// What was written since.
    pending: Vec<u8>,
    error: Option<i32>,
    waiter: Option<Waker>,
    /// The service is staged or in flight.
    armed: bool,
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
        Self { state, key }
    }

    /// Returns the socket.
    #[must_use]
    pub fn fd(&self) -> &Fd {
        &self.state.fd
    }

    /// Queues all of `bytes`; waits while the queue is above its high-water mark.
    ///
    /// # Errors
    ///
    /// As `send(2)`, of this or an earlier write; `EPIPE` if the peer has closed.
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

    /// Queues some of `bytes` and returns how many, or wakes the task when there is room.
    ///
    /// # Errors
    ///
    /// As [`write_all`](Self::write_all).
    #[inline]
    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let mut outbox = self.state.outbox.borrow_mut();
        if let Some(errno) = outbox.error {
            return Poll::Ready(Err(io::Error::from_raw_os_error(errno)));
        }
        let room = HIGH_WATER_BYTES.saturating_sub(outbox.queued());
        if room == 0 {
            drop(outbox);
            keep(&self.state.outbox, |outbox| &mut outbox.waiter, cx.waker());
            return Poll::Pending;
        }
        let count = bytes.len().min(room);
        outbox.pending.extend_from_slice(&bytes[..count]);
        if !mem::replace(&mut outbox.armed, true) {
            drop(outbox);
            if !self.state.fd.handle().shared().start(&self.key) {
                self.state.outbox.borrow_mut().fail(libc::ESHUTDOWN);
                return Poll::Ready(Err(proactor_gone()));
            }
        }
        Poll::Ready(Ok(count))
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
        if outbox.queued() == 0 {
            return Poll::Ready(Ok(()));
        }
        drop(outbox);
        keep(&self.state.outbox, |outbox| &mut outbox.waiter, cx.waker());
        Poll::Pending
    }

    /// Returns how many bytes the kernel has not taken.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.state.outbox.borrow().queued()
    }
}

impl Outbox {
    #[inline]
    fn queued(&self) -> usize {
        self.sending.len() - self.sent + self.pending.len()
    }

    /// Makes what was written the next thing to send. `false`: nothing was.
    #[inline]
    fn turn_over(&mut self) -> bool {
        if self.sent == self.sending.len() {
            if self.sending.capacity() > KEPT_BYTES {
                self.shrink();
            }
            self.sending.clear();
            self.sent = 0;
            mem::swap(&mut self.sending, &mut self.pending);
        }
        !self.sending.is_empty()
    }

    fn fail(&mut self, errno: i32) {
        self.error = Some(errno);
        self.sending = Vec::new();
        self.sent = 0;
        self.pending = Vec::new();
    }

    /// A send that sent nothing: again after an interruption or when everything on the descriptor
    /// was asked to end, which is not meant for what waits here; else the end of the queue.
    #[cold]
    fn failed(&mut self, cqe: Cqe, wakes: &mut Vec<Waker>) -> Flow {
        match cqe.errno() {
            libc::EINTR | libc::EAGAIN | libc::ECANCELED => return Flow::Again,
            // No bytes, and no reason either.
            0 => self.fail(libc::EIO),
            RETIRED => self.fail(libc::ESHUTDOWN),
            errno => self.fail(errno),
        }
        self.wake(wakes);
        self.armed = false;
        Flow::Rest
    }

    /// Wakes a writer that waits for room, or a flush.
    #[cold]
    fn wake(&mut self, wakes: &mut Vec<Waker>) {
        if self.queued() <= LOW_WATER_BYTES {
            wakes.extend(self.waiter.take());
        }
    }

    #[cold]
    fn shrink(&mut self) {
        self.sending = Vec::new();
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let waiter = self.state.outbox.borrow_mut().waiter.take();
        drop(waiter);
        drop(self.state.fd.handle().shared().release(&self.key, true));
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outbox = self.state.outbox.borrow();
        f.debug_struct("Sender")
            .field("fd", &self.state.fd)
            .field("queued_bytes", &outbox.queued())
            .field("error", &outbox.error)
            .finish()
    }
}

/// Counterpart: `io_uring_prep_send(3)`, until everything is sent.
struct SendAll {
    state: Rc<State>,
}

// SAFETY: N1, the entry names the counted descriptor and the heap memory of `sending`, which is
// changed only in the completion hook and in `prepare`, when no send is in flight.
unsafe impl Service for SendAll {
    const NAME: &'static str = "send";

    #[inline]
    fn prepare(&mut self, sqe: &mut Sqe) {
        let mut outbox = self.state.outbox.borrow_mut();
        outbox.turn_over();
        let rest = &outbox.sending[outbox.sent..];
        sqe.opcode = io_uring::opcode::Send::CODE;
        let target = self.state.fd.target();
        sqe.fd = target.number;
        sqe.flags |= target.flags;
        sqe.op_flags = SEND_FLAGS;
        sqe.set_memory(rest.as_ptr(), rest.len());
    }

    #[inline]
    fn on_completion(&mut self, cqe: Cqe, wakes: &mut Vec<Waker>) -> Flow {
        let mut outbox = self.state.outbox.borrow_mut();
        match u32::try_from(cqe.res) {
            Ok(count) if count > 0 => outbox.sent += count as usize,
            Ok(_) | Err(_) => return outbox.failed(cqe, wakes),
        }
        if outbox.waiter.is_some() {
            outbox.wake(wakes);
        }
        if outbox.turn_over() {
            return Flow::Again;
        }
        outbox.armed = false;
        Flow::Rest
    }
}

/// A writer waits above this much.
const HIGH_WATER_BYTES: usize = 128 * 1024;
/// A waiting writer goes on below this much.
const LOW_WATER_BYTES: usize = 32 * 1024;
/// An idle queue keeps two buffers of this size at most.
const KEPT_BYTES: usize = 32 * 1024;
/// All or an error, and no `SIGPIPE`.
const SEND_FLAGS: u32 = (libc::MSG_WAITALL | libc::MSG_NOSIGNAL).cast_unsigned();
