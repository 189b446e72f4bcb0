//! Closures over many items, inside the scopes of a task.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use ringloop::cancel::{CancelScope, ScopeExit};
use ringloop::offload::{Interrupt, Limiter, ThreadPool, cpu_map, map, map_on};
use ringloop::runtime::UnhandledKind;
use ringloop::task::{POLL_BUDGET, yield_now};
use ringloop::{Runtime, offload, spawn, task_local};

use crate::offload::AtOnce;
use crate::rig::{cancelled_while_pending, in_cancelled_scope, run};

task_local! {
    traveling static REQUEST: usize = 0;
}

/// Items that wait for their release, each on a thread of its own.
fn held(count: usize) -> (Vec<mpsc::Sender<()>>, Vec<mpsc::Receiver<()>>) {
    (0..count).map(|_| mpsc::channel()).unzip()
}

#[test]
fn results_come_in_order_or_as_they_are_made() {
    run(async {
        let squares = cpu_map(0..1000_u32, |n| n * n).collect().await.unwrap();
        assert!(squares.iter().copied().eq((0..1000).map(|n| n * n)));
        let mut lengths = map(["one", "three", "seven"], 2, str::len).unordered();
        let mut found = Vec::new();
        while let Some(length) = lengths.next().await {
            found.push(length.unwrap());
        }
        found.sort_unstable();
        assert_eq!(found, [3, 5, 5]);
        assert!(lengths.next().await.is_none(), "and again");
        // The last item ends first.
        let (mut senders, receivers) = held(2);
        let items = receivers.into_iter().enumerate();
        let mut held =
            map(items, 2, |(n, held)| held.recv().map_or_else(|_| n, |()| n)).unordered();
        drop(senders.pop());
        assert_eq!(held.next().await.unwrap().unwrap(), 1);
        drop(senders);
        assert_eq!(held.next().await.unwrap().unwrap(), 0);
        assert_eq!(held.progress().done, 2);
    });
}

#[test]
fn items_have_the_luggage_of_jobs() {
    run(async {
        REQUEST.set(7);
        let home = thread::current().id();
        let see = move |n| {
            let back =
                offload::block_on(move || async move { (thread::current().id(), REQUEST.get()) });
            REQUEST.set(n);
            (back.unwrap(), REQUEST.get())
        };
        let mut found = cpu_map(100..120, see);
        REQUEST.set(8);
        let mut items = 100..120;
        while let Some(result) = found.next().await {
            assert_eq!(result.unwrap(), ((home, 7), items.next().unwrap()));
        }
        assert!(items.is_empty());
    });
}

#[test]
fn a_limiter_counts_the_jobs_of_maps_and_others() {
    run(async {
        let limiter = Limiter::new(1);
        let pool = Arc::new(ThreadPool::fixed(4));
        let limited = limiter.over(Arc::clone(&pool));
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let work = {
            let most = Arc::clone(&most);
            move |_| {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                thread::yield_now();
                now.fetch_sub(1, Ordering::SeqCst);
            }
        };
        let alone = offload::offload_on(&limited, {
            let work = work.clone();
            move || work(0)
        });
        map_on(limited, 4, 0..100, work).collect().await.unwrap();
        alone.await.unwrap();
        assert_eq!(most.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_cancelled_wait_for_a_result_loses_none() {
    run(async {
        let (senders, receivers) = held(1);
        let mut held = map(receivers, 1, |held| held.recv().is_err());
        let exit = cancelled_while_pending(held.next()).await;
        assert!(exit.is_none(), "the scope recognizes its own");
        let early = in_cancelled_scope(held.next()).await;
        assert!(early.is_none());
        drop(senders);
        assert!(held.next().await.unwrap().unwrap());
        assert!(held.next().await.is_none());
    });
}

#[test]
fn what_is_begun_in_a_cancelled_scope_pulls_nothing() {
    run(async {
        let pulled = Rc::new(Cell::new(0));
        let items = || {
            let pulled = Rc::clone(&pulled);
            (0..10).inspect(move |_| pulled.set(pulled.get() + 1))
        };
        let mut map = cpu_map(items(), |n| n);
        assert!(in_cancelled_scope(map.next()).await.is_none());
        assert!(
            in_cancelled_scope(cpu_map(items(), |n| n).collect())
                .await
                .is_none()
        );
        assert_eq!(pulled.get(), 0);
        assert_eq!(map.collect().await.unwrap().len(), 10);
    });
}

#[test]
fn a_cancelled_collection_ends_at_once_and_tells_what_runs() {
    run(async {
        let (running, runs) = mpsc::channel();
        let (asked, was_asked) = mpsc::channel();
        let scope = CancelScope::new();
        let token = scope.token().clone();
        let all = map(0..100, 1, move |_| {
            running.send(()).unwrap();
            while !Interrupt::current().is_requested() {
                thread::yield_now();
            }
            asked.send(()).unwrap();
        })
        .collect();
        let task = spawn(scope.run(async { all.await.unwrap_err().is_cancelled() }));
        while runs.try_recv().is_err() {
            yield_now().await.unwrap();
        }
        token.cancel("enough");
        let exit = task.await.unwrap();
        // The error told of it, and was looked at.
        assert!(matches!(exit, ScopeExit::Done(true)));
        was_asked.recv().unwrap();
        assert!(runs.try_recv().is_err(), "the others never run");
    });
}

#[test]
fn a_panic_of_an_item_is_its_result_or_goes_to_the_hook() {
    let log = Rc::new(RefCell::new(Vec::new()));
    let lines = Rc::clone(&log);
    let builder = Runtime::builder().on_unhandled(move |unhandled| {
        assert!(
            unhandled
                .spawned_at()
                .unwrap()
                .file()
                .ends_with("offload_map.rs")
        );
        lines.borrow_mut().push(unhandled.kind());
    });
    let mut runtime = builder.build().unwrap();
    runtime.block_on(async {
        let odd_panics = |n: u32| assert!(n.is_multiple_of(2), "odd");
        let mut results = map(0..3, 2, odd_panics);
        for n in 0..3_u32 {
            let result = results.next().await.unwrap();
            let message = result.map_err(|error| error.panic_message().map(str::to_owned));
            assert_eq!(message.is_ok(), n.is_multiple_of(2));
            assert!(message.is_ok() || message == Err(Some("odd".into())));
        }
        let failed = map([1], 1, odd_panics).collect().await.unwrap_err();
        assert_eq!(failed.panic_message(), Some("odd"));
        assert!(log.borrow().is_empty(), "they were read");
        let mut unread = map([0, 1], 1, odd_panics);
        unread.next().await.unwrap().unwrap();
        while unread.progress().done < 2 {
            yield_now().await.unwrap();
        }
    });
    drop(runtime);
    assert_eq!(log.take(), [UnhandledKind::Panic]);
}

#[test]
fn results_that_are_there_at_once_do_not_hold_the_loop() {
    run(async {
        let other = spawn(async {});
        let mut results = 0;
        let mut map = map_on(AtOnce, 1, 0..10 * POLL_BUDGET, |_| ());
        while !other.is_finished() {
            map.next().await.unwrap().unwrap();
            results += 1;
            assert!(results <= POLL_BUDGET + 1);
        }
    });
}
