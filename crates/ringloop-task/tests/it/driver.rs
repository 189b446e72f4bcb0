//! A driver whose time passes only when it is parked, and what tests keep score with.

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use ringloop_core::{Driver, Unpark, Unparker};
use ringloop_task::Scheduler;

/// Sleeping is jumping: a park with a timeout moves the clock, one without an end is a failure.
pub(crate) struct VirtualDriver {
    now: Instant,
    notified: Arc<Flag>,
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Unpark for Flag {
    fn unpark(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl VirtualDriver {
    #[expect(
        clippy::disallowed_methods,
        reason = "a driver is where the time comes from"
    )]
    pub(crate) fn new() -> Self {
        Self {
            now: Instant::now(),
            notified: Arc::default(),
        }
    }
}

impl Driver for VirtualDriver {
    fn now(&self) -> Instant {
        self.now
    }

    fn park(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        if self.notified.0.swap(false, Ordering::Acquire) {
            return Ok(());
        }
        match timeout {
            Some(timeout) => self.now += timeout,
            None => panic!("nothing can happen any more"),
        }
        Ok(())
    }

    fn unparker(&self) -> Unparker {
        Unparker::new(self.notified.clone())
    }
}

/// Runs a future on virtual time.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    Scheduler::new(VirtualDriver::new()).block_on(future)
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
