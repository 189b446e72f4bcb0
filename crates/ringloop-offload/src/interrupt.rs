//! The wish to stop, as a running job sees it.
//!
//! A closure cannot be stopped from outside. What can be done is to tell it that nobody waits any
//! more, or that the one who waits would rather have it end; a long job looks now and then.

mod requested;

use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use crate::interrupted::Interrupted;
use crate::job::{self, Name, Watch};

pub use requested::Requested;

/// Tells a running job whether its caller asked it to stop.
///
/// It is requested when the caller [cancels](crate::Offload::cancel) the job while it runs, or
/// drops its [`Offload`](crate::Offload). Nothing happens by itself: a job that does not look runs
/// to its end. Once requested, it stays so.
///
/// The value may be kept, cloned and sent to threads that help with the job.
///
/// Counterpart: `from_thread.check_cancelled` of Trio.
///
/// # Examples
///
/// ```
/// use ringloop_offload::Interrupt;
///
/// fn sum_of_squares(numbers: &[u64]) -> Option<u64> {
///     let interrupt = Interrupt::current();
///     let mut sum = 0;
///     for chunk in numbers.chunks(4096) {
///         if interrupt.is_requested() {
///             return None; // Nobody waits for the sum.
///         }
///         sum += chunk.iter().map(|n| n * n).sum::<u64>();
///     }
///     Some(sum)
/// }
///
/// // Outside a job nobody can ask it to stop.
/// assert_eq!(sum_of_squares(&[3, 4]), Some(25));
/// ```
#[derive(Clone)]
pub struct Interrupt {
    job: Option<Watch>,
}

impl Interrupt {
    /// Returns the interrupt of the job that runs on this thread.
    ///
    /// Outside a job it returns one that is never requested, so that a function that looks at it
    /// can be called from anywhere.
    pub fn current() -> Self {
        Self {
            job: job::current(),
        }
    }

    /// Ends a function with `?` if the job that runs on this thread was asked to stop.
    ///
    /// Outside a job it always goes on. A look at a thread-local value and a relaxed load.
    ///
    /// # Errors
    ///
    /// [`Interrupted`], with the reason, once the job was asked to stop.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_offload::Interrupt;
    /// use std::io::{self, Read, Write};
    ///
    /// fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    ///     let mut block = [0; 4096];
    ///     loop {
    ///         Interrupt::check()?;
    ///         match from.read(&mut block)? {
    ///             0 => return Ok(()),
    ///             len => to.write_all(&block[..len])?,
    ///         }
    ///     }
    /// }
    /// # let mut to = Vec::new();
    /// # copy(&mut &b"text"[..], &mut to)?;
    /// # assert_eq!(to, b"text");
    /// # Ok::<(), io::Error>(())
    /// ```
    #[doc(alias = "check_cancelled")]
    pub fn check() -> Result<(), Interrupted> {
        if job::is_asked() {
            return Self::current().to_result();
        }
        Ok(())
    }

    /// Does the same for the job of this interrupt, on whichever thread.
    ///
    /// # Errors
    ///
    /// [`Interrupted`], with the reason, once the job was asked to stop.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn to_result(&self) -> Result<(), Interrupted> {
        if self.is_requested() {
            return Err(Interrupted::new(self.reason()));
        }
        Ok(())
    }

    /// Returns whether the caller asked the job to stop.
    ///
    /// One relaxed load: cheap enough for an inner loop.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn is_requested(&self) -> bool {
        self.job.as_ref().is_some_and(Watch::is_asked)
    }

    /// Returns why the job was asked to stop, if it was and a reason was given.
    ///
    /// Dropping an [`Offload`](crate::Offload) gives none,
    /// [`cancel_with`](crate::Offload::cancel_with) does.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn reason(&self) -> Option<Arc<dyn Error + Send + Sync>> {
        self.job.as_ref()?.reason()
    }

    /// Returns the name that a [`Builder`](crate::Builder) gave the job.
    ///
    /// `None` also outside a job.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_offload::{Builder, Interrupt, ThreadPool};
    ///
    /// let pool = ThreadPool::fixed(1);
    /// let name = || Interrupt::current().name().map(str::to_owned);
    /// let named = Builder::new().name("backup").offload_on(&pool, name);
    /// assert_eq!(named.wait()?.as_deref(), Some("backup"));
    /// assert_eq!(name(), None);
    /// # Ok::<(), ringloop_offload::OffloadError>(())
    /// ```
    pub fn name(&self) -> Option<&str> {
        self.job.as_ref()?.tag().name().map(Name::as_str)
    }

    /// Returns where the job was offloaded. `None` outside a job.
    pub fn location(&self) -> Option<&'static Location<'static>> {
        Some(self.job.as_ref()?.tag().location())
    }

    /// Waits until the job is asked to stop.
    ///
    /// For a job that itself waits for futures, under any runtime, and for those that help it. Any
    /// number of them may wait. If the job ends without being asked, or outside a job, it waits for
    /// ever.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped before it completes, it had no effect.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::{future::Future, pin::pin, sync::Arc, task::{Context, Poll, Wake}, thread};
    /// # struct Unpark(thread::Thread);
    /// # impl Wake for Unpark { fn wake(self: Arc<Self>) { self.0.unpark() } }
    /// # fn block_on<F: Future>(future: F) -> F::Output {
    /// #     let mut future = pin!(future);
    /// #     let waker = Arc::new(Unpark(thread::current())).into();
    /// #     loop {
    /// #         match future.as_mut().poll(&mut Context::from_waker(&waker)) {
    /// #             Poll::Ready(output) => return output,
    /// #             Poll::Pending => thread::park(),
    /// #         }
    /// #     }
    /// # }
    /// use ringloop_offload::{Interrupt, ThreadPool, offload_on};
    ///
    /// let pool = ThreadPool::fixed(1);
    /// let offload = offload_on(&pool, || block_on(Interrupt::current().requested()));
    /// # while !offload.is_running() { thread::yield_now() }
    /// offload.cancel();
    /// block_on(offload)?;
    /// # Ok::<(), ringloop_offload::OffloadError>(())
    /// ```
    pub fn requested(&self) -> Requested {
        Requested::new(self.job.clone())
    }
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupt")
            .field("is_requested", &self.is_requested())
            .finish()
    }
}
