//! The errors of a group.

use std::error::Error;
use std::fmt;
use std::io;

use super::tree::Tree;
use crate::cancel::Cancelled;

/// What the children and the body of a group failed with; or the cancellation that kept the body
/// from a value.
///
/// There is at least one error, or the cancellation. It is displayed as a tree, of one line for
/// each error of one line, in which groups in groups are indented. Counterpart: `ExceptionGroup`.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::Scheduler;
/// use ringloop_task::group::group;
///
/// let error = Scheduler::new(ThreadDriver::new()).block_on(group(async |g| {
///     g.spawn(async { Err::<(), _>("no bread") });
///     g.spawn(async { Err::<(), _>("no butter") });
///     Ok(())
/// }));
/// let error = error.unwrap_err();
/// assert_eq!(error.errors(), ["no bread", "no butter"]);
/// assert_eq!(error.to_string(), "2 errors in a group\n├─ no bread\n└─ no butter");
/// ```
#[doc(alias("ExceptionGroup", "BaseExceptionGroup"))]
pub struct GroupError<E> {
    errors: Vec<E>,
    cancelled: Option<Cancelled>,
}

impl<E> GroupError<E> {
    /// Makes the error of a group in which something has failed.
    pub(super) fn of(errors: Vec<E>) -> Self {
        Self::from_parts(errors, None)
    }

    /// Makes the error of a group that was cancelled before its body had a value.
    pub(super) fn cancelled_by(cancelled: Cancelled) -> Self {
        Self::from_parts(Vec::new(), Some(cancelled))
    }

    /// Errors outrank a cancellation, which is seen again at the next wait.
    pub(super) fn from_parts(errors: Vec<E>, cancelled: Option<Cancelled>) -> Self {
        let cancelled = cancelled.filter(|_| errors.is_empty());
        debug_assert!(
            !errors.is_empty() || cancelled.is_some(),
            "there is a cause"
        );
        Self { errors, cancelled }
    }

    pub(super) fn into_parts(self) -> (Vec<E>, Option<Cancelled>) {
        (self.errors, self.cancelled)
    }

    /// Returns the errors in the order of their failing. There are none if the group was merely
    /// cancelled.
    #[must_use]
    pub fn errors(&self) -> &[E] {
        &self.errors
    }

    /// Returns the errors by value.
    #[must_use]
    pub fn into_errors(self) -> Vec<E> {
        self.errors
    }

    /// Returns whether nothing failed: the body was cancelled before it had a value.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.is_some()
    }

    /// Returns the cancellation, if [that is all](Self::is_cancelled): one from around the group,
    /// which the scope there recognizes, or the group's own.
    #[must_use]
    pub fn cancelled(&self) -> Option<&Cancelled> {
        self.cancelled.as_ref()
    }

    /// Returns the error, if there is exactly one.
    ///
    /// # Errors
    ///
    /// The group's error itself, if there are more or none.
    ///
    /// # Examples
    ///
    /// ```
    /// # use ringloop_core::ThreadDriver;
    /// # use ringloop_task::{Scheduler, group::{group, GroupError}};
    /// let error: GroupError<&str> = Scheduler::new(ThreadDriver::new())
    ///     .block_on(group(async |_| Err::<(), _>("no bread")))
    ///     .unwrap_err();
    /// assert_eq!(error.into_single().unwrap(), "no bread");
    /// ```
    pub fn into_single(mut self) -> Result<E, Self> {
        match self.errors.pop() {
            Some(error) if self.errors.is_empty() => Ok(error),
            Some(error) => {
                self.errors.push(error);
                Err(self)
            }
            None => Err(self),
        }
    }

    /// Splits the errors into those that match and the rest, each in their order. A cancellation
    /// is in the rest. Counterpart: `ExceptionGroup.split`, and `except*`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use ringloop_core::ThreadDriver;
    /// # use ringloop_task::{Scheduler, group::group};
    /// let error = Scheduler::new(ThreadDriver::new()).block_on(group(async |g| {
    ///     g.spawn(async { Err::<(), _>(1) });
    ///     g.spawn(async { Err::<(), _>(2) });
    ///     Ok(())
    /// }));
    /// let (even, odd) = error.unwrap_err().split(|n| n % 2 == 0);
    /// assert_eq!(even.unwrap().errors(), [2]);
    /// assert_eq!(odd.unwrap().errors(), [1]);
    /// ```
    pub fn split(self, mut matches: impl FnMut(&E) -> bool) -> (Option<Self>, Option<Self>) {
        let (matching, rest): (Vec<_>, Vec<_>) =
            self.errors.into_iter().partition(|error| matches(error));
        let cancelled = self.cancelled;
        let some = |errors: Vec<E>| (!errors.is_empty()).then(|| Self::of(errors));
        let (matching, rest) = (some(matching), some(rest));
        (matching, rest.or(cancelled.map(Self::cancelled_by)))
    }

    /// Changes the type of the errors.
    #[must_use]
    pub fn map<T>(self, change: impl FnMut(E) -> T) -> GroupError<T> {
        GroupError {
            errors: self.errors.into_iter().map(change).collect(),
            cancelled: self.cancelled,
        }
    }
}

impl<E: fmt::Display> fmt::Display for GroupError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cancelled {
            Some(cancelled) => write!(f, "the group was {cancelled}"),
            None => Tree(&self.errors).fmt(f),
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for GroupError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("GroupError");
        match &self.cancelled {
            Some(cancelled) => debug.field("cancelled", cancelled.reason()),
            None => debug.field("errors", &self.errors),
        };
        debug.finish()
    }
}

/// The source is the cancellation, if that is all. The errors, of which there may be many, are in
/// the text.
impl<E: fmt::Debug + fmt::Display> Error for GroupError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cancelled
            .as_ref()
            .map(|cancelled| cancelled as &(dyn Error + 'static))
    }
}

/// A single error is the error itself, and a mere cancellation one that
/// [`is_cancelled`](crate::cancel::is_cancelled()) recognizes.
impl From<GroupError<Self>> for io::Error {
    fn from(error: GroupError<Self>) -> Self {
        match error.into_single() {
            Ok(error) => error,
            Err(mut error) => match error.cancelled.take() {
                Some(cancelled) => cancelled.into(),
                None => Self::other(error),
            },
        }
    }
}

/// The group's cancellation, or that of the first child that failed by one that was not its own.
impl From<GroupError<Self>> for Cancelled {
    fn from(error: GroupError<Self>) -> Self {
        let (errors, cancelled) = error.into_parts();
        cancelled
            .or_else(|| errors.into_iter().next())
            .expect("there is an error or a cancellation")
    }
}
