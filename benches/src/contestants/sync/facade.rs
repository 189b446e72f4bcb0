//! Those of ringloop's facade, which notice cancellation and take turns with other tasks.

use std::hint::black_box;
use std::time::Duration;

use ringloop::sync::{Event, Mutex, Queue, Semaphore, channel, unbounded_channel};

use super::super::Room;
use super::super::local::facade as local;
use super::Library;
use super::threads::OneThread;

#[derive(Debug)]
pub(super) struct Facade;

impl Library for Facade {
    const NAME: &'static str = "facade-sync";

    type Loop = local::Facade;
    type Channel = local::FacadeChannel;
    type Far = OneThread;
    type FarUnbounded = OneThread;

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
