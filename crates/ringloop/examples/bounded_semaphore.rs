//! Two at a time: `cargo run --example bounded_semaphore`.
//!
//! The section "Locks and Semaphores" of the gevent tutorial. A permit is given back when it is
//! dropped: by hand, or at the end of its block.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]

use std::rc::Rc;

use ringloop::group::GroupError;
use ringloop::sync::Semaphore;
use ringloop::task::yield_now;
use ringloop::{Cancelled, group};

#[ringloop::main]
async fn main() -> Result<(), GroupError<Cancelled>> {
    let semaphore = Rc::new(Semaphore::bounded(2));
    group(async |g| {
        for n in 0..2 {
            let semaphore = Rc::clone(&semaphore);
            g.spawn(async move {
                let permit = semaphore.acquire().await?;
                println!("Worker {n} acquired semaphore");
                yield_now().await?;
                drop(permit);
                println!("Worker {n} released semaphore");
                Ok(())
            });
        }
        Ok(())
    })
    .await?;
    group(async |g| {
        for n in 3..6 {
            let semaphore = Rc::clone(&semaphore);
            g.spawn(async move {
                {
                    let _permit = semaphore.acquire().await?;
                    println!("Worker {n} acquired semaphore");
                    yield_now().await?;
                }
                println!("Worker {n} released semaphore");
                Ok(())
            });
        }
        Ok(())
    })
    .await
}
