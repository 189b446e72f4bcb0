//! Who waits for whom.

use std::cell::RefCell;
use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use ringloop_core::future::race;
use ringloop_task::cancel::Cancelled;
use ringloop_task::group::group;
use ringloop_task::task::{self, JoinHandle, TaskGraph, TaskRef, TaskState, When};
use ringloop_task::time;

use crate::driver::{run, secs};

fn named(name: &str) -> task::Builder {
    task::Builder::new().name(name)
}

fn names(tasks: &[TaskRef]) -> Vec<String> {
    let name = |task: &TaskRef| task.name().as_deref().unwrap_or("main").to_owned();
    tasks.iter().map(name).collect()
}

/// A waker that passes wakes on, as those of collections of futures do.
struct Relay(Waker);

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        self.0.wake_by_ref();
    }
}

/// Polls with a waker that is not the task's own.
async fn relayed<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let waker = Waker::from(Arc::new(Relay(cx.waker().clone())));
        future.as_mut().poll(&mut Context::from_waker(&waker))
    })
    .await
}

/// How a task waits for another.
#[derive(Debug, Clone, Copy)]
enum Way {
    Await,
    Wait,
    RelayedAwait,
    RelayedWait,
    Race,
    Gather,
    WaitFor,
    AsCompleted,
}

const WAYS: [Way; 8] = [
    Way::Await,
    Way::Wait,
    Way::RelayedAwait,
    Way::RelayedWait,
    Way::Race,
    Way::Gather,
    Way::WaitFor,
    Way::AsCompleted,
];

async fn wait_for(handle: JoinHandle<()>, way: Way) {
    match way {
        Way::Await => drop(handle.await),
        Way::Wait => drop(handle.wait().await),
        Way::RelayedAwait => drop(relayed(handle).await),
        Way::RelayedWait => drop(relayed(handle.wait()).await),
        Way::Race => drop(race(handle, pending::<()>()).await),
        Way::Gather => drop(task::gather([handle]).await),
        Way::WaitFor => drop(task::wait(&mut vec![handle], When::First).await),
        Way::AsCompleted => drop(task::as_completed([handle]).next().await),
    }
}

#[test]
fn edges_are_there_while_the_wait_is() {
    for way in WAYS {
        run(async {
            let child = named("child").spawn(async {
                for _ in 0..3 {
                    time::sleep(secs(1)).await.unwrap();
                }
            });
            let child_ref = child.task();
            let waiter = named("waiter").spawn(wait_for(child, way));
            assert!(child_ref.awaited_by().is_empty(), "{way:?}");
            for _ in 0..2 {
                time::sleep(secs(1)).await.unwrap();
                assert_eq!(names(&child_ref.awaited_by()), ["waiter"], "{way:?}");
                assert_eq!(names(&waiter.task().awaiting()), ["child"], "{way:?}");
            }
            assert!(child_ref.awaiting().is_empty());
            assert!(waiter.task().awaited_by().is_empty());
            let waiter_ref = waiter.task();
            waiter.await.unwrap();
            assert!(child_ref.awaited_by().is_empty(), "{way:?}");
            assert!(waiter_ref.awaiting().is_empty(), "{way:?}");
        });
    }
}

#[test]
fn edges_go_with_a_wait_that_is_dropped() {
    for way in WAYS {
        run(async {
            let child = named("child").spawn(pending::<()>());
            let child_ref = child.task();
            let waiter = named("waiter").spawn(async move {
                drop(race(wait_for(child, way), time::sleep(secs(1))).await);
                pending::<()>().await;
            });
            task::yield_now().await.unwrap();
            assert_eq!(names(&child_ref.awaited_by()), ["waiter"], "{way:?}");
            time::sleep(secs(2)).await.unwrap();
            assert!(child_ref.awaited_by().is_empty(), "{way:?}");
            assert_eq!(child_ref.state(), TaskState::Waiting, "{way:?}");
            assert!(!waiter.is_finished(), "{way:?}");
            waiter.abort();
            child_ref.cancel("the end");
        });
    }
}

#[test]
fn many_may_wait_for_one_and_one_for_many() {
    run(async {
        let child = Rc::new(named("child").spawn(pending::<()>()));
        for name in ["first", "second"] {
            let child = child.clone();
            drop(named(name).spawn(async move { child.wait().await }));
        }
        task::yield_now().await.unwrap();
        assert_eq!(names(&child.task().awaited_by()), ["first", "second"]);

        let [a, b] = ["a", "b"].map(|name| named(name).spawn(pending::<()>()));
        let both = named("both").spawn(race(a, b));
        task::yield_now().await.unwrap();
        assert_eq!(names(&both.task().awaiting()), ["a", "b"]);
        child.abort();
    });
}

#[test]
fn combinators_wait_for_all_that_are_left() {
    type Combine = fn(Vec<JoinHandle<()>>) -> Pin<Box<dyn Future<Output = ()>>>;
    let gather: Combine = |handles| Box::pin(async { drop(task::gather(handles).await) });
    let wait: Combine = |mut handles| {
        Box::pin(async move {
            drop(task::wait(&mut handles, When::All).await);
        })
    };
    let as_completed: Combine = |handles| {
        Box::pin(async move {
            let mut completed = task::as_completed(handles);
            while completed.next().await.is_ok_and(|handle| handle.is_some()) {}
        })
    };
    for (place, combine) in [gather, wait, as_completed].into_iter().enumerate() {
        run(async move {
            let children = [("a", 2), ("b", 1), ("c", 3)].map(|(name, wait)| {
                named(name).spawn(async move { drop(time::sleep(secs(wait)).await) })
            });
            let waiter = named("waiter").spawn(combine(children.into()));
            time::sleep(Duration::from_millis(500)).await.unwrap();
            let lefts: [&[&str]; 3] = [&["a", "b", "c"], &["a", "c"], &["c"]];
            for left in lefts {
                assert_eq!(names(&waiter.task().awaiting()), left, "{place}");
                time::sleep(secs(1)).await.unwrap();
            }
            assert!(waiter.is_finished(), "{place}");
        });
    }
}

#[test]
fn children_are_awaited_by_the_task_of_their_group() {
    run(async {
        let parent = named("parent").spawn(group(async |outer| {
            named("child").spawn_in(outer, time::sleep(secs(5)));
            let inner = group(async |inner| {
                named("grandchild").spawn_in(inner, time::sleep(secs(1)));
                time::sleep(secs(2)).await
            });
            drop(inner.await);
            Ok::<(), Cancelled>(())
        }));
        time::sleep(Duration::from_millis(500)).await.unwrap();
        let awaiting = || names(&parent.task().awaiting());
        // While the body runs, and while the group waits.
        assert_eq!(awaiting(), ["child", "grandchild"]);
        time::sleep(secs(1)).await.unwrap();
        assert_eq!(awaiting(), ["child"]);
        time::sleep(secs(2)).await.unwrap();
        let child = parent.task().awaiting().remove(0);
        assert_eq!(names(&child.awaited_by()), ["parent"]);
        let reference = parent.task();
        parent.await.unwrap().unwrap();
        assert!(reference.awaiting().is_empty());
    });
}

/// Removes what differs from run to run: numbers, and places but for their lines.
fn simplified(graph: &TaskGraph) -> Vec<String> {
    let text = graph.to_string();
    let simple = |line: &str| {
        let mut line = line.to_owned();
        for (place, node) in graph.nodes().iter().enumerate() {
            line = line.replace(&format!("task {}", node.id()), &format!("task {place}"));
            let spawned = format!(", spawned at {}", node.task().spawned_at);
            line = line.replace(&spawned, "");
            if let Some(parked) = node.task().parked_at {
                line = line.replace(&parked.to_string(), "…");
            }
        }
        line
    };
    text.lines().map(simple).collect()
}

#[test]
fn tree_shows_what_is_awaited_below_who_waits() {
    let graph = run(async {
        let leaf = Rc::new(named("leaf").spawn(time::sleep(secs(9))));
        let shared = leaf.clone();
        let left = named("left").spawn(async move { shared.wait().await });
        let shared = leaf.clone();
        let right = named("right").spawn(async move { shared.wait().await });
        let top = named("top").spawn(race(left, right));
        drop(named("alone").spawn(pending::<()>()));
        task::yield_now().await.unwrap();
        drop(named("fresh").spawn(async {}));
        drop(top);
        task::graph()
    });
    let lines = [
        "task 0, running",
        "task 4 \"top\", waiting at …",
        "├── task 2 \"left\", waiting at …",
        "│   └── task 1 \"leaf\", waiting at …",
        "└── task 3 \"right\", waiting at …",
        "    └── task 1 \"leaf\", waiting at … (see above)",
        "task 5 \"alone\", waiting",
        "task 6 \"fresh\", ready",
    ];
    assert_eq!(simplified(&graph), lines);
    let top = &graph.nodes()[4];
    assert_eq!(graph.node(top.id()), Some(top));
    assert_eq!(top.task().state, TaskState::Waiting);
    let children: Vec<_> = graph.nodes()[2..4].iter().map(|node| node.id()).collect();
    assert_eq!(top.awaiting(), children);
    assert_eq!(graph.nodes()[1].awaited_by(), children);
    assert!(graph.cycles().is_empty());
}

#[test]
fn tasks_that_wait_for_each_other_are_a_cycle() {
    run(async {
        for len in [1, 2, 3] {
            let handles = Rc::new(RefCell::new(Vec::<Rc<JoinHandle<()>>>::new()));
            let (entered, first) = (handles.clone(), named("outside"));
            let outside = first.spawn(async move {
                let first = entered.borrow()[0].clone();
                first.wait().await
            });
            for place in 0..len {
                let handles_there = handles.clone();
                let handle = named("member").spawn(async move {
                    let next = handles_there.borrow()[(place + 1) % len].clone();
                    next.wait().await.unwrap();
                });
                handles.borrow_mut().push(Rc::new(handle));
            }
            task::yield_now().await.unwrap();
            let graph = task::graph();
            let members: Vec<_> = handles.borrow().iter().map(|handle| handle.id()).collect();
            assert_eq!(graph.cycles(), std::slice::from_ref(&members));
            let text = graph.to_string();
            let first = members[0];
            assert!(text.contains("cycle: task"), "{text}");
            assert!(text.ends_with(&format!("-> task {first}\n")), "{text}");
            outside.abort();
            for handle in handles.take() {
                handle.abort();
            }
            task::yield_now().await.unwrap();
        }
    });
}

#[test]
fn cycle_without_an_entrance_is_shown() {
    run(async {
        let slot = Rc::new(RefCell::new(None::<Rc<JoinHandle<()>>>));
        let own = slot.clone();
        let narcissus = named("narcissus").spawn(async move {
            let own = own.borrow().clone().unwrap();
            own.wait().await.unwrap();
        });
        slot.replace(Some(Rc::new(narcissus)));
        task::yield_now().await.unwrap();
        let graph = task::graph();
        let lines = [
            "task 0, running",
            "task 1 \"narcissus\", waiting at …",
            "└── task 1 \"narcissus\", waiting at … (see above)",
            "cycle: task 1 -> task 1",
        ];
        assert_eq!(simplified(&graph), lines);
        slot.take().unwrap().abort();
    });
}

#[test]
fn long_chains_are_no_problem() {
    run(async {
        let mut last = task::spawn(pending::<()>());
        for _ in 0..20_000 {
            last = task::spawn(async move { last.await.unwrap() });
        }
        task::yield_now().await.unwrap();
        let graph = task::graph();
        assert_eq!(graph.nodes().len(), 20_002);
        assert!(graph.cycles().is_empty());
        assert_eq!(graph.to_string().lines().count(), 20_002);
    });
}

#[test]
fn another_thread_may_look() {
    let mut scheduler = ringloop_task::Scheduler::new(ringloop_core::ThreadDriver::new());
    let remote = scheduler.remote();
    let looker = std::thread::spawn(move || {
        let (sender, graphs) = channel();
        remote
            .call_soon(move || sender.send(task::graph()).unwrap())
            .unwrap();
        let graph: TaskGraph = graphs.recv().unwrap();
        remote.stop().unwrap();
        graph.nodes().len()
    });
    scheduler.block_on(async {
        drop(task::spawn(pending::<()>()));
        time::sleep(secs(1000)).await.unwrap_err();
    });
    let len = looker.join().unwrap();
    assert!((1..=2).contains(&len), "before or after the spawn: {len}");
}

#[test]
fn nothing_outside_of_a_loop() {
    assert_eq!(task::graph().nodes(), []);
    assert_eq!(task::graph().to_string(), "");
    let (child, _waiter) = run(async {
        let child = task::spawn(pending::<()>());
        let child_ref = child.task();
        let waiter = task::spawn(child);
        task::yield_now().await.unwrap();
        assert_eq!(child_ref.awaited_by().len(), 1);
        (child_ref, waiter)
    });
    assert!(child.awaited_by().is_empty());
}
