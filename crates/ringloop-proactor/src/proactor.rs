//! The proactor: owns the ring and the op table, and is a driver.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use ringloop_core::{Driver, Unpark, Unparker};

use crate::config::Config;
use crate::features::Features;
use crate::handle::Handle;
use crate::ring::Clock;
use crate::setup_error::SetupError;
use crate::shared::Shared;
use crate::stats::ProactorStats;

/// Starts operations on an io_uring and reports their completions.
///
/// It is a [`Driver`]: an executor polls what is ready and calls [`park`](Driver::park), which
/// submits everything that was staged and waits, with one `io_uring_enter(2)` at most (and one more
/// each time the submission queue is full). It belongs to the thread that makes it; its [`Unparker`] works from any thread.
///
/// After `fork(2)` it stays with the parent. In the child, [`park`](Driver::park) and
/// [`block_on`](Self::block_on) give an error that says so; dropping it there, or shutting it down,
/// closes the child's descriptors and does nothing to the parent's operations. A child makes a
/// proactor of its own.
///
/// Dropping it ends everything in bounded time: streams that were dropped with bytes left to send
/// send them, the rest is cancelled, and memory is freed only when the kernel is done with it.
///
/// # Examples
///
/// ```
/// use ringloop_proactor::{Config, Proactor};
///
/// let mut proactor = Proactor::new(&Config::default())?;
/// let handle = proactor.handle();
/// let file = handle.adopt(std::fs::File::open("/proc/self/cmdline")?);
/// let (count, bytes) = proactor.block_on(handle.read(&file, vec![0; 4096], 0))??;
/// assert_eq!(count, bytes.len());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Proactor {
    handle: Handle,
    config: Config,
    features: Features,
    is_down: Cell<bool>,
}

impl Proactor {
    /// Makes a ring on this thread.
    ///
    /// # Errors
    ///
    /// [`SetupError`] if the kernel refuses, with the likely cause and the remedy.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function blocks the thread; it is no future.
    pub fn new(config: &Config) -> Result<Self, SetupError> {
        Shared::new(config).map(|shared| Self::of(shared, config))
    }

    pub(crate) fn of(shared: Shared, config: &Config) -> Self {
        let features = shared.features();
        Self {
            handle: Handle::new(Rc::new(shared)),
            config: config.clone(),
            features,
            is_down: Cell::new(false),
        }
    }

    pub(crate) fn clock(&self) -> &Clock {
        self.handle.shared().clock()
    }

    /// Returns a handle for making operations.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Returns what the proactor has done so far.
    #[must_use]
    pub fn stats(&self) -> ProactorStats {
        self.handle.stats()
    }

    /// Returns what the kernel gave: sizes, and what is newer than Linux 6.1.
    #[must_use]
    pub fn features(&self) -> Features {
        self.features
    }

    /// Returns whether the kernel knows an operation (`IORING_OP_*`); `false` after
    /// [`shut_down`](Self::shut_down).
    ///
    /// The first call asks it, the others look into a table. Counterpart:
    /// `io_uring_get_probe(3)`.
    #[must_use]
    #[doc(alias = "io_uring_opcode_supported")]
    pub fn supports(&self, opcode: u8) -> bool {
        self.handle.shared().supports(opcode)
    }

    /// Polls one future until it is done, parking in between: the smallest executor there is.
    ///
    /// # Errors
    ///
    /// What [`park`](Driver::park) says when the kernel cannot wait at all.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function blocks the thread; it is no future.
    pub fn block_on<F: Future>(&mut self, future: F) -> io::Result<F::Output> {
        let waker = Waker::from(Arc::new(UnparkWaker(self.unparker())));
        let mut cx = Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return Ok(output);
            }
            self.park(None)?;
        }
    }

    /// Ends everything now instead of at the drop, and says how many operations did not end.
    ///
    /// Their memory is leaked, because the kernel may still write it. Zero is the rule.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function blocks the thread; it is no future.
    pub fn shut_down(&mut self) -> usize {
        if self.is_down.replace(true) {
            return 0;
        }
        self.handle
            .shared()
            .shut_down(self.config.linger, self.config.drain)
    }
}

impl Driver for Proactor {
    fn now(&self) -> Instant {
        self.clock().now()
    }

    #[inline]
    fn park(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.handle.shared().turn(timeout)
    }

    fn unparker(&self) -> Unparker {
        let word: Arc<dyn Unpark> =
            Arc::<crate::ring::SleepWord>::clone(self.handle.shared().word());
        Unparker::new(word)
    }
}

impl Drop for Proactor {
    fn drop(&mut self) {
        self.shut_down();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a driver is where the time comes from"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

struct UnparkWaker(Unparker);

impl Wake for UnparkWaker {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
