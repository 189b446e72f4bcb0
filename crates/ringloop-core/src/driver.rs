//! How a thread sleeps, what time it is, and who may wake it.
//!
//! A [`Driver`] is everything a scheduler needs to know about the world. It holds the clock *and*
//! the sleeping, because what one sleeps on and what tells the time must agree: virtual time is
//! then nothing but the `park` of a simulated driver.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a scheduler runs on: it sleeps, is woken, and tells the time.
///
/// A loop on top of a driver polls what is ready, then calls [`park`](Self::park) with the time
/// until its next deadline. Counterpart: the selector of asyncio's event loop.
///
/// # Examples
///
/// ```
/// use ringloop_core::{Driver, ThreadDriver};
/// use std::time::Duration;
///
/// let mut driver = ThreadDriver::new();
/// let before = driver.now();
/// driver.park(Some(Duration::from_millis(1)))?;
/// assert!(driver.now() - before >= Duration::from_millis(1));
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait Driver {
    /// Returns the time: monotonic, virtual in simulation.
    fn now(&self) -> Instant;

    /// Sleeps until something becomes ready, the unparker is used, or `timeout` has passed.
    ///
    /// `Some(Duration::ZERO)` looks without sleeping, `None` waits for as long as it takes. When
    /// it returns, every waker of what became ready has been woken; no borrow of the driver is
    /// alive while a waker runs. It may return early for no reason.
    ///
    /// # Errors
    ///
    /// What the kernel says when it cannot wait at all. Interruptions are not errors.
    fn park(&mut self, timeout: Option<Duration>) -> io::Result<()>;

    /// Returns a handle that ends the current `park`, or the next one, from any thread.
    fn unparker(&self) -> Unparker;
}

impl<D: Driver + ?Sized> Driver for Box<D> {
    fn now(&self) -> Instant {
        (**self).now()
    }

    fn park(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        (**self).park(timeout)
    }

    fn unparker(&self) -> Unparker {
        (**self).unparker()
    }
}

/// The act behind an [`Unparker`]: ends a park of one driver, from any thread.
///
/// Implemented by drivers. Calls coalesce: any number of them before the next park end one park.
pub trait Unpark: Send + Sync {
    /// Ends the current park, or the next one.
    fn unpark(&self);
}

/// A handle that ends the park of one [`Driver`], from any thread.
///
/// # Examples
///
/// ```
/// use ringloop_core::{Driver, ThreadDriver};
///
/// let mut driver = ThreadDriver::new();
/// let unparker = driver.unparker();
/// std::thread::spawn(move || unparker.unpark());
/// driver.park(None)?; // Ends because the other thread says so.
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Unparker {
    act: Arc<dyn Unpark>,
}

impl Unparker {
    /// Makes an unparker from a driver's way of waking up.
    pub fn new(act: Arc<dyn Unpark>) -> Self {
        Self { act }
    }

    /// Ends the driver's current park, or its next one.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn unpark(&self) {
        self.act.unpark();
    }
}

impl fmt::Debug for Unparker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unparker").finish_non_exhaustive()
    }
}
