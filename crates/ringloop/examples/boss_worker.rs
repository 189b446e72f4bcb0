//! A boss gives out work, and workers share it: `cargo run --example boss_worker`.
//!
//! The section "Queues" of the gevent tutorial. Its workers quit when they have waited a second for
//! nothing; here the boss closes the queue, which they learn when it is empty. And they take turns in
//! a fixed order; there, john and the third one change places from round to round.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]

use std::io;
use std::rc::Rc;

use ringloop::group;
use ringloop::group::GroupError;
use ringloop::sync::Queue;
use ringloop::task::yield_now;

#[ringloop::main]
async fn main() -> Result<(), GroupError<io::Error>> {
    // The work is there before the workers are.
    let tasks = Rc::new(Queue::unbounded());
    for task in 1..25 {
        tasks.try_put(task).expect("the queue has no bound");
    }
    tasks.close();
    work_on(&tasks, &["steve", "john", "nancy"], async || Ok(())).await?;

    // There is room for three tasks at a time: the boss is no faster than the workers.
    let tasks = Rc::new(Queue::bounded(3));
    let boss = async || {
        for task in 1..10 {
            tasks.put(task).await?;
        }
        println!("Assigned all work in iteration 1");
        for task in 10..20 {
            tasks.put(task).await?;
        }
        println!("Assigned all work in iteration 2");
        tasks.close();
        Ok(())
    };
    work_on(&tasks, &["steve", "john", "bob"], boss).await
}

/// Has the workers work on the tasks, while somebody else does something.
async fn work_on(
    tasks: &Rc<Queue<u32>>,
    names: &'static [&str],
    meanwhile: impl AsyncFnOnce() -> io::Result<()>,
) -> Result<(), GroupError<io::Error>> {
    group(async |g| {
        for name in names {
            g.spawn(worker(name, Rc::clone(tasks)));
        }
        meanwhile().await
    })
    .await
}

async fn worker(name: &str, tasks: Rc<Queue<u32>>) -> io::Result<()> {
    while let Some(task) = tasks.next().await? {
        println!("Worker {name} got task {task}");
        yield_now().await?;
    }
    println!("Quitting time!");
    Ok(())
}
