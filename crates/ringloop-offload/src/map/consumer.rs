//! What the consumer does when it polls the map: it pulls items, and takes results.

use std::future::poll_fn;
use std::panic;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker, ready};

use crate::error::OffloadError;
use crate::executor::Executor;
use crate::job::Outcome;

use super::map::Map;
use super::shared::{Look, Want};

impl<E, I, T> Map<E, I, T>
where
    E: Executor,
    I: Iterator<Item: Send + 'static>,
    T: Send + 'static,
{
    /// Waits for the next result. `None`: there are no more.
    ///
    /// # Errors
    ///
    /// That of one item: its closure panicked, or no runner could be started for it. The next call
    /// goes on with the others.
    ///
    /// # Panics
    ///
    /// If the iterator does. It is taken to have ended then; what was pulled before is run, and the
    /// next call goes on.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a result that comes after the future was dropped waits for the next call.
    pub async fn next(&mut self) -> Option<Result<T, OffloadError>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Returns the next result, or wakes the task when there is one.
    ///
    /// # Panics
    ///
    /// As [`next`](Self::next).
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, OffloadError>>> {
        let buffer = self.buffer_or(BUFFER_MIN);
        let room = buffer.saturating_sub(self.outstanding);
        if room >= self.room_wanted(buffer) {
            self.pull(room);
        }
        loop {
            if let Some(outcome) = self.pop() {
                return Poll::Ready(Some(outcome));
            }
            // Before it sleeps, the consumer fills up.
            self.pull(buffer.saturating_sub(self.outstanding));
            match self.look(Want::Next, cx.waker()) {
                Look::Results => {}
                Look::Stuck => ready!(self.poll_unstick(cx)),
                Look::Empty if self.source.has_ended() => return Poll::Ready(None),
                Look::Empty => {}
                Look::Asleep(_) => return Poll::Pending,
                // What `collect` asks for.
                Look::Error(error) => return Poll::Ready(Some(Err(error))),
                Look::Room(room) => self.pull(room),
            }
        }
    }

    pub(super) fn pop(&mut self) -> Option<Outcome<T>> {
        let outcome = self.batch.pop()?;
        self.outstanding -= 1;
        let yielded = &self.shared.counters.yielded;
        yielded.store(yielded.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        Some(outcome)
    }

    pub(super) fn look(&mut self, want: Want, waker: &Waker) -> Look {
        debug_assert!(self.batch.is_empty());
        self.shared.look(&mut self.batch, want, waker.clone())
    }

    /// Pulls up to `room` items and sees to it that somebody runs them.
    pub(super) fn pull(&mut self, room: usize) {
        let panicked = self.source.fill(room);
        let count = self.source.pulled.len();
        if count > 0 {
            let pulled = &self.shared.counters.pulled;
            pulled.store(
                pulled.load(Ordering::Relaxed) + count as u64,
                Ordering::Relaxed,
            );
            self.outstanding += count;
            self.shared.feed(&mut self.source.pulled);
            self.runners.start(&self.shared, self.outstanding);
        }
        if let Some(payload) = panicked {
            panic::resume_unwind(payload);
        }
    }

    /// No runner is left, and there are items.
    pub(super) fn poll_unstick(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.runners
            .poll_unstick(cx, &self.shared, self.outstanding)
    }

    pub(super) fn buffer_or(&self, min: usize) -> usize {
        let by_limit = self.runners.limit.saturating_mul(2).clamp(min, BUFFER_MAX);
        self.buffer.unwrap_or(by_limit)
    }

    /// How much room is worth a pull: half of what waits while the runners are busy.
    pub(super) fn room_wanted(&self, buffer: usize) -> usize {
        (buffer.saturating_sub(self.runners.limit) / 2).max(1)
    }
}

const BUFFER_MIN: usize = 64;
const BUFFER_MAX: usize = 4096;
