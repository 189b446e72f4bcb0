//! Unit tests of notices.

use super::*;

/// Passes `cancelled` through so many boundaries. Returns them with what the last one says.
fn passed_through(len: usize, mut cancelled: Cancelled) -> (Vec<Notices>, Cancelled) {
    let mut boundaries = Vec::new();
    for _ in 0..len {
        let mut boundary = Notices::default();
        cancelled = boundary.passed_on(&cancelled);
        boundaries.push(boundary);
    }
    (boundaries, cancelled)
}

#[test]
fn what_is_alive_is_alive_on_the_whole_way() {
    let mut scope = Notices::default();
    let outer = scope.cancelled(Reason::deadline);
    let (mut boundaries, inner) = passed_through(3, outer.clone());
    drop(outer);
    assert!(scope.are_out() && boundaries.iter().all(Notices::are_out));
    drop(inner);
    assert!(!scope.are_out() && !boundaries.iter().any(Notices::are_out));
    // Told once more, when nothing was alive in between.
    let again = boundaries[2].passed_on(&Cancelled::new(Reason::shutdown()));
    assert_eq!(again.reason(), &Reason::deadline());
    assert!(scope.are_out() && boundaries.iter().all(Notices::are_out));
    // One that is gone is not looked for, nor what is beyond it.
    drop(again);
    boundaries[0].clear();
    let again = boundaries[2].passed_on(&Cancelled::new(Reason::shutdown()));
    assert!(!scope.are_out() && boundaries[1].are_out());
    drop(again);
}

#[test]
fn request_shares_the_notice_unless_it_is_that_of_a_member() {
    let mut scope = Notices::default();
    let outer = scope.cancelled(Reason::deadline);
    let mut request = Request::passed_on(&outer);
    drop(outer);
    for is_member in [false, true] {
        let told = request.cancelled(is_member);
        assert!(scope.are_out());
        assert_eq!(request.told().is_some(), is_member);
        drop(told);
        assert!(!scope.are_out() && request.told().is_none());
    }
}

#[test]
fn long_chains_are_told_and_dropped_without_recursion() {
    let (mut boundaries, inner) = passed_through(100_000, Cancelled::new(Reason::deadline()));
    drop(inner);
    let last = boundaries.last_mut().unwrap();
    let inner = last.cancelled(Reason::shutdown);
    assert!(boundaries.iter().all(Notices::are_out));
    drop(inner);
    assert!(!boundaries.iter().any(Notices::are_out));
}
