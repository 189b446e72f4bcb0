//! What a foreign thread rings to wake a sleeping loop.

use std::future;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use crate::clock;
use crate::process;

/// A bell with a note of when it was rung, for one listener at a time.
///
/// It is the same for every runtime, so that only the runtime's own waker differs.
#[derive(Debug, Default)]
pub struct Bell {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    awaited: bool,
    waker: Option<Waker>,
    rung_at: Option<Instant>,
}

impl Bell {
    /// Waits for a ring; returns how long ago it began.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    pub async fn heard(&self) -> Duration {
        future::poll_fn(|context| {
            let mut state = self.lock();
            if let Some(rung_at) = state.rung_at.take() {
                return Poll::Ready(clock::now() - rung_at);
            }
            state.awaited = true;
            state.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// Waits for a ring by calling `sleep`, which the ringer's `wake` ends.
    ///
    /// # Errors
    ///
    /// What `sleep` returns, and an error if it returns without a ring.
    pub fn heard_by(&self, sleep: impl FnOnce() -> io::Result<()>) -> io::Result<Duration> {
        self.lock().awaited = true;
        sleep()?;
        let now = clock::now();
        let rung_at = self.lock().rung_at.take();
        let rung_at = rung_at.ok_or_else(|| io::Error::other("woken without a ring"))?;
        Ok(now - rung_at)
    }

    /// Rings `count` times from processor `cpu`, each time when the listener is asleep.
    ///
    /// `wake` is called for listeners that wait through [`heard_by`](Self::heard_by).
    ///
    /// # Errors
    ///
    /// What `wake` and the binding to the processor return.
    pub fn ring_often(
        &self,
        cpu: usize,
        count: u32,
        mut wake: impl FnMut() -> io::Result<()>,
    ) -> io::Result<()> {
        process::pin(cpu)?;
        for _ in 0..count {
            while !std::mem::take(&mut self.lock().awaited) {
                thread::yield_now();
            }
            // Between saying that it waits and sleeping, the listener has this much time.
            clock::pause(FALL_ASLEEP);
            let waker = {
                let mut state = self.lock();
                state.rung_at = Some(clock::now());
                state.waker.take()
            };
            match waker {
                Some(waker) => waker.wake(),
                None => wake()?,
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const FALL_ASLEEP: Duration = Duration::from_micros(100);
