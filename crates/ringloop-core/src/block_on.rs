//! The wait of a plain thread.
//!
//! The thread polls what it waits for and sleeps in between, so it stands in the same line as tasks
//! do. Its waker unparks it. What it sleeps on is kept by the thread for the next time.

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::driver::{Driver, Unparker};
use crate::thread_driver::ThreadDriver;

/// Blocks the thread: calls `poll` until it is ready, and sleeps in between. `None` if `timeout`
/// passes before.
///
/// For the blocking twins of what tasks await. A timeout that has passed says nothing about what
/// the wait was granted since the last poll; the caller has to look. On the thread of an event loop
/// it would stop the loop.
///
/// # Panics
///
/// If `poll` does.
///
/// # Cancel safety
///
/// Nothing to cancel: the function blocks; it is no future.
///
/// # Examples
///
/// ```
/// use ringloop_core::{block_on, remote_postbox};
/// use std::pin::Pin;
/// use std::time::Duration;
///
/// let (setter, mut answer) = remote_postbox();
/// let early = block_on(Some(Duration::ZERO), |cx| Pin::new(&mut answer).poll(cx));
/// assert_eq!(early, None);
///
/// std::thread::spawn(move || setter.set(42));
/// assert_eq!(block_on(None, |cx| Pin::new(&mut answer).poll(cx)), Some(Ok(42)));
/// ```
pub fn block_on<R>(
    timeout: Option<Duration>,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<R>,
) -> Option<R> {
    let mut bed = Bed::take();
    // A timeout beyond the end of the clock is none at all.
    let deadline = timeout.and_then(|timeout| bed.driver.now().checked_add(timeout));
    loop {
        if let Poll::Ready(result) = poll(&mut Context::from_waker(&bed.waker)) {
            bed.keep();
            return Some(result);
        }
        let left = deadline.map(|deadline| deadline.saturating_duration_since(bed.driver.now()));
        if left == Some(Duration::ZERO) {
            bed.keep();
            return None;
        }
        bed.driver
            .park(left)
            .expect("a driver that only sleeps cannot fail");
    }
}

/// What a thread sleeps on, and the waker that ends its sleep.
struct Bed {
    driver: ThreadDriver,
    waker: Waker,
}

#[cfg(not(loom))]
thread_local! {
    static KEPT: std::cell::Cell<Option<Bed>> = const { std::cell::Cell::new(None) };
}

impl Bed {
    /// The one that the thread has kept. It may have been unparked since: once more than needed.
    #[cfg(not(loom))]
    fn take() -> Self {
        let kept = KEPT.try_with(std::cell::Cell::take);
        kept.ok().flatten().unwrap_or_else(Self::new)
    }

    /// One for this wait: what belongs to a model ends with it.
    #[cfg(loom)]
    fn take() -> Self {
        Self::new()
    }

    #[cfg(not(loom))]
    fn keep(self) {
        // A thread that ends keeps nothing.
        let _is_kept = KEPT.try_with(|kept| kept.set(Some(self)));
    }

    #[cfg(loom)]
    fn keep(self) {}

    fn new() -> Self {
        let driver = ThreadDriver::new();
        let waker = Waker::from(Arc::new(Alarm(driver.unparker())));
        Self { driver, waker }
    }
}

/// Wakes a thread that sleeps on a driver.
struct Alarm(Unparker);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}
