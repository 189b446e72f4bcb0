//! What a server, its handles and its connections share.
//!
//! No borrow is held while tasks are asked, wakers woken, or addresses cloned and dropped.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use ringloop_task::cancel::CancelToken;
use ringloop_task::group::TaskGroup;
use ringloop_task::task::TaskRef;

use crate::sync::Notify;

/// The state of a [`Server`](super::Server).
pub(super) struct Shared<A> {
    /// Cancelled to stop accepting.
    pub(super) stop: CancelToken,
    /// What serves on behalf of it, from before it begins until it is over.
    parts: RefCell<BTreeMap<u64, Part<A>>>,
    next_part: Cell<u64>,
    /// Told when a part is over.
    pub(super) over: Notify,
    pub(super) counters: Counters,
}

/// One listener that is served.
struct Part<A> {
    address: Option<Rc<A>>,
    is_accepting: bool,
    is_exhausted: bool,
    connections: Option<Rc<dyn Fn() -> Vec<TaskRef>>>,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) accepted: Cell<u64>,
    pub(super) completed: Cell<u64>,
    pub(super) failed: Cell<u64>,
    pub(super) panicked: Cell<u64>,
    pub(super) accept_errors: Cell<u64>,
    pub(super) live: Cell<usize>,
}

impl<A> Shared<A> {
    pub(super) fn new() -> Self {
        Self {
            stop: CancelToken::new(),
            parts: RefCell::default(),
            next_part: Cell::new(0),
            over: Notify::new(),
            counters: Counters::default(),
        }
    }

    /// Returns whether a listener was served, or accepting was stopped, and nothing is left of it.
    pub(super) fn is_closed(&self) -> bool {
        let has_been = self.has_been() || self.stop.is_cancelled();
        has_been && self.parts.borrow().is_empty()
    }

    /// Returns whether there ever was a listener.
    pub(super) fn has_been(&self) -> bool {
        self.next_part.get() > 0
    }

    pub(super) fn is_accepting(&self) -> bool {
        let parts = self.parts.borrow();
        parts.values().any(|part| part.is_accepting)
    }

    pub(super) fn is_exhausted(&self) -> bool {
        let parts = self.parts.borrow();
        parts.values().any(|part| part.is_exhausted)
    }

    /// Returns the tasks of all live connections.
    pub(super) fn connections(&self) -> Vec<TaskRef> {
        let parts = self.parts.borrow();
        let lists = parts.values().filter_map(|part| part.connections.clone());
        let lists: Vec<_> = lists.collect();
        drop(parts);
        lists.iter().flat_map(|list| list()).collect()
    }
}

impl<A: Clone> Shared<A> {
    /// Returns where it accepts, or will.
    pub(super) fn local_addrs(&self) -> Vec<A> {
        let parts = self.parts.borrow();
        let addresses = parts.values().filter_map(|part| part.address.clone());
        let addresses: Vec<_> = addresses.collect();
        drop(parts);
        addresses.iter().map(|address| A::clone(address)).collect()
    }
}

/// A listener is or will be served on behalf of a server, until this is dropped.
pub(super) struct Attached<A> {
    pub(super) shared: Rc<Shared<A>>,
    key: u64,
}

impl<A> Attached<A> {
    pub(super) fn new(shared: &Rc<Shared<A>>, address: Option<Rc<A>>) -> Self {
        let key = shared.next_part.get();
        shared.next_part.set(key + 1);
        let part = Part {
            address,
            is_accepting: false,
            is_exhausted: false,
            connections: None,
        };
        shared.parts.borrow_mut().insert(key, part);
        Self {
            shared: Rc::clone(shared),
            key,
        }
    }

    /// The same listener, on behalf of another server.
    pub(super) fn move_to(self, shared: &Rc<Shared<A>>) -> Self {
        let mut address = None;
        self.change(|part| address = part.address.take());
        Self::new(shared, address)
    }

    /// It begins to accept; the connections are tasks of `group`.
    pub(super) fn open<E: 'static>(&self, group: &TaskGroup<E>) {
        let group = group.clone();
        let connections: Rc<dyn Fn() -> Vec<TaskRef>> = Rc::new(move || group.children());
        self.change(|part| {
            part.is_accepting = true;
            part.connections = Some(connections);
        });
    }

    /// It accepts no more.
    pub(super) fn shut(&self) {
        let mut address = None;
        self.change(|part| {
            part.is_accepting = false;
            part.is_exhausted = false;
            address = part.address.take();
        });
        drop(address);
    }

    /// It cannot accept for want of descriptors or memory, or can again.
    pub(super) fn set_exhausted(&self, is_exhausted: bool) {
        self.change(|part| part.is_exhausted = is_exhausted);
    }

    fn change(&self, change: impl FnOnce(&mut Part<A>)) {
        if let Some(part) = self.shared.parts.borrow_mut().get_mut(&self.key) {
            change(part);
        }
    }
}

impl<A> Drop for Attached<A> {
    fn drop(&mut self) {
        let part = self.shared.parts.borrow_mut().remove(&self.key);
        drop(part);
        if self.shared.is_closed() {
            self.shared.over.notify_waiters();
        }
    }
}
