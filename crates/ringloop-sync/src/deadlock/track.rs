//! What a guard and a wait remember of their entries in the graph.

use std::num::NonZeroU64;
use std::panic::Location;
use std::ptr;
use std::task::Waker;

use super::graph::{self, Entry};
use super::report::TaskLabel;
use crate::host::Host;

/// A lock, and the place in the source where it is taken or waited for.
#[derive(Clone, Copy)]
pub(crate) struct LockSite {
    pub(super) address: usize,
    pub(super) kind: &'static str,
    /// Whether who takes it has it alone.
    pub(super) is_exclusive: bool,
    pub(super) at: &'static Location<'static>,
}

impl LockSite {
    #[inline]
    pub(crate) fn exclusive<L>(
        lock: &L,
        kind: &'static str,
        at: &'static Location<'static>,
    ) -> Self {
        Self {
            address: ptr::from_ref(lock).addr(),
            kind,
            is_exclusive: true,
            at,
        }
    }

    #[inline]
    pub(crate) fn shared<L>(lock: &L, kind: &'static str, at: &'static Location<'static>) -> Self {
        Self {
            is_exclusive: false,
            ..Self::exclusive(lock, kind, at)
        }
    }
}

/// The entry of a lock that is held, if it is tracked. To be [released](Self::release).
#[derive(Clone, Copy, Default)]
pub(crate) struct Hold(Option<NonZeroU64>);

impl Hold {
    pub(crate) const NONE: Self = Self(None);

    /// Notes that the task that runs has taken a lock; with the waker it is polled with, if it is.
    #[inline]
    pub(crate) fn new<H: Host>(waker: Option<&Waker>, lock: impl FnOnce() -> LockSite) -> Self {
        match H::task(waker) {
            None => Self::NONE,
            Some(task) => Self::enter(task, lock()),
        }
    }

    #[cold]
    fn enter(task: TaskLabel, lock: LockSite) -> Self {
        Self(graph::with(|graph| graph.hold(Entry { task, lock })))
    }

    #[inline]
    pub(crate) fn is_tracked(self) -> bool {
        self.0.is_some()
    }

    /// Notes that `lock` is given up.
    pub(crate) fn release<L>(self, lock: &L) {
        if let Some(number) = self.0 {
            let address = ptr::from_ref(lock).addr();
            graph::with(|graph| graph.release(address, number));
        }
    }
}

/// The entry of a wait, if it is tracked. To be [ended](Self::end).
#[derive(Clone, Copy)]
pub(crate) struct Edge(Option<NonZeroU64>);

impl Edge {
    /// Notes that the task that runs is about to wait for a lock.
    #[inline]
    pub(crate) fn new<H: Host>(waker: &Waker, lock: impl FnOnce() -> LockSite) -> Self {
        let task = H::task(Some(waker));
        Self(task.and_then(|task| {
            let lock = lock();
            graph::with(|graph| graph.wait(Entry { task, lock }))
        }))
    }

    /// Reports the circle that the wait has closed. To be called when it is in its list, for the
    /// host's code may do anything.
    #[inline]
    pub(crate) fn look<H: Host>(self) {
        let circle = self
            .0
            .and_then(|number| graph::with(|graph| graph.circle(number)));
        if let Some(Some(deadlock)) = circle {
            H::report(&deadlock);
        }
    }

    /// Notes that the wait is over.
    #[inline]
    pub(crate) fn end(self) {
        if let Some(number) = self.0 {
            graph::with(|graph| graph.end_wait(number));
        }
    }
}
