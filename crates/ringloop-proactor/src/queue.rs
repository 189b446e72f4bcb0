//! What waits for the next park: staged operations, services to start, internal requests.
//!
//! Nothing enters the kernel while tasks run. Entries are staged here and flushed into the
//! submission queue once per turn; whatever was dropped in the meantime is skipped, because its
//! key no longer names a staged operation.

use std::collections::VecDeque;
use std::io;
use std::task::Waker;

use crate::op::{Detached, Flow, OpKey, OpTable};
use crate::ring::{Ring, SKIP_SUCCESS, Sqe};
use crate::stats::ProactorStats;

/// The ring, the table, and what has to go from one to the other.
#[derive(Debug)]
pub(crate) struct Queue {
    /// `None` once the proactor is gone.
    pub(crate) ring: Option<Ring>,
    pub(crate) table: OpTable,
    pub(crate) stats: ProactorStats,
    /// From the shutdown on nothing new starts and no service goes on.
    pub(crate) closing: bool,
    staged: VecDeque<(OpKey, Sqe)>,
    starts: Vec<OpKey>,
    internal: VecDeque<Sqe>,
    /// The multishot poll of the eventfd, to be armed.
    wake_poll: Sqe,
}

/// What a batch of completions leaves to be done without a borrow.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) wakes: Vec<Waker>,
    pub(crate) gone: Vec<Detached>,
}

impl Queue {
    pub(crate) fn new(ring: Ring, wake_poll: Sqe) -> Self {
        Self {
            ring: Some(ring),
            table: OpTable::new(),
            stats: ProactorStats::default(),
            closing: false,
            staged: VecDeque::new(),
            starts: Vec::new(),
            internal: VecDeque::from([wake_poll]),
            wake_poll,
        }
    }

    #[inline]
    pub(crate) fn stage(&mut self, key: OpKey, sqe: Sqe) {
        self.staged.push_back((
            key,
            Sqe {
                user_data: key.to_user_data(),
                ..sqe
            },
        ));
    }

    #[inline]
    pub(crate) fn start(&mut self, key: OpKey) {
        self.starts.push(key);
    }

    /// Asks the kernel to end `key`; its own last completion tells when it has.
    pub(crate) fn stage_cancel(&mut self, key: OpKey) {
        self.internal.push_back(cancel(key));
    }

    /// Asks the kernel to end everything.
    pub(crate) fn stage_cancel_all(&mut self) {
        self.internal.push_back(Sqe {
            op_flags: CANCEL_ALL | CANCEL_ANY,
            flags: SKIP_SUCCESS,
            user_data: CANCEL,
            ..Sqe::new(io_uring::opcode::AsyncCancel::CODE, -1)
        });
    }

    #[inline]
    pub(crate) fn has_staged(&self) -> bool {
        !(self.staged.is_empty() && self.starts.is_empty() && self.internal.is_empty())
    }

    /// Moves what is staged into the submission queue, entering the kernel when it is full.
    ///
    /// What does not fit even then stays staged.
    #[inline]
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let Some(ring) = &mut self.ring else {
            return Ok(());
        };
        for (done, &key) in self.starts.iter().enumerate() {
            let mut sqe = Sqe::default();
            if !self.table.submit_service(key, &mut sqe) {
                continue;
            }
            let pushed = push(ring, &mut self.stats, &sqe);
            if !matches!(pushed, Ok(true)) {
                self.table.unsubmit(key);
                self.starts.drain(..done);
                return pushed.map(drop);
            }
        }
        self.starts.clear();
        while let Some((key, sqe)) = self.staged.front() {
            if self.table.submit(*key) {
                let pushed = push(ring, &mut self.stats, sqe);
                if !matches!(pushed, Ok(true)) {
                    self.table.unsubmit(*key);
                    return pushed.map(drop);
                }
            }
            self.staged.pop_front();
        }
        while let Some(sqe) = self.internal.front() {
            if !push(ring, &mut self.stats, sqe)? {
                return Ok(());
            }
            self.internal.pop_front();
        }
        Ok(())
    }

    /// From here on nothing starts, and what was staged ends without having been submitted.
    pub(crate) fn close(&mut self, batch: &mut Batch) {
        self.closing = true;
        for key in self.starts.drain(..) {
            self.table.rest(key, &mut batch.wakes, &mut batch.gone);
        }
        for (key, _sqe) in self.staged.drain(..) {
            self.table.retire(key, &mut batch.wakes);
        }
    }

    /// Takes all completions out of the ring and hands them to the table.
    #[inline]
    pub(crate) fn drain(&mut self, batch: &mut Batch) {
        let Some(ring) = &mut self.ring else { return };
        for cqe in ring.completions() {
            self.stats.completions += 1;
            let Some(key) = OpKey::from_user_data(cqe.user_data) else {
                if cqe.user_data == WAKE && cqe.is_last() && !self.closing {
                    self.internal.push_back(self.wake_poll);
                }
                continue;
            };
            match self
                .table
                .completed(key, cqe, &mut batch.wakes, &mut batch.gone)
            {
                Some(Flow::Rest) => {}
                Some(Flow::Again) if self.closing => {
                    self.table.rest(key, &mut batch.wakes, &mut batch.gone);
                }
                Some(Flow::Again) => self.starts.push(key),
                Some(Flow::Stop) => {
                    if self.table.ask_cancel(key) {
                        self.internal.push_back(cancel(key));
                    }
                }
                // I3: a completion that nobody waits for is counted and hits nothing.
                None => self.stats.stale_completions += 1,
            }
        }
    }
}

/// The request to end `key`.
fn cancel(key: OpKey) -> Sqe {
    Sqe {
        address: key.to_user_data(),
        flags: SKIP_SUCCESS,
        user_data: CANCEL,
        ..Sqe::new(io_uring::opcode::AsyncCancel::CODE, -1)
    }
}

/// Queues one entry. `false`: the queue is full, and submitting did not help.
#[inline]
fn push(ring: &mut Ring, stats: &mut ProactorStats, sqe: &Sqe) -> io::Result<bool> {
    if !ring.push(sqe) && !push_after_submit(ring, stats, sqe)? {
        return Ok(false);
    }
    stats.submissions += 1;
    Ok(true)
}

/// Makes room in a full queue by submitting what is in it.
#[cold]
fn push_after_submit(ring: &mut Ring, stats: &mut ProactorStats, sqe: &Sqe) -> io::Result<bool> {
    stats.enters += 1;
    stats.full_queues += 1;
    ring.enter(0, None)?;
    Ok(ring.push(sqe))
}

/// The `user_data` of requests that are not in the table.
pub(crate) const WAKE: u64 = 1;
const CANCEL: u64 = 2;

/// `IORING_ASYNC_CANCEL_ALL` and `IORING_ASYNC_CANCEL_ANY`.
const CANCEL_ALL: u32 = 1 << 0;
const CANCEL_ANY: u32 = 1 << 2;
