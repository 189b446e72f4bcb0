//! Channels between a loop and a thread: how many items a second, and how long one takes.

use std::hint::black_box;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use super::super::Room;
use crate::clock;
use crate::process;
use crate::samples::Samples;

/// A channel for numbers whose ends may be on other threads.
pub(super) trait FarChannel: 'static {
    /// The end that puts in.
    type Sender: Send + 'static;

    /// The end that takes out.
    type Receiver: Send + 'static;

    /// Makes a channel, if there is one.
    fn open(room: Room) -> Option<(Self::Sender, Self::Receiver)>;

    /// Puts in; the other end is there.
    fn send(sender: &mut Self::Sender, value: u32) -> impl Future<Output = ()>;

    /// Takes out; nothing if the other end is gone.
    fn receive(receiver: &mut Self::Receiver) -> impl Future<Output = Option<u32>>;

    /// As [`send`](Self::send) on a thread without a loop.
    fn send_blocking(sender: &mut Self::Sender, value: u32);

    /// As [`receive`](Self::receive) on a thread without a loop.
    fn receive_blocking(receiver: &mut Self::Receiver) -> Option<u32>;
}

/// Receives `count` items from a thread on `sender_cpu`, which has no other work.
pub(super) async fn receives<C: FarChannel>(
    sender_cpu: usize,
    count: u32,
    room: Room,
) -> Option<Duration> {
    let (mut sender, mut receiver) = C::open(room)?;
    let begin = Arc::new(Barrier::new(2));
    let thread = thread::spawn({
        let begin = Arc::clone(&begin);
        move || {
            process::pin_once(sender_cpu);
            begin.wait();
            for number in 0..count {
                C::send_blocking(&mut sender, number);
            }
        }
    });
    begin.wait();
    let start = clock::now();
    for number in 0..count {
        let item = C::receive(&mut receiver).await;
        debug_assert_eq!(black_box(item), Some(number), "items come in order");
    }
    let elapsed = clock::now() - start;
    thread.join().expect("the sender ends after its last item");
    Some(elapsed)
}

/// Sends an item to a thread on `partner_cpu` and receives it back, `count` times.
pub(super) async fn trips<C: FarChannel>(partner_cpu: usize, count: u32) -> Option<Samples> {
    let (mut to_partner, mut inbox) = C::open(Room::Of(1))?;
    let (mut back, mut answers) = C::open(Room::Of(1))?;
    let partner = thread::spawn(move || {
        process::pin_once(partner_cpu);
        while let Some(number) = C::receive_blocking(&mut inbox) {
            C::send_blocking(&mut back, number);
        }
    });
    let mut samples = Samples::default();
    for number in 0..count {
        let start = clock::now();
        C::send(&mut to_partner, number).await;
        let answer = C::receive(&mut answers).await;
        samples.push(clock::now() - start);
        debug_assert_eq!(black_box(answer), Some(number), "it comes back");
    }
    drop(to_partner);
    partner.join().expect("the partner ends with its inbox");
    Some(samples)
}

/// No such channel: it is for one thread.
#[derive(Debug)]
pub(super) struct OneThread;

impl FarChannel for OneThread {
    type Sender = ();
    type Receiver = ();

    fn open(_room: Room) -> Option<((), ())> {
        None
    }

    async fn send((): &mut (), _value: u32) {}

    async fn receive((): &mut ()) -> Option<u32> {
        None
    }

    fn send_blocking((): &mut (), _value: u32) {}

    fn receive_blocking((): &mut ()) -> Option<u32> {
        None
    }
}
