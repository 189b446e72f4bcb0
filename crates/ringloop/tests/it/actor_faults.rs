//! Actors that go wrong: panics, waits for themselves, ends within ends, and what others see of it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::mpsc;
use std::time::Duration;

use ringloop::actor::{self, Actor, ActorError, AskError, Context, Reply, Restart, Supervision};
use ringloop::cancel::shield;
use ringloop::observe::Report;
use ringloop::testing::settle;
use ringloop::{Runtime, sleep, spawn, task};

use crate::rig::run_virtual as run;

const MS: Duration = Duration::from_millis(1);

/// What the actor below does with a message.
type Act = Box<dyn AsyncAct>;

/// An async closure as a value.
trait AsyncAct {
    fn act<'a>(
        self: Box<Self>,
        context: &'a Context<Act>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), String>> + 'a>>;
}

impl<F> AsyncAct for F
where
    F: AsyncFnOnce(&Context<Act>) -> Result<(), String> + 'static,
{
    fn act<'a>(
        self: Box<Self>,
        context: &'a Context<Act>,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), String>> + 'a>> {
        Box::pin(async move { self(context).await })
    }
}

/// A question whose answer is `value`.
fn answer<R: 'static>(value: R) -> impl FnOnce(Reply<R>) -> Act {
    |reply| {
        act(async move |_| {
            reply.send(value);
            Ok(())
        })
    }
}

fn act(act: impl AsyncFnOnce(&Context<Act>) -> Result<(), String> + 'static) -> Act {
    Box::new(act)
}

/// Does what it is told, and something at its end.
struct Puppet<S>(S);

impl<S: AsyncFnMut() -> Result<(), String>> Actor for Puppet<S> {
    type Message = Act;
    type Error = String;

    async fn handle(&mut self, message: Act, context: &Context<Act>) -> Result<(), String> {
        message.act(context).await
    }

    async fn stopped(&mut self, _: &Context<Act>) -> Result<(), String> {
        (self.0)().await
    }
}

fn puppet() -> impl Actor<Message = Act, Error = String> {
    Puppet(async || Ok(()))
}

#[test]
fn who_waits_for_an_actor_that_panics_is_told() {
    run(async {
        let (address, inbox) = actor::inbox(1);
        let task = spawn(inbox.run(puppet()));
        let ask = |what: Box<dyn FnOnce(Reply<()>) -> Act>| {
            let address = address.clone();
            spawn(async move { address.ask(what).await })
        };
        let first = ask(Box::new(|_reply| act(async |_| panic!("over the message"))));
        let in_the_inbox = ask(Box::new(answer(())));
        let waits_for_room = ask(Box::new(answer(())));
        assert!(task.await.is_err_and(|error| error.is_panic()));
        for asker in [first, in_the_inbox] {
            assert!(matches!(asker.await.unwrap(), Err(AskError::Unanswered)));
        }
        let last = waits_for_room.await.unwrap();
        assert!(matches!(last, Err(AskError::Stopped)));
    });
}

#[test]
fn an_actor_may_cancel_itself() {
    run(async {
        let (address, task) = actor::spawn(puppet());
        address
            .tell(act(async |_| {
                task::current().unwrap().cancel("of itself");
                Ok(()) // Who does not wait is not told.
            }))
            .await
            .unwrap();
        let error = task.await.unwrap().err().unwrap();
        assert_eq!(error.to_string(), "the actor was cancelled: of itself");
    });
}

#[test]
fn a_cancelled_actor_takes_no_message_as_it_cleans_up() {
    run(async {
        let log = Rc::new(RefCell::new(Vec::new()));
        let noted = Rc::clone(&log);
        let (address, task) = actor::spawn(Puppet(async move || {
            shield(sleep(9 * MS)).await.unwrap();
            noted.borrow_mut().push("cleaned up");
            Ok(())
        }));
        settle().await.unwrap();
        let asker = spawn({
            let (address, log) = (address.clone(), Rc::clone(&log));
            async move {
                let answer = address.ask(answer(())).await;
                log.borrow_mut().push("asked");
                answer
            }
        });
        // It is told before it can look at the question.
        task::yield_now().await.unwrap();
        task.cancel("enough");
        sleep(MS).await.unwrap();
        assert!(!task.is_finished());
        assert!(address.is_stopped() && address.is_empty());
        let late = address.tell(act(async |_| Ok(()))).await;
        assert!(late.is_err_and(|error| error.is_stopped()));
        assert!(matches!(task.await.unwrap(), Err(ActorError::Cancelled(_))));
        let _either = asker.await.unwrap();
        assert_eq!(*log.borrow(), ["asked", "cleaned up"]);
    });
}

#[test]
fn who_fails_at_its_end_is_not_made_anew() {
    for is_panic in [false, true] {
        for is_cancelled in [false, true] {
            run(async {
                let lives = Rc::new(Cell::new(0));
                let counted = Rc::clone(&lives);
                let (address, inbox) = actor::inbox(1);
                let supervision = Supervision::new(Restart::Always);
                let task = spawn(inbox.supervise(supervision, move |_| {
                    counted.set(counted.get() + 1);
                    Puppet(async move || {
                        assert!(!is_panic, "at the end");
                        Err("at the end".to_owned())
                    })
                }));
                settle().await.unwrap();
                if is_cancelled {
                    task.cancel("enough");
                } else {
                    address.stop();
                }
                match task.await {
                    Err(error) => assert!(is_panic && error.is_panic()),
                    Ok(Err(ActorError::Failed { error, .. })) => {
                        assert!(!is_cancelled && !is_panic);
                        assert_eq!(error, "at the end");
                    }
                    Ok(end) => {
                        assert!(is_cancelled && matches!(end, Err(ActorError::Cancelled(_))));
                    }
                }
                assert_eq!(lives.get(), 1);
            });
        }
    }
}

#[test]
fn restarts_are_counted_for_life() {
    run(async {
        let supervision = Supervision::new(Restart::OnError)
            .max_restarts(2, Duration::MAX)
            .backoff(MS, Duration::MAX);
        let (address, inbox) = actor::inbox(1);
        let task = spawn(inbox.supervise(supervision, |_| {
            actor::from_fn(async |()| Err::<(), _>("again"))
        }));
        for _ in 0..3 {
            address.tell(()).await.unwrap();
            sleep(Duration::from_secs(3600)).await.unwrap();
        }
        let error = task.await.unwrap().err().unwrap();
        assert_eq!(
            error.to_string(),
            "the actor failed, after 2 restarts: again"
        );
    });
}

#[test]
fn a_storm_of_restarts_lets_others_run_and_heeds_a_cancellation() {
    run(async {
        let supervision = Supervision::new(Restart::Always).max_restarts(usize::MAX, Duration::MAX);
        let (address, inbox) = actor::inbox(1);
        let lives = Rc::new(Cell::new(0));
        let counted = Rc::clone(&lives);
        let task = spawn(inbox.supervise(supervision, move |_| {
            counted.set(counted.get() + 1);
            Stillborn
        }));
        while lives.get() < 1000 {
            let before = lives.get();
            task::yield_now().await.unwrap();
            assert!(lives.get() <= before + 1, "others have their turns");
        }
        task.cancel("enough");
        assert!(matches!(task.await.unwrap(), Err(ActorError::Cancelled(_))));
        assert!(address.is_stopped());
    });
}

struct Stillborn;

impl Actor for Stillborn {
    type Message = ();
    type Error = ();

    async fn started(&mut self, _: &Context<()>) -> Result<(), ()> {
        Err(())
    }

    async fn handle(&mut self, (): (), _: &Context<()>) -> Result<(), ()> {
        Ok(())
    }
}

#[test]
fn a_reply_may_be_answered_elsewhere_or_dropped() {
    run(async {
        let (address, task) = actor::spawn(puppet());
        let elsewhere = address.ask(|reply| {
            act(async move |_| {
                drop(spawn(async move {
                    sleep(MS).await.unwrap();
                    reply.send("later");
                }));
                Ok(())
            })
        });
        assert_eq!(elsewhere.await.unwrap(), "later");
        let dropped = address.ask(|reply: Reply<()>| {
            act(async move |_| {
                drop(reply);
                Ok(())
            })
        });
        assert!(matches!(dropped.await, Err(AskError::Unanswered)));
        drop(address);
        assert!(task.await.unwrap().is_ok());
    });
}

/// Runs in debug mode or not, and returns what was reported of deadlocks.
fn deadlocks(is_debug: bool, main: impl Future<Output = ()>) -> Vec<String> {
    let (sender, reports) = mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let builder = Runtime::builder().scheduler(|scheduler| {
        let scheduler = scheduler.debug(Some(is_debug)).watchdog(Duration::MAX);
        scheduler.on_report(move |report| {
            if let Report::Deadlock { tasks, text } = report {
                assert_eq!(tasks.len(), 1);
                sender.lock().unwrap().send(text.clone()).unwrap();
            }
        })
    });
    builder.build().unwrap().block_on(main);
    reports.try_iter().collect()
}

#[test]
fn an_actor_that_waits_for_itself_is_reported_in_debug_mode() {
    type Wait = fn() -> Act;
    let asks: Wait = || {
        act(async |context| {
            let ask = context.address();
            let answer = ask.ask(answer(())).await;
            answer.map_err(|error| error.to_string())
        })
    };
    let tells: Wait = || {
        act(async |context| {
            let address = context.address();
            address.try_tell(act(async |_| Ok(()))).unwrap();
            let told = address.tell(act(async |_| Ok(()))).await;
            told.map_err(|error| error.to_string())
        })
    };
    for (wait, what) in [(asks, "it asks"), (tells, "its inbox is full")] {
        for is_debug in [false, true] {
            let reports = deadlocks(is_debug, async {
                let (address, inbox) = actor::inbox(1);
                let task = task::Builder::new()
                    .name("loner")
                    .spawn(inbox.run(puppet()));
                address.tell(wait()).await.unwrap();
                settle().await.unwrap();
                assert!(!task.is_finished());
                task.cancel("it can be helped");
                assert!(matches!(task.await.unwrap(), Err(ActorError::Cancelled(_))));
            });
            assert_eq!(reports.len(), usize::from(is_debug));
            for report in reports {
                assert!(report.starts_with("deadlock: an actor waits for itself, in task"));
                let says = [what, "\"loner\"", file!()].map(|part| report.contains(part));
                assert_eq!(says, [true; 3], "{report}");
            }
        }
    }
}

#[test]
fn waits_for_other_actors_are_no_deadlocks() {
    let reports = deadlocks(true, async {
        let (address, inbox) = actor::inbox(1);
        let other = spawn(inbox.run(puppet()));
        let (front, task) = actor::spawn(puppet());
        let behind = address.clone();
        let ask = front.ask(|reply| {
            act(async move |_| {
                for _ in 0..3 {
                    behind.tell(act(async |_| Ok(()))).await.unwrap();
                }
                reply.send(behind.ask(answer(7)).await);
                Ok(())
            })
        });
        // Also from within the task of the actor, but not from within its hook.
        let (near, inbox) = actor::inbox(1);
        let both = async {
            let asked = near.ask(answer(8)).await;
            near.stop();
            asked
        };
        let (asked, near) = ringloop::future::join(ask, async {
            ringloop::future::join(inbox.run(puppet()), both).await.1
        })
        .await;
        assert_eq!((asked.unwrap().unwrap(), near.unwrap()), (7, 8));
        drop((front, address));
        assert!(task.await.unwrap().is_ok());
        assert!(other.await.unwrap().is_ok());
    });
    assert_eq!(reports, Vec::<String>::new());
}

/// Notes its end.
struct Ends(Rc<Cell<u32>>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[test]
fn actors_that_hold_each_other_end_with_their_runtime() {
    let ends = Rc::new(Cell::new(0));
    let cleaned = Rc::new(Cell::new(0));
    let mut runtime = Runtime::new().unwrap();
    let kept = runtime.block_on(async {
        let [left, right] = [actor::inbox(1), actor::inbox(1)];
        let others = [right.0.clone(), left.0.clone()];
        let kept = left.0.clone();
        drop((left.0, right.0));
        for (inbox, other) in [left.1, right.1].into_iter().zip(others) {
            let ends = Ends(Rc::clone(&ends));
            let cleaned = Rc::clone(&cleaned);
            drop(spawn(inbox.run(Puppet(async move || {
                let _held = (&ends, &other);
                cleaned.set(cleaned.get() + 1);
                Ok(())
            }))));
        }
        settle().await.unwrap();
        kept
    });
    assert_eq!(ends.get(), 0, "each keeps the other one");
    let report = runtime.shutdown();
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.cancelled, 2);
    assert_eq!((cleaned.get(), ends.get()), (2, 2));
    // The address is of nobody, and harmless.
    assert!(kept.is_stopped());
    let late = kept.try_tell(act(async |_| Ok(())));
    assert!(late.is_err_and(|error| error.is_stopped()));
}
