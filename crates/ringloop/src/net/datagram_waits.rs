//! The waits for a datagram, for sending one, and for all to be sent.

use std::fmt;
use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use ringloop_proactor::{
    Arrival, DatagramReceiver, DatagramSender, Dispatch, Enclosed, Flushing, SocketAddress,
};

use super::datagram::{Datagram, PeerAddr};
use crate::io::Wait;

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
