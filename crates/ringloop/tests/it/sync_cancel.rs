//! The rules of cancellation, for every wait of locks, queues and channels.

use std::cell::RefCell;
use std::future::{pending, poll_fn};
use std::io;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use ringloop::cancel::{CancelScope, CancelToken, Cancelled, ReasonKind, is_cancelled, shield};
use ringloop::task::yield_now;
use ringloop::testing::settle;
use ringloop::{Runtime, future, group, sleep, spawn, timeout};

use crate::rig::{in_cancelled_scope, run};
use crate::sync_waits::{Case, Wait, poll_once, waits};

/// Runs `check` with every wait.
fn for_each(check: impl AsyncFn(&Case)) {
    run(async {
        for case in waits() {
            check(&case).await;
        }
    });
}

/// The reason in the error of a wait that is cancelled.
#[track_caller]
fn reason(case: &Case, waited: io::Result<()>) -> (ReasonKind, String) {
    let error = waited.expect_err(case.name);
    assert!(is_cancelled(&error), "{}: {error}", case.name);
    let cancelled: &Cancelled = error.get_ref().unwrap().downcast_ref().unwrap();
    let reason = cancelled.reason();
    (reason.kind(), reason.text().to_owned())
}

/// Somebody comes, and is granted what it waits for.
async fn assert_works(case: &Case) {
    let task = spawn(case.begin());
    settle().await.unwrap();
    assert!(!task.is_finished(), "{} has to wait", case.name);
    case.grant();
    task.await.unwrap().expect(case.name);
}

#[test]
fn what_is_waited_for_comes() {
    for_each(async |case| assert_works(case).await);
}

#[test]
fn a_wait_begun_in_a_cancelled_scope_or_task_does_nothing() {
    for is_there in [false, true] {
        for_each(async |case| {
            if is_there {
                if !case.is_kept {
                    return;
                }
                case.grant();
            }
            let before = case.state();
            let task = spawn(case.begin());
            task.cancel("before");
            let waited = reason(case, task.await.unwrap());
            assert_eq!(waited, (ReasonKind::Explicit, "before".to_owned()));
            assert_eq!(case.state(), before, "{}", case.name);

            let scope = in_cancelled_scope(case.begin()).await;
            assert!(scope.is_none(), "{}: {scope:?}", case.name);
            let late = timeout(Duration::ZERO, case.begin()).await;
            assert!(late.is_err(), "{}: {late:?}", case.name);
            assert_eq!(case.state(), before, "{}", case.name);
            if is_there {
                case.begin().await.expect(case.name);
            } else {
                assert_works(case).await;
            }
        });
    }
}

/// It is let through now and then so that the loop comes round, but not to what it waits for.
#[test]
fn a_cancelled_task_that_asks_again_and_again_gets_nothing() {
    for_each(async |case| {
        if case.is_kept {
            case.grant();
        }
        let before = case.state();
        let begin: Vec<_> = (0..2500).map(|_| case.begin()).collect();
        let task = spawn(async {
            for wait in begin {
                wait.await.expect_err("it is cancelled");
            }
        });
        task.cancel("before");
        task.await.expect(case.name);
        assert_eq!(case.state(), before, "{}", case.name);
    });
}

#[test]
fn a_parked_wait_says_why_it_is_cancelled() {
    for_each(async |case| {
        let before = case.state();
        let task = spawn(case.begin());
        settle().await.unwrap();
        task.cancel("enough");
        let waited = reason(case, task.await.unwrap());
        assert_eq!(waited, (ReasonKind::Explicit, "enough".to_owned()));
        assert_eq!(case.state(), before, "{}", case.name);

        let failed: Result<(), _> = group(async |g| {
            let waits = case.begin();
            g.spawn(async { Err::<(), _>(waits.await.unwrap_err()) });
            settle().await?;
            g.spawn(async { Err::<(), _>(io::Error::other("a child failed")) });
            pending().await
        })
        .await;
        let errors = failed.unwrap_err().into_errors();
        assert!(
            errors
                .iter()
                .any(|error| error.to_string() == "a child failed")
        );
        assert_eq!(case.state(), before, "{}", case.name);
        assert_works(case).await;
    });
}

#[test]
fn a_wait_in_a_group_that_fails_is_told_so() {
    for_each(async |case| {
        let told = Rc::new(RefCell::new(None));
        let tell = Rc::clone(&told);
        let failed: Result<(), _> = group(async |g| {
            let wait = case.begin();
            g.spawn(async move {
                let waited = wait.await;
                *tell.borrow_mut() = Some(waited);
                Ok(())
            });
            settle().await?;
            Err(io::Error::other("the body failed"))
        })
        .await;
        failed.unwrap_err();
        let (kind, _) = reason(case, told.take().expect(case.name));
        assert_eq!(kind, ReasonKind::Group, "{}", case.name);
    });
}

#[test]
fn a_timeout_takes_nothing() {
    for_each(async |case| {
        let before = case.state();
        let late = timeout(Duration::from_millis(1), case.begin()).await;
        assert!(late.is_err(), "{}: {late:?}", case.name);
        assert_eq!(case.state(), before, "{}", case.name);
        let told = timeout(Duration::from_millis(1), async {
            reason(case, case.begin().await).0
        });
        assert_eq!(told.await.unwrap(), ReasonKind::Deadline, "{}", case.name);
        assert_works(case).await;
    });
}

#[test]
fn the_value_wins() {
    for is_cancelled_first in [false, true] {
        for_each(async |case| {
            let wait = case.begin();
            let task = spawn(async { (wait.await, yield_now().await) });
            settle().await.unwrap();
            if is_cancelled_first {
                task.cancel("a little too late");
            }
            case.grant();
            if !is_cancelled_first {
                task.cancel("too late");
            }
            let (waited, next) = task.await.unwrap();
            waited.expect(case.name);
            assert!(next.is_err(), "{}: the next wait is told", case.name);
        });
    }
}

#[test]
fn a_shield_keeps_cancellation_out() {
    for_each(async |case| {
        let wait = case.begin();
        let task = spawn(async { (shield(wait).await, yield_now().await) });
        settle().await.unwrap();
        task.cancel("from outside");
        settle().await.unwrap();
        assert!(!task.is_finished(), "{}", case.name);
        case.grant();
        let (waited, next) = task.await.unwrap();
        waited.expect(case.name);
        assert!(next.is_err(), "{}", case.name);

        if case.is_kept {
            case.grant();
            let wait = case.begin();
            let task = spawn(shield(wait));
            task.cancel("from outside");
            task.await.unwrap().expect(case.name);
        }
    });
}

/// In all ways in which somebody may go who was granted something.
#[test]
fn who_goes_passes_on_what_it_was_granted() {
    for way in ["abort", "drop", "race", "first"] {
        for_each(async |case| {
            if !case.has_line {
                return;
            }
            let mut first = case.begin();
            let aborted = if way == "abort" {
                let wait = std::mem::replace(&mut first, Box::pin(pending()));
                let task = spawn(wait);
                settle().await.unwrap();
                Some(task)
            } else {
                assert!(poll_once(&mut first).await.is_pending(), "{}", case.name);
                None
            };
            let second = spawn(case.begin());
            settle().await.unwrap();
            match way {
                "abort" => {
                    case.grant();
                    let aborted = aborted.unwrap();
                    aborted.abort();
                    let ended = aborted.await;
                    assert!(ended.unwrap_err().is_aborted(), "{}", case.name);
                }
                "drop" => {
                    case.grant();
                    drop(first);
                }
                "race" => drop(future::race(first, async { case.grant() }).await),
                // A loser that is told may have its value all the same, and hands it out.
                _ => {
                    let winner = async {
                        case.grant();
                        Ok(())
                    };
                    let (_, losers) = future::first!(first, winner).await;
                    if losers.iter().flatten().any(Result::is_ok)
                        && !case.is_done
                        && !second.is_finished()
                    {
                        case.grant();
                    }
                }
            }
            if case.is_done {
                case.grant();
            }
            let waited = timeout(Duration::from_secs(5), second).await;
            let waited = waited.unwrap_or_else(|_| panic!("{}: stranded by {way}", case.name));
            waited.unwrap().expect(case.name);
        });
    }
}

/// Parts of a task that are polled with wakers of their own.
#[test]
fn waits_with_foreign_wakers_are_granted_and_told() {
    for_each(async |case| {
        if !case.has_line {
            return;
        }
        let before = case.state();
        let token = CancelToken::new();
        let scope = CancelScope::with_token(token.clone());
        // Both are told, and neither is left behind by the first error.
        let parts = [case.begin(), case.begin()].map(async |part| Ok::<_, io::Error>(part.await));
        let task = spawn(scope.run(async { future::try_join_all(parts).await.unwrap() }));
        settle().await.unwrap();
        token.cancel("enough");
        assert!(task.await.unwrap().is_cancelled(), "{}", case.name);
        assert_eq!(case.state(), before, "{}", case.name);

        let other = case.begin();
        let task = spawn(async { future::try_join_all([other]).await.map(drop) });
        settle().await.unwrap();
        case.grant();
        task.await.unwrap().expect(case.name);
    });
}

#[test]
fn a_wait_may_go_on_in_another_task() {
    for end in ["grant", "cancel", "cancel the first"] {
        for_each(async |case| {
            let before = case.state();
            let wait = Rc::new(RefCell::new(Some(case.begin())));
            let theirs = Rc::clone(&wait);
            let first = spawn(async move {
                let mut wait = theirs.borrow_mut().take().unwrap();
                assert!(poll_once(&mut wait).await.is_pending());
                theirs.replace(Some(wait));
                sleep(Duration::MAX).await
            });
            settle().await.unwrap();
            let wait = wait.borrow_mut().take().unwrap();
            // In a scope of its own there.
            let second = spawn(async { timeout(Duration::MAX, wait).await.unwrap() });
            settle().await.unwrap();
            if end == "cancel the first" {
                first.cancel("it has nothing to do with the wait any more");
                first.await.unwrap().unwrap_err();
                settle().await.unwrap();
                assert!(!second.is_finished(), "{}", case.name);
            } else {
                first.abort();
            }
            if end == "cancel" {
                second.cancel("enough");
                assert_eq!(reason(case, second.await.unwrap()).1, "enough");
                assert_eq!(case.state(), before, "{}", case.name);
            } else {
                case.grant();
                second.await.unwrap().expect(case.name);
            }
        });
    }
}

#[test]
fn the_end_of_a_runtime_reaches_every_wait() {
    let count = waits().len();
    let mut runtime = Runtime::new().unwrap();
    let ends = Rc::new(RefCell::new(Vec::new()));
    let cases = Rc::new(waits());
    let before: Vec<_> = cases.iter().map(Case::state).collect();
    runtime.block_on(async {
        for at in 0..count {
            let (ends, cases) = (Rc::clone(&ends), Rc::clone(&cases));
            spawn(async move {
                let (kind, _) = reason(&cases[at], cases[at].begin().await);
                ends.borrow_mut().push(kind);
            });
        }
        settle().await.unwrap();
    });
    let report = runtime.shutdown();
    assert_eq!(
        (report.cancelled, report.aborted, report.panicked),
        (count, 0, 0)
    );
    assert_eq!(ends.take(), vec![ReasonKind::Shutdown; count]);
    assert!(cases.iter().map(Case::state).eq(before));

    // They are worth something on the next one.
    run(async {
        for case in &*cases {
            assert_works(case).await;
        }
    });
}

#[test]
fn a_parked_wait_is_left_behind_by_a_runtime_that_ends() {
    let cases = waits();
    // Polled in a task, and kept outside of it until the runtime is gone.
    let mut parked: Vec<Wait> = cases.iter().map(Case::begin).collect();
    let states = run(async {
        poll_fn(|cx| {
            for wait in &mut parked {
                assert!(wait.as_mut().poll(cx).is_pending());
            }
            Poll::Ready(())
        })
        .await;
        cases.iter().map(Case::state).collect::<Vec<_>>()
    });
    assert_eq!(states.len(), cases.len());
    // Their wakers are those of a task that is gone.
    for case in &cases {
        case.grant();
    }
    run(async {
        for (case, wait) in cases.iter().zip(parked) {
            wait.await.expect(case.name);
        }
    });
}
