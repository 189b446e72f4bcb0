//! The wait for the wish to stop.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::job::{ListenerKey, Watch};

/// Waits until a job is asked to stop. Made by [`Interrupt::requested`](crate::Interrupt::requested).
///
/// It may be polled again after it has completed, and completes again.
///
/// # Cancel safety
///
/// Cancel safe: dropped before it completes, it had no effect.
#[must_use = "futures do nothing unless they are awaited"]
pub struct Requested {
    job: Option<Watch>,
    key: Option<ListenerKey>,
}

impl Requested {
    pub(super) fn new(job: Option<Watch>) -> Self {
        Self { job, key: None }
    }
}

impl Future for Requested {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let Some(job) = &this.job else {
            return Poll::Pending;
        };
        if job.is_asked() {
            return Poll::Ready(());
        }
        this.key = job.listen(this.key, cx.waker());
        match this.key {
            None => Poll::Ready(()),
            Some(_) => Poll::Pending,
        }
    }
}

impl Drop for Requested {
    fn drop(&mut self) {
        if let (Some(job), Some(key)) = (&self.job, self.key) {
            job.unlisten(key);
        }
    }
}

impl fmt::Debug for Requested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requested")
            .field("is_waiting", &self.key.is_some())
            .finish_non_exhaustive()
    }
}
