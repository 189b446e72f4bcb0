//! A postbox on one thread that has many readers.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::abandoned::Abandoned;
use super::callbacks::CallbackKey;
use super::local::Postbox;
use super::readers::{Place, Readers};

/// One of any number of readers of a postbox; made by [`Postbox::shared`].
///
/// A future of a clone of the answer. It may be awaited any number of times: once the answer is
/// there it does not suspend. Each clone waits on its own, and they are woken in the order in which
/// they began to wait. The postbox is closed for the setter when the last reader is dropped.
/// Counterpart: a `asyncio.Future`, awaited by several tasks.
///
/// # Cancel safety
///
/// Cancel safe: dropped or cancelled before it completes, it had no effect.
///
/// # Examples
///
/// ```
/// use ringloop_core::{future::join, postbox};
/// # use std::task::{Context, Waker};
///
/// let (setter, postbox) = postbox();
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
pub struct SharedPostbox<T> {
    readers: Rc<Readers<Postbox<T>, T>>,
    place: Place,
}

impl<T: Clone> SharedPostbox<T> {
    pub(super) fn new(postbox: Postbox<T>) -> Self {
        Self {
            readers: Rc::new(Readers::new(postbox)),
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
    /// As [`Postbox::on_set`]: the callbacks of all readers are one list. Those that still wait
    /// when the last reader is dropped are dropped with it.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[doc(alias = "add_done_callback")]
    pub fn on_set(&self, callback: impl FnOnce(Result<&T, Abandoned>) + 'static) -> CallbackKey {
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
impl<T> Clone for SharedPostbox<T> {
    fn clone(&self) -> Self {
        Self {
            readers: Rc::clone(&self.readers),
            place: Place::default(),
        }
    }
}

impl<T: Clone> Future for SharedPostbox<T> {
    type Output = Result<T, Abandoned>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let answer = this.readers.poll(&mut this.place, cx.waker());
        answer.cloned().map_or(Poll::Pending, Poll::Ready)
    }
}

impl<T> Drop for SharedPostbox<T> {
    fn drop(&mut self) {
        self.readers.leave(&mut self.place);
    }
}

impl<T> fmt::Debug for SharedPostbox<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedPostbox")
            .field("is_set", &self.readers.has_answer())
            .finish_non_exhaustive()
    }
}
