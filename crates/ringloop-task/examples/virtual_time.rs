//! A day in no time: `cargo run -p ringloop-task --example virtual_time`.
//!
//! The driver's `park` sets the clock to the next deadline, so a program that only waits for time
//! runs as fast as it computes, and always in the same order.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]

use std::time::Duration;

use ringloop_task::cancel::Cancelled;
use ringloop_task::testing::VirtualDriver;
use ringloop_task::{Scheduler, task, time};

const HOUR: Duration = Duration::from_secs(3600);

fn main() -> Result<(), Cancelled> {
    let driver = VirtualDriver::new();
    let clock = driver.clock();
    let now = move || clock.elapsed().as_secs() / 3600;

    Scheduler::new(driver).block_on(async {
        let ship = task::spawn({
            let now = now.clone();
            async move {
                let mut watch = time::interval(4 * HOUR);
                watch.tick().await?;
                for bells in 1..=3 {
                    watch.tick().await?;
                    println!("{:2} h: watch {bells} is over", now());
                }
                Ok::<(), Cancelled>(())
            }
        });
        let fog = time::timeout(9 * HOUR, time::sleep(Duration::MAX)).await;
        println!("{:2} h: {}", now(), fog.expect_err("nobody waits for ever"));
        ship.await.expect("it does not panic")
    })
}
