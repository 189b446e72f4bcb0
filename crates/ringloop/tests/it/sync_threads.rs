//! What threads share, under load and as runtimes come and go.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use ringloop::sync::shared::{
    Event, Mutex, Receiver, RecvError, Semaphore, SendError, Sender, channel,
};
use ringloop::{sleep, spawn};

use crate::rig::{run, runtime};

/// Sends `items` from tasks of a loop of its own, each a part of them.
fn sending_loop(sender: Sender<usize>, tasks: usize, each: usize) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        run(async {
            let tasks: Vec<_> = (0..tasks)
                .map(|task| {
                    let sender = sender.clone();
                    spawn(async move {
                        for item in 0..each {
                            sender.send(task * each + item).await.unwrap();
                        }
                    })
                })
                .collect();
            drop(sender);
            for task in tasks {
                task.await.unwrap();
            }
        });
    })
}

#[test]
fn a_hundred_thousand_items_arrive_once_and_in_order() {
    const TASKS: usize = 4;
    const EACH: usize = 25_000;
    for capacity in [1, 64] {
        let (sender, receiver) = channel(capacity);
        let loops = sending_loop(sender, TASKS, EACH);
        let next = run(async {
            let mut next = [0; TASKS];
            while let Some(item) = receiver.next().await.unwrap() {
                assert_eq!(item % EACH, next[item / EACH]);
                next[item / EACH] += 1;
            }
            next
        });
        assert_eq!(next, [EACH; TASKS]);
        loops.join().unwrap();
    }
}

#[test]
fn loops_and_threads_share_locks_permits_and_a_signal() {
    const EACH: usize = 500;
    let all = Arc::new((
        Event::new(),
        Semaphore::new(2),
        Mutex::new(0),
        AtomicUsize::new(0),
    ));
    let inside = |count: &AtomicUsize| {
        let others = count.fetch_add(1, Ordering::SeqCst);
        assert!(others < 2);
    };
    let loops = [(); 2].map(|()| {
        let all = Arc::clone(&all);
        thread::spawn(move || {
            run(async {
                let tasks = [(); 3].map(|()| {
                    let all = Arc::clone(&all);
                    spawn(async move {
                        all.0.wait().await.unwrap();
                        for _ in 0..EACH {
                            let _permit = all.1.acquire().await.unwrap();
                            inside(&all.3);
                            *all.2.lock().await.unwrap() += 1;
                            all.3.fetch_sub(1, Ordering::SeqCst);
                        }
                    })
                });
                for task in tasks {
                    task.await.unwrap();
                }
            });
        })
    });
    let threads = [(); 2].map(|()| {
        let all = Arc::clone(&all);
        thread::spawn(move || {
            all.0.blocking_wait();
            for _ in 0..EACH {
                let _permit = all.1.blocking_acquire();
                inside(&all.3);
                *all.2.blocking_lock() += 1;
                all.3.fetch_sub(1, Ordering::SeqCst);
            }
        })
    });
    while all.0.statistics().waiting < 8 {
        thread::yield_now();
    }
    all.0.set();
    for thread in loops.into_iter().chain(threads) {
        thread.join().unwrap();
    }
    assert_eq!(*all.2.blocking_lock(), 8 * EACH);
    assert_eq!(all.1.available(), 2);
}

/// A loop that sleeps is woken by each of them.
#[test]
fn a_sleeping_loop_is_woken() {
    let (to_loop, inbox) = channel(1);
    let (to_thread, answers) = channel(1);
    let other = thread::spawn(move || {
        run(async {
            // Nothing else keeps the loop awake.
            while let Some(item) = inbox.next().await.unwrap() {
                to_thread.send(item + 1).await.unwrap();
            }
        });
    });
    let sum = run(async {
        let mut item = 0;
        for _ in 0..1000 {
            to_loop.send(item).await.unwrap();
            item = answers.recv().await.unwrap();
        }
        drop(to_loop);
        item
    });
    assert_eq!(sum, 1000);
    other.join().unwrap();
}

/// Waits until somebody waits on the other side, as the statistics tell.
fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        thread::yield_now();
    }
}

#[test]
fn the_end_of_a_runtime_closes_its_ends() {
    // A thread that blocks for room, and the receiver is in a task.
    let (sender, receiver) = channel(1);
    sender.try_send(0).unwrap();
    let theirs = sender.clone();
    let blocked = thread::spawn(move || theirs.blocking_send(1));
    until(|| sender.statistics().waiting_senders == 1);
    let mut rt = runtime();
    rt.block_on(async {
        spawn(async move {
            sleep(Duration::MAX).await.ok();
            drop(receiver);
        });
    });
    drop(rt);
    assert_eq!(blocked.join().unwrap(), Err(SendError::Closed(1)));

    // A loop that waits for items, and the sender is in a task of another.
    let (sender, receiver) = channel::<u32>(1);
    let seen = receiver.clone();
    let waits = thread::spawn(move || run(async { receiver.recv().await.map_err(drop) }));
    until(|| seen.statistics().waiting_receivers == 1);
    let mut rt = runtime();
    rt.block_on(async {
        spawn(async move { (sleep(Duration::MAX).await, sender).0 });
    });
    drop(rt);
    assert_eq!(waits.join().unwrap(), Err(()));
    assert_eq!(seen.blocking_recv(), Err(RecvError::Closed));

    // A lock and a permit that a task holds.
    let held = Arc::new((Mutex::new(0), Semaphore::new(1)));
    let ours = Arc::clone(&held);
    let mut rt = runtime();
    rt.block_on(async {
        spawn(async move {
            let _guard = ours.0.lock().await.unwrap();
            let _permit = ours.1.acquire().await.unwrap();
            sleep(Duration::MAX).await
        });
        ringloop::task::yield_now().await.unwrap();
    });
    let ours = Arc::clone(&held);
    let blocked = thread::spawn(move || {
        *ours.0.blocking_lock() += 1;
        drop(ours.1.blocking_acquire());
    });
    until(|| held.0.statistics().waiting == 1);
    drop(rt);
    blocked.join().unwrap();
}

/// Receives on a loop that ends when one of its tasks has had its share.
fn receive_for_a_while(receiver: &Receiver<usize>, sum: &Arc<AtomicUsize>) {
    let mut rt = runtime();
    rt.block_on(async {
        for _ in 0..3 {
            let (receiver, sum) = (receiver.clone(), Arc::clone(sum));
            spawn(async move {
                while let Ok(item) = receiver.recv().await {
                    sum.fetch_add(item, Ordering::SeqCst);
                }
            });
        }
        for _ in 0..100 {
            match receiver.recv().await {
                Ok(item) => sum.fetch_add(item, Ordering::SeqCst),
                Err(_closed) => return,
            };
        }
    });
}

#[test]
fn nothing_is_lost_as_receiving_runtimes_come_and_go() {
    const ITEMS: usize = 5000;
    for capacity in [0, 1, 16] {
        let (sender, receiver) = channel(capacity);
        let sends = thread::spawn(move || {
            for item in 1..=ITEMS {
                sender.blocking_send(item).unwrap();
            }
        });
        let sum = Arc::new(AtomicUsize::new(0));
        for _ in 0..10 {
            receive_for_a_while(&receiver, &sum);
        }
        while let Ok(item) = receiver.blocking_recv() {
            sum.fetch_add(item, Ordering::SeqCst);
        }
        sends.join().unwrap();
        assert_eq!(sum.load(Ordering::SeqCst), ITEMS * (ITEMS + 1) / 2);
    }
}

/// Aborted tasks were granted something, and drop it unseen.
#[test]
fn nothing_is_lost_as_tasks_are_aborted() {
    const ITEMS: usize = 2000;
    let (sender, receiver) = channel(0);
    let sends = thread::spawn(move || {
        for item in 1..=ITEMS {
            sender.blocking_send(item).unwrap();
        }
    });
    let sum = run(async {
        let sum = Arc::new(AtomicUsize::new(0));
        while !receiver.is_closed() {
            let (ours, total) = (receiver.clone(), Arc::clone(&sum));
            let task = spawn(async move {
                if let Ok(item) = ours.recv().await {
                    total.fetch_add(item, Ordering::SeqCst);
                }
            });
            ringloop::task::yield_now().await.unwrap();
            task.abort();
            drop(task.await);
            if let Ok(item) = receiver.try_recv() {
                sum.fetch_add(item, Ordering::SeqCst);
            }
        }
        while let Ok(item) = receiver.try_recv() {
            sum.fetch_add(item, Ordering::SeqCst);
        }
        sum.load(Ordering::SeqCst)
    });
    sends.join().unwrap();
    assert_eq!(sum, ITEMS * (ITEMS + 1) / 2);
}
