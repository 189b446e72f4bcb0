//! Closures that borrow: they run once and end before the scope does, whatever the executor does
//! and whatever is forgotten.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use ringloop_offload::{
    CpuPool, Executor, Interrupt, Job, Scope, ScopedJob, ThreadPool, from_fn, offload_on, scope,
};

use crate::support::{Busy, DropProbe, Drops, Shelf, block_on};

#[derive(Clone, Copy, Debug, PartialEq)]
enum ExecutorDoes {
    Run,
    RunInline,
    RunTwoPerCall,
    Drop,
    Refuse,
    Keep,
    Panic,
    PanicKeeping,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum ClosureDoes {
    Return,
    Panic,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum HandleIs {
    Joined,
    JoinedByNext,
    Dropped,
    Forgotten,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum BodyDoes {
    Return,
    Panic,
}

/// An executor of each kind.
struct Any {
    does: ExecutorDoes,
    kept: Mutex<Vec<Job>>,
}

impl Any {
    fn new(does: ExecutorDoes) -> Self {
        Self {
            does,
            kept: Mutex::default(),
        }
    }
}

impl Executor for Any {
    fn execute(&self, job: Job) -> Result<(), Job> {
        match self.does {
            ExecutorDoes::Run => drop(thread::spawn(move || job.run())),
            ExecutorDoes::RunInline => job.run(),
            ExecutorDoes::RunTwoPerCall => {
                let mut kept = self.kept.lock().unwrap();
                kept.push(job);
                if kept.len() == 2 {
                    let due = mem::take(&mut *kept);
                    drop(kept);
                    due.into_iter().for_each(Job::run);
                }
            }
            ExecutorDoes::Drop => drop(job),
            ExecutorDoes::Refuse => return Err(job.refused("never")),
            ExecutorDoes::Keep => self.kept.lock().unwrap().push(job),
            ExecutorDoes::Panic => panic_any("the executor"),
            ExecutorDoes::PanicKeeping => {
                self.kept.lock().unwrap().push(job);
                panic_any("the executor");
            }
        }
        Ok(())
    }
}

const EXECUTORS: [ExecutorDoes; 8] = [
    ExecutorDoes::Run,
    ExecutorDoes::RunInline,
    ExecutorDoes::RunTwoPerCall,
    ExecutorDoes::Drop,
    ExecutorDoes::Refuse,
    ExecutorDoes::Keep,
    ExecutorDoes::Panic,
    ExecutorDoes::PanicKeeping,
];

#[expect(clippy::mem_forget, reason = "that is what is tested")]
fn forgotten<T>(value: T) {
    mem::forget(value);
}

const CLOSURES: usize = 4;

/// What the closures borrow and the test looks at.
#[derive(Default)]
struct Ledger {
    runs: [AtomicUsize; CLOSURES],
    captured: Drops,
    results: Drops,
    joins: AtomicUsize,
}

impl Ledger {
    fn check(&self, case: Case) {
        for runs in &self.runs {
            assert_eq!(runs.load(Ordering::Relaxed), 1, "{case:?}");
        }
        assert_eq!(self.captured.count(), CLOSURES, "{case:?}");
        assert_eq!(self.results.count(), case.results(), "{case:?}");
        assert_eq!(self.joins.load(Ordering::Relaxed), case.joins(), "{case:?}");
    }
}

#[derive(Clone, Copy, Debug)]
struct Case {
    executor: ExecutorDoes,
    closure: ClosureDoes,
    handle: HandleIs,
    body: BodyDoes,
}

impl Case {
    fn join(self, job: ScopedJob<'_, DropProbe>, ledger: &Ledger) {
        match (job.join(), self.closure) {
            (Ok(result), ClosureDoes::Return) => drop(result),
            (Err(error), ClosureDoes::Panic) => assert!(error.is_panic()),
            (joined, _) => panic!("joined: {}", joined.is_ok()),
        }
        ledger.joins.fetch_add(1, Ordering::Relaxed);
    }

    fn fill<'scope>(self, s: &'scope Scope<'scope, '_>, ledger: &'scope Ledger) {
        let mut before = None;
        for number in 0..CLOSURES {
            let captured = ledger.captured.probe();
            let awaited = before.take();
            let job = s.spawn(move || {
                let _captured = captured;
                ledger.runs[number].fetch_add(1, Ordering::Relaxed);
                if let Some(awaited) = awaited {
                    self.join(awaited, ledger);
                }
                if self.closure == ClosureDoes::Panic {
                    panic_any(number);
                }
                ledger.results.probe()
            });
            match self.handle {
                HandleIs::Joined => self.join(job, ledger),
                HandleIs::JoinedByNext => before = Some(job),
                HandleIs::Dropped => drop(job),
                HandleIs::Forgotten => forgotten(job),
            }
        }
    }

    fn joins(self) -> usize {
        match self.handle {
            HandleIs::Joined => CLOSURES,
            HandleIs::JoinedByNext => CLOSURES - 1,
            HandleIs::Dropped | HandleIs::Forgotten => 0,
        }
    }

    fn results(self) -> usize {
        match (self.closure, self.handle) {
            (ClosureDoes::Panic, _) | (_, HandleIs::Forgotten) => 0,
            (ClosureDoes::Return, _) => CLOSURES,
        }
    }

    fn check(self) {
        let executor = Any::new(self.executor);
        let ledger = Ledger::default();
        let ended = catch_unwind(AssertUnwindSafe(|| {
            scope(&executor, |s| {
                self.fill(s, &ledger);
                if self.body == BodyDoes::Panic {
                    panic_any("the body");
                }
                "the value"
            })
        }));
        ledger.check(self);
        match ended {
            Ok(value) => {
                assert_eq!(
                    (value, self.body),
                    ("the value", BodyDoes::Return),
                    "{self:?}"
                );
                let is_all_joined = self.joins() == CLOSURES;
                assert!(
                    self.closure == ClosureDoes::Return || is_all_joined,
                    "{self:?}"
                );
            }
            Err(payload) => match payload.downcast_ref::<usize>() {
                Some(number) => {
                    assert_eq!(self.body, BodyDoes::Return, "{self:?}");
                    assert_eq!(self.closure, ClosureDoes::Panic, "{self:?}");
                    assert!(*number >= self.joins(), "it was joined: {self:?}");
                }
                None => {
                    assert_eq!(payload.downcast_ref(), Some(&"the body"), "{self:?}");
                    assert_eq!(self.body, BodyDoes::Panic, "{self:?}");
                }
            },
        }
        // What the executor has kept is empty.
        for job in executor.kept.into_inner().unwrap() {
            assert!(job.is_cancelled(), "{self:?}");
            job.run();
        }
        ledger.check(self);
    }
}

#[test]
fn every_case_ends_well_and_handles_may_be_forgotten() {
    for executor in EXECUTORS {
        for closure in [ClosureDoes::Return, ClosureDoes::Panic] {
            for handle in [
                HandleIs::Joined,
                HandleIs::JoinedByNext,
                HandleIs::Dropped,
                HandleIs::Forgotten,
            ] {
                for body in [BodyDoes::Return, BodyDoes::Panic] {
                    let case = Case {
                        executor,
                        closure,
                        handle,
                        body,
                    };
                    case.check();
                }
            }
        }
    }
}

#[test]
fn closures_write_to_what_they_borrow() {
    let pool = CpuPool::with_threads(2);
    let mut numbers = vec![0; 1000];
    scope(&pool, |s| {
        for (index, number) in numbers.iter_mut().enumerate() {
            s.spawn(move || *number = index);
        }
    });
    assert!(numbers.iter().enumerate().all(|(index, n)| index == *n));
}

#[test]
fn without_an_executor_the_order_is_that_of_spawning() {
    for does in [
        ExecutorDoes::Refuse,
        ExecutorDoes::Keep,
        ExecutorDoes::RunInline,
    ] {
        let order = Mutex::new(Vec::new());
        scope(&Any::new(does), |s| {
            for number in 0..100 {
                let order = &order;
                s.spawn(move || order.lock().unwrap().push(number));
            }
        });
        assert_eq!(order.into_inner().unwrap(), (0..100).collect::<Vec<_>>());
    }
}

#[test]
fn the_first_panic_is_the_one_that_is_resumed() {
    let ended = catch_unwind(|| {
        scope(&Any::new(ExecutorDoes::Refuse), |s| {
            for number in 0..3 {
                s.spawn(move || panic_any(number));
            }
        });
    });
    assert_eq!(ended.unwrap_err().downcast_ref(), Some(&0));
}

/// Panics when it is dropped.
struct Bomb(&'static str);

impl Drop for Bomb {
    fn drop(&mut self) {
        panic_any(self.0);
    }
}

#[test]
fn destructors_that_panic_are_panics_of_their_closures() {
    for does in [ExecutorDoes::Run, ExecutorDoes::Refuse] {
        let others = AtomicUsize::new(0);
        let ended = catch_unwind(AssertUnwindSafe(|| {
            scope(&Any::new(does), |s| {
                s.spawn(|| Bomb("a result"));
                for _ in 0..10 {
                    s.spawn(|| others.fetch_add(1, Ordering::Relaxed));
                }
            });
        }));
        assert_eq!(ended.unwrap_err().downcast_ref(), Some(&"a result"));
        assert_eq!(others.into_inner(), 10);
    }
}

#[test]
fn a_value_and_payloads_that_nobody_gets_are_dropped() {
    let drops = Drops::default();
    let ended = catch_unwind(AssertUnwindSafe(|| {
        scope(&Any::new(ExecutorDoes::Refuse), |s| {
            s.spawn(|| panic_any("first"));
            s.spawn(|| panic_any(drops.probe()));
            drops.probe()
        })
    }));
    assert_eq!(ended.err().unwrap().downcast_ref(), Some(&"first"));
    assert_eq!(drops.count(), 2);
}

#[test]
fn it_ends_on_a_pool_whose_only_thread_calls_it() {
    let pool = CpuPool::with_threads(1);
    let handle = pool.handle();
    let sum = offload_on(&pool, move || {
        let numbers: Vec<usize> = (0..100).collect();
        let sum = AtomicUsize::new(0);
        scope(&handle, |s| {
            for number in &numbers {
                let sum = &sum;
                s.spawn(move || sum.fetch_add(*number, Ordering::Relaxed));
            }
        });
        sum.into_inner()
    });
    assert_eq!(block_on(sum).unwrap(), 4950);
}

#[test]
fn it_ends_on_a_pool_whose_threads_are_all_busy() {
    let pool = ThreadPool::fixed(1);
    let busy = Busy::start(&pool, || ());
    let mut value = 0;
    scope(&pool, |s| {
        s.spawn(|| value = 7);
    });
    assert_eq!(value, 7);
    busy.finish().unwrap();
}

#[test]
fn scopes_nest() {
    fn sum(executor: &dyn Executor, numbers: &[u64]) -> u64 {
        if numbers.len() <= 2 {
            return numbers.iter().sum();
        }
        let (left, right) = numbers.split_at(numbers.len() / 2);
        scope(executor, |s| {
            let left = s.spawn(|| sum(executor, left));
            sum(executor, right) + left.join().unwrap()
        })
    }

    let numbers: Vec<u64> = (0..1000).collect();
    let pools = [1, 2, 4].map(CpuPool::with_threads);
    for pool in &pools {
        assert_eq!(sum(pool, &numbers), 499_500);
    }
    for does in EXECUTORS {
        assert_eq!(sum(&Any::new(does), &numbers[..100]), 4950, "{does:?}");
    }
}

#[test]
fn closures_spawn_closures() {
    fn grow<'scope>(s: &'scope Scope<'scope, '_>, depth: u32, leaves: &'scope AtomicUsize) {
        if depth == 0 {
            leaves.fetch_add(1, Ordering::Relaxed);
            return;
        }
        for _ in 0..2 {
            s.spawn(move || grow(s, depth - 1, leaves));
        }
    }

    for does in EXECUTORS {
        let leaves = AtomicUsize::new(0);
        scope(&Any::new(does), |s| grow(s, 6, &leaves));
        assert_eq!(leaves.into_inner(), 64, "{does:?}");
    }
}

#[test]
fn a_long_queue_needs_no_deep_stack() {
    // The executor runs nothing until the queue is long, and everything within the call then.
    struct Late {
        is_late: AtomicBool,
    }
    impl Executor for Late {
        fn execute(&self, job: Job) -> Result<(), Job> {
            if self.is_late.load(Ordering::Relaxed) {
                job.run();
                Ok(())
            } else {
                Err(job)
            }
        }
    }
    let late = Late {
        is_late: AtomicBool::new(false),
    };
    let runs = AtomicUsize::new(0);
    scope(&late, |s| {
        for _ in 0..50_000 {
            s.spawn(|| runs.fetch_add(1, Ordering::Relaxed));
        }
        late.is_late.store(true, Ordering::Relaxed);
        s.spawn(|| runs.fetch_add(1, Ordering::Relaxed));
        assert_eq!(runs.load(Ordering::Relaxed), 50_001);
    });
}

#[test]
fn what_is_queued_runs_beside_a_closure_that_blocks() {
    // All of them have to run at the same time.
    let pool = ThreadPool::builder().max_threads(16).build();
    let barrier = Barrier::new(8);
    scope(&pool, |s| {
        for _ in 0..8 {
            s.spawn(|| barrier.wait());
        }
    });
}

#[test]
fn a_join_waits_for_a_closure_that_runs_elsewhere() {
    let pool = ThreadPool::fixed(1);
    let (started, has_started) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    scope(&pool, |s| {
        let job = s.spawn(move || {
            started.send(thread::current().id()).unwrap();
            released.recv().unwrap_err();
            5
        });
        assert_ne!(has_started.recv().unwrap(), thread::current().id());
        assert!(!job.is_finished());
        // Not run by the join of another one.
        let other = s.spawn(|| thread::current().id());
        s.spawn(move || drop(release));
        assert_eq!(other.join().unwrap(), thread::current().id());
    });
}

#[test]
fn a_join_runs_what_it_waits_for_and_nothing_else() {
    let ran = AtomicUsize::new(0);
    scope(&Any::new(ExecutorDoes::Keep), |s| {
        s.spawn(|| ran.fetch_add(1, Ordering::Relaxed));
        let wanted = s.spawn(|| 6);
        assert_eq!(wanted.join().unwrap(), 6);
        assert_eq!(ran.load(Ordering::Relaxed), 0);
    });
    assert_eq!(ran.into_inner(), 1);
}

#[test]
fn the_interrupt_of_the_surrounding_job_is_seen_in_the_scope() {
    for does in [
        ExecutorDoes::Run,
        ExecutorDoes::RunInline,
        ExecutorDoes::Refuse,
    ] {
        let shelf = Shelf::default();
        let (asked, is_asked) = mpsc::channel::<()>();
        let (started, has_started) = mpsc::channel();
        let outer = offload_on(&shelf, move || {
            let (tell, told) = mpsc::channel();
            scope(&Any::new(does), |s| {
                started.send(()).unwrap();
                is_asked.recv().unwrap_err();
                let job = s.spawn(move || tell.send(Interrupt::current().is_requested()));
                // Elsewhere if there is an elsewhere, and here only where there is not.
                if does == ExecutorDoes::Refuse {
                    job.join().unwrap().unwrap();
                }
                told.recv()
            })
        });
        let job = shelf.pop();
        let worker = thread::spawn(move || job.run());
        has_started.recv().unwrap();
        assert!(!outer.cancel(), "it runs");
        drop(asked);
        worker.join().unwrap();
        assert_eq!(block_on(outer).unwrap(), Ok(true), "{does:?}");
        assert!(!Interrupt::current().is_requested());
    }
}

#[test]
fn an_empty_scope_asks_the_executor_for_nothing() {
    let executor = Any::new(ExecutorDoes::Keep);
    assert_eq!(scope(&executor, |_s| 3), 3);
    assert!(executor.kept.into_inner().unwrap().is_empty());
}

#[test]
fn one_helper_is_asked_for_at_a_time() {
    let executor = Any::new(ExecutorDoes::Keep);
    scope(&executor, |s| {
        for _ in 0..100 {
            s.spawn(|| ());
        }
        assert_eq!(executor.kept.lock().unwrap().len(), 1);
    });
}

#[test]
fn a_scope_outlives_the_pool_it_was_given() {
    let pool = CpuPool::with_threads(1);
    let handle = pool.handle();
    drop(pool);
    let mut value = 1;
    scope(&handle, |s| {
        s.spawn(|| value += 1);
    });
    assert_eq!(value, 2);
}

#[test]
fn many_scopes_on_one_pool_at_once() {
    let pool = CpuPool::with_threads(2);
    thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                for _ in 0..200 {
                    let total = AtomicUsize::new(0);
                    scope(&pool, |s| {
                        for number in 0..8 {
                            let total = &total;
                            s.spawn(move || total.fetch_add(number, Ordering::Relaxed));
                        }
                    });
                    assert_eq!(total.into_inner(), 28);
                }
            });
        }
    });
}

#[test]
fn a_closure_on_the_only_thread_may_wait_for_a_job_of_that_pool() {
    let pool = CpuPool::with_threads(1);
    for is_in_a_job in [false, true] {
        let (started, has_started) = mpsc::channel();
        let handle = pool.handle();
        let body = move || {
            scope(&handle.clone(), |s| {
                let job = s.spawn(move || {
                    started.send(()).unwrap();
                    offload_on(&handle, || 8).wait().unwrap()
                });
                // So that the pool's thread runs it.
                has_started.recv().unwrap();
                job.join().unwrap()
            })
        };
        let result = if is_in_a_job {
            let shelf = Shelf::default();
            let outer = offload_on(&shelf, body);
            shelf.pop().run();
            outer.wait().unwrap()
        } else {
            body()
        };
        assert_eq!(result, 8);
    }
}

/// The pool has one thread, and that one is busy: the caller of the scope, who sleeps, does it.
#[test]
fn who_waits_at_the_end_wakes_up_for_a_closure_that_is_added() {
    let pool = ThreadPool::fixed(1);
    for _ in 0..20 {
        let (started, has_started) = mpsc::channel();
        let (stays, body_ends) = mpsc::channel::<()>();
        let mut has_run = None;
        scope(&pool, |s| {
            let has_run = &mut has_run;
            s.spawn(move || {
                started.send(()).unwrap();
                body_ends.recv().unwrap_err();
                // Most likely, the caller sleeps then. If not, it finds the closure all the same.
                (0..100).for_each(|_| thread::yield_now());
                let (runs, ran) = mpsc::channel();
                s.spawn(move || runs.send(()));
                *has_run = Some(ran.recv_timeout(Duration::from_secs(5)));
            });
            has_started.recv().unwrap();
            drop(stays);
        });
        assert_eq!(has_run, Some(Ok(())));
    }
}

#[test]
fn a_result_that_panics_when_its_handle_is_dropped_is_a_panic_of_the_scope() {
    struct Fuse;

    impl Drop for Fuse {
        fn drop(&mut self) {
            panic_any(58);
        }
    }

    // It has run when `spawn` returns, so nobody else has a hold of the result.
    let inline = from_fn(|job: Job| {
        job.run();
        Ok(())
    });
    let spawn_and_drop = || scope(&inline, |s| drop(s.spawn(|| Fuse)));
    let payload = catch_unwind(AssertUnwindSafe(spawn_and_drop)).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&58));
}
