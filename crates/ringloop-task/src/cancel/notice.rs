//! How a scope or task finds out whether an error that tells of its cancellation is alive.
//!
//! Each cancellation of one scope or task is a [`Cancellation`], which its owner keeps. The errors
//! that tell of it share a [`Notice`], which only they keep: the owner asks whether there is one.
//! What is passed on to a member of a group, or into its body, becomes a cancellation of its own,
//! and its notice keeps the one that it came from alive. So every owner on the way recognizes it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::reason::{Cancelled, Reason};

/// One cancellation of one scope or task.
#[derive(Debug)]
pub(super) struct Cancellation {
    reason: Reason,
    /// Where it was passed on from. Not kept alive: the owner there may be gone.
    origin: Weak<Self>,
    /// What the errors share that tell of this and are alive.
    notice: Mutex<Weak<Notice>>,
}

/// What all errors share that tell of one cancellation.
#[derive(Debug)]
pub(super) struct Notice {
    cancellation: Arc<Cancellation>,
    /// The notice where the cancellation was passed on from.
    origin: Option<Arc<Self>>,
}

impl Cancellation {
    fn new(reason: Reason, origin: Weak<Self>) -> Arc<Self> {
        Arc::new(Self {
            reason,
            origin,
            notice: Mutex::default(),
        })
    }

    /// Returns the notice, which is made if there is none. The same for those that it was passed
    /// on from, one by one, because there may be many.
    fn notice(self: &Arc<Self>) -> Arc<Notice> {
        if let Some(notice) = self.notice_alive() {
            return notice;
        }
        let mut missing = Vec::new();
        let mut found = None;
        let mut next = self.origin.upgrade();
        while let Some(origin) = next {
            found = origin.notice_alive();
            if found.is_some() {
                break;
            }
            next = origin.origin.upgrade();
            missing.push(origin);
        }
        for origin in missing.iter().rev() {
            found = Some(origin.make_notice(found));
        }
        self.make_notice(found)
    }

    fn make_notice(self: &Arc<Self>, origin: Option<Arc<Notice>>) -> Arc<Notice> {
        let notice = Arc::new(Notice {
            cancellation: Arc::clone(self),
            origin,
        });
        *self.place() = Arc::downgrade(&notice);
        notice
    }

    fn notice_alive(&self) -> Option<Arc<Notice>> {
        self.place().upgrade()
    }

    /// Returns whether an error that tells of this is alive.
    fn is_out(&self) -> bool {
        self.place().strong_count() > 0
    }

    fn place(&self) -> MutexGuard<'_, Weak<Notice>> {
        self.notice.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Notice {
    /// Makes the notice of a cancellation of something that is no task or scope.
    pub(super) fn alone(reason: Reason) -> Arc<Self> {
        Cancellation::new(reason, Weak::new()).notice()
    }

    pub(super) fn reason(&self) -> &Reason {
        &self.cancellation.reason
    }

    /// Returns the cancellation that this tells of, for passing it on.
    fn downgrade(&self) -> Weak<Cancellation> {
        Arc::downgrade(&self.cancellation)
    }
}

impl Drop for Notice {
    fn drop(&mut self) {
        // Notices that only this one kept go here, one by one: the chain may be long.
        let mut next = self.origin.take();
        while let Some(mut notice) = next.and_then(Arc::into_inner) {
            next = notice.origin.take();
        }
    }
}

/// The cancellation of a scope.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    own: Option<Arc<Cancellation>>,
    /// The cancellation that the errors tell of instead, as long as it is known.
    followed: Weak<Cancellation>,
}

impl Notices {
    /// Returns the error that tells of this cancellation.
    pub(crate) fn cancelled(&mut self, reason: impl FnOnce() -> Reason) -> Cancelled {
        let followed = self.followed.upgrade();
        let cancellation = followed.as_ref().unwrap_or_else(|| {
            self.own
                .get_or_insert_with(|| Cancellation::new(reason(), Weak::new()))
        });
        Cancelled::of(cancellation.notice())
    }

    /// Has the errors tell of a cancellation elsewhere, which was passed on.
    pub(crate) fn follow(&mut self, cancelled: &Cancelled) {
        self.followed = cancelled.notice().downgrade();
    }

    /// Returns the error that tells of this cancellation, which came about because `origin` was
    /// passed on, unless it had come about already.
    pub(crate) fn passed_on(&mut self, origin: &Cancelled) -> Cancelled {
        let own = self.own.get_or_insert_with(|| {
            Cancellation::new(origin.reason().clone(), origin.notice().downgrade())
        });
        Cancelled::of(own.notice())
    }

    /// Returns whether an error that tells of this cancellation is alive.
    pub(crate) fn are_out(&self) -> bool {
        self.own.as_ref().is_some_and(|own| own.is_out())
    }

    /// Forgets the cancellation.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// A request to cancel a task.
#[derive(Debug)]
pub(crate) struct Request {
    reason: Reason,
    /// The cancellation that was passed on to the task.
    origin: Weak<Cancellation>,
    own: Option<Arc<Cancellation>>,
}

impl Request {
    pub(crate) fn new(reason: Reason) -> Self {
        Self {
            reason,
            origin: Weak::new(),
            own: None,
        }
    }

    pub(crate) fn shutdown() -> Self {
        Self::new(Reason::shutdown())
    }

    /// Makes the request of a task that is awaited where `cancelled` was found.
    pub(crate) fn passed_on(cancelled: &Cancelled) -> Self {
        Self {
            origin: cancelled.notice().downgrade(),
            ..Self::new(cancelled.reason().clone())
        }
    }

    /// Returns what the task's waits say. A member of a group has to recognize it as what it was
    /// told itself; others say what was passed on to them.
    pub(crate) fn cancelled(&mut self, is_member: bool) -> Cancelled {
        if !is_member && let Some(origin) = self.origin.upgrade() {
            return Cancelled::of(origin.notice());
        }
        let own = self
            .own
            .get_or_insert_with(|| Cancellation::new(self.reason.clone(), self.origin.clone()));
        Cancelled::of(own.notice())
    }

    /// Returns the reason, if an error that tells of what the member of a group was told is alive.
    pub(crate) fn told(&self) -> Option<&Reason> {
        let own = self.own.as_ref()?;
        own.is_out().then_some(&self.reason)
    }
}

#[cfg(test)]
mod tests;
