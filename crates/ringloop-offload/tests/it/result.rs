//! Results and panics come home, under any waker and from any executor.

use std::panic;
use std::pin::Pin;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use ringloop_offload::{Executor, Interrupt, Job, Offload, ThreadPool, offload_on};

use crate::support::{Busy, Shelf, block_on};

#[test]
fn a_result_comes_home() {
    let pool = ThreadPool::fixed(1);
    let home = thread::current().id();
    let (sum, away) = block_on(offload_on(&pool, || (1 + 2, thread::current().id()))).unwrap();
    assert_eq!(sum, 3);
    assert_ne!(away, home);
}

#[test]
fn the_job_runs_without_being_awaited() {
    let pool = ThreadPool::fixed(1);
    let (sender, receiver) = mpsc::channel();
    let offload = offload_on(&pool, move || sender.send(5).unwrap());
    assert_eq!(receiver.recv(), Ok(5));
    drop(offload);
}

#[test]
fn a_panic_comes_home_and_the_worker_goes_on() {
    let pool = ThreadPool::fixed(1);
    let before = block_on(offload_on(&pool, || thread::current().id())).unwrap();
    let line = 7;
    let error = block_on(offload_on(&pool, move || panic!("line {line}"))).unwrap_err();
    assert!(error.is_panic() && !error.is_cancelled() && !error.is_rejected());
    assert_eq!(error.panic_message(), Some("line 7"));
    assert_eq!(error.to_string(), "the job panicked: line 7");
    assert_eq!(
        error.into_panic().downcast_ref::<String>().unwrap(),
        "line 7"
    );
    let after = block_on(offload_on(&pool, || thread::current().id())).unwrap();
    assert_eq!(before, after);
}

#[test]
fn a_payload_of_any_type_comes_home() {
    let pool = ThreadPool::fixed(1);
    let error = block_on(offload_on(&pool, || panic::panic_any(42_u8))).unwrap_err();
    assert_eq!(error.panic_message(), None);
    assert_eq!(error.to_string(), "the job panicked");
    let resumed = panic::catch_unwind(panic::AssertUnwindSafe(|| error.resume_panic()));
    assert_eq!(resumed.unwrap_err().downcast_ref::<u8>(), Some(&42));
}

#[test]
fn the_last_waker_is_woken() {
    struct Log(Mutex<Vec<u32>>);

    struct Number(u32, Arc<Log>);

    impl Wake for Number {
        fn wake(self: Arc<Self>) {
            self.1.0.lock().unwrap().push(self.0);
        }
    }

    let log = Arc::new(Log(Mutex::default()));
    let shelf = Shelf::default();
    let mut offload = offload_on(&shelf, || ());
    for number in [1, 2] {
        let waker = Waker::from(Arc::new(Number(number, Arc::clone(&log))));
        let polled = Pin::new(&mut offload).poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
    }
    shelf.pop().run();
    assert_eq!(*log.0.lock().unwrap(), [2]);
}

#[test]
fn a_waker_that_panics_does_not_reach_the_executor() {
    struct Mine;

    impl Wake for Mine {
        fn wake(self: Arc<Self>) {
            panic!("a waker's panic");
        }
    }

    let shelf = Shelf::default();
    let mut offload = offload_on(&shelf, || 8);
    let waker = Waker::from(Arc::new(Mine));
    let mut cx = Context::from_waker(&waker);
    assert!(Pin::new(&mut offload).poll(&mut cx).is_pending());
    shelf.pop().run();
    let polled = Pin::new(&mut offload).poll(&mut cx);
    assert!(matches!(polled, Poll::Ready(Ok(8))));
}

#[test]
fn a_waker_whose_drop_panics_stops_nothing() {
    /// Panics when the last waker of it goes.
    struct Bomb;

    impl Wake for Bomb {
        fn wake(self: Arc<Self>) {}
    }

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("a waker's destructor");
        }
    }

    fn plant<T>(offload: &mut Offload<T>) {
        let waker = Waker::from(Arc::new(Bomb));
        let polled = Pin::new(offload).poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        // The one in the job is the last.
    }

    let shelf = Shelf::default();
    let mut replaced = offload_on(&shelf, || 8);
    plant(&mut replaced);
    let polled = Pin::new(&mut replaced).poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending());
    shelf.pop().run();
    assert_eq!(block_on(replaced).unwrap(), 8);

    let mut woken = offload_on(&shelf, || 9);
    plant(&mut woken);
    shelf.pop().run();
    assert_eq!(block_on(woken).unwrap(), 9);

    let mut dropped = offload_on(&shelf, || ());
    plant(&mut dropped);
    drop(dropped);
    assert!(shelf.pop().is_cancelled());
}

/// Runs jobs within `execute`.
struct Inline;

impl Executor for Inline {
    fn execute(&self, job: Job) -> Result<(), Job> {
        job.run();
        Ok(())
    }
}

#[test]
fn an_executor_may_run_the_job_at_once() {
    let offload = offload_on(&Inline, || thread::current().id());
    assert_eq!(block_on(offload).unwrap(), thread::current().id());
}

#[test]
fn jobs_nest_on_one_thread_and_keep_their_own_interrupts() {
    let pool = ThreadPool::fixed(1);
    let busy = Busy::start(&pool, || {
        let before = Interrupt::current().is_requested();
        let inner = offload_on(&Inline, || Interrupt::current().is_requested());
        let after = Interrupt::current().is_requested();
        (before, block_on(inner).unwrap(), after)
    });
    busy.offload.cancel();
    assert_eq!(busy.finish().unwrap(), (true, false, true));
}

#[test]
fn executors_are_used_through_pointers() {
    let shared: Arc<dyn Executor> = Arc::new(ThreadPool::fixed(1));
    assert_eq!(block_on(offload_on(&shared, || 1)).unwrap(), 1);
    assert_eq!(block_on(offload_on(&*shared, || 2)).unwrap(), 2);
    let boxed: Box<dyn Executor> = Box::new(shared);
    assert_eq!(block_on(offload_on(&boxed, || 3)).unwrap(), 3);
}

#[test]
fn jobs_know_where_they_come_from() {
    let shelf = Shelf::default();
    let line = line!() + 1;
    let offload = offload_on(&shelf, || ());
    let job = shelf.pop();
    assert_eq!(
        (job.location().file(), job.location().line()),
        (file!(), line)
    );
    assert!(format!("{offload:?}").contains("Queued"), "{offload:?}");
    job.run();
    assert!(format!("{offload:?}").contains("Ended"), "{offload:?}");
}
