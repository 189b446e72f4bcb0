//! Receiving datagrams: one multishot receive into provided buffers, and a bounded queue.

mod arrival;
mod inbox;
mod options;
mod recv;
mod state;
mod stop;

use std::fmt;
use std::io;
use std::mem;
use std::rc::Rc;

use self::inbox::Piece;
use self::options::set_gro;
use self::recv::RecvDatagrams;
use self::state::State;
use super::datagram::{Datagram, DatagramNote};
use crate::buf::Chunk;
use crate::fd::Fd;
use crate::op::ServiceKey;

pub use arrival::Arrival;
pub use state::DatagramReceiverStats;

/// The receive queue of one datagram socket.
///
/// Datagrams that arrive belong to the queue, and keep their borders and their order: a wait that is
/// dropped loses none. Any number of tasks may wait; they are served in the order in which they
/// came. The queue is bounded. While it is full, datagrams wait in the socket, which drops what
/// does not fit there, as always ([`stats`](Self::stats) counts them).
///
/// An error of the socket, as an ICMP message brings it, is told once, in its place between the
/// datagrams, and is not the end.
///
/// # Examples
///
/// ```
/// use ringloop_proactor::{Config, DatagramReceiver, Proactor};
/// use std::net::UdpSocket;
///
/// let mut proactor = Proactor::new(&Config::default())?;
/// let near = UdpSocket::bind("127.0.0.1:0")?;
/// let far = UdpSocket::bind("127.0.0.1:0")?;
/// far.send_to(b"hello", near.local_addr()?)?;
/// let receiver = DatagramReceiver::ip(proactor.handle().adopt(near));
/// let mut buf = [0; 16];
/// let note = proactor.block_on(receiver.recv(&mut buf))??;
/// assert_eq!(&buf[..note.count], b"hello");
/// assert_eq!(note.peer.and_then(|peer| peer.as_ip()), Some(far.local_addr()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DatagramReceiver {
    state: Rc<State>,
    key: ServiceKey,
}

impl DatagramReceiver {
    /// Makes the receive queue of a UDP socket. Nothing is received before the first wait.
    #[must_use]
    pub fn ip(fd: Fd) -> Self {
        Self::on(State::ip(fd))
    }

    /// Makes the receive queue of a unix datagram socket, with room for so many descriptors with
    /// each datagram, and for credentials. Nothing is received before the first wait.
    ///
    /// Descriptors that there is no room for are closed by the kernel.
    #[must_use]
    pub fn unix(fd: Fd, descriptors_max: usize) -> Self {
        Self::on(State::unix(fd, descriptors_max))
    }

    fn on(state: State) -> Self {
        let state = Rc::new(state);
        let service = RecvDatagrams::new(Rc::clone(&state));
        let key = state.fd.handle().shared().insert_service(service);
        Self { state, key }
    }

    /// Returns the socket.
    #[must_use]
    pub fn fd(&self) -> &Fd {
        &self.state.fd
    }

    /// Returns what has come and what waits.
    #[must_use]
    pub fn stats(&self) -> DatagramReceiverStats {
        self.state.stats()
    }

    /// Lets the kernel put datagrams of one sender together into one message, or not.
    ///
    /// [`recv`](Self::recv) cuts them apart again; [`Datagram::segment_bytes`] tells where.
    /// Counterpart: `UDP_GRO` of `udp(7)`.
    ///
    /// # Errors
    ///
    /// As `setsockopt(2)`; `Unsupported` for a direct descriptor.
    #[doc(alias = "UDP_GRO")]
    pub fn set_gro(&self, coalesces: bool) -> io::Result<()> {
        let socket = self.state.fd.plain();
        set_gro(socket.ok_or(io::ErrorKind::Unsupported)?, coalesces)
    }

    /// Takes a place in the line of those who wait for a datagram.
    pub fn arrival(&self) -> Arrival<'_> {
        Arrival {
            receiver: self,
            key: None,
        }
    }

    /// Copies the next datagram into `buf`. What does not fit is gone, which the note tells.
    ///
    /// # Errors
    ///
    /// As `recvmsg(2)`.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a datagram that arrives after the future was dropped waits for the next one.
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<DatagramNote> {
        let mut arrival = self.arrival();
        std::future::poll_fn(|cx| arrival.poll_recv(cx, buf)).await
    }

    /// Lends the next datagram without a copy.
    ///
    /// # Errors
    ///
    /// As [`recv`](Self::recv).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a datagram that arrives after the future was dropped waits for the next one.
    pub async fn recv_datagram(&self) -> io::Result<Datagram> {
        let mut arrival = self.arrival();
        std::future::poll_fn(|cx| arrival.poll_datagram(cx)).await
    }

    /// Takes the datagram at the front, which is there.
    fn take(&self) -> Datagram {
        let state = &self.state;
        let (piece, note, segment_bytes, ancillary, start) = {
            let mut inbox = state.inbox.borrow_mut();
            let (piece, cursor) = inbox.pop();
            let envelope = state.open(&piece);
            let segment_bytes = envelope.segment_bytes();
            let rest = envelope.bytes.len() - cursor;
            let note = DatagramNote {
                count: rest,
                peer: envelope.peer(),
                is_truncated: envelope.is_truncated(),
            };
            let ancillary = envelope.ancillary();
            let start = state.layout.prefix() + cursor;
            let segment_bytes = segment_bytes.filter(|&bytes| bytes < rest);
            inbox.took(rest);
            (piece, note, segment_bytes, ancillary, start)
        };
        let mut bytes = match piece {
            Piece::Lent(lent) => Chunk::lent(Rc::clone(state.lender()), lent),
            Piece::Own(bytes) => {
                let end = bytes.len();
                Chunk::own(bytes, 0, end)
            }
            Piece::Failed(_) => unreachable!("errors have been told"),
        };
        bytes.advance(start);
        Datagram {
            bytes,
            note,
            segment_bytes,
            ancillary,
        }
    }

    /// After a look at the queue: goes on receiving, and calls the next of those who wait.
    #[inline]
    fn went_on(&self) {
        let state = &self.state;
        let is_low = state.inbox.borrow().is_low(state);
        if is_low && !self.arm() {
            state.wake_all();
            return;
        }
        if !state.waiters.is_empty() {
            state.call_next();
        }
    }

    /// Sees to it that datagrams are received. `false`: the proactor is gone.
    fn arm(&self) -> bool {
        let mut inbox = self.state.inbox.borrow_mut();
        inbox.halted = false;
        if mem::replace(&mut inbox.armed, true) {
            return true;
        }
        drop(inbox);
        let is_started = self.state.fd.handle().shared().start(&self.key);
        self.state.inbox.borrow_mut().armed = is_started;
        is_started
    }
}

impl Drop for DatagramReceiver {
    fn drop(&mut self) {
        self.state.close();
        drop(self.state.fd.handle().shared().release(&self.key, false));
    }
}

impl fmt::Debug for DatagramReceiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatagramReceiver")
            .field("fd", &self.state.fd)
            .field("stats", &self.stats())
            .finish()
    }
}
