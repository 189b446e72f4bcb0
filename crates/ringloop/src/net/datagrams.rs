//! The datagrams of a socket as a stream.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ringloop_proactor::{Arrival, DatagramReceiver};

use super::datagram::{Datagram, PeerAddr};
use crate::stream::Stream;

/// The datagrams that a socket receives, lent without a copy. It has no end; errors are items.
///
/// # Examples
///
/// ```
/// use ringloop::net::UdpSocket;
/// use ringloop::stream::Stream;
///
/// ringloop::run(async {
///     let socket = UdpSocket::bind("127.0.0.1:0").await?;
///     socket.send_to(b"to itself", socket.local_addr()?).await?;
///     let mut datagrams = socket.datagrams();
///     let datagram = datagrams.try_next().await?.expect("it has no end");
///     assert_eq!(&datagram[..], b"to itself");
///     assert_eq!(*datagram.peer(), socket.local_addr()?);
///     Ok::<(), std::io::Error>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "nothing is received until it is asked for"]
pub struct Datagrams<'a, A = SocketAddr> {
    arrival: Arrival<'a>,
    peer: PhantomData<A>,
}

impl<'a, A> Datagrams<'a, A> {
    pub(super) fn new(receiver: &'a DatagramReceiver) -> Self {
        Self {
            arrival: receiver.arrival(),
            peer: PhantomData,
        }
    }
}

impl<A: PeerAddr> Stream for Datagrams<'_, A> {
    type Item = io::Result<Datagram<A>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let datagram = ready!(self.arrival.poll_datagram(cx));
        Poll::Ready(Some(datagram.map(Datagram::new)))
    }
}

impl<A> fmt::Debug for Datagrams<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Datagrams")
            .field("arrival", &self.arrival)
            .finish()
    }
}
