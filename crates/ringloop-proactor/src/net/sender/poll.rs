//! What a [`Sender`] does at each poll.

use std::io::{self, IoSlice};
use std::mem;
use std::task::{Context, Poll, ready};

use super::outbox::HIGH_WATER_BYTES;
use super::owned::Owned;
use super::{SendPipe, Sender};
use crate::buf::IoBuf;
use crate::net::{keep, proactor_gone};

impl Sender {
    /// Queues some of `bytes` and returns how many, or wakes the task when there is room.
    ///
    /// # Errors
    ///
    /// As [`write_all`](Self::write_all).
    #[inline(always)]
    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if !self.state.outbox.borrow_mut().begin_with(bytes) {
            return self.poll_write_more(cx, bytes);
        }
        if !self.try_start() {
            return Poll::Ready(self.not_started().map(|()| 0));
        }
        Poll::Ready(Ok(bytes.len()))
    }

    /// A write into a queue that is in use, or has no memory for it.
    #[cold]
    fn poll_write_more(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut outbox = self.state.outbox.borrow_mut();
        let room = outbox.room();
        if room == 0 || outbox.is_special {
            drop(outbox);
            return self.poll_write_special(cx, bytes);
        }
        let count = bytes.len().min(room);
        outbox.push(&bytes[..count], &self.state.fd);
        if count > 0 && !mem::replace(&mut outbox.armed, true) {
            drop(outbox);
            return Poll::Ready(self.start().map(|()| count));
        }
        Poll::Ready(Ok(count))
    }

    /// A write into a queue that is full, has an owned buffer in it, or takes nothing any more.
    #[cold]
    fn poll_write_special(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let room = ready!(self.poll_room(cx))?;
        let count = bytes.len().min(room);
        let mut outbox = self.state.outbox.borrow_mut();
        outbox.push(&bytes[..count], &self.state.fd);
        drop(outbox);
        Poll::Ready(self.arm().map(|()| count))
    }

    /// Queues some of the bytes of several slices, one after the other, and returns how many that
    /// were, or wakes the task when there is room.
    ///
    /// # Errors
    ///
    /// As [`write_all`](Self::write_all).
    pub fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if slices.iter().all(|slice| slice.is_empty()) {
            return Poll::Ready(Ok(0));
        }
        let room = ready!(self.poll_room(cx))?;
        let mut left = room;
        let mut outbox = self.state.outbox.borrow_mut();
        for slice in slices {
            let count = slice.len().min(left);
            outbox.push(&slice[..count], &self.state.fd);
            left -= count;
            if left == 0 {
                break;
            }
        }
        drop(outbox);
        Poll::Ready(self.arm().map(|()| room - left))
    }

    /// Queues the buffer in its place, all of it, and returns its length, or wakes the task when
    /// there is room. The buffer is taken when it is queued, and stays in its place otherwise.
    ///
    /// # Errors
    ///
    /// As [`write_owned`](Self::write_owned).
    pub fn poll_write_owned<B: IoBuf>(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Option<B>,
    ) -> Poll<io::Result<usize>> {
        let room = ready!(self.poll_room(cx))?;
        let Some(bytes) = buffer.as_ref().map(IoBuf::as_slice) else {
            return Poll::Ready(Ok(0));
        };
        let len = bytes.len();
        if len < COPIED_BELOW_BYTES && len <= room {
            let mut outbox = self.state.outbox.borrow_mut();
            outbox.push(bytes, &self.state.fd);
            drop(outbox);
            if len > 0 {
                self.arm()?;
            }
            drop(buffer.take());
            return Poll::Ready(Ok(len));
        }
        if !self.state.fd.handle().shared().is_open() {
            return Poll::Ready(Err(proactor_gone()));
        }
        let Some(owned) = buffer.take().and_then(Owned::new) else {
            return Poll::Ready(Ok(0));
        };
        let len = owned.len();
        self.state.outbox.borrow_mut().push_owned(owned);
        // The buffer has been taken: if it cannot be sent, the next call says so.
        drop(self.arm());
        Poll::Ready(Ok(len))
    }

    /// Queues the next `len` bytes of a pipe, which are in it and stay there until then, or wakes
    /// the task when there is room. Nobody else may read from the pipe meanwhile.
    ///
    /// They are moved inside the kernel. It does that in a thread of its own, which does not wait for
    /// a socket that has no room: meanwhile the ring polls. For as long as a piece is moved, the socket
    /// is set not to block, which others who have it see. Counterpart: `splice(2)`.
    ///
    /// # Errors
    ///
    /// As [`write_all`](Self::write_all).
    pub fn poll_write_pipe(
        &mut self,
        cx: &mut Context<'_>,
        pipe: &SendPipe,
        len: usize,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_room(cx))?;
        if len > 0 {
            let owned = Owned::in_pipe(pipe.reader(), len);
            self.state.outbox.borrow_mut().push_owned(owned);
            self.arm()?;
        }
        Poll::Ready(Ok(()))
    }

    /// Tells how much room the queue has, or wakes the task when it has some.
    ///
    /// # Errors
    ///
    /// As [`write_all`](Self::write_all).
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let outbox = self.state.outbox.borrow();
        if let Some(errno) = outbox.refusal() {
            return Poll::Ready(Err(io::Error::from_raw_os_error(errno)));
        }
        match outbox.room() {
            0 => drop(outbox),
            room => return Poll::Ready(Ok(room)),
        }
        self.wait(cx)
    }

    /// Tells whether everything has been sent, or wakes the task when it has.
    ///
    /// # Errors
    ///
    /// As [`write_all`](Self::write_all).
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outbox = self.state.outbox.borrow();
        if let Some(errno) = outbox.error() {
            return Poll::Ready(Err(io::Error::from_raw_os_error(errno)));
        }
        if outbox.unsent() == 0 {
            return Poll::Ready(Ok(()));
        }
        drop(outbox);
        self.wait(cx)
    }

    /// Leaves the waker for when something changes.
    fn wait<T>(&mut self, cx: &mut Context<'_>) -> Poll<T> {
        keep(
            &self.state.outbox,
            |outbox| &mut outbox.rest().waiter,
            cx.waker(),
        );
        Poll::Pending
    }

    /// Sees to it that what is queued is sent with the next turn.
    pub(super) fn arm(&self) -> io::Result<()> {
        if mem::replace(&mut self.state.outbox.borrow_mut().armed, true) {
            return Ok(());
        }
        self.start()
    }

    /// Starts the service, which is marked as armed.
    fn start(&self) -> io::Result<()> {
        if self.try_start() {
            return Ok(());
        }
        self.not_started()
    }

    /// The same. `false`: the proactor is gone.
    #[inline(always)]
    fn try_start(&self) -> bool {
        self.state.fd.handle().shared().start(self.key())
    }

    #[cold]
    fn not_started(&self) -> io::Result<()> {
        let mut outbox = self.state.outbox.borrow_mut();
        outbox.armed = false;
        let line = outbox.fail(libc::ESHUTDOWN);
        drop(outbox);
        drop(line);
        Err(proactor_gone())
    }
}

/// Owned buffers below this are copied: decision 0026 has the measurement.
const COPIED_BELOW_BYTES: usize = 16 * 1024;

const _: () = assert!(COPIED_BELOW_BYTES < HIGH_WATER_BYTES);
