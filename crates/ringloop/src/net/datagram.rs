//! A received datagram, and the waits for one and for sending one.

use std::fmt;
use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::os::fd::OwnedFd;
use std::os::unix::net::SocketAddr as UnixAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use ringloop_proactor::{
    AncillaryMessage, Arrival, Chunk, DatagramReceiver, DatagramSender, Dispatch, Enclosed,
    Flushing, SocketAddress,
};

use crate::io::Wait;

/// An address that datagrams come from: of IP, or of a unix socket.
pub trait PeerAddr: sealed::FromAddress {}

impl PeerAddr for SocketAddr {}
impl PeerAddr for UnixAddr {}

mod sealed {
    use super::{Ipv4Addr, SocketAddr, SocketAddress, UnixAddr};

    #[expect(unnameable_types, reason = "nobody else implements it")]
    pub trait FromAddress: Unpin {
        /// What the kernel wrote, a `sockaddr`, or nothing if the sender has no name.
        fn from_name(name: &[u8]) -> Self;
    }

    impl FromAddress for SocketAddr {
        #[inline]
        fn from_name(name: &[u8]) -> Self {
            let ip = SocketAddress::ip_of_bytes(name);
            ip.unwrap_or_else(|| (Ipv4Addr::UNSPECIFIED, 0).into())
        }
    }

    impl FromAddress for UnixAddr {
        fn from_name(name: &[u8]) -> Self {
            let address = SocketAddress::from_bytes(name).ok();
            let unix = address.and_then(|address| address.as_unix());
            unix.unwrap_or_else(|| {
                Self::from_pathname("").expect("an empty path is the unnamed address")
            })
        }
    }
}

/// A received datagram, lent without a copy. Dropping it gives the buffer back.
///
/// It is a `[u8]`. Descriptors that came with it and are not taken are closed.
pub struct Datagram<A = SocketAddr> {
    datagram: ringloop_proactor::Datagram,
    peer: A,
}

impl<A: PeerAddr> Datagram<A> {
    pub(super) fn new(datagram: ringloop_proactor::Datagram) -> Self {
        let peer = datagram.peer().map_or(&[][..], SocketAddress::as_bytes);
        let peer = A::from_name(peer);
        Self { datagram, peer }
    }
}

impl<A> Datagram<A> {
    /// Returns who has sent it.
    #[must_use]
    pub fn peer(&self) -> &A {
        &self.peer
    }

    /// Returns whether the datagram was longer than the buffers for it, and the rest is gone.
    #[must_use]
    #[doc(alias = "MSG_TRUNC")]
    pub fn is_truncated(&self) -> bool {
        self.datagram.is_truncated()
    }

    /// Returns the length of each of the datagrams that the kernel has put together in this one,
    /// of which the last may be shorter. `None` if it is a single one.
    #[must_use]
    #[doc(alias = "UDP_GRO")]
    pub fn segment_bytes(&self) -> Option<usize> {
        self.datagram.segment_bytes()
    }

    /// Returns the single datagrams that the kernel has put together in this one, in order.
    pub fn segments(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        let bytes = &self[..];
        let len = self.segment_bytes().unwrap_or(bytes.len()).max(1);
        // An empty datagram is one, too.
        let count = bytes.len().div_ceil(len).max(1);
        (0..count).map(move |at| &bytes[at * len..bytes.len().min((at + 1) * len)])
    }

    /// Returns the credentials that came with it: process, user and group of the sender. `None` if
    /// they were not asked for ([`UnixDatagram::set_credentials`](super::UnixDatagram::set_credentials)).
    #[must_use]
    #[doc(alias = "SCM_CREDENTIALS")]
    pub fn credentials(&self) -> Option<PeerCredentials> {
        self.datagram
            .messages()
            .find_map(|message| PeerCredentials::of(&message))
    }

    /// Takes the descriptors that came with it, closed on exec; none if none came.
    ///
    /// # Errors
    ///
    /// `InvalidData` if there was no room for all of them. Those that there was room for have been
    /// closed.
    #[doc(alias = "SCM_RIGHTS")]
    pub fn take_descriptors(&mut self) -> io::Result<Vec<OwnedFd>> {
        self.datagram.take_descriptors()
    }

    /// Returns the bytes alone.
    #[must_use]
    pub fn into_bytes(self) -> Chunk {
        self.datagram.into_bytes()
    }
}

/// Who has sent a message through a unix socket, or is at the other end of one, as the kernel
/// vouches for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerCredentials {
    /// The process.
    pub pid: i32,
    /// The effective user, or one that the sender may claim to be.
    pub uid: u32,
    /// The effective group, or one that the sender may claim to be.
    pub gid: u32,
}

impl PeerCredentials {
    /// Those that the message is, if it is some: a `ucred`.
    pub(super) fn of(message: &AncillaryMessage<'_>) -> Option<Self> {
        let is_it = (message.level, message.kind) == (libc::SOL_SOCKET, libc::SCM_CREDENTIALS);
        let field = |at: usize| Some(*message.payload.get(at..)?.first_chunk()?);
        let number = |at| field(at).map(u32::from_ne_bytes);
        is_it.then_some(())?;
        Some(Self {
            pid: i32::from_ne_bytes(field(0)?),
            uid: number(4)?,
            gid: number(8)?,
        })
    }
}

impl<A> Deref for Datagram<A> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.datagram
    }
}

impl<A> AsRef<[u8]> for Datagram<A> {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl<A: fmt::Debug> fmt::Debug for Datagram<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Datagram")
            .field("len", &self.len())
            .field("peer", &self.peer)
            .field("segment_bytes", &self.segment_bytes())
            .field("is_truncated", &self.is_truncated())
            .finish()
    }
}

/// Receives what is there.
pub(super) fn try_recv_from<A: PeerAddr>(
    receiver: &DatagramReceiver,
    buf: &mut [u8],
) -> io::Result<(usize, A)> {
    let mut cx = Context::from_waker(Waker::noop());
    let mut arrival = receiver.arrival();
    match arrival.poll_recv_with(&mut cx, buf, true, A::from_name) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

/// Sends if there is room.
pub(super) fn try_send(
    sender: &DatagramSender,
    bytes: &[u8],
    to: Option<&SocketAddress>,
) -> io::Result<usize> {
    let mut cx = Context::from_waker(Waker::noop());
    let nothing = Enclosed::default();
    match sender.dispatch().poll_send(&mut cx, bytes, to, nothing) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

/// A wait by the rules of cancellation.
#[inline(always)]
fn poll_wait<T>(
    wait: &mut Wait,
    cx: &mut Context<'_>,
    poll: impl FnOnce(&mut Context<'_>) -> Poll<io::Result<T>>,
) -> Poll<io::Result<T>> {
    ready!(wait.begin(cx))?;
    match poll(cx) {
        Poll::Ready(result) => Poll::Ready(result),
        Poll::Pending => wait.go_on(cx),
    }
}

/// The future of `recv_from` and `peek_from`.
#[must_use = "nothing is received until it is awaited"]
#[derive(Debug)]
pub struct RecvFrom<'a, A = SocketAddr> {
    recv: Recv<'a>,
    peer: PhantomData<A>,
}

impl<'a, A> RecvFrom<'a, A> {
    #[track_caller]
    pub(super) fn new(receiver: &'a DatagramReceiver, buf: &'a mut [u8], takes: bool) -> Self {
        Self {
            recv: Recv::new(receiver, buf, takes),
            peer: PhantomData,
        }
    }
}

impl<A: PeerAddr> Future for RecvFrom<'_, A> {
    type Output = io::Result<(usize, A)>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.recv.poll_with(cx, A::from_name)
    }
}

/// The future of `recv` and `peek`.
#[must_use = "nothing is received until it is awaited"]
#[derive(Debug)]
pub struct Recv<'a> {
    arrival: Arrival<'a>,
    buf: &'a mut [u8],
    takes: bool,
    wait: Wait,
}

impl<'a> Recv<'a> {
    #[track_caller]
    pub(super) fn new(receiver: &'a DatagramReceiver, buf: &'a mut [u8], takes: bool) -> Self {
        Self {
            arrival: receiver.arrival(),
            buf,
            takes,
            wait: Wait::new(),
        }
    }

    #[inline(always)]
    fn poll_with<P>(
        &mut self,
        cx: &mut Context<'_>,
        peer: impl FnOnce(&[u8]) -> P,
    ) -> Poll<io::Result<(usize, P)>> {
        let Self {
            arrival,
            buf,
            takes,
            wait,
        } = self;
        poll_wait(wait, cx, |cx| arrival.poll_recv_with(cx, buf, *takes, peer))
    }
}

impl Future for Recv<'_> {
    type Output = io::Result<usize>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_with(cx, |_| ()).map_ok(|(count, ())| count)
    }
}

/// The future of `recv_datagram`.
#[must_use = "nothing is received until it is awaited"]
#[derive(Debug)]
pub struct RecvDatagram<'a, A = SocketAddr> {
    arrival: Arrival<'a>,
    wait: Wait,
    peer: PhantomData<A>,
}

impl<'a, A> RecvDatagram<'a, A> {
    #[track_caller]
    pub(super) fn new(receiver: &'a DatagramReceiver) -> Self {
        Self {
            arrival: receiver.arrival(),
            wait: Wait::new(),
            peer: PhantomData,
        }
    }
}

impl<A: PeerAddr> Future for RecvDatagram<'_, A> {
    type Output = io::Result<Datagram<A>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        poll_wait(&mut this.wait, cx, |cx| this.arrival.poll_datagram(cx)).map_ok(Datagram::new)
    }
}

/// The future of `send`, `send_to` and their like.
#[must_use = "nothing is sent until it is awaited"]
pub struct SendDatagram<'a> {
    dispatch: Dispatch<'a>,
    bytes: &'a [u8],
    target: Target<'a>,
    wait: Wait,
}

/// Where a datagram goes, and what goes beside it.
pub(super) enum Target<'a> {
    /// To where the socket is connected to.
    Connected(Enclosed<'a>),
    /// To an address of IP, perhaps cut into datagrams of a length.
    Ip(SocketAddr, Option<u16>),
    /// To an address of a unix socket.
    Unix(Box<SocketAddress>),
    /// As to an address of IP, to a name that is looked up.
    LookedUp(
        Pin<Box<dyn Future<Output = io::Result<SocketAddr>> + 'a>>,
        Option<u16>,
    ),
}

impl<'a> SendDatagram<'a> {
    #[track_caller]
    pub(super) fn new(sender: &'a DatagramSender, bytes: &'a [u8], target: Target<'a>) -> Self {
        Self {
            dispatch: sender.dispatch(),
            bytes,
            target,
            wait: Wait::new(),
        }
    }
}

impl Future for SendDatagram<'_> {
    type Output = io::Result<usize>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Target::LookedUp(address, segment_bytes) = &mut this.target {
            this.target = Target::Ip(ready!(address.as_mut().poll(cx))?, *segment_bytes);
        }
        let Self {
            dispatch,
            bytes,
            target,
            wait,
        } = this;
        poll_wait(wait, cx, |cx| match target {
            Target::Ip(address, segment_bytes) => {
                dispatch.poll_send_to_ip(cx, bytes, *address, *segment_bytes)
            }
            Target::Connected(enclosed) => dispatch.poll_send(cx, bytes, None, *enclosed),
            Target::Unix(address) => {
                dispatch.poll_send(cx, bytes, Some(address), Enclosed::default())
            }
            Target::LookedUp(..) => unreachable!("it has been"),
        })
    }
}

impl fmt::Debug for SendDatagram<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendDatagram")
            .field("dispatch", &self.dispatch)
            .field("len", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// The future of `flush`.
#[must_use = "nothing is flushed until it is awaited"]
#[derive(Debug)]
pub struct FlushDatagrams<'a> {
    flushing: Flushing<'a>,
    wait: Wait,
}

impl<'a> FlushDatagrams<'a> {
    #[track_caller]
    pub(super) fn new(sender: &'a DatagramSender) -> Self {
        Self {
            flushing: sender.flushing(),
            wait: Wait::new(),
        }
    }
}

impl Future for FlushDatagrams<'_> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        poll_wait(&mut this.wait, cx, |cx| this.flushing.poll_flush(cx))
    }
}
