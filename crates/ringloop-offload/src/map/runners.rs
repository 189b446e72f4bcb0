//! The jobs that run the items: how they are started, and what those that end leave behind.

use std::mem;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::contain::drop_quietly;
use crate::error::OffloadError;
use crate::executor::Executor;
use crate::job::Name;
use crate::offload::{Offload, hand_over_at};

use super::runner::Runner;
use super::shared::Shared;

/// The runners of a map, as its consumer knows them.
pub(super) struct Runners<E> {
    /// Those that run items, with some that have ended.
    offloads: Vec<Offload<()>>,
    executor: E,
    pub(super) limit: usize,
    /// Why a runner was not run, if no item has been told.
    refusal: Option<OffloadError>,
    pub(super) location: &'static Location<'static>,
    pub(super) name: Option<Name>,
}

impl<E> Runners<E> {
    pub(super) fn new(executor: E, limit: usize, location: &'static Location<'static>) -> Self {
        Self {
            offloads: Vec::new(),
            executor,
            limit,
            refusal: None,
            location,
            name: None,
        }
    }

    /// Takes all of them out, for the caller to drop.
    pub(super) fn take(&mut self) -> Vec<Offload<()>> {
        mem::take(&mut self.offloads)
    }

    /// Forgets those that have ended, and keeps the reason of one that was not run. Returns
    /// whether some have not ended; they wake the task.
    fn reap(&mut self, cx: &mut Context<'_>) -> bool {
        let refusal = &mut self.refusal;
        self.offloads
            .retain_mut(|offload| match Pin::new(offload).poll(cx) {
                Poll::Pending => true,
                Poll::Ready(Ok(())) => false,
                Poll::Ready(Err(error)) => {
                    *refusal = Some(error);
                    false
                }
            });
        !self.offloads.is_empty()
    }
}

impl<E: Executor> Runners<E> {
    /// Starts as many as find something to do, while so many items have no result.
    pub(super) fn start<I, T>(&mut self, shared: &Arc<Shared<I, T>>, outstanding: usize)
    where
        I: Send + 'static,
        T: Send + 'static,
    {
        let most = self.limit.min(outstanding);
        if self.offloads.len() > most.saturating_mul(2) {
            self.reap(&mut Context::from_waker(Waker::noop()));
        }
        for _ in 0..most {
            if !shared.recruit(self.limit) {
                break;
            }
            let runner = Runner::new(shared);
            let name = self.name.clone();
            let mut offload =
                hand_over_at(self.location, &self.executor, name, move || runner.run());
            match Pin::new(&mut offload).poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending => self.offloads.push(offload),
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => {
                    self.refusal = Some(error);
                    break;
                }
            }
        }
    }

    /// None is left, and there are items. Tries to start one, or gives the first item the error.
    pub(super) fn poll_unstick<I, T>(
        &mut self,
        cx: &mut Context<'_>,
        shared: &Arc<Shared<I, T>>,
        outstanding: usize,
    ) -> Poll<()>
    where
        I: Send + 'static,
        T: Send + 'static,
    {
        if self.refusal.is_none() && self.reap(cx) && self.refusal.is_none() {
            // One is just being dropped by its executor, and says why in a moment.
            return Poll::Pending;
        }
        let error = self.refusal.take();
        let error = error.unwrap_or_else(|| OffloadError::rejected(None));
        if let Ok(item) = shared.fail_first(error) {
            drop_quietly(item);
        }
        self.start(shared, outstanding);
        Poll::Ready(())
    }
}
