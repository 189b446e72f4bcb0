//! What has arrived and has not been read.
//!
//! Mostly a stream has nothing, or one piece in a lent buffer that is read in the same turn. That
//! case has a place of its own, `front`, and is told by a [`Status`] of zero. Everything else is
//! unusual: more pieces, bytes that were copied, an end, a receive that does not run.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::VecDeque;
use std::rc::Rc;

use super::piece::Piece;
use crate::buf::{BufPool, Chunk, Lent};
use crate::fd::Fd;
use crate::op::{Flow, RETIRED};
use crate::ring::Cqe;
use crate::wakes::{Registered, Wakes};

/// The queue that a [`Receiver`](super::Receiver) shares with its service. No foreign code runs
/// while `rest` is borrowed.
pub(super) struct Inbox {
    pub(super) fd: Fd,
    /// `None` if the kernel takes no provided buffers: then each receive has its own.
    pub(super) pool: Option<Rc<BufPool>>,
    pub(super) status: Status,
    /// So many pieces behind the first are enough, however small they are: each may hold a buffer.
    pieces_max: u16,
    /// The reader is to be woken. Its waker stays where it is when it has been.
    pub(super) waits: Cell<bool>,
    end: Cell<Option<End>>,
    /// The piece to be read next, unless it was copied.
    front: Front,
    pub(super) reader: Registered,
    /// Made at its first use: most streams need none.
    rest: RefCell<Option<Box<Rest>>>,
}

/// What a stream has besides its first piece.
#[derive(Default)]
struct Rest {
    behind: VecDeque<Piece>,
    /// How many bytes they are.
    bytes: usize,
    /// The buffer of a receive without a provided one. The kernel's while that is in flight.
    own: Option<Box<[u8]>>,
}

/// Why no more bytes will come. It is told after the bytes that came before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Closed,
    /// An errno, of which the kernel has a few hundred.
    Failed(u16),
}

/// A lent piece that nobody has read from, packed; zero if there is none.
#[derive(Default)]
struct Front(Cell<u64>);

impl Front {
    #[inline]
    fn is_none(&self) -> bool {
        self.0.get() == 0
    }

    #[inline]
    fn put(&self, lent: Lent) {
        debug_assert!(self.is_none(), "a lent buffer has to be given back");
        self.0.set(lent.pack());
    }

    #[inline]
    fn take(&self) -> Option<Lent> {
        let packed = self.0.replace(0);
        (packed != 0).then(|| Lent::unpack(packed))
    }
}

/// What is unusual about a stream, as flags.
#[derive(Default)]
pub(super) struct Status(Cell<u8>);

/// The receive is neither staged nor in flight.
pub(super) const RESTS: u8 = 1 << 0;
/// The receive was asked to end, because the queue is full.
const STOPS: u8 = 1 << 1;
/// The receiver is gone: what still arrives is given back.
pub(super) const CLOSED: u8 = 1 << 2;
/// There are pieces behind the first one.
const BEHIND: u8 = 1 << 3;
/// No more bytes will come.
pub(super) const ENDED: u8 = 1 << 4;
/// Nobody wants more: once the receive rests, it is not started again.
pub(super) const HALTED: u8 = 1 << 5;
/// A piece has left the queue and has been read in part.
pub(super) const READING: u8 = 1 << 6;
/// The pool was found empty: the next receive has a buffer of its own, so that it is not refused for
/// ever.
pub(super) const REFUSED: u8 = 1 << 7;

impl Status {
    #[inline]
    pub(super) fn is_usual(&self) -> bool {
        self.0.get() == 0
    }

    #[inline]
    pub(super) fn has(&self, flags: u8) -> bool {
        self.0.get() & flags != 0
    }

    pub(super) fn set(&self, flags: u8) {
        self.0.set(self.0.get() | flags);
    }

    pub(super) fn clear(&self, flags: u8) {
        self.0.set(self.0.get() & !flags);
    }
}

impl Inbox {
    pub(super) fn new(fd: Fd) -> Self {
        let pool = fd.handle().shared().pool();
        let share = pool.as_ref().map_or(0, |pool| pool.count() / 8);
        let status = Status::default();
        status.set(RESTS);
        Self {
            fd,
            pool,
            status,
            pieces_max: share.clamp(1, PIECES_MAX),
            waits: Cell::new(false),
            end: Cell::new(None),
            front: Front::default(),
            reader: Registered::default(),
            rest: RefCell::default(),
        }
    }

    #[inline]
    pub(super) fn lender(&self) -> &Rc<BufPool> {
        self.pool.as_ref().expect("lent bytes come from a pool")
    }

    #[inline]
    pub(super) fn bytes<'a>(&'a self, piece: &'a Piece) -> &'a [u8] {
        match piece {
            Piece::Lent(lent) => self.lender().bytes(lent),
            Piece::Own(own) => &own.bytes[own.start..],
        }
    }

    /// Copies the first piece into `buf` and gives its buffer back, if it is lent, and fits.
    /// Returns its length, which is not zero.
    #[inline]
    pub(super) fn read_front(&self, buf: &mut [u8]) -> Option<usize> {
        let lent = self.front.take()?;
        let lender = self.lender();
        let Some(place) = buf.get_mut(..lent.len()) else {
            self.front.put(lent);
            return None;
        };
        place.copy_from_slice(lender.bytes(&lent));
        let count = place.len();
        lender.give_back(lent);
        Some(count)
    }

    /// Takes the first piece, if it is lent.
    #[inline]
    pub(super) fn take_front(&self) -> Option<Chunk> {
        let lent = self.front.take()?;
        Some(Chunk::lent(Rc::clone(self.lender()), lent))
    }

    /// Disposes of a piece that was read, or that nobody will read.
    pub(super) fn give_back(&self, piece: Piece) {
        if let Piece::Lent(lent) = piece {
            self.lender().give_back(lent);
        }
    }

    /// Takes the piece to be read next.
    pub(super) fn pop(&self) -> Option<Piece> {
        if let Some(lent) = self.front.take() {
            return Some(Piece::Lent(lent));
        }
        if !self.status.has(BEHIND) {
            return None;
        }
        let mut kept = self.rest.borrow_mut();
        let rest = kept.as_mut()?;
        let piece = rest.behind.pop_front()?;
        rest.bytes -= piece.len();
        if rest.behind.is_empty() {
            self.status.clear(BEHIND);
            if rest.behind.capacity() > KEPT_PIECES {
                rest.behind = VecDeque::new();
            }
        }
        Some(piece)
    }

    /// Has the reader woken, if it waits.
    #[inline]
    pub(super) fn tell(&self, wakes: &mut Wakes) {
        if self.waits.replace(false) {
            self.reader.lend(wakes);
        }
    }

    /// Whether there is nothing to read now.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.front.is_none() && !self.status.has(BEHIND)
    }

    /// Whether a full queue, whose receive was ended, has been emptied.
    pub(super) fn is_drained(&self) -> bool {
        self.status.has(RESTS) && !self.status.has(ENDED) && self.is_empty()
    }

    /// Tells of the end of the stream, if it has come: an error once, and then that it is closed.
    pub(super) fn take_end(&self) -> Option<End> {
        let end = self.end.get()?;
        self.end.set(Some(End::Closed));
        Some(end)
    }

    pub(super) fn end(&self) -> Option<End> {
        self.end.get()
    }

    /// How many bytes there are.
    pub(super) fn queued_bytes(&self) -> usize {
        let front = self.front.take();
        let len = front.as_ref().map_or(0, Lent::len);
        front.into_iter().for_each(|lent| self.front.put(lent));
        len + self.rest.borrow().as_ref().map_or(0, |rest| rest.bytes)
    }

    /// Takes in bytes where there are none yet, in a buffer of the pool, with more to come. `false`:
    /// the completion says something else, and nothing has happened.
    #[inline]
    pub(super) fn take_in_usual(&self, cqe: Cqe) -> bool {
        let (Some(pool), Ok(filled @ 1..)) = (&self.pool, u32::try_from(cqe.res)) else {
            return false;
        };
        let is_unusual = !self.status.is_usual() || !self.front.is_none();
        if is_unusual || cqe.is_last() || pool.is_low() {
            return false;
        }
        let Some(id) = cqe.buffer_id() else {
            return false;
        };
        self.front.put(pool.lend(id, filled));
        true
    }

    /// Takes in a completion that is not one of the usual ones, and wakes the reader unless there is
    /// nothing to hear.
    #[cold]
    pub(super) fn take_in(&self, res: i32, flags: u32, wakes: &mut Wakes) -> Flow {
        let cqe = Cqe {
            user_data: 0,
            res,
            flags,
        };
        if cqe.is_last() {
            self.status.set(RESTS);
            self.status.clear(STOPS);
        }
        let filled = u32::try_from(cqe.res).unwrap_or(0);
        if filled > 0 {
            self.arrived(cqe, filled);
        } else if let Some(end) = end_of(cqe) {
            self.end.set(Some(end));
            self.status.set(ENDED);
        }
        if cqe.is_last() {
            self.lay_aside_own();
            if cqe.errno() == libc::ENOBUFS {
                self.status.set(REFUSED);
            }
        }
        let (flow, is_news) = self.go_on(cqe, filled > 0);
        if is_news {
            self.tell(wakes);
        }
        flow
    }

    /// What becomes of the receive after a completion, and whether the reader is to be woken.
    fn go_on(&self, cqe: Cqe, has_bytes: bool) -> (Flow, bool) {
        let is_full = self.is_full();
        if !cqe.is_last() {
            if is_full && !self.status.has(STOPS) {
                self.status.set(STOPS);
                return (Flow::Stop, true);
            }
            return (Flow::Rest, true);
        }
        let is_over = is_full || self.status.has(ENDED | CLOSED | HALTED) || cqe.errno() == RETIRED;
        let was_one_shot = has_bytes && cqe.buffer_id().is_none();
        if is_over || was_one_shot {
            return (Flow::Rest, true);
        }
        // The kernel has ended it, or we have and now there is room; or no buffer was left, and
        // until the next turn some may come home.
        self.status.clear(RESTS);
        (Flow::Again, has_bytes)
    }

    /// Whether the queue holds as much as one stream may.
    fn is_full(&self) -> bool {
        let rest = self.rest.borrow();
        rest.as_ref().is_some_and(|rest| {
            rest.bytes >= HIGH_WATER_BYTES || rest.behind.len() >= usize::from(self.pieces_max)
        })
    }

    fn rest(&self) -> RefMut<'_, Rest> {
        RefMut::map(self.rest.borrow_mut(), |rest| {
            &mut **rest.get_or_insert_default()
        })
    }

    /// Makes a buffer for a receive without a provided one, and returns where it is.
    #[cold]
    pub(super) fn make_own(&self, len: usize) -> *mut [u8] {
        let own = vec![0; len].into_boxed_slice();
        &raw mut **self.rest().own.insert(own)
    }

    /// Frees the buffer of a receive that has ended.
    fn lay_aside_own(&self) {
        let mut kept = self.rest.borrow_mut();
        let Some(rest) = kept.as_mut() else { return };
        rest.own = None;
        if rest.behind.capacity() == 0 {
            *kept = None;
        }
    }

    /// Takes in bytes. Those that wait behind others, or in a pool that runs low, do not keep a
    /// buffer that they hardly fill.
    fn arrived(&self, cqe: Cqe, filled: u32) {
        let Some(id) = cqe.buffer_id() else {
            return self.arrived_in_own(filled as usize);
        };
        let lender = self.lender();
        let lent = lender.lend(id, filled);
        if self.status.has(CLOSED) {
            return lender.give_back(lent);
        }
        let is_low = lender.is_low();
        if self.is_empty() && !is_low {
            return self.front.put(lent);
        }
        if is_low || filled <= lender.len_bytes() / COPIED_PART {
            self.push_copied(lender.bytes(&lent));
            return lender.give_back(lent);
        }
        self.push(Piece::Lent(lent));
    }

    fn arrived_in_own(&self, filled: usize) {
        let own = self.rest().own.take();
        let own = own.expect("N1: bytes arrive in a buffer");
        if !self.status.has(CLOSED) {
            self.push_copied(&own[..filled]);
        }
    }

    fn push_copied(&self, bytes: &[u8]) {
        let mut rest = self.rest();
        let last = rest.behind.back_mut();
        if last.is_some_and(|last| last.append(bytes)) {
            rest.bytes += bytes.len();
            return;
        }
        drop(rest);
        self.push(Piece::copied(bytes));
    }

    fn push(&self, piece: Piece) {
        let mut rest = self.rest();
        rest.bytes += piece.len();
        rest.behind.push_back(piece);
        self.status.set(BEHIND);
    }
}

/// What a completion without bytes says of the stream: nothing if it is about the receive only.
fn end_of(cqe: Cqe) -> Option<End> {
    match cqe.errno() {
        0 => Some(End::Closed),
        // The pool was empty, we asked for the end, or a signal came.
        libc::ENOBUFS | libc::ECANCELED | libc::EINTR | libc::EAGAIN | RETIRED => None,
        errno => Some(End::Failed(u16::try_from(errno).unwrap_or(u16::MAX))),
    }
}

/// Past this much, a stream's bytes wait in the kernel.
const HIGH_WATER_BYTES: usize = 256 * 1024;
/// The most pieces that one stream holds, whatever the size of the pool.
const PIECES_MAX: u16 = 64;
/// A quiet stream keeps room for no more than this.
const KEPT_PIECES: usize = 4;
/// A piece that fills less than this part of its buffer is copied if it has to wait.
const COPIED_PART: u32 = 8;

const _: () = assert!(
    size_of::<Inbox>() <= 64,
    "of which a stream has one, idle or not"
);
