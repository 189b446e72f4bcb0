//! What is to be sent, in order.

use std::mem;
use std::task::Waker;

use super::ending::Ending;
use super::line::Line;
use super::owned::Owned;
use crate::fd::Fd;
use crate::wakes::Wakes;

/// The queue that a [`Sender`](super::Sender) shares with its service.
#[derive(Default)]
pub(super) struct Outbox {
    /// What is sent next, from `sent` on. Not touched while it is in flight.
    pub(super) sending: Vec<u8>,
    pub(super) sent: usize,
    /// The service is staged or in flight.
    pub(super) armed: bool,
    /// The kernel has something of this.
    pub(super) in_flight: bool,
    /// A write has more to look at than room: there is a line, an error, or an end.
    pub(super) is_special: bool,
    pub(super) ending: Ending,
    /// The stream ends when its sender goes.
    pub(super) shuts_down_on_drop: bool,
    /// Made at its first use: a stream that is quiet, or is answered, needs none.
    rest: Option<Box<Rest>>,
}

/// What a queue has besides what is sent next.
pub(super) struct Rest {
    /// What was copied while `sending` was in flight.
    pending: Vec<u8>,
    pub(super) waiter: Option<Waker>,
    error: Option<i32>,
    /// What was not sent because of the error.
    lost: usize,
    /// Segments behind `sending`, from the first owned buffer on. Kept when it is empty.
    line: Option<Box<Line>>,
    /// Owned buffers of this length are sent without a copy.
    pub(super) zero_copy_from: usize,
}

impl Default for Rest {
    fn default() -> Self {
        Self {
            pending: Vec::new(),
            waiter: None,
            error: None,
            lost: 0,
            line: None,
            zero_copy_from: usize::MAX,
        }
    }
}

impl Outbox {
    pub(super) fn rest(&mut self) -> &mut Rest {
        self.rest.get_or_insert_default()
    }

    /// How much was copied while `sending` was in flight.
    #[inline]
    fn pending_len(&self) -> usize {
        self.rest.as_ref().map_or(0, |rest| rest.pending.len())
    }

    fn line(&self) -> Option<&Line> {
        self.rest.as_ref()?.line.as_deref()
    }

    /// What there is in line, if there is something.
    pub(super) fn used_line(&mut self) -> Option<&mut Line> {
        let line = self.rest.as_mut()?.line.as_deref_mut();
        line.filter(|line| !line.is_empty())
    }

    /// From which length on owned buffers are sent without a copy.
    pub(super) fn zero_copy_from(&self) -> usize {
        let rest = self.rest.as_ref();
        rest.map_or(usize::MAX, |rest| rest.zero_copy_from)
    }

    /// What an earlier send said.
    pub(super) fn error(&self) -> Option<i32> {
        self.rest.as_ref()?.error
    }

    /// Whether somebody waits for room, or a flush.
    #[inline]
    pub(super) fn has_waiter(&self) -> bool {
        self.rest.as_ref().is_some_and(|rest| rest.waiter.is_some())
    }

    /// Whether there is nothing but `sending`, and nobody waits.
    #[inline]
    pub(super) fn is_usual(&self) -> bool {
        let is_unused = |rest: &Rest| rest.pending.is_empty() && rest.waiter.is_none();
        !self.is_special && self.rest.as_deref().is_none_or(is_unused)
    }

    /// Whom to wake when something has changed.
    pub(super) fn take_waiter(&mut self) -> Option<Waker> {
        self.rest.as_mut()?.waiter.take()
    }

    /// How much may be written, as far as the bytes that are copied tell.
    #[inline]
    pub(super) fn room(&self) -> usize {
        let copied = self.sending.len() - self.sent + self.pending_len();
        if self.is_special {
            let lined = self.line().map_or(0, Line::held);
            return HIGH_WATER_BYTES.saturating_sub(copied + lined);
        }
        HIGH_WATER_BYTES.saturating_sub(copied)
    }

    /// How much the kernel has not taken, or did not take before the error.
    pub(super) fn unsent(&self) -> usize {
        let lined = self.line().map_or(0, Line::unsent);
        let lost = self.rest.as_ref().map_or(0, |rest| rest.lost);
        self.sending.len() - self.sent + self.pending_len() + lined + lost
    }

    /// Why nothing can be written.
    pub(super) fn refusal(&self) -> Option<i32> {
        let ended = (self.ending != Ending::Open).then_some(libc::EPIPE);
        self.error().or(ended)
    }

    /// Queues a copy of `bytes`.
    #[inline]
    pub(super) fn push(&mut self, bytes: &[u8], fd: &Fd) {
        if self.is_special && self.line().is_some_and(|line| !line.is_empty()) {
            return self.push_in_line(bytes);
        }
        let place = if self.in_flight {
            &mut self.rest.get_or_insert_default().pending
        } else {
            &mut self.sending
        };
        if place.capacity() - place.len() < bytes.len() {
            grow(place, bytes.len(), fd);
        }
        place.extend_from_slice(bytes);
    }

    #[cold]
    fn push_in_line(&mut self, bytes: &[u8]) {
        if let Some(line) = self.used_line() {
            line.push_copied(bytes);
        }
    }

    /// Queues an owned buffer, behind what has been copied.
    #[cold]
    pub(super) fn push_owned(&mut self, owned: Owned) {
        self.is_special = true;
        let rest = self.rest.get_or_insert_default();
        let line = rest.line.get_or_insert_default();
        if !rest.pending.is_empty() {
            line.push_all(mem::take(&mut rest.pending));
        } else if !self.in_flight && self.sent == 0 && !self.sending.is_empty() {
            line.push_all(mem::take(&mut self.sending));
        }
        line.push_owned(owned);
    }

    /// Puts a copy of `bytes` into the queue that is to be the next send. `false`: there is something
    /// in the queue, or it is not ready for so much, and nothing has happened.
    #[inline]
    pub(super) fn begin_with(&mut self, bytes: &[u8]) -> bool {
        let fits = bytes.len() <= self.sending.capacity();
        if self.armed || self.is_special || !fits || bytes.is_empty() {
            return false;
        }
        debug_assert!(self.sending.is_empty(), "a queue that rests is empty");
        debug_assert!(!self.is_large(), "and far from its high-water mark");
        self.armed = true;
        self.sending.clear();
        self.sending.extend_from_slice(bytes);
        true
    }

    /// Whether the buffer is too large to be kept.
    #[inline]
    pub(super) fn is_large(&self) -> bool {
        self.sending.capacity() > KEPT_BYTES
    }

    /// When `sending` has been sent: makes what was copied meanwhile the next thing to send.
    /// `false`: nothing was.
    #[inline]
    pub(super) fn turn_over(&mut self, fd: &Fd) -> bool {
        self.sending.clear();
        self.sent = 0;
        if self.is_large() {
            give_up(&mut self.sending, fd);
        }
        match &mut self.rest {
            Some(rest) if !rest.pending.is_empty() => {
                mem::swap(&mut self.sending, &mut rest.pending);
                true
            }
            Some(_) | None => false,
        }
    }

    /// When a send has ended before all of `sending` was sent: puts what was copied meanwhile behind
    /// the rest. What is written from now on goes there too, and has to stay in order.
    #[cold]
    pub(super) fn join_pending(&mut self) {
        self.sending.drain(..mem::take(&mut self.sent));
        if let Some(rest) = &mut self.rest {
            self.sending.append(&mut rest.pending);
        }
    }

    /// Notes that there is nothing in line any more.
    pub(super) fn leave_line(&mut self) {
        self.is_special = self.refusal().is_some();
    }

    /// Empties the queue for good. What comes back is to be dropped with no borrow alive.
    #[must_use]
    pub(super) fn fail(&mut self, errno: i32) -> Option<Box<Line>> {
        let lost = self.unsent();
        self.is_special = true;
        self.sending = Vec::new();
        self.sent = 0;
        let rest = self.rest();
        rest.lost = lost;
        rest.error = Some(errno);
        rest.pending = Vec::new();
        rest.line.take()
    }

    /// Wakes a writer that waits for room, or a flush.
    #[cold]
    pub(super) fn wake(&mut self, wakes: &mut Wakes) {
        if self.room() >= HIGH_WATER_BYTES - LOW_WATER_BYTES || self.unsent() == 0 {
            wakes.extend(self.take_waiter());
        }
    }
}

/// Makes room for `additional` bytes, in a spare buffer if there is one.
#[cold]
fn grow(place: &mut Vec<u8>, additional: usize, fd: &Fd) {
    if place.is_empty() && additional > KEPT_BYTES {
        *place = fd.handle().shared().spares().take();
    }
    place.reserve(additional);
}

/// Leaves a large buffer, which is empty, to others.
#[cold]
fn give_up(place: &mut Vec<u8>, fd: &Fd) {
    fd.handle().shared().spares().put(mem::take(place));
}

/// A writer waits above this much.
pub(super) const HIGH_WATER_BYTES: usize = 256 * 1024;
/// A waiting writer goes on below this much.
const LOW_WATER_BYTES: usize = 64 * 1024;
/// An idle queue keeps two buffers of this size at most.
const KEPT_BYTES: usize = 256;

const _: () = assert!(
    size_of::<Outbox>() <= 48,
    "of which a stream has one, idle or not"
);
