//! Accepting connections: one multishot accept into a bounded queue.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::task::Waker;

use ringloop_core::WaitList;

use super::proactor_gone;
use crate::fd::Fd;
use crate::op::ServiceKey;

mod accepted;
mod service;
mod stop;

pub use accepted::Accepted;
use service::AcceptMultishot;

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
        Accepted::new(self)
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

impl Backlog {
    fn has_news(&self) -> bool {
        !self.connections.is_empty() || self.error.is_some()
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        let connections = {
            let mut backlog = self.state.backlog.borrow_mut();
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
