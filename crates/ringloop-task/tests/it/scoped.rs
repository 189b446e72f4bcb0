//! Children that borrow from around their scope.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ringloop_task::cancel::{Cancelled, shield};
use ringloop_task::testing::settle;
use ringloop_task::{Scheduler, UnhandledKind, task, time};

use crate::driver::{Dropped, Drops, Log, VirtualDriver, collected, run, secs};

/// Ready at the second poll, not woken by itself; counts its polls.
async fn until<'a>(flag: &'a Cell<bool>, wakers: &'a RefCell<Vec<Waker>>, polls: &'a Cell<u32>) {
    poll_fn(|cx| {
        polls.set(polls.get() + 1);
        if flag.get() {
            return Poll::Ready(());
        }
        wakers.borrow_mut().push(cx.waker().clone());
        Poll::Pending
    })
    .await;
}

#[test]
fn children_borrow_mutably_and_hand_back() {
    run(async {
        let mut numbers = vec![1, 2, 3, 4];
        let (left, right) = numbers.split_at_mut(2);
        let text = String::from("shared");
        let sum = task::scope(async |s| {
            let left = s.spawn(async {
                left[0] = 10;
                time::sleep(secs(1)).await.unwrap();
                left.iter().sum::<i32>() + i32::try_from(text.len()).unwrap()
            });
            let right = s.spawn(async {
                right[1] = 40;
                right.iter().sum::<i32>() + i32::try_from(text.len()).unwrap()
            });
            left.await.unwrap() + right.await.unwrap()
        })
        .await;
        assert_eq!(sum, 12 + 43 + 12);
        assert_eq!(numbers, [10, 2, 3, 40]);
    });
}

#[test]
fn scope_waits_for_all_children_and_their_siblings() {
    run(async {
        let log = Log::default();
        let before = time::now();
        task::scope(async |s| {
            s.spawn(async {
                time::sleep(secs(1)).await.unwrap();
                s.spawn(async {
                    time::sleep(secs(2)).await.unwrap();
                    log.add("grandchild");
                });
                log.add("child");
            });
            log.add("body");
        })
        .await;
        log.check(&["body", "child", "grandchild"]);
        assert_eq!(time::now() - before, secs(3));
    });
}

#[test]
fn scopes_nest_and_lend_to_each_other() {
    run(async {
        let total = Cell::new(0);
        task::scope(async |outer| {
            outer.spawn(async {
                let own = Cell::new(1);
                task::scope(async |inner| {
                    for _ in 0..3 {
                        inner.spawn(async {
                            own.set(own.get() * 2);
                            outer.spawn(async { total.set(total.get() + 1) });
                        });
                    }
                })
                .await;
                total.set(total.get() + own.get());
            });
        })
        .await;
        assert_eq!(total.get(), 3 + 8);
    });
}

#[test]
fn only_children_that_were_woken_are_polled() {
    run(async {
        let flags: Vec<_> = (0..100).map(|_| Cell::new(false)).collect();
        let polls: Vec<_> = (0..100).map(|_| Cell::new(0)).collect();
        let wakers: Vec<_> = (0..100).map(|_| RefCell::new(Vec::new())).collect();
        task::scope(async |s| {
            for n in 0..100 {
                s.spawn(until(&flags[n], &wakers[n], &polls[n]));
            }
            settle().await.unwrap();
            assert!(polls.iter().all(|polls| polls.get() == 1));
            flags[37].set(true);
            wakers[37].take().into_iter().for_each(Waker::wake);
            settle().await.unwrap();
            let polled_again = polls.iter().position(|polls| polls.get() == 2);
            assert_eq!((polled_again, s.len()), (Some(37), 99));
            assert_eq!(polls.iter().map(Cell::get).sum::<u32>(), 101);
            for n in 0..100 {
                flags[n].set(true);
                wakers[n].take().into_iter().for_each(Waker::wake);
            }
        })
        .await;
        assert!(polls.iter().all(|polls| polls.get() == 2));
    });
}

#[test]
fn several_wakes_are_one_poll_and_late_ones_none() {
    run(async {
        let (flag, polls, wakers) = (Cell::new(false), Cell::new(0), RefCell::default());
        let kept = RefCell::new(Vec::new());
        task::scope(async |s| {
            let child = s.spawn(until(&flag, &wakers, &polls));
            settle().await.unwrap();
            kept.borrow_mut().extend(wakers.borrow().iter().cloned());
            for _ in 0..5 {
                wakers.borrow().iter().for_each(Waker::wake_by_ref);
            }
            settle().await.unwrap();
            assert_eq!(polls.get(), 2);
            flag.set(true);
            wakers.borrow().iter().for_each(Waker::wake_by_ref);
            child.await.unwrap();
            // Its place is taken over; the old waker must not have the new member polled.
            let (new_flag, new_polls) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(0)));
            let successor = {
                let (flag, polls) = (new_flag.clone(), new_polls.clone());
                s.spawn(poll_fn(move |_| {
                    polls.set(polls.get() + 1);
                    if flag.get() {
                        Poll::Ready(())
                    } else {
                        Poll::Pending
                    }
                }))
            };
            settle().await.unwrap();
            kept.borrow().iter().for_each(Waker::wake_by_ref);
            settle().await.unwrap();
            assert_eq!(new_polls.get(), 1);
            successor.cancel("enough");
        })
        .await;
        // And after the scope they wake nobody.
        kept.take().into_iter().for_each(Waker::wake);
    });
}

#[test]
fn children_run_in_the_order_of_their_wakes() {
    run(async {
        let log = Log::default();
        task::scope(async |s| {
            for n in 0..3 {
                let log = &log;
                s.spawn(async move {
                    log.add(format!("begin {n}"));
                    time::sleep(secs(3 - n)).await.unwrap();
                    log.add(format!("end {n}"));
                });
            }
        })
        .await;
        log.check(&["begin 0", "begin 1", "begin 2", "end 2", "end 1", "end 0"]);
    });
}

#[test]
fn many_children_leave_the_loop_to_others() {
    run(async {
        let polled = Cell::new(0_u32);
        let seen = Rc::new(RefCell::new(Vec::new()));
        let others = {
            let seen = seen.clone();
            task::spawn(async move {
                for turn in 0..10 {
                    seen.borrow_mut().push(turn);
                    task::yield_now().await.unwrap();
                }
            })
        };
        task::scope(async |s| {
            for _ in 0..1000 {
                let (polled, seen) = (&polled, &seen);
                s.spawn(async move {
                    polled.set(polled.get() + 1);
                    // 64 children a poll, and the other task once in between.
                    let turns = seen.borrow().len();
                    assert!(
                        turns >= 10 || polled.get() <= 64 * (u32::try_from(turns).unwrap() + 1)
                    );
                });
            }
        })
        .await;
        assert_eq!(polled.get(), 1000);
        others.await.unwrap();
    });
}

#[test]
fn child_that_wakes_itself_for_ever_leaves_the_loop_to_others() {
    run(async {
        let stop = Rc::new(Cell::new(false));
        let stopper = {
            let stop = stop.clone();
            task::spawn(async move {
                for _ in 0..3 {
                    task::yield_now().await.unwrap();
                }
                stop.set(true);
            })
        };
        task::scope(async |s| {
            s.spawn(poll_fn(|cx| {
                cx.waker().wake_by_ref();
                if stop.get() {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            }));
        })
        .await;
        stopper.await.unwrap();
    });
}

#[test]
fn handle_cancels_one_child_alone() {
    run(async {
        let before = time::now();
        let results = task::scope(async |s| {
            let first = s.spawn(time::sleep(secs(5)));
            let second = s.spawn(time::sleep(Duration::MAX));
            let blind = s.spawn(pending::<()>());
            let unborn = s.spawn(async { time::sleep(secs(9)).await });
            assert!(unborn.cancel("before its first poll"));
            time::sleep(secs(1)).await.unwrap();
            assert!(second.cancel("enough"));
            assert!(!second.cancel("again"));
            let second = second.await.unwrap().unwrap_err();
            assert_eq!(second.reason().text(), "enough");
            assert!(blind.cancel("unseen"));
            let blind = blind.await.unwrap_err();
            assert!(blind.is_cancelled());
            assert_eq!(blind.reason().unwrap().text(), "unseen");
            let unborn = unborn.await.unwrap().unwrap_err();
            assert_eq!(unborn.reason().text(), "before its first poll");
            assert_eq!(time::now() - before, secs(1));
            assert!(!first.is_finished());
            let ended = s.spawn(async {});
            settle().await.unwrap();
            assert!(!ended.cancel("late"));
            first.await
        });
        assert!(results.await.unwrap().is_ok());
        assert_eq!(time::now() - before, secs(5));
    });
}

#[test]
fn value_of_a_cancelled_child_is_its_own() {
    run(async {
        task::scope(async |s| {
            let stubborn = s.spawn(async {
                time::sleep(Duration::MAX).await.unwrap_err();
                shield(time::sleep(secs(1))).await.unwrap();
                "cleaned up"
            });
            settle().await.unwrap();
            stubborn.cancel("enough");
            assert_eq!(stubborn.await.unwrap(), "cleaned up");
        })
        .await;
    });
}

#[test]
fn timeout_around_reaches_all_and_knows_its_own() {
    for is_collected in [false, true] {
        run(async {
            let drops = Drops::default();
            let before = time::now();
            let scope = task::scope(async |s| {
                let child = s.spawn(async {
                    let _value = drops.value();
                    time::sleep(Duration::MAX).await
                });
                s.spawn(async {
                    let _value = drops.value();
                    shield(time::sleep(secs(3))).await.unwrap();
                });
                child.await.unwrap()
            });
            let scope = async {
                if is_collected {
                    collected(scope).await
                } else {
                    scope.await
                }
            };
            assert!(time::timeout(secs(2), scope).await.is_err());
            assert_eq!((time::now() - before, drops.count()), (secs(3), 2));
            task::yield_now().await.expect("it is over");
        });
    }
}

#[test]
fn timeout_inside_around_a_handle_knows_its_own() {
    run(async {
        task::scope(async |s| {
            let child = s.spawn(time::sleep(Duration::MAX));
            let bounded = time::timeout(secs(1), child).await;
            assert!(bounded.is_err(), "the request was passed on and came back");
            time::sleep(secs(1))
                .await
                .expect("nothing else is cancelled");

            // The handle loses a race inside of the timeout. The child goes on elsewhere, and that
            // it was told does not make the value of the body look cancelled.
            let mut slow = s.spawn(async {
                time::sleep(Duration::MAX).await.unwrap_err();
                shield(time::sleep(secs(5))).await.unwrap();
            });
            let late = time::timeout(secs(1), async {
                let rest = async {
                    time::sleep(Duration::MAX).await.unwrap_err();
                    shield(time::sleep(secs(2))).await.unwrap();
                    7
                };
                ringloop_core::future::race(&mut slow, rest).await.right()
            });
            assert_eq!(late.await, Ok(Some(7)));
            drop(slow);
        })
        .await;
    });
}

#[test]
fn request_to_the_task_reaches_every_child() {
    run(async {
        let log = Log::default();
        let copy = log.clone();
        let parent = task::spawn(async move {
            let log = copy;
            let body = task::scope(async |s| {
                for n in 0..3 {
                    let log = &log;
                    s.spawn(async move {
                        let cancelled: Cancelled = time::sleep(secs(9)).await.unwrap_err();
                        log.add(format!("{n} {}", cancelled.reason()));
                    });
                }
                time::sleep(secs(9)).await
            });
            log.add(format!("body {}", body.await.unwrap_err().reason()));
        });
        settle().await.unwrap();
        parent.cancel("enough");
        parent.await.unwrap();
        log.check(&["0 enough", "1 enough", "2 enough", "body enough"]);
    });
}

#[test]
fn more_children_than_a_poll_takes_are_all_told() {
    // A scope has patience with a body that wakes itself, but not for so many polls.
    const COUNT: u32 = 70_000;
    run(async {
        let told = Cell::new(0);
        let late = time::timeout(secs(1), async {
            task::scope(async |s| {
                for _ in 0..COUNT {
                    s.spawn(async {
                        time::sleep(secs(5)).await.unwrap_err();
                        told.set(told.get() + 1);
                    });
                }
                pending::<()>().await;
            })
            .await;
        });
        assert!(late.await.is_err());
        assert_eq!(told.get(), COUNT);
    });
}

#[test]
fn child_that_cannot_be_told_ends_alone_and_the_timeout_around_knows_its_own() {
    run(async {
        let late = time::timeout(secs(1), async {
            task::scope(async |s| {
                let blind = s.spawn(pending::<()>());
                let error = blind.await.unwrap_err();
                assert!(error.is_cancelled());
                // The body goes on: it was not dropped along with the child.
                shield(time::sleep(secs(1))).await.unwrap();
                Err::<(), task::JoinError>(error)
            })
            .await
        });
        let before = time::now();
        assert!(late.await.is_err());
        assert_eq!(time::now() - before, secs(2));
    });
}

#[test]
fn child_that_cannot_be_told_and_comes_late_ends_alone_too() {
    run(async {
        let drops = Drops::default();
        let late = time::timeout(secs(1), async {
            task::scope(async |s| {
                time::sleep(secs(9)).await.unwrap_err();
                let value = drops.value();
                s.spawn(async move {
                    let _value = value;
                    pending::<()>().await;
                });
                shield(time::sleep(secs(1))).await.unwrap();
                drops.count()
            })
            .await
        });
        assert_eq!(late.await, Ok(1));
    });
}

#[test]
fn scope_in_a_cancelled_task_begins_nothing() {
    run(async {
        let child = task::spawn(async {
            task::scope(async |s| {
                let slept = s.spawn(time::sleep(secs(1)));
                slept.await.unwrap()
            })
            .await
        });
        child.cancel("before it began");
        let before = time::now();
        assert!(child.await.unwrap().is_err());
        assert_eq!(time::now(), before);
    });
}

#[test]
fn panic_of_a_child_cancels_the_rest_and_goes_on() {
    run(async {
        let log = Log::default();
        let scope = task::scope(async |s| {
            let panics = s.spawn(async {
                time::sleep(secs(1)).await.unwrap();
                panic_any("oops");
            });
            s.spawn(async {
                let cancelled: Cancelled = time::sleep(Duration::MAX).await.unwrap_err();
                shield(time::sleep(secs(1))).await.unwrap();
                log.add(cancelled.reason());
            });
            let error = panics.await.map(|(): ()| ()).unwrap_err();
            assert!(error.is_panic());
            assert_eq!(
                *error.into_panic().unwrap().downcast::<String>().unwrap(),
                "oops"
            );
            log.add("heard");
        });
        let mut scope = pin!(scope);
        let before = time::now();
        let caught = poll_fn(|cx| {
            let polled = catch_unwind(AssertUnwindSafe(|| scope.as_mut().poll(cx)));
            match polled {
                Ok(polled) => polled.map(Ok),
                Err(payload) => Poll::Ready(Err(payload)),
            }
        });
        let payload = caught.await.unwrap_err();
        assert_eq!(*payload.downcast::<&str>().unwrap(), "oops");
        assert_eq!(time::now() - before, secs(2));
        log.check(&["heard", "a member of the scope panicked"]);
    });
}

#[test]
fn panics_after_the_first_and_in_drops_are_reported() {
    struct PanicsInDrop(&'static str);
    impl Drop for PanicsInDrop {
        fn drop(&mut self) {
            panic_any(self.0);
        }
    }
    let reports = Rc::new(RefCell::new(Vec::new()));
    let hooked = reports.clone();
    let mut scheduler = Scheduler::builder()
        .on_unhandled(move |unhandled| {
            let text = *unhandled.payload().unwrap().downcast_ref::<&str>().unwrap();
            hooked.borrow_mut().push((unhandled.kind(), text));
        })
        .build(VirtualDriver::new());
    let child = scheduler.block_on(async {
        let child = task::spawn(async {
            task::scope(async |s| {
                s.spawn(async { panic_any("second, it is polled after the body") });
                s.spawn(async {
                    let _value = PanicsInDrop("when it is dropped, blind");
                    pending::<()>().await;
                });
                s.spawn(async {
                    let held = PanicsInDrop("at its end");
                    poll_fn(move |_| {
                        let _held = &held;
                        Poll::Ready(())
                    })
                    .await;
                });
                panic_any("first");
            })
            .await;
        });
        settle().await.unwrap();
        child
    });
    let error = scheduler.block_on(child).unwrap_err();
    assert_eq!(
        *error.into_panic().unwrap().downcast::<&str>().unwrap(),
        "first"
    );
    drop(scheduler);
    let reports = reports.take();
    assert_eq!(
        reports,
        [
            (UnhandledKind::Panic, "second, it is polled after the body"),
            (UnhandledKind::Panic, "at its end"),
            (UnhandledKind::Panic, "when it is dropped, blind"),
        ]
    );
}

#[test]
fn child_spawned_by_a_destructor_during_the_drop_never_runs() {
    struct SpawnsInDrop<'scope, 'env>(&'scope task::Scope<'scope, 'env>, &'env Log, &'env Drops);
    impl Drop for SpawnsInDrop<'_, '_> {
        fn drop(&mut self) {
            let (log, value) = (self.1, self.2.value());
            let late = self.0.spawn(async move {
                let _value = value;
                log.add("it runs");
            });
            log.add(format!("finished: {}", late.is_finished()));
        }
    }
    run(async {
        let (log, drops) = (Log::default(), Drops::default());
        let mut scope = Box::pin(task::scope(async |s| {
            let spawner = SpawnsInDrop(s, &log, &drops);
            s.spawn(async move {
                let _spawner = spawner;
                pending::<()>().await;
            });
            pending::<()>().await;
        }));
        assert!(poll_once(scope.as_mut()).await.is_pending());
        assert!(poll_once(scope.as_mut()).await.is_pending());
        drop(scope);
        log.check(&["finished: true"]);
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn scope_dropped_half_way_drops_the_body_first_and_each_once() {
    struct Tells<'a>(&'a Log, &'static str);
    impl Drop for Tells<'_> {
        fn drop(&mut self) {
            self.0.add(self.1);
        }
    }
    run(async {
        let log = Log::default();
        for polls in 0..4 {
            let mut scope = Box::pin(task::scope(async |s| {
                let _body = Tells(&log, "body");
                for name in ["one", "two"] {
                    let value = Tells(&log, name);
                    s.spawn(async move {
                        let _value = value;
                        task::yield_now().await.unwrap();
                        pending::<()>().await;
                    });
                }
                pending::<()>().await;
            }));
            for _ in 0..polls {
                assert!(poll_once(scope.as_mut()).await.is_pending());
            }
            drop(scope);
            log.check(if polls == 0 {
                &[]
            } else {
                &["body", "one", "two"]
            });
        }
    });
}

#[test]
fn forgotten_scope_runs_no_more_and_frees_what_it_borrowed() {
    let drops = Drops::default();
    let polls = Rc::new(Cell::new(0));
    let wakers = Rc::new(RefCell::new(Vec::new()));
    let mut scheduler = Scheduler::new(VirtualDriver::new());
    scheduler.block_on(async {
        let borrowed = vec![drops.value()];
        let mut scope = Box::pin(task::scope(async |s| {
            s.spawn(poll_fn(|cx: &mut Context<'_>| {
                assert_eq!(borrowed.len(), 1);
                polls.set(polls.get() + 1);
                wakers.borrow_mut().push(cx.waker().clone());
                Poll::<()>::Pending
            }));
            pending::<()>().await;
        }));
        while polls.get() == 0 {
            assert!(poll_once(scope.as_mut()).await.is_pending());
        }
        #[expect(clippy::mem_forget, reason = "that is the test")]
        std::mem::forget(scope);
        drop(borrowed);
        assert_eq!(drops.count(), 1, "nothing keeps it");
        for waker in wakers.take() {
            waker.wake();
        }
        settle().await.unwrap();
        assert_eq!(polls.get(), 1);
    });
}

#[test]
fn wakers_outlive_the_scope_and_wake_from_other_threads() {
    run(async {
        let wakers = RefCell::new(Vec::new());
        task::scope(async |s| {
            let (flag, polls) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(0)));
            let child = {
                let (flag, polls, wakers) = (flag.clone(), polls.clone(), &wakers);
                s.spawn(async move { until(&flag, wakers, &polls).await })
            };
            settle().await.unwrap();
            flag.set(true);
            let waker = wakers.borrow()[0].clone();
            std::thread::spawn(move || waker.wake()).join().unwrap();
            child.await.unwrap();
            assert_eq!(polls.get(), 2);
        })
        .await;
        for waker in wakers.take() {
            std::thread::spawn(move || waker.wake()).join().unwrap();
        }
    });
}

#[test]
fn another_task_may_take_over_a_scope() {
    run(async {
        let scope = async {
            task::scope(async |s| {
                let child = s.spawn(async {
                    time::sleep(secs(2)).await.unwrap();
                    "slept"
                });
                child.await.unwrap()
            })
            .await
        };
        let mut scope = Box::pin(scope);
        assert!(poll_once(scope.as_mut()).await.is_pending());
        assert!(poll_once(scope.as_mut()).await.is_pending());
        let other = task::spawn(scope);
        assert_eq!(other.await.unwrap(), "slept");
    });
}

#[test]
fn handle_loses_races_and_is_awaited_later() {
    run(async {
        task::scope(async |s| {
            let mut child = s.spawn(async {
                time::sleep(secs(5)).await.unwrap();
                4
            });
            for _ in 0..3 {
                let tick = time::sleep(secs(1));
                let won = ringloop_core::future::race(&mut child, tick).await;
                assert!(won.right().is_some());
            }
            assert_eq!(child.await.unwrap(), 4);
        })
        .await;
    });
}

#[test]
fn finished_children_are_released_while_the_scope_runs() {
    run(async {
        let drops = Drops::default();
        task::scope(async |s| {
            for n in 1..=1000 {
                let value: Dropped = drops.value();
                s.spawn(async move { drop(value) });
                settle().await.unwrap();
                assert_eq!((s.len(), drops.count()), (0, n));
            }
        })
        .await;
    });
}

async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}
