//! Buffers provided to the kernel: one group, lent per completion, back home by count.
//!
//! The kernel picks a buffer when bytes arrive, so an idle connection holds none. A buffer that
//! came with a completion is lent until it comes home, and only then provided again. Address space
//! is there for as many buffers as the group may ever have; what is not provided is spare.
//!
//! # Invariants
//!
//! - **B1** A buffer is provided to the kernel, lent, or spare, and changes by the kernel's
//!   completion, by the end of its last holder, or by growth. In a group that is filled in parts, it is
//!   provided *and* lent until the kernel is done with it; the kernel is a holder then.
//! - **B2** The descriptor ring and the buffers stay at their addresses until the kernel has given
//!   the group up; if operations are left in flight, for ever. Whatever names the group in an entry
//!   holds a count of the pool until its last completion.
//! - **B3** The bytes of a lent part were written by the kernel before the completion that lent it,
//!   and no other part of the buffer that is lent or filled later overlaps it.

#![expect(unsafe_code, reason = "memory shared with the kernel")]

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::rc::Weak;
use std::slice;

use ringloop_core::WaitList;

use super::pages::{PAGE, Pages};
use super::ring::BufRing;
use crate::ring::{Cqe, Ring};
use crate::shared::Shared;

/// A group of buffers registered with the ring.
pub(crate) struct BufPool {
    ring: BufRing,
    memory: Pages,
    stride: usize,
    len_bytes: u32,
    /// How many there may be.
    max: u16,
    /// With fewer provided ones, there are few.
    low: u16,
    provided: Cell<u16>,
    /// How many are provided or lent.
    active: Cell<u16>,
    /// Above so many active ones, a buffer that comes home becomes spare.
    keep: Cell<u16>,
    states: Box<[BufState]>,
    spare: RefCell<Vec<u16>>,
    pub(super) grown: Cell<u64>,
    /// Those who found the group empty.
    pub(super) waiters: WaitList,
    group: u16,
    pub(super) is_incremental: bool,
    is_registered: Cell<bool>,
    /// Takes the group back at its end. Dangling for the pool that the proactor itself holds.
    owner: Weak<Shared>,
}

/// What a pool is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PoolSpec {
    pub(crate) group: u16,
    pub(crate) count: u16,
    pub(crate) max: u16,
    pub(crate) len_bytes: u32,
    pub(crate) incremental: bool,
}

/// What is known of a buffer that is not spare. Untouched while buffers are lent whole.
#[derive(Debug, Default)]
struct BufState {
    /// Those besides one: parts that are lent, and the kernel while it fills on.
    more_holders: Cell<u32>,
    /// How far the kernel has filled it.
    filled: Cell<u32>,
    is_spare: Cell<bool>,
}

/// A filled part of a pool buffer. Not a guard: whoever holds it gives it back to its pool.
#[derive(Debug)]
#[must_use = "a lent buffer has to be given back"]
pub(crate) struct Lent {
    id: u16,
    start: u32,
    end: u32,
}

impl BufPool {
    /// Makes the buffers and registers them.
    pub(crate) fn new(ring: &mut Ring, spec: PoolSpec, owner: Weak<Shared>) -> io::Result<Self> {
        let stride = stride(spec.len_bytes);
        let memory_len = usize::from(spec.max).saturating_mul(stride);
        let mut pool = Self {
            ring: BufRing::new(spec.max.next_power_of_two())?,
            memory: Pages::new(memory_len, ALIGN)?,
            stride,
            len_bytes: spec.len_bytes,
            max: spec.max,
            low: spec.count / LOW_PART,
            provided: Cell::new(0),
            active: Cell::new(0),
            keep: Cell::new(spec.count),
            states: (0..spec.max).map(|_| BufState::default()).collect(),
            spare: RefCell::new((0..spec.max).rev().collect()),
            grown: Cell::new(0),
            waiters: WaitList::new(),
            group: spec.group,
            is_incremental: false,
            is_registered: Cell::new(false),
            owner,
        };
        for state in &pool.states {
            state.is_spare.set(true);
        }
        pool.activate(spec.count);
        let (address, entries) = (pool.ring.address(), pool.ring.count());
        let mut register = |flags: u16| ring.register_buffers(address, entries, spec.group, flags);
        pool.is_incremental = spec.incremental && register(INCREMENTAL).is_ok();
        if !pool.is_incremental {
            register(0)?;
        }
        pool.is_registered.set(true);
        Ok(pool)
    }

    /// Takes the group back from the kernel. If operations are left, the memory is leaked (B2).
    pub(crate) fn unregister(&self, ring: &mut Ring, in_flight: bool) {
        self.is_registered.set(false);
        let given_up = ring.unregister_buffers(self.group).is_ok() && !in_flight;
        if !given_up {
            self.leak();
        }
    }

    fn leak(&self) {
        self.ring.leak();
        self.memory.leak();
    }

    /// The filled bytes of buffer `id`, as a completion names it that filled it alone.
    #[inline]
    pub(crate) fn lend(&self, id: u16, filled: u32) -> Lent {
        assert!(
            id < self.max && filled <= self.len_bytes,
            "B1: the kernel picks what it has"
        );
        self.provided.set(self.provided.get() - 1);
        Lent {
            id,
            start: 0,
            end: filled,
        }
    }

    /// The next `filled` bytes of buffer `id`. The kernel is done with it, or `keeps` it.
    pub(super) fn lend_part(&self, id: u16, filled: u32, keeps: bool) -> Lent {
        let state = &self.states[usize::from(id)];
        let start = state.filled.get();
        let end = start.saturating_add(filled);
        assert!(end <= self.len_bytes, "B1: the kernel picks what it has");
        if keeps {
            state.filled.set(end);
            state.more_holders.set(state.more_holders.get() + 1);
        } else {
            let left = self.provided.get().checked_sub(1);
            self.provided
                .set(left.expect("B1: the kernel picks what it has"));
        }
        Lent { id, start, end }
    }

    /// How much of buffer `id` the kernel has not filled.
    pub(super) fn room(&self, id: u16) -> u32 {
        self.len_bytes - self.states[usize::from(id)].filled.get()
    }

    /// The parts that a completion filled, in the order of the bytes.
    pub(super) fn parts(&self, cqe: Cqe) -> Parts<'_> {
        Parts {
            pool: self,
            next: cqe.buffer_id(),
            left: u32::try_from(cqe.res).unwrap_or(0),
            keeps: cqe.keeps_buffer(),
        }
    }

    /// Cuts the first `count` bytes, which it has, off a lent part.
    pub(super) fn split(&self, lent: &mut Lent, count: usize) -> Lent {
        let holders = &self.states[usize::from(lent.id)].more_holders;
        holders.set(holders.get() + 1);
        let start = lent.start;
        lent.advance(count);
        Lent {
            id: lent.id,
            start,
            end: lent.start,
        }
    }

    /// Provides a whole buffer to the kernel again.
    #[inline]
    pub(crate) fn give_back(&self, lent: Lent) {
        self.provide(lent.id);
    }

    /// Ends a holder of a buffer; the last one takes it home. Wakes who waits for that.
    pub(super) fn release(&self, lent: Lent) {
        if self.end_holder(&lent) {
            self.wake_waiters();
        }
    }

    /// Wakes those who wait for a buffer: one is there, or none will ever be.
    #[inline]
    pub(crate) fn wake_waiters(&self) {
        if !self.waiters.is_empty() {
            self.waiters.wake_all();
        }
    }

    /// Returns whether that provided a buffer.
    fn end_holder(&self, lent: &Lent) -> bool {
        let state = &self.states[usize::from(lent.id)];
        if let Some(left) = state.more_holders.get().checked_sub(1) {
            state.more_holders.set(left);
            return false;
        }
        state.filled.set(0);
        let is_kept = self.active.get() <= self.keep.get() || self.provided.get() == 0;
        if is_kept {
            self.provide(lent.id);
        } else {
            self.retire(lent.id);
        }
        is_kept
    }

    /// Sees to it that the kernel has something to pick from. `false`: the group is as large as it
    /// may be, and all is lent.
    pub(crate) fn refill(&self) -> bool {
        if self.provided.get() > 0 {
            return true;
        }
        let before = self.active.get();
        let added = self.activate(before.max(1));
        self.grown.set(self.grown.get() + u64::from(added));
        self.keep.set(self.keep.get().max(self.active.get()));
        added > 0
    }

    /// Provides up to `count` spare buffers, and returns how many there were.
    fn activate(&self, count: u16) -> u16 {
        let mut spare = self.spare.borrow_mut();
        let mut added = 0;
        while added < count
            && let Some(id) = spare.pop()
        {
            self.states[usize::from(id)].is_spare.set(false);
            self.provide(id);
            added += 1;
        }
        self.active.set(self.active.get() + added);
        added
    }

    /// Keeps no more than `count` buffers; what is above that leaves when it comes home.
    pub(super) fn shrink_to(&self, count: u16) {
        self.keep.set(count.clamp(1, self.max));
    }

    fn retire(&self, id: u16) {
        self.active.set(self.active.get() - 1);
        self.states[usize::from(id)].is_spare.set(true);
        self.spare.borrow_mut().push(id);
        // A page belongs to nobody once all buffers in it are spare.
        let reach = PAGE.div_ceil(self.stride);
        let is_spare = |id: &usize| {
            self.states
                .get(*id)
                .is_some_and(|state| state.is_spare.get())
        };
        let id = usize::from(id);
        let below = (id.saturating_sub(reach)..id).rev().take_while(is_spare);
        let above = (id + 1..=id + reach).take_while(is_spare);
        let (first, last) = (id - below.count(), id + above.count());
        self.memory
            .discard(first * self.stride, (last + 1) * self.stride);
    }

    #[inline]
    pub(crate) fn bytes<'a>(&'a self, lent: &'a Lent) -> &'a [u8] {
        let start = self.memory.at(self.offset(lent.id) + lent.start as usize);
        // SAFETY: B3, the part is `start` to `end` of the buffer, and B1 keeps it lent while
        // `lent` is borrowed.
        unsafe { slice::from_raw_parts(start.as_ptr(), lent.len()) }
    }

    /// How many buffers are provided to the kernel.
    #[inline]
    pub(crate) fn provided(&self) -> u16 {
        self.provided.get()
    }

    /// Whether so few buffers are provided that bytes should not stay in theirs.
    #[inline]
    pub(crate) fn is_low(&self) -> bool {
        self.provided.get() < self.low
    }

    /// How many buffers are provided or lent.
    pub(crate) fn count(&self) -> u16 {
        self.active.get()
    }

    /// Which proactor it is registered with, as [`Shared::mark`] says it.
    pub(super) fn home(&self) -> u64 {
        self.owner.as_ptr().addr() as u64
    }

    pub(crate) fn group(&self) -> u16 {
        self.group
    }

    pub(crate) fn max(&self) -> u16 {
        self.max
    }

    pub(crate) fn len_bytes(&self) -> u32 {
        self.len_bytes
    }

    /// Whether the proactor of this pool is there still.
    pub(super) fn is_registered(&self) -> bool {
        self.is_registered.get()
    }

    #[inline]
    fn provide(&self, id: u16) {
        let address = self.memory.at(self.offset(id)).as_ptr();
        self.ring
            .publish(address.expose_provenance() as u64, self.len_bytes, id);
        self.provided.set(self.provided.get() + 1);
    }

    #[inline]
    fn offset(&self, id: u16) -> usize {
        usize::from(id) * self.stride
    }
}

impl Drop for BufPool {
    fn drop(&mut self) {
        if !self.is_registered.get() {
            return;
        }
        // B2: nothing that names the group is in flight, or it would hold a count.
        let owner = self.owner.upgrade();
        let given_up = owner.and_then(|owner| owner.with_ring(|ring| self.unregister(ring, false)));
        if given_up.is_none() {
            self.leak();
        }
    }
}

impl fmt::Debug for BufPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BufPool")
            .field("group", &self.group)
            .field("len_bytes", &self.len_bytes)
            .field("provided", &self.provided.get())
            .field("count", &self.active.get())
            .finish_non_exhaustive()
    }
}

impl Lent {
    /// How many bytes are left.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// Leaves the first `count` bytes behind.
    #[inline]
    pub(crate) fn advance(&mut self, count: usize) {
        let count = u32::try_from(count).expect("a buffer is smaller than 4 GiB");
        self.start = (self.start + count).min(self.end);
    }

    /// The part as a number, which is not zero: it holds something from the start of its buffer.
    #[inline]
    pub(crate) fn pack(self) -> u64 {
        debug_assert!(self.start == 0 && self.end > 0, "as the kernel filled it");
        u64::from(self.id) << u32::BITS | u64::from(self.end)
    }

    /// The part that was packed, for whoever had the only copy of the number.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the halves are what was put there"
    )]
    pub(crate) fn unpack(packed: u64) -> Self {
        Self {
            id: (packed >> u32::BITS) as u16,
            start: 0,
            end: packed as u32,
        }
    }

    /// Leaves everything behind the first `count` bytes.
    pub(super) fn truncate(&mut self, count: usize) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.end = self.start.saturating_add(count).min(self.end);
    }
}

/// What a completion filled: one part, or with a bundle a part of each of several buffers, in the
/// order in which they were provided.
pub(super) struct Parts<'a> {
    pool: &'a BufPool,
    next: Option<u16>,
    left: u32,
    keeps: bool,
}

impl Iterator for Parts<'_> {
    type Item = Lent;

    fn next(&mut self) -> Option<Lent> {
        let id = self.next.take()?;
        let filled = self.left.min(self.pool.room(id));
        self.left -= filled;
        let is_final = self.left == 0;
        if !is_final {
            let position = self.pool.ring.position(id);
            let position = position.expect("B1: the kernel picks what it has");
            self.next = Some(self.pool.ring.id_at(position.wrapping_add(1)));
        }
        Some(self.pool.lend_part(id, filled, is_final && self.keeps))
    }
}

/// Buffers are a bit more than their length apart: at a power of two, the first lines of all of
/// them would fall into the same few sets of the caches.
fn stride(len_bytes: u32) -> usize {
    (len_bytes as usize).next_multiple_of(CACHE_LINE) + CACHE_LINE
}

/// What the allocator gives anyway: zeroed memory then comes as fresh pages, unwritten.
const ALIGN: usize = 16;
const CACHE_LINE: usize = 64;
/// A group with less than this part of its buffers left runs low.
const LOW_PART: u16 = 4;
/// `IOU_PBUF_RING_INC`.
const INCREMENTAL: u16 = 2;
