//! The state that a proactor and its handles share.
//!
//! Nothing here runs user code with a borrow alive (I5 of [`op`](crate::op)): wakers run and
//! abandoned operations are disposed of after the batch has been drained.

mod closing;
mod datagrams;
mod operations;
mod services;
mod shutdown;
mod turn;

use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::OwnedFd;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use crate::buf::{BufPool, FixedMemory, FixedTable, Groups, PoolSpec};
use crate::closers::Closers;
use crate::config::Config;
use crate::direct::DirectTable;
use crate::fd::Descriptor;
use crate::features::Features;
use crate::idle::Idle;
use crate::net::{Spares, proactor_gone};
use crate::ops::POLL_ADD_MULTI;
use crate::queue::{Queue, WAKE};
use crate::ring::{Clock, Ring, SleepWord, Sqe};
use crate::setup_error::SetupError;
use crate::stats::ProactorStats;

pub(crate) use datagrams::DatagramPool;

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
    /// Those of datagram sockets, by the kind of socket.
    datagram_pools: RefCell<[Option<Rc<BufPool>>; 2]>,
    groups: RefCell<Groups>,
    fixed: FixedTable,
    spares: Spares,
    word: Arc<SleepWord>,
    /// `None`: with nothing to do, the loop sleeps in the ring.
    idle: Option<Idle>,
    clock: Clock,
}

/// A descriptor to close, and those who want to know the result.
type Closing = (Descriptor, Closers);

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
            datagram_pools: RefCell::default(),
            groups: RefCell::default(),
            fixed: FixedTable::default(),
            spares: Spares::default(),
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

    pub(crate) fn with_queue<T>(&self, f: impl FnOnce(&mut Queue) -> T) -> T {
        f(&mut self.queue.borrow_mut())
    }

    /// The send buffers that no stream needs.
    pub(crate) fn spares(&self) -> &Spares {
        &self.spares
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
}

fn gone() -> io::Error {
    io::Error::other("the proactor has been shut down")
}

const POLLIN: u16 = 0x001;
