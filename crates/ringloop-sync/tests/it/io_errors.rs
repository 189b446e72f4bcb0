//! Errors of waits as `io::Error`: on the host without cancellation, and with the reason inside.

use std::convert::Infallible;
use std::io;

use ringloop_sync::{
    AcquireTokenError, BarrierError, GetError, PutError, RecvError, SendError, broadcast, watch,
};

use crate::support::Cancelled;

/// All errors that a cancelled wait says so with.
macro_rules! all {
    ($cancelled:expr) => {
        [
            PutError::Cancelled((), $cancelled).into(),
            GetError::Cancelled($cancelled).into(),
            SendError::Cancelled((), $cancelled).into(),
            RecvError::Cancelled($cancelled).into(),
            broadcast::RecvError::Cancelled($cancelled).into(),
            watch::RecvError::Cancelled($cancelled).into(),
            BarrierError::Cancelled($cancelled).into(),
            AcquireTokenError::Cancelled($cancelled).into(),
        ]
    };
}

#[test]
fn the_reason_of_a_cancelled_wait_is_found_again() {
    let errors: [io::Error; 8] = all!(Cancelled);
    for error in errors {
        assert!(
            error
                .get_ref()
                .is_some_and(|reason| reason.is::<Cancelled>())
        );
        assert_eq!(error.to_string(), "cancelled");
    }
}

#[test]
fn a_host_that_cancels_nothing_has_them_as_well() {
    // That this compiles is the test: there is no such error.
    let _errors: fn(Infallible) -> [io::Error; 8] = |never| all!(never);
    let closed = || -> io::Result<()> { Err(RecvError::<Infallible>::Closed)? };
    assert_eq!(closed().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}
