//! The items of a channel and who waits, by the side on which they are.
//!
//! What is done to both sides at once is done to [`Both`], which is under both locks. Nothing here
//! wakes anybody, or drops an item: that is done by the caller, once the locks are released.
//!
//! # Invariants
//!
//! An item is *reserved* for a receiver that was woken for it; the others are *loose*.
//!
//! - **P1** While a receiver waits, no item is loose.
//! - **P2** While a sender waits, at least as many items as the capacity are loose. So no receiver
//!   waits, unless the capacity is zero; then nobody waits on one side while somebody does on the
//!   other.
//! - **P3** There are at least as many items as reservations.
//! - **P4** `outlet_len_max` is at least the length of the outlet: only a holder of both locks adds to
//!   the outlet.
//! - **P5** While a sender waits, `senders_wait` is set.
//! - **P6** Once the channel is closed no item comes in and no sender waits; and receivers wait only
//!   while there are reservations, whose items may come back.

use std::collections::VecDeque;
use std::mem;
use std::task::Waker;

use ringloop_core::WaitList;

use crate::channel::{TryRecvError, TrySendError};
use crate::loom::MutexGuard;
use crate::shared::wait_list::Wakers;

pub(super) struct Outlet<T> {
    pub(super) items: VecDeque<T>,
    /// How many of all items are reserved.
    pub(super) reserved: usize,
    pub(super) senders_wait: bool,
    pub(super) is_closed: bool,
}

pub(super) struct Inlet<T> {
    pub(super) items: VecDeque<T>,
    outlet_len_max: usize,
    pub(super) is_closed: bool,
    /// Each brings its item, and is left nothing when that has moved in.
    pub(super) senders: WaitList<Option<T>>,
    pub(super) receivers: WaitList<Call>,
}

/// What a receiver is woken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// An item is reserved for it.
    Item,
    /// The channel is closed, and all items were received. Every receiver brings this.
    Closed,
}

impl<T> Outlet<T> {
    pub(super) fn new() -> Self {
        Self {
            items: VecDeque::new(),
            reserved: 0,
            senders_wait: false,
            is_closed: false,
        }
    }
}

impl<T> Inlet<T> {
    pub(super) fn new() -> Self {
        Self {
            items: VecDeque::new(),
            outlet_len_max: 0,
            is_closed: false,
            senders: WaitList::new(),
            receivers: WaitList::new(),
        }
    }

    /// Whether it is sure that an item may come in and nobody has to be told.
    #[inline]
    pub(super) fn has_room(&self, capacity: usize) -> bool {
        // P4: at most so many items are there. P2: so no sender waits.
        let len_max = self.items.len().saturating_add(self.outlet_len_max);
        len_max < capacity && !self.is_closed && self.receivers.is_empty()
    }
}

/// Both sides, locked.
pub(super) struct Both<'a, T> {
    // Released in the order opposite to that in which they were taken.
    pub(super) inlet: MutexGuard<'a, Inlet<T>>,
    pub(super) outlet: MutexGuard<'a, Outlet<T>>,
}

impl<T> Both<'_, T> {
    fn len(&self) -> usize {
        self.outlet.items.len() + self.inlet.items.len()
    }

    /// How many items are loose (P3).
    pub(super) fn loose(&self) -> usize {
        self.len() - self.outlet.reserved
    }

    /// Lets an item in, if there is a place for it or a receiver that waits, whose waker it returns.
    pub(super) fn send(
        &mut self,
        item: T,
        capacity: usize,
    ) -> Result<Option<Waker>, TrySendError<T>> {
        if self.inlet.is_closed {
            return Err(TrySendError::Closed(item));
        }
        // P4.
        self.inlet.outlet_len_max = self.outlet.items.len();
        if let Ok((_, waker)) = self.inlet.receivers.grant_one(Call::Item) {
            self.inlet.items.push_back(item);
            self.outlet.reserved += 1;
            return Ok(Some(waker));
        }
        if self.loose() < capacity {
            // P2: nobody else waits for the place.
            self.inlet.items.push_back(item);
            Ok(None)
        } else {
            Err(TrySendError::Full(item))
        }
    }

    /// Takes a loose item, and lets that of the first sender that waits in, whose waker it returns.
    pub(super) fn recv(&mut self, capacity: usize) -> Result<(T, Option<Waker>), TryRecvError> {
        let mut sender = None;
        if self.loose() == 0 && capacity == 0 {
            sender = self.let_sender_in();
        }
        if self.loose() == 0 {
            let is_over = self.inlet.is_closed && self.outlet.reserved == 0;
            return Err(if is_over {
                TryRecvError::Closed
            } else {
                TryRecvError::Empty
            });
        }
        let item = self.pop();
        if self.loose() < capacity {
            sender = self.let_sender_in();
        }
        self.outlet.senders_wait = !self.inlet.senders.is_empty();
        Ok((item, sender))
    }

    /// Moves in what the first sender that waits has brought, and returns its waker.
    fn let_sender_in(&mut self) -> Option<Waker> {
        let (item, waker) = self.inlet.senders.grant_one(None).ok()?;
        self.inlet.items.extend(item);
        Some(waker)
    }

    /// Takes the first of the items, of which there is one.
    fn pop(&mut self) -> T {
        let Self { inlet, outlet } = self;
        if outlet.items.is_empty() {
            mem::swap(&mut outlet.items, &mut inlet.items);
        }
        let item = outlet.items.pop_front();
        inlet.outlet_len_max = outlet.items.len();
        item.expect("P3, or it was looked at")
    }

    /// Takes a reserved item. If it was the last of all, whoever waits is told.
    pub(super) fn take_reserved(&mut self) -> (T, Wakers) {
        let item = self.pop();
        self.outlet.reserved -= 1;
        (item, self.finish())
    }

    /// Gives a reservation to the next receiver that waits, whose waker it returns, or to nobody.
    pub(super) fn pass_on(&mut self) -> Option<Waker> {
        if let Ok((_, waker)) = self.inlet.receivers.grant_one(Call::Item) {
            return Some(waker);
        }
        self.outlet.reserved -= 1;
        None
    }

    pub(super) fn close(&mut self) -> Wakers {
        self.inlet.is_closed = true;
        self.outlet.is_closed = true;
        self.outlet.senders_wait = false;
        let mut wakers = self.finish();
        while let Some(waker) = self.inlet.senders.take_one() {
            wakers.push(waker);
        }
        wakers
    }

    /// Takes out all items, the older ones first.
    pub(super) fn discard(&mut self) -> (VecDeque<T>, VecDeque<T>) {
        // P3, also if a receiver that was called was leaked.
        self.outlet.reserved = 0;
        (
            mem::take(&mut self.outlet.items),
            mem::take(&mut self.inlet.items),
        )
    }

    /// Calls all receivers that wait, if the channel is closed and nothing can come any more (P6).
    fn finish(&mut self) -> Wakers {
        let mut wakers = Wakers::default();
        if self.outlet.is_closed && self.outlet.reserved == 0 {
            while let Some(waker) = self.inlet.receivers.take_one() {
                wakers.push(waker);
            }
        }
        wakers
    }
}
