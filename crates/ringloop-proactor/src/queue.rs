//! What waits for the next park: staged operations, services to start, internal requests.
//!
//! Nothing enters the kernel while tasks run. Entries are staged here and flushed into the
//! submission queue once per turn; whatever was dropped in the meantime is skipped, because its
//! key no longer names a staged operation.

use std::collections::VecDeque;
use std::io;
use std::task::Waker;

use crate::mail::Mail;
use crate::op::{Detached, Flow, OpKey, OpTable, State};
use crate::ring::{Cqe, IO_HARDLINK, IO_LINK, Ring, SKIP_SUCCESS, Sqe};
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
    /// Links whose second part is to be asked to end once the first has ended.
    successors: Vec<Successor>,
    /// The entries of one chain, while it is pushed.
    chain: Vec<Sqe>,
    pub(crate) mail: Mail,
    /// The multishot poll of the eventfd, to be armed. `None` if the ring cannot poll.
    wake_poll: Option<Sqe>,
}

/// The second part of a link that was given up.
#[derive(Debug)]
struct Successor {
    first: OpKey,
    second: OpKey,
    /// The kernel may not have begun it when it is asked.
    tries: u8,
}

/// What a batch of completions leaves to be done without a borrow.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) wakes: Vec<Waker>,
    pub(crate) gone: Vec<Detached>,
}

impl Queue {
    pub(crate) fn new(ring: Ring, wake_poll: Option<Sqe>) -> Self {
        Self {
            ring: Some(ring),
            table: OpTable::new(),
            stats: ProactorStats::default(),
            closing: false,
            staged: VecDeque::new(),
            starts: Vec::new(),
            internal: wake_poll.into_iter().collect(),
            successors: Vec::new(),
            chain: Vec::new(),
            mail: Mail::default(),
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

    /// Stages the entries of a chain, which have to stay together. `false`: no queue holds it.
    pub(crate) fn stage_chain(&mut self, entries: &[(OpKey, Sqe)]) -> bool {
        let room = self.ring.as_ref().map_or(0, Ring::capacity);
        if entries.len() > room {
            return false;
        }
        for (key, sqe) in entries {
            self.stage(*key, *sqe);
        }
        true
    }

    /// Asks for the end of each operation of a chain when its turn has come.
    pub(crate) fn cancel_in_order(&mut self, keys: &[OpKey]) {
        let links = keys.windows(2).map(|pair| Successor {
            first: pair[0],
            second: pair[1],
            tries: 0,
        });
        self.successors.extend(links);
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

    /// The clock that tells how long operations have been in flight.
    pub(crate) fn coarse_ns(&self) -> u64 {
        self.ring.as_ref().map_or(0, Ring::coarse_ns)
    }

    /// Whether a forked child asks, for whom the ring is not there.
    #[inline]
    pub(crate) fn is_inherited(&self) -> bool {
        self.ring.as_ref().is_some_and(Ring::is_inherited)
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
        let now = ring.coarse_ns();
        for (done, &key) in self.starts.iter().enumerate() {
            let mut sqe = Sqe::default();
            if !self.table.submit_service(key, &mut sqe, now) {
                continue;
            }
            // A service works on descriptors of its own proactor.
            sqe.pad = 0;
            let pushed = push(ring, &mut self.stats, &sqe);
            if !matches!(pushed, Ok(true)) {
                self.table.unsubmit(key);
                self.starts.drain(..done);
                return pushed.map(drop);
            }
        }
        self.starts.clear();
        while self.flush_singles(now)? {
            if !self.flush_chain(now)? {
                return Ok(());
            }
        }
        self.flush_internal()
    }

    /// Moves operations that stand alone. `true`: the next one is the head of a chain.
    #[inline]
    fn flush_singles(&mut self, now: u64) -> io::Result<bool> {
        let Some(ring) = &mut self.ring else {
            return Ok(false);
        };
        while let Some((key, sqe)) = self.staged.front() {
            if sqe.flags & (IO_LINK | IO_HARDLINK) != 0 {
                return Ok(true);
            }
            if self.table.submit(*key, sqe.fd, now) {
                let pushed = push(ring, &mut self.stats, sqe);
                if !matches!(pushed, Ok(true)) {
                    self.table.unsubmit(*key);
                    return pushed.map(|_| false);
                }
            }
            self.staged.pop_front();
        }
        Ok(false)
    }

    #[inline]
    fn flush_internal(&mut self) -> io::Result<()> {
        let Some(ring) = &mut self.ring else {
            return Ok(());
        };
        while let Some(sqe) = self.internal.front() {
            if !push(ring, &mut self.stats, sqe)? {
                return Ok(());
            }
            self.internal.pop_front();
        }
        Ok(())
    }

    /// Moves the chain at the front into the submission queue, whole. `false`: there is no room.
    #[cold]
    fn flush_chain(&mut self, now: u64) -> io::Result<bool> {
        let Some(ring) = &mut self.ring else {
            return Ok(true);
        };
        let ties = IO_LINK | IO_HARDLINK;
        let tied = self.staged.iter();
        let len = tied.take_while(|(_, sqe)| sqe.flags & ties != 0).count() + 1;
        self.chain.clear();
        for (key, sqe) in self.staged.iter().take(len) {
            // All of a chain is dropped or cancelled together as long as it is staged.
            if self.table.submit(*key, sqe.fd, now) {
                self.chain.push(*sqe);
            }
        }
        if !self.chain.is_empty() && !ring.push_chain(&self.chain) {
            self.stats.enters += 1;
            self.stats.full_queues += 1;
            let result = ring.enter(0, None);
            if result.is_err() || !ring.push_chain(&self.chain) {
                for (key, _sqe) in self.staged.iter().take(len) {
                    if self.table.state(*key) == State::InFlight {
                        self.table.unsubmit(*key);
                    }
                }
                return result.map(|()| false);
            }
        }
        self.stats.submissions += u64::try_from(self.chain.len()).unwrap_or(u64::MAX);
        self.staged.drain(..len);
        Ok(true)
    }

    /// Asks those to end whose predecessors in a chain have ended.
    #[cold]
    fn cancel_successors(&mut self) {
        let Self {
            successors,
            table,
            internal,
            ..
        } = self;
        successors.retain_mut(|link| {
            if table.state(link.first) == State::InFlight {
                return true;
            }
            if table.state(link.second) != State::InFlight {
                return false;
            }
            // If the kernel has not begun it yet, it says so, and that is the next occasion.
            internal.push_back(cancel(link.second));
            link.tries += 1;
            link.tries < CANCEL_TRIES
        });
    }

    /// From here on nothing starts, and what was staged ends without having been submitted.
    pub(crate) fn close(&mut self, batch: &mut Batch) {
        self.closing = true;
        batch.wakes.extend(self.mail.close());
        for key in self.starts.drain(..) {
            self.table.rest(key, &mut batch.wakes, &mut batch.gone);
        }
        for (key, _sqe) in self.staged.drain(..) {
            let waker = self.table.refuse(key, Cqe::failed(libc::ECANCELED));
            batch.wakes.extend(waker);
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
                    self.internal.extend(self.wake_poll);
                } else if cqe.user_data != WAKE && cqe.user_data != CANCEL {
                    batch.wakes.extend(self.mail.descriptor_came(cqe));
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
                None if key.is_message() => batch.wakes.extend(self.mail.data_came(key, cqe)),
                // I3: a completion that nobody waits for is counted and hits nothing.
                None => self.stats.stale_completions += 1,
            }
        }
        if !self.mail.unwanted.is_empty() {
            let unwanted = std::mem::take(&mut self.mail.unwanted);
            self.internal.extend(unwanted.into_iter().map(close_slot));
        }
        if !self.successors.is_empty() {
            self.cancel_successors();
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

/// The request to close a direct descriptor that nobody wants.
fn close_slot(slot: u32) -> Sqe {
    Sqe {
        file_index: slot + 1,
        flags: SKIP_SUCCESS,
        user_data: CANCEL,
        ..Sqe::new(io_uring::opcode::Close::CODE, 0)
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
/// How often the second part of a link is asked to end: once too early, and once for good measure.
const CANCEL_TRIES: u8 = 3;

/// `IORING_ASYNC_CANCEL_ALL` and `IORING_ASYNC_CANCEL_ANY`.
const CANCEL_ALL: u32 = 1 << 0;
const CANCEL_ANY: u32 = 1 << 2;
