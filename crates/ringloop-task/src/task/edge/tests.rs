//! Hubs that are gone take no room.

use super::{HUBS_MIN, Hub, Hubs};
use crate::task::{TaskId, TaskIds};
use std::rc::Rc;

struct Empty;

impl Hub for Empty {
    fn awaited(&self) -> Vec<TaskId> {
        Vec::new()
    }
}

#[test]
fn hubs_that_are_gone_are_forgotten() {
    let (hubs, waiter) = (Hubs::default(), TaskIds::new().next());
    let kept: Vec<_> = (0..10).map(|_| Rc::new(Empty)).collect();
    for hub in &kept {
        hubs.push(waiter, hub);
    }
    for _ in 0..10_000 {
        hubs.push(waiter, &Rc::new(Empty));
    }
    let hubs = hubs.hubs.borrow();
    assert!(hubs.len() <= HUBS_MIN, "{}", hubs.len());
    let alive = hubs.iter().filter(|(_, hub)| hub.strong_count() > 0);
    assert_eq!(alive.count(), kept.len());
}
