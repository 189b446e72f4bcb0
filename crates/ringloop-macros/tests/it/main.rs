//! The expansion, compiled and run against a stand-in for the facade.
//!
//! The attributes write paths that begin with `::ringloop`. Here that name is this test crate, so
//! the functions they call are the ones in [`__private`]: no runtime, one poll.

#![forbid(unsafe_code)]
#![deny(warnings)]

extern crate self as ringloop;

mod entry;
mod returned;

/// What the facade offers to the expansion.
pub mod __private {
    use std::pin::pin;
    use std::process::{ExitCode, Termination};
    use std::task::{Context, Poll, Waker};

    /// Polls `future` once.
    ///
    /// # Panics
    ///
    /// If one poll is not enough.
    pub fn test<F: Future>(future: F) -> F::Output {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("the stand-in polls once"),
        }
    }

    /// The same, reported as a program reports its end.
    pub fn main<F: Future>(future: F) -> ExitCode
    where
        F::Output: Termination,
    {
        test(future).report()
    }
}
