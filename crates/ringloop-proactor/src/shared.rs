//! The state that a proactor and its handles share, and one turn of it.
//!
//! Nothing here runs user code with a borrow alive (I5 of [`op`](crate::op)): wakers run and
//! abandoned operations are disposed of after the batch has been drained.

use std::cell::{Cell, RefCell};
use std::io;
use std::mem;
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use ringloop_core::Setter;

use crate::buf::{BufPool, FixedMemory, FixedTable, Groups, PoolSpec};
use crate::config::Config;
use crate::direct::DirectTable;
use crate::fd::Descriptor;
use crate::features::Features;
use crate::idle::{self, Idle};
use crate::net::proactor_gone;
use crate::observer::{Log, Tell};
use crate::op::{
    Detached, Disposition, OpKey, OpReport, Operation, Service, ServiceKey, Staged, Ticket,
    Unprepared,
};
use crate::ops::{CloseService, POLL_ADD_MULTI};
use crate::queue::{Queue, WAKE};
use crate::ring::{Clock, Cqe, FIXED_FILE, Ring, SleepWord, Sqe};
use crate::setup_error::SetupError;
use crate::stats::ProactorStats;

pub(crate) struct Shared {
    queue: RefCell<Queue>,
    /// Descriptors whose last user has gone; closed through the ring at the next park.
    closing: RefCell<Vec<Closing>>,
    has_closing: Cell<bool>,
    /// There is something to close, or the ring has modes: a turn has more to look at.
    is_odd: Cell<bool>,
    /// A thread polls for the ring, or the loop does not just sleep.
    has_modes: bool,
    /// Operations can be started. Readable in the middle of a batch, when the queue is not.
    is_open: Cell<bool>,
    direct: DirectTable,
    pool: RefCell<Pool>,
    groups: RefCell<Groups>,
    fixed: FixedTable,
    word: Arc<SleepWord>,
    /// `None`: with nothing to do, the loop sleeps in the ring.
    idle: Option<Idle>,
    clock: Clock,
}

/// A descriptor to close, and those who want to know the result.
type Closing = (Descriptor, Vec<Setter<io::Result<()>>>);

/// The receive buffers, made when the first stream needs them.
enum Pool {
    Unmade {
        count: u16,
        len_bytes: u32,
    },
    Made(Rc<BufPool>),
    /// The kernel refused them: streams receive into buffers of their own.
    Refused,
}

impl Shared {
    pub(crate) fn new(config: &Config) -> Result<Self, SetupError> {
        Self::on(Ring::new(config)?, config)
    }

    pub(crate) fn on(ring: Ring, config: &Config) -> Result<Self, SetupError> {
        let clock = ring.clock();
        let idle = Idle::new(config, &clock);
        let has_modes = idle.is_some() || ring.features().kernel_polling;
        let word = SleepWord::new().map_err(crate::ring::explain_eventfd)?;
        let wake_poll = Sqe {
            op_flags: u32::from(POLLIN),
            len: POLL_ADD_MULTI,
            user_data: WAKE,
            ..Sqe::new(io_uring::opcode::PollAdd::CODE, word.raw_eventfd())
        };
        Ok(Self {
            queue: RefCell::new(Queue::new(ring, wake_poll)),
            closing: RefCell::default(),
            has_closing: Cell::new(false),
            is_odd: Cell::new(has_modes),
            has_modes,
            is_open: Cell::new(true),
            direct: DirectTable::new(config.direct_descriptors),
            pool: RefCell::new(Pool::Unmade {
                count: config.buffer_count,
                len_bytes: config.buffer_len_bytes,
            }),
            groups: RefCell::default(),
            fixed: FixedTable::default(),
            word: Arc::new(word),
            idle,
            clock,
        })
    }

    pub(crate) fn word(&self) -> &Arc<SleepWord> {
        &self.word
    }

    pub(crate) fn features(&self) -> Features {
        let queue = self.queue.borrow();
        queue.ring.as_ref().map(Ring::features).unwrap_or_default()
    }

    /// Another descriptor of the ring, for rings that share its polling thread.
    pub(crate) fn ring_fd(&self) -> io::Result<OwnedFd> {
        match &mut self.queue.borrow_mut().ring {
            Some(ring) if ring.features().kernel_polling => ring.share_thread(),
            Some(_) => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the other proactor has no polling thread: make it with kernel polling",
            )),
            None => Err(gone()),
        }
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Whether operations can be started.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open.get()
    }

    /// What tells this proactor from every other one, as long as one of its handles is alive.
    pub(crate) fn mark(&self) -> u64 {
        std::ptr::from_ref(self).addr() as u64
    }

    /// Sees to it that the ring has a table for direct descriptors.
    pub(crate) fn direct_table(&self) -> io::Result<()> {
        match &mut self.queue.borrow_mut().ring {
            Some(ring) => self.direct.make(ring),
            None => Err(gone()),
        }
    }

    /// Whether the kernel knows `opcode`; asked once.
    pub(crate) fn supports(&self, opcode: u8) -> bool {
        let ring = &mut self.queue.borrow_mut().ring;
        ring.as_mut().is_some_and(|ring| ring.supports(opcode))
    }

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
    /// another proactor's descriptor.
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
        if self.is_open.get() && sqe.flags & FIXED_FILE == 0 {
            queue.stage(staged);
        } else {
            drop(queue);
            self.stage_checked(staged, home);
        }
    }

    /// Stages what needs a second look: an operation on a direct descriptor, or one whose buffer's
    /// code ended the proactor while it was being prepared.
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

    /// Whether a direct descriptor is this proactor's; zero stands for plain ones.
    fn is_home(&self, home: u64) -> bool {
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

    pub(crate) fn with_queue<T>(&self, f: impl FnOnce(&mut Queue) -> T) -> T {
        f(&mut self.queue.borrow_mut())
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

    pub(crate) fn insert_service<S: Service>(&self, service: S) -> ServiceKey {
        self.queue.borrow_mut().table.insert_service(service)
    }

    /// Starts a service that rests. `false`: the proactor is gone.
    #[inline]
    pub(crate) fn start(&self, key: &ServiceKey) -> bool {
        let mut queue = self.queue.borrow_mut();
        if queue.closing {
            return false;
        }
        if let Some(staged) = queue.table.stage(key) {
            queue.stage(staged);
        }
        true
    }

    /// Asks the kernel to end what a service has under way. It is not started again by itself.
    /// `true`: it was not under way yet, and rests already.
    pub(crate) fn stop(&self, key: &ServiceKey) -> bool {
        let mut queue = self.queue.borrow_mut();
        if queue.table.unstage(key) {
            return true;
        }
        let key = queue.table.service(key);
        if queue.table.ask_cancel(key) {
            queue.stage_cancel(key);
        }
        false
    }

    /// Gives up a service. If it may `finish`, it goes on until it rests, else it is cancelled.
    pub(crate) fn release(&self, key: &ServiceKey, finish: bool) -> Disposition {
        let mut queue = self.queue.borrow_mut();
        let finish = finish && !queue.closing;
        let disposition = queue.table.release(key, finish);
        if let Disposition::Left { ask: Some(key) } = disposition {
            queue.stage_cancel(key);
        }
        disposition
    }

    /// Closes `descriptor` at the next park and tells `done`; at once if the proactor is gone.
    pub(crate) fn close(&self, descriptor: Descriptor, done: Vec<Setter<io::Result<()>>>) {
        if self.is_open() {
            self.closing.borrow_mut().push((descriptor, done));
            self.has_closing.set(true);
            self.is_odd.set(true);
        } else {
            drop(descriptor);
            for done in done {
                drop(done.set(Ok(())));
            }
        }
    }

    /// The receive buffers that all streams share; `None` if the kernel does not take them.
    pub(crate) fn pool(&self) -> Option<Rc<BufPool>> {
        let mut pool = self.pool.borrow_mut();
        if let Pool::Unmade { count, len_bytes } = *pool {
            let mut queue = self.queue.borrow_mut();
            let spec = PoolSpec {
                group: 0,
                count,
                max: count,
                len_bytes,
                incremental: false,
            };
            let made = queue
                .ring
                .as_mut()
                .and_then(|ring| BufPool::new(ring, spec, Weak::new()).ok());
            *pool = made.map_or(Pool::Refused, |made| Pool::Made(Rc::new(made)));
        }
        match &*pool {
            Pool::Made(pool) => Some(Rc::clone(pool)),
            Pool::Unmade { .. } | Pool::Refused => None,
        }
    }

    /// Makes a group of provided buffers with a number of its own.
    pub(crate) fn provide(&self, spec: PoolSpec, owner: Weak<Self>) -> io::Result<Rc<BufPool>> {
        let mut groups = self.groups.borrow_mut();
        let number = groups.free_number();
        let group = number.ok_or(io::ErrorKind::ResourceBusy)?;
        let spec = PoolSpec { group, ..spec };
        let made = self.with_ring(|ring| BufPool::new(ring, spec, owner));
        let pool = Rc::new(made.ok_or_else(proactor_gone)??);
        groups.insert(&pool);
        Ok(pool)
    }

    /// Registers the memory that `make` gives for a place in the table.
    pub(crate) fn register_fixed(
        &self,
        make: impl FnOnce(u16) -> FixedMemory,
    ) -> io::Result<Rc<FixedMemory>> {
        let memory = Rc::new(make(self.fixed.free_index()?));
        let registered = self.with_ring(|ring| self.fixed.insert(ring, &memory));
        registered.ok_or_else(proactor_gone)??;
        Ok(memory)
    }

    /// Does something with the ring, if it is there and nobody is at it.
    pub(crate) fn with_ring<T>(&self, work: impl FnOnce(&mut Ring) -> T) -> Option<T> {
        let mut queue = self.queue.try_borrow_mut().ok()?;
        queue.ring.as_mut().map(work)
    }

    pub(crate) fn stats(&self) -> ProactorStats {
        let queue = self.queue.borrow();
        ProactorStats {
            in_flight: queue.table.in_flight(),
            live: queue.table.live(),
            ..queue.stats
        }
    }

    /// Submits what is staged, waits for `timeout` at most, and deals with what has completed.
    #[inline]
    pub(crate) fn turn(&self, timeout: Option<Duration>) -> io::Result<()> {
        if self.is_odd.get() {
            self.odd_turn(timeout)
        } else {
            self.turn_on::<PLAIN>(timeout)
        }
    }

    /// A turn on a ring with modes, or one with something to close.
    #[cold]
    fn odd_turn(&self, timeout: Option<Duration>) -> io::Result<()> {
        if self.has_closing.get() {
            self.stage_closing();
        }
        self.is_odd.set(self.has_modes);
        if self.has_modes {
            self.turn_on::<WITH_MODES>(timeout)
        } else {
            self.turn_on::<PLAIN>(timeout)
        }
    }

    /// A turn that looks at the modes of its ring, or does not have to.
    fn turn_on<const MODES: bool>(&self, timeout: Option<Duration>) -> io::Result<()> {
        let mut queue = self.queue.borrow_mut();
        if queue.is_inherited() {
            return Err(inherited());
        }
        queue.stats.turns += 1;
        let result = self.enter::<MODES>(&mut queue, timeout);
        queue.drain();
        if queue.log.is_some() {
            drop(queue);
            self.tell_observer();
            queue = self.queue.borrow_mut();
        }
        if queue.gone.is_empty() && queue.wakes.len() <= 1 {
            let waker = queue.wakes.pop();
            drop(queue);
            if let Some(waker) = waker {
                waker.wake();
            }
        } else {
            drop(queue);
            self.settle();
        }
        // Whoever was woken here is polled before the next park, which may sleep then.
        self.word.take_notification();
        result
    }

    /// Tells what has happened. If the observer panics, the batch is settled first.
    #[cold]
    fn tell_observer(&self) {
        let next = || self.queue.borrow_mut().log.as_mut()?.next();
        let tell = || {
            while let Some((tell, event)) = next() {
                tell(&event);
            }
        };
        if let Err(payload) = catch_unwind(AssertUnwindSafe(tell)) {
            self.settle();
            resume_unwind(payload);
        }
    }

    pub(crate) fn set_observer(&self, tell: Option<Tell>) {
        // Once the proactor is down, nobody would break a circle of handle and observer.
        let log = tell.filter(|_| self.is_open()).map(Log::new);
        let old = mem::replace(&mut self.queue.borrow_mut().log, log);
        drop(old);
    }

    /// Drops what was given up and wakes who waits; a panic on the way keeps nobody asleep.
    fn settle(&self) {
        let (mut wakes, mut gone) = {
            let queue = &mut *self.queue.borrow_mut();
            (mem::take(&mut queue.wakes), mem::take(&mut queue.gone))
        };
        {
            let mut wakes = Each(wakes.drain(..), Waker::wake);
            let mut gone = Each(gone.drain(..), drop::<Detached>);
            gone.run();
            wakes.run();
        }
        let queue = &mut *self.queue.borrow_mut();
        if queue.wakes.is_empty() {
            queue.wakes = wakes;
        }
        if queue.gone.is_empty() {
            queue.gone = gone;
        }
    }

    #[inline]
    fn enter<const MODES: bool>(
        &self,
        queue: &mut Queue,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        if queue.has_staged() {
            queue.flush()?;
        }
        let waits = timeout != Some(Duration::ZERO);
        let stuck = queue.has_staged();
        let Some(ring) = &mut queue.ring else {
            return Err(gone());
        };
        let idles = waits && !stuck && !ring.has_completions();
        if MODES
            && idles
            && let Some(idle) = self.idle
        {
            return self.wait_busily(idle, queue, timeout);
        }
        if idles && self.word.fall_asleep() {
            queue.stats.enters += 1;
            let result = if MODES {
                ring.enter(1, timeout)
            } else {
                ring.enter_plain(1, timeout)
            };
            self.word.wake_up();
            return result;
        }
        self.word.take_notification();
        if ring.has_unsubmitted() || ring.is_flagged() {
            queue.stats.enters += 1;
            return ring.enter(0, None);
        }
        Ok(())
    }

    #[cold]
    fn wait_busily(
        &self,
        idle: Idle,
        queue: &mut Queue,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        let Queue {
            ring: Some(ring),
            stats,
            table,
            ..
        } = queue
        else {
            return Ok(());
        };
        match idle {
            Idle::Spin(spin) => idle::spin_then_sleep(spin, timeout, ring, &self.word, stats),
            Idle::Polled => {
                let in_flight = table.in_flight() > 0;
                idle::poll_devices(in_flight, timeout, ring, &self.word, stats)
            }
        }
    }

    /// Whether the ring is one of polled devices.
    pub(crate) fn is_polled(&self) -> bool {
        matches!(self.idle, Some(Idle::Polled))
    }

    fn stage_closing(&self) {
        self.has_closing.set(false);
        let closing = self.closing.take();
        if self.is_polled() {
            return self.close_now(closing);
        }
        let mut queue = self.queue.borrow_mut();
        for (fd, done) in closing {
            let key = queue.table.insert_service(CloseService::new(fd, done));
            let staged = queue.table.stage(&key);
            staged.into_iter().for_each(|staged| queue.stage(staged));
            // Nobody holds it: it goes on until it rests, then it leaves the table.
            match queue.table.release(&key, true) {
                Disposition::Left { .. } => {}
                Disposition::Gone(_) => unreachable!("a staged service is left to finish"),
            }
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
            for done in done {
                drop(
                    done.set(
                        errno.map_or(Ok(()), |errno| Err(io::Error::from_raw_os_error(errno))),
                    ),
                );
            }
        }
    }

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
        }
        for group in &groups {
            group.wake_waiters();
        }
        leaked
    }
}

/// Does something with each of many things. A panic on the way is told when all had their turn.
struct Each<'a, T>(std::vec::Drain<'a, T>, fn(T));

impl<T> Each<'_, T> {
    fn run(&mut self) {
        self.0.by_ref().for_each(self.1);
    }
}

impl<T> Drop for Each<'_, T> {
    fn drop(&mut self) {
        // Something is left only if one has panicked, and a second panic would end the process.
        for thing in self.0.by_ref() {
            drop(catch_unwind(AssertUnwindSafe(|| (self.1)(thing))));
        }
    }
}

#[cold]
fn inherited() -> io::Error {
    io::Error::other(
        "this proactor belongs to the process that made it; a forked child makes one of its own",
    )
}

fn gone() -> io::Error {
    io::Error::other("the proactor has been shut down")
}

/// For [`Shared::turn_on`]: the ring has no modes.
const PLAIN: bool = false;
const WITH_MODES: bool = true;
const REAP_INTERVAL: Duration = Duration::from_millis(10);
const POLLIN: u16 = 0x001;
