//! Many readers of one postbox.
//!
//! Whoever finds the answer first moves it to a place of its own, from which each reader clones it.
//! The postbox has one waker, a bell, which wakes the readers in the order in which they began to
//! wait.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use super::abandoned::Abandoned;
use super::callbacks::CallbackKey;
use crate::loom::{Mutex, MutexGuard};
use crate::panics::Panics;
use crate::slots::{SlotKey, Slots};

/// A postbox of either kind, as its readers use it.
pub(super) trait Inbox<T>: Future<Output = Result<T, Abandoned>> + Unpin {
    /// What is called with the answer.
    type Callback: FnOnce(Result<&T, Abandoned>);

    /// Registers a callback, or gives it back if there is or was an answer.
    fn listen(&mut self, callback: Self::Callback) -> Result<CallbackKey, Self::Callback>;

    /// Takes a callback out, for the caller to drop.
    fn unlisten(&mut self, key: CallbackKey) -> Option<Self::Callback>;
}

/// What the readers of a postbox of type `P` share.
pub(super) struct Readers<P, T> {
    /// Not used any more once the answer is in its place.
    postbox: Mutex<P>,
    answer: OnceLock<Result<T, Abandoned>>,
    bell: Arc<Bell>,
    /// The bell as a waker.
    waker: Waker,
}

/// Who waits for the answer.
struct Bell {
    readers: Mutex<Slots<Waker>>,
}

/// A reader's place among those who wait, if it has polled.
#[derive(Debug, Default)]
pub(super) struct Place(Option<SlotKey>);

impl<P: Inbox<T>, T> Readers<P, T> {
    pub(super) fn new(postbox: P) -> Self {
        let bell = Arc::new(Bell {
            readers: Mutex::new(Slots::new()),
        });
        Self {
            postbox: Mutex::new(postbox),
            answer: OnceLock::new(),
            waker: Waker::from(Arc::clone(&bell)),
            bell,
        }
    }

    /// Returns the answer, if there is one.
    pub(super) fn answer(&self) -> Option<&Result<T, Abandoned>> {
        if self.answer.get().is_none() {
            let mut postbox = self.postbox();
            // Another thread may have been here first. No foreign code runs under the lock: the
            // waker is the bell's, and the answer is only moved.
            if self.answer.get().is_none()
                && let Poll::Ready(answer) =
                    Pin::new(&mut *postbox).poll(&mut Context::from_waker(&self.waker))
            {
                return Some(self.answer.get_or_init(|| answer));
            }
        }
        self.answer.get()
    }

    /// Returns the answer, or makes `waker` one of those who are woken for it.
    pub(super) fn poll(&self, place: &mut Place, waker: &Waker) -> Option<&Result<T, Abandoned>> {
        if self.answer.get().is_none() {
            self.bell.enter(place, waker);
        }
        let answer = self.answer();
        if answer.is_some() {
            self.bell.leave(place);
        }
        answer
    }

    /// Has `callback` called with the answer, at once if it is there.
    pub(super) fn on_set(&self, callback: P::Callback) -> CallbackKey {
        let registered = self.postbox().listen(callback);
        registered.unwrap_or_else(|callback| {
            if let Some(answer) = self.answer() {
                callback(answer.as_ref().map_err(|&abandoned| abandoned));
            }
            CallbackKey::NONE
        })
    }

    /// Takes a callback back and drops it. Returns whether it was there.
    pub(super) fn remove_callback(&self, key: CallbackKey) -> bool {
        let callback = self.postbox().unlisten(key);
        callback.is_some()
    }
}

impl<P, T> Readers<P, T> {
    /// Takes a reader off those who are woken.
    pub(super) fn leave(&self, place: &mut Place) {
        self.bell.leave(place);
    }

    /// Returns whether a reader has found the answer.
    pub(super) fn has_answer(&self) -> bool {
        self.answer.get().is_some()
    }

    fn postbox(&self) -> MutexGuard<'_, P> {
        // No foreign code runs under the lock, so a poisoned one holds a valid postbox.
        self.postbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bell {
    fn enter(&self, place: &mut Place, waker: &Waker) {
        if let Some(key) = &place.0
            && let Some(known) = self.readers().get_mut(key)
            && known.will_wake(waker)
        {
            return;
        }
        // Cloning and dropping is foreign code, so it is done outside of the lock.
        let mut clone = Some(waker.clone());
        let mut readers = self.readers();
        match place
            .0
            .and_then(|key| readers.get_mut(&key).zip(clone.as_mut()))
        {
            Some((known, waker)) => std::mem::swap(known, waker),
            None => place.0 = clone.take().map(|waker| readers.push_back(waker)),
        }
        drop(readers);
        drop(clone);
    }

    fn leave(&self, place: &mut Place) {
        if let Some(key) = place.0.take() {
            let waker = self.readers().remove(&key);
            drop(waker);
        }
    }

    fn readers(&self) -> MutexGuard<'_, Slots<Waker>> {
        // No foreign code runs under the lock, so a poisoned one holds a valid list.
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pop(&self, end: u64) -> Option<Waker> {
        self.readers().pop_front(end)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let end = self.readers().end();
        let mut panics = Panics::default();
        while let Some(waker) = self.pop(end) {
            panics.catch(|| waker.wake());
        }
        panics.resume();
    }
}
