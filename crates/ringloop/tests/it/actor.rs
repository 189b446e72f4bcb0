//! Actors: order, the end in each of its ways, and being made anew.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use ringloop::actor::{
    self, Actor, ActorError, AskError, Context, Reply, Restart, Supervision, TellError,
};
use ringloop::cancel::{CancelScope, shield};
use ringloop::testing::settle;
use ringloop::{Cancelled, group, sleep, spawn, time};

use crate::rig::run_virtual as run;

const MS: Duration = Duration::from_millis(1);

/// Who did what, in order.
#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    fn note(&self, what: impl ToString) {
        self.0.borrow_mut().push(what.to_string());
    }

    fn take(&self) -> String {
        self.0.borrow_mut().drain(..).collect::<Vec<_>>().join(" ")
    }
}

#[derive(Debug)]
struct Broken(&'static str);

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Broken {}

impl From<Cancelled> for Broken {
    fn from(_: Cancelled) -> Self {
        Self("cancelled")
    }
}

/// Notes what it does, and breaks when it is told.
struct Noter {
    log: Log,
    handled: u32,
}

#[derive(Debug)]
enum Message {
    Note(u32),
    Count(Reply<u32>),
    Wait(Duration, Reply<()>),
    Fail(Reply<()>),
    Panic(Reply<()>),
    Stop,
}

impl Noter {
    fn new(log: &Log) -> Self {
        Self {
            log: log.clone(),
            handled: 0,
        }
    }
}

impl Actor for Noter {
    type Message = Message;
    type Error = Broken;

    async fn started(&mut self, _: &Context<Message>) -> Result<(), Broken> {
        self.log.note("started");
        Ok(())
    }

    async fn handle(&mut self, message: Message, context: &Context<Message>) -> Result<(), Broken> {
        self.handled += 1;
        match message {
            Message::Note(number) => self.log.note(number),
            Message::Count(reply) => reply.send(self.handled),
            Message::Wait(duration, reply) => {
                sleep(duration).await?;
                self.log.note(format_args!("waited,{}", reply.is_closed()));
                reply.send(());
            }
            Message::Fail(_reply) => return Err(Broken("failed")),
            Message::Panic(_reply) => panic!("a panic of the actor"),
            Message::Stop => context.stop(),
        }
        Ok(())
    }

    async fn stopped(&mut self, _: &Context<Message>) -> Result<(), Broken> {
        shield(sleep(MS)).await?;
        self.log.note("stopped");
        Ok(())
    }
}

#[test]
fn a_stopped_actor_handles_what_it_was_told_and_comes_back() {
    for way in ["stop", "context", "drop"] {
        run(async {
            let log = Log::default();
            let (address, task) = actor::spawn(Noter::new(&log));
            for number in 1..=3 {
                address.tell(Message::Note(number)).await.unwrap();
            }
            assert_eq!(address.len(), 3);
            assert_eq!(address.ask(Message::Count).await.unwrap(), 4);
            assert_eq!(log.take(), "started 1 2 3");
            address.try_tell(Message::Note(5)).unwrap();
            let other = address.clone();
            match way {
                "stop" => address.stop(),
                "context" => address.tell(Message::Stop).await.unwrap(),
                _ => drop(address),
            }
            settle().await.unwrap();
            assert_eq!(other.is_stopped(), way != "drop");
            drop(other);
            let noter = task.await.unwrap().unwrap();
            assert_eq!(noter.handled, if way == "context" { 6 } else { 5 });
            assert_eq!(log.take(), "5 stopped");
        });
    }
}

#[test]
fn tellers_wait_for_room_in_order_and_learn_of_the_end() {
    run(async {
        let log = Log::default();
        let (address, inbox) = actor::inbox(1);
        address.try_tell(Message::Note(0)).unwrap();
        let full = address.try_tell(Message::Note(9)).unwrap_err();
        assert!(full.to_string().contains("`tell` waits for room"));
        assert!(matches!(full, TellError::Full(Message::Note(9))));
        let tell = |number| {
            let address = address.clone();
            spawn(async move { address.tell(Message::Note(number)).await })
        };
        let mut tellers: Vec<_> = (1..=3).map(tell).collect();
        settle().await.unwrap();
        tellers[1].cancel("not now");
        settle().await.unwrap();
        let error = tellers.remove(1).await.unwrap().unwrap_err();
        assert!(matches!(&error, TellError::Cancelled(Message::Note(2), _)));
        let task = spawn(inbox.run(Noter::new(&log)));
        settle().await.unwrap();
        assert_eq!(log.take(), "started 0 1 3");
        for teller in tellers {
            teller.await.unwrap().unwrap();
        }
        // Those who wait for room when the actor fails have their message back.
        let last = spawn({
            let address = address.clone();
            async move { address.ask(Message::Fail).await }
        });
        let [fourth, fifth] = [4, 5].map(tell);
        let error = task.await.unwrap().err().unwrap();
        assert_eq!(error.to_string(), "the actor failed: failed");
        assert!(matches!(last.await.unwrap(), Err(AskError::Unanswered)));
        fourth.await.unwrap().unwrap(); // There was room, and it is gone with the inbox.
        let error = fifth.await.unwrap().unwrap_err();
        assert!(matches!(error, TellError::Stopped(Message::Note(5))));
        let error = address.try_tell(Message::Note(6)).unwrap_err();
        assert!(matches!(error, TellError::Stopped(Message::Note(6))));
        assert!(matches!(
            address.ask(Message::Count).await,
            Err(AskError::Stopped)
        ));
    });
}

#[test]
fn a_cancelled_actor_ends_where_it_is() {
    for is_idle in [true, false] {
        run(async {
            let log = Log::default();
            let (address, task) = actor::spawn(Noter::new(&log));
            let ask = |duration| {
                let address = address.clone();
                spawn(async move { address.ask(|reply| Message::Wait(duration, reply)).await })
            };
            let askers = if is_idle {
                vec![]
            } else {
                vec![ask(9 * MS), ask(9 * MS)]
            };
            settle().await.unwrap();
            assert_eq!(log.take(), "started");
            task.cancel("enough");
            let error = task.await.unwrap().err().unwrap();
            assert!(matches!(error, ActorError::Cancelled(_)), "{error}");
            assert!(error.to_string().contains("enough"), "{error}");
            assert_eq!(log.take(), "stopped", "it may clean up");
            for asker in askers {
                assert!(matches!(asker.await.unwrap(), Err(AskError::Unanswered)));
            }
            assert!(address.is_stopped());
        });
    }
}

#[test]
fn an_asker_that_is_cancelled_waits_no_more() {
    run(async {
        let log = Log::default();
        let (address, task) = actor::spawn(Noter::new(&log));
        let ask = || address.ask(|reply| Message::Wait(9 * MS, reply));
        let body = async {
            let error = ask().await.unwrap_err();
            log.note(matches!(error, AskError::Cancelled(_)));
        };
        let left = CancelScope::new().deadline_in(MS).run(body).await;
        assert!(!left.is_cancelled(), "the body has dealt with it");
        ask().await.unwrap();
        assert_eq!(log.take(), "started true waited,true waited,false");
        drop(address);
        task.await.unwrap().unwrap();
    });
}

/// What is made anew after what.
#[test]
fn the_policy_says_what_an_actor_is_made_anew_after() {
    let restarts = [
        (Restart::Never, [false, false]),
        (Restart::OnError, [true, false]),
        (Restart::OnPanic, [false, true]),
        (Restart::Always, [true, true]),
    ];
    for (restart, is_made_anew) in restarts {
        for (is_panic, is_made_anew) in [false, true].into_iter().zip(is_made_anew) {
            run(async {
                let log = Log::default();
                let (address, inbox) = actor::inbox(8);
                let noter = log.clone();
                let task = spawn(inbox.supervise(Supervision::new(restart), move |failure| {
                    if let Some(failure) = failure {
                        noter.note(failure);
                    }
                    Noter::new(&noter)
                }));
                let failing = if is_panic {
                    Message::Panic
                } else {
                    Message::Fail
                };
                let (before, failing, after) = ringloop::future::join!(
                    address.ask(Message::Count),
                    address.ask(failing),
                    address.ask(Message::Count),
                )
                .await;
                assert_eq!(before.unwrap(), 1);
                assert!(matches!(failing, Err(AskError::Unanswered)));
                let said = if is_panic {
                    "a panic: a panic of the actor"
                } else {
                    "failed"
                };
                if is_made_anew {
                    assert_eq!(after.unwrap(), 1, "the inbox survives, the state does not");
                    address.stop();
                    assert_eq!(task.await.unwrap().unwrap().handled, 1);
                    assert_eq!(log.take(), format!("started {said} started stopped"));
                } else {
                    assert!(matches!(after, Err(AskError::Unanswered)));
                    let end = task.await;
                    assert_eq!(end.is_err_and(|error| error.is_panic()), is_panic);
                    assert_eq!(log.take(), "started", "who failed is not told of its end");
                }
            });
        }
    }
}

#[test]
fn restarts_have_a_limit_and_take_longer_each_time() {
    run(async {
        let supervision = Supervision::new(Restart::Always)
            .max_restarts(4, 1000 * MS)
            .backoff(10 * MS, 40 * MS);
        let (address, inbox) = actor::inbox(8);
        let begun = time::now();
        let log = Log::default();
        let noter = log.clone();
        let task = spawn(inbox.supervise(supervision, move |_| {
            noter.note((time::now() - begun).as_millis());
            actor::from_fn(async |()| Err::<(), _>(Broken("again")))
        }));
        for _ in 0..3 {
            address.tell(()).await.unwrap();
        }
        settle().await.unwrap();
        sleep(500 * MS).await.unwrap();
        assert_eq!(log.take(), "0 10 30 70");
        // Those are forgotten by then.
        sleep(600 * MS).await.unwrap();
        for _ in 0..5 {
            address.tell(()).await.unwrap();
        }
        let error = task.await.unwrap().err().unwrap();
        assert_eq!(log.take(), "1110 1130 1170 1210");
        let text = "the actor failed, after 7 restarts: again";
        assert_eq!(error.to_string(), text);
        assert!(address.is_stopped());
    });
}

#[test]
fn a_cancelled_actor_is_not_made_anew() {
    // While it waits for its next life, and in a hook that says so in its own words.
    for is_waiting in [true, false] {
        run(async {
            let supervision = Supervision::new(Restart::Always).backoff(10 * MS, 10 * MS);
            let (address, inbox) = actor::inbox(8);
            let log = Log::default();
            let noter = log.clone();
            let task = spawn(inbox.supervise(supervision, move |_| Noter::new(&noter)));
            let message: fn(Reply<()>) -> Message = if is_waiting {
                Message::Fail
            } else {
                |reply| Message::Wait(9 * MS, reply)
            };
            let asker = spawn(async move { address.ask(message).await });
            settle().await.unwrap();
            task.cancel("enough");
            let begun = time::now();
            let error = task.await.unwrap().err().unwrap();
            assert!(matches!(error, ActorError::Cancelled(_)), "{error}");
            assert!(matches!(asker.await.unwrap(), Err(AskError::Unanswered)));
            let (expected, took) = if is_waiting {
                ("started", 0)
            } else {
                ("started stopped", 1)
            };
            assert_eq!(log.take(), expected);
            assert_eq!((time::now() - begun).as_millis(), took);
        });
    }
}

#[test]
fn an_actor_in_a_group_fails_with_it() {
    run(async {
        let failed = group(async |g| {
            let (address, inbox) = actor::inbox(1);
            drop(g.spawn(inbox.run(Noter::new(&Log::default()))));
            drop(g.spawn(async { sleep(Duration::MAX).await.map_err(ActorError::Cancelled) }));
            let answer = address.ask(Message::Fail).await;
            assert!(answer.is_err());
            Ok(())
        });
        let error: ActorError<Broken> = failed.await.unwrap_err().into_single().unwrap();
        assert_eq!(error.to_string(), "the actor failed: failed");
    });
}

#[test]
fn groups_and_deadlines_know_their_cancellation_by_the_error() {
    for is_idle in [true, false] {
        run(async {
            let told = |address: &actor::Address<Message>| {
                let asking = address.clone();
                spawn(async move {
                    if !is_idle {
                        drop(asking.ask(|reply| Message::Wait(9 * MS, reply)).await);
                    }
                })
            };
            let log = Log::default();
            let body = group(async |g| {
                let (address, inbox) = actor::inbox(1);
                drop(told(&address));
                drop(g.spawn(inbox.run(Noter::new(&log))));
                settle().await.map_err(ActorError::<Broken>::Cancelled)?;
                g.cancel("enough");
                Ok(address)
            });
            assert!(body.await.unwrap().is_stopped());
            let (address, inbox) = actor::inbox(1);
            drop(told(&address));
            let elapsed = ringloop::timeout(MS, inbox.run(Noter::new(&log))).await;
            assert!(elapsed.is_err(), "it is the timeout that ended it");
            assert_eq!(log.take(), "started stopped started stopped");
        });
    }
}

#[test]
fn an_inbox_without_an_actor_takes_nothing() {
    let (address, inbox) = actor::inbox(1);
    address.try_tell(Message::Stop).unwrap();
    drop(inbox.run(Noter::new(&Log::default())));
    assert!(address.is_stopped() && address.is_empty());
    let error = address.try_tell(Message::Stop).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the handle of its task says how")
    );
}
