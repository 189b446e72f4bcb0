//! A million tasks asleep: `cargo run --release --example million`, or `... million -- 1000`.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]
#![expect(clippy::print_stderr, reason = "and says what is wrong")]

use std::time::{Duration, Instant};
use std::{cell::Cell, fs, io, num::NonZero, process::ExitCode, rc::Rc};

use ringloop::time::{now, sleep_until};
use ringloop::{spawn, task::yield_now};

#[ringloop::main]
async fn main() -> ExitCode {
    let count = std::env::args().nth(1).unwrap_or("1000000".into());
    let Ok(count) = count.parse::<NonZero<u32>>() else {
        eprintln!("million: `{count}` is no number of tasks");
        return ExitCode::FAILURE;
    };
    run(count.get()).await.expect("nobody stops it");
    ExitCode::SUCCESS
}

async fn run(count: u32) -> io::Result<()> {
    let asleep = Rc::new(Cell::new(0_u32));
    let (start, before) = (now(), resident_bytes()?);
    let alarm = start + Duration::from_secs(1) + count * Duration::from_micros(4);
    let fall_asleep = || spawn(nap(alarm, Rc::clone(&asleep)));
    for _ in 1..count {
        fall_asleep();
    }
    let last = fall_asleep();
    // The ready queue is first in, first out: afterwards each of them has run once.
    yield_now().await?;
    let bytes = resident_bytes()?.saturating_sub(before) / u64::from(count);
    println!("{} tasks asleep after {:.1?}", asleep.get(), now() - start);
    println!("{bytes} bytes each");
    // So are equal deadlines: the last to fall asleep is the last to wake.
    last.await.expect("it does not panic")?;
    let late = now() - alarm;
    println!("{} still asleep, {late:.1?} after the alarm", asleep.get());
    Ok(())
}

async fn nap(alarm: Instant, asleep: Rc<Cell<u32>>) -> io::Result<()> {
    asleep.update(|count| count + 1);
    sleep_until(alarm).await?;
    asleep.update(|count| count - 1);
    Ok(())
}

/// What the process has in memory, by the kernel's count.
fn resident_bytes() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim_end_matches("kB").trim().parse::<u64>().ok());
    Ok(kilobytes.ok_or(io::ErrorKind::InvalidData)? * 1024)
}
