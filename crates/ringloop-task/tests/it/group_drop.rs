//! Groups whose future is dropped, aborted or forgotten.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use ringloop_core::future::race;
use ringloop_task::cancel::{Cancelled, shield};
use ringloop_task::group::{GroupError, Ready, TaskGroup, group};
use ringloop_task::testing::settle;
use ringloop_task::{Scheduler, UnhandledKind, task, time};

use crate::driver::{Drops, Log, VirtualDriver, run, secs};

type Boxed = Pin<Box<dyn Future<Output = Result<(), GroupError<Cancelled>>>>>;

/// A group with two children that wait, a third that one of them spawns, and a body that waits.
fn members(drops: &Drops) -> impl Future<Output = Result<(), GroupError<Cancelled>>> + 'static {
    let drops = drops.clone();
    group(async move |g| {
        let _body = drops.value();
        let (value, siblings, more) = (drops.value(), g.clone(), drops.clone());
        g.spawn(async move {
            let _value = value;
            task::yield_now().await?;
            let value = more.value();
            siblings.spawn(async move {
                let _value = value;
                time::sleep(secs(3)).await
            });
            time::sleep(secs(1)).await
        });
        let value = drops.value();
        g.spawn(async move {
            let _value = value;
            // Cleanup that a drop does not wait for.
            shield(time::sleep(secs(2))).await
        });
        time::sleep(secs(1)).await
    })
}

#[test]
fn drop_at_any_step_drops_all_members_at_once() {
    // The group ends by itself after some steps; so many are gone through.
    let mut steps = 0;
    loop {
        let is_done = run(async {
            let drops = Drops::default();
            let mut future: Boxed = Box::pin(members(&drops));
            let mut polls = 0;
            let done = poll_fn(|cx| {
                if polls == steps {
                    return Poll::Ready(None);
                }
                polls += 1;
                future.as_mut().poll(cx).map(Some)
            });
            let done = done.await;
            let live = task::all_tasks().len();
            drop(future);
            assert_eq!(
                task::all_tasks().len(),
                1,
                "the main task is left of {live}"
            );
            if let Some(result) = &done {
                assert!(result.is_ok());
                assert_eq!(drops.count(), 4);
            }
            let count = drops.count();
            time::sleep(secs(60)).await.unwrap();
            assert_eq!(drops.count(), count);
            done.is_some()
        });
        if is_done {
            break;
        }
        steps += 1;
    }
    assert!(steps > 2, "{steps}");
}

#[test]
fn drop_at_any_turn_drops_all_members_at_once() {
    for millis in (0..3500).step_by(250) {
        run(async {
            let drops = Drops::default();
            let ends = race(members(&drops), time::sleep(Duration::from_millis(millis)));
            ends.await;
            assert_eq!(drops.count(), 4 - u32::from(millis == 0));
            assert_eq!(task::all_tasks().len(), 1);
        });
    }
}

#[test]
fn abort_of_the_task_around_aborts_the_members() {
    run(async {
        let drops = Drops::default();
        let around = task::spawn(members(&drops));
        settle().await.unwrap();
        around.abort();
        assert_eq!((drops.count(), task::all_tasks().len()), (4, 1));
    });
}

#[test]
fn child_that_drops_its_group_goes_after_its_poll() {
    for end in 0..4 {
        let count = Rc::new(Cell::new(0));
        let reports = Rc::clone(&count);
        let mut scheduler = Scheduler::builder()
            .on_unhandled(move |unhandled| {
                assert_eq!(unhandled.kind(), UnhandledKind::Panic);
                reports.set(reports.get() + 1);
            })
            .build(VirtualDriver::new());
        scheduler.block_on(async {
            let drops = Drops::default();
            let place: Rc<RefCell<Option<Boxed>>> = Rc::default();
            let (mine, values) = (Rc::clone(&place), drops.clone());
            let future: Boxed = Box::pin(group(async move |g| {
                let value = values.value();
                g.spawn(async move {
                    let _value = value;
                    drop(mine.take());
                    match end {
                        0 => time::sleep(Duration::MAX).await,
                        1 => Ok(()),
                        2 => Err(Cancelled::new("oops".into())),
                        _ => panic!("late"),
                    }
                });
                let value = values.value();
                g.spawn(async move {
                    let _value = value;
                    time::sleep(Duration::MAX).await
                });
                time::sleep(Duration::MAX).await
            }));
            place.replace(Some(future));
            // Polls it once, outside of the cell.
            let mut future = place.take().unwrap();
            poll_fn(|cx| {
                assert!(future.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
            place.replace(Some(future));
            settle().await.unwrap();
            assert!(place.borrow().is_none());
            assert_eq!((drops.count(), task::all_tasks().len()), (2, 1), "{end}");
        });
        assert_eq!(count.get(), u32::from(end == 3), "{end}");
    }
}

#[test]
fn what_a_group_has_when_it_is_dropped_is_reported_once() {
    let log = Log::default();
    let reports = log.clone();
    let mut scheduler = Scheduler::builder()
        .on_unhandled(move |unhandled| {
            reports.add(format!("{:?} {:?}", unhandled.kind(), unhandled.name()));
        })
        .build(VirtualDriver::new());
    scheduler.block_on(async {
        let members = group(async |g| {
            let careless = async {
                shield(task::yield_now()).await?;
                panic!("careless");
                #[expect(unreachable_code, reason = "the type is wanted")]
                Ok::<(), Cancelled>(())
            };
            let failing = async { Err::<(), _>(Cancelled::new("oops".into())) };
            task::Builder::new().name("failing").spawn_in(g, failing);
            task::Builder::new().name("careless").spawn_in(g, careless);
            g.spawn(shield(time::sleep(secs(9))));
            Ok(())
        });
        race(members, time::sleep(secs(1))).await;
    });
    log.check(&["Panic Some(\"careless\")", "Failed Some(\"failing\")"]);
}

#[test]
fn children_of_a_forgotten_group_run_on() {
    run(async {
        let drops = Drops::default();
        let values = drops.clone();
        let mut members = Box::pin(group(async move |g: &TaskGroup<Cancelled>| {
            let value = values.value();
            g.spawn(async move {
                let _value = value;
                time::sleep(secs(1)).await
            });
            time::sleep(Duration::MAX).await
        }));
        poll_fn(|cx| {
            assert!(members.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        #[expect(clippy::mem_forget, reason = "that is what is tested")]
        std::mem::forget(members);
        time::sleep(secs(2)).await.unwrap();
        assert_eq!((drops.count(), task::all_tasks().len()), (1, 1));
    });
}

#[test]
fn scheduler_that_goes_drops_groups_and_members() {
    for polls in 0..4 {
        let drops = Drops::default();
        let mut scheduler = Scheduler::new(VirtualDriver::new());
        scheduler.block_on(async {
            drop(task::spawn(members(&drops)));
            for _ in 0..polls {
                task::yield_now().await.unwrap();
            }
        });
        drop(scheduler);
        // Without a poll there was nothing to drop.
        let expected = match polls {
            0 => 0,
            1 | 2 => 3,
            _ => 4,
        };
        assert_eq!(drops.count(), expected, "{polls}");
    }
}

#[test]
fn shutdown_cancels_groups_and_waits_for_their_members() {
    let drops = Drops::default();
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    scheduler.block_on(async {
        drop(task::spawn(members(&drops)));
        settle().await.unwrap();
    });
    let report = scheduler.shutdown(secs(5));
    assert_eq!((report.aborted, drops.count()), (0, 4));
}

/// Looks at a group when it is dropped, and tries to spawn.
struct Last(TaskGroup<Cancelled>, Log);

impl Drop for Last {
    fn drop(&mut self) {
        let spawned = self.0.try_spawn(async { Ok(()) }).is_ok();
        let (len, is_over) = (self.0.len(), self.0.is_over());
        self.1.add(format!("{len} {is_over} {spawned}"));
    }
}

#[test]
fn value_that_is_dropped_with_the_errors_cannot_spawn() {
    run(async {
        let log = Log::default();
        let result = group(async |g| {
            g.spawn(async { Err::<(), _>(Cancelled::new("oops".into())) });
            Ok(Last(g.clone(), log.clone()))
        });
        assert!(result.await.is_err());
        log.check(&["0 true false"]);
    });
}

#[test]
fn child_counts_until_its_future_is_gone() {
    run(async {
        let log = Log::default();
        let result = group(async |g| {
            let last = Last(g.clone(), log.clone());
            let child = g.spawn(async move {
                let _last = last;
                time::sleep(Duration::MAX).await
            });
            task::yield_now().await?;
            child.abort();
            // The child itself, and the one that its drop has spawned.
            log.check(&["2 false true"]);
            Ok(())
        });
        result.await.unwrap();
    });
}

#[test]
fn child_that_drops_its_start_and_fails_fails_the_group() {
    run(async {
        type Start = Pin<Box<dyn Future<Output = ()>>>;
        let place: Rc<RefCell<Option<Start>>> = Rc::default();
        let result = group(async |g| {
            let mine = Rc::clone(&place);
            let started = g.start(async move |ready: Ready<()>| {
                task::yield_now().await?;
                drop(mine.take());
                drop(ready);
                Err::<(), _>(Cancelled::new("oops".into()))
            });
            let mut started: Start = Box::pin(async { drop(started.await) });
            poll_fn(|cx| {
                assert!(started.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
            place.replace(Some(started));
            settle().await?;
            assert!(place.borrow().is_none());
            Ok(())
        });
        let errors = result.await.unwrap_err().into_errors();
        assert_eq!(errors.len(), 1);
    });
}
