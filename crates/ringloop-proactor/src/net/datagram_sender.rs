//! Sending datagrams: a bounded queue that goes out in order, with the turn's batch.

use std::fmt;
use std::io;
use std::mem;
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::task::{Context, Poll};

use ringloop_core::WaitKey;

use super::datagram_outbox::{IP_BATCH_MAX, Letter, SendDatagrams, State, UNIX_BATCH_MAX};
use super::proactor_gone;
use crate::fd::Fd;
use crate::op::ServiceKey;
use crate::ops::address::SocketAddress;
use crate::ops::ancillary::Ancillary;

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
/// let sender = DatagramSender::ip(near);
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

impl DatagramSender {
    /// Makes the send queue of a UDP socket.
    ///
    /// What is sent in a turn goes to the kernel together. If the socket's send buffer runs full in
    /// the middle of that, what fits goes before what does not.
    #[must_use]
    pub fn ip(fd: Fd) -> Self {
        Self::on(State::new(fd, IP_BATCH_MAX))
    }

    /// Makes the send queue of a unix datagram socket.
    #[must_use]
    pub fn unix(fd: Fd) -> Self {
        Self::on(State::new(fd, UNIX_BATCH_MAX))
    }

    fn on(state: State) -> Self {
        let state = Rc::new(state);
        let service = SendDatagrams::new(Rc::clone(&state));
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
            flush: None,
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
        let mut dispatch = self.dispatch();
        std::future::poll_fn(|cx| dispatch.poll_flush(cx)).await
    }

    /// Returns how many bytes the kernel has not taken.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.state.outbox.borrow().queued_bytes()
    }

    /// Queues a datagram that there is room for.
    #[inline]
    fn queue(&self, bytes: &[u8], letter: Letter) -> io::Result<usize> {
        let mut outbox = self.state.outbox.borrow_mut();
        outbox.push(bytes, letter);
        if !mem::replace(&mut outbox.armed, true) {
            drop(outbox);
            if !self.state.fd.handle().shared().start(&self.key) {
                let letters = {
                    let mut outbox = self.state.outbox.borrow_mut();
                    outbox.armed = false;
                    outbox.clear()
                };
                drop(letters);
                return Err(proactor_gone());
            }
        }
        Ok(bytes.len())
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

/// A place in the line of those who send. Dropping it gives the place up.
#[must_use = "a place in the line is of use to who waits"]
pub struct Dispatch<'a> {
    sender: &'a DatagramSender,
    key: Option<WaitKey>,
    flush: Option<WaitKey>,
}

impl Dispatch<'_> {
    /// Queues a datagram, or wakes the task when there is room for it.
    ///
    /// # Errors
    ///
    /// As [`DatagramSender::send`].
    #[inline]
    pub fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        to: Option<&SocketAddress>,
        enclosed: Enclosed<'_>,
    ) -> Poll<io::Result<usize>> {
        let state = &self.sender.state;
        let is_my_turn = match &self.key {
            None => state.waiters.is_empty() && !state.granted.get(),
            Some(key) => !state.waiters.update(key, cx.waker()),
        };
        if is_my_turn {
            if let Some(key) = self.key.take() {
                state.waiters.remove(key);
                state.granted.set(false);
            }
            let result = self.try_send(bytes, to, enclosed);
            if let Some(result) = result {
                if !state.waiters.is_empty() {
                    state.call_next();
                }
                return Poll::Ready(result);
            }
        }
        if self.key.is_none() {
            self.key = Some(state.waiters.push(cx.waker()));
        }
        Poll::Pending
    }

    /// `None`: there is no room.
    #[inline]
    fn try_send(
        &self,
        bytes: &[u8],
        to: Option<&SocketAddress>,
        enclosed: Enclosed<'_>,
    ) -> Option<io::Result<usize>> {
        let state = &self.sender.state;
        let mut outbox = state.outbox.borrow_mut();
        if let Some(error) = outbox.take_error() {
            return Some(Err(error));
        }
        if !outbox.has_room(bytes.len()) {
            return None;
        }
        drop(outbox);
        let ancillary = if enclosed.is_empty() {
            None
        } else {
            match enclosed.ancillary(&state.fd) {
                Ok(ancillary) => Some(ancillary),
                Err(error) => return Some(Err(error)),
            }
        };
        let letter = Letter::new(bytes.len(), to.cloned(), ancillary);
        Some(self.sender.queue(bytes, letter))
    }

    /// Tells whether everything has been sent, or wakes the task when it has.
    ///
    /// # Errors
    ///
    /// As [`DatagramSender::send`].
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let state = &self.sender.state;
        let mut outbox = state.outbox.borrow_mut();
        let error = outbox.take_error();
        let is_empty = outbox.queued() == 0;
        drop(outbox);
        if let Some(error) = error {
            return Poll::Ready(Err(error));
        }
        if is_empty {
            return Poll::Ready(Ok(()));
        }
        let waits = self
            .flush
            .as_ref()
            .is_some_and(|key| state.flushers.update(key, cx.waker()));
        if !waits {
            let key = state.flushers.push(cx.waker());
            if let Some(old) = self.flush.replace(key) {
                state.flushers.remove(old);
            }
        }
        Poll::Pending
    }
}

/// A sender that was called and sends nothing passes the call on.
impl Drop for Dispatch<'_> {
    fn drop(&mut self) {
        let state = &self.sender.state;
        if let Some(key) = self.flush.take() {
            state.flushers.remove(key);
        }
        let Some(key) = self.key.take() else { return };
        if !state.waiters.remove(key) {
            state.granted.set(false);
            state.call_next();
        }
    }
}

impl fmt::Debug for Dispatch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispatch")
            .field("sender", self.sender)
            .finish_non_exhaustive()
    }
}
