//! A worker that reports to the loop, and stops when it is asked: `cargo run --example from_thread`,
//! or `... from_thread -- 1000000` to look for primes further on.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]
#![expect(clippy::print_stderr, reason = "and says what is wrong")]

use std::{cell::Cell, error::Error, process::ExitCode, time::Duration};

use ringloop::{Cancelled, offload, offload::Interrupt, task_local, timeout};

task_local! {
    /// It goes along with the work.
    traveling static JOB: &'static str;
}

thread_local! {
    /// What the loop's thread knows of the work.
    static PERCENT: Cell<u64> = const { Cell::new(0) };
}

#[ringloop::main]
async fn main() -> ExitCode {
    let limit = std::env::args().nth(1).unwrap_or("20000".into());
    let Some(limit) = limit.parse().ok().filter(|limit| *limit >= 4) else {
        eprintln!("from_thread: `{limit}` is no whole number from 4 on");
        return ExitCode::FAILURE;
    };
    match look(limit).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("from_thread: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn look(limit: u64) -> Result<(), Box<dyn Error>> {
    JOB.set("primes");
    let found = offload::cpu(move || count_primes(limit)).await??;
    println!("{found} primes below {limit}, {} %", PERCENT.get());

    // Nobody waits for all primes. The await waits for the work to say goodbye, and that wins.
    let endless = offload::cpu(|| count_primes(u64::MAX));
    match timeout(Duration::from_millis(50), endless).await??? {
        0 => println!("there was no time for a single one"),
        _ => println!("there are more"),
    }
    Ok(())
}

/// Blocks a thread of the pool, which has no loop, for as long as it takes.
fn count_primes(limit: u64) -> Result<u64, offload::FromThreadError> {
    let interrupt = Interrupt::current();
    let remote = offload::remote().expect("a loop has offloaded this");
    let mut found = 0;
    for number in 2..limit {
        if interrupt.is_requested() {
            say_why(&interrupt);
            break;
        }
        found += u64::from(is_prime(number));
        if (number + 1).is_multiple_of(limit / 4) {
            let percent = (number + 1) * 100 / limit;
            // The loop is told, and is not waited for; a loop that has gone needs no percentage.
            let _told = remote.call_soon(move || PERCENT.set(percent));
            // A future runs there, and is waited for.
            offload::block_on(move || async move { println!("{}: {percent} %", JOB.get()) })?;
        }
    }
    Ok(found)
}

fn say_why(interrupt: &Interrupt) {
    let reason = interrupt.reason();
    let cancelled = reason
        .as_deref()
        .and_then(|reason| reason.downcast_ref::<Cancelled>());
    match cancelled {
        Some(cancelled) => println!("{}: stopped, {}", JOB.get(), cancelled.reason()),
        None => println!("{}: nobody waits any more", JOB.get()),
    }
}

fn is_prime(number: u64) -> bool {
    (2..)
        .take_while(|n| n * n <= number)
        .all(|n| !number.is_multiple_of(n))
}
