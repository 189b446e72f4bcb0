//! async-unsync, for one thread and any loop; here ringloop's.

use std::hint::black_box;
use std::time::Duration;

use async_unsync::bounded::{self, Receiver, Sender};
use async_unsync::semaphore::Semaphore;
use async_unsync::unbounded;

use super::super::Room;
use super::super::local::facade::Facade;
use super::super::local::hand_over::Channel;
use super::Library;
use super::threads::OneThread;

#[derive(Debug)]
pub(super) struct Unsync;

impl Library for Unsync {
    const NAME: &'static str = "async-unsync";

    type Loop = Facade;
    type Channel = Self;
    type Far = OneThread;
    type FarUnbounded = OneThread;

    async fn permits(count: u32) -> Option<Duration> {
        let semaphore = Semaphore::new(1);
        timed!(count, _ => drop(black_box(&semaphore).acquire().await.expect("it is open")))
    }

    async fn queues(count: u32, room: Room) -> Option<Duration> {
        match room {
            Room::Of(capacity) => {
                let (sender, mut receiver) = bounded::channel(capacity).into_split();
                timed!(count, number => {
                    black_box(&sender).send(number).await.expect("it is open");
                    black_box(black_box(&mut receiver).recv().await);
                })
            }
            Room::Any => {
                let (sender, mut receiver) = unbounded::channel().into_split();
                timed!(count, number => {
                    black_box(&sender).send(number).expect("it is open");
                    black_box(black_box(&mut receiver).recv().await);
                })
            }
        }
    }
}

impl Channel for Unsync {
    type Sender = Sender<u32>;
    type Receiver = Receiver<u32>;

    fn open(capacity: usize) -> Option<(Sender<u32>, Receiver<u32>)> {
        // It has no rendezvous.
        (capacity > 0).then(|| bounded::channel(capacity).into_split())
    }

    async fn send(sender: &mut Sender<u32>, value: u32) {
        sender.send(value).await.expect("the receiver is there");
    }

    async fn receive(receiver: &mut Receiver<u32>) -> Option<u32> {
        receiver.recv().await
    }
}
