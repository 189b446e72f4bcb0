//! How often the hot paths allocate: a binary of its own, because it counts for the whole process.

#![expect(unsafe_code, reason = "an allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::time::Duration;

use ringloop_core::ThreadDriver;
use ringloop_task::cancel::Cancelled;
use ringloop_task::group::group;
use ringloop_task::{Scheduler, task, time};

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<isize> = const { Cell::new(0) };
}

// SAFETY: everything is the system allocator's; the count is a plain thread-local.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        BYTES.set(BYTES.get() + layout.size().cast_signed());
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        BYTES.set(BYTES.get() - layout.size().cast_signed());
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Runs `body` twice, and returns what the second run allocated.
async fn allocations<F: Future>(body: impl Fn() -> F) -> usize {
    body().await;
    let before = COUNT.get();
    body().await;
    COUNT.get() - before
}

#[test]
fn hot_paths() {
    Scheduler::new(ThreadDriver::new()).block_on(async {
        let spawn = allocations(async || {
            for n in 0..100 {
                assert_eq!(task::spawn(async move { n }).await.unwrap(), n);
            }
        });
        assert_eq!(spawn.await, 100, "one for each task");
        let yields = allocations(async || {
            for _ in 0..100 {
                task::yield_now().await.unwrap();
            }
        });
        assert_eq!(yields.await, 0, "none for a wake");
        let sleeps = allocations(async || {
            for _ in 0..10 {
                time::sleep(Duration::from_micros(10)).await.unwrap();
            }
        });
        assert_eq!(sleeps.await, 0, "none for a sleep");
        let interval = RefCell::new(time::interval(Duration::from_micros(10)));
        let ticks = allocations(async || {
            for _ in 0..10 {
                poll_fn(|cx| interval.borrow_mut().poll_tick(cx))
                    .await
                    .unwrap();
            }
        });
        assert_eq!(ticks.await, 0, "none for a tick");
        let timeouts = allocations(async || {
            for _ in 0..10 {
                let slow = time::timeout(Duration::from_secs(9), task::yield_now()).await;
                slow.unwrap().unwrap();
            }
        });
        assert_eq!(timeouts.await, 0, "none for a timeout");
    });
}

#[test]
fn memory_of_a_group_is_flat_however_many_children_it_has_had() {
    let result = Scheduler::new(ThreadDriver::new()).block_on(group(async |g| {
        let crowd = async || {
            for _ in 0..100 {
                drop(g.spawn(async { task::yield_now().await }));
            }
            while !g.is_empty() {
                task::yield_now().await?;
            }
            Ok::<_, Cancelled>(())
        };
        // The queues and the group grow to the size of a crowd.
        crowd().await?;
        let (count, bytes) = (COUNT.get(), BYTES.get());
        for _ in 0..1000 {
            crowd().await?;
        }
        assert_eq!(COUNT.get() - count, 100_000, "one for each child");
        assert_eq!(BYTES.get(), bytes, "nothing is left of them");
        Ok::<_, Cancelled>(())
    }));
    result.unwrap();
}
