//! A job that is no closure: a pair of hands for those who have a queue of their own.
//!
//! Nobody waits for its end, so it has no outcome. It is taken once, as any other job: run by an
//! executor, dropped by it, or withdrawn by those whom it was to help.

use std::panic::Location;
use std::sync::Arc;

use super::current;
use super::head::Head;
use super::tag::Tag;
use super::wish::Reason;
use super::{Performed, Watch, Work};
use crate::contain::drop_quietly;
use crate::error::Refusal;

/// Those who send for helpers.
pub(crate) trait Help: Send + Sync {
    /// Lets `hands` do what there is to do, on this thread. Returns whether there was something.
    fn help(self: &Arc<Self>, hands: &Hands<'_>) -> bool;

    /// Takes note that a helper which was sent for never comes.
    fn lose_helper(&self);
}

pub(crate) struct Helper<H> {
    team: Arc<H>,
    head: Head,
}

/// A helper that has come, on its thread.
pub(crate) struct Hands<'helper> {
    work: &'helper Arc<dyn Work>,
}

impl<H: Help> Helper<H> {
    /// Makes a helper for `team`, offloaded at `location` by the job on this thread.
    pub(crate) fn new(team: Arc<H>, location: &'static Location<'static>) -> Arc<Self> {
        let tag = Tag::new(location, None, current::parent());
        Arc::new(Self {
            team,
            head: Head::new(tag),
        })
    }
}

impl<H: Help> Work for Helper<H> {
    fn run(&self, this: &Arc<dyn Work>) -> Performed {
        if !self.head.state.begin_run() {
            return Performed::NotRun;
        }
        let has_helped = self.team.help(&Hands { work: this });
        self.head.end();
        self.head.free_slot();
        if has_helped {
            Performed::Ran {
                abandoned: false,
                panicked: false,
            }
        } else {
            Performed::NotRun
        }
    }

    fn reject(&self, refusal: Option<Refusal>) -> bool {
        drop_quietly(refusal);
        let was_queued = self.cancel(None);
        if was_queued {
            self.team.lose_helper();
        }
        was_queued
    }

    /// For the team, which knows.
    fn cancel(&self, _reason: Option<Reason>) -> bool {
        let was_queued = self.head.state.reject();
        if was_queued {
            self.head.end();
            self.head.free_slot();
        }
        was_queued
    }

    fn head(&self) -> &Head {
        &self.head
    }
}

impl Hands<'_> {
    /// Calls `f` on behalf of `job`, if there is one: that is then the job that runs on this
    /// thread. The pool of the thread is that of the helper.
    pub(crate) fn work_for<R>(&self, job: Option<&Watch>, f: impl FnOnce() -> R) -> R {
        let work = job.map_or(self.work, |job| &job.0);
        current::enter_at(work, self.work.head().tag().home(), f)
    }
}
