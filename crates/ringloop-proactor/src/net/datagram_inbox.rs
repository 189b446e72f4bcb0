//! What a datagram socket has received and nobody has taken, and the service that fills it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::mem;
use std::rc::Rc;
use std::task::Waker;

use ringloop_core::WaitList;

use super::datagram::{DatagramNote, HEADER, Layout};
use crate::buf::{BufPool, Lent};
use crate::fd::Fd;
use crate::op::{Flow, RETIRED, Service};
use crate::ops::ancillary::Ancillary;
use crate::ops::header::MsgHeader;
use crate::ring::{BUFFER_SELECT, Cqe, Sqe};
use crate::shared::DatagramPool;
use crate::wakes::Wakes;

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

/// What a receiver shares with its service.
pub(super) struct State {
    pub(super) fd: Fd,
    /// `None` if the kernel takes no provided buffers: then each receive has its own.
    pool: Option<Rc<BufPool>>,
    pub(super) layout: Layout,
    /// So many messages are enough, however small they are: each holds a whole buffer.
    pieces_max: usize,
    buffer_bytes: usize,
    is_unix: bool,
    pub(super) inbox: RefCell<Inbox>,
    pub(super) waiters: WaitList,
    /// Waiters that have been woken for a message and have not come to take it.
    pub(super) granted: Cell<usize>,
}

#[derive(Default)]
pub(super) struct Inbox {
    /// The message to be taken next, and those behind it: mostly there is one at a time.
    front: Option<Piece>,
    behind: VecDeque<Piece>,
    /// How much of the bytes at the front has been taken: of several datagrams that the kernel has
    /// put together, the first ones.
    cursor: usize,
    queued_bytes: usize,
    received: u64,
    stops: u64,
    /// The buffer of a receive without a provided one. The kernel's while `armed`.
    own: Option<Box<[u8]>>,
    pub(super) armed: bool,
    stopping: bool,
    /// The receiver is gone: what still arrives is given back.
    closed: bool,
}

pub(super) enum Piece {
    Lent(Lent),
    Own(Box<[u8]>),
    /// An error, in its place between the datagrams.
    Failed(i32),
}

impl State {
    pub(super) fn ip(fd: Fd) -> Self {
        let layout = Layout {
            name_room: IP_NAME_ROOM,
            control_room: IP_CONTROL_ROOM,
        };
        Self::new(fd, layout, DatagramPool::Ip)
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
        let inbox = self.inbox.borrow();
        DatagramReceiverStats {
            received: inbox.received,
            queued: inbox.count(),
            queued_bytes: inbox.queued_bytes,
            stops: inbox.stops,
            dropped_by_kernel: self
                .fd
                .plain()
                .map_or(0, super::datagram_options::dropped_by_kernel),
        }
    }

    #[inline]
    pub(super) fn lender(&self) -> &Rc<BufPool> {
        self.pool.as_ref().expect("lent bytes come from a pool")
    }

    /// The whole buffer of a message.
    #[inline]
    pub(super) fn buffer<'a>(&'a self, piece: &'a Piece) -> &'a [u8] {
        match piece {
            Piece::Lent(lent) => self.lender().bytes(lent),
            Piece::Own(bytes) => bytes,
            Piece::Failed(_) => unreachable!("errors have no bytes"),
        }
    }

    /// Calls the waiter that came first; the caller wakes it.
    #[inline]
    fn grant(&self) -> Option<Waker> {
        let next = self.waiters.take_one();
        let granted = self.granted.get();
        self.granted.set(granted + usize::from(next.is_some()));
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
    fn give_back(&self, piece: Piece) {
        if self.is_unix {
            self.close_descriptors(&piece);
        }
        if let Piece::Lent(lent) = piece {
            self.lender().give_back(lent);
        }
    }

    #[cold]
    fn close_descriptors(&self, piece: &Piece) {
        if !matches!(piece, Piece::Failed(_)) {
            drop(self.layout.open(self.buffer(piece)).ancillary());
        }
    }

    /// The receiver goes.
    pub(super) fn close(&self) {
        let mut inbox = self.inbox.borrow_mut();
        inbox.closed = true;
        let front = inbox.front.take();
        let behind = mem::take(&mut inbox.behind);
        drop(inbox);
        for piece in front.into_iter().chain(behind) {
            self.give_back(piece);
        }
    }
}

impl Inbox {
    #[inline]
    fn count(&self) -> usize {
        usize::from(self.front.is_some()) + self.behind.len()
    }

    fn is_full(&self, state: &State) -> bool {
        self.queued_bytes >= HIGH_WATER_BYTES || self.count() >= state.pieces_max
    }

    /// Whether nothing is being received although there is room again.
    #[inline]
    pub(super) fn is_low(&self, state: &State) -> bool {
        !self.armed
            && self.queued_bytes <= HIGH_WATER_BYTES / 2
            && self.count() <= state.pieces_max / 2
    }

    #[inline]
    pub(super) fn has_datagram(&self) -> bool {
        matches!(self.front, Some(Piece::Lent(_) | Piece::Own(_)))
    }

    pub(super) fn pop_error(&mut self) -> Option<i32> {
        match self.front {
            Some(Piece::Failed(errno)) => {
                self.front = self.behind.pop_front();
                Some(errno)
            }
            Some(Piece::Lent(_) | Piece::Own(_)) | None => None,
        }
    }

    /// Takes the message at the front out, and tells how much of it has been taken before.
    pub(super) fn pop(&mut self) -> (Piece, usize) {
        let piece = self.front.take().expect("somebody has looked");
        if !self.behind.is_empty() {
            self.front = self.behind.pop_front();
        }
        (piece, mem::take(&mut self.cursor))
    }

    /// Counts bytes out that have been taken.
    pub(super) fn took(&mut self, bytes: usize) {
        self.queued_bytes -= bytes;
    }

    /// Copies the datagram at the front, and may take it out.
    #[inline]
    pub(super) fn copy_out(&mut self, state: &State, buf: &mut [u8], takes: bool) -> DatagramNote {
        let piece = self.front.as_ref().expect("somebody has looked");
        let envelope = state.layout.open(state.buffer(piece));
        let rest = &envelope.bytes[self.cursor..];
        let one = match envelope.segment_bytes() {
            Some(segment) if segment < rest.len() => &rest[..segment],
            Some(_) | None => rest,
        };
        let count = one.len().min(buf.len());
        buf[..count].copy_from_slice(&one[..count]);
        let note = DatagramNote {
            count,
            peer: envelope.peer(),
            is_truncated: count < one.len() || envelope.is_truncated(),
        };
        if takes {
            let (taken, is_last) = (one.len(), one.len() == rest.len());
            if is_last {
                let (piece, _) = self.pop();
                state.give_back(piece);
            } else {
                self.cursor += taken;
            }
            self.queued_bytes -= taken;
        }
        note
    }

    #[inline]
    fn push(&mut self, piece: Piece) {
        if self.front.is_none() {
            self.front = Some(piece);
        } else {
            self.behind.push_back(piece);
        }
    }
}

/// Counterparts: `io_uring_prep_recvmsg_multishot(3)`, and `io_uring_prep_recvmsg(3)` into a buffer
/// of its own while no provided buffer is free.
pub(super) struct RecvDatagrams {
    state: Rc<State>,
    /// Says how much room the address and the ancillary data have; of a receive into a buffer of
    /// its own, also what came.
    header: MsgHeader,
    /// Where the bytes go then: `struct iovec`.
    room: [usize; 2],
}

impl RecvDatagrams {
    pub(super) fn new(state: Rc<State>) -> Self {
        Self {
            state,
            header: MsgHeader::default(),
            room: [0; 2],
        }
    }

    /// Names a buffer of its own, laid out as the provided ones.
    #[cold]
    fn name_own(&mut self) {
        let Layout {
            name_room,
            control_room,
        } = self.state.layout;
        let mut inbox = self.state.inbox.borrow_mut();
        let len = self.state.buffer_bytes;
        let own = inbox
            .own
            .get_or_insert_with(|| vec![0; len].into_boxed_slice());
        let start = own.as_mut_ptr().expose_provenance();
        let prefix = self.state.layout.prefix();
        self.room = [start + prefix, len - prefix];
        self.header = MsgHeader {
            name: start + HEADER,
            name_len: u32::try_from(name_room).expect("an address is short"),
            buffers: self.room.as_ptr().expose_provenance(),
            buffers_count: 1,
            control: start + HEADER + name_room,
            control_len: control_room,
            flags: 0,
        };
    }

    /// What a receive without a provided buffer brought. The buffer stays for the next one.
    #[cold]
    fn own_piece(&self, inbox: &mut Inbox, count: u32) -> Piece {
        let MsgHeader {
            name_len,
            control_len,
            flags,
            ..
        } = self.header;
        let own = inbox.own.as_mut().expect("N1: bytes arrive in a buffer");
        let control_len = u32::try_from(control_len).unwrap_or(0);
        Layout::write_header(own, name_len, control_len, flags);
        let end = self.state.layout.prefix() + count as usize;
        Piece::Own(own[..end].into())
    }

    /// A completion without a message: why the receive has ended.
    #[cold]
    fn failed(&self, inbox: &mut Inbox, cqe: Cqe, wakes: &mut Wakes) -> Flow {
        let waits = !self.state.waiters.is_empty();
        match cqe.errno() {
            RETIRED => {
                while let Some(waiter) = self.state.grant() {
                    wakes.push(waiter);
                }
                Flow::Rest
            }
            libc::EINTR | libc::EAGAIN => inbox.again(true),
            // The buffers are used up, and perhaps there can be more.
            libc::ENOBUFS if self.state.pool.as_ref().is_some_and(|pool| pool.refill()) => {
                inbox.again(!inbox.closed && !inbox.is_full(&self.state))
            }
            // There are no more buffers, or we asked for the end.
            libc::ENOBUFS | libc::ECANCELED => inbox.again(waits && !inbox.is_full(&self.state)),
            _ if inbox.closed => Flow::Rest,
            errno => {
                inbox.push(Piece::Failed(errno));
                wakes.extend(self.state.grant());
                // What fails for good would fail in circles: only with an empty queue, and for
                // those who wait, it is tried again.
                inbox.again(!self.state.waiters.is_empty())
            }
        }
    }
}

impl Inbox {
    /// After the last completion: whether to receive again.
    fn again(&mut self, wants: bool) -> Flow {
        self.armed = wants;
        if wants { Flow::Again } else { Flow::Rest }
    }
}

// SAFETY: N1, the entry names the counted descriptor and the header in the service itself, which
// does not move (I2); that one names either no memory (the kernel picks a buffer of the pool) or
// the array beside it and the `own` buffer on the heap, which is left alone while `armed`.
unsafe impl Service for RecvDatagrams {
    const NAME: &'static str = "recvmsg multishot";

    fn prepare(&mut self, sqe: &mut Sqe) {
        let pool = self.state.pool.as_ref().filter(|pool| pool.refill());
        let group = pool.map(|pool| pool.group());
        let entry = Sqe {
            // Without waiting for readiness first, an empty pool would be an answer at once.
            ioprio: POLL_FIRST,
            op_flags: libc::MSG_CMSG_CLOEXEC.cast_unsigned(),
            ..Sqe::on(io_uring::opcode::RecvMsg::CODE, &self.state.fd)
        };
        match group {
            Some(group) => {
                let Layout {
                    name_room,
                    control_room,
                } = self.state.layout;
                self.header = MsgHeader {
                    name_len: u32::try_from(name_room).expect("an address is short"),
                    control_len: control_room,
                    ..MsgHeader::default()
                };
                *sqe = self.header.named_in(Sqe {
                    ioprio: RECV_MULTISHOT | POLL_FIRST,
                    flags: entry.flags | BUFFER_SELECT,
                    buffer: group,
                    ..entry
                });
            }
            None => {
                self.name_own();
                *sqe = self.header.named_in(entry);
            }
        }
    }

    #[inline]
    fn on_completion(&mut self, cqe: Cqe, wakes: &mut Wakes) -> Flow {
        let state = &self.state;
        let mut inbox = state.inbox.borrow_mut();
        let is_last = cqe.is_last();
        if is_last {
            inbox.armed = false;
            inbox.stopping = false;
        }
        let Ok(filled) = u32::try_from(cqe.res) else {
            return self.failed(&mut inbox, cqe, wakes);
        };
        let (piece, bytes) = match cqe.buffer_id() {
            Some(id) => {
                let bytes = (filled as usize).checked_sub(state.layout.prefix());
                let bytes = bytes.expect("the kernel writes the whole prefix");
                (Piece::Lent(state.lender().lend(id, filled)), bytes)
            }
            None => (self.own_piece(&mut inbox, filled), filled as usize),
        };
        if inbox.closed {
            state.give_back(piece);
            return Flow::Rest;
        }
        inbox.push(piece);
        inbox.queued_bytes += bytes;
        inbox.received += 1;
        wakes.extend(state.grant());
        let is_full = inbox.is_full(state);
        if is_last {
            // An empty datagram ends a multishot, and so does a full completion queue.
            return inbox.again(!is_full);
        }
        if is_full && !inbox.stopping {
            inbox.stopping = true;
            inbox.stops += 1;
            return Flow::Stop;
        }
        Flow::Rest
    }
}

/// Past this many bytes, datagrams wait in the socket.
const HIGH_WATER_BYTES: usize = 256 * 1024;
/// `struct sockaddr_in6`, rounded up.
const IP_NAME_ROOM: usize = 32;
/// The length of coalesced datagrams, and what a socket made elsewhere may ask for.
const IP_CONTROL_ROOM: usize = 128;
/// `struct sockaddr_un`, rounded up.
const UNIX_NAME_ROOM: usize = 112;
/// Credentials, and the descriptor of a process.
const CREDENTIALS_ROOM: usize = Ancillary::room_for(12) + Ancillary::room_for(4);
/// `SCM_MAX_FD`.
const DESCRIPTORS_MAX: usize = 253;
/// `IORING_RECVSEND_POLL_FIRST`.
const POLL_FIRST: u16 = 1 << 0;
/// `IORING_RECV_MULTISHOT`.
const RECV_MULTISHOT: u16 = 1 << 1;
