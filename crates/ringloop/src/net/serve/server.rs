//! The handle of a server.

use std::fmt;
use std::net::SocketAddr;
use std::rc::Rc;

use ringloop_task::cancel::{CancelToken, Cancelled, check_cancelled};

use super::shared::Shared;
use crate::future::{Either, race};

/// Stops a server, and tells about it; see [`serve`](super::serve). Cheap to clone.
///
/// It stays on its thread; [`stop_token`](Self::stop_token) goes to others. Counterpart:
/// `asyncio.Server`.
///
/// # Examples
///
/// A server that serves one connection:
///
/// ```
/// use ringloop::net::{self, Server, TcpListener, TcpStream};
///
/// ringloop::run(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let _client = TcpStream::connect(listener.local_addr()?).await?;
///     let server = Server::new();
///     let handle = server.clone();
///     let once = async move |_stream, _peer| {
///         handle.stop_accepting();
///     };
///     net::serve(listener, once).control(&server).await?;
///     assert_eq!(server.stats().completed, 1);
///     Ok::<(), std::io::Error>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Server<A = SocketAddr> {
    shared: Rc<Shared<A>>,
}

impl<A> Server<A> {
    /// Makes a server without listeners; [`control`](super::Serve::control) gives it some.
    #[must_use]
    pub fn new() -> Self {
        Self {
            shared: Rc::new(Shared::new()),
        }
    }

    pub(super) fn of(shared: &Rc<Shared<A>>) -> Self {
        Self {
            shared: Rc::clone(shared),
        }
    }

    pub(super) fn shared(&self) -> &Rc<Shared<A>> {
        &self.shared
    }

    /// Accepts no more. No handler begins after this call; those that run go on. The listener is
    /// closed in the next turn of the loop, and with it the connections that nobody has taken.
    /// Returns whether this was the first call. Counterpart: `asyncio.Server.close`.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[doc(alias("close", "graceful_shutdown"))]
    pub fn stop_accepting(&self) -> bool {
        self.shared.stop.cancel("the server stops accepting")
    }

    /// Returns a token to stop accepting with, also from other threads: its cancellation is
    /// [`stop_accepting`](Self::stop_accepting).
    #[must_use]
    pub fn stop_token(&self) -> CancelToken {
        self.shared.stop.clone()
    }

    /// Asks all handlers to cancel, and returns how many were not asked before: their waits say
    /// `Cancelled`, and their cleanup may wait. A handler that ignores it goes on. Counterpart:
    /// `asyncio.Server.close_clients`.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn close_clients(&self) -> usize {
        let connections = self.shared.connections();
        let asked = connections
            .iter()
            .filter(|task| task.cancel("the server closes its clients"));
        asked.count()
    }

    /// Drops all handlers where they are, and with them their connections; one that calls this, at
    /// its next wait. Counterpart: `asyncio.Server.abort_clients`.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn abort_clients(&self) {
        for task in self.shared.connections() {
            task.abort();
        }
    }

    /// Waits until nothing is accepted any more *and* no handler is left. It does not stop anything
    /// by itself, and a handler that waits for it waits for itself.
    ///
    /// What a handler has written and not flushed may still be on its way.
    ///
    /// # Errors
    ///
    /// `Cancelled` if the waiting task or a scope around it is cancelled first.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    pub async fn wait_closed(&self) -> Result<(), Cancelled> {
        check_cancelled()?;
        while !self.shared.is_closed() {
            let over = self.shared.over.notified();
            if self.shared.has_been() {
                over.await?;
            } else {
                // A server without listeners is closed by its stop.
                match race(over, self.shared.stop.cancelled()).await {
                    Either::Left(told) => told?,
                    Either::Right(stopped) => drop(stopped?),
                }
            }
        }
        Ok(())
    }

    /// Returns whether connections are accepted, now or when the limit lets them.
    #[must_use]
    pub fn is_serving(&self) -> bool {
        self.shared.is_accepting() && !self.shared.stop.is_cancelled()
    }

    /// Returns whether everything is over, as [`wait_closed`](Self::wait_closed) waits for.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.is_closed()
    }

    /// Returns what the server has done so far.
    #[must_use]
    pub fn stats(&self) -> ServerStats {
        let counters = &self.shared.counters;
        let (completed, failed) = (counters.completed.get(), counters.failed.get());
        let (accepted, panicked) = (counters.accepted.get(), counters.panicked.get());
        let live = counters.live.get();
        ServerStats {
            accepted,
            live,
            completed,
            failed,
            panicked,
            cancelled: accepted - completed - failed - panicked - live as u64,
            accept_errors: counters.accept_errors.get(),
            is_exhausted: self.shared.is_exhausted(),
        }
    }
}

impl<A: Clone> Server<A> {
    /// Returns the addresses that the server listens on, one for each listener.
    #[must_use]
    #[doc(alias = "sockets")]
    pub fn local_addrs(&self) -> Vec<A> {
        self.shared.local_addrs()
    }

    /// Returns the address that the server listens on, the first one if there are several.
    #[must_use]
    pub fn local_addr(&self) -> Option<A> {
        self.local_addrs().into_iter().next()
    }
}

impl<A> Clone for Server<A> {
    fn clone(&self) -> Self {
        Self::of(&self.shared)
    }
}

impl<A> Default for Server<A> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A> fmt::Debug for Server<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("is_serving", &self.is_serving())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// What a [`Server`] has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerStats {
    /// Connections whose handler was started.
    pub accepted: u64,
    /// Those that have not ended.
    pub live: usize,
    /// Those whose handler returned, and no error.
    pub completed: u64,
    /// Those whose handler returned an error that is not its cancellation.
    pub failed: u64,
    /// Those whose handler panicked.
    pub panicked: u64,
    /// Those whose handler was dropped, or returned its cancellation.
    pub cancelled: u64,
    /// Errors of `accept`.
    pub accept_errors: u64,
    /// Whether nothing can be accepted at present, for want of descriptors or memory.
    pub is_exhausted: bool,
}
