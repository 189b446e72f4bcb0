//! What handlers return.

use std::convert::Infallible;
use std::fmt;

/// What the handler of [`serve`](super::serve) may return: nothing, or a `Result` whose error can be
/// displayed.
#[diagnostic::on_unimplemented(
    message = "a handler cannot return `{Self}`",
    label = "returns neither `()` nor a `Result` whose error implements `Display`"
)]
pub trait Outcome: 'static {
    /// What the handler may fail with.
    type Error: fmt::Display + 'static;

    /// Tells whether the handler has failed.
    ///
    /// # Errors
    ///
    /// What it has failed with.
    fn into_result(self) -> Result<(), Self::Error>;
}

impl Outcome for () {
    type Error = Infallible;

    fn into_result(self) -> Result<(), Infallible> {
        Ok(self)
    }
}

impl<T: 'static, E: fmt::Display + 'static> Outcome for Result<T, E> {
    type Error = E;

    fn into_result(self) -> Result<(), E> {
        self.map(drop)
    }
}
