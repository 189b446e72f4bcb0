//! Descriptors whose last user has gone.

use super::{Closing, Shared};
use crate::closers::Closers;
use crate::fd::Descriptor;
use crate::idle::Idle;
use crate::op::Disposition;
use crate::ops::CloseService;

impl Shared {
    /// Closes `descriptor` at the next park and tells `done`; at once if the proactor is gone.
    pub(crate) fn close(&self, descriptor: Descriptor, done: Closers) {
        if self.is_open() {
            self.closing.borrow_mut().push((descriptor, done));
            self.has_closing.set(true);
            self.is_odd.set(true);
        } else {
            drop(descriptor);
            done.tell(0);
        }
    }

    /// Whether the ring is one of polled devices.
    pub(crate) fn is_polled(&self) -> bool {
        matches!(self.idle, Some(Idle::Polled))
    }

    pub(super) fn stage_closing(&self) {
        self.has_closing.set(false);
        let mut closing = self.closing.take();
        if self.is_polled() {
            return self.close_now(closing);
        }
        let mut queue = self.queue.borrow_mut();
        for (fd, done) in closing.drain(..) {
            let key = queue.table.insert_service(CloseService::new(fd, done));
            let staged = queue.table.stage(&key);
            staged.into_iter().for_each(|staged| queue.stage(staged));
            // Nobody holds it: it goes on until it rests, then it leaves the table.
            match queue.table.release(&key, true) {
                Disposition::Left { .. } => {}
                Disposition::Gone(_) => unreachable!("a staged service is left to finish"),
            }
        }
        // Its room is for the next ones, unless these were extraordinarily many.
        let mut place = self.closing.borrow_mut();
        if place.is_empty() && closing.capacity() <= CLOSING_KEPT {
            *place = closing;
        }
    }

    /// Closes descriptors without the ring, which knows nothing but reads and writes.
    #[cold]
    fn close_now(&self, closing: Vec<Closing>) {
        for (descriptor, done) in closing {
            let result = match (descriptor, &mut self.queue.borrow_mut().ring) {
                (Descriptor::Direct(slot), Some(ring)) => ring.empty_slot(slot),
                (Descriptor::Direct(_), None) => Ok(()),
                (Descriptor::Plain(fd), _) => {
                    drop(fd);
                    Ok(())
                }
            };
            let errno = result.err().and_then(|error| error.raw_os_error());
            done.tell(errno.unwrap_or(0));
        }
    }
}

/// Room for so many descriptors is kept from turn to turn.
const CLOSING_KEPT: usize = 64;
