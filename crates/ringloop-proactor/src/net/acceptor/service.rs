//! The service that accepts.

use std::io;
use std::rc::Rc;

use super::{Acceptor, State};
use crate::op::{Flow, RETIRED, Service};
use crate::ops::{ACCEPT_MULTISHOT, new_fd};
use crate::ring::{Cqe, Sqe};
use crate::wakes::Wakes;

/// Counterpart: `io_uring_prep_multishot_accept(3)`.
pub(super) struct AcceptMultishot {
    pub(super) state: Rc<State>,
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
                errno if is_passing(errno) && has_to_end => false,
                errno if is_passing(errno) => {
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

impl Acceptor {
    /// Returns whether an error of `accept4(2)` is that of one connection, which is gone, or of an
    /// interruption: the next connection may well be accepted. [`accept`](Self::accept) does not tell of them.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::Acceptor;
    /// use std::io;
    ///
    /// let aborted = io::Error::from_raw_os_error(libc::ECONNABORTED);
    /// assert!(Acceptor::is_passing(&aborted));
    /// ```
    #[must_use]
    pub fn is_passing(error: &io::Error) -> bool {
        error.raw_os_error().is_some_and(is_passing)
    }
}

/// Whether it is the error of a connection that went away before it was accepted, or of an
/// interruption.
fn is_passing(errno: i32) -> bool {
    matches!(
        errno,
        libc::EINTR
            | libc::EAGAIN
            | libc::ECONNABORTED
            | libc::EPROTO
            | libc::ENETDOWN
            | libc::ENOPROTOOPT
            | libc::EHOSTDOWN
            | libc::ENONET
            | libc::EHOSTUNREACH
            | libc::ENETUNREACH
    )
}

/// Past this many, connections wait in the kernel's backlog instead.
const BACKLOG_MAX: usize = 256;
