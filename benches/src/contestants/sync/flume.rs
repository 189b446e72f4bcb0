//! The channels of flume, whose users are often on tokio.

use std::hint::black_box;
use std::time::Duration;

use flume::{Receiver, Sender};

use super::super::Room;
use super::super::local::{hand_over::Channel, tokio as local};
use super::Library;
use super::threads::FarChannel;

#[derive(Debug)]
pub(super) struct Flume;

impl Library for Flume {
    const NAME: &'static str = "flume";

    type Loop = local::Tokio;
    type Channel = Self;
    type Far = Self;
    type FarUnbounded = Self;

    async fn queues(count: u32, room: Room) -> Option<Duration> {
        let (sender, receiver) = <Self as FarChannel>::open(room)?;
        timed!(count, number => {
            black_box(&sender).send_async(number).await.expect("it is open");
            black_box(black_box(&receiver).recv_async().await).expect("it is open");
        })
    }
}

impl Channel for Flume {
    type Sender = Sender<u32>;
    type Receiver = Receiver<u32>;

    fn open(capacity: usize) -> Option<(Sender<u32>, Receiver<u32>)> {
        Some(flume::bounded(capacity))
    }

    async fn send(sender: &mut Sender<u32>, value: u32) {
        sender
            .send_async(value)
            .await
            .expect("the receiver is there");
    }

    async fn receive(receiver: &mut Receiver<u32>) -> Option<u32> {
        receiver.recv_async().await.ok()
    }
}

impl FarChannel for Flume {
    type Sender = Sender<u32>;
    type Receiver = Receiver<u32>;

    fn open(room: Room) -> Option<(Sender<u32>, Receiver<u32>)> {
        Some(match room {
            Room::Of(capacity) => flume::bounded(capacity),
            Room::Any => flume::unbounded(),
        })
    }

    async fn send(sender: &mut Sender<u32>, value: u32) {
        <Self as Channel>::send(sender, value).await;
    }

    async fn receive(receiver: &mut Receiver<u32>) -> Option<u32> {
        <Self as Channel>::receive(receiver).await
    }

    fn send_blocking(sender: &mut Sender<u32>, value: u32) {
        sender.send(value).expect("the receiver is there");
    }

    fn receive_blocking(receiver: &mut Receiver<u32>) -> Option<u32> {
        receiver.recv().ok()
    }
}
