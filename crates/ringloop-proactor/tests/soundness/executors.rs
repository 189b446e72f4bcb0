//! Foreign executors: wakers that change, panic and call back, combinators written by hand, other
//! threads, other proactors.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Link, Op, Proactor, ops};

use crate::rig::{Count, churn, end, poll_once, proactor, settle, sound, turn};
use crate::vocal::Hooks;

type Recv = Op<ops::Recv<Vec<u8>>>;

/// Receives that wait, and the other ends.
fn recvs(proactor: &Proactor, count: usize) -> (Vec<Recv>, Vec<UnixStream>) {
    let handle = proactor.handle();
    let pairs = (0..count).map(|_| {
        let (near, far) = UnixStream::pair().unwrap();
        (handle.recv(&handle.adopt(near), vec![0; 8]), far)
    });
    pairs.unzip()
}

fn poll_by(recv: &mut Recv, waker: &Waker) -> bool {
    let poll = Pin::new(recv).poll(&mut Context::from_waker(waker));
    let Poll::Ready(result) = poll else {
        return false;
    };
    assert_eq!(result.unwrap().1, b"x");
    true
}

/// F58.
#[test]
fn the_waker_of_the_last_poll_is_woken_and_no_other() {
    sound(|| {
        let mut proactor = proactor();
        let (mut recvs, mut fars) = recvs(&proactor, 50);
        let counts: Vec<[Arc<Count>; 4]> = recvs.iter().map(|_| Default::default()).collect();
        for round in 0..4 {
            for (recv, counts) in recvs.iter_mut().zip(&counts) {
                // The same one twice, too.
                for _ in 0..2 {
                    assert!(!poll_by(recv, &Arc::clone(&counts[round]).into()));
                }
            }
            if round < 3 {
                turn(&mut proactor);
            }
        }
        for far in &mut fars {
            far.write_all(b"x").unwrap();
        }
        settle(&mut proactor);
        for (recv, counts) in recvs.iter_mut().zip(&counts) {
            assert_eq!(counts.each_ref().map(|count| count.get()), [0, 0, 0, 1]);
            assert!(poll_by(recv, Waker::noop()));
            let held = counts.iter().map(Arc::strong_count);
            assert!(held.eq([1; 4]), "a waker is still held");
        }
        drop((recvs, fars));
        end(proactor);
    });
}

/// A combinator that polls only those children whose own waker was woken.
struct Join {
    children: Vec<Option<Recv>>,
    flags: Vec<Arc<Flag>>,
}

struct Flag {
    is_set: AtomicBool,
    parent: Waker,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.is_set.store(true, Ordering::Relaxed);
        self.parent.wake_by_ref();
    }
}

impl Join {
    fn new(children: Vec<Option<Recv>>, parent: &Waker) -> Self {
        let flag = |_: &_| Flag {
            is_set: AtomicBool::new(true),
            parent: parent.clone(),
        };
        let flags = children.iter().map(flag).map(Arc::new).collect();
        Self { children, flags }
    }

    /// Polls who was woken; tells whether all are done.
    fn poll(&mut self) -> bool {
        for (child, flag) in self.children.iter_mut().zip(&self.flags) {
            if let Some(recv) = child
                && flag.is_set.swap(false, Ordering::Relaxed)
                && poll_by(recv, &Arc::clone(flag).into())
            {
                *child = None;
            }
        }
        self.children.iter().all(Option::is_none)
    }
}

#[test]
fn operations_move_from_one_combinator_to_another() {
    sound(|| {
        let mut proactor = proactor();
        let (recvs, mut fars) = recvs(&proactor, 60);
        let recvs = recvs.into_iter().map(Some).collect();
        let count = Arc::<Count>::default();
        let mut join = Join::new(recvs, &Arc::clone(&count).into());
        for (at, far) in fars.iter_mut().enumerate() {
            join.poll();
            if at % 3 == 0 {
                turn(&mut proactor);
            }
            far.write_all(b"x").unwrap();
            if at % 7 == 0 {
                // The old wakers are gone with the old combinator.
                join = Join::new(join.children, &Arc::clone(&count).into());
            }
        }
        while !join.poll() {
            let before = count.get();
            proactor.park(Some(Duration::from_secs(10))).unwrap();
            assert!(count.get() > before, "nobody was woken");
        }
        drop((join, fars));
        end(proactor);
        assert_eq!(Arc::strong_count(&count), 1);
    });
}

#[test]
fn losers_of_races_are_dropped_and_leave_nothing() {
    sound(|| {
        let mut proactor = proactor();
        for round in 0..200 {
            let (mut recvs, mut fars) = recvs(&proactor, 3);
            fars[round % 3].write_all(b"x").unwrap();
            let race = poll_fn(|cx| {
                let mut done = recvs.iter_mut().filter_map(|recv| {
                    let poll = Pin::new(recv).poll(cx);
                    poll.is_ready().then_some(())
                });
                done.next().map_or(Poll::Pending, Poll::Ready)
            });
            proactor.block_on(race).unwrap();
            drop(recvs);
        }
        end(proactor);
    });
}

/// F56: several of them in one batch.
#[test]
fn wakers_that_panic_keep_nobody_asleep() {
    sound(|| {
        let bad = Hooks {
            on_wake: || std::panic::resume_unwind(Box::new("woken")),
            ..Hooks::NONE
        };
        let mut proactor = proactor();
        let (mut recvs, mut fars) = recvs(&proactor, 12);
        let count = Arc::<Count>::default();
        for (at, recv) in recvs.iter_mut().enumerate() {
            let waker = match at % 2 {
                0 => bad.waker(),
                _ => Arc::clone(&count).into(),
            };
            assert!(!poll_by(recv, &waker));
        }
        turn(&mut proactor);
        for far in &mut fars {
            far.write_all(b"x").unwrap();
        }
        let parked = catch_unwind(AssertUnwindSafe(|| turn(&mut proactor)));
        assert!(parked.is_err(), "the panic is told");
        settle(&mut proactor);
        assert_eq!(count.get(), 6);
        for recv in &mut recvs {
            assert!(poll_by(recv, Waker::noop()));
        }
        // At the shutdown, too.
        let (mut recvs, _fars) = self::recvs(&proactor, 2);
        for recv in &mut recvs {
            assert!(!poll_by(recv, &bad.waker()));
        }
        let down = catch_unwind(AssertUnwindSafe(|| proactor.shut_down()));
        assert!(down.is_err(), "the panic is told");
        assert_eq!(proactor.stats().in_flight, 0);
        for recv in &mut recvs {
            assert!(poll_once(recv).is_ready());
        }
    });
}

#[test]
fn wakers_that_panic_when_cloned_or_dropped_lose_nothing() {
    thread_local! {
        static IS_BAD: Cell<bool> = const { Cell::new(false) };
    }
    fn maybe() {
        if IS_BAD.get() && !std::thread::panicking() {
            std::panic::resume_unwind(Box::new("cloned or dropped"));
        }
    }
    /// Does something while wakers panic.
    fn badly(work: impl FnOnce()) {
        IS_BAD.set(true);
        let result = catch_unwind(AssertUnwindSafe(work));
        IS_BAD.set(false);
        assert!(result.is_err());
    }
    let hooks = Hooks {
        on_clone: maybe,
        on_drop: maybe,
        ..Hooks::NONE
    };
    sound(|| {
        let mut proactor = proactor();
        let (mut recvs, mut fars) = recvs(&proactor, 5);
        let [first, again, replaced, abandoned, cancelled] = &mut recvs[..] else {
            panic!("there are five")
        };
        let waker = hooks.waker();
        // Cloned at the first poll, and at a later one.
        badly(|| assert!(!poll_by(first, &waker)));
        assert!(!poll_by(again, Waker::noop()));
        turn(&mut proactor);
        badly(|| assert!(!poll_by(again, &waker)));
        // Dropped when another one comes, with the future, and after a cancel.
        for recv in [&mut *replaced, &mut *abandoned, &mut *cancelled] {
            assert!(!poll_by(recv, &waker));
        }
        turn(&mut proactor);
        badly(|| assert!(!poll_by(replaced, Waker::noop())));
        cancelled.request_cancel();
        turn(&mut proactor);
        let recv = std::mem::replace(abandoned, proactor.handle().recv(&fd(&proactor), vec![]));
        badly(|| drop(recv));
        for far in &mut fars {
            far.write_all(b"x").unwrap_or_default();
        }
        settle(&mut proactor);
        assert!(poll_by(again, Waker::noop()));
        assert!(poll_by(replaced, Waker::noop()));
        drop((recvs, fars, waker));
        end(proactor);
    });
}

fn fd(proactor: &Proactor) -> ringloop_proactor::Fd {
    proactor
        .handle()
        .adopt(std::fs::File::open("/dev/null").unwrap())
}

/// A waker's code may take a turn, in which the operation ends.
#[test]
fn a_waker_that_parks_when_it_is_cloned_or_dropped_loses_no_wake() {
    thread_local! {
        static PROACTOR: RefCell<Option<Proactor>> = const { RefCell::new(None) };
    }
    fn park() {
        PROACTOR.with(|proactor| {
            // Within a turn, there is nothing to do.
            if let Ok(mut proactor) = proactor.try_borrow_mut() {
                proactor.as_mut().map(settle);
            }
        });
    }
    sound(|| {
        let hooks = Hooks {
            on_clone: park,
            on_wake: park,
            on_drop: park,
        };
        let made = proactor();
        let (mut recvs, mut fars) = recvs(&made, 30);
        PROACTOR.set(Some(made));
        for (at, (recv, far)) in recvs.iter_mut().zip(&mut fars).enumerate() {
            if at % 2 == 0 {
                assert!(!poll_by(recv, Waker::noop()));
            }
            far.write_all(b"x").unwrap();
            // Polled again and again, it ends: every poll takes a turn.
            let polls = (0..5).position(|_| poll_by(recv, &hooks.waker()));
            assert!(polls.is_some(), "its end was missed");
        }
        let mut proactor = PROACTOR.take().unwrap();
        settle(&mut proactor);
        end(proactor);
    });
}

/// A turn in the middle of ending a chain finds all of it or nothing.
#[test]
fn a_waker_that_parks_when_a_chain_is_ended_starts_no_part_of_it() {
    thread_local! {
        static PROACTOR: RefCell<Option<Proactor>> = const { RefCell::new(None) };
    }
    fn park() {
        PROACTOR.with(|proactor| {
            if let Ok(mut proactor) = proactor.try_borrow_mut() {
                proactor.as_mut().map(settle);
            }
        });
    }
    sound(|| {
        let on_wake = Hooks {
            on_wake: park,
            ..Hooks::NONE
        };
        let on_drop = Hooks {
            on_drop: park,
            ..Hooks::NONE
        };
        let made = proactor();
        let handle = made.handle();
        PROACTOR.set(Some(made));
        for (hooks, is_dropped) in [(on_wake, false), (on_drop, true)] {
            let (near, far) = UnixStream::pair().unwrap();
            far.set_nonblocking(true).unwrap();
            let near = handle.adopt(near);
            let send = || handle.send(&near, "x");
            let mut chain = send().then(send().then(send()));
            let waker = hooks.waker();
            let poll = Pin::new(&mut chain).poll(&mut Context::from_waker(&waker));
            assert!(poll.is_pending());
            if is_dropped {
                drop(chain);
            } else {
                chain.request_cancel();
                assert!(poll_once(&mut chain).is_ready());
            }
            park();
            let read = (&far).read(&mut [0; 8]).map_err(|error| error.kind());
            assert_eq!(read, Err(std::io::ErrorKind::WouldBlock), "a part was sent");
        }
        drop(handle);
        end(PROACTOR.take().unwrap());
    });
}

#[test]
fn a_waker_that_parks_when_an_inbox_clones_it_misses_no_message() {
    thread_local! {
        static PROACTOR: RefCell<Option<Proactor>> = const { RefCell::new(None) };
    }
    fn park() {
        PROACTOR.with(|proactor| {
            if let Ok(mut proactor) = proactor.try_borrow_mut() {
                let park = |proactor: &mut Proactor| proactor.park(Some(Duration::from_secs(1)));
                proactor.as_mut().map(park).transpose().unwrap();
            }
        });
    }
    sound(|| {
        let hooks = Hooks {
            on_clone: park,
            ..Hooks::NONE
        };
        let (mut here, mut there) = (proactor(), proactor());
        let mut inbox = there.handle().inbox().unwrap();
        let send = here.handle().send_message(&inbox.address(), 7).unwrap();
        turn(&mut there);
        here.block_on(send).unwrap().unwrap();
        PROACTOR.set(Some(there));
        let waker = hooks.waker();
        let polled = inbox.poll_recv(&mut Context::from_waker(&waker));
        assert!(
            polled.is_ready(),
            "the message came while the waker was cloned"
        );
        drop((inbox, waker));
        end(PROACTOR.take().unwrap());
    });
}

#[test]
fn wakers_may_be_woken_and_dropped_on_other_threads_when_all_is_over() {
    sound(|| {
        let (sender, receiver) = mpsc::channel::<Waker>();
        let thread = std::thread::spawn(move || {
            for (at, waker) in receiver.into_iter().enumerate() {
                if at % 2 == 0 {
                    waker.wake_by_ref();
                }
                drop(waker);
            }
        });
        for round in 0..50 {
            let mut proactor = proactor();
            let (mut recvs, mut fars) = recvs(&proactor, 1);
            let mut polls = 0;
            let future = poll_fn(|cx| {
                polls += 1;
                for _ in 0..3 {
                    sender.send(cx.waker().clone()).unwrap();
                }
                fars[0].write_all(b"x").unwrap();
                Pin::new(&mut recvs[0]).poll(cx).map(drop)
            });
            if round % 2 == 0 {
                proactor.block_on(future).unwrap();
            } else {
                let waker = proactor.block_on(poll_fn(|cx| Poll::Ready(cx.waker().clone())));
                let waker = waker.unwrap();
                let mut future = std::pin::pin!(future);
                let poll = future.as_mut().poll(&mut Context::from_waker(&waker));
                assert!(poll.is_pending());
            }
            let unparker = proactor.unparker();
            drop(proactor);
            unparker.unpark();
            churn();
        }
        drop(sender);
        thread.join().unwrap();
    });
}

#[test]
fn futures_of_one_proactor_run_inside_another() {
    sound(|| {
        let mut inner = proactor();
        let mut outer = proactor();
        let (mut recvs, mut fars) = recvs(&inner, 10);
        let (mut own, mut own_fars) = self::recvs(&outer, 1);
        own_fars[0].write_all(b"x").unwrap();
        for far in &mut fars {
            far.write_all(b"x").unwrap();
        }
        let mut is_over = false;
        let all = poll_fn(|cx| {
            recvs.retain_mut(|recv| !poll_by(recv, cx.waker()));
            // The inner one has no loop of its own.
            turn(&mut inner);
            is_over = is_over || Pin::new(&mut own[0]).poll(cx).is_ready();
            if recvs.is_empty() && is_over {
                return Poll::Ready(());
            }
            Poll::Pending
        });
        outer.block_on(all).unwrap();
        drop((own, own_fars, fars));
        // And after their own has gone, in the loop of the other.
        let (recvs, _fars) = self::recvs(&inner, 3);
        let mut recvs: Vec<_> = recvs.into_iter().map(Box::pin).collect();
        for recv in &mut recvs {
            assert!(poll_once(recv).is_pending());
        }
        turn(&mut inner);
        assert_eq!(inner.shut_down(), 0);
        for recv in recvs {
            let error = outer.block_on(recv).unwrap().unwrap_err().error;
            assert_eq!(error.raw_os_error(), Some(libc::ECANCELED));
        }
        end(outer);
    });
}

/// What a thread leaves to its end: dropped in whatever order the system likes.
#[test]
fn everything_may_be_left_to_the_end_of_the_thread() {
    thread_local! {
        static FUTURES: RefCell<Vec<Recv>> = const { RefCell::new(Vec::new()) };
        static PROACTOR: RefCell<Option<Proactor>> = const { RefCell::new(None) };
        static MORE: RefCell<Vec<Recv>> = const { RefCell::new(Vec::new()) };
    }
    sound(|| {
        for order in 0..2 {
            let thread = std::thread::spawn(move || {
                let mut proactor = proactor();
                let (mut recvs, _fars) = recvs(&proactor, 4);
                for recv in &mut recvs {
                    assert!(poll_once(recv).is_pending());
                }
                turn(&mut proactor);
                let more = recvs.split_off(2);
                if order == 0 {
                    FUTURES.set(recvs);
                    PROACTOR.set(Some(proactor));
                    MORE.set(more);
                } else {
                    PROACTOR.set(Some(proactor));
                    MORE.set(more);
                    FUTURES.set(recvs);
                }
            });
            thread.join().unwrap();
            churn();
        }
    });
}

/// A future that owns its executor's proactor, and one that is owned by it.
#[test]
fn a_proactor_may_be_owned_by_the_future_that_it_runs() {
    sound(|| {
        let shared = Rc::new(RefCell::new(proactor()));
        let (mut recvs, mut fars) = recvs(&shared.borrow(), 1);
        let mut recv = recvs.pop().unwrap();
        let owner = Rc::clone(&shared);
        let mut future = Box::pin(async move {
            let result = poll_fn(|cx| Pin::new(&mut recv).poll(cx)).await;
            drop(owner);
            result
        });
        assert!(poll_once(&mut future).is_pending());
        fars[0].write_all(b"x").unwrap();
        settle(&mut shared.borrow_mut());
        drop(shared);
        assert!(poll_once(&mut future).is_ready(), "it drops its proactor");
    });
}
