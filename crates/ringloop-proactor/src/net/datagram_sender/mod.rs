//! Sending datagrams: a bounded queue that goes out in order, with the turn's batch.

mod dispatch;
mod flushing;
mod letter;
mod outbox;
mod send;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::task::Waker;

use ringloop_core::WaitList;

use self::outbox::Outbox;
use self::send::SendDatagrams;
use crate::fd::Fd;
use crate::op::ServiceKey;
use crate::ops::address::SocketAddress;
use crate::ops::ancillary::Ancillary;
use crate::ring::Ring;

pub use dispatch::Dispatch;
pub use flushing::Flushing;

/// The send queue of one datagram socket.
///
/// A datagram that is sent is copied into the queue and goes out with the turn's batch, in order.
/// Any number of tasks may send; when the queue is full they wait, and are served in the order in
/// which they came. A dropped sender sends what it holds.
///
/// An error of the kernel is told once, by the next send or flush; the datagrams behind it go out.
///
/// # Examples
///
/// ```
/// use ringloop_proactor::{Config, DatagramSender, Proactor};
/// use std::net::UdpSocket;
///
/// let mut proactor = Proactor::new(&Config::default())?;
/// let far = UdpSocket::bind("127.0.0.1:0")?;
/// let near = proactor.handle().adopt(UdpSocket::bind("127.0.0.1:0")?);
/// let sender = DatagramSender::new(near);
/// let to = far.local_addr()?.into();
/// proactor.block_on(async {
///     sender.send(b"hello", Some(&to)).await?;
///     sender.flush().await
/// })??;
/// assert_eq!(far.recv(&mut [0; 16])?, 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DatagramSender {
    state: Rc<State>,
    key: ServiceKey,
}

/// What goes beside the bytes of a datagram.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Enclosed<'a> {
    /// The bytes are several datagrams, each so long, but for the last. Counterpart: `UDP_SEGMENT`.
    pub segment_bytes: Option<u16>,
    /// Descriptors for the receiver, on a unix socket. They are duplicated.
    pub descriptors: &'a [BorrowedFd<'a>],
}

impl Enclosed<'_> {
    /// Makes the ancillary data; `None` if there is nothing.
    #[cold]
    fn ancillary(self, fd: &Fd) -> io::Result<Ancillary> {
        let mut ancillary = Ancillary::new();
        if let Some(bytes) = self.segment_bytes {
            ancillary.push(libc::SOL_UDP, libc::UDP_SEGMENT, &bytes.to_ne_bytes())?;
        }
        if !self.descriptors.is_empty() {
            // Copies of our own, so that nobody waits for the last of them to be closed.
            let copies = self.descriptors.iter().map(|descriptor| {
                let copy = descriptor.try_clone_to_owned()?;
                Ok(fd.handle().adopt(copy))
            });
            ancillary.push_descriptors(&copies.collect::<io::Result<Vec<_>>>()?)?;
        }
        Ok(ancillary)
    }

    #[inline]
    fn is_empty(&self) -> bool {
        self.segment_bytes.is_none() && self.descriptors.is_empty()
    }
}

impl<'a> Enclosed<'a> {
    /// Encloses the length of the datagrams that the bytes are cut into.
    #[must_use]
    pub fn segments(segment_bytes: u16) -> Self {
        Self {
            segment_bytes: Some(segment_bytes),
            ..Self::default()
        }
    }

    /// Encloses descriptors.
    #[must_use]
    pub fn descriptors(descriptors: &'a [BorrowedFd<'a>]) -> Self {
        Self {
            descriptors,
            ..Self::default()
        }
    }
}

/// What a sender shares with its service.
struct State {
    fd: Fd,
    /// Whether calls can send, and not only the ring: it has a number, and the kernel knows it.
    sends_ahead: bool,
    outbox: RefCell<Outbox>,
    /// Those who wait for room.
    waiters: WaitList,
    /// One of them has been woken and has not come to send.
    granted: Cell<bool>,
    /// Those who wait for an empty queue.
    flushers: WaitList,
}

impl State {
    /// Calls the waiter that came first; the caller wakes it.
    fn grant(&self) -> Option<Waker> {
        if self.granted.get() {
            return None;
        }
        let next = self.waiters.take_one();
        self.granted.set(next.is_some());
        next
    }

    /// Calls the next waiter if there is room, or an error to tell.
    #[cold]
    fn call_next(&self) {
        let has_news = {
            let outbox = self.outbox.borrow();
            outbox.has_room(0) || outbox.has_error()
        };
        if has_news && let Some(next) = self.grant() {
            next.wake();
        }
    }
}

impl DatagramSender {
    /// Makes the send queue of a datagram socket: of UDP, or a unix socket.
    ///
    /// What is sent in a turn goes to the kernel together. When the socket's send buffer runs full in
    /// the middle of that, or the receiver's queue does, the rest waits, and the order stays.
    #[must_use]
    pub fn new(fd: Fd) -> Self {
        let shared = fd.handle().shared();
        let is_kernel = shared.with_queue(|queue| matches!(queue.ring, Some(Ring::Kernel(_))));
        let state = Rc::new(State {
            sends_ahead: is_kernel && fd.plain().is_some(),
            fd,
            outbox: RefCell::default(),
            waiters: WaitList::new(),
            granted: Cell::new(false),
            flushers: WaitList::new(),
        });
        let service = SendDatagrams {
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

    /// Takes a place in the line of those who send.
    pub fn dispatch(&self) -> Dispatch<'_> {
        Dispatch {
            sender: self,
            key: None,
        }
    }

    /// Begins a wait for the kernel to take everything that was queued.
    pub fn flushing(&self) -> Flushing<'_> {
        Flushing {
            sender: self,
            key: None,
        }
    }

    /// Queues a datagram to an address, or to that which the socket is connected to, and waits only
    /// while the queue is full.
    ///
    /// # Errors
    ///
    /// As `sendmsg(2)`, of an earlier datagram: then this one is not sent.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped before it completes, it had no effect.
    pub async fn send(&self, bytes: &[u8], to: Option<&SocketAddress>) -> io::Result<usize> {
        let mut dispatch = self.dispatch();
        std::future::poll_fn(|cx| dispatch.poll_send(cx, bytes, to, Enclosed::default())).await
    }

    /// Waits until the kernel has taken everything that was queued.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped before it completes, it had no effect.
    pub async fn flush(&self) -> io::Result<()> {
        let mut flushing = self.flushing();
        std::future::poll_fn(|cx| flushing.poll_flush(cx)).await
    }

    /// Returns how many bytes the kernel has not taken.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.state.outbox.borrow().queued_bytes()
    }

    /// Sees to it that what is queued goes out. `false`: the proactor is gone, and so is what was
    /// queued.
    #[inline]
    fn arm(&self) -> bool {
        let is_started = self.state.fd.handle().shared().start(&self.key);
        if !is_started {
            let letters = self.state.outbox.borrow_mut().retire();
            drop(letters);
        }
        is_started
    }
}

impl Drop for DatagramSender {
    fn drop(&mut self) {
        drop(self.state.fd.handle().shared().release(&self.key, true));
    }
}

impl fmt::Debug for DatagramSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outbox = self.state.outbox.borrow();
        f.debug_struct("DatagramSender")
            .field("fd", &self.state.fd)
            .field("queued_bytes", &outbox.queued_bytes())
            .finish()
    }
}
