//! Those of ringloop-sync for any executor, on ringloop's loop.

use std::hint::black_box;
use std::time::Duration;

use ringloop_sync::{Event, Mutex, Semaphore};

use super::super::Room;
use super::super::local::facade as local;
use super::super::local::hand_over::NoChannel;
use super::Library;
use super::threads::OneThread;

#[derive(Debug)]
pub(super) struct Alone;

impl Library for Alone {
    const NAME: &'static str = "ringloop-sync";

    type Loop = local::Facade;
    type Channel = NoChannel;
    type Far = OneThread;
    type FarUnbounded = OneThread;

    async fn locks(count: u32) -> Option<Duration> {
        let mutex = Mutex::new(0_u64);
        timed!(count, _ => *black_box(&mutex).lock().await += 1)
    }

    async fn permits(count: u32) -> Option<Duration> {
        let semaphore = Semaphore::new(1);
        timed!(count, _ => drop(black_box(&semaphore).acquire().await))
    }

    async fn events(count: u32) -> Option<Duration> {
        let event = Event::new();
        timed!(count, _ => {
            let event = black_box(&event);
            event.set();
            event.wait().await;
            event.clear();
        })
    }

    async fn queues(_count: u32, _room: Room) -> Option<Duration> {
        None
    }
}
