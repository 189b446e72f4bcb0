//! The items of a queue, and who waits to put or to get one.
//!
//! An item lies in the buffer until a getter takes it. When a getter is woken, one of the items
//! becomes *reserved*: it stays where it is, and neither a getter that comes later nor `try_get` can
//! have it. Which one it is, is decided when the getter comes for it, so items come out in their order
//! whichever getters have gone by then. An item that is not reserved is *free*.
//!
//! A putter that waits has left its item with the list. When there is room for it, the item moves
//! into the buffer at once; the putter, when it runs, only hears of it.
//!
//! # Invariants
//!
//! They hold whenever foreign code runs (wakers, destructors, hosts), which is never while the buffer
//! is borrowed. A waker that uses the queue while it is cloned can come between a look and the
//! waiting that follows from it, so whoever has begun to wait calls
//! [`Exchange::settle_waiter`].
//!
//! - I1: `reserved` is at most the length of the buffer. Once the queue was closed at once, it is
//!   zero and the buffer is empty, for ever; a getter that was woken before finds nothing.
//! - I2: A getter waits only if no item is free.
//! - I3: A putter waits only if there are as many free items as the capacity, or more, and nobody
//!   waits for an item. More there are when a getter is gone that was woken.
//! - I4: In a closed queue no putter waits, and a getter waits only for an item that is reserved for
//!   another, which may go away.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::marker::PhantomData;

use ringloop_core::WaitList;
use ringloop_core::panics::Panics;

use super::buffer::Buffer;
use super::error::{TryGetError, TryPutError};
use super::finally::Finally;

/// The state of a queue.
pub(super) struct Exchange<T, B> {
    buffer: RefCell<B>,
    /// `usize::MAX`: there is no limit.
    capacity: usize,
    /// How many items are for getters that were woken and have not come yet.
    reserved: Cell<usize>,
    is_closed: Cell<bool>,
    pub(super) getters: WaitList<Handed>,
    /// With their items, which are gone once they are in the buffer.
    pub(super) putters: WaitList<Option<T>>,
    items: PhantomData<T>,
}

/// What a getter that waits is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handed {
    /// What it begins with. Once it was woken: the queue is closed.
    Nothing,
    /// One item is reserved for it.
    Item,
}

impl<T, B: Buffer<T>> Exchange<T, B> {
    pub(super) const fn new(capacity: usize) -> Self {
        Self {
            buffer: RefCell::new(B::EMPTY),
            capacity,
            reserved: Cell::new(0),
            is_closed: Cell::new(false),
            getters: WaitList::new(),
            putters: WaitList::new(),
            items: PhantomData,
        }
    }

    #[inline(always)]
    pub(super) fn try_put(&self, item: T) -> Result<(), TryPutError<T>> {
        if self.getters.is_empty() && !self.is_closed.get() {
            let mut buffer = self.buffer.borrow_mut();
            if buffer.len() - self.reserved.get() < self.capacity {
                buffer.push(item);
                return Ok(());
            }
        }
        self.hand_over(item)
    }

    /// Puts an item that is for somebody who waits.
    #[cold]
    fn hand_over(&self, item: T) -> Result<(), TryPutError<T>> {
        if self.is_closed.get() {
            return Err(TryPutError::Closed(item));
        }
        if self.getters.is_empty() {
            return Err(TryPutError::Full(item));
        }
        let grants = Finally::new(|| {
            // I2: nothing else is free.
            if let Ok((_, getter)) = self.getters.grant_one(Handed::Item) {
                self.reserved.update(|reserved| reserved + 1);
                getter.wake();
            }
        });
        self.buffer.borrow_mut().push(item);
        grants.run();
        Ok(())
    }

    #[inline(always)]
    pub(super) fn try_get(&self) -> Result<T, TryGetError> {
        // Made first: the buffer is not borrowed any more when it runs.
        let settles = Finally::new(|| {
            if !self.putters.is_empty() {
                self.settle();
            }
        });
        let mut buffer = self.buffer.borrow_mut();
        if buffer.len() > self.reserved.get()
            && let Some(item) = buffer.pop()
        {
            drop(buffer);
            settles.run();
            return Ok(item);
        }
        let is_drained = buffer.is_empty();
        drop(buffer);
        settles.forget();
        if self.putters.is_empty() && !self.is_closed.get() {
            return Err(TryGetError::Empty);
        }
        self.meet_putter(is_drained)
    }

    /// Takes the item of a putter that waits although nothing is free: this is a rendezvous.
    #[cold]
    fn meet_putter(&self, is_drained: bool) -> Result<T, TryGetError> {
        if self.is_closed.get() {
            return Err(if is_drained {
                TryGetError::Closed
            } else {
                TryGetError::Empty
            });
        }
        if self.putters.is_empty() {
            return Err(TryGetError::Empty);
        }
        match self.putters.grant_one(None) {
            Ok((Some(item), putter)) => {
                let tells = Finally::new(|| putter.wake());
                let item = self.behind_reserved(item);
                tells.run();
                Ok(item)
            }
            Ok((None, _)) => unreachable!("a putter that waits has an item"),
            Err(_) => Err(TryGetError::Empty),
        }
    }

    /// Puts an item that goes from hand to hand behind those that are reserved, and gives what comes
    /// out first: whoever was woken before gets what is left then.
    fn behind_reserved(&self, item: T) -> T {
        if self.reserved.get() == 0 {
            return item;
        }
        let mut buffer = self.buffer.borrow_mut();
        buffer.push(item);
        buffer.pop().expect("one was just pushed")
    }

    /// Takes an item for a getter that was left [`Handed::Item`]. `None`: the queue was closed at
    /// once, and the item is gone.
    pub(super) fn take_reserved(&self) -> Option<T> {
        let mut buffer = self.buffer.borrow_mut();
        if buffer.is_empty() {
            return None;
        }
        // Before the item, which may be lost to a comparison that panics.
        self.reserved.update(|reserved| reserved - 1);
        let item = buffer.pop();
        drop(buffer);
        if self.is_closed.get() {
            self.end_if_drained();
        }
        item
    }

    /// Gives the item to the next getter that was reserved for one who is gone.
    #[cold]
    pub(super) fn release_reserved(&self) {
        // The item may be gone: I1.
        if self.reserved.get() > 0 {
            self.reserved.update(|reserved| reserved - 1);
            self.grant();
        }
    }

    /// Reserves free items for getters that wait, as long as there are both.
    fn grant(&self) {
        while self.free() > 0
            && let Ok((_, getter)) = self.getters.grant_one(Handed::Item)
        {
            self.reserved.update(|reserved| reserved + 1);
            getter.wake();
        }
    }

    /// Makes the invariants hold for somebody who has begun to wait, if something has changed since
    /// the look that said so. Returns whether it has.
    #[inline]
    pub(super) fn settle_waiter(&self) -> bool {
        let can_put = !self.putters.is_empty() && self.has_room();
        let can_get = !self.getters.is_empty() && self.free() > 0;
        let is_unsettled = can_put || can_get || self.is_closed.get();
        if is_unsettled {
            self.settle();
        }
        is_unsettled
    }

    /// Makes the invariants hold after something has changed.
    #[cold]
    fn settle(&self) {
        if self.is_closed.get() {
            self.putters.wake_all();
            self.end_if_drained();
            return;
        }
        while self.has_room() {
            let Ok((item, putter)) = self.putters.grant_one(None) else {
                break;
            };
            let tells = Finally::new(|| putter.wake());
            let grants = Finally::new(|| self.grant());
            if let Some(item) = item {
                self.buffer.borrow_mut().push(item);
            }
            grants.run();
            tells.run();
        }
        self.grant();
    }

    /// Wakes all who wait, as there is nothing more to come.
    pub(super) fn close(&self) {
        self.is_closed.set(true);
        let mut panics = Panics::default();
        panics.catch(|| self.putters.wake_all());
        panics.catch(|| self.end_if_drained());
        panics.resume();
    }

    /// Closes and takes all items, also those that are reserved.
    pub(super) fn close_now(&self) -> B {
        self.reserved.set(0);
        let buffer = self.buffer.replace(B::EMPTY);
        self.close();
        buffer
    }

    fn end_if_drained(&self) {
        if self.len_with_reserved() == 0 {
            self.getters.wake_all();
        }
    }

    /// Whether a putter need not wait.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.free() < self.capacity || !self.getters.is_empty()
    }

    /// How many items a getter could have.
    #[inline]
    pub(super) fn free(&self) -> usize {
        self.len_with_reserved() - self.reserved.get()
    }

    #[inline]
    pub(super) fn len_with_reserved(&self) -> usize {
        self.buffer.borrow().len()
    }

    pub(super) const fn capacity(&self) -> Option<usize> {
        match self.capacity {
            usize::MAX => None,
            capacity => Some(capacity),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.get()
    }

    pub(super) fn describe(&self, debug: &mut fmt::DebugStruct<'_, '_>) {
        debug.field("len", &self.free());
        if let Some(capacity) = self.capacity() {
            debug.field("capacity", &capacity);
        }
        debug
            .field("is_closed", &self.is_closed())
            .field("waiting_getters", &self.getters.len())
            .field("waiting_putters", &self.putters.len());
    }
}
