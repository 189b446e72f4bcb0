//! Those of ringloop-sync for any executor, on ringloop's loop.

use std::hint::black_box;
use std::time::Duration;

use ringloop_sync::{Event, Mutex, Queue, Semaphore, channel, unbounded_channel};

use super::super::Room;
use super::super::local::{facade, task};
use super::Library;
use super::threads::OneThread;

#[derive(Debug)]
pub(super) struct Alone;

impl Library for Alone {
    const NAME: &'static str = "ringloop-sync";

    type Loop = facade::Facade;
    type Channel = task::SyncChannel;
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

    async fn queues(count: u32, room: Room) -> Option<Duration> {
        let queue = match room {
            Room::Of(capacity) => Queue::bounded(capacity),
            Room::Any => Queue::unbounded(),
        };
        timed!(count, number => {
            black_box(&queue).put(number).await.expect("it is open");
            black_box(black_box(&queue).get().await).expect("it is open");
        })
    }

    async fn channels(count: u32, room: Room) -> Option<Duration> {
        let (sender, receiver) = match room {
            Room::Of(capacity) => channel(capacity),
            Room::Any => unbounded_channel(),
        };
        timed!(count, number => {
            black_box(&sender).send(number).await.expect("it is open");
            black_box(black_box(&receiver).recv().await).expect("it is open");
        })
    }
}
