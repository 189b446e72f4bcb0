//! What waits for the next park: staged operations, services to start, internal requests.
//!
//! Nothing enters the kernel while tasks run. Entries are staged here and flushed into the
//! submission queue once per turn; whatever was dropped in the meantime is skipped, because its
//! key no longer names a staged operation.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::task::Waker;

use crate::mail::Mail;
use crate::observer::Log;
use crate::op::{BATCH_MAX, Detached, Next, OpKey, OpTable, Rest, Staged, State, Step};
use crate::ops::{CANCEL_ALL, CANCEL_ANY};
use crate::ring::{Cqe, ForkMark, IO_HARDLINK, IO_LINK, Ring, SKIP_SUCCESS, Sqe, TickClock, ticks};
use crate::stats::ProactorStats;
use crate::wakes::Wakes;

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

    /// Moves what is staged into the submission queue, entering the kernel when it is full.
    ///
    /// What does not fit even then stays staged.
    #[inline]
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        let mut done = 0;
        let result = self.flush_staged(&mut done);
        if let Some(log) = &mut self.log {
            log.submitted(&mut self.table, &self.staged[..done]);
        }
        if done == self.staged.len() {
            self.staged.clear();
        } else {
            self.staged.drain(..done);
        }
        result?;
        if self.internal.is_empty() {
            return Ok(());
        }
        self.flush_internal()
    }

    /// Moves operations from the one at `done` on, and counts it up.
    #[inline]
    fn flush_staged(&mut self, done: &mut usize) -> io::Result<()> {
        let Some(ring) = &mut self.ring else {
            return Ok(());
        };
        if self.staged.is_empty() {
            return Ok(());
        }
        let now = ticks();
        while let Some(&staged) = self.staged.get(*done) {
            let Some(sqe) = self.table.entry(staged) else {
                *done += 1;
                continue;
            };
            if sqe.flags & (IO_LINK | IO_HARDLINK) != 0 {
                let first = *sqe;
                if self.table.is_service(staged) {
                    let (table, stats) = (&mut self.table, &mut self.stats);
                    if !push_batch(ring, table, stats, staged, first)? {
                        return Ok(());
                    }
                    *done += 1;
                    continue;
                }
                let rest = &self.staged[*done..];
                match push_chain(ring, &mut self.table, &mut self.stats, rest)? {
                    0 => return Ok(()),
                    len => *done += len,
                }
                continue;
            }
            if !ring.push(sqe) && !push_after_submit(ring, &mut self.stats, sqe)? {
                return Ok(());
            }
            self.stats.submissions += 1;
            self.table.submitted(staged, now);
            *done += 1;
        }
        Ok(())
    }

    #[cold]
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

/// All that a completion can touch which is no usual one.
struct Aftermath<'a> {
    table: &'a mut OpTable,
    wakes: &'a mut Wakes,
    gone: &'a mut Vec<Detached>,
    closing: bool,
    staged: &'a mut Vec<Staged>,
    internal: &'a mut VecDeque<Sqe>,
    insisting: &'a mut Vec<OpKey>,
    mail: &'a mut Mail,
    /// To be armed again when the kernel has ended it.
    wake_poll: Sqe,
    stats: &'a mut ProactorStats,
}

impl Aftermath<'_> {
    /// Does what a service wants.
    #[inline(never)]
    fn of_service(mut self, step: Step) {
        let next = self.table.service_completed(step, self.gone);
        self.follow(next);
    }

    /// Deals with a completion that names nothing in flight, or an entry of a batch.
    #[cold]
    #[inline(never)]
    fn of_stray(mut self, user_data: u64, res: i32, flags: u32) {
        let cqe = Cqe {
            user_data,
            res,
            flags,
        };
        let (wakes, gone) = (&mut *self.wakes, &mut *self.gone);
        let next = self.table.completed_in_batch(cqe, wakes, gone);
        if matches!(next, Next::Stray) {
            let waker = self.whom(cqe);
            self.wakes.extend(waker);
        } else {
            self.follow(next);
        }
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
            Next::Nothing | Next::Stray => {}
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

/// Queues the chain at the start of `staged`, whole. Returns how many operations that were, zero if
/// there is no room.
#[cold]
fn push_chain(
    ring: &mut Ring,
    table: &mut OpTable,
    stats: &mut ProactorStats,
    staged: &[Staged],
) -> io::Result<usize> {
    let mut entries = Vec::new();
    for &staged in staged {
        // All of a chain is dropped or cancelled together as long as it is staged.
        let Some(&sqe) = table.entry(staged) else {
            break;
        };
        entries.push(sqe);
        if sqe.flags & (IO_LINK | IO_HARDLINK) == 0 {
            break;
        }
    }
    if !ring.push_chain(&entries) {
        stats.enters += 1;
        stats.full_queues += 1;
        ring.enter(0, None)?;
        if !ring.push_chain(&entries) {
            return Ok(0);
        }
    }
    for &staged in &staged[..entries.len()] {
        table.submitted(staged, ticks());
        stats.submissions += 1;
    }
    Ok(entries.len())
}

/// Queues the batch of a service, whole. `false`: there is no room, and it begins anew.
#[cold]
fn push_batch(
    ring: &mut Ring,
    table: &mut OpTable,
    stats: &mut ProactorStats,
    staged: Staged,
    first: Sqe,
) -> io::Result<bool> {
    let mut entries = vec![first];
    while let Some(sqe) = entries.last_mut()
        && sqe.flags & IO_LINK != 0
    {
        sqe.flags = sqe.flags & !IO_LINK | SKIP_SUCCESS;
        let place = u32::try_from(entries.len()).expect("a batch is short");
        entries[place as usize - 1].user_data = staged.key().in_batch(place);
        let next = table.entry(staged);
        entries.push(*next.expect("it is staged"));
    }
    debug_assert!(entries.len() <= BATCH_MAX, "places have six bits");
    if !ring.push_chain(&entries) {
        stats.enters += 1;
        stats.full_queues += 1;
        ring.enter(0, None)?;
        if !ring.push_chain(&entries) {
            return Ok(false);
        }
    }
    table.submitted(staged, ticks());
    stats.submissions += entries.len() as u64;
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
