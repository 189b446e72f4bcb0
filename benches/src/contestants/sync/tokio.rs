//! tokio's own, on its `LocalSet`.

use std::hint::black_box;
use std::time::Duration;

use tokio::sync::{Mutex, Notify, Semaphore, mpsc};

use super::super::Room;
use super::super::local::{hand_over::Channel, tokio as local};
use super::Library;
use super::threads::FarChannel;

#[derive(Debug)]
pub(super) struct Tokio;

impl Library for Tokio {
    const NAME: &'static str = "tokio-sync";

    type Loop = local::Tokio;
    type Channel = local::Mpsc;
    type Far = Bounded;
    type FarUnbounded = Unbounded;

    async fn locks(count: u32) -> Option<Duration> {
        let mutex = Mutex::new(0_u64);
        timed!(count, _ => *black_box(&mutex).lock().await += 1)
    }

    async fn permits(count: u32) -> Option<Duration> {
        let semaphore = Semaphore::new(1);
        timed!(count, _ => drop(black_box(&semaphore).acquire().await.expect("it is open")))
    }

    async fn events(count: u32) -> Option<Duration> {
        let notify = Notify::new();
        timed!(count, _ => {
            black_box(&notify).notify_one();
            black_box(&notify).notified().await;
        })
    }

    async fn queues(count: u32, room: Room) -> Option<Duration> {
        match room {
            Room::Of(capacity) => {
                let (sender, mut receiver) = mpsc::channel(capacity);
                timed!(count, number => {
                    black_box(&sender).send(number).await.expect("it is open");
                    black_box(black_box(&mut receiver).recv().await);
                })
            }
            Room::Any => {
                let (sender, mut receiver) = mpsc::unbounded_channel();
                timed!(count, number => {
                    black_box(&sender).send(number).expect("it is open");
                    black_box(black_box(&mut receiver).recv().await);
                })
            }
        }
    }
}

#[derive(Debug)]
pub(super) struct Bounded;

impl FarChannel for Bounded {
    type Sender = mpsc::Sender<u32>;
    type Receiver = mpsc::Receiver<u32>;

    fn open(room: Room) -> Option<(Self::Sender, Self::Receiver)> {
        match room {
            Room::Of(capacity) => Some(mpsc::channel(capacity)),
            Room::Any => None,
        }
    }

    async fn send(sender: &mut Self::Sender, value: u32) {
        local::Mpsc::send(sender, value).await;
    }

    async fn receive(receiver: &mut Self::Receiver) -> Option<u32> {
        receiver.recv().await
    }

    fn send_blocking(sender: &mut Self::Sender, value: u32) {
        sender.blocking_send(value).expect("the receiver is there");
    }

    fn receive_blocking(receiver: &mut Self::Receiver) -> Option<u32> {
        receiver.blocking_recv()
    }
}

#[derive(Debug)]
pub(super) struct Unbounded;

impl FarChannel for Unbounded {
    type Sender = mpsc::UnboundedSender<u32>;
    type Receiver = mpsc::UnboundedReceiver<u32>;

    fn open(_room: Room) -> Option<(Self::Sender, Self::Receiver)> {
        Some(mpsc::unbounded_channel())
    }

    async fn send(sender: &mut Self::Sender, value: u32) {
        Self::send_blocking(sender, value);
    }

    async fn receive(receiver: &mut Self::Receiver) -> Option<u32> {
        receiver.recv().await
    }

    fn send_blocking(sender: &mut Self::Sender, value: u32) {
        sender.send(value).expect("the receiver is there");
    }

    fn receive_blocking(receiver: &mut Self::Receiver) -> Option<u32> {
        receiver.blocking_recv()
    }
}
