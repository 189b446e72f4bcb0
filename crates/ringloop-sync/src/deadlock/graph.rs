//! Who has which lock and who waits for which, on this thread.
//!
//! Tasks and locks are the nodes: an entry of `holds` leads from a lock to a task, one of `waits`
//! from a task to a lock. A lock is known by its address, which it keeps as long as it has guards
//! and waits, for these borrow it.
//!
//! A circle is closed by a wait, for who gets a lock goes on; so to look when a wait begins is
//! enough. A lock that was handed over has no hold until its new owner comes for it.
//!
//! A waiter that waits behind others for an [`RwLock`](crate::RwLock) waits for those who have it,
//! too: the first in line needs all of them gone, and the others need the first one gone.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;
use std::ops::RangeInclusive;

use super::report::{Blocked, Deadlock, TaskLabel};
use super::track::LockSite;

/// The entries of a thread. Numbers are never used again.
#[derive(Default)]
pub(super) struct Graph {
    last: u64,
    /// By lock and number.
    holds: BTreeMap<(usize, u64), Entry>,
    waits: BTreeMap<u64, Entry>,
    /// By task, and the number of the wait.
    waits_of: BTreeSet<(u64, u64)>,
}

/// A task that has, or waits for, a lock.
pub(super) struct Entry {
    pub(super) task: TaskLabel,
    pub(super) lock: LockSite,
}

/// A wait, and what it waits for.
struct Link<'a> {
    wait: &'a Entry,
    hold: &'a Entry,
    /// The place of the link that led here.
    from: Option<usize>,
}

thread_local! {
    static GRAPH: RefCell<Graph> = RefCell::default();
}

/// Runs `f` with the graph of this thread; at the end of the thread there is none.
pub(super) fn with<R>(f: impl FnOnce(&mut Graph) -> R) -> Option<R> {
    GRAPH.try_with(|graph| f(&mut graph.borrow_mut())).ok()
}

impl Graph {
    fn number(&mut self) -> NonZeroU64 {
        self.last += 1;
        NonZeroU64::new(self.last).expect("there are not that many locks")
    }

    pub(super) fn hold(&mut self, entry: Entry) -> NonZeroU64 {
        let address = entry.lock.address;
        if entry.lock.is_exclusive {
            // Guards that were forgotten, of a lock that was in this place.
            let forgotten: Vec<_> = self.holds_of(address).map(|(&key, _)| key).collect();
            for key in forgotten {
                self.holds.remove(&key);
            }
        }
        let number = self.number();
        self.holds.insert((address, number.get()), entry);
        number
    }

    pub(super) fn release(&mut self, address: usize, number: NonZeroU64) {
        self.holds.remove(&(address, number.get()));
    }

    pub(super) fn wait(&mut self, entry: Entry) -> NonZeroU64 {
        let number = self.number();
        self.waits_of.insert((entry.task.id(), number.get()));
        self.waits.insert(number.get(), entry);
        number
    }

    pub(super) fn end_wait(&mut self, number: NonZeroU64) {
        if let Some(entry) = self.waits.remove(&number.get()) {
            self.waits_of.remove(&(entry.task.id(), number.get()));
        }
    }

    /// Looks for the shortest circle that a wait is part of.
    pub(super) fn circle(&self, number: NonZeroU64) -> Option<Deadlock> {
        let first = self.waits.get(&number.get())?;
        let mut links = Vec::new();
        self.follow(first, None, &mut links);
        let mut seen = BTreeSet::new();
        let mut place = 0;
        while let Some(hold) = links.get(place).map(|link| link.hold) {
            let owner = hold.task.id();
            if owner == first.task.id() {
                return Some(trace(&links, place));
            }
            if seen.insert(owner) {
                for &(_, wait) in self.waits_of.range((owner, 0)..=(owner, u64::MAX)) {
                    self.follow(&self.waits[&wait], Some(place), &mut links);
                }
            }
            place += 1;
        }
        None
    }

    /// Adds all that a wait waits for.
    fn follow<'a>(&'a self, wait: &'a Entry, from: Option<usize>, links: &mut Vec<Link<'a>>) {
        let holds = self.holds_of(wait.lock.address);
        links.extend(holds.map(|(_, hold)| Link { wait, hold, from }));
    }

    fn holds_of(&self, address: usize) -> impl Iterator<Item = (&(usize, u64), &Entry)> {
        let all: RangeInclusive<_> = (address, 0)..=(address, u64::MAX);
        self.holds.range(all)
    }
}

/// The way to a link from the first wait.
fn trace(links: &[Link<'_>], last: usize) -> Deadlock {
    let mut circle = Vec::new();
    let mut next = Some(last);
    while let Some(place) = next {
        let Link { wait, hold, from } = &links[place];
        circle.push(Blocked {
            task: wait.task.clone(),
            waits_at: wait.lock.at,
            lock: wait.lock.kind,
            taken_at: hold.lock.at,
        });
        next = *from;
    }
    circle.reverse();
    Deadlock { circle }
}
