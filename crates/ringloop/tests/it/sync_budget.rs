//! Waits that are over at once let others have their turn.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use ringloop::sync::Mutex;
use ringloop::task::{self, POLL_BUDGET};
use ringloop::{spawn, timeout};

use crate::rig::run;
use crate::sync_waits::{Case, waits};

/// Counts the turns that others have while `body` runs.
async fn turns_of_others(body: impl Future<Output = ()>) -> u32 {
    let turns = Rc::new(Cell::new(0));
    let count = Rc::clone(&turns);
    let other = spawn(async move {
        while task::yield_now().await.is_ok() {
            count.set(count.get() + 1);
        }
    });
    task::yield_now().await.unwrap();
    let before = turns.get();
    body.await;
    other.abort();
    turns.get() - before
}

#[test]
fn waits_that_are_over_at_once_give_way() {
    const TURNS: u32 = 3;
    run(async {
        // The others need somebody on the other side, who spends of the budget as well.
        let alone = |case: &&Case| case.is_kept && case.has_line;
        for case in waits().iter().filter(alone) {
            let turns = turns_of_others(async {
                for _ in 0..=TURNS * POLL_BUDGET {
                    case.grant();
                    case.begin().await.expect(case.name);
                }
            });
            assert_eq!(turns.await, TURNS, "{}", case.name);
        }
    });
}

#[test]
fn a_timer_fires_although_a_task_never_has_to_wait() {
    run(async {
        let mutex = Mutex::new(0_u64);
        let busy = timeout(Duration::from_millis(2), async {
            loop {
                match mutex.lock().await {
                    Ok(mut count) => *count += 1,
                    Err(cancelled) => return cancelled,
                }
            }
        });
        assert!(busy.await.is_err());
        assert!(mutex.into_inner() > 0);
    });
}

/// A task that does not heed its cancellation at all is refused each time, and others run.
#[test]
fn a_cancelled_task_that_goes_on_for_ever_lets_others_run() {
    run(async {
        let mutex = Rc::new(Mutex::new(0_u64));
        let theirs = Rc::clone(&mutex);
        let stubborn = spawn(async move {
            loop {
                if let Ok(mut count) = theirs.lock().await {
                    *count += 1;
                }
            }
        });
        stubborn.cancel("it does not listen");
        for _ in 0..10 {
            task::yield_now().await.unwrap();
        }
        stubborn.abort();
        assert!(stubborn.await.unwrap_err().is_aborted());
        assert_eq!(*mutex.lock().await.unwrap(), 0);
    });
}
