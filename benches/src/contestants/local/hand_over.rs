//! Channels of one thread: what one would use on each loop to hand over many messages.

use std::time::Duration;

use super::LocalLoop;
use super::work::settled;
use crate::clock;

/// A channel for numbers.
pub(in super::super) trait Channel: 'static {
    /// The end that puts in.
    type Sender: 'static;

    /// The end that takes out.
    type Receiver: 'static;

    /// Makes a channel for so many, if there is one.
    fn open(capacity: usize) -> Option<(Self::Sender, Self::Receiver)>;

    /// Puts in; the other end is there.
    fn send(sender: &mut Self::Sender, value: u32) -> impl Future<Output = ()>;

    /// Takes out; nothing if the other end is gone.
    fn receive(receiver: &mut Self::Receiver) -> impl Future<Output = Option<u32>>;
}

/// Two tasks send each other `count` messages over two channels. Returns the time of all.
pub(in super::super) async fn ping_pong<L: LocalLoop, C: Channel>(
    count: u32,
    capacity: usize,
) -> Option<Duration> {
    let (mut to_partner, mut inbox) = C::open(capacity)?;
    let (mut back, mut answers) = C::open(capacity)?;
    let partner = L::spawn(async move {
        while let Some(number) = C::receive(&mut inbox).await {
            C::send(&mut back, number).await;
        }
    });
    settled::<L>(|| true).await;
    let start = clock::now();
    for number in 0..count {
        C::send(&mut to_partner, number).await;
        let answer = C::receive(&mut answers).await;
        debug_assert_eq!(answer, Some(number), "the partner sends back what came");
    }
    let elapsed = clock::now() - start;
    drop(to_partner);
    partner.await;
    Some(elapsed)
}

/// One task sends `count` messages to another. Returns the time of all.
pub(in super::super) async fn stream<L: LocalLoop, C: Channel>(
    count: u32,
    capacity: usize,
) -> Option<Duration> {
    let (mut to_partner, mut inbox) = C::open(capacity)?;
    let start = clock::now();
    let partner = L::spawn(async move {
        for number in 0..count {
            C::send(&mut to_partner, number).await;
        }
    });
    for number in 0..count {
        let message = C::receive(&mut inbox).await;
        debug_assert_eq!(message, Some(number), "messages come in order");
    }
    let elapsed = clock::now() - start;
    partner.await;
    Some(elapsed)
}

/// No channel.
#[derive(Debug)]
pub(in super::super) struct NoChannel;

impl Channel for NoChannel {
    type Sender = ();
    type Receiver = ();

    fn open(_capacity: usize) -> Option<((), ())> {
        None
    }

    async fn send((): &mut (), _value: u32) {}

    async fn receive((): &mut ()) -> Option<u32> {
        None
    }
}

/// The channel of `local-sync`, by the authors of monoio, for any loop.
#[cfg(feature = "peers")]
#[derive(Debug)]
pub(in super::super) struct LocalSync;

#[cfg(feature = "peers")]
impl Channel for LocalSync {
    type Sender = local_sync::mpsc::bounded::Tx<u32>;
    type Receiver = local_sync::mpsc::bounded::Rx<u32>;

    fn open(capacity: usize) -> Option<(Self::Sender, Self::Receiver)> {
        // It has no rendezvous.
        (capacity > 0).then(|| local_sync::mpsc::bounded::channel(capacity))
    }

    async fn send(sender: &mut Self::Sender, value: u32) {
        sender.send(value).await.expect("the receiver is there");
    }

    async fn receive(receiver: &mut Self::Receiver) -> Option<u32> {
        receiver.recv().await
    }
}
