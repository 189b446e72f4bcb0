//! A runtime of a few lines, and ways to hold a job where the test wants it.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::cell::RefCell;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use ringloop_offload::{Executor, Job, Offload, OffloadError, offload_on};

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Arc::new(Unpark(thread::current())).into();
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Counts the wakes of one waker, which does nothing else.
#[derive(Default)]
pub(crate) struct Wakes(AtomicUsize);

impl Wakes {
    pub(crate) fn new() -> (Arc<Self>, Waker) {
        let wakes = Arc::new(Self::default());
        (Arc::clone(&wakes), Waker::from(wakes))
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// Returns the count and begins again.
    pub(crate) fn take(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Keeps jobs until the test runs them.
#[derive(Default)]
pub(crate) struct Shelf(Mutex<Vec<Job>>);

impl Shelf {
    pub(crate) fn pop(&self) -> Job {
        self.0.lock().unwrap().pop().unwrap()
    }

    /// Runs what is there, the last first, and returns how many there were.
    pub(crate) fn run_all(&self) -> usize {
        let mut count = 0;
        while let Some(job) = self.take() {
            job.run();
            count += 1;
        }
        count
    }

    fn take(&self) -> Option<Job> {
        self.0.lock().unwrap().pop()
    }
}

impl Executor for Shelf {
    fn execute(&self, job: Job) -> Result<(), Job> {
        self.0.lock().unwrap().push(job);
        Ok(())
    }
}

/// Counts how often it is dropped.
#[derive(Clone, Default)]
pub(crate) struct Drops(Arc<AtomicUsize>);

impl Drops {
    pub(crate) fn probe(&self) -> DropProbe {
        DropProbe(Arc::clone(&self.0))
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

pub(crate) struct DropProbe(Arc<AtomicUsize>);

impl Drop for DropProbe {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A job that runs until it is released.
pub(crate) struct Busy<T> {
    pub(crate) offload: Offload<T>,
    pub(crate) release: Release,
}

/// Releases a busy job when it is dropped.
pub(crate) struct Release {
    _sender: mpsc::Sender<()>,
}

impl<T: Send + 'static> Busy<T> {
    /// Returns once the job runs; `last` is what it does when it is released.
    pub(crate) fn start(
        executor: &(impl Executor + ?Sized),
        last: impl FnOnce() -> T + Send + 'static,
    ) -> Self {
        let (started, has_started) = mpsc::channel();
        let (sender, released) = mpsc::channel::<()>();
        let offload = offload_on(executor, move || {
            started.send(()).unwrap();
            released.recv().unwrap_err();
            last()
        });
        has_started.recv().unwrap();
        Self {
            offload,
            release: Release { _sender: sender },
        }
    }

    pub(crate) fn finish(self) -> Result<T, OffloadError> {
        drop(self.release);
        block_on(self.offload)
    }
}

/// Announces the end of the thread that it is called on.
pub(crate) fn announce_thread_end(announcement: mpsc::Sender<()>) {
    struct Farewell(mpsc::Sender<()>);

    impl Drop for Farewell {
        fn drop(&mut self) {
            let _nobody_may_listen = self.0.send(());
        }
    }

    thread_local! {
        static FAREWELL: RefCell<Option<Farewell>> = const { RefCell::new(None) };
    }
    FAREWELL.with_borrow_mut(|farewell| *farewell = Some(Farewell(announcement)));
}
