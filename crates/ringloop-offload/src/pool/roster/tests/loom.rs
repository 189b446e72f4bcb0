//! Submitters and workers in every order: what is pushed is run once, and nobody sleeps over it.

mod team;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ::loom::model::Builder;
use ::loom::thread;

use team::Team;

fn model() -> Builder {
    let mut model = Builder::new();
    // With more there are too many interleavings.
    model.preemption_bound = model.preemption_bound.or(Some(3));
    model
}

/// Workers without a keep-alive leave whenever the queue is empty: each push meets one that is
/// about to, or is gone.
#[test]
fn no_item_is_left_by_workers_that_leave() {
    model().check(|| {
        let team = Team::new(1, Duration::ZERO);
        for number in 0..2 {
            team.push(number, 0).unwrap();
        }
        team.wait_runs(2);
        team.end_after(2);
    });
}

/// Workers that stay sleep, and each item wakes one.
#[test]
fn no_item_is_left_to_workers_that_sleep() {
    model().check(|| {
        let team = Team::new(1, Duration::MAX);
        for number in 0..2 {
            team.push(number, 0).unwrap();
        }
        team.wait_runs(2);
        team.close();
        team.end_after(2);
    });
}

/// A worker that looks before it sleeps is called, or sleeps and is woken.
#[test]
fn no_item_is_left_to_a_worker_that_looks() {
    model().check(|| {
        let team = Team::new(1, Duration::MAX);
        team.is_eager.store(true, Ordering::Relaxed);
        for number in 0..3 {
            team.push(number, 0).unwrap();
            team.wait_runs(number);
        }
        team.wait_runs(3);
        team.close();
        team.end_after(3);
    });
}

/// The first item blocks its worker until the second one has been run: somebody else has to come,
/// whoever of them was first.
#[test]
fn what_blocks_a_worker_blocks_nothing_behind_it() {
    for keep_alive in [Duration::ZERO, Duration::MAX] {
        model().check(move || {
            let team = Team::new(2, keep_alive);
            team.push(0, 1).unwrap();
            team.push(1, 0).unwrap();
            team.wait_runs(2);
            team.close();
            team.end_after(2);
        });
    }
}

/// Two submitters at a time, one worker that leaves at once.
#[test]
fn submitters_share_a_worker() {
    model().check(|| {
        let team = Team::new(1, Duration::ZERO);
        let other = {
            let team = Arc::clone(&team);
            thread::spawn(move || team.push(1, 0).unwrap())
        };
        team.push(0, 0).unwrap();
        other.join().unwrap();
        team.wait_runs(2);
        team.end_after(2);
    });
}

/// The first start fails: who relied on it is refused, or is run by a worker that a later push
/// starts; nothing is left behind.
#[test]
fn a_thread_that_does_not_start_orphans_nothing() {
    model().check(|| {
        let team = Team::new(1, Duration::ZERO);
        team.start_failures.store(1, Ordering::Relaxed);
        let other = {
            let team = Arc::clone(&team);
            thread::spawn(move || team.push(1, 0).is_ok())
        };
        let taken = usize::from(team.push(0, 0).is_ok());
        let taken = taken + usize::from(other.join().unwrap());
        assert_eq!(taken, 1, "one of the two met the failure");
        team.wait_runs(taken);
        assert!(team.end());
        assert_eq!(team.sorted_runs().len(), taken);
    });
}

/// The last worker leaves while an item comes, and no other can be started: the item is run by the
/// one that leaves, or refused.
#[test]
fn the_last_worker_orphans_nothing_when_it_leaves() {
    model().check(|| {
        let team = Team::new(1, Duration::ZERO);
        team.push(0, 0).unwrap();
        team.start_failures.store(1, Ordering::Relaxed);
        let taken = 1 + usize::from(team.push(1, 0).is_ok());
        team.wait_runs(taken);
        assert!(team.end());
        assert_eq!(team.sorted_runs().len(), taken);
    });
}

/// The first item blocks its worker until the others have been run, and the second worker does not
/// start at first: the push after the failure starts it.
#[test]
fn the_push_after_a_failed_start_tries_again() {
    model().check(|| {
        let team = Team::new(2, Duration::MAX);
        team.push(0, 2).unwrap();
        team.start_failures.store(1, Ordering::Relaxed);
        team.push(1, 0).unwrap();
        let mut state = team.roster.lock();
        while state.start_failures == 0 {
            state = team.roster.left.wait(state).unwrap();
        }
        drop(state);
        team.push(2, 0).unwrap();
        team.wait_runs(3);
        team.close();
        team.end_after(3);
    });
}

/// The second worker cannot be started: the first one runs both, one after the other.
#[test]
fn a_worker_that_starts_no_other_does_the_work_itself() {
    model().check(|| {
        let team = Team::new(2, Duration::MAX);
        team.push(0, 0).unwrap();
        team.start_failures.store(1, Ordering::Relaxed);
        team.push(1, 0).unwrap();
        team.wait_runs(2);
        team.close();
        team.end_after(2);
    });
}

/// A close races with a push and with a worker that goes idle: an item is run, refused or handed
/// back, and no worker sleeps on.
#[test]
fn a_close_leaves_nobody_behind() {
    model().check(|| {
        let team = Team::new(1, Duration::MAX);
        team.push(0, 0).unwrap();
        let other = {
            let team = Arc::clone(&team);
            thread::spawn(move || team.push(1, 0).is_ok())
        };
        let dropped = team.roster.close(team.roster.lock()).len();
        let taken = 1 + usize::from(other.join().unwrap());
        assert!(team.end());
        assert_eq!(team.sorted_runs().len() + dropped, taken);
    });
}
