//! Locks, queues and channels under the runtimes of others, with this crate alone.
//!
//! Each test is one body that runs under each of them: only `std::task::Waker` is between.

#![cfg(not(loom))]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod host;
mod local;
mod threads;

use std::future::poll_fn;
use std::task::Poll;

/// Lets others run.
async fn give_way() {
    let mut has_waited = false;
    poll_fn(|cx| {
        if has_waited {
            return Poll::Ready(());
        }
        has_waited = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
