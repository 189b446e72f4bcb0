//! glommio's, for one thread. Of its locks a read-write lock is the nearest to a mutex.

use std::hint::black_box;
use std::time::Duration;

use glommio::channels::local_channel;
use glommio::sync::{RwLock, Semaphore};

use super::super::Room;
use super::super::local::glommio as local;
use super::Library;
use super::threads::OneThread;

#[derive(Debug)]
pub(super) struct Glommio;

impl Library for Glommio {
    const NAME: &'static str = "glommio-sync";

    type Loop = local::Glommio;
    type Channel = local::Local;
    type Far = OneThread;
    type FarUnbounded = OneThread;

    async fn locks(count: u32) -> Option<Duration> {
        let lock = RwLock::new(0_u64);
        timed!(count, _ => *black_box(&lock).write().await.expect("it is open") += 1)
    }

    async fn permits(count: u32) -> Option<Duration> {
        let semaphore = Semaphore::new(1);
        timed!(count, _ => drop(black_box(&semaphore).acquire_permit(1).await.expect("it is open")))
    }

    async fn queues(count: u32, room: Room) -> Option<Duration> {
        let (sender, receiver) = match room {
            Room::Of(capacity) => local_channel::new_bounded(capacity),
            Room::Any => local_channel::new_unbounded(),
        };
        timed!(count, number => {
            assert!(black_box(&sender).send(number).await.is_ok(), "it is open");
            black_box(black_box(&receiver).recv().await);
        })
    }
}
