//! What a program polls, with the waker that was used last.

use std::any::Any;
use std::sync::Arc;
use std::task::{Context, Waker};

use ringloop_core::Unparker;

use super::flag::Flag;
use super::model::Model;

/// Something that is polled: an operation, a chain, a stream, a reader.
pub(super) trait Job {
    /// Polls it once and checks what comes. `how` chooses among what can be asked of it.
    fn poll(&mut self, model: &mut Model, cx: &mut Context<'_>, how: u8) -> Progress;

    /// Asks it to end. `false`: such a thing cannot be asked.
    fn request_cancel(&mut self) -> bool {
        false
    }

    /// Whether it is never ready before it has woken whoever waits.
    fn wakes_first(&self) -> bool {
        true
    }

    /// Whether it ends when the proactor does.
    fn ends_with_proactor(&self) -> bool {
        true
    }

    /// What it is called in a story.
    fn name(&self) -> &'static str;

    /// How many slots of the table it holds.
    fn slots(&self) -> usize;

    /// It is about to be dropped, or forgotten: notes what is not known from now on.
    fn give_up(&mut self, model: &mut Model, fate: Fate);

    /// For being kept where nobody touches it.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

/// How a job is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Dropped,
    Forgotten,
}

/// What came of a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Pending,
    /// There was something, and there may be more.
    More,
    /// There is nothing to wait for until a step wants something.
    Rest,
    Done,
}

/// A job and who waits for it.
pub(super) struct Task {
    pub(super) job: Box<dyn Job>,
    flags: [Arc<Flag>; 2],
    state: State,
    pub(super) is_asked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It wants to be polled.
    Ready,
    /// It was polled with this flag, which had been woken so often.
    Waiting {
        flag: usize,
        count: u64,
    },
    Resting,
}

impl Task {
    pub(super) fn new(job: Box<dyn Job>, unparker: Unparker) -> Self {
        Self {
            job,
            flags: [Flag::new(None), Flag::new(Some(unparker))],
            state: State::Ready,
            is_asked: false,
        }
    }

    /// Whether an executor would poll it now.
    pub(super) fn is_ready(&self) -> bool {
        match self.state {
            State::Ready => true,
            State::Resting => false,
            State::Waiting { flag, count } => self.flags[flag].count() > count,
        }
    }

    /// Whether it was polled, and has not been woken since.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting { .. }) && !self.is_ready()
    }

    /// Polls once. Ready without a wake is what an executor would never have seen.
    pub(super) fn poll(&mut self, model: &mut Model, how: u8) -> Progress {
        let flag = usize::from(how & 1);
        let count = self.flags[flag].count();
        let waker = Waker::from(Arc::clone(&self.flags[flag]));
        let progress = self
            .job
            .poll(model, &mut Context::from_waker(&waker), how >> 1);
        // A cancel inside of the poll may have woken who waited.
        let was_asleep = self.is_waiting();
        self.state = match progress {
            Progress::Pending => State::Waiting { flag, count },
            Progress::More => State::Ready,
            Progress::Rest | Progress::Done => State::Resting,
        };
        let is_lost = was_asleep && progress != Progress::Pending && self.job.wakes_first();
        assert!(!is_lost, "it is ready, and nobody was woken: {progress:?}");
        progress
    }

    pub(super) fn request_cancel(&mut self) {
        self.is_asked |= self.job.request_cancel();
    }
}
