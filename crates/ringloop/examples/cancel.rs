//! Stopping work without tearing it: `cargo run --example cancel`, or `... cancel -- 10000` for
//! more patience, in milliseconds.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]
#![expect(clippy::print_stderr, reason = "and says what is wrong")]

use std::{process::ExitCode, time::Duration};

use ringloop::{Cancelled, cancel::shield, sleep, spawn, timeout};

#[ringloop::main]
async fn main() -> ExitCode {
    let patience = std::env::args().nth(1).unwrap_or("350".into());
    let Ok(patience) = patience.parse().map(Duration::from_millis) else {
        eprintln!("cancel: `{patience}` is no whole number of milliseconds");
        return ExitCode::FAILURE;
    };
    // To stop waiting for a task is to ask it to stop, and to wait for its cleanup.
    match timeout(patience, spawn(keep_shop())).await {
        Ok(closed) => {
            closed
                .expect("it does not panic")
                .expect("nobody else stops it");
            println!("main: the day is over");
        }
        Err(elapsed) => println!("main: {elapsed}, and the shop is closed"),
    }
    ExitCode::SUCCESS
}

async fn keep_shop() -> Result<(), Cancelled> {
    let served = serve_customers().await;
    // In a cancelled task every wait fails at once, except behind a shield.
    shield(close_shop()).await?;
    served
}

async fn serve_customers() -> Result<(), Cancelled> {
    for customer in 1..=10 {
        if let Err(cancelled) = sleep(Duration::from_millis(100)).await {
            println!("shop: sorry, customer {customer}: {cancelled}");
            return Err(cancelled);
        }
        println!("shop: served customer {customer}");
    }
    Ok(())
}

async fn close_shop() -> Result<(), Cancelled> {
    println!("shop: counting the money");
    sleep(Duration::from_millis(200)).await?;
    println!("shop: closed");
    Ok(())
}
