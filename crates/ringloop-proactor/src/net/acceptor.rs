//! Accepting connections: one multishot accept into a bounded queue.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use ringloop_core::{WaitKey, WaitList};

use super::proactor_gone;
use crate::fd::Fd;
use crate::op::{Flow, RETIRED, Service, ServiceKey};
use crate::ops::{ACCEPT_MULTISHOT, new_fd};
use crate::ring::{Cqe, Sqe};
use crate::wakes::Wakes;

mod stop;

/// The queue of connections of one listening socket.
///
/// # Examples
///
/// ```
/// use ringloop_proactor::{Acceptor, Config, Proactor};
/// use std::net::{TcpListener, TcpStream};
///
/// let mut proactor = Proactor::new(&Config::default())?;
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let address = listener.local_addr()?;
/// let acceptor = Acceptor::new(proactor.handle().adopt(listener));
/// let _client = TcpStream::connect(address)?;
/// let connection = proactor.block_on(acceptor.accept())??;
/// # drop(connection);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Acceptor {
    state: Rc<State>,
    key: ServiceKey,
}

struct State {
    fd: Fd,
    backlog: RefCell<Backlog>,
    waiters: WaitList,
    /// Waiters that have been woken for a connection and have not come to take it.
    granted: Cell<usize>,
    /// Whether nothing is accepted that nobody waits for.
    is_single: Cell<bool>,
}

#[derive(Default)]
struct Backlog {
    connections: VecDeque<OwnedFd>,
    error: Option<i32>,
    armed: bool,
    stopping: bool,
    /// Who waits until nothing is accepted any more.
    stopper: Option<Waker>,
    /// The acceptor is gone: what still arrives is closed.
    closed: bool,
}

impl Acceptor {
    /// Makes the queue of a socket that listens. Nothing is accepted before the first
    /// [`accept`](Self::accept).
    #[must_use]
    pub fn new(fd: Fd) -> Self {
        let state = Rc::new(State {
            fd,
            backlog: RefCell::default(),
            waiters: WaitList::new(),
            granted: Cell::new(0),
            is_single: Cell::new(false),
        });
        let service = AcceptMultishot {
            state: Rc::clone(&state),
        };
        let key = state.fd.handle().shared().insert_service(service);
        Self { state, key }
    }

    /// Returns the listening descriptor.
    #[must_use]
    pub fn fd(&self) -> &Fd {
        &self.state.fd
    }

    /// Takes the next connection, closed on exec. Counterpart: `accept4(2)`.
    ///
    /// Any number of tasks may wait; they are served in the order in which they came.
    ///
    /// # Errors
    ///
    /// Those of `accept4(2)` that do not pass by themselves: `EMFILE`, `ENFILE`, `ENOMEM`. The
    /// connection that was meant is still there for the next call.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a connection that arrives after the future was dropped waits for the next one.
    pub fn accept(&self) -> Accepted<'_> {
        Accepted {
            acceptor: self,
            key: None,
        }
    }

    /// Sets whether connections are accepted that nobody waits for yet, which is so at the start.
    ///
    /// Without, they are accepted one at a time, and the others wait in the kernel's backlog, but
    /// for those that have been accepted already.
    pub fn take_ahead(&self, takes: bool) {
        let was_single = self.state.is_single.replace(!takes);
        if !takes && !was_single {
            self.stop();
        }
    }

    /// Asks the kernel to accept no more.
    fn stop(&self) {
        let mut backlog = self.state.backlog.borrow_mut();
        if !backlog.armed || std::mem::replace(&mut backlog.stopping, true) {
            return;
        }
        drop(backlog);
        if self.state.fd.handle().shared().stop(&self.key) {
            let mut backlog = self.state.backlog.borrow_mut();
            backlog.armed = false;
            backlog.stopping = false;
        }
    }

    /// What has arrived, or `None` if the caller has to wait for it.
    fn take(&self) -> Option<io::Result<OwnedFd>> {
        let mut backlog = self.state.backlog.borrow_mut();
        if let Some(connection) = backlog.connections.pop_front() {
            return Some(Ok(connection));
        }
        if let Some(errno) = backlog.error.take() {
            return Some(Err(io::Error::from_raw_os_error(errno)));
        }
        drop(backlog);
        (!self.arm()).then(|| Err(proactor_gone()))
    }

    /// Sees to it that connections are accepted. `false`: the proactor is gone.
    fn arm(&self) -> bool {
        let mut backlog = self.state.backlog.borrow_mut();
        // Whoever waited for the end has given that up.
        let stopper = backlog.stopper.take();
        let was_armed = std::mem::replace(&mut backlog.armed, true);
        drop(backlog);
        drop(stopper);
        if was_armed {
            return true;
        }
        let is_started = self.state.fd.handle().shared().start(&self.key);
        self.state.backlog.borrow_mut().armed = is_started;
        is_started
    }
}

/// The future of [`Acceptor::accept`].
#[must_use = "nothing is accepted until it is awaited"]
pub struct Accepted<'a> {
    acceptor: &'a Acceptor,
    key: Option<WaitKey>,
}

impl<'a> Accepted<'a> {
    /// Returns the acceptor that the future waits on.
    #[must_use]
    pub fn acceptor(&self) -> &'a Acceptor {
        self.acceptor
    }
}

impl Future for Accepted<'_> {
    type Output = io::Result<OwnedFd>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let state = &self.acceptor.state;
        let is_my_turn = match &self.key {
            // Whoever comes new stands behind those who wait or have been called.
            None => state.waiters.is_empty() && state.has_surplus(),
            Some(key) => !state.waiters.update(key, cx.waker()),
        };
        if is_my_turn {
            if let Some(key) = self.key.take() {
                state.waiters.remove(key);
                state.granted.set(state.granted.get() - 1);
            }
            if let Some(result) = self.acceptor.take() {
                if !state.waiters.is_empty() && !self.acceptor.arm() {
                    // The others wait for a proactor that is gone.
                    while let Some(waiter) = state.grant() {
                        waiter.wake();
                    }
                }
                return Poll::Ready(result);
            }
        }
        if self.key.is_none() {
            let key = state.waiters.push(cx.waker());
            self.key = Some(key);
        }
        if self.acceptor.arm() {
            Poll::Pending
        } else {
            Poll::Ready(Err(proactor_gone()))
        }
    }
}

/// A wait that was granted a connection and does not take it passes the grant on.
impl Drop for Accepted<'_> {
    fn drop(&mut self) {
        let state = &self.acceptor.state;
        let Some(key) = self.key.take() else { return };
        if state.waiters.remove(key) {
            return;
        }
        state.granted.set(state.granted.get() - 1);
        if state.backlog.borrow().has_news()
            && let Some(next) = state.grant()
        {
            next.wake();
        }
    }
}

impl State {
    /// Calls the waiter that came first; the caller wakes it.
    fn grant(&self) -> Option<Waker> {
        let next = self.waiters.take_one();
        self.granted
            .set(self.granted.get() + usize::from(next.is_some()));
        next
    }

    /// Whether there is something, or nothing to wait behind, for one who comes new.
    fn has_surplus(&self) -> bool {
        let granted = self.granted.get();
        granted == 0 || self.backlog.borrow().connections.len() > granted
    }
}

impl fmt::Debug for Accepted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepted")
            .field("acceptor", self.acceptor)
            .finish_non_exhaustive()
    }
}

impl Backlog {
    fn has_news(&self) -> bool {
        !self.connections.is_empty() || self.error.is_some()
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        let connections = {
            let mut backlog = self.state.backlog.borrow_mut();
            backlog.closed = true;
            std::mem::take(&mut backlog.connections)
        };
        drop(connections);
        drop(self.state.fd.handle().shared().release(&self.key, false));
    }
}

impl fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let backlog = self.state.backlog.borrow();
        f.debug_struct("Acceptor")
            .field("fd", &self.state.fd)
            .field("queued", &backlog.connections.len())
            .field("armed", &backlog.armed)
            .finish()
    }
}

/// Counterpart: `io_uring_prep_multishot_accept(3)`.
struct AcceptMultishot {
    state: Rc<State>,
}

// SAFETY: N1, the entry names the counted descriptor and no memory.
unsafe impl Service for AcceptMultishot {
    const NAME: &'static str = "accept multishot";

    fn prepare(&mut self, sqe: &mut Sqe) {
        *sqe = Sqe {
            ioprio: if self.state.is_single.get() {
                0
            } else {
                ACCEPT_MULTISHOT
            },
            op_flags: libc::SOCK_CLOEXEC.cast_unsigned(),
            ..Sqe::on(io_uring::opcode::Accept::CODE, &self.state.fd)
        };
    }

    fn on_completion(&mut self, cqe: Cqe, wakes: &mut Wakes) -> Flow {
        let mut backlog = self.state.backlog.borrow_mut();
        if cqe.is_last() {
            backlog.armed = false;
            backlog.stopping = false;
        }
        let stopper = cqe.is_last().then(|| backlog.stopper.take()).flatten();
        let has_to_end = stopper.is_some();
        wakes.extend(stopper);
        let is_news = match new_fd(cqe) {
            Ok(connection) if backlog.closed => {
                drop(connection);
                false
            }
            Ok(connection) => {
                backlog.connections.push_back(connection);
                true
            }
            Err(_) => match cqe.errno() {
                RETIRED => {
                    while let Some(waiter) = self.state.grant() {
                        wakes.push(waiter);
                    }
                    return Flow::Rest;
                }
                libc::ECANCELED => false,
                errno if PASSING.contains(&errno) && has_to_end => false,
                errno if PASSING.contains(&errno) => {
                    backlog.armed = true;
                    return Flow::Again;
                }
                errno => {
                    backlog.error = Some(errno);
                    true
                }
            },
        };
        if is_news {
            wakes.extend(self.state.grant());
        }
        let goes_on = backlog.error.is_none() && !self.state.waiters.is_empty();
        if cqe.is_last() && !has_to_end && goes_on {
            // The kernel has ended it, or a full queue has been emptied: others still wait.
            backlog.armed = true;
            return Flow::Again;
        }
        if backlog.connections.len() >= BACKLOG_MAX && !cqe.is_last() && !backlog.stopping {
            backlog.stopping = true;
            return Flow::Stop;
        }
        Flow::Rest
    }
}

/// Errors of a connection that went away before it was accepted, and of an interruption.
const PASSING: [i32; 10] = [
    libc::EINTR,
    libc::EAGAIN,
    libc::ECONNABORTED,
    libc::EPROTO,
    libc::ENETDOWN,
    libc::ENOPROTOOPT,
    libc::EHOSTDOWN,
    libc::ENONET,
    libc::EHOSTUNREACH,
    libc::ENETUNREACH,
];
/// Past this many, connections wait in the kernel's backlog instead.
const BACKLOG_MAX: usize = 256;
