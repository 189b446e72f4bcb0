//! Who a job is, and who waits for whom.
//!
//! What reports are made of: names, spawn sites, the job that offloaded another one, and the job
//! that a blocked one waits for. Nothing here decides what becomes of a job.
//!
//! # Ordering
//!
//! The atomics are relaxed: each stands for itself. A home is set before the job is queued, and
//! the queue publishes it; what a report reads may be a moment old.

use std::cell::Cell;
use std::fmt;
use std::num::NonZero;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::name::Name;

/// Tells jobs apart, as long as the process lives.
pub(crate) type JobId = NonZero<u64>;

/// The job from which another one was offloaded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parent {
    pub(crate) id: JobId,
    pub(crate) location: &'static Location<'static>,
}

/// What every job has, whatever its closure.
pub(crate) struct Tag {
    id: JobId,
    location: &'static Location<'static>,
    name: Option<Name>,
    parent: Option<Parent>,
    /// The pool or limiter whose threads may run the job out of turn; 0 for none.
    home: AtomicUsize,
    /// The job for which this one blocks its thread; 0 for none.
    awaited: AtomicU64,
}

impl Tag {
    pub(super) fn new(
        location: &'static Location<'static>,
        name: Option<Name>,
        parent: Option<Parent>,
    ) -> Self {
        Self {
            id: next_id(),
            location,
            name,
            parent,
            home: AtomicUsize::new(0),
            awaited: AtomicU64::new(0),
        }
    }

    pub(crate) fn id(&self) -> JobId {
        self.id
    }

    pub(crate) fn location(&self) -> &'static Location<'static> {
        self.location
    }

    pub(crate) fn name(&self) -> Option<&Name> {
        self.name.as_ref()
    }

    /// The job that offloaded this one.
    pub(crate) fn parent(&self) -> Option<Parent> {
        self.parent
    }

    /// This job as the parent of those that it offloads.
    pub(super) fn as_parent(&self) -> Parent {
        Parent {
            id: self.id,
            location: self.location,
        }
    }

    pub(crate) fn home(&self) -> Option<Home> {
        Home::new(self.home.load(Ordering::Relaxed))
    }

    pub(super) fn set_home(&self, home: Option<Home>) {
        let home = home.map_or(0, Home::get);
        self.home.store(home, Ordering::Relaxed);
    }

    /// The job for which this one blocks its thread in [`Offload::wait`](crate::Offload::wait).
    pub(crate) fn is_waiting_for(&self) -> Option<JobId> {
        JobId::new(self.awaited.load(Ordering::Relaxed))
    }

    /// Says for which job this one blocks its thread.
    pub(super) fn set_waiting_for(&self, awaited: Option<JobId>) {
        let awaited = awaited.map_or(0, JobId::get);
        self.awaited.store(awaited, Ordering::Relaxed);
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parent = self.parent();
        let parent = parent.map(|parent| format!("{} at {}", parent.id, parent.location));
        f.debug_struct("Tag")
            .field("id", &self.id())
            .field("name", &self.name().map(Name::as_str))
            .field("location", &format_args!("{}", self.location))
            .field("parent", &parent)
            .field("waits_for", &self.is_waiting_for())
            .finish()
    }
}

/// Tells pools and limiters apart: the address of what a pool's threads or a limiter's handles share,
/// which outlives its queue.
pub(crate) type Home = NonZero<usize>;

/// Takes the next number out of this thread's block, so that threads do not contend for it.
fn next_id() -> JobId {
    let next = NEXT_ID.get();
    let id = if next.is_multiple_of(BLOCK_LEN) {
        NEXT_BLOCK.fetch_add(BLOCK_LEN, Ordering::Relaxed)
    } else {
        next
    };
    NEXT_ID.set(id + 1);
    JobId::new(id).expect("the first block begins after 0, and 64 bits do not run out")
}

thread_local! {
    /// The next number of this thread; at the end of a block it is that of somebody else's.
    static NEXT_ID: Cell<u64> = const { Cell::new(0) };
}

static NEXT_BLOCK: AtomicU64 = AtomicU64::new(BLOCK_LEN);
const BLOCK_LEN: u64 = 1 << 10;
