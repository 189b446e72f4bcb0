//! asyncio's first program: `cargo run --example hello`, or `... hello -- 2` for a longer pause.
//!
//! While one task sleeps, the loop runs others; when none is ready, the thread sleeps too.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]
#![expect(clippy::print_stderr, reason = "and says what is wrong")]

use std::process::ExitCode;
use std::time::Duration;

use ringloop::{Cancelled, sleep, spawn};

#[ringloop::main]
async fn main() -> ExitCode {
    let seconds = std::env::args().nth(1).unwrap_or("1".into());
    let pause = seconds.parse().ok().map(Duration::try_from_secs_f64);
    let Some(Ok(pause)) = pause else {
        eprintln!("hello: `{seconds}` is no number of seconds: try 1 or 0.5");
        return ExitCode::FAILURE;
    };
    // Both run on this thread, and begin when this task waits for something.
    let world = spawn(say(pause, "... world!"));
    let meanwhile = spawn(say(pause / 2, "(another task, meanwhile)"));
    println!("hello ...");
    for task in [meanwhile, world] {
        let said = task.await.expect("it does not panic");
        said.expect("nobody stops it");
    }
    ExitCode::SUCCESS
}

/// The `.await` shows where others may run, and the `?` where somebody may stop this task.
async fn say(after: Duration, what: &str) -> Result<(), Cancelled> {
    sleep(after).await?;
    println!("{what}");
    Ok(())
}
