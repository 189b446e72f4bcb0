//! Room for so many at a time, first come, first served.
//!
//! A slot that is given back while somebody waits is handed to whoever waits longest, so nobody
//! barges in between; one who is gone when that happens hands it on.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use ringloop_core::{WaitKey, WaitList};

use crate::cancel::{CancelWatch, Cancelled};

/// The slots of a pool.
#[derive(Debug)]
pub(super) struct Slots {
    limit: usize,
    /// Slots that nobody has. None while somebody waits.
    free: Cell<usize>,
    waiters: WaitList,
    /// Who waits until all slots are free.
    idle: WaitList,
}

impl Slots {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            free: Cell::new(limit),
            waiters: WaitList::new(),
            idle: WaitList::new(),
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    pub(super) fn free(&self) -> usize {
        self.free.get()
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiters.len()
    }

    /// Takes a slot, if one is free.
    pub(super) fn try_take(self: &Rc<Self>) -> Option<Slot> {
        let left = self.free.get().checked_sub(1)?;
        self.free.set(left);
        Some(Slot(Rc::clone(self)))
    }

    /// Gives a slot back.
    fn put(&self) {
        if let Some(waiter) = self.waiters.take_one() {
            waiter.wake();
            return;
        }
        self.free.set(self.free.get() + 1);
        if self.is_idle() {
            self.idle.wake_all();
        }
    }

    fn is_idle(&self) -> bool {
        self.free.get() == self.limit
    }
}

/// A slot that somebody has. Its drop gives it back.
#[derive(Debug)]
pub(super) struct Slot(Rc<Slots>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.put();
    }
}

/// A place in the line for a slot.
#[derive(Debug)]
pub(super) struct Line {
    slots: Rc<Slots>,
    key: Option<WaitKey>,
}

impl Line {
    pub(super) fn new(slots: &Rc<Slots>) -> Self {
        Self {
            slots: Rc::clone(slots),
            key: None,
        }
    }

    /// Takes a slot, or waits in line for one.
    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<Slot> {
        let Some(key) = self.key.take() else {
            if let Some(slot) = self.slots.try_take() {
                return Poll::Ready(slot);
            }
            self.key = Some(self.slots.waiters.push(cx.waker()));
            return Poll::Pending;
        };
        if self.slots.waiters.update(&key, cx.waker()) {
            self.key = Some(key);
            return Poll::Pending;
        }
        // Who was woken has the slot.
        self.slots.waiters.remove(key);
        Poll::Ready(Slot(Rc::clone(&self.slots)))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(key) = self.key.take()
            && !self.slots.waiters.remove(key)
        {
            self.slots.put();
        }
    }
}

/// Waits for a slot.
#[derive(Debug)]
pub(super) struct Take {
    line: Line,
    watch: CancelWatch,
    has_begun: bool,
}

impl Take {
    pub(super) fn new(slots: &Rc<Slots>, watch: CancelWatch) -> Self {
        Self {
            line: Line::new(slots),
            watch,
            has_begun: false,
        }
    }
}

impl Future for Take {
    type Output = Result<Slot, Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if !this.has_begun {
            this.watch.poll_cancelled(cx)?;
            this.has_begun = true;
        }
        if let Poll::Ready(slot) = this.line.poll(cx) {
            return Poll::Ready(Ok(slot));
        }
        this.watch.poll_cancelled(cx)?;
        Poll::Pending
    }
}

/// Waits until all slots are free; see [`Pool::join`](super::Pool::join).
#[must_use = "futures do nothing unless awaited"]
#[derive(Debug)]
pub struct JoinPool {
    slots: Rc<Slots>,
    key: Option<WaitKey>,
    watch: CancelWatch,
}

impl JoinPool {
    #[track_caller]
    pub(super) fn new(slots: &Rc<Slots>) -> Self {
        Self {
            slots: Rc::clone(slots),
            key: None,
            watch: CancelWatch::new(),
        }
    }
}

impl Future for JoinPool {
    type Output = Result<(), Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.slots.is_idle() {
            return Poll::Ready(Ok(()));
        }
        this.watch.poll_cancelled(cx)?;
        let is_waiting = |key: &WaitKey| this.slots.idle.update(key, cx.waker());
        if !this.key.as_ref().is_some_and(is_waiting) {
            this.key = Some(this.slots.idle.push(cx.waker()));
        }
        Poll::Pending
    }
}

impl Drop for JoinPool {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.slots.idle.remove(key);
        }
    }
}
