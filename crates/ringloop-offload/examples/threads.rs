//! Words in files, without any runtime: `cargo run -p ringloop-offload --example threads -- FILE...`,
//! or the sources of this crate.
//!
//! The pool reads the files, but no more than two at a time, as if they were on one slow disk. The
//! cores count the words, and each file is counted in parts that borrow its text.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]
#![expect(clippy::print_stderr, reason = "and says what is wrong")]

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs, io};

use ringloop_offload::{Builder, CpuPool, Executor, Limiter, ThreadPool, offload_on, scope};

fn main() -> ExitCode {
    let mut files: Vec<_> = env::args().skip(1).collect();
    if files.is_empty() {
        files = sources();
    }
    let (blocking, cores) = (ThreadPool::blocking(), Arc::new(CpuPool::new()));
    let disk = Limiter::new(2);
    let reader = disk.over(blocking.handle());

    // All of them are on their way before the first is waited for.
    let counts: Vec<_> = files
        .iter()
        .map(|file| {
            let (path, cores) = (file.clone(), Arc::clone(&cores));
            let read_and_count = move || {
                let text = fs::read_to_string(path)?;
                Ok::<_, io::Error>(count_words(&*cores, &text))
            };
            Builder::new()
                .name(file.clone())
                .offload_on(&reader, read_and_count)
        })
        .collect();
    let mut status = ExitCode::SUCCESS;
    let mut sum = 0;
    for (file, count) in files.iter().zip(counts) {
        // A plain thread may wait like this; a task awaits it.
        match count.wait().expect("it does not panic") {
            Ok(count) => sum += count,
            Err(error) => {
                eprintln!("threads: cannot read `{file}`: {error}");
                status = ExitCode::FAILURE;
            }
        }
    }
    // From here on, the statistics are complete.
    blocking.shutdown(Duration::from_secs(1));
    let longest = blocking.stats().run_times.max();
    println!("{sum} words, and no file took longer than {longest:?}");
    status
}

/// Counts in parts that borrow the text, which is why this waits: see `scope`.
fn count_words(cores: &impl Executor, text: &str) -> usize {
    let lines: Vec<_> = text.lines().collect();
    let mut counts = vec![0; lines.len().div_ceil(PART_LEN)];
    scope(cores, |s| {
        for (part, count) in lines.chunks(PART_LEN).zip(&mut counts) {
            let count_part = || {
                let words = part.iter().map(|line| line.split_whitespace().count());
                *count = words.sum();
            };
            s.spawn(count_part);
        }
    });
    counts.iter().sum()
}

/// The sources of this crate. Listing a folder blocks, too.
fn sources() -> Vec<String> {
    let pool = ThreadPool::fixed(1);
    let list = || {
        let entries = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).ok()?;
        let paths = entries.filter_map(|entry| entry.ok()?.path().to_str().map(str::to_owned));
        Some(paths.filter(|path| path.ends_with(".rs")).collect())
    };
    let found = offload_on(&pool, list).wait();
    found.expect("it does not panic").unwrap_or_default()
}

const PART_LEN: usize = 100;
