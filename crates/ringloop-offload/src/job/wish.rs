//! The wish that a running job stop: a reason, and who wants to hear of it.
//!
//! The flag that a job is asked to stop is all that it looks at while it works. Reason and listeners
//! are in a box behind the lock of the [head](super::head). The flag is raised under that lock:
//! whoever finds it raised and then locks, finds the reason; and who has registered while it was
//! not, is woken. Wakers are cloned, woken and dropped without the lock.

use std::error::Error;
use std::mem;
use std::sync::Arc;
use std::task::Waker;

use super::head::{Head, Rare};
use super::state::Phase;
use crate::contain::{catch, drop_quietly};
use crate::loom::atomic::Ordering;
use crate::loom::lock;

/// Why a job should stop.
pub(crate) type Reason = Arc<dyn Error + Send + Sync>;

/// Names a listener of one job.
pub(crate) type ListenerKey = u64;

#[derive(Default)]
pub(super) struct Wish {
    reason: Option<Reason>,
    listeners: Vec<(ListenerKey, Waker)>,
    next_key: ListenerKey,
}

impl Head {
    /// Whether the job was asked to stop.
    pub(crate) fn is_asked(&self) -> bool {
        self.is_asked.load(Ordering::Relaxed)
    }

    /// Asks a running job to stop, and wakes the listeners. The first reason stays.
    pub(super) fn ask(&self, reason: Option<Reason>) {
        let mut rare = lock(&self.rare);
        // If the end has let go of listeners, this sees that the job has ended, because of the lock.
        if self.is_asked() || self.state.phase() != Phase::Running {
            drop(rare);
            return;
        }
        if reason.is_some() {
            rare.rarer.get_or_insert_default().wish.reason = reason;
        }
        self.is_asked.store(true, Ordering::Relaxed);
        let listeners = rare.take_listeners();
        drop(rare);
        for (_key, waker) in listeners {
            if let Err(payload) = catch(move || waker.wake()) {
                drop_quietly(payload);
            }
        }
    }

    /// Why the job should stop, if somebody has said so.
    pub(crate) fn reason(&self) -> Option<Reason> {
        if !self.is_asked() {
            return None;
        }
        lock(&self.rare).rarer.as_ref()?.wish.reason.clone()
    }

    /// Registers a listener, in place of that of `key` if there is one. `None`: the job was asked.
    /// One that comes after the end is not kept.
    pub(crate) fn listen(&self, key: Option<ListenerKey>, waker: &Waker) -> Option<ListenerKey> {
        let waker = waker.clone();
        let mut rare = lock(&self.rare);
        if self.is_asked() {
            drop(rare);
            return None;
        }
        let (key, replaced) = rare.rarer.get_or_insert_default().wish.put(key, waker);
        drop(rare);
        drop(replaced);
        // Before the end, it lets go of the listener; after it, that is up to this call.
        if !self.state.listen() {
            self.unlisten(key);
        }
        Some(key)
    }

    /// Takes a listener out.
    pub(crate) fn unlisten(&self, key: ListenerKey) {
        let mut rare = lock(&self.rare);
        let rarer = rare.rarer.as_mut();
        let removed = rarer.and_then(|rarer| rarer.wish.remove(key));
        drop(rare);
        drop(removed);
    }

    /// Drops the wakers of all listeners: the job has ended, and nobody will ask it any more.
    #[cold]
    pub(super) fn let_listeners_go(&self) {
        let listeners = lock(&self.rare).take_listeners();
        listeners.into_iter().for_each(drop_quietly);
    }
}

impl Rare {
    fn take_listeners(&mut self) -> Vec<(ListenerKey, Waker)> {
        let rarer = self.rarer.as_mut();
        rarer.map_or_else(Vec::new, |rarer| rarer.wish.take_listeners())
    }
}

impl Drop for Wish {
    /// The last that is seen of a job may be the worker that has run it: no panic may come of that.
    fn drop(&mut self) {
        drop_quietly(self.reason.take());
        self.take_listeners().into_iter().for_each(drop_quietly);
    }
}

impl Wish {
    /// Takes out all wakers, to be woken or dropped without the lock.
    fn take_listeners(&mut self) -> Vec<(ListenerKey, Waker)> {
        mem::take(&mut self.listeners)
    }

    /// Registers a waker, in place of that of `key` if there is one. Returns the replaced one, too.
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
