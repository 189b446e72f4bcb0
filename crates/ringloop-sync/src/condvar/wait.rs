//! The future of one wait: into the line, woken, the mutex locked again.
//!
//! # States
//!
//! | from | event | to |
//! |---|---|---|
//! | held | first poll: in the line, then the mutex is given up | waiting |
//! | held | first poll in a cancelled scope | over, the guard comes back |
//! | waiting | notified, or cancelled | locking |
//! | locking | the mutex is there | over, with a new guard |
//! | waiting, locking | dropped | over; a notice goes to the next |

use std::fmt;
use std::future::Future;
use std::mem;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ringloop_core::panics::Panics;

use super::Condvar;
use crate::host::Host;
use crate::mutex::{Body, MutexGuard};
use crate::wait::Wait;

/// A future of the guard and what came of the wait; see [`Condvar::wait`].
#[must_use = "futures do nothing unless awaited"]
pub struct CondvarWait<'a, 'm, T: ?Sized, H: Host> {
    pub(super) condvar: &'a Condvar<H>,
    /// In the line of the condition variable, and then in that of the mutex.
    wait: Wait<H>,
    stage: Stage<'m, T, H>,
    pub(super) at: &'static Location<'static>,
}

enum Stage<'m, T: ?Sized, H: Host> {
    Held(MutexGuard<'m, T>),
    Waiting(&'m Body<T>),
    /// With whether the notice is to be passed on, or why there was none.
    Locking(&'m Body<T>, Result<bool, H::Cancelled>),
    Over,
}

/// What a wait gives: the guard in any case.
pub(super) type Waited<'m, T, C> = (MutexGuard<'m, T>, Result<(), C>);

impl<'a, 'm, T: ?Sized, H: Host> CondvarWait<'a, 'm, T, H> {
    pub(super) fn new(
        condvar: &'a Condvar<H>,
        guard: MutexGuard<'m, T>,
        at: &'static Location<'static>,
    ) -> Self {
        Self {
            condvar,
            wait: Wait::new(at),
            stage: Stage::Held(guard),
            at,
        }
    }

    /// The guard, before the wait has begun.
    pub(super) fn held(&mut self) -> Option<&mut MutexGuard<'m, T>> {
        match &mut self.stage {
            Stage::Held(guard) => Some(guard),
            Stage::Waiting(_) | Stage::Locking(..) | Stage::Over => None,
        }
    }

    /// Asks the host, once, whether the wait may begin.
    pub(super) fn poll_begin(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), H::Cancelled>> {
        self.wait.poll_begin(cx)
    }

    /// Ends the wait before it has begun.
    pub(super) fn give_back<C>(&mut self, outcome: Result<(), C>) -> Poll<Waited<'m, T, C>> {
        match mem::replace(&mut self.stage, Stage::Over) {
            Stage::Held(guard) => Poll::Ready((guard, outcome)),
            Stage::Waiting(_) | Stage::Locking(..) | Stage::Over => {
                unreachable!("a wait that has not begun has the guard")
            }
        }
    }

    pub(super) fn poll_wait(&mut self, cx: &mut Context<'_>) -> Poll<Waited<'m, T, H::Cancelled>> {
        if self.held().is_some() {
            if let Err(cancelled) = ready!(self.poll_begin(cx)) {
                return self.give_back(Err(cancelled));
            }
            self.wait.enlist(&self.condvar.waiters, false, cx);
        }
        if let Stage::Held(guard) = &self.stage {
            let waiting = Stage::Waiting(guard.body());
            // Whoever is woken by this finds the wait in the line.
            drop(mem::replace(&mut self.stage, waiting));
        }
        if let Stage::Waiting(body) = self.stage {
            let told = ready!(self.wait.poll_listed(&self.condvar.waiters, cx));
            self.stage = Stage::Locking(body, told.map_err(|(_, cancelled)| cancelled));
            if body.raw.try_lock::<H>(self.at, Some(cx.waker())) {
                return self.finish(body);
            }
            body.raw.enlist(&mut self.wait, self.at, cx);
        }
        let &Stage::Locking(body, _) = &self.stage else {
            panic!("a wait for a condition variable was polled after it had completed");
        };
        ready!(body.raw.poll_in_any_case(&mut self.wait, cx));
        self.finish(body)
    }

    /// The mutex is locked again.
    fn finish(&mut self, body: &'m Body<T>) -> Poll<Waited<'m, T, H::Cancelled>> {
        let outcome = match mem::replace(&mut self.stage, Stage::Over) {
            Stage::Locking(_, told) => told.map(|_is_passed_on| ()),
            Stage::Held(_) | Stage::Waiting(_) | Stage::Over => Ok(()),
        };
        // The watch may say that the wait stays, which it does no more, even if this is kept.
        self.wait = Wait::new(self.at);
        Poll::Ready((MutexGuard::new(body), outcome))
    }
}

impl<'m, T: ?Sized, H: Host> Future for CondvarWait<'_, 'm, T, H> {
    type Output = (MutexGuard<'m, T>, H::Outcome<()>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (guard, outcome) = ready!(self.poll_wait(cx));
        Poll::Ready((guard, H::outcome(outcome)))
    }
}

/// Nothing in it is pinned.
impl<T: ?Sized, H: Host> Unpin for CondvarWait<'_, '_, T, H> {}

impl<T: ?Sized, H: Host> Drop for CondvarWait<'_, '_, T, H> {
    fn drop(&mut self) {
        match &self.stage {
            Stage::Held(_) | Stage::Over => {}
            Stage::Waiting(_) => {
                if let Some(Ok(true)) = self.wait.leave(&self.condvar.waiters) {
                    self.condvar.notify_one();
                }
            }
            Stage::Locking(body, told) => {
                let mut panics = Panics::default();
                panics.catch(|| body.raw.abandon(&mut self.wait));
                if let Ok(true) = told {
                    panics.catch(|| self.condvar.notify_one());
                }
                panics.resume();
            }
        }
    }
}

impl<T: ?Sized, H: Host> fmt::Debug for CondvarWait<'_, '_, T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.stage {
            Stage::Held(_) => "held",
            Stage::Waiting(_) => "waiting",
            Stage::Locking(..) => "locking",
            Stage::Over => "over",
        };
        f.debug_struct("CondvarWait")
            .field("stage", &format_args!("{stage}"))
            .finish_non_exhaustive()
    }
}
