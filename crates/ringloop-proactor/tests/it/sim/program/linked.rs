//! A chain of operations as a job.

use std::any::Any;
use std::pin::Pin;
use std::task::{Context, Poll};

use ringloop_proactor::{Link, Then};

use super::model::Model;
use super::task::{Fate, Job, Progress};

/// Checks the outputs of a chain; `None`: it was dropped, and parts of it may have happened.
type Settle<T> = Box<dyn FnOnce(&mut Model, Option<T>)>;

/// A chain, and what to do when it has ended.
pub(super) struct Linked<A: Link, B: Link> {
    chain: Option<Then<A, B>>,
    settle: Option<Settle<(A::Output, B::Output)>>,
}

impl<A: Link, B: Link> Linked<A, B> {
    pub(super) fn new(
        chain: Then<A, B>,
        settle: impl FnOnce(&mut Model, Option<(A::Output, B::Output)>) + 'static,
    ) -> Self {
        Self {
            chain: Some(chain),
            settle: Some(Box::new(settle)),
        }
    }
}

impl<A: Link + Unpin + 'static, B: Link + Unpin + 'static> Job for Linked<A, B> {
    fn poll(&mut self, model: &mut Model, cx: &mut Context<'_>, _how: u8) -> Progress {
        let Some(chain) = &mut self.chain else {
            return Progress::Done;
        };
        let Poll::Ready(outputs) = Pin::new(chain).poll(cx) else {
            return Progress::Pending;
        };
        self.chain = None;
        if let Some(settle) = self.settle.take() {
            settle(model, Some(outputs));
        }
        Progress::Done
    }

    fn request_cancel(&mut self) -> bool {
        if let Some(chain) = &mut self.chain {
            chain.request_cancel();
        }
        true
    }

    fn wakes_first(&self) -> bool {
        true
    }

    fn name(&self) -> &'static str {
        "chain"
    }

    fn slots(&self) -> usize {
        0
    }

    fn give_up(&mut self, model: &mut Model, _fate: Fate) {
        if let Some(settle) = self.settle.take() {
            settle(model, None);
        }
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
