//! What a receiver of datagrams shares with its service.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;

use ringloop_core::WaitList;

use super::inbox::{Inbox, Piece};
use super::options::dropped_by_kernel;
use crate::buf::BufPool;
use crate::fd::Fd;
use crate::net::datagram::{Envelope, Layout};
use crate::ops::ancillary::Ancillary;
use crate::shared::DatagramPool;

/// What the receive queue of a datagram socket has done and holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DatagramReceiverStats {
    /// Messages that have come in. Datagrams that the kernel has put together count as one.
    pub received: u64,
    /// Messages that nobody has taken.
    pub queued: usize,
    /// Their bytes.
    pub queued_bytes: usize,
    /// How often the queue was full, and datagrams were left in the socket.
    pub stops: u64,
    /// Datagrams that the kernel has dropped because the socket was full, or their checksum wrong.
    pub dropped_by_kernel: u32,
}

pub(super) struct State {
    pub(super) fd: Fd,
    /// `None` if the kernel takes no provided buffers: then each receive has its own.
    pub(super) pool: Option<Rc<BufPool>>,
    pub(super) layout: Layout,
    /// So many messages are enough, however small they are: each holds a whole buffer.
    pub(super) pieces_max: usize,
    pub(super) buffer_bytes: usize,
    is_unix: bool,
    pub(super) inbox: RefCell<Inbox>,
    pub(super) waiters: WaitList,
    /// Waiters that have been woken for a message and have not come to take it.
    pub(super) granted: Cell<usize>,
}

impl State {
    pub(super) fn ip(fd: Fd) -> Self {
        Self::new(fd, IP_LAYOUT, DatagramPool::Ip)
    }

    pub(super) fn unix(fd: Fd, descriptors_max: usize) -> Self {
        let descriptors = match descriptors_max {
            0 => 0,
            count => Ancillary::room_for_descriptors(count.min(DESCRIPTORS_MAX)),
        };
        let layout = Layout {
            name_room: UNIX_NAME_ROOM,
            control_room: CREDENTIALS_ROOM + descriptors,
        };
        Self::new(fd, layout, DatagramPool::Unix)
    }

    fn new(fd: Fd, layout: Layout, kind: DatagramPool) -> Self {
        let shared = fd.handle().shared();
        let pool = shared.datagram_pool(kind, fd.handle().downgrade());
        let pieces_max = pool.as_ref().map_or(1, |pool| usize::from(pool.max() / 4));
        Self {
            pool,
            layout,
            pieces_max: pieces_max.max(1),
            buffer_bytes: kind.buffer_bytes(),
            is_unix: matches!(kind, DatagramPool::Unix),
            inbox: RefCell::default(),
            waiters: WaitList::new(),
            granted: Cell::new(0),
            fd,
        }
    }

    pub(super) fn stats(&self) -> DatagramReceiverStats {
        let mut stats = self.inbox.borrow().stats();
        stats.dropped_by_kernel = self.fd.plain().map_or(0, dropped_by_kernel);
        stats
    }

    #[inline]
    pub(super) fn lender(&self) -> &Rc<BufPool> {
        self.pool.as_ref().expect("lent bytes come from a pool")
    }

    /// A message, taken apart.
    #[inline]
    pub(super) fn open<'a>(&'a self, piece: &'a Piece) -> Envelope<'a> {
        let buffer = match piece {
            Piece::Lent(lent) => self.lender().bytes(lent),
            Piece::Own(bytes) => bytes,
            Piece::Failed(_) => unreachable!("errors have no bytes"),
        };
        if self.is_unix {
            return self.layout.open(buffer);
        }
        // Mostly there is nothing to be computed.
        IP_LAYOUT.open(buffer)
    }

    /// Calls the waiter that came first; the caller wakes it.
    #[inline]
    pub(super) fn grant(&self) -> Option<Waker> {
        if self.waiters.is_empty() {
            return None;
        }
        let next = self.waiters.take_one();
        self.granted
            .set(self.granted.get() + usize::from(next.is_some()));
        next
    }

    /// Calls the next waiter if there is a message for it.
    pub(super) fn call_next(&self) {
        if self.inbox.borrow().count() > self.granted.get()
            && let Some(next) = self.grant()
        {
            next.wake();
        }
    }

    #[cold]
    pub(super) fn wake_all(&self) {
        while let Some(waiter) = self.grant() {
            waiter.wake();
        }
    }

    /// Whether there is something, or nothing to wait behind, for one who comes new.
    #[inline]
    pub(super) fn has_surplus(&self) -> bool {
        let granted = self.granted.get();
        granted == 0 || self.inbox.borrow().count() > granted
    }

    /// Gives the buffer of a message back that has been taken, or that nobody will take.
    #[inline]
    pub(super) fn give_back(&self, piece: Piece) {
        if self.is_unix {
            self.close_descriptors(&piece);
        }
        if let Piece::Lent(lent) = piece {
            self.lender().give_back(lent);
        }
    }

    fn close_descriptors(&self, piece: &Piece) {
        if !matches!(piece, Piece::Failed(_)) {
            drop(self.open(piece).ancillary());
        }
    }

    /// The receiver goes.
    pub(super) fn close(&self) {
        let pieces = self.inbox.borrow_mut().close();
        for piece in pieces {
            self.give_back(piece);
        }
    }
}

/// Room for a `struct sockaddr_in6`, rounded up; for the length of coalesced datagrams, and what a
/// socket made elsewhere may ask for.
const IP_LAYOUT: Layout = Layout {
    name_room: 32,
    control_room: 128,
};
/// `struct sockaddr_un`, rounded up.
const UNIX_NAME_ROOM: usize = 112;
/// Credentials, and the descriptor of a process.
const CREDENTIALS_ROOM: usize = Ancillary::room_for(12) + Ancillary::room_for(4);
/// `SCM_MAX_FD`.
const DESCRIPTORS_MAX: usize = 253;
