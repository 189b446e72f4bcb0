//! Virtual time, and what tests keep score with.

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use ringloop_core::{Driver, Unparker};
use ringloop_task::Scheduler;
pub(crate) use ringloop_task::testing::VirtualDriver;

/// Runs a future on virtual time, without other threads: a deadlock fails at once.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    let driver = VirtualDriver::new().patience(Duration::ZERO);
    Scheduler::new(driver).block_on(future)
}

pub(crate) const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A log that tasks write and tests read.
#[derive(Clone, Default)]
pub(crate) struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    pub(crate) fn add(&self, entry: impl Display) {
        self.0.borrow_mut().push(entry.to_string());
    }

    pub(crate) fn take(&self) -> Vec<String> {
        self.0.take()
    }

    #[track_caller]
    pub(crate) fn check(&self, expected: &[&str]) {
        assert_eq!(self.0.take(), expected);
    }
}

/// Counts its drops. Not `Send`: it must be dropped where it was made.
#[derive(Clone, Default)]
pub(crate) struct Drops(Rc<Cell<u32>>);

/// What is counted.
pub(crate) struct Dropped(Drops);

impl Drops {
    pub(crate) fn value(&self) -> Dropped {
        Dropped(self.clone())
    }

    pub(crate) fn count(&self) -> u32 {
        self.0.get()
    }
}

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.0.set(self.0.0.get() + 1);
    }
}

/// Polls the body with a waker that only sets a flag, as collections of futures do, and the
/// body only when the flag is set.
pub(crate) async fn collected<F: Future>(body: F) -> F::Output {
    struct Flag(AtomicBool, Waker);
    impl std::task::Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
            self.1.wake_by_ref();
        }
    }
    let mut body = std::pin::pin!(body);
    let mut flag = None;
    poll_fn(|cx| {
        let flag =
            flag.get_or_insert_with(|| Arc::new(Flag(AtomicBool::new(true), cx.waker().clone())));
        if !flag.0.swap(false, Ordering::Relaxed) {
            return Poll::Pending;
        }
        let waker = Waker::from(flag.clone());
        body.as_mut()
            .poll(&mut std::task::Context::from_waker(&waker))
    })
    .await
}

/// A driver that never sleeps and counts its parks.
pub(crate) struct CountingDriver {
    inner: VirtualDriver,
    parks: Rc<Cell<u64>>,
}

impl CountingDriver {
    pub(crate) fn new(parks: Rc<Cell<u64>>) -> Self {
        Self {
            inner: VirtualDriver::new().patience(Duration::ZERO),
            parks,
        }
    }
}

impl Driver for CountingDriver {
    fn now(&self) -> Instant {
        self.inner.now()
    }

    fn park(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.parks.set(self.parks.get() + 1);
        self.inner.park(timeout)
    }

    fn unparker(&self) -> Unparker {
        self.inner.unparker()
    }
}
