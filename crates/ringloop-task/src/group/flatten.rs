//! Groups in groups, made one.

use std::error::Error;

use super::error::GroupError;
use crate::cancel::Cancelled;

impl<E> GroupError<GroupError<E>> {
    /// Makes the errors of nested groups those of one, in their order.
    ///
    /// # Examples
    ///
    /// ```
    /// # use ringloop_core::ThreadDriver;
    /// # use ringloop_task::{Scheduler, group::group};
    /// let error = Scheduler::new(ThreadDriver::new()).block_on(group(async |outer| {
    ///     outer.spawn(group(async |_| Err::<(), _>("no bread")));
    ///     outer.spawn(group(async |_| Err::<(), _>("no butter")));
    ///     Ok(())
    /// }));
    /// assert_eq!(error.unwrap_err().flatten().errors(), ["no bread", "no butter"]);
    /// ```
    #[must_use]
    pub fn flatten(self) -> GroupError<E> {
        let mut flat = Flat::default();
        let (errors, cancelled) = self.into_parts();
        for error in errors {
            let (errors, cancelled) = error.into_parts();
            flat.errors.extend(errors);
            flat.note(cancelled);
        }
        flat.note(cancelled);
        flat.finish()
    }
}

/// An error of any type that may go to other threads.
type BoxError = Box<dyn Error + Send + Sync>;

impl GroupError<BoxError> {
    /// Makes the errors of groups among the boxed ones, however deep, those of one group, in
    /// their order.
    #[must_use]
    pub fn flatten(self) -> Self {
        flatten_boxed(self, |error| error.downcast().map(|group| *group))
    }
}

impl GroupError<Box<dyn Error>> {
    /// Makes the errors of groups among the boxed ones, however deep, those of one group, in
    /// their order.
    #[must_use]
    pub fn flatten(self) -> Self {
        flatten_boxed(self, |error| error.downcast().map(|group| *group))
    }
}

/// Replaces each error that `open` finds to be a group by its errors.
fn flatten_boxed<E>(
    group: GroupError<E>,
    open: impl Fn(E) -> Result<GroupError<E>, E>,
) -> GroupError<E> {
    let mut flat = Flat::default();
    let (errors, cancelled) = group.into_parts();
    flat.note(cancelled);
    let mut rest = vec![errors.into_iter()];
    while let Some(errors) = rest.last_mut() {
        match errors.next().map(&open) {
            None => drop(rest.pop()),
            Some(Err(error)) => flat.errors.push(error),
            Some(Ok(group)) => {
                let (errors, cancelled) = group.into_parts();
                flat.note(cancelled);
                rest.push(errors.into_iter());
            }
        }
    }
    flat.finish()
}

/// What has been collected.
struct Flat<E> {
    errors: Vec<E>,
    cancelled: Option<Cancelled>,
}

impl<E> Flat<E> {
    fn note(&mut self, cancelled: Option<Cancelled>) {
        self.cancelled = self.cancelled.take().or(cancelled);
    }

    fn finish(self) -> GroupError<E> {
        GroupError::from_parts(self.errors, self.cancelled)
    }
}

impl<E> Default for Flat<E> {
    fn default() -> Self {
        Self {
            errors: Vec::new(),
            cancelled: None,
        }
    }
}
