//! F55, F57, F60 to F62: foreign code that acts when it is dropped. Every place that the crate
//! drops, at every moment, with everything that a destructor may do.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "places and acts have their groups"
)]
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use ringloop_task::call::{call_later, call_soon};
use ringloop_task::cancel::{CancelToken, shield};
use ringloop_task::group::group;
use ringloop_task::testing::settle;
use ringloop_task::{Remote, Scheduler, UnhandledKind, is_running, task, task_local, time};

use crate::driver::{VirtualDriver, run, secs};

/// What a destructor does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Nothing,
    Panic,
    /// Panics with a payload that does the same.
    PanicForEver,
    Spawn,
    SpawnEager,
    SpawnGroup,
    Wake,
    Cancel,
    Abort,
    CancelToken,
    Call,
    Post,
    Sleep,
    Join,
    Locals,
    Look,
    Loop,
}

const ACTS: [Act; 17] = [
    Act::Nothing,
    Act::Panic,
    Act::PanicForEver,
    Act::Spawn,
    Act::SpawnEager,
    Act::SpawnGroup,
    Act::Wake,
    Act::Cancel,
    Act::Abort,
    Act::CancelToken,
    Act::Call,
    Act::Post,
    Act::Sleep,
    Act::Join,
    Act::Locals,
    Act::Look,
    Act::Loop,
];

/// What is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Captured by a future that ends; dropped inside its last poll.
    Captured,
    /// A future that has given its output.
    Future,
    Parked,
    Unpolled,
    Cancelled,
    Output,
    Handle,
    /// What a task panicked with.
    Payload,
    Local,
    Callback,
    Call,
    CallLater,
    Post,
    GroupChild,
    GroupBody,
    GroupError,
    ScopedChild,
    TimeoutBody,
    /// Wakers of collections and other executors, where the crate files them.
    JoinWaker,
    WaitWaker,
    TimerWaker,
    SettleWaker,
    ScopeWaker,
}

const PLACES: [Place; 23] = [
    Place::Captured,
    Place::Future,
    Place::Parked,
    Place::Unpolled,
    Place::Cancelled,
    Place::Output,
    Place::Handle,
    Place::Payload,
    Place::Local,
    Place::Callback,
    Place::Call,
    Place::CallLater,
    Place::Post,
    Place::GroupChild,
    Place::GroupBody,
    Place::GroupError,
    Place::ScopedChild,
    Place::TimeoutBody,
    Place::JoinWaker,
    Place::WaitWaker,
    Place::TimerWaker,
    Place::SettleWaker,
    Place::ScopeWaker,
];

/// When it is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// While the loop runs.
    Loop,
    /// Outside of tasks, between two turns.
    Turn,
    Shutdown,
    Grace,
    /// With the scheduler.
    Drop,
    /// With the scheduler, which is dropped inside a task of another one.
    DropInside,
    /// With the scheduler, which is dropped because the thread panics.
    Unwind,
}

const MOMENTS: [Moment; 7] = [
    Moment::Loop,
    Moment::Turn,
    Moment::Shutdown,
    Moment::Grace,
    Moment::Drop,
    Moment::DropInside,
    Moment::Unwind,
];

/// Acts when it is dropped. It may go anywhere, but what it acts on stays on this thread.
struct Bomb(Act);

/// What a bomb acts on.
struct World {
    victim: task::JoinHandle<()>,
    waker: Waker,
    token: CancelToken,
    remote: Remote,
}

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
    static ACTED: Cell<u32> = const { Cell::new(0) };
    static ALIVE: Cell<i32> = const { Cell::new(0) };
}

task_local! {
    static LOCAL: Option<Rc<Bomb>> = None;
    static NUMBER: u32 = 0;
}

/// Counts what exists.
struct Guard;

impl Guard {
    fn new() -> Self {
        ALIVE.set(ALIVE.get() + 1);
        Self
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        ALIVE.set(ALIVE.get() - 1);
    }
}

struct Endless;

impl Drop for Endless {
    fn drop(&mut self) {
        panic_any(Self);
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        ACTED.set(ACTED.get() + 1);
        match self.0 {
            Act::Nothing => {}
            Act::Panic => panic_any("in drop"),
            Act::PanicForEver => panic_any(Endless),
            Act::Loop => {
                let inner = catch_unwind(|| run(async {}));
                assert_eq!(inner.is_err(), is_running());
            }
            Act::Look => {
                drop((task::current(), task::all_tasks(), task::graph()));
                drop((time::now(), format!("{:?}", task::current())));
            }
            _ => WORLD.with_borrow(|world| act(self.0, world.as_ref().unwrap())),
        }
    }
}

fn act(what: Act, world: &World) {
    let guard = Guard::new();
    match what {
        Act::Spawn => drop(task::spawn(async move {
            let _guard = guard;
            task::yield_now().await
        })),
        Act::SpawnEager => drop(task::spawn_eager(async move {
            let _guard = guard;
            task::yield_now().await
        })),
        Act::SpawnGroup => drop(task::spawn(group(async move |g| {
            let _guard = guard;
            g.spawn(task::yield_now());
            Ok(())
        }))),
        Act::Wake => {
            world.waker.wake_by_ref();
            world.waker.clone().wake();
        }
        Act::Cancel => {
            world.victim.cancel("by a destructor");
        }
        Act::Abort => world.victim.abort(),
        Act::CancelToken => {
            world.token.cancel("by a destructor");
        }
        Act::Call => {
            drop(call_soon(move || drop(guard)));
            let guard = Guard::new();
            drop(call_later(secs(1), move || drop(guard)));
        }
        Act::Post => {
            drop(guard);
            let _closed = world.remote.call_soon(|| ());
        }
        Act::Sleep => {
            let mut sleep = Box::pin(time::sleep(secs(1)));
            let mut cx = Context::from_waker(&world.waker);
            let _polled = sleep.as_mut().poll(&mut cx);
        }
        Act::Join => {
            let mut wait = Box::pin(world.victim.wait());
            let mut cx = Context::from_waker(&world.waker);
            let _polled = wait.as_mut().poll(&mut cx);
        }
        Act::Locals => {
            NUMBER.set(NUMBER.get() + 1);
            NUMBER.sync_scope(7, || assert_eq!(NUMBER.get(), 7));
        }
        _ => unreachable!("needs no world"),
    }
}

/// A waker that goes off when it is woken, or dropped if it never is.
struct BombWaker(Mutex<Option<Bomb>>);

impl Wake for BombWaker {
    fn wake(self: Arc<Self>) {
        let bomb = self.0.lock().unwrap().take();
        drop(bomb);
    }
}

/// Polls a future once with a waker that goes off; the future is to be kept.
fn poll_with<F: Future + 'static>(bomb: Bomb, future: F) -> Box<dyn Any> {
    let mut future = Box::pin(future);
    let waker = Waker::from(Arc::new(BombWaker(Mutex::new(Some(bomb)))));
    assert!(
        future
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    // The place has a reference of its own, which is the last.
    drop(waker);
    Box::new(future)
}

/// Gives its output without dropping anything.
struct Ends(#[expect(dead_code, reason = "dropped")] Bomb);

impl Future for Ends {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

/// What makes a bomb go off in the loop, and what is to be kept until then.
type Armed = (Box<dyn FnOnce()>, Box<dyn Any>);

fn armed(trigger: impl FnOnce() + 'static) -> Armed {
    (Box::new(trigger), Box::new(()))
}

/// Puts a bomb into a task that waits for its end.
fn arm_task(place: Place, bomb: Bomb) -> Armed {
    let go = CancelToken::new();
    let signal = go.signal();
    match place {
        Place::Captured => drop(task::spawn(async move {
            let _bomb = bomb;
            signal.await;
        })),
        Place::Future => {
            let ends = Ends(bomb);
            drop(task::spawn(async move {
                signal.await;
                drop(task::spawn(ends));
            }));
        }
        Place::Output => drop(task::spawn(async move {
            signal.await;
            bomb
        })),
        Place::Handle => {
            let handle = task::spawn(async move { bomb });
            return armed(|| drop(call_soon(move || drop(handle))));
        }
        Place::Payload => drop(task::spawn(async move {
            signal.await;
            panic_any(bomb);
        })),
        Place::Local => drop(task::spawn(async move {
            LOCAL.set(Some(Rc::new(bomb)));
            signal.await;
        })),
        Place::Callback => {
            let child = task::spawn(signal);
            child.on_done(move |_| drop(bomb));
        }
        Place::Parked | Place::Unpolled | Place::Cancelled => {
            let child = task::spawn(async move {
                let _bomb = bomb;
                pending::<()>().await;
            });
            let child = child.task();
            return armed(move || match place {
                Place::Cancelled => assert!(child.cancel("by the test")),
                _ => child.abort(),
            });
        }
        _ => unreachable!("{place:?}"),
    }
    armed(move || {
        go.cancel("go");
    })
}

async fn hold(bomb: Bomb) -> Result<(), Bomb> {
    let _bomb = bomb;
    pending().await
}

/// Puts a bomb into a part of a task, which is aborted.
fn arm_part(place: Place, bomb: Bomb) -> Armed {
    let parent = match place {
        Place::GroupChild => task::spawn(async {
            let children = group(async |g| {
                drop(g.spawn(hold(bomb)));
                Ok(())
            });
            drop(children.await);
        }),
        Place::GroupBody => task::spawn(async {
            drop(group(async |_| hold(bomb).await).await);
        }),
        Place::GroupError => task::spawn(async {
            let failing = group(async |g| {
                drop(g.spawn(async { Err::<(), _>(bomb) }));
                // The group waits for this child, and has the error meanwhile.
                drop(g.spawn(async {
                    shield(pending::<()>()).await;
                    Ok(())
                }));
                Ok(())
            });
            drop(failing.await);
        }),
        Place::ScopedChild => task::spawn(async {
            let children = task::scope(async |s| drop(s.spawn(hold(bomb))));
            children.await;
        }),
        Place::TimeoutBody => {
            drop(task::spawn(async {
                drop(time::timeout(secs(1), hold(bomb)).await);
            }));
            return armed(|| ());
        }
        _ => unreachable!("{place:?}"),
    };
    // Nobody awaits it.
    let parent = parent.task();
    armed(move || parent.abort())
}

/// Puts a bomb into a call.
fn arm_call(place: Place, bomb: Bomb, remote: &Remote) -> Armed {
    match place {
        Place::Post => {
            let remote = remote.clone();
            assert!(remote.call_soon(move || drop(bomb)).is_ok());
            armed(|| ())
        }
        Place::Call => {
            drop(call_soon(move || drop(bomb)));
            armed(|| ())
        }
        Place::CallLater => {
            let call = call_later(secs(1), move || drop(bomb));
            armed(move || {
                call.cancel();
            })
        }
        _ => unreachable!("{place:?}"),
    }
}

/// Files a waker that is a bomb.
fn arm_waker(place: Place, bomb: Bomb) -> Armed {
    let child = task::spawn(pending::<()>());
    let task = child.task();
    match place {
        Place::JoinWaker => {
            let kept = poll_with(bomb, child);
            (Box::new(move || task.abort()), kept)
        }
        Place::WaitWaker => {
            let kept = poll_with(bomb, async move { child.wait().await });
            (Box::new(move || task.abort()), kept)
        }
        Place::TimerWaker => {
            task.abort();
            (Box::new(|| ()), poll_with(bomb, time::sleep(secs(1))))
        }
        Place::SettleWaker => {
            task.abort();
            (Box::new(|| ()), poll_with(bomb, settle()))
        }
        Place::ScopeWaker => {
            // Waits inside a task that are polled with a waker of their own are told of requests.
            task.abort();
            let child = task::spawn(async move {
                let _kept = poll_with(bomb, time::sleep(secs(99)));
                time::sleep(secs(99)).await
            });
            let child = child.task();
            armed(move || {
                child.cancel("by the test");
            })
        }
        _ => unreachable!("{place:?}"),
    }
}

fn arm(place: Place, bomb: Bomb, remote: &Remote) -> Armed {
    match place {
        Place::GroupChild
        | Place::GroupBody
        | Place::GroupError
        | Place::ScopedChild
        | Place::TimeoutBody => arm_part(place, bomb),
        Place::Post | Place::Call | Place::CallLater => arm_call(place, bomb, remote),
        Place::JoinWaker
        | Place::WaitWaker
        | Place::TimerWaker
        | Place::SettleWaker
        | Place::ScopeWaker => arm_waker(place, bomb),
        _ => arm_task(place, bomb),
    }
}

type Reports = Rc<RefCell<Vec<UnhandledKind>>>;

/// Makes a scheduler with a victim, and a world of it.
fn make() -> (Scheduler<VirtualDriver>, Reports) {
    let reports = Reports::default();
    let hooked = Rc::clone(&reports);
    let mut scheduler = Scheduler::builder()
        .on_unhandled(move |unhandled| hooked.borrow_mut().push(unhandled.kind()))
        .build(VirtualDriver::new().patience(Duration::ZERO));
    let remote = scheduler.remote();
    scheduler.block_on(async {
        let lent = Rc::new(Cell::new(None));
        let lend = Rc::clone(&lent);
        let token = CancelToken::new();
        let signal = token.signal();
        let victim = task::spawn(async move {
            let _guard = Guard::new();
            poll_fn(|cx| {
                lend.set(Some(cx.waker().clone()));
                Poll::Ready(())
            })
            .await;
            signal.await;
        });
        task::yield_now().await.unwrap();
        let waker = lent.take().unwrap();
        let world = World {
            victim,
            waker,
            token,
            remote,
        };
        WORLD.replace(Some(world));
    });
    (scheduler, reports)
}

/// Drops the scheduler.
fn end(scheduler: Scheduler<VirtualDriver>, moment: Moment) {
    match moment {
        Moment::DropInside => run(async move {
            let before = task::current().unwrap().id();
            drop(scheduler);
            assert_eq!(task::current().unwrap().id(), before);
            assert_eq!(task::spawn(async { 5 }).await.unwrap(), 5);
        }),
        Moment::Unwind => {
            let outer = catch_unwind(AssertUnwindSafe(move || {
                let _scheduler = scheduler;
                panic_any("outer");
            }));
            assert_eq!(*outer.unwrap_err().downcast::<&str>().unwrap(), "outer");
        }
        _ => drop(scheduler),
    }
}

/// Sets one bomb off and looks at what is left.
fn explode(place: Place, moment: Moment, what: Act) {
    ACTED.set(0);
    let (mut scheduler, reports) = make();
    let remote = scheduler.remote();
    let bomb = Bomb(what);
    let (trigger, kept) = scheduler.enter(|| arm(place, bomb, &remote));
    let is_early = matches!(
        place,
        Place::Unpolled | Place::Post | Place::Call | Place::SettleWaker
    );
    if !is_early {
        scheduler.block_on(async { task::yield_now().await.unwrap() });
    }
    let mut trigger = ManuallyDrop::new(Some(trigger));
    let kept = ManuallyDrop::new(kept);
    match moment {
        Moment::Loop => scheduler.block_on(async {
            pull(place, trigger.take().unwrap());
            time::sleep(secs(2)).await.unwrap();
            settle().await.unwrap();
            assert_eq!(ACTED.get(), 1, "in the loop");
            assert_eq!(task::spawn(async { 5 }).await.unwrap(), 5);
        }),
        Moment::Turn => {
            let trigger = trigger.take().unwrap();
            scheduler.enter(|| pull(place, trigger));
            for _ in 0..20 {
                let _turn = scheduler.turn(Some(secs(1))).unwrap();
            }
            assert_eq!(ACTED.get(), 1, "in a turn");
        }
        Moment::Shutdown => drop(scheduler.shutdown(Duration::ZERO)),
        Moment::Grace => drop(scheduler.shutdown(secs(5))),
        Moment::Drop | Moment::DropInside | Moment::Unwind => {}
    }
    end(scheduler, moment);
    assert!(!is_running());
    // A handle that outlives its scheduler drops the output.
    let outlived = catch_unwind(AssertUnwindSafe(|| drop(ManuallyDrop::into_inner(trigger))));
    let is_fine = outlived.is_ok() || place == Place::Handle;
    let _lost = ManuallyDrop::new(outlived);
    assert!(is_fine, "with the trigger");
    // The list of those who settle stays with them.
    let is_kept = place == Place::SettleWaker && ACTED.get() == 0;
    assert!(is_kept || ACTED.get() == 1, "once");
    // Wakers and handles that are left do no harm, here and elsewhere.
    let world = WORLD.take().unwrap();
    world.waker.wake_by_ref();
    let waker = world.waker.clone();
    std::thread::spawn(move || waker.wake()).join().unwrap();
    assert!(world.victim.is_finished());
    drop(world);
    let outlived = catch_unwind(AssertUnwindSafe(|| drop(ManuallyDrop::into_inner(kept))));
    let is_fine = outlived.is_ok() || is_kept;
    let _lost = ManuallyDrop::new(outlived);
    assert!(is_fine, "with what was kept");
    assert_eq!(ACTED.get(), 1, "once");
    assert_eq!(ALIVE.get(), 0, "what was alive is dropped");
    let panics = reports.take().into_iter();
    let panics =
        panics.filter(|kind| matches!(kind, UnhandledKind::Panic | UnhandledKind::DropPanic));
    check_reports(place, moment, what, panics.count());
}

/// Whoever cancels hears of the panics of those who are told.
fn pull(place: Place, trigger: Box<dyn FnOnce()>) {
    let pulled = catch_unwind(AssertUnwindSafe(trigger));
    let is_fine = pulled.is_ok() || place == Place::ScopeWaker;
    let _lost = ManuallyDrop::new(pulled);
    assert!(is_fine, "with the trigger");
}

/// A panic is reported once, unless somebody has it already.
fn check_reports(place: Place, moment: Moment, what: Act, reports: usize) {
    let panics = usize::from(matches!(what, Act::Panic | Act::PanicForEver));
    let is_heard = match place {
        // The panic of the task is told, and its payload is dropped with the telling.
        Place::Payload => return assert!(reports <= 1),
        Place::Handle | Place::ScopeWaker | Place::SettleWaker => true,
        // A thread that panics goes on with its own panic.
        Place::WaitWaker => moment == Moment::Unwind,
        _ => false,
    };
    assert!(
        reports == panics || is_heard && reports < panics,
        "{reports} reports"
    );
}

#[test]
fn whatever_is_dropped_or_forgotten_may_do_anything() {
    let mut failures = Vec::new();
    for place in PLACES {
        for moment in MOMENTS {
            for what in ACTS {
                let tried = catch_unwind(|| explode(place, moment, what));
                if let Err(payload) = tried {
                    let text = payload.downcast_ref::<String>().cloned().or_else(|| {
                        payload
                            .downcast_ref::<&str>()
                            .map(|text| (*text).to_owned())
                    });
                    failures.push(format!("{place:?} {moment:?} {what:?}: {text:?}"));
                    let _lost = ManuallyDrop::new(payload);
                    drop(WORLD.take());
                    ALIVE.set(0);
                }
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} failures:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
