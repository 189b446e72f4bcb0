//! local-sync, for one thread, on monoio, whose authors are the same.

use std::hint::black_box;
use std::time::Duration;

use local_sync::mpsc::{bounded, unbounded};
use local_sync::semaphore::Semaphore;

use super::super::Room;
use super::super::local::{hand_over, monoio::Monoio};
use super::Library;
use super::threads::OneThread;

#[derive(Debug)]
pub(super) struct LocalSync;

impl Library for LocalSync {
    const NAME: &'static str = "local-sync";

    type Loop = Monoio;
    type Channel = hand_over::LocalSync;
    type Far = OneThread;
    type FarUnbounded = OneThread;

    async fn permits(count: u32) -> Option<Duration> {
        let semaphore = Semaphore::new(1);
        timed!(count, _ => drop(black_box(&semaphore).acquire().await.expect("it is open")))
    }

    async fn queues(count: u32, room: Room) -> Option<Duration> {
        match room {
            Room::Of(capacity) => {
                let (sender, mut receiver) = bounded::channel(capacity);
                timed!(count, number => {
                    black_box(&sender).send(number).await.expect("it is open");
                    black_box(black_box(&mut receiver).recv().await);
                })
            }
            Room::Any => {
                let (sender, mut receiver) = unbounded::channel();
                timed!(count, number => {
                    black_box(&sender).send(number).expect("it is open");
                    black_box(black_box(&mut receiver).recv().await);
                })
            }
        }
    }
}
