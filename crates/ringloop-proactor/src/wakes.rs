//! Whom a batch of completions wakes.
//!
//! A waker that is needed once moves into the list. That of a reader stays where it is registered, and
//! is lent to the list: a reader that waits again finds it in its place, so that a message costs
//! neither a clone nor a release.
//!
//! Wakers are foreign code, and one of a batch may drop the stream of another, or register a new waker
//! with it. So a waker that leaves its place while any is lent is kept until the batch is over.
//!
//! # Invariants
//!
//! - **W1** A [`Lent`] is a copy of a waker that is, or was, in a [`Registered`]. It wakes by
//!   reference, and is never dropped as a waker.
//! - **W2** A waker leaves a `Registered` as a [`Retired`], and that is dropped as a waker by
//!   [`Wakes`] only, when no copy of any is left: none is in the list, and no batch is being run.
//! - **W3** All of this is one thread's. A copy is made while the list is borrowed, and then no foreign
//!   code runs.

#![expect(
    unsafe_code,
    reason = "a waker is copied, and used while the original is kept"
)]

use std::cell::Cell;
use std::fmt;
use std::mem::{self, ManuallyDrop};
use std::ptr;
use std::task::Waker;

/// The waker of somebody who waits again and again.
#[derive(Default)]
pub(crate) struct Registered(Cell<Option<ManuallyDrop<Waker>>>);

/// A waker that was registered.
#[must_use = "it is leaked, unless the list takes it"]
pub(crate) struct Retired(ManuallyDrop<Waker>);

/// A copy of a registered waker.
pub(crate) struct Lent(ManuallyDrop<Waker>);

/// Whom to wake, and whose wakers are kept meanwhile.
#[derive(Default)]
pub(crate) struct Wakes {
    own: Vec<Waker>,
    lent: Vec<Lent>,
    /// So many batches are being run: one that wakes may take a turn.
    running: u32,
    retired: Vec<Retired>,
}

impl Registered {
    /// Whether the registered waker wakes the same task as `waker`.
    #[inline]
    pub(crate) fn is(&self, waker: &Waker) -> bool {
        let known = self.0.take();
        let is_same = known.as_ref().is_some_and(|known| known.will_wake(waker));
        self.0.set(known);
        is_same
    }

    /// Registers `waker` and returns the one before.
    pub(crate) fn replace(&self, waker: Waker) -> Option<Retired> {
        let waker = Some(ManuallyDrop::new(waker));
        self.0.replace(waker).map(Retired)
    }

    /// Returns the registered waker, and leaves none.
    pub(crate) fn take(&self) -> Option<Retired> {
        self.0.take().map(Retired)
    }

    /// Puts the registered waker on the list, if there is one.
    #[inline]
    pub(crate) fn lend(&self, wakes: &mut Wakes) {
        // A look without the growth, which would need more registers.
        if wakes.lent.len() == wakes.lent.capacity() {
            return self.lend_more(wakes);
        }
        // SAFETY: W3, nobody changes the cell during the look.
        if let Some(waker) = unsafe { &*self.0.as_ptr() } {
            // SAFETY: W1 and W2, the copy is not dropped, and not used after the original is.
            wakes.lent.push(Lent(unsafe { ptr::read(waker) }));
        }
    }

    #[cold]
    #[inline(never)]
    fn lend_more(&self, wakes: &mut Wakes) {
        wakes.lent.reserve(1);
        self.lend(wakes);
    }
}

impl Lent {
    #[inline]
    pub(crate) fn wake(self) {
        // W1 and W2: the original is there.
        self.0.wake_by_ref();
    }
}

/// What a batch wakes, taken out of the list.
pub(crate) struct Batch {
    pub(crate) own: Vec<Waker>,
    pub(crate) lent: Vec<Lent>,
}

impl Wakes {
    #[inline]
    pub(crate) fn push(&mut self, waker: Waker) {
        self.own.push(waker);
    }

    /// How many there are to wake.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.own.len() + self.lent.len()
    }

    /// Takes out what there is. It is to be [ended](Self::end) when all of it has been woken.
    #[inline]
    pub(crate) fn begin(&mut self) -> Batch {
        self.running += 1;
        Batch {
            own: mem::take(&mut self.own),
            lent: mem::take(&mut self.lent),
        }
    }

    /// Keeps the memory of a batch that has been woken for the next one.
    #[inline]
    pub(crate) fn keep(&mut self, batch: Batch) {
        if self.own.is_empty() {
            self.own = batch.own;
        }
        // W2: if there are lent ones in the list, the memory is given up, and nothing is in it.
        if self.lent.is_empty() && batch.lent.is_empty() {
            self.lent = batch.lent;
        }
    }

    /// A batch has been woken. Returns whose wakers nobody needs any more, to be
    /// [dropped](Retired::dispose) with no borrow alive.
    #[inline]
    pub(crate) fn end(&mut self) -> Vec<Retired> {
        self.running -= 1;
        if self.is_lending() {
            return Vec::new();
        }
        mem::take(&mut self.retired)
    }

    /// Takes a waker that was registered; returns it if it is to be dropped at once.
    pub(crate) fn retire(&mut self, retired: Retired) -> Option<Retired> {
        if !self.is_lending() {
            return Some(retired);
        }
        self.retired.push(retired);
        None
    }

    #[inline]
    fn is_lending(&self) -> bool {
        self.running > 0 || !self.lent.is_empty()
    }
}

impl Extend<Waker> for Wakes {
    #[inline]
    fn extend<I: IntoIterator<Item = Waker>>(&mut self, wakers: I) {
        self.own.extend(wakers);
    }
}

impl Retired {
    /// Drops the waker. Only for what [`Wakes`] has given out (W2).
    pub(crate) fn dispose(self) {
        drop(ManuallyDrop::into_inner(self.0));
    }
}

impl fmt::Debug for Wakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wakes")
            .field("own", &self.own)
            .field("lent", &self.lent.len())
            .field("retired", &self.retired.len())
            .finish_non_exhaustive()
    }
}
