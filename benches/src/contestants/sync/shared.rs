//! Those of ringloop's facade that may be shared between threads.

use std::hint::black_box;
use std::time::Duration;

use ringloop::sync::shared::{self, Event, Mutex, Receiver, Semaphore, Sender};

use super::super::Room;
use super::super::local::{facade as local, hand_over::Channel};
use super::Library;
use super::threads::FarChannel;

#[derive(Debug)]
pub(super) struct Shared;

impl Library for Shared {
    const NAME: &'static str = "shared";

    type Loop = local::Facade;
    type Channel = Self;
    type Far = Self;
    type FarUnbounded = Self;

    async fn locks(count: u32) -> Option<Duration> {
        let mutex = Mutex::new(0_u64);
        timed!(count, _ => *black_box(&mutex).lock().await.expect("nobody cancels") += 1)
    }

    async fn permits(count: u32) -> Option<Duration> {
        let semaphore = Semaphore::new(1);
        timed!(count, _ => drop(black_box(&semaphore).acquire().await.expect("nobody cancels")))
    }

    async fn events(count: u32) -> Option<Duration> {
        let event = Event::new();
        timed!(count, _ => {
            let event = black_box(&event);
            event.set();
            event.wait().await.expect("nobody cancels");
            event.clear();
        })
    }

    async fn queues(count: u32, room: Room) -> Option<Duration> {
        let (sender, receiver) = <Self as FarChannel>::open(room)?;
        timed!(count, number => {
            black_box(&sender).send(number).await.expect("it is open");
            black_box(black_box(&receiver).recv().await).expect("it is open");
        })
    }
}

impl Channel for Shared {
    type Sender = Sender<u32>;
    type Receiver = Receiver<u32>;

    fn open(capacity: usize) -> Option<(Sender<u32>, Receiver<u32>)> {
        Some(shared::channel(capacity))
    }

    async fn send(sender: &mut Sender<u32>, value: u32) {
        sender.send(value).await.expect("the receiver is there");
    }

    async fn receive(receiver: &mut Receiver<u32>) -> Option<u32> {
        receiver.recv().await.ok()
    }
}

impl FarChannel for Shared {
    type Sender = Sender<u32>;
    type Receiver = Receiver<u32>;

    fn open(room: Room) -> Option<(Sender<u32>, Receiver<u32>)> {
        Some(match room {
            Room::Of(capacity) => shared::channel(capacity),
            Room::Any => shared::unbounded_channel(),
        })
    }

    async fn send(sender: &mut Sender<u32>, value: u32) {
        <Self as Channel>::send(sender, value).await;
    }

    async fn receive(receiver: &mut Receiver<u32>) -> Option<u32> {
        <Self as Channel>::receive(receiver).await
    }

    fn send_blocking(sender: &mut Sender<u32>, value: u32) {
        sender.blocking_send(value).expect("the receiver is there");
    }

    fn receive_blocking(receiver: &mut Receiver<u32>) -> Option<u32> {
        receiver.blocking_recv().ok()
    }
}
