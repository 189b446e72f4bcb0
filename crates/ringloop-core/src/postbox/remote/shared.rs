//! A postbox between threads that has many readers.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::RemotePostbox;
use crate::loom::Arc;
use crate::postbox::abandoned::Abandoned;
use crate::postbox::callbacks::CallbackKey;
use crate::postbox::readers::{Place, Readers};

/// One of any number of readers of a postbox; made by [`RemotePostbox::shared`].
///
/// A future of a clone of the answer. It may be awaited any number of times: once the answer is
/// there it does not suspend. Each clone waits on its own, and they are woken in the order in which
/// they began to wait. The postbox is closed for the setter when the last reader is dropped.
/// The readers may be on any threads.
/// Counterpart: a `concurrent.futures.Future`, awaited by several tasks.
///
/// # Cancel safety
///
/// Cancel safe: dropped or cancelled before it completes, it had no effect.
///
/// # Examples
///
/// ```
/// use ringloop_core::{future::join, remote_postbox};
/// # use std::task::{Context, Waker};
///
/// let (setter, postbox) = remote_postbox();
/// let first = postbox.shared();
/// let second = first.clone();
/// let both = join(first, second);
/// setter.set("for all").unwrap();
/// # let check = std::pin::pin!(async {
/// assert_eq!(both.await, (Ok("for all"), Ok("for all")));
/// # });
/// # assert!(check.poll(&mut Context::from_waker(Waker::noop())).is_ready());
/// ```
#[must_use = "a postbox does nothing unless it is awaited"]
pub struct SharedRemotePostbox<T> {
    readers: Arc<Readers<RemotePostbox<T>, T>>,
    place: Place,
}

impl<T: Clone + Send + Sync> SharedRemotePostbox<T> {
    pub(super) fn new(postbox: RemotePostbox<T>) -> Self {
        Self {
            readers: Arc::new(Readers::new(postbox)),
            place: Place::default(),
        }
    }

    /// Returns a clone of the answer if there is one, without waiting.
    ///
    /// Counterpart: `Future.result` of asyncio after a look at `Future.done`.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[must_use]
    pub fn peek(&self) -> Option<Result<T, Abandoned>> {
        self.readers.answer().cloned()
    }

    /// Returns whether the answer has come. Counterpart: `Future.done` of asyncio.
    #[doc(alias = "done")]
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.readers.answer().is_some()
    }

    /// Has `callback` called with the answer, at once if it is there.
    ///
    /// As [`RemotePostbox::on_set`]: the callbacks of all readers are one list. Those that still wait
    /// when the last reader is dropped are dropped with it.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[doc(alias = "add_done_callback")]
    pub fn on_set(
        &self,
        callback: impl FnOnce(Result<&T, Abandoned>) + Send + 'static,
    ) -> CallbackKey {
        self.readers.on_set(Box::new(callback))
    }

    /// Takes a callback back and drops it. Returns whether it was still waiting.
    ///
    /// Counterpart: `Future.remove_done_callback` of asyncio.
    #[doc(alias = "remove_done_callback")]
    pub fn remove_callback(&self, key: CallbackKey) -> bool {
        self.readers.remove_callback(key)
    }
}

/// Makes another reader, which waits on its own.
impl<T> Clone for SharedRemotePostbox<T> {
    fn clone(&self) -> Self {
        Self {
            readers: Arc::clone(&self.readers),
            place: Place::default(),
        }
    }
}

impl<T: Clone + Send + Sync> Future for SharedRemotePostbox<T> {
    type Output = Result<T, Abandoned>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let answer = this.readers.poll(&mut this.place, cx.waker());
        answer.cloned().map_or(Poll::Pending, Poll::Ready)
    }
}

impl<T> Drop for SharedRemotePostbox<T> {
    fn drop(&mut self) {
        self.readers.leave(&mut self.place);
    }
}

impl<T> fmt::Debug for SharedRemotePostbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedRemotePostbox")
            .field("is_set", &self.readers.has_answer())
            .finish_non_exhaustive()
    }
}
