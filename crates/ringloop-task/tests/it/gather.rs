//! What waits for several tasks: gather, wait, `as_completed`.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::cell::Cell;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::time::Duration;

use ringloop_task::cancel::shield;
use ringloop_task::task::{JoinError, JoinHandle, When};
use ringloop_task::testing::settle;
use ringloop_task::{Scheduler, task, time};

use crate::driver::{Drops, VirtualDriver, collected, run, secs};

/// What a task does; the number is the second of its end, if nothing comes before.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Gives(u32),
    Fails(u32),
    Panics(u32),
    /// Aborted by another task.
    Aborted(u32),
    /// Until it is cancelled; then it takes a second to clean up.
    Cleans,
}

/// What comes out of a task.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Gave(usize),
    Failed(usize),
    Panicked,
    Aborted,
    Cancelled,
}

const ORDERS: [[u32; 3]; 6] = [
    [1, 2, 3],
    [1, 3, 2],
    [2, 1, 3],
    [2, 3, 1],
    [3, 1, 2],
    [3, 2, 1],
];

const EVENT: Duration = Duration::from_millis(2500);

fn all_kinds() -> Vec<[Kind; 3]> {
    let kinds = |second| {
        [
            Kind::Gives(second),
            Kind::Fails(second),
            Kind::Panics(second),
            Kind::Aborted(second),
            Kind::Cleans,
        ]
    };
    let mut all = Vec::new();
    for order in ORDERS {
        for a in kinds(order[0]) {
            for b in kinds(order[1]) {
                for c in kinds(order[2]) {
                    all.push([a, b, c]);
                }
            }
        }
    }
    all
}

type Output = Result<usize, Option<usize>>;

fn spawn(number: usize, kind: Kind, drops: &Drops) -> JoinHandle<Output> {
    let value = drops.value();
    let handle = task::spawn(async move {
        let _value = value;
        let second = match kind {
            Kind::Gives(second) | Kind::Fails(second) | Kind::Panics(second) => second,
            Kind::Aborted(_) | Kind::Cleans => u32::MAX,
        };
        if time::sleep(secs(second.into())).await.is_err() {
            if kind == Kind::Cleans {
                shield(time::sleep(secs(1))).await.unwrap();
            }
            return Err(None);
        }
        match kind {
            Kind::Fails(_) => Err(Some(number)),
            Kind::Panics(_) => resume_unwind(Box::new(number)), // Quietly.
            Kind::Gives(_) | Kind::Aborted(_) | Kind::Cleans => Ok(number),
        }
    });
    if let Kind::Aborted(second) = kind {
        let victim = handle.task();
        drop(task::spawn(async move {
            time::sleep(secs(second.into())).await.unwrap();
            victim.abort();
        }));
    }
    handle
}

fn end_of(result: Result<Output, JoinError>) -> End {
    match result {
        Ok(Ok(number)) => End::Gave(number),
        Ok(Err(Some(number))) => End::Failed(number),
        Ok(Err(None)) => End::Cancelled,
        Err(error) if error.is_panic() => End::Panicked,
        Err(error) if error.is_aborted() => End::Aborted,
        Err(error) => panic!("{error}"),
    }
}

/// When a task ends that nobody cancels, and how.
fn natural(number: usize, kind: Kind) -> (u32, End) {
    match kind {
        Kind::Gives(second) => (second, End::Gave(number)),
        Kind::Fails(second) => (second, End::Failed(number)),
        Kind::Panics(second) => (second, End::Panicked),
        Kind::Aborted(second) => (second, End::Aborted),
        Kind::Cleans => (u32::MAX, End::Cancelled),
    }
}

async fn spawn_all(kinds: [Kind; 3], drops: &Drops) -> Vec<JoinHandle<Output>> {
    let numbered = kinds.into_iter().enumerate();
    numbered.map(|(n, kind)| spawn(n, kind, drops)).collect()
}

#[test]
fn gather_in_all_combinations() {
    for kinds in all_kinds() {
        let last = kinds.iter().map(|&kind| natural(0, kind).0).max().unwrap();
        // Run to its end; cancelled by a timeout; dropped.
        for event in ["nothing", "timeout", "drop"] {
            if event == "nothing" && last == u32::MAX {
                continue;
            }
            let what = format!("{event} {kinds:?}");
            run(async {
                let drops = Drops::default();
                let before = time::now();
                let handles = spawn_all(kinds, &drops).await;
                let tasks: Vec<_> = handles.iter().map(JoinHandle::task).collect();
                let gather = task::gather(handles);
                match event {
                    "nothing" => {
                        let ends: Vec<_> = gather.await.into_iter().map(end_of).collect();
                        let expected: Vec<_> = (0..3).map(|n| natural(n, kinds[n]).1).collect();
                        assert_eq!(ends, expected, "{what}: siblings run on");
                        assert_eq!(time::now() - before, secs(last.into()), "{what}");
                    }
                    "timeout" => {
                        let results = time::timeout(EVENT, gather).await;
                        let ends = |number: usize| match natural(number, kinds[number]) {
                            (second, end) if second <= 2 => end,
                            (_, _) => End::Cancelled,
                        };
                        let expected: Vec<_> = (0..3).map(ends).collect();
                        let ends: Vec<_> = results.unwrap().into_iter().map(end_of).collect();
                        assert_eq!(ends, expected, "{what}: all are told, and waited for");
                        let cleans = kinds.contains(&Kind::Cleans);
                        let is_over = last <= 2;
                        let took = match (is_over, cleans) {
                            (true, _) => secs(last.into()),
                            (false, true) => EVENT + secs(1),
                            (false, false) => EVENT,
                        };
                        assert_eq!(time::now() - before, took, "{what}");
                    }
                    _ => {
                        let sleep = time::sleep(EVENT);
                        drop(ringloop_core::future::race(gather, sleep).await);
                        time::sleep(secs(1)).await.unwrap();
                        for (task, kind) in tasks.iter().zip(kinds) {
                            let is_done = task.state() == task::TaskState::Done;
                            assert_eq!(is_done, kind != Kind::Cleans, "{what}: detached");
                        }
                        for task in &tasks {
                            task.cancel("the end");
                        }
                        time::sleep(secs(2)).await.unwrap();
                    }
                }
                assert_eq!(drops.count(), 3, "{what}");
            });
        }
    }
}

#[test]
fn gather_of_nothing_and_of_tasks_that_have_ended() {
    run(async {
        let none: Vec<JoinHandle<u32>> = Vec::new();
        assert!(task::gather(none).await.is_empty());
        let handles: Vec<_> = (0..3).map(|n| task::spawn(async move { n })).collect();
        settle().await.unwrap();
        let results = task::gather(handles).await;
        let values: Vec<_> = results.into_iter().map(Result::unwrap).collect();
        assert_eq!(values, [0, 1, 2]);
    });
}

#[test]
fn gather_cancels_each_once_and_knows_whose_request_it_was() {
    run(async {
        let handles: Vec<_> = (0..3)
            .map(|_| task::spawn(time::sleep(Duration::MAX)))
            .collect();
        let tasks: Vec<_> = handles.iter().map(JoinHandle::task).collect();
        let gathering = task::spawn(async move {
            let results = task::gather(handles).await;
            let all: Result<Vec<()>, _> = results.into_iter().map(Result::unwrap).collect();
            all
        });
        settle().await.unwrap();
        gathering.cancel("enough");
        settle().await.unwrap();
        for task in tasks {
            assert!(!task.cancel("again"), "it has been told, and has ended");
        }
        let cancelled = gathering.await.unwrap().unwrap_err();
        assert_eq!(cancelled.reason().text(), "enough");

        // A timeout around it takes the errors that came back for its own.
        let handles = (0..3).map(|_| task::spawn(time::sleep(Duration::MAX)));
        let gather = task::gather(handles);
        let late = time::timeout(secs(1), async {
            let results = gather.await;
            results
                .into_iter()
                .map(Result::unwrap)
                .collect::<Result<Vec<()>, _>>()
        });
        assert!(late.await.is_err());
    });
}

#[test]
fn cancelled_gather_passes_the_request_on_while_the_first_cleans_up() {
    run(async {
        let drops = Drops::default();
        let handles = [Kind::Cleans, Kind::Cleans, Kind::Cleans].map(|kind| spawn(0, kind, &drops));
        let before = time::now();
        let results = time::timeout(secs(1), collected(task::gather(handles))).await;
        assert_eq!(results.unwrap().len(), 3);
        assert_eq!(time::now() - before, secs(2), "side by side");
    });
}

#[test]
fn wait_in_all_combinations() {
    for kinds in all_kinds() {
        for when in ["first", "all", "error", "gave"] {
            for is_limited in [false, true] {
                let what = format!("{when} {is_limited} {kinds:?}");
                let ends = [0, 1, 2].map(|n| natural(n, kinds[n]));
                let last = ends.iter().map(|&(second, _)| second).max().unwrap();
                let meets = |end: End| match when {
                    "first" => true,
                    "all" => false,
                    "error" => !matches!(end, End::Gave(_)),
                    _ => matches!(end, End::Gave(_)),
                };
                let met = ends
                    .iter()
                    .filter(|&&(_, end)| meets(end))
                    .map(|&(second, _)| second);
                let until = met.min().unwrap_or(last).min(last);
                if until == u32::MAX && !is_limited {
                    continue;
                }
                run(async {
                    let drops = Drops::default();
                    let before = time::now();
                    let mut handles = spawn_all(kinds, &drops).await;
                    let ids: Vec<_> = handles.iter().map(JoinHandle::id).collect();
                    let condition = match when {
                        "first" => When::First,
                        "all" => When::All,
                        "error" => When::FIRST_ERROR,
                        _ => When::Until(|result| matches!(result, Ok(Ok(_)))),
                    };
                    let wait = task::wait(&mut handles, condition);
                    let done = if is_limited {
                        time::timeout(EVENT, wait).await.ok().map(Result::unwrap)
                    } else {
                        Some(wait.await.unwrap())
                    };
                    let took = time::now() - before;
                    let Some(done) = done else {
                        assert!(until > 2, "{what}");
                        assert_eq!((took, handles.len()), (EVENT, 3), "{what}: all are there");
                        let ended = handles.iter().filter(|handle| handle.is_finished()).count();
                        let expected = ends.iter().filter(|&&(second, _)| second <= 2).count();
                        assert_eq!(ended, expected, "{what}: none was cancelled");
                        return;
                    };
                    assert_eq!(took, secs(until.into()), "{what}");
                    let places = |handles: &[JoinHandle<Output>]| -> Vec<usize> {
                        let place = |handle: &JoinHandle<Output>| {
                            ids.iter().position(|&id| id == handle.id()).unwrap()
                        };
                        handles.iter().map(place).collect()
                    };
                    let has_ended = |&n: &usize| ends[n].0 <= until;
                    let expected_done: Vec<_> = (0..3).filter(has_ended).collect();
                    assert_eq!(places(&done), expected_done, "{what}");
                    let left: Vec<_> = (0..3).filter(|n| !has_ended(n)).collect();
                    assert_eq!(places(&handles), left, "{what}: in their order");
                    for (handle, n) in done.into_iter().zip(expected_done) {
                        assert_eq!(end_of(handle.await), ends[n].1, "{what}");
                    }
                });
            }
        }
    }
}

#[test]
fn wait_gives_all_that_have_ended_by_the_time_it_resumes() {
    run(async {
        let mut handles: Vec<_> = [1, 1, 2].map(|s| task::spawn(time::sleep(secs(s)))).into();
        let done = task::wait(&mut handles, When::First).await.unwrap();
        assert_eq!((done.len(), handles.len()), (2, 1));
        let rest = task::wait(&mut handles, When::All).await.unwrap();
        assert_eq!((rest.len(), handles.len()), (1, 0));
        let none = task::wait(&mut handles, When::First).await.unwrap();
        assert!(none.is_empty());
        drop((done, rest));
    });
}

#[test]
fn cancelled_wait_leaves_everything_as_it_was() {
    run(async {
        let handles: Rc<Cell<Vec<_>>> = Rc::default();
        handles.set((0..3).map(|_| task::spawn(time::sleep(secs(5)))).collect());
        let copy = handles.clone();
        let waiting = task::spawn(async move {
            let mut handles = copy.take();
            let cancelled = task::wait(&mut handles, When::All).await.unwrap_err();
            copy.set(handles);
            cancelled
        });
        settle().await.unwrap();
        waiting.cancel("enough");
        assert_eq!(waiting.await.unwrap().reason().text(), "enough");
        for handle in handles.take() {
            handle.await.unwrap().expect("nobody has cancelled it");
        }
    });
}

#[test]
fn wait_in_a_cancelled_scope_begins_nothing_but_gives_what_is_there() {
    run(async {
        task::spawn(async {
            let mut handles = vec![task::spawn(async {})];
            settle().await.unwrap();
            task::current().unwrap().cancel("enough");
            assert!(task::wait(&mut handles, When::All).await.is_ok());
            handles.push(task::spawn(async {}));
            assert!(task::wait(&mut handles, When::All).await.is_err());
            assert_eq!(handles.len(), 1);
            let mut completed = task::as_completed(handles);
            assert!(completed.next().await.is_err());
            assert_eq!(completed.len(), 1);
            assert_eq!(completed.into_pending().len(), 1);
        })
        .await
        .unwrap();
    });
}

#[test]
fn handles_that_were_waited_for_are_awaited_otherwise_afterwards() {
    run(async {
        let mut handles: Vec<_> = (1..=3).map(|s| task::spawn(time::sleep(secs(s)))).collect();
        assert!(
            time::timeout(Duration::ZERO, task::wait(&mut handles, When::All))
                .await
                .is_err()
        );
        let mut completed = task::as_completed(handles);
        assert!(
            time::timeout(Duration::ZERO, completed.next())
                .await
                .is_err()
        );
        let first = completed.next().await.unwrap().unwrap();
        assert!(first.is_finished());
        let rest = completed.into_pending();
        assert_eq!(task::gather(rest).await.len(), 2);
    });
}

#[test]
fn wait_that_was_given_up_is_woken_no_more() {
    run(async {
        let polls = Cell::new(0);
        let mut handles = vec![task::spawn(time::sleep(secs(2)))];
        let mut body = std::pin::pin!(async {
            let late = time::timeout(secs(1), task::wait(&mut handles, When::All)).await;
            assert!(late.is_err());
            time::sleep(secs(5)).await.unwrap();
            assert!(handles[0].is_finished());
        });
        std::future::poll_fn(|cx| {
            polls.set(polls.get() + 1);
            body.as_mut().poll(cx)
        })
        .await;
        assert_eq!(
            polls.get(),
            3,
            "at the beginning, and after each of the two times"
        );
    });
}

#[test]
fn completed_in_all_combinations() {
    for kinds in all_kinds() {
        for already in [0, 1, 2, 4] {
            let what = format!("{already} {kinds:?}");
            run(async {
                let drops = Drops::default();
                let handles = spawn_all(kinds, &drops).await;
                let ids: Vec<_> = handles.iter().map(JoinHandle::id).collect();
                // Some have ended before: those come first, in the order of the handles.
                time::sleep(secs(already) + Duration::from_millis(500))
                    .await
                    .unwrap();
                let mut expected: Vec<(u64, usize)> = (0..3)
                    .map(|n| (u64::from(natural(n, kinds[n]).0), n))
                    .map(|(second, n)| (if second <= already { 0 } else { second }, n))
                    .collect();
                expected.sort_unstable();
                expected.retain(|&(second, _)| second != u64::from(u32::MAX));
                let mut completed = task::as_completed(handles);
                assert_eq!(completed.len(), 3);
                for &(_, n) in &expected {
                    let handle = completed.next().await.unwrap().unwrap();
                    assert_eq!(handle.id(), ids[n], "{what}");
                    assert_eq!(end_of(handle.await), natural(n, kinds[n]).1, "{what}");
                }
                let left = 3 - expected.len();
                assert_eq!(completed.len(), left, "{what}");
                if left == 0 {
                    assert!(completed.next().await.unwrap().is_none(), "{what}");
                    assert!(completed.is_empty());
                    return;
                }
                // Waiting can be given up, and taken up again.
                let late = time::timeout(secs(9), completed.next()).await;
                assert!(late.is_err(), "{what}");
                let pending = completed.into_pending();
                let order: Vec<_> = pending.iter().map(JoinHandle::id).collect();
                assert!(order.is_sorted(), "{what}: in the order in which they came");
                for handle in &pending {
                    handle.cancel("the end");
                }
                for handle in pending {
                    assert_eq!(end_of(handle.await), End::Cancelled, "{what}: not before");
                }
            });
        }
    }
}

#[test]
fn completed_in_the_same_turn_come_in_the_order_of_their_ends() {
    run(async {
        let gates: Vec<_> = (0..4).map(|_| ringloop_core::postbox::<()>()).collect();
        let (setters, postboxes): (Vec<_>, Vec<_>) = gates.into_iter().unzip();
        let mut completed = task::as_completed(postboxes.into_iter().map(task::spawn));
        let ids: Vec<_> = task::all_tasks()
            .iter()
            .skip(1)
            .map(task::TaskRef::id)
            .collect();
        settle().await.unwrap();
        let mut setters: Vec<_> = setters.into_iter().map(Some).collect();
        for n in [2, 0, 3, 1] {
            setters[n].take().unwrap().set(()).unwrap();
        }
        settle().await.unwrap();
        for n in [2, 0, 3, 1] {
            assert_eq!(completed.next().await.unwrap().unwrap().id(), ids[n]);
        }
    });
}

#[test]
fn more_tasks_may_join_in() {
    run(async {
        let mut completed = task::as_completed([]);
        assert!(completed.next().await.unwrap().is_none());
        for round in 0..3 {
            completed.push(task::spawn(async move { round }));
            completed.push(task::spawn(async move { round + 10 }));
            settle().await.unwrap();
            completed.push(task::spawn(async move { round + 20 }));
            let mut seen = Vec::new();
            while let Some(handle) = completed.next().await.unwrap() {
                seen.push(handle.await.unwrap());
            }
            assert_eq!(seen, [round, round + 10, round + 20]);
        }
    });
}

#[test]
fn step_costs_the_same_however_many_tasks_there_are() {
    // Each end is one wake and one poll of whoever waits, and no look at the others.
    run(async {
        const COUNT: u64 = 2000;
        let mut completed = task::as_completed(
            (0..COUNT).map(|n| task::spawn(time::sleep(Duration::from_millis(COUNT - n)))),
        );
        let polls = Cell::new(0);
        let counted = async {
            while let Some(handle) = completed.next().await.unwrap() {
                handle.await.unwrap().unwrap();
            }
        };
        let mut counted = std::pin::pin!(counted);
        std::future::poll_fn(|cx| {
            polls.set(polls.get() + 1);
            counted.as_mut().poll(cx)
        })
        .await;
        assert!(polls.get() <= COUNT + 2, "{}", polls.get());
    });
}

#[test]
fn tasks_whose_loop_is_gone_are_completed() {
    let mut first = Scheduler::new(VirtualDriver::new());
    let handles = first.block_on(async {
        let endless = || task::spawn(std::future::pending::<()>());
        (0..3).map(|_| endless()).collect::<Vec<_>>()
    });
    Scheduler::new(VirtualDriver::new()).block_on(async move {
        let mut handles = handles;
        let gathering = task::gather(handles.drain(..1));
        let gathering = task::spawn(gathering);
        let last = handles.split_off(1);
        let completing = task::spawn(async move {
            task::as_completed(last)
                .next()
                .await
                .unwrap()
                .unwrap()
                .await
        });
        let waiting = task::spawn(async move {
            task::wait(&mut handles, When::First)
                .await
                .map(|done| done.len())
        });
        settle().await.unwrap();
        drop(first);
        assert!(
            gathering.await.unwrap()[0]
                .as_ref()
                .unwrap_err()
                .is_aborted()
        );
        assert_eq!(waiting.await.unwrap().unwrap(), 1);
        assert!(completing.await.unwrap().unwrap_err().is_aborted());
    });
}
