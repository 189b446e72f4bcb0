//! Many closures: scopes in scopes, closures that spawn more, long queues.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use ringloop_offload::{CpuPool, Executor, Job, Scope, scope};

use super::{Any, EXECUTORS};

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
