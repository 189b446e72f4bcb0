//! Buffers are safe to implement, so they may do anything safe code can: answer differently each
//! time, panic, use the proactor, end it. None of it is unsound (F15, F55, F57).
//!
//! What they answer and are told is in `tests/it/buffers.rs` and `vectored.rs`; this is about what
//! they do meanwhile.

#![expect(unsafe_code, reason = "the trait's methods are unsafe to call")]

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use ringloop_proactor::{
    Fd, Handle, IoBuf, IoBufMut, IoBufs, IoBufsMut, Link, Op, Proactor, Room, Slice, ops,
};

use crate::life::stage::pair;
use crate::rig::{churn, end, poll_once, proactor, settle, sound, turn};

/// A buffer that does something whenever it is asked, told or dropped.
struct Actor<F: FnMut(Cue) + 'static> {
    memory: Vec<u8>,
    act: F,
}

/// When it is its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cue {
    Room,
    Slice,
    Filled,
    Dropped,
}

fn actor<F: FnMut(Cue) + 'static>(act: F) -> Actor<F> {
    let memory = vec![0; 64];
    Actor { memory, act }
}

impl<F: FnMut(Cue) + 'static> IoBufMut for Actor<F> {
    fn room(&mut self) -> Room<'_> {
        (self.act)(Cue::Room);
        // Another place each time; the last one is freed.
        self.memory = vec![0; 64];
        Room::from(&mut self.memory[..])
    }

    unsafe fn set_filled(&mut self, len: usize) {
        assert!(len <= 64, "F15");
        (self.act)(Cue::Filled);
    }
}

impl<F: Fn(Cue) + 'static> IoBuf for Actor<F> {
    fn as_slice(&self) -> &[u8] {
        (self.act)(Cue::Slice);
        &self.memory
    }
}

impl<F: FnMut(Cue) + 'static> Drop for Actor<F> {
    fn drop(&mut self) {
        (self.act)(Cue::Dropped);
    }
}

/// Somebody panics whom nobody wants to read about.
fn panic() {
    if !std::thread::panicking() {
        resume_unwind(Box::new("a buffer panics"));
    }
}

fn panics<T>(work: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(|| drop(work()))).is_err()
}

/// Receives with `act` on each cue, completed and taken, dropped in flight, dropped when staged.
fn three_ways(act: impl FnMut(Cue) + Clone + 'static, proactor: &Rc<RefCell<Proactor>>) {
    let handle = proactor.borrow().handle();
    let (near, far) = pair(&proactor.borrow());
    for way in 0..3 {
        let mut recv = handle.recv(&near, actor(act.clone()));
        if poll_once(&mut recv).is_ready() {
            continue;
        }
        if way > 0 {
            turn(&mut proactor.borrow_mut());
        }
        if way > 1 {
            let mut send = handle.send(&far, &b"x"[..]);
            drop(poll_once(&mut send));
            settle(&mut proactor.borrow_mut());
            drop(poll_once(&mut recv));
        }
        drop(recv);
        settle(&mut proactor.borrow_mut());
    }
}

#[test]
fn a_buffer_may_use_the_proactor_whenever_it_is_asked() {
    sound(|| {
        let proactor = Rc::new(RefCell::new(proactor()));
        let handle = proactor.borrow().handle();
        let kept = Rc::new(RefCell::new(Vec::new()));
        let hoard = Rc::clone(&kept);
        let busy = move |_| {
            // More than a chunk of the table.
            for _ in 0..100 {
                let mut nop = handle.nop();
                assert!(poll_once(&mut nop).is_pending());
                hoard.borrow_mut().push(nop);
            }
            hoard.borrow_mut().truncate(50);
            assert!(!handle.operations().is_empty());
            assert!(handle.stats().live >= 50);
        };
        three_ways(busy, &proactor);
        kept.take();
        end(Rc::into_inner(proactor).unwrap().into_inner());
    });
}

#[test]
fn a_buffer_may_take_a_turn_whenever_it_is_asked() {
    sound(|| {
        let proactor = Rc::new(RefCell::new(proactor()));
        let own = Rc::downgrade(&proactor);
        let parks = move |_| {
            if let Some(proactor) = own.upgrade()
                && let Ok(mut proactor) = proactor.try_borrow_mut()
            {
                turn(&mut proactor);
                turn(&mut proactor);
            }
        };
        three_ways(parks, &proactor);
        end(Rc::into_inner(proactor).unwrap().into_inner());
    });
}

#[test]
fn a_buffer_may_drop_the_proactor_whenever_it_is_asked() {
    sound(|| {
        for last in [Cue::Room, Cue::Filled, Cue::Dropped] {
            let made = proactor();
            let handle = made.handle();
            let (near, far) = pair(&made);
            let own = Rc::new(RefCell::new(Some(made)));
            let owner = Rc::clone(&own);
            let mut recv = handle.recv(
                &near,
                actor(move |cue| {
                    if cue == last {
                        drop(owner.take());
                        churn();
                    }
                }),
            );
            let mut send = handle.send(&far, &b"x"[..]);
            drop(poll_once(&mut send));
            if poll_once(&mut recv).is_pending() {
                if let Some(proactor) = own.borrow_mut().as_mut() {
                    settle(proactor);
                }
                assert!(poll_once(&mut recv).is_ready());
            }
            drop((recv, send));
            assert!(own.take().is_none(), "{last:?} came");
        }
    });
}

#[test]
fn a_buffer_may_panic_when_it_is_asked() {
    sound(|| {
        let mut proactor = proactor();
        let handle = proactor.handle();
        let (near, far) = pair(&proactor);
        let bad = || {
            actor(|cue| {
                if cue == Cue::Room {
                    panic();
                }
            })
        };
        // Then dropped, polled, cancelled.
        for then in 0..3 {
            let mut recv = handle.recv(&near, bad());
            assert!(panics(|| poll_once(&mut recv)));
            if then == 1 {
                assert!(poll_once(&mut recv).is_pending());
                turn(&mut proactor);
            }
            if then == 2 {
                recv.request_cancel();
                assert!(matches!(poll_once(&mut recv), Poll::Ready(Err(_))));
            }
        }
        // In a chain: nothing of it happens.
        let before = proactor.stats().submissions;
        let mut chain = handle
            .recv(&near, vec![0; 4])
            .then(handle.recv(&near, bad()));
        assert!(panics(|| poll_once(&mut chain)));
        turn(&mut proactor);
        assert_eq!(proactor.stats().submissions, before);
        drop(chain);
        // In a set, in a window.
        // The first time it is asked, the set is counted.
        let mut asked = 0;
        let late = actor(move |cue| {
            asked += u32::from(cue == Cue::Room);
            if asked > 1 && cue == Cue::Room {
                panic();
            }
        });
        let set = handle.read_vectored(&near, (vec![0; 4], late), u64::MAX);
        let mut set = set.ok().unwrap();
        assert!(panics(|| poll_once(&mut set)));
        let mut window = handle.recv(&near, Slice::new(bad(), 1..5));
        assert!(panics(|| poll_once(&mut window)));
        drop((set, window, near, far));
        end(proactor);
    });
}

#[test]
fn buffers_may_panic_when_they_are_told_or_dropped() {
    sound(|| {
        for bad in [Cue::Filled, Cue::Dropped] {
            let mut proactor = proactor();
            let handle = proactor.handle();
            let (near, far) = pair(&proactor);
            let buffer = || {
                actor(move |cue| {
                    if cue == bad {
                        panic();
                    }
                })
            };
            let mut recvs: Vec<_> = (0..6).map(|_| handle.recv(&near, buffer())).collect();
            for recv in &mut recvs {
                assert!(poll_once(recv).is_pending());
            }
            turn(&mut proactor);
            // Three are dropped, and panic in one batch; one is taken, and two dropped completed.
            drop(recvs.drain(..3));
            let mut sends: Vec<_> = (0..6).map(|_| handle.send(&far, vec![1; 64])).collect();
            for send in &mut sends {
                assert!(poll_once(send).is_pending());
            }
            let mut count = 0;
            for _ in 0..20 {
                count += usize::from(panics(|| turn(&mut proactor)));
            }
            assert!(count > 0 || bad == Cue::Filled, "a panic is told");
            for mut recv in recvs {
                let taken = panics(|| poll_once(&mut recv));
                let dropped = panics(|| recv);
                assert!(taken || dropped);
            }
            drop((sends, near, far));
            end(proactor);
        }
    });
}

/// A panic of several buffers in the shutdown, and in a shutdown during a panic.
#[test]
fn buffers_may_panic_in_the_shutdown() {
    sound(|| {
        for in_panic in [false, true] {
            let mut proactor = proactor();
            let handle = proactor.handle();
            let (near, far) = pair(&proactor);
            let recv = || {
                handle.recv(
                    &near,
                    actor(|cue| {
                        if cue == Cue::Dropped {
                            resume_unwind(Box::new("a buffer panics"));
                        }
                    }),
                )
            };
            let mut recvs = [recv(), recv(), recv()];
            for recv in &mut recvs {
                assert!(poll_once(recv).is_pending());
            }
            turn(&mut proactor);
            drop(recvs);
            drop((near, far));
            let down = panics(move || {
                let _proactor = proactor;
                if in_panic {
                    resume_unwind(Box::new("a panic goes by"));
                }
            });
            assert!(down);
        }
    });
}

/// A buffer that has an operation in it, which has a buffer that has an operation in it.
struct Nested {
    memory: [u8; 16],
    _inner: Option<Box<Op<ops::Recv<Self>>>>,
}

impl IoBufMut for Nested {
    fn room(&mut self) -> Room<'_> {
        self.memory.room()
    }

    unsafe fn set_filled(&mut self, _len: usize) {}
}

#[test]
fn buffers_may_hold_operations() {
    sound(|| {
        for state in 0..3 {
            let mut proactor = proactor();
            let handle = proactor.handle();
            let (near, far) = pair(&proactor);
            let mut outer = None;
            for _ in 0..50 {
                let memory = [0; 16];
                let _inner = outer.take();
                let mut recv = handle.recv(&near, Nested { memory, _inner });
                assert!(poll_once(&mut recv).is_pending());
                outer = Some(Box::new(recv));
            }
            if state > 0 {
                turn(&mut proactor);
            }
            if state > 1 {
                let mut send = handle.send(&far, vec![0; 50 * 16]);
                assert!(poll_once(&mut send).is_pending());
                settle(&mut proactor);
                drop(send);
            }
            drop(outer);
            drop((near, far));
            // Each batch ends those that the last one let go.
            for _ in 0..60 {
                settle(&mut proactor);
            }
            end(proactor);
        }
    });
}

/// A buffer that holds the proactor that it is in.
#[test]
fn a_buffer_may_hold_its_proactor() {
    sound(|| {
        for is_submitted in [false, true] {
            let made = proactor();
            let handle = made.handle();
            let (near, far) = pair(&made);
            let own = Rc::new(RefCell::new(None));
            let owner = Rc::clone(&own);
            let mut recv = handle.recv(
                &near,
                actor(move |_| {
                    let _count = &owner;
                }),
            );
            own.replace(Some(made));
            assert!(poll_once(&mut recv).is_pending());
            if is_submitted {
                turn(own.borrow_mut().as_mut().unwrap());
            }
            drop((near, far, handle));
            if is_submitted {
                // Dropped for good, it would hold itself for ever.
                own.borrow_mut().as_mut().map(Proactor::shut_down);
            }
            drop(own);
            drop(recv);
        }
    });
}

/// Sets that never end, or end when they want.
#[derive(Debug)]
struct Endless {
    asked: Rc<Cell<usize>>,
    memory: Vec<u8>,
}

impl Endless {
    fn new(asked: &Rc<Cell<usize>>) -> Self {
        let asked = Rc::clone(asked);
        let memory = vec![0; 8192];
        Self { asked, memory }
    }

    /// How many buffers it says it has.
    fn count(&self) -> usize {
        self.asked.set(self.asked.get() + 1);
        if self.asked.get() == 1 { 2 } else { usize::MAX }
    }
}

impl IoBufs for Endless {
    fn slices(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::repeat_n(&b"ab"[..], self.count())
    }
}

impl IoBufsMut for Endless {
    fn rooms(&mut self) -> impl Iterator<Item = Room<'_>> {
        let count = self.count();
        self.memory.chunks_mut(2).map(Room::from).take(count)
    }

    unsafe fn set_filled(&mut self, lens: impl Iterator<Item = usize>) {
        assert_eq!(lens.take(2000).count(), 1024);
    }
}

#[test]
fn sets_that_never_end_are_cut_off() {
    sound(|| {
        let mut proactor = proactor();
        let handle = proactor.handle();
        let (near, far) = pair(&proactor);
        let asked = Rc::new(Cell::new(0));
        let write = handle.write_vectored(&far, Endless::new(&asked), u64::MAX);
        assert_eq!(run(&mut proactor, write.unwrap()).unwrap().0, 2048);
        let error = handle.write_vectored(&far, Endless::new(&asked), u64::MAX);
        assert!(error.is_err(), "counted, it is too long");
        let set = Endless::new(&Rc::default());
        let read = handle.read_vectored(&near, set, u64::MAX).unwrap();
        assert_eq!(run(&mut proactor, read).unwrap().0, 2048);
        drop((near, far));
        end(proactor);
    });
}

fn run<F: Future>(proactor: &mut Proactor, future: F) -> F::Output {
    proactor.block_on(future).unwrap()
}

/// Over-aligned, empty, and larger than any slot.
#[repr(align(64))]
struct Aligned<const N: usize>([u8; N]);

impl<const N: usize> IoBufMut for Aligned<N> {
    fn room(&mut self) -> Room<'_> {
        assert_eq!(std::ptr::from_ref(self).addr() % 64, 0, "it is misplaced");
        Room::from(&mut self.0[..])
    }

    unsafe fn set_filled(&mut self, _len: usize) {
        assert_eq!(std::ptr::from_ref(self).addr() % 64, 0, "it is misplaced");
    }
}

#[test]
fn buffers_of_any_size_and_alignment_have_a_place() {
    fn check<const N: usize>(proactor: &mut Proactor, handle: &Handle, (near, far): &(Fd, Fd)) {
        let mut recv = handle.recv(near, Aligned([0; N]));
        assert!(poll_once(&mut recv).is_pending());
        run(proactor, handle.send(far, vec![9; 8])).unwrap();
        let mut moved = Box::new(recv);
        let mut cx = Context::from_waker(Waker::noop());
        while Pin::new(&mut moved).poll(&mut cx).is_pending() {
            turn(proactor);
        }
        drop(moved);
        if N < 8 {
            run(proactor, handle.recv(near, vec![0; 8 - N])).unwrap();
        }
        let mut dropped = handle.recv(near, Aligned([0; N]));
        assert!(poll_once(&mut dropped).is_pending());
        turn(proactor);
        drop(dropped);
        settle(proactor);
    }
    sound(|| {
        let mut proactor = proactor();
        let handle = proactor.handle();
        let ends = pair(&proactor);
        check::<0>(&mut proactor, &handle, &ends);
        check::<1>(&mut proactor, &handle, &ends);
        check::<8>(&mut proactor, &handle, &ends);
        check::<64>(&mut proactor, &handle, &ends);
        check::<10_000>(&mut proactor, &handle, &ends);
        drop((ends, handle));
        end(proactor);
    });
}
