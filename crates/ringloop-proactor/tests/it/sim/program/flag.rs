//! A waker that counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Wake;

use ringloop_core::Unparker;

/// How often somebody was woken. Some of them unpark the loop, as wakers from elsewhere do.
#[derive(Debug)]
pub(super) struct Flag {
    count: AtomicU64,
    unparker: Option<Unparker>,
}

impl Flag {
    pub(super) fn new(unparker: Option<Unparker>) -> Arc<Self> {
        Arc::new(Self {
            count: AtomicU64::new(0),
            unparker,
        })
    }

    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.count.fetch_add(1, Ordering::Relaxed);
        if let Some(unparker) = &self.unparker {
            unparker.unpark();
        }
    }
}
