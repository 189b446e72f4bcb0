//! The handle that resources keep: where operations are made.

use std::ffi::CString;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;

use crate::buf::{IoBuf, IoBufMut};
use crate::fd::Fd;
use crate::op::{Op, Operation};
use crate::ops::{Accept, Connect, Nop, OpenAt, PollAdd, Read, Recv, Send, Socket, Write};
use crate::shared::Shared;
use crate::stats::ProactorStats;

/// A cheap, cloneable reference to a [`Proactor`](crate::Proactor).
///
/// It outlives the proactor harmlessly: operations that are started later end with `ECANCELED`.
///
/// # Errors
///
/// The futures give what the call of the same name gives, and `ECANCELED`.
///
/// # Cancel safety
///
/// As [`Op`].
///
/// # Examples
///
/// ```
/// use ringloop_proactor::{Config, Proactor};
///
/// let mut proactor = Proactor::new(&Config::default())?;
/// let handle = proactor.handle();
/// proactor.block_on(handle.nop())??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Handle {
    shared: Rc<Shared>,
}

impl Handle {
    pub(crate) fn new(shared: Rc<Shared>) -> Self {
        Self { shared }
    }

    #[inline]
    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Makes a future of any operation.
    pub fn submit<O: Operation>(&self, op: O) -> Op<O> {
        Op::new(self.clone(), op)
    }

    /// Makes a trip through the ring and back.
    pub fn nop(&self) -> Op<Nop> {
        self.submit(Nop::new())
    }

    /// Takes a descriptor into the proactor's care: it is counted, and closed through the ring.
    #[must_use = "dropping it closes the descriptor"]
    pub fn adopt(&self, fd: impl Into<OwnedFd>) -> Fd {
        Fd::new(self.clone(), fd.into())
    }

    /// Makes a socket, closed on exec. Counterpart: `socket(2)`.
    pub fn socket(&self, domain: i32, kind: i32, protocol: i32) -> Op<Socket> {
        self.submit(Socket::new(domain, kind, protocol))
    }

    /// Connects a socket. Counterpart: `connect(2)`.
    pub fn connect(&self, fd: &Fd, address: SocketAddr) -> Op<Connect> {
        self.submit(Connect::new(fd.clone(), address))
    }

    /// Accepts one connection, closed on exec. Counterpart: `accept4(2)`.
    ///
    /// A dropped accept closes a connection that it had accepted; an
    /// [`Acceptor`](crate::Acceptor) keeps it for the next caller.
    pub fn accept(&self, fd: &Fd) -> Op<Accept> {
        self.submit(Accept::new(fd.clone()))
    }

    /// Receives into an owned buffer, once. Counterpart: `recv(2)`.
    ///
    /// At most one receive may be in flight on a socket: several complete in any order.
    pub fn recv<B: IoBufMut>(&self, fd: &Fd, buffer: B) -> Op<Recv<B>> {
        self.submit(Recv::new(fd.clone(), buffer))
    }

    /// Sends from an owned buffer, once. Counterpart: `send(2)`.
    ///
    /// At most one send may be in flight on a socket: several interleave.
    pub fn send<B: IoBuf>(&self, fd: &Fd, buffer: B) -> Op<Send<B>> {
        self.submit(Send::new(fd.clone(), buffer))
    }

    /// Reads at an offset, or at the file's position if it is `u64::MAX`. Counterpart: `pread(2)`.
    pub fn read<B: IoBufMut>(&self, fd: &Fd, buffer: B, offset: u64) -> Op<Read<B>> {
        self.submit(Read::new(fd.clone(), buffer, offset))
    }

    /// Writes at an offset, or at the file's position if it is `u64::MAX`. Counterpart:
    /// `pwrite(2)`.
    ///
    /// Writing to a pipe that nobody reads raises `SIGPIPE`, which Rust programs ignore from the
    /// start; a program that restores its default has to do without this. [`send`](Self::send)
    /// never raises it.
    pub fn write<B: IoBuf>(&self, fd: &Fd, buffer: B, offset: u64) -> Op<Write<B>> {
        self.submit(Write::new(fd.clone(), buffer, offset))
    }

    /// Opens a file with `O_*` flags and permission bits, closed on exec. Counterpart: `open(2)`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the path holds a zero byte; the future gives the errors of `open(2)`.
    pub fn open(&self, path: &Path, flags: i32, mode: u32) -> io::Result<Op<OpenAt>> {
        let path = CString::new(path.as_os_str().as_bytes())?;
        Ok(self.submit(OpenAt::new(path, flags, mode)))
    }

    /// Waits until a descriptor is ready for some of `events` (`POLLIN`, `POLLOUT`, …).
    /// Counterpart: `poll(2)`.
    pub fn poll(&self, fd: &Fd, events: u32) -> Op<PollAdd> {
        self.submit(PollAdd::new(fd.clone(), events))
    }

    /// Returns what the proactor has done so far.
    #[must_use]
    pub fn stats(&self) -> ProactorStats {
        self.shared.stats()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("stats", &self.stats())
            .finish()
    }
}
