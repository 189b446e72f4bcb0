//! An operation that answers many times, as a stream of results.
//!
//! The entry is submitted once and the kernel completes it again and again, until it is asked to
//! stop or has a reason of its own. What arrives waits in a bounded queue that belongs to the
//! stream, so dropping a wait loses nothing.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::mem;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use super::State as InTable;
use super::{Flow, OpKey, RETIRED, Service, ServiceKey};
use crate::buf::Chunk;
use crate::handle::Handle;
use crate::ring::{Cqe, Sqe};
use crate::wakes::Wakes;

/// The results of an operation that the kernel performs again and again.
///
/// At its bound the kernel is asked to stop; it goes on when the queue has been emptied. A kernel
/// that stops by itself, because its queue overflowed or it had no buffer, is asked to go on: none
/// of that is seen here. Nothing is submitted before the first [`next`](Self::next).
///
/// # Examples
///
/// ```
/// use ringloop_proactor::{Config, Proactor};
/// use std::net::{TcpListener, TcpStream};
///
/// let mut proactor = Proactor::new(&Config::default())?;
/// let handle = proactor.handle();
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let address = listener.local_addr()?;
/// let mut connections = handle.accept_multishot(&handle.adopt(listener));
/// let _clients = [TcpStream::connect(address)?, TcpStream::connect(address)?];
/// for _ in 0..2 {
///     let connection = proactor.block_on(connections.next())?;
///     assert!(connection.is_some_and(|connection| connection.is_ok()));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Cancel safety
///
/// Dropping the stream asks the kernel to stop; what has arrived and was not taken is disposed of:
/// descriptors are closed, buffers go back.
#[must_use = "a stream does nothing until it is asked for an item"]
pub struct OpStream<M: Multishot> {
    handle: Handle,
    state: Rc<RefCell<State<M>>>,
    key: ServiceKey,
}

/// An operation that answers many times. The ones there are live in [`ops`](crate::ops).
///
/// # Safety
///
/// As for [`Operation`](crate::Operation), from the preparation to the last completion; and
/// `prepare`, `judge` and `lease` run no foreign code: the table is borrowed meanwhile.
#[expect(
    unsafe_code,
    reason = "soundness rests on what an implementation puts into its entry"
)]
pub unsafe trait Multishot: 'static {
    /// What one completion brings. Dropping it must release what it holds.
    type Item;

    /// What the operation is called in reports.
    const NAME: &'static str;

    /// Fills in the entry, which is zero. Called once more before each submission, for a look at it.
    #[doc(hidden)]
    fn prepare(&mut self, sqe: &mut Sqe);

    /// Says what a completion is.
    #[doc(hidden)]
    fn judge(&self, cqe: &Cqe) -> Answer {
        match cqe.errno() {
            libc::ECANCELED | libc::EINTR => Answer::Nothing,
            _ => Answer::Item,
        }
    }

    /// Takes the provided buffer that a completion brings. Called in the order in which the kernel
    /// filled the buffers, which is not the order in which items are asked for.
    #[doc(hidden)]
    fn lease(&mut self, _cqe: Cqe) -> Option<Chunk> {
        None
    }

    /// Turns a completion, with the buffer that was taken, into what it brings.
    #[doc(hidden)]
    fn item(&mut self, cqe: Cqe, lent: Option<Chunk>) -> io::Result<Self::Item>;

    /// Waits until it makes sense to submit: a buffer is there, mostly.
    #[doc(hidden)]
    fn poll_submittable(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

/// What a completion of a [`Multishot`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// An item, or an error after which the operation can be submitted again.
    Item,
    /// Nothing to tell: submit again.
    Nothing,
    /// The last item: nothing can follow it.
    Last,
    /// The end, without an item.
    End,
}

struct State<M: Multishot> {
    shots: M,
    arrived: VecDeque<(Cqe, Option<Chunk>)>,
    limit: usize,
    reader: Option<Waker>,
    is_armed: bool,
    is_stopping: bool,
    /// Something has arrived since it was armed.
    was_served: bool,
    /// It had something and was refused more: others go first.
    gives_way: bool,
    /// Nothing more will come, or is wanted.
    has_ended: bool,
    /// The proactor is gone.
    is_retired: bool,
}

impl<M: Multishot> State<M> {
    /// Whether the direct descriptor and the buffers that the entry names are of this proactor.
    fn is_of(&mut self, handle: &Handle) -> bool {
        let mut sqe = Sqe::default();
        self.shots.prepare(&mut sqe);
        handle.shared().is_home(sqe.pad)
    }
}

impl<M: Multishot> OpStream<M> {
    pub(crate) fn new(handle: Handle, shots: M) -> Self {
        let state = Rc::new(RefCell::new(State {
            shots,
            arrived: VecDeque::new(),
            limit: ITEMS_MAX,
            reader: None,
            is_armed: false,
            is_stopping: false,
            was_served: false,
            gives_way: false,
            has_ended: false,
            is_retired: false,
        }));
        let shooter = Shooter(Rc::clone(&state));
        let key = handle.shared().insert_service(shooter);
        Self { handle, state, key }
    }

    /// Sets how many results may wait in the queue before the kernel is asked to stop, 256 by
    /// default. Those that are under way by then still come.
    pub fn limit(self, items: usize) -> Self {
        self.state.borrow_mut().limit = items.max(1);
        self
    }

    /// Returns the next result, `None` when none will come any more.
    ///
    /// # Errors
    ///
    /// Those of the operation. Unless `None` follows, the next call goes on after an error.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what arrives after the future was dropped waits for the next call.
    pub async fn next(&mut self) -> Option<io::Result<M::Item>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Returns the next result, or wakes the task when there is one.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<M::Item>>> {
        let waker = cx.waker().clone();
        let mut state = self.state.borrow_mut();
        if let Some((cqe, lent)) = state.arrived.pop_front() {
            let item = state.shots.item(cqe, lent);
            drop(state);
            return Poll::Ready(Some(item));
        }
        if mem::take(&mut state.is_retired) {
            state.has_ended = true;
            return Poll::Ready(Some(Err(io::Error::from_raw_os_error(libc::ECANCELED))));
        }
        if state.has_ended && !state.is_armed {
            return Poll::Ready(None);
        }
        let is_armed = state.is_armed;
        if !is_armed && !state.is_of(&self.handle) {
            state.has_ended = true;
            let error = io::Error::from_raw_os_error(libc::EXDEV);
            return Poll::Ready(Some(Err(error)));
        }
        if !is_armed && mem::take(&mut state.gives_way) {
            drop(state);
            waker.wake();
            return Poll::Pending;
        }
        let old = state.reader.replace(waker);
        if !is_armed {
            ready!(state.shots.poll_submittable(cx));
            state.is_armed = true;
            state.was_served = false;
        }
        drop(state);
        drop(old);
        if !is_armed && !self.handle.shared().start(&self.key) {
            let mut state = self.state.borrow_mut();
            state.is_armed = false;
            state.has_ended = true;
            let error = io::Error::from_raw_os_error(libc::ECANCELED);
            return Poll::Ready(Some(Err(error)));
        }
        Poll::Pending
    }

    /// Asks the kernel to stop. What has arrived by then is still returned, then `None`.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn request_cancel(&mut self) {
        self.state.borrow_mut().has_ended = true;
        if !self.handle.shared().stop(&self.key) {
            return;
        }
        let reader = {
            let mut state = self.state.borrow_mut();
            state.is_armed = false;
            state.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

impl<M: Multishot> OpStream<M> {
    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Changes how it is submitted from now on. Returns the name of what is in flight, if anything.
    pub(crate) fn update(&mut self, change: impl FnOnce(&mut M)) -> Option<OpKey> {
        change(&mut self.state.borrow_mut().shots);
        self.handle.shared().with_queue(|queue| {
            let key = queue.table.service(&self.key);
            (queue.table.state(key) == InTable::InFlight).then_some(key)
        })
    }
}

impl<M: Multishot> Drop for OpStream<M> {
    fn drop(&mut self) {
        self.state.borrow_mut().has_ended = true;
        let reader = self.state.borrow_mut().reader.take();
        drop(reader);
        drop(self.handle.shared().release(&self.key, false));
    }
}

impl<M: Multishot> fmt::Debug for OpStream<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.borrow();
        f.debug_struct("OpStream")
            .field("name", &M::NAME)
            .field("queued", &state.arrived.len())
            .field("armed", &state.is_armed)
            .finish_non_exhaustive()
    }
}

/// What nobody takes is disposed of here: with the last owner, outside of any batch.
impl<M: Multishot> Drop for State<M> {
    fn drop(&mut self) {
        for (cqe, lent) in mem::take(&mut self.arrived) {
            drop(self.shots.item(cqe, lent));
        }
    }
}

/// The side of the stream that is in the table.
struct Shooter<M: Multishot>(Rc<RefCell<State<M>>>);

// SAFETY: `Multishot` asks the same of its implementations.
#[expect(unsafe_code, reason = "passes on the promise of the operation")]
unsafe impl<M: Multishot> Service for Shooter<M> {
    const NAME: &'static str = M::NAME;

    fn prepare(&mut self, sqe: &mut Sqe) {
        self.0.borrow_mut().shots.prepare(sqe);
    }

    fn on_completion(&mut self, cqe: Cqe, wakes: &mut Wakes) -> Flow {
        let mut state = self.0.borrow_mut();
        if cqe.is_last() {
            state.is_armed = false;
            state.is_stopping = false;
        }
        let answer = if cqe.errno() == RETIRED {
            state.is_retired = true;
            Answer::End
        } else {
            state.shots.judge(&cqe)
        };
        if matches!(answer, Answer::Item | Answer::Last) {
            let lent = state.shots.lease(cqe);
            state.was_served |= lent.is_some();
            state.arrived.push_back((cqe, lent));
        }
        state.gives_way = state.was_served && cqe.errno() == libc::ENOBUFS;
        state.has_ended |= matches!(answer, Answer::Last | Answer::End);
        if cqe.is_last() || answer != Answer::Nothing {
            wakes.extend(state.reader.take());
        }
        if state.arrived.len() >= state.limit && !cqe.is_last() && !state.is_stopping {
            state.is_stopping = true;
            return Flow::Stop;
        }
        // Who waits is woken, and has it submitted again.
        Flow::Rest
    }
}

/// Past this many, the kernel is asked to stop.
const ITEMS_MAX: usize = 256;
