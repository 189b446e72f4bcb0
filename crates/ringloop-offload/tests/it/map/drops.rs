//! The map is dropped at every stage, in either order, with and without panics: each item and each
//! result is dropped once, on the right thread.

use std::panic;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Waker};
use std::thread;

use ringloop_offload::{Interrupt, ThreadPool, map_on};

use crate::support::{Drops, Shelf, block_on};

/// How far the map has come when it is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Made,
    /// The runners are queued.
    Queued,
    /// One item is being run.
    Running,
    /// Everything that was pulled has run, and nothing is yielded.
    Done,
    /// Half of that is yielded.
    HalfYielded,
    /// All of it.
    Yielded,
}

impl Stage {
    /// How many results are taken, once all that were pulled have been run.
    fn taken(self) -> Option<usize> {
        match self {
            Self::Made | Self::Queued | Self::Running => None,
            Self::Done => Some(0),
            Self::HalfYielded => Some(5),
            Self::Yielded => Some(10),
        }
    }
}

const STAGES: [Stage; 6] = [
    Stage::Made,
    Stage::Queued,
    Stage::Running,
    Stage::Done,
    Stage::HalfYielded,
    Stage::Yielded,
];

/// What panics on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// The closure, on every second item.
    Closure,
    /// The destructor of every item, once the map is dropped.
    ItemDrop,
    /// The destructor of every result, once the map is dropped.
    ResultDrop,
}

const FAULTS: [Fault; 4] = [
    Fault::None,
    Fault::Closure,
    Fault::ItemDrop,
    Fault::ResultDrop,
];

/// Counts its drop and may panic then.
struct Fragile {
    drops: Arc<AtomicUsize>,
    is_fragile: bool,
    is_armed: Arc<AtomicBool>,
}

impl Drop for Fragile {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Ordering::SeqCst);
        let panics = self.is_fragile && self.is_armed.load(Ordering::SeqCst);
        assert!(!panics, "a destructor");
    }
}

/// What is counted, and what is done, in one case.
#[derive(Clone)]
struct Case {
    stage: Stage,
    fault: Fault,
    pulled: Arc<AtomicUsize>,
    calls: Arc<AtomicUsize>,
    items_dropped: Arc<AtomicUsize>,
    results_made: Arc<AtomicUsize>,
    results_dropped: Arc<AtomicUsize>,
    /// The destructors panic from here on.
    is_armed: Arc<AtomicBool>,
}

impl Case {
    fn new(stage: Stage, fault: Fault) -> Self {
        Self {
            stage,
            fault,
            pulled: Arc::default(),
            calls: Arc::default(),
            items_dropped: Arc::default(),
            results_made: Arc::default(),
            results_dropped: Arc::default(),
            is_armed: Arc::default(),
        }
    }

    fn item(&self, n: usize) -> (usize, Fragile) {
        self.pulled.fetch_add(1, Ordering::SeqCst);
        let item = Fragile {
            drops: Arc::clone(&self.items_dropped),
            is_fragile: self.fault == Fault::ItemDrop,
            is_armed: Arc::clone(&self.is_armed),
        };
        (n, item)
    }

    /// The closure. In the stage of that name it runs the first item until it is interrupted.
    fn call(&self, n: usize, item: Fragile, started: &mpsc::Sender<()>) -> Fragile {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.stage == Stage::Running && n == 0 {
            started.send(()).expect("the test waits for it");
            while !Interrupt::current().is_requested() {
                thread::yield_now();
            }
        }
        assert!(self.fault != Fault::Closure || n % 2 == 1, "item {n}");
        drop(item);
        self.results_made.fetch_add(1, Ordering::SeqCst);
        Fragile {
            drops: Arc::clone(&self.results_dropped),
            is_fragile: self.fault == Fault::ResultDrop,
            is_armed: Arc::clone(&self.is_armed),
        }
    }
}

#[test]
fn at_every_stage_each_item_and_each_result_is_dropped_once() {
    for stage in STAGES {
        for fault in FAULTS {
            for is_ordered in [true, false] {
                for limit in [1, 2] {
                    check(&Case::new(stage, fault), is_ordered, limit);
                }
            }
        }
    }
}

fn check(case: &Case, is_ordered: bool, limit: usize) {
    let stage = case.stage;
    let what = format!(
        "{stage:?} {:?} ordered: {is_ordered} limit: {limit}",
        case.fault
    );
    let load = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
    let captured = Drops::default();
    let (started, has_started) = mpsc::channel();
    let (inside, probe) = (case.clone(), captured.probe());
    let shelf = Shelf::default();
    let items = (0..100).map(|n| case.item(n));
    let mut map = map_on(&shelf, limit, items, move |(n, item)| {
        let _captured = &probe;
        inside.call(n, item, &started)
    });
    map = map.buffer(10);
    if !is_ordered {
        map = map.unordered();
    }

    let mut cx = Context::from_waker(Waker::noop());
    if stage != Stage::Made {
        assert!(map.poll_next(&mut cx).is_pending());
    }
    let mut worker = None;
    if stage == Stage::Running {
        let job = shelf.pop();
        worker = Some(thread::spawn(|| job.run()));
        has_started.recv().expect("it says so when it starts");
    }
    if let Some(taken) = stage.taken() {
        shelf.run_all();
        for _ in 0..taken {
            assert!(map.poll_next(&mut cx).is_ready(), "{what}");
        }
    }

    let calls = load(&case.calls);
    case.is_armed.store(true, Ordering::SeqCst);
    // One panic of a destructor comes out; the others stop at the panic hook.
    let _panic = panic::catch_unwind(panic::AssertUnwindSafe(|| drop(map)));
    // All but the one that is being run is dropped at once.
    let running = usize::from(stage == Stage::Running);
    assert!(
        load(&case.items_dropped) + running >= load(&case.pulled),
        "{what}"
    );
    assert!(
        load(&case.results_dropped) + running >= load(&case.results_made),
        "{what}"
    );
    if let Some(worker) = worker {
        worker.join().expect("panics stop at the wall of the job");
    }
    shelf.run_all();
    assert_eq!(load(&case.calls), calls, "nothing starts any more: {what}");
    assert_eq!(load(&case.items_dropped), load(&case.pulled), "{what}");
    assert_eq!(
        load(&case.results_dropped),
        load(&case.results_made),
        "{what}"
    );
    assert_eq!(captured.count(), 1, "{what}");
}

#[test]
fn a_result_that_comes_too_late_is_dropped_where_it_was_made() {
    struct Home(mpsc::Sender<thread::ThreadId>);

    impl Drop for Home {
        fn drop(&mut self) {
            self.0.send(thread::current().id()).unwrap();
        }
    }

    let pool = ThreadPool::fixed(1);
    let (started, has_started) = mpsc::channel();
    let (sender, dropped_on) = mpsc::channel();
    let mut map = map_on(&pool, 1, 0..10, move |_| {
        started.send(thread::current().id()).unwrap();
        while !Interrupt::current().is_requested() {
            thread::yield_now();
        }
        Home(sender.clone())
    });
    assert!(
        map.poll_next(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
    let worker = has_started.recv().unwrap();
    drop(map);
    assert_eq!(dropped_on.recv().unwrap(), worker);
    assert!(dropped_on.recv().is_err(), "the other items never ran");
    // The thread is free.
    assert_eq!(
        block_on(map_on(&pool, 1, [1], |n| n).collect()).unwrap(),
        [1]
    );
}

#[test]
fn a_next_that_is_dropped_loses_nothing() {
    let shelf = Shelf::default();
    let mut map = map_on(&shelf, 1, 0..3, |n| n);
    let mut cx = Context::from_waker(Waker::noop());
    for n in 0..3 {
        let mut next = Box::pin(map.next());
        let _first_poll = next.as_mut().poll(&mut cx).is_pending();
        if n == 0 {
            drop(next);
            shelf.run_all();
        } else {
            drop(next);
        }
    }
    // The polls of the second and third `next` took a result each.
    assert_eq!(block_on(map.next()).unwrap().unwrap(), 2);
    assert!(block_on(map.next()).is_none());
}
