//! The wish that something stop, as a value that can be handed around.

use std::fmt;
use std::sync::{Arc, PoisonError, Weak};
use std::task::Waker;

use super::reason::Reason;
use super::token_wait::{Run, Signal, WaitCancelled};
use crate::sync::{AtomicBool, Mutex, MutexGuard, Ordering, Tracked};
use crate::waker_set::{self, WakerKey, WakerSet};
use ringloop_core::panics::Panics;

/// Carries the wish to stop: cheap to clone, `Send` and `Sync`, a tree.
///
/// It only wakes; it knows no operation and no loop. Cancelling a token cancels its descendants.
/// Use it through [`CancelScope::with_token`](super::CancelScope::with_token) for code of this
/// crate's kind, which cleans up, and through [`run`](Self::run) for futures that know nothing of
/// scopes.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::cancel::CancelToken;
/// use ringloop_task::Scheduler;
///
/// let token = CancelToken::new();
/// let remote = token.clone();
/// std::thread::spawn(move || remote.cancel("the other thread says so"));
/// let reason = Scheduler::new(ThreadDriver::new()).block_on(token.cancelled())?;
/// assert_eq!(reason.text(), "the other thread says so");
/// # Ok::<(), ringloop_task::cancel::Cancelled>(())
/// ```
#[derive(Clone)]
pub struct CancelToken {
    state: Arc<State>,
}

struct State {
    /// Whether `reason` is set: spares the lock.
    is_cancelled: AtomicBool,
    links: Mutex<Links>,
    /// The token above, and the place among its children.
    parent: Option<(CancelToken, usize)>,
    _tracked: Tracked,
}

#[derive(Default)]
struct Links {
    reason: Option<Reason>,
    wakers: WakerSet,
    children: Vec<Option<Weak<State>>>,
    free: Vec<usize>,
}

impl CancelToken {
    /// Makes a token that nobody else can cancel.
    #[must_use]
    pub fn new() -> Self {
        Self::from_parts(Links::default(), None)
    }

    /// Makes a token that is cancelled with this one, and can be cancelled alone.
    #[must_use]
    pub fn child(&self) -> Self {
        let mut links = self.state.links();
        if let Some(reason) = &links.reason {
            let reason = Some(reason.clone());
            return Self::from_parts(
                Links {
                    reason,
                    ..Links::default()
                },
                None,
            );
        }
        let slot = links.free.pop().unwrap_or_else(|| {
            links.children.push(None);
            links.children.len() - 1
        });
        let child = Self::from_parts(Links::default(), Some((self.clone(), slot)));
        links.children[slot] = Some(Arc::downgrade(&child.state));
        child
    }

    fn from_parts(links: Links, parent: Option<(Self, usize)>) -> Self {
        let is_cancelled = AtomicBool::new(links.reason.is_some());
        Self {
            state: Arc::new(State {
                is_cancelled,
                links: Mutex::new(links),
                parent,
                _tracked: Tracked::new(()),
            }),
        }
    }

    /// Cancels the token and its descendants. Returns whether this was the first request: its
    /// reason is the one that is kept.
    ///
    /// Whoever waits is woken from here, the token's own waiters before those of its children. A
    /// waker that panics keeps nobody from being told; the first panic goes on afterwards.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn cancel(&self, reason: impl Into<Reason>) -> bool {
        let reason = reason.into();
        let mut panics = Panics::default();
        let Some(mut rest) = self.state.cancel(&reason, &mut panics) else {
            return false;
        };
        // The tree is walked with a list of its own: it may be deep.
        while let Some(child) = rest.pop() {
            if let Some(state) = child.upgrade() {
                rest.extend(state.cancel(&reason, &mut panics).unwrap_or_default());
            }
        }
        panics.resume();
        true
    }

    /// Returns whether the token is cancelled.
    #[inline]
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        // Ordering: pairs with the store in `State::cancel`.
        self.state.is_cancelled.load(Ordering::Acquire)
    }

    /// Returns why the token is cancelled, if it is.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        if self.is_cancelled() {
            self.state.links().reason.clone()
        } else {
            None
        }
    }

    /// Waits until the token is cancelled, and returns why.
    ///
    /// # Errors
    ///
    /// `Cancelled` if the waiting task or a scope around it is cancelled first.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    pub fn cancelled(&self) -> WaitCancelled {
        WaitCancelled::new(self.clone())
    }

    /// Waits until the token is cancelled, like [`cancelled`](Self::cancelled), but anywhere: the
    /// future is `Send`, runs on any executor, and knows nothing of scopes.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped before it completes, it had no effect.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::ThreadDriver;
    /// use ringloop_task::Scheduler;
    /// use ringloop_task::cancel::CancelToken;
    ///
    /// let token = CancelToken::new();
    /// let signal = token.signal();
    /// let elsewhere = std::thread::spawn(|| Scheduler::new(ThreadDriver::new()).block_on(signal));
    /// token.cancel("all of you");
    /// assert_eq!(elsewhere.join().unwrap().text(), "all of you");
    /// ```
    pub fn signal(&self) -> Signal {
        Signal::new(self.clone())
    }

    /// Runs a future that knows nothing of scopes, and drops it when the token, a scope around, or
    /// the task is cancelled.
    ///
    /// # Errors
    ///
    /// `Cancelled` if it was dropped.
    ///
    /// # Cancel safety
    ///
    /// As that of the future, for which every cancellation is a drop.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::ThreadDriver;
    /// use ringloop_task::cancel::CancelToken;
    /// use ringloop_task::Scheduler;
    ///
    /// let token = CancelToken::new();
    /// token.cancel("too late");
    /// let run = token.run(std::future::pending::<()>());
    /// assert!(Scheduler::new(ThreadDriver::new()).block_on(run).is_err());
    /// ```
    #[track_caller]
    pub fn run<F: Future>(&self, future: F) -> Run<F> {
        Run::new(self.clone(), future)
    }

    /// Files a waker, or `None` if the token is cancelled already.
    pub(super) fn register(&self, waker: &Waker) -> Option<WakerKey> {
        // Cloning and dropping a waker is foreign code, which may use this token: not under the
        // lock.
        let mut waker = Some(waker.clone());
        let mut links = self.state.links();
        let key = match links.reason {
            None => waker.take().map(|waker| links.wakers.insert(waker)),
            Some(_) => None,
        };
        drop(links);
        drop(waker);
        key
    }

    /// Exchanges a waker that is filed, if it has to be.
    pub(super) fn update(&self, key: WakerKey, waker: &Waker) {
        if self.state.links().wakers.is_current(key, waker) {
            return;
        }
        let waker = waker.clone();
        let unneeded = self.state.links().wakers.replace(key, waker);
        drop(unneeded);
    }

    /// Withdraws a waker.
    pub(super) fn unregister(&self, key: WakerKey) {
        let waker = self.state.links().wakers.remove(key);
        drop(waker);
    }
}

impl State {
    /// Cancels this token alone and returns its children, the first one last, or `None` if it was
    /// cancelled.
    fn cancel(&self, reason: &Reason, panics: &mut Panics) -> Option<Vec<Weak<Self>>> {
        let mut links = self.links();
        if links.reason.is_some() {
            return None;
        }
        links.reason = Some(reason.clone());
        // Ordering: release, pairs with the load in `is_cancelled`.
        self.is_cancelled.store(true, Ordering::Release);
        let wakers = links.wakers.close();
        let children = links.children.iter().rev().flatten().cloned().collect();
        drop(links);
        panics.catch(|| waker_set::wake_all(wakers));
        Some(children)
    }

    fn links(&self) -> MutexGuard<'_, Links> {
        // Nothing under the lock panics half way, so a poisoned tree is a consistent one.
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves the parent, and returns it.
    fn leave(&mut self) -> Option<CancelToken> {
        let (parent, slot) = self.parent.take()?;
        let mut links = parent.state.links();
        links.children[slot] = None;
        links.free.push(slot);
        drop(links);
        Some(parent)
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // Ancestors that only this token kept go here, one by one: the chain may be long.
        let mut next = self.leave();
        while let Some(mut state) = next.and_then(|parent| Arc::into_inner(parent.state)) {
            next = state.leave();
        }
    }
}

impl Default for CancelToken {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelToken")
            .field("reason", &self.reason())
            .finish()
    }
}

#[cfg(test)]
mod tests;
