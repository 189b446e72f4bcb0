//! What follows from a completion that is no usual one.

use std::collections::VecDeque;
use std::task::Waker;

use super::{CANCEL, WAKE, cancel};
use crate::mail::Mail;
use crate::op::{Detached, Next, OpKey, OpTable, Staged, Step};
use crate::ring::{Cqe, SKIP_SUCCESS, Sqe};
use crate::stats::ProactorStats;
use crate::wakes::Wakes;

/// All that a completion can touch which is no usual one.
pub(super) struct Aftermath<'a> {
    pub(super) table: &'a mut OpTable,
    pub(super) wakes: &'a mut Wakes,
    pub(super) gone: &'a mut Vec<Detached>,
    pub(super) closing: bool,
    pub(super) staged: &'a mut Vec<Staged>,
    pub(super) internal: &'a mut VecDeque<Sqe>,
    pub(super) insisting: &'a mut Vec<OpKey>,
    pub(super) mail: &'a mut Mail,
    /// To be armed again when the kernel has ended it.
    pub(super) wake_poll: Sqe,
    pub(super) stats: &'a mut ProactorStats,
}

impl Aftermath<'_> {
    /// Does what a service wants.
    #[inline(never)]
    pub(super) fn of_service(mut self, step: Step) {
        let next = self.table.service_completed(step, self.gone);
        self.follow(next);
    }

    /// Deals with a completion that names nothing in flight.
    #[cold]
    #[inline(never)]
    pub(super) fn of_stray(mut self, user_data: u64, res: i32, flags: u32) {
        let cqe = Cqe {
            user_data,
            res,
            flags,
        };
        let waker = self.whom(cqe);
        self.wakes.extend(waker);
    }

    fn follow(&mut self, next: Next) {
        match next {
            Next::Submit(staged) if self.closing => {
                let answer = Cqe::failed(libc::ECANCELED);
                self.table.refuse(staged, answer, self.wakes, self.gone);
            }
            Next::Submit(staged) => self.staged.push(staged),
            Next::Cancel(key) => {
                self.stats.cancels_asked += 1;
                self.internal.push_back(cancel(key));
            }
            Next::Insist(key) => self.insisting.push(key),
            Next::Nothing => {}
        }
    }

    /// Deals with a completion that is no live operation's; returns whom to wake.
    fn whom(&mut self, cqe: Cqe) -> Option<Waker> {
        match OpKey::from_user_data(cqe.user_data) {
            Some(key) if key.is_message() => return self.mail.data_came(key, cqe),
            // I3: a completion that nobody waits for is counted and hits nothing.
            Some(_) => self.stats.stale_completions += 1,
            None if cqe.user_data == WAKE && cqe.is_last() => {
                self.internal
                    .extend((!self.closing).then_some(self.wake_poll));
            }
            None if cqe.user_data == WAKE => {}
            None if cqe.user_data == CANCEL => {
                let missed = [libc::ENOENT, libc::EALREADY].contains(&cqe.errno());
                self.stats.cancels_missed += u64::from(missed);
            }
            None => match self.mail.descriptor_came(cqe) {
                Ok(waker) => return waker,
                Err(slot) => self.internal.push_back(close_slot(slot)),
            },
        }
        None
    }
}

/// The request to close a direct descriptor that nobody wants.
fn close_slot(slot: u32) -> Sqe {
    Sqe {
        file_index: slot + 1,
        flags: SKIP_SUCCESS,
        user_data: CANCEL,
        ..Sqe::new(io_uring::opcode::Close::CODE, 0)
    }
}
