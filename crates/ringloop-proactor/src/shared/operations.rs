//! One-shot operations: into the table, onto the list, out again.

use std::task::Waker;

use super::Shared;
use crate::op::{Disposition, OpKey, OpReport, Operation, Staged, Ticket, Unprepared};
use crate::queue::Queue;
use crate::ring::{BUFFER_SELECT, Cqe, FIXED_FILE};

impl Shared {
    /// Stores an operation, and says where it can be prepared; or gives it back if the proactor is
    /// gone.
    #[inline]
    pub(crate) fn insert<O: Operation>(
        &self,
        op: O,
        waker: &Waker,
    ) -> Result<(Ticket<O>, Unprepared<O>), O> {
        if !self.is_open.get() {
            return Err(op);
        }
        let waker = waker.clone();
        let table = &mut self.queue.borrow_mut().table;
        let ticket = table.insert(op, waker);
        let unprepared = table.unprepared(&ticket);
        Ok((ticket, unprepared))
    }

    /// Looks at the entry of an operation that is to be staged with others. `None`: it is about
    /// another proactor's descriptor or buffers.
    pub(crate) fn described<O>(&self, ticket: &Ticket<O>) -> Option<OpKey> {
        let table = &mut self.queue.borrow_mut().table;
        let (.., home) = table.described(ticket);
        self.is_home(home).then(|| table.key(ticket))
    }

    /// Stages an operation whose entry has been written.
    #[inline]
    pub(crate) fn stage<O>(&self, ticket: &Ticket<O>) {
        let mut queue = self.queue.borrow_mut();
        let (staged, sqe, home) = queue.table.described(ticket);
        if self.is_open.get() && sqe.flags & (FIXED_FILE | BUFFER_SELECT) == 0 {
            queue.stage(staged);
        } else {
            drop(queue);
            self.stage_checked(staged, home);
        }
    }

    /// Stages what needs a second look: an operation on a direct descriptor or with buffers that the
    /// kernel picks, or one whose buffer's code ended the proactor while it was being prepared.
    #[cold]
    fn stage_checked(&self, staged: Staged, home: u64) {
        let mut queue = self.queue.borrow_mut();
        match self.is_home(home) {
            _ if queue.closing => queue.refuse(staged, libc::ECANCELED),
            true => return queue.stage(staged),
            false => queue.refuse(staged, libc::EXDEV),
        }
        drop(queue);
        self.settle();
    }

    /// Whether what an entry names by a number of a ring is this proactor's; zero stands for nothing.
    pub(crate) fn is_home(&self, home: u64) -> bool {
        home == 0 || home == self.mark()
    }

    /// Stages a chain, all or nothing. `false`: it cannot be.
    pub(crate) fn stage_chain(&self, chain: &[(OpKey, u8)]) -> bool {
        let mut queue = self.queue.borrow_mut();
        !queue.closing && queue.stage_chain(chain)
    }

    /// The name of the operation behind a ticket.
    pub(crate) fn key<O>(&self, ticket: &Ticket<O>) -> OpKey {
        self.queue.borrow_mut().table.key(ticket)
    }

    /// Ends those of a chain that are staged, unsubmitted.
    pub(crate) fn refuse_staged(&self, keys: &[OpKey]) {
        let mut queue = self.queue.borrow_mut();
        let mut has_refused = false;
        for key in keys {
            if let Some((staged, _)) = queue.table.staged_entry(*key) {
                queue.refuse(staged, libc::ECANCELED);
                has_refused = true;
            }
        }
        drop(queue);
        if has_refused {
            self.settle();
        }
    }

    pub(crate) fn cancel_in_order(&self, keys: &[OpKey]) {
        if keys.len() > 1 {
            self.queue.borrow_mut().cancel_in_order(keys);
        }
    }

    /// What is known of the operation that `key` names.
    pub(crate) fn report(&self, key: OpKey) -> Option<OpReport> {
        let Queue { table, clock, .. } = &mut *self.queue.borrow_mut();
        table.report(key, clock)
    }

    /// What is known of every operation.
    pub(crate) fn reports(&self) -> Vec<OpReport> {
        let Queue { table, clock, .. } = &mut *self.queue.borrow_mut();
        table.reports(clock)
    }

    /// The operation and its completion, or `None`, and then `waker` is woken when it is there.
    #[inline]
    pub(crate) fn take<O: Operation>(&self, ticket: &Ticket<O>, waker: &Waker) -> Option<(O, Cqe)> {
        let done = self.queue.borrow_mut().table.take(ticket);
        if done.is_none() {
            return self.keep_waker(ticket, waker);
        }
        done
    }

    /// A poll that nothing completed came before: of another task, or by chance.
    #[cold]
    fn keep_waker<O: Operation>(&self, ticket: &Ticket<O>, waker: &Waker) -> Option<(O, Cqe)> {
        let is_known = {
            let table = &mut self.queue.borrow_mut().table;
            let known = table.waker(ticket).as_ref();
            known.is_some_and(|known| known.will_wake(waker))
        };
        if is_known {
            return None;
        }
        let waker = waker.clone();
        let (done, old) = {
            let table = &mut self.queue.borrow_mut().table;
            // The waker's code has run, and may have taken a turn.
            let done = table.take(ticket);
            let old = match &done {
                Some(_) => Some(waker),
                None => table.waker(ticket).replace(waker),
            };
            (done, old)
        };
        drop(old);
        done
    }

    pub(crate) fn cancel<O: Operation>(&self, ticket: &Ticket<O>) {
        let waker = {
            let mut queue = self.queue.borrow_mut();
            let answer = Cqe::failed(libc::ECANCELED);
            if queue.table.complete_staged(ticket, answer) {
                queue.table.waker(ticket).take()
            } else {
                let key = queue.table.key(ticket);
                if queue.table.ask_cancel(key) {
                    queue.stage_cancel(key);
                }
                None
            }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(crate) fn abandon<O>(&self, ticket: &Ticket<O>) -> Disposition {
        let (disposition, waker) = {
            let mut queue = self.queue.borrow_mut();
            let waker = queue.table.waker(ticket).take();
            let disposition = queue.table.abandon(ticket);
            if let Disposition::Left { ask: Some(key) } = disposition {
                queue.stage_cancel(key);
            }
            (disposition, waker)
        };
        // Its code may panic: the operation has been given up by then.
        drop(waker);
        disposition
    }
}
