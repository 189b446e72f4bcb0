//! A scheduler inside a loop that is not ours: `cargo run -p ringloop-task --example inside`.
//!
//! The host here is a game that draws a frame, lets the tasks have a turn, and sleeps for what is
//! left of the frame. Anything that has a loop may be in its place.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use ringloop_core::ThreadDriver;
use ringloop_task::cancel::Cancelled;
use ringloop_task::{Scheduler, time};

const FRAME: Duration = Duration::from_millis(2);

fn main() -> io::Result<()> {
    let mut tasks = Scheduler::new(ThreadDriver::new());
    let position = Rc::new(Cell::new(0));

    // What takes several frames is written as if it took none.
    let hero = Rc::clone(&position);
    let mut walk = tasks.spawn(async move {
        for step in 1..=5 {
            time::sleep(2 * FRAME).await?;
            hero.set(step);
        }
        Ok::<&str, Cancelled>("the hero is there")
    });

    let mut drawn = None;
    loop {
        if drawn.replace(position.get()) != Some(position.get()) {
            println!("{:>1$}", '@', 4 * position.get() + 1);
        }
        let turn = tasks.turn(Some(FRAME))?;
        if let Some(end) = walk.try_result() {
            println!(
                "{}",
                end.map_err(io::Error::other)?.map_err(io::Error::other)?
            );
            break;
        }
        if turn.stop_requested {
            break;
        }
    }
    let report = tasks.shutdown(Duration::from_secs(1));
    println!("{} tasks had to be asked to end", report.cancelled);
    Ok(())
}
