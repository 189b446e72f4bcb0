//! What the ends of a channel share: the items, and who waits.
//!
//! Two locks, so that who sends and who receives seldom meet. Items enter at the **inlet** and leave
//! at the **outlet**; when the outlet has none left, a receiver moves all that have gathered in the
//! inlet over at once. Everything that concerns both sides (somebody waits, or has to; the channel
//! is closed) happens under both locks, that of the outlet taken first. Wakers and items are
//! foreign code and are dropped, cloned and woken under neither.
//!
//! P1 to P6 below are the invariants of the [sides](super::sides).

use std::task::Waker;

use ringloop_core::WaitList;
use ringloop_core::panics::drop_quietly;

use super::sides::{Both, Call, Inlet, Outlet};
use crate::channel::{ChannelStatistics, TryRecvError, TrySendError};
use crate::host::Host;
use crate::loom::atomic::{AtomicUsize, Ordering};
use crate::loom::{Mutex, MutexGuard, lock};
use crate::shared::wait::Wait;
use crate::shared::wait_list::Waiters;

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

impl<T> Pipe<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            outlet: Apart(Mutex::new(Outlet::new())),
            inlet: Apart(Mutex::new(Inlet::new())),
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
