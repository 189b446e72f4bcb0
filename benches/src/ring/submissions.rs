//! The submitting end of a ring: the few operations that benchmarks need.

use std::fmt;
use std::io;
use std::mem;
use std::os::fd::RawFd;
use std::time::Duration;

use io_uring::squeue::{Entry, Flags, SubmissionQueue};
use io_uring::{opcode, types};

use super::buffers::Buffers;
use super::enter::Door;
use super::memory::Span;

/// Pushes operations and enters the kernel.
///
/// The caller keeps a descriptor open until its operations have completed; an operation on a stale
/// one fails or hits another file, but touches no memory other than its [`Span`].
pub struct Submissions<'r> {
    queue: SubmissionQueue<'r>,
    door: &'r Door,
}

impl<'r> Submissions<'r> {
    pub(super) fn new(queue: SubmissionQueue<'r>, door: &'r Door) -> Self {
        Self { queue, door }
    }

    /// Submits what was pushed and waits for `want` completions, for at most `timeout`.
    ///
    /// # Errors
    ///
    /// As `io_uring_enter(2)`; interruptions and the timeout are not errors.
    #[inline]
    pub fn enter(&mut self, want: u32, timeout: Option<Duration>) -> io::Result<()> {
        self.queue.sync();
        let count = u32::try_from(self.queue.len()).unwrap_or(u32::MAX);
        self.door.pass(count, want, timeout)
    }

    /// Returns how many entries wait to be submitted.
    #[inline]
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Tells whether nothing waits to be submitted.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Pushes an operation that does nothing.
    ///
    /// # Errors
    ///
    /// As [`enter`](Self::enter), which makes room in a full queue.
    #[inline]
    pub fn nop(&mut self, user_data: u64) -> io::Result<()> {
        self.push(&opcode::Nop::new().build().user_data(user_data))
    }

    /// Pushes a send of all of `bytes`: one completion, after the last byte is taken.
    ///
    /// # Errors
    ///
    /// As [`enter`](Self::enter), which makes room in a full queue.
    #[inline]
    pub fn send(&mut self, fd: RawFd, bytes: Span, user_data: u64) -> io::Result<()> {
        self.push(&send_entry(fd, bytes).user_data(user_data))
    }

    /// Pushes a send like [`send`](Self::send) that completes silently unless it fails.
    ///
    /// # Errors
    ///
    /// As [`enter`](Self::enter), which makes room in a full queue.
    #[inline]
    pub fn send_silent(&mut self, fd: RawFd, bytes: Span, user_data: u64) -> io::Result<()> {
        self.push(
            &send_entry(fd, bytes)
                .flags(Flags::SKIP_SUCCESS)
                .user_data(user_data),
        )
    }

    /// Pushes one receive into `space`, which polls first: the bytes are not there yet.
    ///
    /// # Errors
    ///
    /// As [`enter`](Self::enter), which makes room in a full queue.
    #[inline]
    pub fn recv(&mut self, fd: RawFd, space: Span, user_data: u64) -> io::Result<()> {
        let recv = opcode::Recv::new(types::Fd(fd), space.start().as_ptr(), space.len());
        self.push(&recv.ioprio(POLL_FIRST).build().user_data(user_data))
    }

    /// Pushes one receive into `space`, which looks first and polls if there is nothing.
    ///
    /// # Errors
    ///
    /// As [`enter`](Self::enter), which makes room in a full queue.
    #[inline]
    pub fn recv_now(&mut self, fd: RawFd, space: Span, user_data: u64) -> io::Result<()> {
        let recv = opcode::Recv::new(types::Fd(fd), space.start().as_ptr(), space.len());
        self.push(&recv.build().user_data(user_data))
    }

    /// Pushes a read at `offset` that fills `space`.
    ///
    /// # Errors
    ///
    /// As [`enter`](Self::enter), which makes room in a full queue.
    #[inline]
    pub fn read(&mut self, fd: RawFd, space: Span, offset: u64, user_data: u64) -> io::Result<()> {
        let read = opcode::Read::new(types::Fd(fd), space.start().as_ptr(), space.len());
        self.push(&read.offset(offset).build().user_data(user_data))
    }

    /// Pushes a receive that goes on until it fails, into `buffers`.
    ///
    /// # Errors
    ///
    /// As [`enter`](Self::enter), which makes room in a full queue.
    pub fn recv_multi(&mut self, fd: RawFd, buffers: &Buffers, user_data: u64) -> io::Result<()> {
        let recv = opcode::RecvMulti::new(types::Fd(fd), buffers.group());
        self.push(&recv.build().user_data(user_data))
    }

    /// Pushes a send of all of `bytes` that completes silently, and a receive into `space` that is
    /// started when it is done.
    ///
    /// # Errors
    ///
    /// As [`enter`](Self::enter), which makes room in a full queue.
    #[inline]
    pub fn send_then_recv(
        &mut self,
        fd: RawFd,
        (bytes, space): (Span, Span),
        user_data: u64,
    ) -> io::Result<()> {
        self.make_room(2)?;
        let flags = Flags::SKIP_SUCCESS | Flags::IO_LINK;
        self.push(&send_entry(fd, bytes).flags(flags).user_data(user_data))?;
        self.recv(fd, space, user_data)
    }

    /// Pushes a connect to an address, the bytes of a `sockaddr`, that completes silently, and a
    /// receive into `space` that is started when it is done.
    ///
    /// # Errors
    ///
    /// As [`enter`](Self::enter), which makes room in a full queue.
    pub fn connect_then_recv(
        &mut self,
        fd: RawFd,
        (address, space): (Span, Span),
        user_data: u64,
    ) -> io::Result<()> {
        self.make_room(2)?;
        let start = address.start().as_ptr().cast();
        let connect = opcode::Connect::new(types::Fd(fd), start, address.len()).build();
        let flags = Flags::SKIP_SUCCESS | Flags::IO_LINK;
        self.push(&connect.flags(flags).user_data(user_data))?;
        self.recv(fd, space, user_data)
    }

    /// Pushes an accept that goes on until it fails; each completion is a new descriptor.
    ///
    /// # Errors
    ///
    /// As [`enter`](Self::enter), which makes room in a full queue.
    pub fn accept_multi(&mut self, fd: RawFd, user_data: u64) -> io::Result<()> {
        let accept = opcode::AcceptMulti::new(types::Fd(fd)).flags(libc::SOCK_CLOEXEC);
        self.push(&accept.build().user_data(user_data))
    }

    /// Pushes a close of a descriptor that nobody else owns; it completes silently.
    ///
    /// # Errors
    ///
    /// As [`enter`](Self::enter), which makes room in a full queue.
    pub fn close(&mut self, fd: RawFd, user_data: u64) -> io::Result<()> {
        let close = opcode::Close::new(types::Fd(fd)).build();
        self.push(&close.flags(Flags::SKIP_SUCCESS).user_data(user_data))
    }

    /// Pushes a receive of datagrams that goes on until it fails, into `buffers`.
    ///
    /// `layout` is what [`datagram_layout`](Self::datagram_layout) returned: each buffer begins with
    /// a header and the sender's address.
    ///
    /// # Errors
    ///
    /// As [`enter`](Self::enter), which makes room in a full queue.
    pub fn recv_datagrams(
        &mut self,
        fd: RawFd,
        layout: Span,
        buffers: &Buffers,
        user_data: u64,
    ) -> io::Result<()> {
        let header = layout.start().as_ptr().cast();
        let recv = opcode::RecvMsgMulti::new(types::Fd(fd), header, buffers.group());
        self.push(&recv.build().user_data(user_data))
    }

    /// Returns a `msghdr` with room for an address of [`ADDRESS_LEN`] bytes, and nothing else.
    pub fn datagram_layout() -> Span {
        let mut bytes = [0; size_of::<libc::msghdr>()];
        let place = mem::offset_of!(libc::msghdr, msg_namelen);
        bytes[place..place + 4].copy_from_slice(&ADDRESS_LEN.to_ne_bytes());
        let layout = Span::new(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        layout.copy_from(&bytes);
        layout
    }

    /// Pushes a send of a datagram to an address, the bytes of a `sockaddr`.
    ///
    /// # Errors
    ///
    /// As [`enter`](Self::enter), which makes room in a full queue.
    #[inline]
    pub fn send_datagram(
        &mut self,
        fd: RawFd,
        (bytes, address): (Span, Span),
        user_data: u64,
    ) -> io::Result<()> {
        let send = opcode::Send::new(types::Fd(fd), bytes.start().as_ptr(), bytes.len());
        let send = send.dest_addr(address.start().as_ptr().cast());
        let send = send.dest_addr_len(address.len()).build();
        self.push(&send.user_data(user_data))
    }

    /// Sees to it that `count` entries go into the same submission.
    #[inline]
    fn make_room(&mut self, count: usize) -> io::Result<()> {
        if self.queue.capacity() - self.queue.len() < count {
            self.enter(0, None)?;
            self.queue.sync();
        }
        Ok(())
    }

    #[inline]
    fn push(&mut self, entry: &Entry) -> io::Result<()> {
        if self.queue.is_full() {
            self.enter(0, None)?;
            self.queue.sync();
        }
        // SAFETY: I1 (span memory is never freed): whatever memory the entry names stays valid.
        let pushed = unsafe { self.queue.push(entry) };
        pushed.map_err(|_| io::Error::other("the submission queue stays full"))
    }
}

impl fmt::Debug for Submissions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submissions")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[inline]
fn send_entry(fd: RawFd, bytes: Span) -> Entry {
    let send = opcode::Send::new(types::Fd(fd), bytes.start().as_ptr(), bytes.len());
    send.flags(libc::MSG_NOSIGNAL | libc::MSG_WAITALL).build()
}

/// The length of a `sockaddr_in`.
pub const ADDRESS_LEN: u32 = 16;
/// The length of what a receive of datagrams writes before the sender's address.
pub const HEADER_LEN: u32 = 16;
/// `IORING_RECVSEND_POLL_FIRST`.
const POLL_FIRST: u16 = 1;
