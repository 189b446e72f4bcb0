//! Groups that are cancelled: by themselves, and by what is around them.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use ringloop_task::cancel::{
    CancelScope, Cancelled, ReasonKind, ScopeExit, check_cancelled, shield,
};
use ringloop_task::group::{GroupError, group};
use ringloop_task::testing::settle;
use ringloop_task::{task, time};

use crate::driver::{Drops, Log, collected, run, secs};
use crate::group::Failure;

#[test]
fn cancel_is_a_clean_early_exit() {
    run(async {
        let drops = Drops::default();
        let value = drops.value();
        let result = group(async |g| {
            let child = g.spawn(async move {
                let _value = value;
                let cancelled = time::sleep(Duration::MAX).await.unwrap_err();
                assert_eq!(cancelled.reason().kind(), ReasonKind::Group);
                shield(time::sleep(secs(2))).await?;
                Err::<(), _>(cancelled)
            });
            task::yield_now().await?;
            assert!(g.cancel("enough"));
            assert!(!g.cancel("again"));
            assert!(g.is_cancelled());
            let told = task::yield_now().await.unwrap_err();
            assert_eq!(told.reason().text(), "enough");
            let error = child.await.unwrap_err();
            assert_eq!(error.reason().unwrap().text(), "enough");
            Ok::<_, Cancelled>("value")
        });
        assert_eq!(result.await.unwrap(), "value");
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn body_that_ended_by_the_cancel_of_its_group_has_no_value() {
    run(async {
        let result = group(async |g| {
            g.cancel("enough");
            task::yield_now().await?;
            Ok::<(), Cancelled>(())
        });
        let error = result.await.unwrap_err();
        assert!(error.is_cancelled() && error.errors().is_empty());
        assert_eq!(error.cancelled().unwrap().reason().text(), "enough");
        assert_eq!(error.to_string(), "the group was cancelled: enough");
        assert!(Cancelled::from(error).to_string().ends_with("enough"));
        task::yield_now().await.expect("nothing else is cancelled");
    });
}

#[test]
fn cancel_before_the_first_poll_of_the_body() {
    run(async {
        let result = group(|g: &ringloop_task::group::TaskGroup<Cancelled>| {
            g.cancel("at once");
            async { task::yield_now().await }
        });
        assert!(result.await.unwrap_err().is_cancelled());
    });
}

#[test]
fn child_that_is_spawned_into_a_cancelled_group_runs_to_its_first_wait() {
    for is_eager in [false, true] {
        run(async move {
            let log = Log::default();
            let result = group(async |g| {
                g.cancel("enough");
                let lines = log.clone();
                let builder = task::Builder::new().eager(is_eager);
                let child = builder.spawn_in(g, async move {
                    lines.add("runs");
                    task::yield_now().await?;
                    lines.add("not here");
                    Ok(())
                });
                assert_eq!(child.is_finished(), is_eager);
                assert!(child.await.unwrap_err().is_cancelled());
                Ok::<_, Cancelled>(())
            });
            result.await.unwrap();
            log.check(&["runs"]);
        });
    }
}

#[test]
fn eager_child_may_end_fail_cancel_or_spawn_inside_the_spawn() {
    for act in 0..6 {
        run(async move {
            let result = group(async |g| {
                let inner = g.clone();
                let builder = task::Builder::new().eager(true);
                let child = builder.spawn_in(g, async move {
                    match act {
                        0 => {}
                        1 => return Err(Failure::Text("oops")),
                        2 => drop(inner.cancel("enough")),
                        3 => {
                            inner.cancel("enough");
                            time::sleep(Duration::MAX).await?;
                        }
                        4 => drop(inner.spawn(async { Ok(time::sleep(secs(1)).await?) })),
                        _ => {
                            // The slot of the inner child is vacant before this one is entered.
                            let again = task::Builder::new().eager(true);
                            drop(again.spawn_in(&inner, async { Ok(()) }));
                            drop(inner.spawn(async { Ok(time::sleep(secs(1)).await?) }));
                            time::sleep(secs(2)).await?;
                        }
                    }
                    Ok(())
                });
                assert_eq!(child.is_finished(), act != 5);
                assert_eq!(g.is_cancelled(), matches!(act, 1..=3));
                Ok(())
            });
            let result: Result<(), GroupError<Failure>> = result.await;
            assert_eq!(result.is_err(), act == 1, "{act}");
        });
    }
}

#[test]
fn outer_timeout_reaches_body_and_children_and_recognizes_its_own() {
    for wait in 0..4 {
        run(async move {
            let log = Log::default();
            let before = time::now();
            let members = group(async |g| {
                let lines = log.clone();
                let child = g.spawn(async move {
                    let cancelled = time::sleep(Duration::MAX).await.unwrap_err();
                    shield(time::sleep(secs(2))).await?;
                    lines.add(cancelled.reason().kind() == ReasonKind::Deadline);
                    Err::<(), _>(cancelled)
                });
                match wait {
                    0 => time::sleep(Duration::MAX).await?,
                    1 => drop(child.await),
                    2 => pending::<()>().await,
                    _ => return Ok(()),
                }
                task::yield_now().await
            });
            let elapsed = time::timeout(secs(1), members).await;
            // The body's value is there if it had one before.
            assert_eq!(elapsed.is_err(), wait != 3, "{wait}");
            assert_eq!(time::now() - before, secs(3));
            log.check(&["true"]);
            task::yield_now().await.expect("nothing else is cancelled");
        });
    }
}

#[test]
fn the_same_in_a_collection_of_futures() {
    run(async {
        let members = collected(group(async |g| {
            g.spawn(time::sleep(Duration::MAX));
            pending::<()>().await;
            Ok::<_, Cancelled>(())
        }));
        assert!(time::timeout(secs(1), members).await.is_err());
        let draining = collected(group(async |g| {
            g.spawn(time::sleep(Duration::MAX));
            Ok::<_, Cancelled>(7)
        }));
        let value = time::timeout(secs(1), draining).await.unwrap();
        assert_eq!(value.unwrap(), 7);
    });
}

#[test]
fn outer_cancellation_that_comes_while_children_drain_survives() {
    run(async {
        let child = task::spawn(async {
            let drained = group(async |g| {
                g.spawn(async {
                    time::sleep(Duration::MAX).await.unwrap_err();
                    shield(time::sleep(secs(5))).await
                });
                g.cancel("own");
                Ok::<_, Cancelled>("value")
            });
            let value = drained.await.unwrap();
            (value, task::yield_now().await.unwrap_err())
        });
        time::sleep(secs(1)).await.unwrap();
        child.cancel("outer");
        let (value, cancelled) = child.await.unwrap();
        assert_eq!(value, "value");
        assert_eq!(cancelled.reason().text(), "outer");
    });
}

#[test]
fn errors_outrank_a_pending_outer_cancellation() {
    for is_child in [false, true] {
        run(async move {
            let scope = CancelScope::new();
            let token = scope.token();
            let exit = scope.run(async {
                let result = group(async |g| {
                    if is_child {
                        g.spawn(async {
                            time::sleep(Duration::MAX).await.unwrap_err();
                            Err::<(), _>(Failure::Text("oops"))
                        });
                    }
                    token.cancel("outer");
                    let cancelled = time::sleep(Duration::MAX).await.unwrap_err();
                    let failure = if is_child {
                        cancelled.into()
                    } else {
                        Failure::Text("oops")
                    };
                    Err::<(), _>(failure)
                });
                let error = result.await.unwrap_err();
                assert!(matches!(error.errors(), [Failure::Text("oops")]));
                assert!(task::yield_now().await.is_err(), "it stays pending");
                error
            });
            assert!(matches!(exit.await, ScopeExit::Done(_)));
        });
    }
}

#[test]
fn error_of_the_body_is_not_taken_for_what_a_child_was_told() {
    run(async {
        let result = time::timeout(
            secs(1),
            group(async |g| {
                let child = g.spawn(async {
                    let cancelled = time::sleep(Duration::MAX).await.unwrap_err();
                    shield(time::sleep(secs(5))).await?;
                    Err::<(), _>(Failure::from(cancelled))
                });
                g.spawn(async {
                    shield(time::sleep(secs(4))).await?;
                    Err::<(), _>(Failure::Text("later"))
                });
                // Passes the request on, waits until it is told, and leaves.
                let mut child = pin!(child);
                poll_fn(|cx| {
                    assert!(child.as_mut().poll(cx).is_pending());
                    match check_cancelled() {
                        Ok(()) => Poll::Pending,
                        Err(_) => Poll::Ready(()),
                    }
                })
                .await;
                shield(time::sleep(secs(1))).await?;
                Err::<(), _>(Failure::Text("real"))
            }),
        );
        let error = result.await.unwrap().unwrap_err();
        let errors = error.errors();
        assert!(matches!(
            errors,
            [Failure::Text("real"), Failure::Text("later")]
        ));
    });
}

#[test]
fn handles_of_cancelled_children_do_not_look_like_failures() {
    /// Keeps the error of the join.
    #[derive(Debug)]
    struct Joined(#[expect(dead_code, reason = "it is kept alive")] task::JoinError);
    impl From<Cancelled> for Joined {
        fn from(_: Cancelled) -> Self {
            unreachable!("the waits of this test are for tasks")
        }
    }
    for by_body in [false, true] {
        run(async move {
            let result = group(async |g| {
                let child = g.spawn(async {
                    pending::<()>().await;
                    Ok(())
                });
                let middle = g.spawn(async { child.await.map_err(Joined) });
                task::yield_now().await?;
                g.cancel("enough");
                if by_body {
                    middle.await.map_err(Joined)?;
                }
                Ok::<_, Joined>(())
            });
            let result = result.await;
            assert_eq!(result.is_ok(), !by_body);
            if let Err(error) = result {
                assert!(error.is_cancelled(), "{error:?}");
            }
        });
    }
}

#[test]
fn nested_groups_pass_cancellation_on_and_stay_silent() {
    for depth in 1..6 {
        run(async move {
            async fn nested(depth: u32, drops: Drops) -> Result<(), GroupError<Failure>> {
                group(async |g| {
                    let value = drops.value();
                    if depth > 0 {
                        let drops = drops.clone();
                        g.spawn(async move {
                            let _value = value;
                            match Box::pin(nested(depth - 1, drops)).await {
                                Err(error) => match error.cancelled() {
                                    Some(cancelled) => Err(cancelled.clone().into()),
                                    None => Err(Failure::Text("errors")),
                                },
                                Ok(()) => Ok(()),
                            }
                        });
                    }
                    time::sleep(Duration::MAX).await?;
                    Ok(())
                })
                .await
            }
            let drops = Drops::default();
            let result = time::timeout(secs(1), nested(depth, drops.clone())).await;
            assert!(result.is_err(), "it is the timeout's own: {result:?}");
            assert_eq!(drops.count(), depth + 1);
        });
    }
}

#[test]
fn shielded_group_is_not_told() {
    run(async {
        let child = task::spawn(shield(group(async |g| {
            g.spawn(time::sleep(secs(5)));
            time::sleep(secs(3)).await
        })));
        task::yield_now().await.unwrap();
        child.cancel("enough");
        assert!(child.await.unwrap().is_ok());
    });
}

#[test]
fn handle_that_escapes_does_not_keep_a_cancellation_alive() {
    run(async {
        let mut escaped = None;
        let value = time::timeout(secs(1), async {
            let result = group(async |g| {
                escaped = Some(g.clone());
                time::sleep(Duration::MAX).await
            });
            assert!(result.await.unwrap_err().is_cancelled());
            7
        });
        assert_eq!(value.await, Ok(7));
        assert!(escaped.unwrap().is_over());
    });
}

#[test]
fn cancellation_is_recognized_in_what_children_and_body_return() {
    for place in 0..4 {
        run(async move {
            let members = group(async |g| {
                let child = g.spawn(async { Ok(time::sleep(Duration::MAX).await) });
                let (place, own) = (place % 2, place / 2 == 1);
                if own {
                    g.cancel("own");
                }
                let told = if place == 0 {
                    time::sleep(Duration::MAX).await
                } else {
                    child.await.unwrap()
                };
                if own {
                    told?;
                    return Ok(Ok(()));
                }
                Ok::<_, Cancelled>(told)
            });
            let result = time::timeout(secs(1), members).await;
            match result {
                // The timeout finds what it told, whoever was told and wherever it is.
                Err(_) => assert!(place < 2),
                Ok(result) => assert!(place >= 2 && result.unwrap_err().is_cancelled()),
            }
        });
    }
}

#[test]
fn outer_cancellation_outranks_that_of_the_group() {
    run(async {
        let members = group(async |g| {
            g.spawn(shield(time::sleep(secs(5))));
            g.cancel("own");
            task::yield_now().await
        });
        assert!(time::timeout(secs(1), members).await.is_err());
    });
}

/// Tasks of which each awaits the next, by hand or by `gather`.
fn chain(len: usize, gathers: bool) -> task::JoinHandle<Result<(), Cancelled>> {
    let innermost = task::spawn(time::sleep(Duration::MAX));
    (0..len).fold(innermost, |inner, _| {
        task::spawn(async move {
            let result = if gathers {
                task::gather([inner]).await.remove(0)
            } else {
                inner.await
            };
            result.expect("it is told, and not dropped")
        })
    })
}

#[test]
fn request_that_went_through_a_chain_of_tasks_is_recognized_where_it_came_from() {
    for len in 0..5 {
        for gathers in [false, true] {
            run(async move {
                let bounded = time::timeout(secs(1), chain(len, gathers));
                assert!(bounded.await.is_err(), "{len} {gathers}");
                let result = group(async |g| {
                    let (outermost, killer) = (chain(len, gathers), g.clone());
                    g.spawn(async move {
                        time::sleep(secs(1)).await?;
                        killer.cancel("enough");
                        Ok(())
                    });
                    outermost.await.unwrap()
                });
                assert!(result.await.unwrap_err().is_cancelled());
                let result = group(async |g| {
                    let outermost = chain(len, gathers);
                    // Recognized by the member that awaits it, or it would have failed.
                    g.spawn(async move { outermost.await.unwrap() });
                    time::sleep(secs(1)).await?;
                    g.cancel("enough");
                    Ok::<_, Cancelled>(())
                });
                result.await.unwrap();
            });
        }
    }
}

#[test]
fn long_chain_of_tasks_is_cancelled_without_recursion() {
    run(async {
        let outermost = chain(50_000, false);
        settle().await.unwrap();
        outermost.cancel("enough");
        let cancelled = outermost.await.unwrap().unwrap_err();
        assert_eq!(cancelled.reason().text(), "enough");
        drop(cancelled);
    });
}
