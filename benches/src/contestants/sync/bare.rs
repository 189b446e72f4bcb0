//! The floor: cells of std, and the postbox of ringloop-core, on ringloop's loop.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::hint::black_box;
use std::time::Duration;

use super::super::Room;
use super::super::local::facade::Facade;
use super::super::local::hand_over::NoChannel;
use super::super::local::work;
use super::Library;
use super::threads::OneThread;

#[derive(Debug)]
pub(super) struct Bare;

impl Library for Bare {
    const NAME: &'static str = "bare";

    type Loop = Facade;
    type Channel = NoChannel;
    type Far = OneThread;
    type FarUnbounded = OneThread;

    async fn locks(count: u32) -> Option<Duration> {
        let cell = RefCell::new(0_u64);
        timed!(count, _ => *black_box(&cell).borrow_mut() += 1)
    }

    async fn permits(count: u32) -> Option<Duration> {
        let permits = Cell::new(1_u32);
        timed!(count, _ => {
            let cell = black_box(&permits);
            cell.update(|permits| permits - 1);
            black_box(&permits).update(|permits| permits + 1);
        })
    }

    async fn events(count: u32) -> Option<Duration> {
        let event = Cell::new(false);
        timed!(count, _ => {
            black_box(&event).set(true);
            assert!(black_box(&event).replace(false), "it is set");
        })
    }

    async fn queues(count: u32, room: Room) -> Option<Duration> {
        let capacity = match room {
            Room::Of(capacity) => capacity,
            Room::Any => 0,
        };
        let queue = RefCell::new(VecDeque::with_capacity(capacity));
        timed!(count, number => {
            black_box(&queue).borrow_mut().push_back(number);
            black_box(black_box(&queue).borrow_mut().pop_front());
        })
    }

    /// A postbox for each message, which carries the setter for its answer.
    async fn hand_overs(count: u32, _capacity: usize) -> Option<Duration> {
        Some(work::ping_pong::<Facade>(count).await)
    }
}
