//! A scheduler that lives inside another loop, one turn at a time.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use ringloop_core::{Driver, Unpark, Unparker};
use ringloop_task::cancel::Cancelled;
use ringloop_task::task::JoinHandle;
use ringloop_task::{Scheduler, is_running, task, time};

use crate::driver::{Drops, Log, secs};

/// The clock of the host, and how long the turns were allowed to sleep.
#[derive(Clone)]
struct Clock {
    now: Rc<Cell<Instant>>,
    parks: Rc<RefCell<Vec<Option<Duration>>>>,
}

/// A driver that never sleeps: the host does. An unpark is an event of the host.
struct HostDriver {
    clock: Clock,
    events: Sender<Event>,
}

#[derive(Debug, PartialEq, Eq)]
enum Event {
    Wake,
    Key(u32),
}

struct Post(Sender<Event>);

impl Unpark for Post {
    fn unpark(&self) {
        // The host may be gone already.
        drop(self.0.send(Event::Wake));
    }
}

impl Driver for HostDriver {
    fn now(&self) -> Instant {
        self.clock.now.get()
    }

    fn park(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.clock.parks.borrow_mut().push(timeout);
        Ok(())
    }

    fn unparker(&self) -> Unparker {
        Unparker::new(std::sync::Arc::new(Post(self.events.clone())))
    }
}

struct Host {
    scheduler: Scheduler<HostDriver>,
    clock: Clock,
    sender: Sender<Event>,
    events: Receiver<Event>,
}

impl Host {
    fn new() -> Self {
        Self::with_budget(256)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a driver is where the time comes from"
    )]
    fn with_budget(budget: usize) -> Self {
        let (sender, events) = channel();
        let clock = Clock {
            now: Rc::new(Cell::new(Instant::now())),
            parks: Rc::default(),
        };
        let driver = HostDriver {
            clock: clock.clone(),
            events: sender.clone(),
        };
        let scheduler = Scheduler::builder().poll_budget(budget).build(driver);
        Self {
            scheduler,
            clock,
            sender,
            events,
        }
    }

    fn turn(&mut self) -> ringloop_task::Turn {
        self.scheduler
            .turn(Some(Duration::ZERO))
            .expect("the driver never fails")
    }

    /// Turns until nothing is ready.
    fn settle(&mut self) {
        while self.turn().has_work {}
        while self.events.try_recv().is_ok() {}
    }

    fn woken(&self) -> bool {
        self.events.try_recv() == Ok(Event::Wake)
    }
}

#[test]
fn foreign_loop_drives_tasks_timers_and_wakes_of_threads() {
    let log = Log::default();
    let mut host = Host::new();
    let start = host.clock.now.get();
    let keys = Rc::new(RefCell::new(Vec::new()));
    let (seen, lines) = (Rc::clone(&keys), log.clone());
    let mut program = host.scheduler.spawn(async move {
        time::sleep(secs(5)).await?;
        lines.add("slept");
        // A thread wakes the task, and with it the host.
        let (setter, postbox) = ringloop_core::remote_postbox();
        let thread = std::thread::spawn(move || setter.set(7).unwrap());
        lines.add(postbox.await.unwrap());
        thread.join().unwrap();
        while seen.borrow().is_empty() {
            task::yield_now().await?;
        }
        Ok::<u32, Cancelled>(seen.borrow()[0])
    });
    let result = loop {
        let turn = host.turn();
        if let Some(result) = program.try_result() {
            break result;
        }
        if turn.has_work {
            host.sender.send(Event::Key(9)).unwrap();
        } else if let Some(deadline) = turn.next_deadline {
            // Nothing else can happen in this host: it is as if it had slept.
            host.clock.now.set(deadline);
            continue;
        }
        match host.events.recv().unwrap() {
            Event::Wake => {}
            Event::Key(key) => keys.borrow_mut().push(key),
        }
    };
    assert_eq!(result.unwrap().unwrap(), 9);
    assert_eq!(host.clock.now.get() - start, secs(5));
    log.check(&["slept", "7"]);
    let parks = host.clock.parks.borrow();
    assert!(parks.iter().all(|park| *park == Some(Duration::ZERO)));
}

#[test]
fn a_turn_polls_a_snapshot_within_the_budget() {
    let mut host = Host::with_budget(2);
    for _ in 0..3 {
        drop(host.scheduler.spawn(async { task::yield_now().await }));
    }
    let polled: Vec<_> = (0..4)
        .map(|_| {
            let turn = host.turn();
            (turn.polled, turn.has_work)
        })
        .collect();
    assert_eq!(polled, [(2, true), (2, true), (2, false), (0, false)]);
}

#[test]
fn a_turn_sleeps_no_longer_than_it_may() {
    let bound = Some(secs(3));
    // (the timer that waits, whether work is left, what the host allows, what the driver gets)
    let cases = [
        (None, false, None, None),
        (None, false, bound, bound),
        (Some(2), false, None, Some(secs(2))),
        (Some(2), false, bound, Some(secs(2))),
        (Some(9), false, bound, bound),
        (Some(9), false, Some(Duration::ZERO), Some(Duration::ZERO)),
        (Some(9), true, bound, Some(Duration::ZERO)),
        (None, true, None, Some(Duration::ZERO)),
    ];
    for (timer, has_work, allowed, expected) in cases {
        let mut host = Host::new();
        if let Some(timer) = timer {
            drop(host.scheduler.spawn(time::sleep(secs(timer))));
            host.settle();
        }
        if has_work {
            drop(host.scheduler.spawn(task::yield_now()));
        }
        let turn = host.scheduler.turn(allowed).unwrap();
        let park = host.clock.parks.borrow().last().copied().unwrap();
        assert_eq!(park, expected, "{timer:?} {has_work} {allowed:?}");
        assert_eq!(turn.has_work, has_work);
        let now = host.clock.now.get();
        let deadline = timer.map(|timer| now + secs(timer));
        assert_eq!(turn.next_deadline, deadline);
        let timeout = if has_work {
            Some(Duration::ZERO)
        } else {
            turn.next_deadline.map(|deadline| deadline - now)
        };
        assert_eq!(turn.timeout(now), timeout);
    }
}

/// What can make work between turns, and whether the host has to be told.
#[test]
fn whatever_makes_work_between_turns_wakes_the_host() {
    type Act = fn(&mut Host, &Rc<RefCell<Option<Waker>>>, &mut Option<JoinHandle<()>>);
    let acts: [(&str, Act); 10] = [
        ("wake", |_, waker, _| waker.take().unwrap().wake()),
        ("wake by reference", |_, waker, _| {
            waker.borrow().as_ref().unwrap().wake_by_ref();
        }),
        ("wake elsewhere", |_, waker, _| {
            let waker = waker.take().unwrap();
            std::thread::spawn(move || waker.wake()).join().unwrap();
        }),
        ("cancel", |_, _, handle| {
            assert!(handle.as_ref().unwrap().cancel("enough"));
        }),
        ("abort", |_, _, handle| handle.as_ref().unwrap().abort()),
        ("spawn", |host, _, _| drop(host.scheduler.spawn(async {}))),
        ("spawn inside", |host, _, _| {
            host.scheduler.enter(|| drop(task::spawn(async {})));
        }),
        ("call", |host, _, _| {
            host.scheduler.remote().call_soon(|| {}).unwrap();
        }),
        ("remote spawn", |host, _, _| {
            drop(host.scheduler.remote().spawn(|| async {}).unwrap());
        }),
        ("stop", |host, _, _| host.scheduler.remote().stop().unwrap()),
    ];
    for (name, act) in acts {
        let mut host = Host::new();
        let waker = Rc::new(RefCell::new(None));
        let keep = Rc::clone(&waker);
        let mut handle = Some(host.scheduler.spawn(async move {
            poll_fn(|cx| {
                *keep.borrow_mut() = Some(cx.waker().clone());
                Poll::<()>::Pending
            })
            .await;
        }));
        host.settle();
        assert_eq!(host.turn().polled, 0, "{name}: idle");
        assert!(!host.woken(), "{name}: idle");
        act(&mut host, &waker, &mut handle);
        assert!(host.woken(), "{name}: the host is told");
        let turn = host.turn();
        let has_done_something = turn.polled + u64::from(turn.stop_requested) > 0;
        let is_call = name == "call";
        let has_ended = handle.is_some_and(|handle| handle.is_finished());
        assert!(has_done_something || is_call || has_ended, "{name}");
    }
}

#[test]
fn an_earlier_timer_wakes_the_host_and_a_later_one_does_not() {
    let mut host = Host::new();
    let file = |host: &mut Host, after: u64| {
        // Polled once by hand, inside: files a timer and makes nothing ready.
        host.scheduler.enter(|| {
            let mut sleep = Box::pin(time::sleep(secs(after)));
            let mut cx = Context::from_waker(Waker::noop());
            assert!(sleep.as_mut().poll(&mut cx).is_pending());
            sleep
        })
    };
    let _first = file(&mut host, 5);
    assert!(host.woken());
    let _later = file(&mut host, 6);
    assert!(!host.woken());
    let _earlier = file(&mut host, 4);
    assert!(host.woken());
}

#[test]
fn handles_work_between_turns() {
    let mut host = Host::new();
    let drops = Drops::default();
    let value = drops.value();
    let detached = host.scheduler.spawn(async move { value });
    host.settle();
    assert!(detached.is_finished());
    drop(detached);
    assert!(host.woken(), "the loop is to free the task");
    assert_eq!(drops.count(), 0, "outside of the loop nothing is dropped");
    let _turn = host.turn();
    assert_eq!(drops.count(), 1);

    // Awaited by hand, outside.
    let mut handle = host.scheduler.spawn(async { 3 });
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut handle).poll(&mut cx).is_pending());
    assert!(handle.try_result().is_none());
    host.settle();
    let Poll::Ready(output) = Pin::new(&mut handle).poll(&mut cx) else {
        panic!("the task has ended");
    };
    assert_eq!(output.unwrap(), 3);
    assert!(handle.try_result().is_none(), "given once");
}

#[test]
fn a_panic_stays_with_its_task() {
    let mut host = Host::new();
    let mut bad = host.scheduler.spawn(async { panic!("oops") });
    let mut good = host.scheduler.spawn(async { 1 });
    host.settle();
    assert!(bad.try_result().unwrap().unwrap_err().is_panic());
    assert_eq!(good.try_result().unwrap().unwrap(), 1);
    let entered = catch_unwind(AssertUnwindSafe(|| {
        host.scheduler.enter(|| {
            drop(task::spawn(async {}));
            panic!("outside of any task");
        })
    }));
    entered.unwrap_err();
    assert!(!is_running());
    assert_eq!(host.turn().polled, 1);
    assert!(!is_running());
}

#[test]
fn a_request_to_stop_is_told_once_or_reaches_the_next_main_task() {
    let mut host = Host::new();
    host.scheduler.remote().stop().unwrap();
    assert!(host.turn().stop_requested);
    assert!(!host.turn().stop_requested);

    host.scheduler.remote().stop().unwrap();
    let stopped = host.scheduler.block_on(async { task::yield_now().await });
    stopped.unwrap_err();
    assert!(host.scheduler.block_on(task::yield_now()).is_ok());
}

#[test]
fn a_scheduler_turns_inside_a_task_of_another() {
    let log = Log::default();
    let lines = log.clone();
    crate::driver::run(async move {
        let mut inner = Host::new();
        let outer_id = task::current().unwrap().id();
        let lines_inside = lines.clone();
        let mut handle = inner.scheduler.spawn(async move {
            assert_ne!(task::current().unwrap().id(), outer_id);
            lines_inside.add("inner");
        });
        let sibling = task::spawn({
            let lines = lines.clone();
            async move { lines.add("outer") }
        });
        inner.settle();
        assert!(handle.try_result().is_some());
        assert_eq!(task::current().unwrap().id(), outer_id);
        sibling.await.unwrap();
    });
    log.check(&["inner", "outer"]);
}

#[test]
fn after_a_shutdown_turns_panic_and_handles_say_so() {
    let mut host = Host::new();
    let mut parked = host.scheduler.spawn(pending::<()>());
    host.settle();
    let _report = host.scheduler.shutdown(Duration::ZERO);
    assert!(parked.try_result().unwrap().unwrap_err().is_aborted());
    let mut late = host.scheduler.spawn(async { 1 });
    assert!(late.try_result().unwrap().unwrap_err().is_gone());
    let turn = catch_unwind(AssertUnwindSafe(|| drop(host.scheduler.turn(None))));
    turn.unwrap_err();
    assert!(!is_running());
}
