//! smol's: async-lock and async-channel, on async-executor.

use std::hint::black_box;
use std::time::Duration;

use async_channel::{Receiver, Sender};
use async_lock::{Mutex, Semaphore};

use super::super::Room;
use super::super::local::{hand_over::Channel, smol as local};
use super::Library;
use super::threads::FarChannel;

#[derive(Debug)]
pub(super) struct Smol;

impl Library for Smol {
    const NAME: &'static str = "smol-sync";

    type Loop = local::Smol;
    type Channel = local::AsyncChannel;
    type Far = local::AsyncChannel;
    type FarUnbounded = local::AsyncChannel;

    async fn locks(count: u32) -> Option<Duration> {
        let mutex = Mutex::new(0_u64);
        timed!(count, _ => *black_box(&mutex).lock().await += 1)
    }

    async fn permits(count: u32) -> Option<Duration> {
        let semaphore = Semaphore::new(1);
        timed!(count, _ => drop(black_box(&semaphore).acquire().await))
    }

    async fn queues(count: u32, room: Room) -> Option<Duration> {
        let (sender, receiver) = <local::AsyncChannel as FarChannel>::open(room)?;
        timed!(count, number => {
            black_box(&sender).send(number).await.expect("it is open");
            black_box(black_box(&receiver).recv().await).expect("it is open");
        })
    }
}

impl FarChannel for local::AsyncChannel {
    type Sender = Sender<u32>;
    type Receiver = Receiver<u32>;

    fn open(room: Room) -> Option<(Sender<u32>, Receiver<u32>)> {
        Some(match room {
            Room::Of(capacity) => async_channel::bounded(capacity),
            Room::Any => async_channel::unbounded(),
        })
    }

    async fn send(sender: &mut Sender<u32>, value: u32) {
        <Self as Channel>::send(sender, value).await;
    }

    async fn receive(receiver: &mut Receiver<u32>) -> Option<u32> {
        receiver.recv().await.ok()
    }

    fn send_blocking(sender: &mut Sender<u32>, value: u32) {
        let sent = sender.send_blocking(value);
        sent.expect("the receiver is there");
    }

    fn receive_blocking(receiver: &mut Receiver<u32>) -> Option<u32> {
        receiver.recv_blocking().ok()
    }
}
