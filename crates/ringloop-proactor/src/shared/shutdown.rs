//! The end of a proactor, in bounded time.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use super::{Pool, Shared};

impl Shared {
    /// Ends everything, in bounded time. Returns how many operations had to be leaked.
    ///
    /// First what abandoned senders still hold goes out, for as long as `linger`; then all is
    /// cancelled and reaped, for as long as `drain`. Closing a ring is not a barrier: the kernel
    /// goes on writing into the memory of what is in flight, so that memory is never freed (I6).
    pub(crate) fn shut_down(&self, linger: Duration, drain: Duration) -> usize {
        if self.queue.borrow().is_inherited() {
            return self.let_go();
        }
        let now = || self.clock.now();
        // A buffer or a waker that panics on the way is heard when everything has ended.
        let mut panicked = None;
        let mut turn = |timeout| match catch_unwind(AssertUnwindSafe(|| self.turn(Some(timeout)))) {
            Ok(result) => result.is_ok(),
            Err(payload) => {
                panicked.get_or_insert(payload);
                true
            }
        };
        let start = now();
        while self.has_lingering() && now() - start < linger && turn(REAP_INTERVAL) {}
        if self.has_closing.get() {
            self.stage_closing();
        }
        self.is_open.set(false);
        // The next turn settles what this leaves.
        self.queue.borrow_mut().close();
        let start = now();
        let mut before = None;
        loop {
            let left = self.queue.borrow().table.in_flight();
            if left == 0 || now() - start >= drain {
                break;
            }
            match before.replace(left) {
                None => self.queue.borrow_mut().stage_cancel_each(),
                // What is linked behind another one is not there to be found at first.
                Some(before) if before == left => self.queue.borrow_mut().stage_cancel_all(),
                Some(_) => {}
            }
            if !turn(REAP_INTERVAL) {
                break;
            }
        }
        turn(Duration::ZERO);
        self.set_observer(None);
        let leaked = self.close_ring();
        for (fd, done) in self.closing.take() {
            self.close(fd, done);
        }
        match panicked {
            Some(payload) if !std::thread::panicking() => resume_unwind(payload),
            Some(_) | None => leaked,
        }
    }

    /// Ends a forked child's copy, which the kernel does not know: nothing is cancelled, and
    /// nothing but the child's own descriptors is closed. Returns how many operations are leaked.
    fn let_go(&self) -> usize {
        self.is_open.set(false);
        self.queue.borrow_mut().close();
        self.settle();
        let ring = self.queue.borrow_mut().ring.take();
        drop(ring);
        let pool = mem::replace(&mut *self.pool.borrow_mut(), Pool::Refused);
        drop(pool);
        self.has_closing.set(false);
        for (fd, done) in self.closing.take() {
            self.close(fd, done);
        }
        self.queue.borrow().table.in_flight()
    }

    fn has_lingering(&self) -> bool {
        self.has_closing.get() || self.queue.borrow().table.lingering() > 0
    }

    fn close_ring(&self) -> usize {
        let leaked = self.queue.borrow().table.in_flight();
        let ring = self.queue.borrow_mut().ring.take();
        let pool = mem::replace(&mut *self.pool.borrow_mut(), Pool::Refused);
        let groups = self.groups.borrow_mut().take();
        if let Some(mut ring) = ring {
            let pool = match &pool {
                Pool::Made(pool) => Some(pool),
                Pool::Unmade { .. } | Pool::Refused => None,
            };
            for pool in groups.iter().chain(pool) {
                pool.unregister(&mut ring, leaked > 0);
            }
            self.direct.empty(&mut ring);
        }
        for group in &groups {
            group.wake_waiters();
        }
        leaked
    }
}

const REAP_INTERVAL: Duration = Duration::from_millis(10);
