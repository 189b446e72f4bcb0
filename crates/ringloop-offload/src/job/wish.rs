//! The wish that a running job stop: a flag, a reason, and who wants to hear of it.
//!
//! The flag is all that a job looks at while it works. Reason and listeners are behind a lock and a
//! box, because most jobs have neither. The flag is raised under the lock: whoever finds it raised
//! and then locks, finds the reason; and who has registered while it was not, is woken.
//! Wakers are cloned, woken and dropped outside of the lock.

use std::error::Error;
use std::mem;
use std::sync::Arc;
use std::task::Waker;

use crate::contain::{catch, drop_quietly};
use crate::loom::atomic::{AtomicBool, Ordering};
use crate::loom::{Mutex, lock};

/// Why a job should stop.
pub(crate) type Reason = Arc<dyn Error + Send + Sync>;

/// Names a listener of one job.
pub(crate) type ListenerKey = u64;

pub(crate) struct Wish {
    // Relaxed throughout: it carries a wish and publishes nothing. The lock publishes the reason.
    is_raised: AtomicBool,
    details: Mutex<Option<Box<Details>>>,
}

#[derive(Default)]
struct Details {
    reason: Option<Reason>,
    listeners: Vec<(ListenerKey, Waker)>,
    next_key: ListenerKey,
}

impl Wish {
    pub(super) fn new() -> Self {
        Self {
            is_raised: AtomicBool::new(false),
            details: Mutex::new(None),
        }
    }

    pub(crate) fn is_raised(&self) -> bool {
        self.is_raised.load(Ordering::Relaxed)
    }

    /// Raises the flag and wakes the listeners, if `is_running`. The first reason stays.
    ///
    /// If the end has let go of listeners, this sees that the job has ended, because of the lock.
    pub(super) fn raise(&self, reason: Option<Reason>, is_running: impl FnOnce() -> bool) {
        let mut details = lock(&self.details);
        if self.is_raised() || !is_running() {
            drop(details);
            return;
        }
        if reason.is_some() {
            details.get_or_insert_default().reason = reason;
        }
        self.is_raised.store(true, Ordering::Relaxed);
        let listeners = details.as_mut().map(|details| details.take_listeners());
        drop(details);
        for (_key, waker) in listeners.into_iter().flatten() {
            if let Err(payload) = catch(move || waker.wake()) {
                drop_quietly(payload);
            }
        }
    }

    pub(crate) fn reason(&self) -> Option<Reason> {
        if !self.is_raised() {
            return None;
        }
        lock(&self.details).as_ref()?.reason.clone()
    }

    /// Registers a waker, in place of that of `key` if there is one. `None`: the flag is raised.
    pub(super) fn listen(&self, key: Option<ListenerKey>, waker: &Waker) -> Option<ListenerKey> {
        let waker = waker.clone();
        let mut details = lock(&self.details);
        if self.is_raised() {
            drop(details);
            return None;
        }
        let (key, replaced) = details.get_or_insert_default().put(key, waker);
        drop(details);
        drop(replaced);
        Some(key)
    }

    /// Takes a listener out.
    pub(crate) fn unlisten(&self, key: ListenerKey) {
        let mut details = lock(&self.details);
        let removed = details.as_mut().and_then(|details| details.remove(key));
        drop(details);
        drop(removed);
    }

    /// Drops the wakers of all listeners: the job has ended, and nobody will ask it any more.
    pub(super) fn close(&self) {
        let mut details = lock(&self.details);
        let listeners = details.as_mut().map(|details| details.take_listeners());
        drop(details);
        for listener in listeners.into_iter().flatten() {
            drop_quietly(listener);
        }
    }
}

impl Drop for Details {
    /// The last that is seen of a job may be the worker that has run it: no panic may come of that.
    fn drop(&mut self) {
        drop_quietly(self.reason.take());
        self.take_listeners().into_iter().for_each(drop_quietly);
    }
}

impl Details {
    fn take_listeners(&mut self) -> Vec<(ListenerKey, Waker)> {
        mem::take(&mut self.listeners)
    }

    fn put(&mut self, key: Option<ListenerKey>, waker: Waker) -> (ListenerKey, Option<Waker>) {
        let known = self.listeners.iter_mut().find(|(k, _)| Some(*k) == key);
        if let Some((key, place)) = known {
            return (*key, Some(mem::replace(place, waker)));
        }
        let key = self.next_key;
        self.next_key += 1;
        self.listeners.push((key, waker));
        (key, None)
    }

    fn remove(&mut self, key: ListenerKey) -> Option<Waker> {
        let index = self.listeners.iter().position(|(k, _)| *k == key)?;
        Some(self.listeners.swap_remove(index).1)
    }
}
