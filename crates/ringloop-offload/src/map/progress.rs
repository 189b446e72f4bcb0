//! How far a map has come.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// A snapshot of how far a [`Map`](crate::Map) has come.
///
/// Each number is right for some moment while it was read; while items are run, those moments
/// differ a little.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MapProgress {
    /// Items taken from the iterator.
    pub pulled: u64,
    /// Items that are being run.
    pub running: usize,
    /// Items whose result is there, yielded or not; an error is a result.
    pub done: u64,
    /// Results that were handed out.
    pub yielded: u64,
}

/// Tells how far a [`Map`](crate::Map) has come, from anywhere. Made by
/// [`Map::meter`](crate::Map::meter).
#[derive(Clone)]
pub struct MapMeter {
    counters: Arc<Counters>,
}

/// The counters of one map. Relaxed throughout: they are for people to look at.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) pulled: AtomicU64,
    pub(super) running: AtomicUsize,
    pub(super) done: AtomicU64,
    pub(super) yielded: AtomicU64,
}

impl MapMeter {
    pub(super) fn new(counters: &Arc<Counters>) -> Self {
        Self {
            counters: Arc::clone(counters),
        }
    }

    /// Returns how far the map has come; if it is gone, how far it came.
    #[must_use]
    pub fn progress(&self) -> MapProgress {
        self.counters.progress()
    }
}

impl Counters {
    pub(super) fn progress(&self) -> MapProgress {
        MapProgress {
            pulled: self.pulled.load(Ordering::Relaxed),
            running: self.running.load(Ordering::Relaxed),
            done: self.done.load(Ordering::Relaxed),
            yielded: self.yielded.load(Ordering::Relaxed),
        }
    }
}

impl fmt::Debug for MapMeter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MapMeter").field(&self.progress()).finish()
    }
}
