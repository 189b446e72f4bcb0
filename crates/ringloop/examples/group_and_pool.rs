//! Groups of tasks, and so many at a time: `cargo run --example group_and_pool`.
//!
//! The section "Group and Pool" of the gevent tutorial. Where that has `imap` and `imap_unordered`,
//! here are `map` and `map_unordered`, which start as many at a time as their pool has slots.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]

use std::time::Duration;

use ringloop::group::{GroupError, Pool};
use ringloop::task::yield_now;
use ringloop::{Cancelled, group, sleep};

#[ringloop::main]
async fn main() -> Result<(), GroupError<Cancelled>> {
    // A group is over when all of its tasks are.
    for words in [&["bar", "foo"][..], &["fizz"]] {
        group(async |g| {
            for word in words {
                g.spawn(async move {
                    for _ in 0..3 {
                        println!("{word}");
                    }
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
    }

    group(async |g| {
        for n in 0..3 {
            let members = g.clone();
            g.spawn(async move {
                println!("Size of group {}", members.len());
                println!("Hello from task {n}");
                yield_now().await
            });
        }
        Ok(())
    })
    .await?;

    group(async |g| {
        let pool = Pool::new(g, 3);
        println!("Ordered");
        let mut results = pool.map(0..3, intensive);
        while let Some(result) = results.next().await {
            let (name, n) = result.expect("it does not panic")?;
            println!("('{name}', {n})");
        }
        println!("Unordered");
        let mut results = pool.map_unordered(0..3, intensive);
        while let Some(result) = results.next().await {
            let (name, n) = result.expect("it does not panic")?;
            println!("('{name}', {n})");
        }
        Ok(())
    })
    .await?;

    // With two slots, the third has to wait.
    group(async |g| {
        let pool = Pool::new(g, 2);
        let mut greetings = pool.map(0..3, |_| {
            let pool = pool.clone();
            async move {
                println!("Size of pool {}", pool.len());
                yield_now().await
            }
        });
        while let Some(greeting) = greetings.next().await {
            greeting.expect("it does not panic")?;
        }
        Ok(())
    })
    .await
}

/// The later it is started, the sooner it is done.
async fn intensive(n: u64) -> Result<(&'static str, u64), Cancelled> {
    sleep(Duration::from_millis(10 * (3 - n))).await?;
    Ok(("task", n))
}
