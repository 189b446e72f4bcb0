//! Futures that are polled as one, each only when it was woken.
//!
//! In the order of their wakes, and so many at a time: a poll of the crowd polls those that were
//! woken before it, and no more than [`POLLS_MAX`]. The others wait for the next poll, for which
//! the crowd wakes the task, so that the loop goes round in between.
//!
//! A crowd can be reached by its own members, which add others to it: members are taken out of
//! their places while they are polled, and no borrow is alive meanwhile.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::mem::{self, ManuallyDrop};
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;

use super::contained::drop_contained;
use super::ready::{Key, ReadyQueue};
use crate::cancel::CancelWatch;

/// Futures of type `F`, which may be unsized, each with a tag.
///
/// It has no destructor: then members may borrow the crowd that they are in, for as long as it
/// lives. Whoever makes one holds its [`Emptier`].
pub(super) struct Crowd<F: ?Sized, G = ()> {
    /// Empty by the time the crowd is dropped, or they are leaked.
    members: ManuallyDrop<RefCell<Members<F, G>>>,
    queue: Arc<ReadyQueue>,
    /// How many members have not ended, those that are being polled included.
    len: Cell<usize>,
    /// Whether it takes no more members.
    is_closed: Cell<bool>,
    /// While there are more members to poll than fit in one poll.
    stay: Cell<Option<CancelWatch>>,
}

/// By place; `None` while one is polled.
type Members<F, G> = Vec<Option<Member<F, G>>>;

/// A future in its place.
struct Member<F: ?Sized, G> {
    key: Key,
    tag: G,
    waker: Waker,
    future: Pin<Box<F>>,
}

impl<F: Future + ?Sized, G: Clone> Crowd<F, G> {
    pub(super) fn new() -> Self {
        Self {
            members: ManuallyDrop::default(),
            queue: ReadyQueue::new(),
            len: Cell::new(0),
            is_closed: Cell::new(false),
            stay: Cell::new(None),
        }
    }

    /// Sees to it that the crowd is emptied.
    pub(super) fn emptier(&self) -> Emptier<'_, F, G> {
        Emptier { crowd: self }
    }

    /// Adds a member, which is polled after those that are woken already. Returns its place, or
    /// gives it back if the crowd has been emptied.
    pub(super) fn add(&self, future: Pin<Box<F>>, tag: G) -> Result<Key, Pin<Box<F>>> {
        if self.is_closed.get() {
            return Err(future);
        }
        let (key, waker) = self.queue.enter();
        let member = Member {
            key,
            tag,
            waker,
            future,
        };
        {
            let mut members = self.members.borrow_mut();
            if members.len() <= key.index() {
                members.resize_with(key.index() + 1, || None);
            }
            members[key.index()] = Some(member);
        }
        self.len.set(self.len.get() + 1);
        self.queue.wake(key);
        Ok(key)
    }

    /// Returns the tags of all members but one that is being polled, by place.
    pub(super) fn tags(&self) -> Vec<G> {
        let members = self.members.borrow();
        let present = members.iter().flatten();
        present.map(|member| member.tag.clone()).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len.get() == 0
    }

    pub(super) fn len(&self) -> usize {
        self.len.get()
    }

    /// Polls the members that were woken, and calls `done` for each that is done. The task is woken
    /// for what is left.
    pub(super) fn poll(&self, cx: &Context<'_>, mut done: impl FnMut(Key, F::Output)) {
        let queued = self.queue.begin(cx.waker());
        for _ in 0..queued.min(POLLS_MAX) {
            let Some(key) = self.queue.pop() else {
                break;
            };
            if let Some(output) = self.poll_member(key) {
                done(key, output);
            }
        }
        self.queue.end();
        // Members that were woken and have not been polled may not have been told of a
        // cancellation. They must not be taken for such as cannot be told.
        let stay = self.stay.take();
        let has_more = queued > POLLS_MAX;
        self.stay
            .set(has_more.then(|| stay.unwrap_or_else(stay_here)));
    }

    fn poll_member(&self, key: Key) -> Option<F::Output> {
        let mut member = self.take(key)?;
        let polled = member
            .future
            .as_mut()
            .poll(&mut Context::from_waker(&member.waker));
        match polled {
            Poll::Pending => {
                self.put_back(member);
                None
            }
            Poll::Ready(output) => {
                self.queue.leave(key);
                self.len.set(self.len.get() - 1);
                Some(output)
            }
        }
    }

    fn take(&self, key: Key) -> Option<Member<F, G>> {
        self.members.borrow_mut().get_mut(key.index())?.take()
    }

    fn put_back(&self, member: Member<F, G>) {
        let index = member.key.index();
        self.members.borrow_mut()[index] = Some(member);
    }
}

impl<F: ?Sized, G> Crowd<F, G> {
    /// Drops all members, and takes no more.
    ///
    /// Panics of their drops are reported. Outside of a loop nobody would hear of them; then the
    /// last one goes on from here, unless this thread panics already.
    fn clear(&self) {
        self.is_closed.set(true);
        let members = mem::take(&mut *self.members.borrow_mut());
        let mut unheard = None;
        for member in members.into_iter().flatten() {
            unheard = drop_contained(member).or(unheard);
        }
        self.queue.close();
        if let Some(payload) = unheard
            && !thread::panicking()
        {
            resume_unwind(payload);
        }
    }
}

impl<F: ?Sized, G> fmt::Debug for Crowd<F, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crowd")
            .field("len", &self.len.get())
            .field("is_closed", &self.is_closed.get())
            .finish_non_exhaustive()
    }
}

/// Empties a crowd when dropped: its members are dropped, where they are.
pub(super) struct Emptier<'a, F: ?Sized, G> {
    crowd: &'a Crowd<F, G>,
}

impl<F: ?Sized, G> Drop for Emptier<'_, F, G> {
    fn drop(&mut self) {
        self.crowd.clear();
    }
}

fn stay_here() -> CancelWatch {
    let mut watch = CancelWatch::new();
    watch.stay();
    watch
}

/// How many members are polled in one poll of the crowd.
pub(super) const POLLS_MAX: usize = 64;

#[cfg(all(test, not(loom)))]
mod tests;
