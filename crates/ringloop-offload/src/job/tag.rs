//! Who a job is, and who offloaded it.
//!
//! What reports are made of. Nothing here decides what becomes of a job. What few jobs have is in a
//! box, so that the others stay [small](super::cell).
//!
//! # Ordering
//!
//! The atomics are relaxed: each stands for itself. A home is set before the job is queued, and
//! the queue publishes it; what a report reads may be a moment old.

use std::cell::Cell;
use std::fmt;
use std::num::NonZero;
use std::panic::Location;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::name::Name;

/// Tells jobs apart: the next one with the same number comes four billion jobs later.
pub(crate) type JobId = NonZero<u32>;

/// The job from which another one was offloaded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parent {
    pub(crate) id: JobId,
    pub(crate) location: &'static Location<'static>,
}

/// What every job has, whatever its closure.
pub(crate) struct Tag {
    location: &'static Location<'static>,
    origin: Option<Box<Origin>>,
    /// The pool or limiter whose threads may run the job out of turn; 0 for none.
    home: AtomicUsize,
}

/// What few jobs have.
struct Origin {
    name: Option<Name>,
    parent: Option<Parent>,
}

impl Tag {
    pub(super) fn new(
        location: &'static Location<'static>,
        name: Option<Name>,
        parent: Option<Parent>,
    ) -> Self {
        let is_rare = name.is_some() || parent.is_some();
        Self {
            location,
            origin: is_rare.then(|| Box::new(Origin { name, parent })),
            home: AtomicUsize::new(0),
        }
    }

    pub(crate) fn location(&self) -> &'static Location<'static> {
        self.location
    }

    pub(crate) fn name(&self) -> Option<&Name> {
        self.origin.as_ref()?.name.as_ref()
    }

    /// The job that offloaded this one.
    pub(crate) fn parent(&self) -> Option<Parent> {
        self.origin.as_ref()?.parent
    }

    pub(crate) fn home(&self) -> Option<Home> {
        Home::new(self.home.load(Ordering::Relaxed))
    }

    pub(super) fn set_home(&self, home: Option<Home>) {
        let home = home.map_or(0, Home::get);
        self.home.store(home, Ordering::Relaxed);
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parent = self.parent();
        let parent = parent.map(|parent| format!("{} at {}", parent.id, parent.location));
        f.debug_struct("Tag")
            .field("name", &self.name().map(Name::as_str))
            .field("location", &format_args!("{}", self.location))
            .field("parent", &parent)
            .finish()
    }
}

/// Tells pools and limiters apart: the address of what a pool's threads or a limiter's handles share,
/// which outlives its queue.
pub(crate) type Home = NonZero<usize>;

/// Takes the next number out of this thread's block, so that threads do not contend for it.
#[inline]
pub(super) fn next_id() -> JobId {
    let next = NEXT_ID.get();
    let id = if next.is_multiple_of(BLOCK_LEN) {
        NEXT_BLOCK.fetch_add(BLOCK_LEN, Ordering::Relaxed)
    } else {
        next
    };
    NEXT_ID.set(id.wrapping_add(1));
    // After the last number comes 0, which is none.
    JobId::new(id).unwrap_or(JobId::MAX)
}

thread_local! {
    /// The next number of this thread; at the end of a block it is that of somebody else's.
    static NEXT_ID: Cell<u32> = const { Cell::new(0) };
}

static NEXT_BLOCK: AtomicU32 = AtomicU32::new(BLOCK_LEN);
const BLOCK_LEN: u32 = 1 << 10;
