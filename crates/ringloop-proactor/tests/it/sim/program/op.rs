//! A single operation as a job.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use ringloop_proactor::{Cancelling, Op, OpState, Operation, Outcome};

use super::model::Model;
use super::task::{Fate, Job, Progress};
use super::told::{self, Told};

/// How an operation ended.
pub(super) enum End<O: Operation> {
    Output(O::Output),
    Cancelled(O::Leftover),
    /// It was dropped; before that, it may have happened.
    Lost,
    /// It was dropped, and never submitted.
    Unsubmitted,
}

/// Checks an end against the model.
type Settle<O> = Box<dyn FnOnce(&mut Model, End<O>)>;

/// An operation, and what to do when it has ended.
pub(super) struct OneShot<O: Operation> {
    stage: Stage<O>,
    settle: Option<Settle<O>>,
    is_started: bool,
    is_asked: bool,
}

enum Stage<O: Operation> {
    Running(Op<O>),
    Cancelling(Cancelling<O>),
    Over,
}

impl<O: Operation> OneShot<O> {
    pub(super) fn new(op: Op<O>, settle: impl FnOnce(&mut Model, End<O>) + 'static) -> Self {
        Self {
            stage: Stage::Running(op),
            settle: Some(Box::new(settle)),
            is_started: false,
            is_asked: false,
        }
    }

    fn end(&mut self, model: &mut Model, end: End<O>) {
        if let Some(settle) = self.settle.take() {
            settle(model, end);
        }
    }
}

impl<O: Operation<Output: Told>> Job for OneShot<O> {
    fn poll(&mut self, model: &mut Model, cx: &mut Context<'_>, how: u8) -> Progress {
        // A cancel that waits for its outcome.
        if how & CANCEL == CANCEL {
            self.is_asked = true;
            self.stage = match std::mem::replace(&mut self.stage, Stage::Over) {
                Stage::Running(op) => Stage::Cancelling(op.cancel()),
                other @ (Stage::Cancelling(_) | Stage::Over) => other,
            };
        }
        let end: Poll<End<O>> = match &mut self.stage {
            Stage::Over => return Progress::Done,
            Stage::Running(op) => Pin::new(op).poll(cx).map(End::Output),
            Stage::Cancelling(op) => Pin::new(op).poll(cx).map(|outcome| match outcome {
                Outcome::Completed(output) => End::Output(output),
                Outcome::Cancelled(leftover) => End::Cancelled(leftover),
            }),
        };
        let was_started = std::mem::replace(&mut self.is_started, true);
        let Poll::Ready(end) = end else {
            return Progress::Pending;
        };
        let is_cancelling = matches!(self.stage, Stage::Cancelling(_));
        self.stage = Stage::Over;
        if let End::Output(output) = &end {
            let error = output.error();
            let may_end = (self.is_asked && !is_cancelling) || model.is_down || model.is_swept;
            assert!(
                was_started || error.is_some(),
                "it succeeded without having been submitted"
            );
            if let Some(error) = error {
                told::check(error, may_end);
            }
        }
        self.end(model, end);
        Progress::Done
    }

    fn request_cancel(&mut self) -> bool {
        if let Stage::Running(op) = &mut self.stage {
            op.request_cancel();
            self.is_asked = true;
        }
        true
    }

    fn name(&self) -> &'static str {
        O::NAME
    }

    fn slots(&self) -> usize {
        match &self.stage {
            Stage::Running(op) => usize::from(!matches!(
                op.report().state,
                OpState::Unstarted | OpState::Taken
            )),
            // One that was refused has none.
            Stage::Cancelling(_) | Stage::Over => 0,
        }
    }

    fn give_up(&mut self, model: &mut Model, fate: Fate) {
        let is_unsubmitted = match &self.stage {
            // What is forgotten goes on.
            Stage::Running(op) if fate == Fate::Dropped => {
                matches!(op.report().state, OpState::Unstarted | OpState::Staged)
            }
            Stage::Running(_) | Stage::Cancelling(_) | Stage::Over => false,
        };
        let end = if is_unsubmitted {
            End::Unsubmitted
        } else {
            End::Lost
        };
        self.end(model, end);
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// Bits of `how` that choose `cancel()`: rare.
const CANCEL: u8 = 0b111;
