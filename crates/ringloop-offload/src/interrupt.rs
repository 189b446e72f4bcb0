//! The wish to stop, as a running job sees it.
//!
//! A closure cannot be stopped from outside. What can be done is to tell it that nobody waits any
//! more, or that the one who waits would rather have it end; a long job looks now and then.

use std::cell::RefCell;
use std::fmt;
use std::mem;
use std::sync::Arc;

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
    flag: Option<Arc<dyn Flag>>,
}

/// Where the wish of one job is kept.
pub(crate) trait Flag: Send + Sync {
    fn is_raised(&self) -> bool;
}

impl Interrupt {
    /// Returns the interrupt of the job that runs on this thread.
    ///
    /// Outside a job it returns one that is never requested, so that a function that looks at it
    /// can be called from anywhere.
    pub fn current() -> Self {
        let current = CURRENT.try_with(|current| current.borrow().clone());
        current.unwrap_or(NEVER)
    }

    pub(crate) fn of(flag: Arc<dyn Flag>) -> Self {
        Self { flag: Some(flag) }
    }

    /// Returns whether the caller asked the job to stop.
    ///
    /// One relaxed load: cheap enough for an inner loop.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn is_requested(&self) -> bool {
        self.flag.as_ref().is_some_and(|flag| flag.is_raised())
    }
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupt")
            .field("is_requested", &self.is_requested())
            .finish()
    }
}

/// Makes `interrupt` the current one of this thread until the guard is dropped.
///
/// Jobs nest where an executor runs them inside `execute`; hence the previous one comes back.
pub(crate) fn enter(interrupt: Interrupt) -> Entered {
    let previous = CURRENT.try_with(|current| current.replace(interrupt));
    Entered {
        previous: previous.unwrap_or(NEVER),
    }
}

/// A stay inside a job. See [`enter`].
#[must_use = "the job is left when this is dropped"]
pub(crate) struct Entered {
    previous: Interrupt,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let previous = mem::replace(&mut self.previous, NEVER);
        let left = CURRENT.try_with(|current| current.replace(previous));
        drop(left);
    }
}

thread_local! {
    static CURRENT: RefCell<Interrupt> = const { RefCell::new(NEVER) };
}

const NEVER: Interrupt = Interrupt { flag: None };
