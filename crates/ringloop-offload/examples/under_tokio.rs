//! Under somebody else's runtime: `cargo run -p ringloop-offload --example under_tokio`.
//!
//! Unlike `spawn_blocking`, a job that nobody waits for any more never starts, or is told to stop.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]

use std::error::Error;
use std::sync::mpsc;
use std::time::Duration;

use ringloop_offload::{CpuPool, Interrupt, map_on, offload_on};
use tokio::time::timeout;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()?;
    runtime.block_on(run())
}

async fn run() -> Result<(), Box<dyn Error>> {
    let pool = CpuPool::with_threads(2);

    // One closure over many items, two at a time; the task sleeps meanwhile.
    let squares = map_on(&pool, 2, 1..=1000_u64, |n| n * n).collect().await?;
    println!("the squares add up to {}", squares.iter().sum::<u64>());

    // tokio drops what takes too long, and the job hears of it.
    let (tell, told) = mpsc::channel();
    let endless = offload_on(&pool, move || {
        let mut rounds = 0_u64;
        while Interrupt::check().is_ok() {
            rounds += 1;
        }
        tell.send(rounds)
    });
    let elapsed = timeout(Duration::from_millis(5), endless).await;
    assert!(elapsed.is_err(), "it would not end by itself");
    match told.recv() {
        Ok(rounds) => println!("it was told, after {rounds} rounds"),
        Err(_dropped) => println!("it never began"),
    }

    let report = pool.shutdown(Duration::from_secs(1));
    assert!(report.is_clean(), "{report}");
    Ok(())
}
