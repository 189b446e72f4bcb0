//! Places of members.

use std::future::{Ready, ready};
use std::task::{Context, Waker};

use super::Crowd;

#[test]
fn places_of_members_that_are_done_are_used_again() {
    let crowd: Crowd<Ready<u32>> = Crowd::new();
    let _emptier = crowd.emptier();
    for round in 0..10 {
        let key = crowd.add(Box::pin(ready(round)), ()).expect("it is open");
        assert_eq!(key.index(), 0, "however many come and go");
        let mut done = Vec::new();
        crowd.poll(&Context::from_waker(Waker::noop()), |_, output| {
            done.push(output);
        });
        assert_eq!((done, crowd.len()), (vec![round], 0));
    }
}
