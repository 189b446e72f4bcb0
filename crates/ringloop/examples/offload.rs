//! Computing beside the loop: `cargo run --release --example offload -- FILE...` hashes files,
//! or some of this library's own, on all cores, while the loop goes on ticking.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]
#![expect(clippy::print_stderr, reason = "and says what is wrong")]

use std::{cell::Cell, error::Error, fs, process::ExitCode, rc::Rc, time::Duration};

use ringloop::{Cancelled, offload, sleep, spawn};

#[ringloop::main]
async fn main() -> ExitCode {
    let mut files: Vec<_> = std::env::args().skip(1).collect();
    if files.is_empty() {
        let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
        files.extend(SOURCES.map(|file| format!("{sources}/{file}")));
    }
    let ticks = Rc::new(Cell::new(0));
    spawn(tick(Rc::clone(&ticks)));
    let hash = |file: &String| spawn(hash_file(file.clone()));
    let hashes: Vec<_> = files.iter().map(hash).collect();
    let mut status = ExitCode::SUCCESS;
    for (file, hash) in files.iter().zip(hashes) {
        match hash.await.expect("it does not panic") {
            Ok(hash) => println!("{hash:016x}  {file}"),
            Err(error) => {
                eprintln!("offload: cannot hash `{file}`: {error}");
                status = ExitCode::FAILURE;
            }
        }
    }
    println!("the loop ticked {} times meanwhile", ticks.get());
    status
}

/// Reading blocks and hashing computes: each has a pool of threads of its own.
async fn hash_file(file: String) -> Result<u64, Box<dyn Error>> {
    let bytes = offload(|| fs::read(file)).await??;
    Ok(offload::cpu(move || fnv1a(&bytes)).await?)
}

/// The hash of Fowler, Noll and Vo, a thousand times over to be worth a thread.
fn fnv1a(bytes: &[u8]) -> u64 {
    let bytes = (0..1000).flat_map(|_| bytes);
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

async fn tick(ticks: Rc<Cell<u32>>) -> Result<(), Cancelled> {
    loop {
        sleep(Duration::from_millis(1)).await?;
        ticks.update(|ticks| ticks + 1);
    }
}

const SOURCES: [&str; 4] = ["lib.rs", "runtime/mod.rs", "signal.rs", "net/tcp_stream.rs"];
