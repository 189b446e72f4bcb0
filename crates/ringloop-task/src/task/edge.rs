//! Who waits for whose end.
//!
//! A task that awaits another's handle leaves its waker there, and the waker shows which task it
//! wakes: the usual edge costs nothing. Two kinds of waits have to say more: one that is polled
//! with a waker of its own (by a collection of futures) notes [`Edges`], and so does one that waits
//! for many tasks at once; a group is a [`Hub`] of its own.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::{Rc, Weak};
use std::task::Waker;

use super::id::TaskId;
use super::pointer::TaskPtr;
use super::reference::{self, TaskRef};
use super::waker;
use crate::context;
use crate::home::Home;

/// Something that waits for the ends of tasks.
pub(crate) trait Hub {
    /// Returns the tasks that are waited for. Those that have ended may be among them.
    fn awaited(&self) -> Vec<TaskId>;
}

/// Says that a task waits for the ends of others, until it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Edges {
    awaited: Rc<Awaited>,
    /// Who was noted to wait.
    waiter: Option<TaskId>,
}

/// By place; places are used again.
#[derive(Debug, Default)]
struct Awaited(RefCell<Vec<Option<TaskId>>>);

impl Edges {
    /// Notes that the current task waits for these; nothing outside of a task.
    pub(crate) fn here(awaited: impl IntoIterator<Item = TaskId>) -> Self {
        let mut edges = Self::default();
        let awaited = awaited.into_iter().map(Some);
        edges.awaited.0.borrow_mut().extend(awaited);
        edges.note();
        edges
    }

    /// Sets which task is waited for at a place.
    pub(crate) fn set(&self, place: usize, task: Option<TaskId>) {
        let mut awaited = self.awaited.0.borrow_mut();
        if awaited.len() <= place {
            awaited.resize(place + 1, None);
        }
        awaited[place] = task;
    }

    /// Notes that the current task is the one that waits. Not for two that take turns: both are
    /// noted, again and again.
    pub(crate) fn note(&mut self) {
        let waiter = context::with_home(|home| home.current.get().map(reference::id_of)).flatten();
        if waiter.is_some() && self.waiter != waiter {
            self.waiter = waiter;
            Hubs::add(&self.awaited);
        }
    }
}

impl Hub for Awaited {
    fn awaited(&self) -> Vec<TaskId> {
        self.0.borrow().iter().flatten().copied().collect()
    }
}

/// The hubs of a scheduler, with the tasks that wait. Those that are gone are forgotten later, all
/// at once.
#[derive(Default)]
pub(crate) struct Hubs {
    hubs: RefCell<Vec<(TaskId, Weak<dyn Hub>)>>,
    /// With so many it is time to look for those that are gone.
    full: Cell<usize>,
}

impl Hubs {
    /// Notes that the current task waits for what `hub` says, as long as that exists.
    pub(crate) fn add(hub: &Rc<impl Hub + 'static>) {
        context::with_home(|home| {
            if let Some(waiter) = home.current.get() {
                home.hubs.push(reference::id_of(waiter), hub);
            }
        });
    }

    fn push(&self, waiter: TaskId, hub: &Rc<impl Hub + 'static>) {
        let Self { hubs, full } = self;
        let mut hubs = hubs.borrow_mut();
        if hubs.len() >= full.get() {
            hubs.retain(|(_, hub)| hub.strong_count() > 0);
            full.set((hubs.len() * 2).max(HUBS_MIN));
        }
        let hub: Rc<dyn Hub> = hub.clone();
        hubs.push((waiter, Rc::downgrade(&hub)));
    }
}

impl fmt::Debug for Hubs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hubs")
            .field("len", &self.hubs.borrow().len())
            .finish_non_exhaustive()
    }
}

/// Returns who waits for whom among the tasks that have not ended: the waiting one comes second.
pub(super) fn all(home: &Home) -> Vec<(TaskId, TaskId)> {
    let live = home.registry.live();
    let mut edges = Vec::new();
    for task in &live {
        let waiters = waiters_of(task.0);
        edges.extend(waiters.into_iter().map(|waiter| (task.id(), waiter)));
    }
    let hubs = home.hubs.hubs.borrow();
    let hubs = hubs.iter();
    let hubs: Vec<_> = hubs
        .filter_map(|(waiter, hub)| Some((*waiter, hub.upgrade()?)))
        .collect();
    for (waiter, hub) in hubs {
        edges.extend(hub.awaited().into_iter().map(|task| (task, waiter)));
    }
    let is_live = |id| live.binary_search_by_key(&id, TaskRef::id).is_ok();
    edges.retain(|&(task, waiter)| is_live(task) && is_live(waiter));
    edges.sort_unstable();
    edges.dedup();
    edges
}

/// Returns who waits for a task by its handle.
fn waiters_of(task: TaskPtr) -> Vec<TaskId> {
    let header = task.header();
    let behind = |waker: &Waker| waker::task_behind(waker, header.gate).map(reference::id_of);
    let joiner = header.joiner.take();
    let mut waiters: Vec<_> = joiner.as_ref().and_then(behind).into_iter().collect();
    header.joiner.set(joiner);
    if let Some(cold) = header.cold.get() {
        waiters.extend(cold.waiters.borrow().iter().filter_map(behind));
    }
    waiters
}

/// So many hubs are kept before those that are gone are looked for.
const HUBS_MIN: usize = 64;

#[cfg(test)]
mod tests;
