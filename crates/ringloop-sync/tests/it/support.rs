//! Tasks that a test polls by hand, and cancels one by one.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crate::test_host::while_cancelled;
pub(crate) use crate::test_host::{Cancelled, TestHost};

/// A future that a test polls by hand.
pub(crate) struct Task<'a, T> {
    future: Option<Pin<Box<dyn Future<Output = T> + 'a>>>,
    wakes: Arc<Wakes>,
    seen: Cell<u64>,
    is_cancelled: bool,
}

#[derive(Default)]
struct Wakes(AtomicU64);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl<'a, T> Task<'a, T> {
    pub(crate) fn new(future: impl Future<Output = T> + 'a) -> Self {
        Self {
            future: Some(Box::pin(future)),
            wakes: Arc::default(),
            seen: Cell::new(0),
            is_cancelled: false,
        }
    }

    /// Polls the task, woken or not. Afterwards it counts as not woken.
    pub(crate) fn poll(&mut self) -> Poll<T> {
        let future = self.future.as_mut().expect("the task has not ended");
        self.seen.set(self.wakes.0.load(Ordering::Relaxed));
        let waker = Waker::from(Arc::clone(&self.wakes));
        let mut cx = Context::from_waker(&waker);
        let polled = while_cancelled(self.is_cancelled, || future.as_mut().poll(&mut cx));
        if polled.is_ready() {
            self.future = None;
        }
        polled
    }

    /// Whether the task was woken since its last poll.
    pub(crate) fn is_woken(&self) -> bool {
        self.wakes.0.load(Ordering::Relaxed) != self.seen.get()
    }

    /// Asks the task to end: its next wait says so. Wakes it.
    pub(crate) fn cancel(&mut self) {
        self.is_cancelled = true;
        self.wakes.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Drops the future where it is.
    pub(crate) fn abort(&mut self) {
        self.future = None;
    }

    /// Polls the task, which has to wait.
    #[track_caller]
    pub(crate) fn waits(&mut self) {
        assert!(self.poll().is_pending(), "the task waits");
    }

    /// Polls the task, which was woken, and has to end.
    #[track_caller]
    pub(crate) fn ends(&mut self) -> T {
        assert!(self.is_woken(), "the task was woken");
        self.ends_at_once()
    }

    /// Polls the task, which has to end.
    #[track_caller]
    pub(crate) fn ends_at_once(&mut self) -> T {
        match self.poll() {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("the task ends"),
        }
    }
}

/// Who did what, in order.
#[derive(Clone, Default)]
pub(crate) struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    pub(crate) fn note(&self, what: impl fmt::Display) {
        self.0.borrow_mut().push(what.to_string());
    }

    /// Takes the notes, with spaces between.
    pub(crate) fn take(&self) -> String {
        self.0.borrow_mut().drain(..).collect::<Vec<_>>().join(" ")
    }
}

/// Whether there is time for as much as the promises say.
pub(crate) fn is_long() -> bool {
    std::env::var_os("RINGLOOP_LONG").is_some_and(|value| value == "1")
}

pub(crate) fn assert_send<T: Send>(_: &T) {}

pub(crate) fn assert_send_sync<T: Send + Sync>(_: &T) {}
