//! Sending a part of a file, inside the kernel.
//!
//! A piece of the file is spliced into a pipe, and from there into the socket, in order with
//! everything else that is written: the pipe is a segment of the send queue. What is in the pipe
//! has left the file for good, so giving up in between loses nothing: it is sent, and it counts.

use std::future::poll_fn;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::os::fd::BorrowedFd;
use std::task::{Poll, ready};

use ringloop_proactor::{Fd, SendPipe, Sender};

use crate::cancellable::Cancellable;
use crate::io::{Partial, Wait};

/// What is left of the file, and how far it is.
#[derive(Debug)]
struct Progress {
    offset: u64,
    /// `None`: up to the end of the file.
    left: Option<u64>,
    /// What the stream has accepted.
    accepted: u64,
}

/// Sends a range of a file and returns how much that was.
pub(super) async fn send_file(
    sender: &mut Sender,
    file: BorrowedFd<'_>,
    range: impl RangeBounds<u64>,
) -> io::Result<u64> {
    let (start, end) = bounds(&range);
    let mut progress = Progress {
        offset: start,
        left: end.map(|end| end.saturating_sub(start)),
        accepted: 0,
    };
    let expected = progress.left;
    match send_pieces(sender, file, &mut progress).await {
        Ok(()) => Ok(progress.accepted),
        Err(cause) => {
            // A stream that has failed tells how much of its queue it has not sent.
            let lost = match crate::cancel::is_cancelled(&cause) {
                true => 0,
                false => sender.queued_bytes() as u64,
            };
            let sent = progress.accepted.saturating_sub(lost);
            Err(match sent {
                0 => cause,
                _ => Partial::new(sent, expected, cause).into(),
            })
        }
    }
}

async fn send_pieces(
    sender: &mut Sender,
    file: BorrowedFd<'_>,
    progress: &mut Progress,
) -> io::Result<()> {
    let handle = sender.fd().handle().clone();
    // What was written before is out first: what is lost later is of the file.
    flush(sender).await?;
    if progress.left == Some(0) {
        return Ok(());
    }
    let file = handle.adopt(file.try_clone_to_owned()?);
    let pipe = SendPipe::new(&handle)?;
    loop {
        let len = progress.next_len(pipe.capacity());
        if len == 0 {
            return Ok(());
        }
        let splice = handle.splice(&file, progress.offset, pipe.writer(), u64::MAX, len, 0)?;
        match Cancellable::new(splice).await {
            Ok(0) => return Ok(()),
            Ok(count) => {
                queue_piped(sender, &pipe, count).await?;
                progress.advance(count);
            }
            Err(error) if cannot_splice(&error) => {
                return copy_pieces(sender, &file, progress).await;
            }
            Err(error) => return Err(error),
        }
        // The pipe is empty again, and the next piece does not wait for room in it.
        flush(sender).await?;
    }
}

/// Reads the file and sends what was read, where the kernel cannot splice.
async fn copy_pieces(sender: &mut Sender, file: &Fd, progress: &mut Progress) -> io::Result<()> {
    let handle = sender.fd().handle().clone();
    loop {
        let len = progress.next_len(COPIED_BYTES);
        if len == 0 {
            return Ok(());
        }
        let buffer = Vec::with_capacity(len as usize);
        let (count, buffer) = handle.read(file, buffer, progress.offset).await?;
        if count == 0 {
            return Ok(());
        }
        let mut place = Some(buffer);
        let mut wait = Wait::new();
        poll_fn(|cx| {
            ready!(wait.begin(cx))?;
            match sender.poll_write_owned(cx, &mut place) {
                Poll::Pending => wait.go_on(cx),
                result @ Poll::Ready(_) => result,
            }
        })
        .await?;
        progress.advance(count);
    }
}

/// Queues what is in the pipe. It has left the file, so it is not given up; there is room, because
/// everything was flushed before.
async fn queue_piped(sender: &mut Sender, pipe: &SendPipe, count: usize) -> io::Result<()> {
    poll_fn(|cx| sender.poll_write_pipe(cx, pipe, count)).await
}

async fn flush(sender: &mut Sender) -> io::Result<()> {
    let mut wait = Wait::new();
    poll_fn(|cx| {
        ready!(wait.begin(cx))?;
        match sender.poll_flush(cx) {
            Poll::Pending => wait.go_on(cx),
            result @ Poll::Ready(_) => result,
        }
    })
    .await
}

impl Progress {
    /// How long the next piece is at most.
    fn next_len(&self, max: usize) -> u32 {
        let left = self.left.unwrap_or(u64::MAX);
        u32::try_from(left.min(max as u64)).unwrap_or(u32::MAX)
    }

    fn advance(&mut self, count: usize) {
        let count = count as u64;
        self.offset += count;
        self.accepted += count;
        self.left = self.left.map(|left| left.saturating_sub(count));
    }
}

/// Start and end; no end: that of the file.
fn bounds(range: &impl RangeBounds<u64>) -> (u64, Option<u64>) {
    let start = match range.start_bound() {
        Bound::Included(&start) => start,
        Bound::Excluded(&before) => before.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(&last) => Some(last.saturating_add(1)),
        Bound::Excluded(&end) => Some(end),
        Bound::Unbounded => None,
    };
    (start, end)
}

/// Whether the error says that this file is none to splice from, but perhaps one to read from.
fn cannot_splice(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EINVAL)
}

/// How much is read at a time where it has to be copied.
const COPIED_BYTES: usize = 64 * 1024;
