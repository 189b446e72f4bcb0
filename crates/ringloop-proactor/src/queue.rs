//! What waits for the next park: staged operations, services to start, internal requests.
//!
//! Nothing enters the kernel while tasks run. Entries are staged here and flushed into the
//! submission queue once per turn; whatever was dropped in the meantime is skipped, because its
//! key no longer names a staged operation.

mod aftermath;
mod flush;

use std::collections::VecDeque;
use std::mem;

use crate::mail::Mail;
use crate::observer::Log;
use crate::op::{Detached, OpKey, OpTable, Rest, Staged, State};
use crate::ops::{CANCEL_ALL, CANCEL_ANY};
use crate::ring::{Cqe, ForkMark, Ring, SKIP_SUCCESS, Sqe, TickClock};
use crate::stats::ProactorStats;
use crate::wakes::Wakes;
use aftermath::Aftermath;

/// The ring, the table, and what has to go from one to the other.
#[derive(Debug)]
pub(crate) struct Queue {
    /// `None` once the proactor is gone.
    pub(crate) ring: Option<Ring>,
    pub(crate) table: OpTable,
    pub(crate) stats: ProactorStats,
    /// From the shutdown on nothing new starts and no service goes on.
    pub(crate) closing: bool,
    staged: Vec<Staged>,
    internal: VecDeque<Sqe>,
    /// Links whose second part is to be asked to end once the first has ended.
    successors: Vec<Successor>,
    /// What went on although it was asked to end, and is asked again if it is still there after
    /// the batch.
    insisting: Vec<OpKey>,
    pub(crate) mail: Mail,
    /// What a batch of completions leaves to be done without a borrow: whom to wake, and what to
    /// dispose of before.
    pub(crate) wakes: Wakes,
    pub(crate) gone: Vec<Detached>,
    pub(crate) clock: TickClock,
    mark: ForkMark,
    /// The multishot poll of the eventfd, to be armed. On a ring that cannot poll, it never is.
    wake_poll: Sqe,
    /// What an observer is to be told, if there is one.
    pub(crate) log: Option<Box<Log>>,
    /// So many completions in one turn are a record, or fill the queue.
    notable_batch: u64,
}

/// The second part of a link that was given up.
#[derive(Debug)]
struct Successor {
    first: OpKey,
    second: OpKey,
    /// The kernel may not have begun it when it is asked.
    tries: u8,
}

impl Queue {
    pub(crate) fn new(ring: Ring, wake_poll: Sqe) -> Self {
        let can_poll = !ring.features().device_polling;
        Self {
            mark: ring.mark(),
            ring: Some(ring),
            table: OpTable::new(),
            stats: ProactorStats::default(),
            closing: false,
            staged: Vec::new(),
            internal: can_poll.then_some(wake_poll).into_iter().collect(),
            successors: Vec::new(),
            insisting: Vec::new(),
            mail: Mail::default(),
            wakes: Wakes::default(),
            gone: Vec::new(),
            clock: TickClock::new(),
            wake_poll,
            log: None,
            notable_batch: 1,
        }
    }

    #[inline]
    pub(crate) fn stage(&mut self, staged: Staged) {
        self.staged.push(staged);
    }

    /// Stages the operations of a chain, which have to stay together, each with what ties it to the
    /// next. `false`: the queue does not hold as many.
    pub(crate) fn stage_chain(&mut self, chain: &[(OpKey, u8)]) -> bool {
        let room = self.ring.as_ref().map_or(0, Ring::capacity);
        if chain.len() > room {
            return false;
        }
        for (key, tie) in chain {
            if let Some((staged, sqe)) = self.table.staged_entry(*key) {
                sqe.flags |= tie;
                self.staged.push(staged);
            }
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

    /// Asks the kernel to end `key`; its own last completion tells when it has.
    pub(crate) fn stage_cancel(&mut self, key: OpKey) {
        self.stats.cancels_asked += 1;
        self.internal.push_back(cancel(key));
    }

    /// Asks the kernel to end everything that it was not asked to end, each by its name.
    pub(crate) fn stage_cancel_each(&mut self) {
        let internal = &mut self.internal;
        self.table.ask_all(|key| internal.push_back(cancel(key)));
    }

    /// Asks the kernel to end whatever there is. For each that it finds, it looks at all there are:
    /// this is for the few that names did not reach.
    pub(crate) fn stage_cancel_all(&mut self) {
        self.internal.push_back(Sqe {
            op_flags: CANCEL_ALL | CANCEL_ANY,
            flags: SKIP_SUCCESS,
            user_data: CANCEL,
            ..Sqe::new(io_uring::opcode::AsyncCancel::CODE, -1)
        });
    }

    /// Ends a staged operation with `errno`, unsubmitted.
    pub(crate) fn refuse(&mut self, staged: Staged, errno: i32) {
        let answer = Cqe::failed(errno);
        self.table
            .refuse(staged, answer, &mut self.wakes, &mut self.gone);
    }

    /// Whether a forked child asks, for whom the ring is not there.
    #[inline]
    pub(crate) fn is_inherited(&self) -> bool {
        self.mark.is_inherited()
    }

    #[inline]
    pub(crate) fn has_staged(&self) -> bool {
        !(self.staged.is_empty() && self.internal.is_empty())
    }

    /// Asks those to end whose predecessors in a chain have ended.
    #[cold]
    fn cancel_successors(&mut self) {
        let Self {
            successors,
            table,
            internal,
            stats,
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
            stats.cancels_asked += 1;
            link.tries += 1;
            link.tries < CANCEL_TRIES
        });
    }

    /// From here on nothing starts, and what was staged ends without having been submitted.
    pub(crate) fn close(&mut self) {
        self.closing = true;
        self.wakes.extend(self.mail.close());
        for staged in mem::take(&mut self.staged) {
            self.refuse(staged, libc::ECANCELED);
        }
    }

    /// Takes all completions out of the ring and hands them to the table.
    #[inline]
    pub(crate) fn drain(&mut self) {
        match self.log {
            None => self.drain_as::<false>(),
            Some(_) => self.drain_observed(),
        }
    }

    #[cold]
    fn drain_observed(&mut self) {
        self.drain_as::<true>();
    }

    /// There are two of this, so that those who have no observer pay for it once in a turn and not
    /// with each completion.
    #[inline]
    fn drain_as<const OBSERVED: bool>(&mut self) {
        let Self {
            ring: Some(ring),
            table,
            wakes,
            gone,
            log,
            ..
        } = self
        else {
            return;
        };
        let mut count = 0;
        for cqe in ring.completions() {
            count += 1;
            if OBSERVED && let Some(log) = log {
                log.completed(table, cqe);
            }
            let completed = match OpKey::from_user_data(cqe.user_data) {
                Some(key) => table.completed(key, cqe, wakes, gone),
                None => Err(Rest::Stray),
            };
            let Err(rest) = completed else { continue };
            let aftermath = Aftermath {
                table,
                wakes,
                gone,
                closing: self.closing,
                staged: &mut self.staged,
                internal: &mut self.internal,
                insisting: &mut self.insisting,
                mail: &mut self.mail,
                wake_poll: self.wake_poll,
                stats: &mut self.stats,
            };
            match rest {
                Rest::Service(step) => aftermath.of_service(step),
                // In registers: it would have to be written first otherwise.
                Rest::Stray => aftermath.of_stray(cqe.user_data, cqe.res, cqe.flags),
            }
        }
        self.stats.completions += count;
        if count >= self.notable_batch {
            self.note_batch(count);
        }
        if !self.successors.is_empty() {
            self.cancel_successors();
        }
        if !self.insisting.is_empty() {
            self.insist();
        }
    }

    /// Asks those again that go on.
    #[cold]
    fn insist(&mut self) {
        let mut keys = mem::take(&mut self.insisting);
        keys.dedup();
        for key in keys {
            if self.table.state(key) == State::InFlight {
                self.stage_cancel(key);
            }
        }
    }

    /// Counts a turn with more completions than any before, or with as many as the queue holds: only
    /// then can the queue have overflowed.
    #[cold]
    fn note_batch(&mut self, count: u64) {
        let Some(ring) = &self.ring else { return };
        let capacity = u64::from(ring.features().completion_entries);
        self.stats.batch_max = self.stats.batch_max.max(count);
        self.stats.overflows += u64::from(count >= capacity && ring.has_overflowed());
        self.notable_batch = capacity.min(self.stats.batch_max + 1);
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

/// The `user_data` of requests that are not in the table.
pub(crate) const WAKE: u64 = 1;
const CANCEL: u64 = 2;
/// How often the second part of a link is asked to end: once too early, and once for good measure.
const CANCEL_TRIES: u8 = 3;
