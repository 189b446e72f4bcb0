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
