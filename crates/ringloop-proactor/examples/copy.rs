//! Copies a file with chains of operations: `cargo run --example copy -- FROM TO`.
//!
//! Both files and both buffers are *registered*: the kernel looks them up in tables of the ring, which
//! is cheaper than in those of the process. The write of a piece and the read of the next one are
//! *linked*: the kernel begins the second when the first has succeeded, and this program hears of both
//! at once.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]
#![expect(clippy::print_stderr, reason = "and says what is wrong")]

use std::fs::File;
use std::io;
use std::process::ExitCode;

use ringloop_proactor::{Config, Fd, Handle, IoBuf, Link, Proactor};

const PIECE_BYTES: u32 = 256 * 1024;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, to] = &arguments[..] else {
        eprintln!("usage: copy FROM TO");
        return ExitCode::FAILURE;
    };
    match run(from, to) {
        Ok(bytes) => {
            println!("{bytes} bytes");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("copy: cannot copy `{from}` to `{to}`: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(from: &str, to: &str) -> io::Result<u64> {
    let mut proactor = Proactor::new(&Config::default())?;
    let handle = proactor.handle();
    let from = handle.adopt(File::open(from)?);
    let to = handle.adopt(File::create(to)?);
    proactor.block_on(async {
        let from = handle.register(&from)?.await?;
        let to = handle.register(&to)?.await?;
        copy(&handle, &from, &to).await
    })?
}

async fn copy(handle: &Handle, from: &Fd, to: &Fd) -> io::Result<u64> {
    let pool = handle.register_buffers(2, PIECE_BYTES)?;
    let buffer = || pool.check_out().ok_or(io::ErrorKind::ResourceBusy);
    let mut spare = buffer()?;
    let mut offset = 0;
    let (mut count, mut full) = handle.read_fixed(from, buffer()?, offset).await?;
    while count > 0 {
        let write = handle.write_fixed(to, full.slice(..count), offset);
        let read = handle.read_fixed(from, spare, offset + count as u64);
        let (write, read) = write.then(read).await;
        // The buffers come back with the results, and with the errors too.
        let (written, piece) = write?;
        offset += written as u64;
        (count, full) = match read {
            // A write that is short breaks the chain: go on from where it stopped.
            Err(cancelled) if written < count => {
                handle.read_fixed(from, cancelled.buffer, offset).await?
            }
            read => read?,
        };
        spare = piece.into_inner();
    }
    handle.fdatasync(to).await?;
    Ok(offset)
}
