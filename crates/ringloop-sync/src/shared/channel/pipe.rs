//! What the ends of a channel share: the items, and who waits.
//!
//! Two locks, so that who sends and who receives seldom meet. Items enter at the **inlet** and leave
//! at the **outlet**; when the outlet has none left, a receiver moves all that have gathered in the
//! inlet over at once. Everything that concerns both sides (somebody waits, or has to; the channel
//! is closed) happens under both locks, that of the outlet taken first. Wakers and items are
//! foreign code and are dropped, cloned and woken under neither.
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
use ringloop_core::panics::drop_quietly;

use crate::channel::{ChannelStatistics, TryRecvError, TrySendError};
use crate::host::Host;
use crate::loom::atomic::{AtomicUsize, Ordering};
use crate::loom::{Mutex, MutexGuard, lock};
use crate::shared::wait::Wait;
use crate::shared::wait_list::{Waiters, Wakers};

pub(super) struct Pipe<T> {
    outlet: Apart<Mutex<Outlet<T>>>,
    inlet: Apart<Mutex<Inlet<T>>>,
    /// `usize::MAX` if there is no bound.
    capacity: usize,
    senders: AtomicUsize,
    receivers: AtomicUsize,
}

/// Keeps what one side touches all the time off the cache lines of the other.
#[repr(align(128))]
struct Apart<V>(V);

struct Outlet<T> {
    items: VecDeque<T>,
    /// How many of all items are reserved.
    reserved: usize,
    senders_wait: bool,
    is_closed: bool,
}

struct Inlet<T> {
    items: VecDeque<T>,
    outlet_len_max: usize,
    is_closed: bool,
    /// Each brings its item, and is left nothing when that has moved in.
    senders: WaitList<Option<T>>,
    receivers: WaitList<Call>,
}

/// What a receiver is woken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// An item is reserved for it.
    Item,
    /// The channel is closed, and all items were received. Every receiver brings this.
    Closed,
}

impl<T> Pipe<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            outlet: Apart(Mutex::new(Outlet {
                items: VecDeque::new(),
                reserved: 0,
                senders_wait: false,
                is_closed: false,
            })),
            inlet: Apart(Mutex::new(Inlet {
                items: VecDeque::new(),
                outlet_len_max: 0,
                is_closed: false,
                senders: WaitList::new(),
                receivers: WaitList::new(),
            })),
            capacity,
            senders: AtomicUsize::new(1),
            receivers: AtomicUsize::new(1),
        }
    }

    #[inline]
    pub(super) fn try_send(&self, item: T) -> Result<(), TrySendError<T>> {
        let mut inlet = lock(&self.inlet.0);
        if inlet.has_room(self.capacity) {
            inlet.items.push_back(item);
            return Ok(());
        }
        drop(inlet);
        self.try_send_slowly(item)
    }

    fn try_send_slowly(&self, item: T) -> Result<(), TrySendError<T>> {
        let mut both = self.lock();
        let sent = both.send(item, self.capacity);
        drop(both);
        sent.map(wake)
    }

    /// Sends the item, or goes to the back of the line with it.
    pub(super) fn send_or_wait<H: Host>(
        &self,
        item: T,
        wait: &mut Wait<H>,
        waker: Waker,
    ) -> Option<Result<(), TrySendError<T>>> {
        let mut both = self.lock();
        let sent = match both.send(item, self.capacity) {
            Err(TrySendError::Full(item)) => {
                wait.enlist(&both.inlet.senders, Some(item), waker);
                both.outlet.senders_wait = true;
                return None;
            }
            sent => sent,
        };
        drop(both);
        drop_quietly(waker);
        Some(sent.map(wake))
    }

    #[inline]
    pub(super) fn try_recv(&self) -> Result<T, TryRecvError> {
        let mut outlet = lock(&self.outlet.0);
        if outlet.items.len() > outlet.reserved
            && !outlet.senders_wait
            && let Some(item) = outlet.items.pop_front()
        {
            return Ok(item);
        }
        self.try_recv_slowly(outlet)
    }

    fn try_recv_slowly(&self, outlet: MutexGuard<'_, Outlet<T>>) -> Result<T, TryRecvError> {
        let mut both = self.lock_inlet(outlet);
        let received = both.recv(self.capacity);
        drop(both);
        let (item, sender) = received?;
        wake(sender);
        Ok(item)
    }

    /// Receives an item, or goes to the back of the line.
    pub(super) fn recv_or_wait<H: Host>(
        &self,
        wait: &mut Wait<H>,
        waker: Waker,
    ) -> Option<Result<T, TryRecvError>> {
        let mut both = self.lock();
        let received = match both.recv(self.capacity) {
            Err(TryRecvError::Empty) => {
                wait.enlist(&both.inlet.receivers, Call::Closed, waker);
                return None;
            }
            received => received,
        };
        drop(both);
        drop_quietly(waker);
        let received = received.map(|(item, sender)| {
            wake(sender);
            item
        });
        Some(received)
    }

    /// Takes an item for a receiver that was called for it.
    pub(super) fn take_reserved(&self) -> T {
        let mut outlet = lock(&self.outlet.0);
        if !outlet.is_closed
            && let Some(item) = outlet.items.pop_front()
        {
            outlet.reserved -= 1;
            return item;
        }
        let mut both = self.lock_inlet(outlet);
        let (item, others) = both.take_reserved();
        drop(both);
        others.wake();
        item
    }

    /// Passes on what was reserved for a receiver that is gone.
    pub(super) fn pass_on(&self) {
        let mut both = self.lock();
        let next = both.pass_on();
        drop(both);
        wake(next);
    }

    /// Lets no more items in.
    pub(super) fn close(&self) {
        let mut both = self.lock();
        let waiters = both.close();
        drop(both);
        waiters.wake();
    }

    /// Closes the channel and drops the items: nobody will receive them.
    fn discard(&self) {
        let mut both = self.lock();
        let waiters = both.close();
        let items = both.discard();
        drop(both);
        waiters.wake();
        // A waker that panics drops them as well.
        drop(items);
    }

    pub(super) fn add_sender(&self) {
        // Relaxed: whoever adds one has one.
        self.senders.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn remove_sender(&self) {
        // Relaxed: the locks order what the senders did.
        if self.senders.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.close();
        }
    }

    pub(super) fn add_receiver(&self) {
        // Relaxed: whoever adds one has one.
        self.receivers.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn remove_receiver(&self) {
        // Relaxed: the locks order what the receivers did.
        if self.receivers.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.discard();
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        lock(&self.inlet.0).is_closed
    }

    /// How many items are loose.
    pub(super) fn len(&self) -> usize {
        self.lock().loose()
    }

    /// `None` if there is no bound.
    pub(super) fn capacity(&self) -> Option<usize> {
        (self.capacity != usize::MAX).then_some(self.capacity)
    }

    pub(super) fn statistics(&self) -> ChannelStatistics {
        let both = self.lock();
        ChannelStatistics {
            len: both.loose(),
            capacity: self.capacity(),
            is_closed: both.inlet.is_closed,
            // Relaxed: they may be out of date at once.
            senders: self.senders.load(Ordering::Relaxed),
            receivers: self.receivers.load(Ordering::Relaxed),
            waiting_senders: both.inlet.senders.len(),
            waiting_receivers: both.inlet.receivers.len(),
        }
    }

    fn lock(&self) -> Both<'_, T> {
        self.lock_inlet(lock(&self.outlet.0))
    }

    fn lock_inlet<'a>(&'a self, outlet: MutexGuard<'a, Outlet<T>>) -> Both<'a, T> {
        Both {
            outlet,
            inlet: lock(&self.inlet.0),
        }
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl<T> Inlet<T> {
    /// Whether it is sure that an item may come in and nobody has to be told.
    #[inline]
    fn has_room(&self, capacity: usize) -> bool {
        // P4: at most so many items are there. P2: so no sender waits.
        let len_max = self.items.len().saturating_add(self.outlet_len_max);
        len_max < capacity && !self.is_closed && self.receivers.is_empty()
    }
}

/// Both sides, locked.
struct Both<'a, T> {
    // Released in the order opposite to that in which they were taken.
    inlet: MutexGuard<'a, Inlet<T>>,
    outlet: MutexGuard<'a, Outlet<T>>,
}

impl<T> Both<'_, T> {
    fn len(&self) -> usize {
        self.outlet.items.len() + self.inlet.items.len()
    }

    /// How many items are loose (P3).
    fn loose(&self) -> usize {
        self.len() - self.outlet.reserved
    }

    /// Lets an item in, if there is a place for it or a receiver that waits, whose waker it returns.
    fn send(&mut self, item: T, capacity: usize) -> Result<Option<Waker>, TrySendError<T>> {
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
    fn recv(&mut self, capacity: usize) -> Result<(T, Option<Waker>), TryRecvError> {
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
    fn take_reserved(&mut self) -> (T, Wakers) {
        let item = self.pop();
        self.outlet.reserved -= 1;
        (item, self.finish())
    }

    /// Gives a reservation to the next receiver that waits, whose waker it returns, or to nobody.
    fn pass_on(&mut self) -> Option<Waker> {
        if let Ok((_, waker)) = self.inlet.receivers.grant_one(Call::Item) {
            return Some(waker);
        }
        self.outlet.reserved -= 1;
        None
    }

    fn close(&mut self) -> Wakers {
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
    fn discard(&mut self) -> (VecDeque<T>, VecDeque<T>) {
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

/// The senders of a pipe that wait.
pub(super) struct Senders<'a, T>(pub(super) &'a Pipe<T>);

impl<T> Waiters for Senders<'_, T> {
    type Value = Option<T>;

    fn with<R>(&self, access: impl FnOnce(&WaitList<Option<T>>) -> R) -> R {
        access(&lock(&self.0.inlet.0).senders)
    }
}

/// The receivers of a pipe that wait.
pub(super) struct Receivers<'a, T>(pub(super) &'a Pipe<T>);

impl<T> Waiters for Receivers<'_, T> {
    type Value = Call;

    fn with<R>(&self, access: impl FnOnce(&WaitList<Call>) -> R) -> R {
        access(&lock(&self.0.inlet.0).receivers)
    }
}
