//! Children whose failures are not the group's.

use std::panic::Location;

use super::child::Sink;
use super::handle::TaskGroup;
use super::shared::Failure;
use crate::task::{Builder, JoinHandle};

impl Builder {
    /// Starts the task as a child of `group` whose failure is `on_failure`'s and not the group's:
    /// the others go on.
    ///
    /// All else is as with [`spawn_in`](Self::spawn_in): the group waits for it and passes
    /// cancellation on to it. A child that was merely cancelled has not failed. `on_failure` runs
    /// in the child's last poll; if it panics, the child's handle has that panic.
    ///
    /// # Panics
    ///
    /// Outside of a running loop.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::ThreadDriver;
    /// use ringloop_task::cancel::Cancelled;
    /// use ringloop_task::group::{Failure, group};
    /// use ringloop_task::{Scheduler, task};
    /// use std::cell::Cell;
    /// use std::rc::Rc;
    ///
    /// let failures = Rc::new(Cell::new(0));
    /// let count = Rc::clone(&failures);
    /// let done = Scheduler::new(ThreadDriver::new()).block_on(group(async |g| {
    ///     let count = move |failure: Failure<&str>| {
    ///         assert!(matches!(failure, Failure::Error("no bread")));
    ///         count.set(count.get() + 1);
    ///     };
    ///     task::Builder::new().spawn_isolated_in(g, async { Err::<(), _>("no bread") }, count);
    ///     g.spawn(async { Ok(()) });
    ///     Ok(42)
    /// }));
    /// assert_eq!((done.unwrap(), failures.get()), (42, 1));
    /// ```
    #[track_caller]
    pub fn spawn_isolated_in<U, E, F>(
        self,
        group: &TaskGroup<E>,
        future: F,
        on_failure: impl Fn(Failure<E>) + 'static,
    ) -> JoinHandle<U>
    where
        F: Future<Output = Result<U, E>> + 'static,
        U: 'static,
        E: 'static,
    {
        group.spawn_with(Location::caller(), self, future, To(on_failure))
    }
}

/// A function that takes every failure.
struct To<F>(F);

impl<E, F: Fn(Failure<E>)> Sink<E> for To<F> {
    fn take(&self, failure: Failure<E>) -> Option<Failure<E>> {
        (self.0)(failure);
        None
    }
}
