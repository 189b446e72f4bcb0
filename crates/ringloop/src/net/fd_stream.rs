//! A unix stream connection that carries descriptors.

use std::future::{Future, poll_fn};
use std::io;
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ringloop_proactor::ops::{RecvMsg, SendMsg};
use ringloop_proactor::{Ancillary, Fd, Op};
use socket2::SockRef;

use super::check::{Kind, check};
use super::datagram::PeerCredentials;
use super::plain;
use super::unix_addr::peer_of;
use crate::context;
use crate::io::Wait;

mod message;
mod sending;

use message::Message;

/// A unix stream connection that carries open descriptors beside its bytes.
///
/// A [`UnixStream`](super::UnixStream) receives in a way in which the kernel throws descriptors
/// away. This one receives messages, and so none is lost: what has come belongs to the stream until
/// it is taken, and is closed with it.
///
/// The stream has no borders but one: what is sent after descriptors is not received together with
/// them. What was sent before them may be, so they come with the bytes that carry them or earlier.
///
/// Counterpart: `sendmsg(2)` and `recvmsg(2)` with `SCM_RIGHTS`, `socket.send_fds` and
/// `socket.recv_fds` of Python.
///
/// # Examples
///
/// ```
/// use std::fs::File;
/// use std::io::{Read, Write};
/// use std::os::fd::AsFd;
///
/// use ringloop::net::FdStream;
///
/// ringloop::run(async {
///     let (mut near, mut far) = FdStream::pair()?;
///     let (mut reader, writer) = std::io::pipe()?;
///     near.send(b"a pipe", &[writer.as_fd()]).await?;
///     drop(writer);
///
///     let (mut buf, mut fds) = ([0; 16], Vec::new());
///     let count = far.recv(&mut buf, &mut fds).await?;
///     assert_eq!(&buf[..count], b"a pipe");
///     File::from(fds.remove(0)).write_all(b"through it")?;
///     let mut text = String::new();
///     reader.read_to_string(&mut text)?;
///     assert_eq!(text, "through it");
///     Ok::<(), std::io::Error>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[doc(alias("SCM_RIGHTS", "send_fds", "recv_fds"))]
pub struct FdStream {
    fd: Fd,
    /// A receive goes on when the future that waited for it is gone; what it brings stays here.
    receiving: Option<Op<RecvMsg<[Vec<u8>; 1]>>>,
    /// So does a send: what comes behind waits for it.
    sending: Option<Op<SendMsg<[Vec<u8>; 1]>>>,
    /// What is under way is the rest of a message.
    is_rest: bool,
    received: Message,
    error: Option<io::Error>,
    has_ended: bool,
}

impl FdStream {
    /// Makes two streams that are connected with each other.
    ///
    /// # Errors
    ///
    /// As `socketpair(2)`.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    #[track_caller]
    pub fn pair() -> io::Result<(Self, Self)> {
        let (near, far) = net::UnixStream::pair()?;
        Ok((Self::from_std(near)?, Self::from_std(far)?))
    }

    /// Takes a connected socket that was made elsewhere, blocking or not.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if it is none: not a unix stream socket, or listening.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    #[track_caller]
    pub fn from_std(stream: net::UnixStream) -> io::Result<Self> {
        let socket = OwnedFd::from(stream);
        check(socket.as_fd(), Kind::UnixStream)?;
        let fd = context::current().proactor.adopt(socket);
        Ok(Self::with(fd, Vec::new()))
    }

    pub(super) fn with(fd: Fd, received: Vec<u8>) -> Self {
        Self {
            fd,
            receiving: None,
            sending: None,
            is_rest: false,
            received: Message {
                bytes: received,
                ..Message::default()
            },
            error: None,
            has_ended: false,
        }
    }

    /// Receives up to `buf.len()` bytes and returns how many, zero at the end of the stream;
    /// appends the descriptors that came with them, closed on exec. Descriptors are given out whole
    /// with the first bytes of the receive that has brought them.
    ///
    /// # Errors
    ///
    /// As `recvmsg(2)`, once what came before has been taken; `InvalidData` if this process could
    /// not take descriptors that came, for which the limit of open ones is the usual reason: they
    /// are closed, and their bytes come with the next call. A cancelled scope.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect; what arrives later
    /// waits for the next call.
    #[track_caller]
    pub fn recv(
        &mut self,
        buf: &mut [u8],
        fds: &mut Vec<OwnedFd>,
    ) -> impl Future<Output = io::Result<usize>> {
        let mut wait = Wait::new();
        poll_fn(move |cx| {
            ready!(wait.begin(cx))?;
            match self.poll_recv(cx, buf, fds) {
                Poll::Pending => wait.go_on(cx),
                result @ Poll::Ready(_) => result,
            }
        })
    }

    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
        fds: &mut Vec<OwnedFd>,
    ) -> Poll<io::Result<usize>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if self.received.is_empty() && !self.has_ended {
            ready!(self.poll_message(cx))?;
        }
        if let Some(error) = self.error.take() {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(self.received.take(buf, fds)))
    }

    /// Waits for a message.
    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let receiving = match &mut self.receiving {
            Some(receiving) => receiving,
            none => {
                let mut buffer = mem::take(&mut self.received.bytes);
                self.received.taken = 0;
                buffer.clear();
                buffer.reserve_exact(BUFFER_LEN);
                let room = Ancillary::room_for_descriptors(FDS_MAX);
                let room = Ancillary::with_room(room + Ancillary::room_for(CREDENTIALS_LEN));
                none.insert(self.fd.handle().recv_msg(&self.fd, [buffer], room, 0)?)
            }
        };
        let result = ready!(Pin::new(receiving).poll(cx));
        self.receiving = None;
        let mut message = result?;
        let [bytes] = message.buffers;
        self.has_ended = message.count == 0;
        let beside = &message.ancillary;
        let credentials = beside.messages().find_map(|one| PeerCredentials::of(&one));
        // The kernel makes some up for the end: nobody has sent it.
        self.received.credentials = credentials.filter(|_| !self.has_ended);
        match message.ancillary.take_descriptors() {
            Ok(fds) => self.received.fds = fds.into(),
            Err(error) => self.error = Some(error),
        }
        self.received.bytes = bytes;
        Poll::Ready(Ok(()))
    }

    /// Returns who is at the other end, as it was when it connected, listened or made the pair.
    ///
    /// # Errors
    ///
    /// As `getsockopt(2)`.
    pub fn peer_cred(&self) -> io::Result<PeerCredentials> {
        peer_of(&self.fd)
    }

    /// Lets the credentials of the sender come with what is sent from now on, or not.
    ///
    /// They are those of who has called `send`, where [`peer_cred`](Self::peer_cred) tells of who
    /// has connected: a stream may be passed on, too.
    ///
    /// # Errors
    ///
    /// As `setsockopt(2)`.
    #[doc(alias = "SO_PASSCRED")]
    pub fn set_credentials(&self, come_along: bool) -> io::Result<()> {
        SockRef::from(&self.as_fd()).set_passcred(come_along)
    }

    /// Returns who has sent what the last [`recv`](Self::recv) has taken, of which all is of one
    /// sender. `None` at the end of the stream, and if they were not
    /// [asked for](Self::set_credentials); what was sent before that is of nobody, with process 0.
    #[must_use]
    #[doc(alias = "SCM_CREDENTIALS")]
    pub fn credentials(&self) -> Option<PeerCredentials> {
        self.received.credentials
    }
}

impl AsFd for FdStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        plain(&self.fd)
    }
}

impl AsRawFd for FdStream {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

/// `SCM_MAX_FD` of the kernel.
const FDS_MAX: usize = 253;
/// That of a `ucred`.
const CREDENTIALS_LEN: usize = size_of::<libc::ucred>();
const BUFFER_LEN: usize = 16 * 1024;
