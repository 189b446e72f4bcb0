//! The end of a stream, when everything has been sent.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::task::{Context, Poll, ready};

use super::Sender;
use super::outbox::Outbox;
use crate::fd::Fd;
use crate::net::keep;
use crate::op::{Flow, RETIRED};
use crate::ring::{Clock, Cqe};
use crate::wakes::Wakes;

/// How far the end of the stream has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ending {
    #[default]
    Open,
    /// The service is armed, and ends the stream when it has nothing else to do.
    Asked,
    UnderWay,
    Done,
}

impl Sender {
    /// Ends the stream for the peer once everything has been sent, or wakes the task when that has
    /// been done.
    ///
    /// # Errors
    ///
    /// As [`shutdown`](Self::shutdown).
    pub fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ending = self.state.outbox.borrow().ending;
        if ending == Ending::Done {
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_flush(cx))?;
        if ending == Ending::Open {
            if let Some(fd) = known_to_the_process(self.fd()) {
                return Poll::Ready(self.shut_down_now(fd));
            }
            self.ask_for_the_end()?;
        }
        keep(
            &self.state.outbox,
            |outbox| &mut outbox.rest().waiter,
            cx.waker(),
        );
        Poll::Pending
    }

    /// Ends the stream for the peer when everything has been sent, whoever is there to see it.
    #[cold]
    pub(super) fn shut_down_when_sent(&mut self) {
        let (ending, error, unsent) = {
            let outbox = self.state.outbox.borrow();
            (outbox.ending, outbox.error(), outbox.unsent())
        };
        if ending != Ending::Open || error.is_some() {
            return;
        }
        // Nobody is left to be told of an error.
        drop(match known_to_the_process(self.fd()) {
            Some(fd) if unsent == 0 => self.shut_down_now(fd),
            Some(_) | None => self.ask_for_the_end(),
        });
    }

    /// A call that never waits: the kernel would hand it to a thread if it came by the ring.
    fn shut_down_now(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        // SAFETY: the call is about no memory, and the descriptor is open.
        let result = unsafe { libc::shutdown(fd.as_raw_fd(), libc::SHUT_WR) };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        let mut outbox = self.state.outbox.borrow_mut();
        outbox.ending = Ending::Done;
        outbox.is_special = true;
        Ok(())
    }

    fn ask_for_the_end(&self) -> io::Result<()> {
        let mut outbox = self.state.outbox.borrow_mut();
        outbox.ending = Ending::Asked;
        outbox.is_special = true;
        drop(outbox);
        self.arm()
    }
}

impl Outbox {
    /// The kernel has ended the stream, or not.
    pub(super) fn ended(&mut self, cqe: Cqe, wakes: &mut Wakes) -> Flow {
        self.ending = match cqe.errno() {
            libc::EINTR | libc::EAGAIN | libc::ECANCELED => return Flow::Again,
            0 => Ending::Done,
            errno => {
                let errno = if errno == RETIRED {
                    libc::ESHUTDOWN
                } else {
                    errno
                };
                drop(self.fail(errno));
                Ending::Open
            }
        };
        wakes.extend(self.take_waiter());
        self.armed = false;
        Flow::Rest
    }
}

/// The descriptor, if calls of the process can be about it. A direct one has no number, and a
/// simulated one stands for something else.
pub(super) fn known_to_the_process(fd: &Fd) -> Option<BorrowedFd<'_>> {
    let is_real = matches!(fd.handle().shared().clock(), Clock::Monotonic);
    fd.plain().filter(|_| is_real)
}

/// Has a TCP connection whose sender is gone end when its peer takes nothing for a minute, unless
/// the program has set another time. Nobody else would, as long as the peer is there.
#[cold]
pub(super) fn bound_linger(fd: &Fd) {
    let Some(fd) = known_to_the_process(fd) else {
        return;
    };
    let (level, name) = (libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT);
    let mut millis: libc::c_uint = 0;
    let mut len = LEN;
    // SAFETY: the two places are valid for writes, the first one for as many bytes as the second
    // one says.
    let result = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            level,
            name,
            (&raw mut millis).cast(),
            &raw mut len,
        )
    };
    if result != 0 || millis != 0 {
        return; // It is none of TCP, or the program has decided.
    }
    // SAFETY: the place is valid for reads, for as many bytes as are said.
    let result = unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            level,
            name,
            (&raw const LINGER_MILLIS).cast(),
            LEN,
        )
    };
    debug_assert_eq!(result, 0, "what can be asked for can be set");
}

/// `TCP_USER_TIMEOUT` of a connection whose sender has been dropped.
static LINGER_MILLIS: libc::c_uint = 60_000;
#[expect(clippy::cast_possible_truncation, reason = "it is four")]
const LEN: libc::socklen_t = size_of::<libc::c_uint>() as libc::socklen_t;
