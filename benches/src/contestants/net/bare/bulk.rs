//! A stream of bytes in one direction, one operation at a time.

use std::io;
use std::net::TcpListener;
use std::os::fd::AsRawFd;

use super::super::BULK_BUFFER;
use super::{Bare, counted, len};
use crate::ring::{Completions, Ring, Span, Submissions};

/// Receives until the end of one connection.
pub(super) fn sink(bare: &Bare, listener: &TcpListener) -> io::Result<()> {
    let (stream, _) = listener.accept()?;
    let mut ring: Ring = bare.ring()?;
    let (mut submissions, mut completions) = ring.split();
    let space = Span::new(len(BULK_BUFFER));
    loop {
        submissions.recv_now(stream.as_raw_fd(), space, 0)?;
        if complete(&mut submissions, &mut completions)? == 0 {
            return Ok(());
        }
    }
}

/// Sends `bytes` on one connection.
pub(super) fn source(bare: &Bare, listener: &TcpListener, bytes: u64) -> io::Result<()> {
    let (stream, _) = listener.accept()?;
    let mut ring = bare.ring()?;
    let (mut submissions, mut completions) = ring.split();
    let piece = Span::new(len(BULK_BUFFER));
    for _ in 0..bytes / u64::from(piece.len()) {
        submissions.send(stream.as_raw_fd(), piece, 0)?;
        complete(&mut submissions, &mut completions)?;
    }
    Ok(())
}

/// Waits for the only operation.
fn complete(
    submissions: &mut Submissions<'_>,
    completions: &mut Completions<'_>,
) -> io::Result<u32> {
    loop {
        submissions.enter(1, None)?;
        completions.sync();
        if let Some(cqe) = completions.next() {
            completions.sync();
            return counted(cqe.result());
        }
    }
}
