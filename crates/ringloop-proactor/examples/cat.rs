//! Copies files to standard output: `cargo run --example cat -- FILE…`; `-` or nothing is standard
//! input.
//!
//! There is no executor here and nothing is awaited. An operation is submitted by polling it once,
//! `park` waits for the kernel, and the next poll takes the result out.

#![expect(clippy::print_stderr, reason = "the example says what is wrong")]

use std::future::Future;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::pin::Pin;
use std::process::ExitCode;
use std::task::{Context, Poll, Waker};

use ringloop_proactor::{Config, Driver, Fd, Op, Operation, Proactor};

fn main() -> ExitCode {
    let mut names: Vec<String> = std::env::args().skip(1).collect();
    if names.is_empty() {
        names.push("-".to_owned());
    }
    let mut failed = false;
    let mut cat = match Cat::new() {
        Ok(cat) => cat,
        Err(error) => {
            eprintln!("cat: {error}");
            return ExitCode::FAILURE;
        }
    };
    for name in names {
        if let Err(error) = cat.file(&name) {
            eprintln!("cat: {name}: {error}");
            failed = true;
        }
    }
    ExitCode::from(u8::from(failed))
}

struct Cat {
    proactor: Proactor,
    output: Fd,
    /// The one buffer. It goes into each operation and comes back with the result.
    buffer: Vec<u8>,
}

impl Cat {
    fn new() -> io::Result<Self> {
        let proactor = Proactor::new(&Config::default())?;
        let output = adopt(&proactor, io::stdout().as_fd())?;
        Ok(Self {
            proactor,
            output,
            buffer: Vec::with_capacity(64 * 1024),
        })
    }

    fn file(&mut self, name: &str) -> io::Result<()> {
        let handle = self.proactor.handle();
        let input = if name == "-" {
            adopt(&self.proactor, io::stdin().as_fd())?
        } else {
            let open = handle.open(Path::new(name), libc::O_RDONLY, 0)?;
            handle.adopt(wait(&mut self.proactor, open)??)
        };
        loop {
            let mut buffer = std::mem::take(&mut self.buffer);
            buffer.clear();
            // An offset of u64::MAX is the file's own position, which pipes have too.
            let read = handle.read(&input, buffer, u64::MAX);
            let (count, buffer) = wait(&mut self.proactor, read)??;
            self.buffer = buffer;
            if count == 0 {
                return Ok(());
            }
            self.write()?;
        }
    }

    /// Writes what is in the buffer, which may take several writes.
    fn write(&mut self) -> io::Result<()> {
        let handle = self.proactor.handle();
        while !self.buffer.is_empty() {
            let buffer = std::mem::take(&mut self.buffer);
            let write = handle.write(&self.output, buffer, u64::MAX);
            let (count, buffer) = wait(&mut self.proactor, write)??;
            self.buffer = buffer;
            self.buffer.drain(..count);
        }
        Ok(())
    }
}

/// Submits an operation, parks until it has completed, and takes the result.
fn wait<O: Operation>(proactor: &mut Proactor, mut op: Op<O>) -> io::Result<O::Output> {
    // Nobody has to be woken: this thread looks again after each park.
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        match Pin::new(&mut op).poll(&mut cx) {
            Poll::Ready(output) => return Ok(output),
            Poll::Pending => proactor.park(None)?,
        }
    }
}

/// The proactor closes what it adopts, so it gets a duplicate of a standard stream.
fn adopt(proactor: &Proactor, fd: BorrowedFd<'_>) -> io::Result<Fd> {
    Ok(proactor.handle().adopt(fd.try_clone_to_owned()?))
}
