//! The error of a value that will never come.

use std::fmt;

/// The error of a value that will never come: its setter was dropped without setting it.
///
/// # Examples
///
/// ```
/// use ringloop_core::postbox;
///
/// let (setter, mut postbox) = postbox::<u32>();
/// drop(setter);
/// let abandoned = postbox.try_take().unwrap().unwrap_err();
/// assert_eq!(abandoned.to_string(), "the setter was dropped without setting a value");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "there is nothing to add, and callers match on it"
)]
pub struct Abandoned;

impl fmt::Display for Abandoned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the setter was dropped without setting a value")
    }
}

impl std::error::Error for Abandoned {}
