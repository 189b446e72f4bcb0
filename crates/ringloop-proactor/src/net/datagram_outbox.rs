//! Datagrams that are to be sent, and the service that sends them.

use std::cell::{Cell, RefCell};
use std::io;
use std::mem;
use std::rc::Rc;
use std::task::Waker;

use ringloop_core::WaitList;

use crate::fd::Fd;
use crate::op::{BATCH_MAX, Flow, RETIRED, Service};
use crate::ops::address::SocketAddress;
use crate::ops::ancillary::Ancillary;
use crate::ops::header::MsgHeader;
use crate::ops::stream::address_len;
use crate::queue::Queue;
use crate::ring::{Cqe, IO_LINK, Ring, Sqe};
use crate::wakes::Wakes;

/// What a sender shares with its service.
pub(super) struct State {
    pub(super) fd: Fd,
    pub(super) outbox: RefCell<Outbox>,
    /// How many datagrams go to the kernel at a time.
    batch_max: usize,
    /// Those who wait for room.
    pub(super) waiters: WaitList,
    /// One of them has been woken and has not come to send.
    pub(super) granted: Cell<bool>,
    /// Those who wait for an empty queue.
    pub(super) flushers: WaitList,
}

#[derive(Default)]
pub(super) struct Outbox {
    /// What the kernel is sending, from the letter `sent` on. Not touched while `armed`.
    sending: Batch,
    sent: usize,
    /// What was written since.
    pending: Batch,
    queued_bytes: usize,
    error: Option<i32>,
    /// How many letters the kernel has, from `sent` on.
    batch: usize,
    /// How many of them have been prepared.
    prepared: usize,
    /// One of them has failed.
    has_failed: bool,
    /// The socket was full: the next letter goes alone, and waits.
    is_careful: bool,
    /// The service is staged or in flight.
    pub(super) armed: bool,
}

/// Datagrams one behind the other.
#[derive(Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    letters: Vec<Letter>,
}

/// Where a datagram is, where it goes, and what goes beside it.
pub(super) struct Letter {
    start: usize,
    len: usize,
    to: Option<SocketAddress>,
    enclosure: Option<Box<Enclosure>>,
    /// Why it was not sent; zero otherwise.
    errno: i32,
    /// It has failed once, with an error that was not its own.
    was_retried: bool,
}

/// What describes a datagram with ancillary data to the kernel.
struct Enclosure {
    ancillary: Ancillary,
    header: MsgHeader,
    /// `struct iovec`.
    bytes: [usize; 2],
}

impl State {
    pub(super) fn new(fd: Fd, batch_max: usize) -> Self {
        let capacity = |queue: &mut Queue| queue.ring.as_ref().map_or(1, Ring::capacity);
        let capacity = fd.handle().shared().with_queue(capacity);
        Self {
            fd,
            batch_max: batch_max.clamp(1, capacity),
            outbox: RefCell::default(),
            waiters: WaitList::new(),
            granted: Cell::new(false),
            flushers: WaitList::new(),
        }
    }

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
    pub(super) fn call_next(&self) {
        let has_news = {
            let outbox = self.outbox.borrow();
            outbox.has_room(0) || outbox.error.is_some()
        };
        if has_news && let Some(next) = self.grant() {
            next.wake();
        }
    }
}

impl Letter {
    #[inline]
    pub(super) fn new(len: usize, to: Option<SocketAddress>, ancillary: Option<Ancillary>) -> Self {
        let enclose = |ancillary| {
            Box::new(Enclosure {
                ancillary,
                header: MsgHeader::default(),
                bytes: [0; 2],
            })
        };
        Self {
            start: 0,
            len,
            to,
            enclosure: ancillary.map(enclose),
            errno: 0,
            was_retried: false,
        }
    }

    /// Names what the kernel is to send, from `start` on.
    #[inline]
    fn prepare(&mut self, sqe: &mut Sqe, bytes: &[u8]) {
        let bytes = &bytes[self.start..][..self.len];
        let to = self.to.as_ref().map_or(&[][..], SocketAddress::as_bytes);
        let Some(enclosure) = &mut self.enclosure else {
            sqe.opcode = io_uring::opcode::Send::CODE;
            sqe.set_memory(bytes.as_ptr(), bytes.len());
            if !to.is_empty() {
                sqe.offset = to.as_ptr().expose_provenance() as u64;
                sqe.file_index = address_len(to);
            }
            return;
        };
        sqe.opcode = io_uring::opcode::SendMsg::CODE;
        *sqe = enclosure.named_in(*sqe, bytes, to);
    }
}

impl Enclosure {
    #[cold]
    fn named_in(&mut self, sqe: Sqe, bytes: &[u8], to: &[u8]) -> Sqe {
        self.bytes = [bytes.as_ptr().expose_provenance(), bytes.len()];
        let (control, control_len) = self.ancillary.to_send();
        self.header = MsgHeader {
            name: to.as_ptr().expose_provenance(),
            name_len: u32::try_from(to.len()).expect("an address is short"),
            buffers: self.bytes.as_ptr().expose_provenance(),
            buffers_count: 1,
            control,
            control_len,
            flags: 0,
        };
        self.header.named_in(sqe)
    }
}

impl Outbox {
    pub(super) fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    /// How many datagrams the kernel has not taken.
    #[inline]
    pub(super) fn queued(&self) -> usize {
        self.sending.letters.len() - self.sent + self.pending.letters.len()
    }

    /// Whether a datagram of so many bytes may be queued. One always may.
    #[inline]
    pub(super) fn has_room(&self, len: usize) -> bool {
        let count = self.queued();
        count == 0 || (count < LETTERS_MAX && self.queued_bytes + len <= HIGH_WATER_BYTES)
    }

    #[inline]
    pub(super) fn push(&mut self, bytes: &[u8], letter: Letter) {
        let start = self.pending.bytes.len();
        self.pending.bytes.extend_from_slice(bytes);
        self.pending.letters.push(Letter { start, ..letter });
        self.queued_bytes += bytes.len();
    }

    #[inline]
    pub(super) fn take_error(&mut self) -> Option<io::Error> {
        self.error.take().map(io::Error::from_raw_os_error)
    }

    /// Gives up what is queued.
    pub(super) fn clear(&mut self) -> [Batch; 2] {
        self.sent = 0;
        self.batch = 0;
        self.queued_bytes = 0;
        [mem::take(&mut self.sending), mem::take(&mut self.pending)]
    }

    /// Makes what was written the next to be sent. `false`: nothing was.
    #[inline]
    fn turn_over(&mut self) -> bool {
        if self.sent == self.sending.letters.len() {
            self.sending.letters.clear();
            self.sending.bytes.clear();
            if self.sending.bytes.capacity() > KEPT_BYTES {
                self.sending.bytes = Vec::new();
            }
            self.sent = 0;
            mem::swap(&mut self.sending, &mut self.pending);
        }
        !self.sending.letters.is_empty()
    }

    /// How many datagrams the next batch has.
    #[inline]
    fn next_batch(&self, batch_max: usize) -> usize {
        let count = self.sending.letters.len() - self.sent;
        if self.is_careful {
            1
        } else {
            count.min(batch_max)
        }
    }

    /// The batch is done: leaves behind what has been sent, or cannot be.
    #[inline]
    fn settle(&mut self) {
        let from = self.sent;
        self.sent += mem::take(&mut self.batch);
        if mem::take(&mut self.has_failed) {
            return self.settle_failed(from);
        }
        self.is_careful = false;
        for letter in &mut self.sending.letters[from..self.sent] {
            self.queued_bytes -= letter.len;
            letter.enclosure = None;
        }
    }

    /// Keeps the datagrams that are to be tried again, in order, and tells of the others.
    #[cold]
    fn settle_failed(&mut self, from: usize) {
        self.is_careful = false;
        let mut kept = self.sent;
        // Those that are kept move to the end of the batch, in front of those that follow it.
        for at in (from..self.sent).rev() {
            let letter = &mut self.sending.letters[at];
            let tries_again = match mem::take(&mut letter.errno) {
                0 => false,
                // What everything on the descriptor was asked is not meant for what waits here.
                libc::EINTR | libc::ECANCELED => true,
                libc::EAGAIN => {
                    self.is_careful = true;
                    true
                }
                // What an ICMP message said of an earlier datagram, in place of sending this one.
                libc::ECONNREFUSED if !mem::replace(&mut letter.was_retried, true) => {
                    self.error = Some(libc::ECONNREFUSED);
                    true
                }
                errno => {
                    self.error = Some(errno);
                    false
                }
            };
            if tries_again {
                kept -= 1;
                self.sending.letters.swap(at, kept);
            } else {
                self.queued_bytes -= letter.len;
                letter.enclosure = None;
            }
        }
        self.sent = kept;
    }
}

/// Counterparts: `io_uring_prep_sendto(3)`, and `io_uring_prep_sendmsg(3)` with ancillary data.
pub(super) struct SendDatagrams {
    state: Rc<State>,
}

impl SendDatagrams {
    pub(super) fn new(state: Rc<State>) -> Self {
        Self { state }
    }

    /// Wakes who waits for room, for an empty queue, or for an error.
    #[inline]
    fn wake(&self, outbox: &Outbox, wakes: &mut Wakes) {
        if !self.state.waiters.is_empty()
            && (outbox.queued() <= LETTERS_MAX / 2 || outbox.error.is_some())
        {
            wakes.extend(self.state.grant());
        }
        if !self.state.flushers.is_empty() && (outbox.queued() == 0 || outbox.error.is_some()) {
            while let Some(flusher) = self.state.flushers.take_one() {
                wakes.push(flusher);
            }
        }
    }

    /// The proactor goes, and what is queued with it.
    #[cold]
    fn retired(&self, outbox: &mut Outbox, wakes: &mut Wakes) -> Flow {
        drop(outbox.clear());
        outbox.error = Some(libc::ESHUTDOWN);
        outbox.armed = false;
        self.wake(outbox, wakes);
        Flow::Rest
    }
}

// SAFETY: N1, the entry names the counted descriptor and the heap memory of `sending`: bytes,
// addresses, and headers with what they name. It is changed only in the completion hook and in
// `prepare`, when no send is in flight: of a batch, none waits (`MSG_DONTWAIT`), so all are done when
// the last is.
unsafe impl Service for SendDatagrams {
    const NAME: &'static str = "sendto";

    #[inline]
    fn prepare(&mut self, sqe: &mut Sqe) {
        let mut outbox = self.state.outbox.borrow_mut();
        if outbox.prepared == 0 {
            outbox.turn_over();
            outbox.batch = outbox.next_batch(self.state.batch_max);
        }
        let target = self.state.fd.target();
        sqe.fd = target.number;
        sqe.flags |= target.flags;
        sqe.op_flags = libc::MSG_NOSIGNAL.cast_unsigned();
        let at = outbox.sent + outbox.prepared;
        let Outbox { sending, .. } = &mut *outbox;
        sending.letters[at].prepare(sqe, &sending.bytes);
        if outbox.batch > 1 {
            outbox.prepare_batch(sqe);
        }
    }

    #[inline]
    fn on_completion(&mut self, cqe: Cqe, wakes: &mut Wakes) -> Flow {
        let mut outbox = self.state.outbox.borrow_mut();
        if cqe.res < 0 {
            if cqe.errno() == RETIRED {
                return self.retired(&mut outbox, wakes);
            }
            outbox.note_failure(cqe);
        }
        if !cqe.is_last() {
            return Flow::Rest;
        }
        outbox.settle();
        self.wake(&outbox, wakes);
        if outbox.turn_over() {
            return Flow::Again;
        }
        outbox.armed = false;
        Flow::Rest
    }
}

impl Outbox {
    /// Describes one of several datagrams: it does not wait, and there may be a next one.
    #[inline]
    fn prepare_batch(&mut self, sqe: &mut Sqe) {
        sqe.op_flags |= libc::MSG_DONTWAIT.cast_unsigned();
        self.prepared += 1;
        if self.prepared < self.batch {
            sqe.flags |= IO_LINK;
        } else {
            self.prepared = 0;
        }
    }

    /// A datagram was not sent.
    #[cold]
    fn note_failure(&mut self, cqe: Cqe) {
        // The last has no place.
        let place = if cqe.is_last() {
            self.batch
        } else {
            cqe.place()
        };
        self.sending.letters[self.sent + place - 1].errno = cqe.errno();
        self.has_failed = true;
    }
}

/// A sender waits above this much.
const HIGH_WATER_BYTES: usize = 256 * 1024;
/// A sender waits above this many.
const LETTERS_MAX: usize = 256;
/// So many datagrams of IP go to the kernel at a time. They do not wait for each other, and are done
/// in the order of their entries.
pub(super) const IP_BATCH_MAX: usize = 32;
/// A unix socket is often full, and keeps the order: there is one at a time, which waits.
pub(super) const UNIX_BATCH_MAX: usize = 1;
/// An idle queue keeps two buffers of this size at most.
const KEPT_BYTES: usize = 32 * 1024;

const _: () = assert!(IP_BATCH_MAX <= BATCH_MAX, "places in a batch have a bound");
