//! Receiving and reading into a buffer that the kernel picks.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::offset::{is_offset, offset_error};
use crate::buf::{BufGroup, Chunk, WaitProvided};
use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Answer, Multishot, Op, OpStream, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Receives into a buffer that the kernel picks from `group` when bytes come. Counterpart:
    /// `recv(2)`, `io_uring_prep_recv(3)` with `IOSQE_BUFFER_SELECT`.
    ///
    /// # Errors
    ///
    /// `ENOBUFS` if no buffer was free when bytes came, see
    /// [`wait_provided`](BufGroup::wait_provided): nothing is lost; otherwise as `recv(2)`.
    pub fn recv_provided(&self, fd: &Fd, group: &BufGroup) -> Op<RecvProvided> {
        let (fd, group) = (fd.clone(), group.clone());
        let chunk = Chunk::default();
        self.submit(RecvProvided { fd, group, chunk })
    }

    /// Receives into as many buffers of `group` as there are bytes for, at once. Counterpart:
    /// `io_uring_prep_recv(3)` with `IORING_RECVSEND_BUNDLE`.
    ///
    /// Linux 6.10; avoid 6.13.11 to 6.14, where the kernel mixes up the order of the buffers.
    ///
    /// # Errors
    ///
    /// As [`recv_provided`](Self::recv_provided); `EINVAL` if the kernel is older.
    pub fn recv_bundle(&self, fd: &Fd, group: &BufGroup) -> Op<RecvBundle> {
        let (fd, group) = (fd.clone(), group.clone());
        let chunks = Vec::new();
        self.submit(RecvBundle { fd, group, chunks })
    }

    /// Reads at an offset, or at the file's position if it is `u64::MAX`, into a buffer that the
    /// kernel picks from `group`. Counterpart: `pread(2)`, `io_uring_prep_read(3)` with
    /// `IOSQE_BUFFER_SELECT`.
    ///
    /// # Errors
    ///
    /// `ENOBUFS` if no buffer is free, see [`wait_provided`](BufGroup::wait_provided): nothing is
    /// lost; otherwise as `pread(2)`.
    pub fn read_provided(&self, fd: &Fd, group: &BufGroup, offset: u64) -> Op<ReadProvided> {
        let read = ReadProvided {
            fd: fd.clone(),
            group: group.clone(),
            chunk: Chunk::default(),
            offset,
        };
        self.submit_at(offset, read)
    }

    /// Reads a pipe, a terminal or another stream again and again, each time into a buffer that the
    /// kernel picks from `group`. Counterpart: `io_uring_prep_read_multishot(3)`.
    ///
    /// While the group is empty, bytes stay in the stream; it goes on when a buffer comes home. The
    /// [`limit`](OpStream::limit) is as for [`recv_multishot`](Self::recv_multishot). The end of the
    /// stream is `None`.
    ///
    /// # Errors
    ///
    /// `Unsupported` before Linux 6.7. The items give the errors of `read(2)`, and `EBADFD` for a
    /// file that is always ready, as those on disks are.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{BufGroupConfig, Config, Proactor};
    /// use std::io::Write;
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let handle = proactor.handle();
    /// let group = handle.provide(&BufGroupConfig::default())?;
    /// let (reader, mut writer) = std::io::pipe()?;
    /// let mut reads = handle.read_multishot(&handle.adopt(reader), &group)?;
    /// writer.write_all(b"first")?;
    /// let first = proactor.block_on(reads.next())?.transpose()?;
    /// assert_eq!(first.as_deref(), Some(&b"first"[..]));
    /// drop(writer);
    /// assert!(proactor.block_on(reads.next())?.is_none());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn read_multishot(&self, fd: &Fd, group: &BufGroup) -> io::Result<OpStream<ReadMultishot>> {
        self.require(READ_MULTISHOT, ReadMultishot::NAME, "6.7")?;
        let shots = ReadMultishot {
            fd: fd.clone(),
            wait: group.wait_provided(),
            group: group.clone(),
        };
        Ok(OpStream::new(self.clone(), shots))
    }

    /// Receives again and again, each time into a buffer that the kernel picks from `group`.
    /// Counterpart: `io_uring_prep_recv_multishot(3)`.
    ///
    /// While the group is empty, bytes stay in the socket; the stream goes on when a buffer comes
    /// home. Up to its [`limit`](OpStream::limit) it takes buffers that nobody has asked for yet:
    /// choose one that leaves some to others. The end of the stream is `None`.
    ///
    /// # Errors
    ///
    /// The items give the errors of `recv(2)`.
    pub fn recv_multishot(&self, fd: &Fd, group: &BufGroup) -> OpStream<RecvMultishot> {
        let shots = RecvMultishot {
            fd: fd.clone(),
            wait: group.wait_provided(),
            group: group.clone(),
        };
        OpStream::new(self.clone(), shots)
    }
}

/// Receives into a buffer of a group. Linux 5.19. Counterpart: `io_uring_prep_recv(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_recv")]
pub struct RecvProvided {
    fd: Fd,
    group: BufGroup,
    chunk: Chunk,
}

// SAFETY: the entry names no memory but the group's, which stays as long as the operation counts it
// (B2 of `buf::pool`), and the counted descriptor.
unsafe impl Operation for RecvProvided {
    /// The bytes, none at the end of the stream.
    type Output = io::Result<Chunk>;
    type Leftover = ();
    const NAME: &'static str = "recv";

    fn prepare(&mut self) -> Sqe {
        recv(&self.fd, &self.group)
    }

    fn lease(&mut self, cqe: Cqe) {
        self.chunk = self.group.lease(cqe).unwrap_or_default();
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(|_| self.chunk)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Receives into several buffers of a group at once. Linux 6.10. Counterpart:
/// `io_uring_prep_recv(3)`.
#[derive(Debug)]
#[doc(alias = "IORING_RECVSEND_BUNDLE")]
pub struct RecvBundle {
    fd: Fd,
    group: BufGroup,
    chunks: Vec<Chunk>,
}

// SAFETY: as for `RecvProvided`.
unsafe impl Operation for RecvBundle {
    /// The bytes in order, none at the end of the stream.
    type Output = io::Result<Vec<Chunk>>;
    type Leftover = ();
    const NAME: &'static str = "recv bundle";

    fn prepare(&mut self) -> Sqe {
        let mut sqe = recv(&self.fd, &self.group);
        sqe.ioprio |= BUNDLE;
        sqe
    }

    fn lease(&mut self, cqe: Cqe) {
        self.chunks = self.group.chunks(cqe).collect();
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(|_| self.chunks)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Reads into a buffer of a group. Linux 5.19. Counterpart: `io_uring_prep_read(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_read")]
pub struct ReadProvided {
    fd: Fd,
    group: BufGroup,
    chunk: Chunk,
    offset: u64,
}

// SAFETY: as for `RecvProvided`.
unsafe impl Operation for ReadProvided {
    /// The bytes, none at the end of the file.
    type Output = io::Result<Chunk>;
    type Leftover = ();
    const NAME: &'static str = "read";

    fn prepare(&mut self) -> Sqe {
        let sqe = Sqe::on(io_uring::opcode::Read::CODE, &self.fd);
        self.group.named_in(Sqe {
            offset: self.offset,
            ..sqe
        })
    }

    fn lease(&mut self, cqe: Cqe) {
        self.chunk = self.group.lease(cqe).unwrap_or_default();
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        let result = cqe.result().map(|_| self.chunk);
        result.map_err(|error| {
            if is_offset(self.offset) {
                error
            } else {
                offset_error()
            }
        })
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Receives again and again into buffers of a group. Linux 6.0. Counterpart:
/// `io_uring_prep_recv_multishot(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_recv_multishot")]
pub struct RecvMultishot {
    fd: Fd,
    group: BufGroup,
    wait: WaitProvided,
}

// SAFETY: as for `RecvProvided`.
unsafe impl Multishot for RecvMultishot {
    /// The bytes of one reception.
    type Item = Chunk;
    const NAME: &'static str = "recv multishot";

    fn prepare(&mut self, sqe: &mut Sqe) {
        let entry = Sqe::on(io_uring::opcode::Recv::CODE, &self.fd);
        *sqe = self.group.named_in(Sqe {
            ioprio: RECV_MULTISHOT,
            ..entry
        });
    }

    fn judge(&self, cqe: &Cqe) -> Answer {
        judge(cqe)
    }

    fn lease(&mut self, cqe: Cqe) -> Option<Chunk> {
        self.group.lease(cqe)
    }

    fn item(&mut self, cqe: Cqe, lent: Option<Chunk>) -> io::Result<Self::Item> {
        cqe.result().map(|_| lent.unwrap_or_default())
    }

    fn poll_submittable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // A proactor that is gone refuses the submission.
        Pin::new(&mut self.wait).poll(cx).map(drop)
    }
}

/// Reads again and again into buffers of a group. Linux 6.7. Counterpart:
/// `io_uring_prep_read_multishot(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_read_multishot")]
pub struct ReadMultishot {
    fd: Fd,
    group: BufGroup,
    wait: WaitProvided,
}

// SAFETY: as for `RecvProvided`.
unsafe impl Multishot for ReadMultishot {
    /// The bytes of one read.
    type Item = Chunk;
    const NAME: &'static str = "read multishot";

    fn prepare(&mut self, sqe: &mut Sqe) {
        let on = Sqe::on(READ_MULTISHOT, &self.fd);
        *sqe = self.group.named_in(Sqe {
            offset: u64::MAX,
            ..on
        });
    }

    fn judge(&self, cqe: &Cqe) -> Answer {
        judge(cqe)
    }

    fn lease(&mut self, cqe: Cqe) -> Option<Chunk> {
        self.group.lease(cqe)
    }

    fn item(&mut self, cqe: Cqe, lent: Option<Chunk>) -> io::Result<Self::Item> {
        cqe.result().map(|_| lent.unwrap_or_default())
    }

    fn poll_submittable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // A proactor that is gone refuses the submission.
        Pin::new(&mut self.wait).poll(cx).map(drop)
    }
}

/// What an answer to a stream is: an empty group and an interruption are none.
fn judge(cqe: &Cqe) -> Answer {
    match cqe.errno() {
        libc::ENOBUFS | libc::ECANCELED | libc::EINTR => Answer::Nothing,
        0 if cqe.res == 0 && cqe.buffer_id().is_none() => Answer::End,
        _ => Answer::Item,
    }
}

fn recv(fd: &Fd, group: &BufGroup) -> Sqe {
    let sqe = Sqe::on(io_uring::opcode::Recv::CODE, fd);
    group.named_in(Sqe {
        // Without waiting for readiness first, an empty group would be an answer at once.
        ioprio: POLL_FIRST,
        ..sqe
    })
}

const READ_MULTISHOT: u8 = io_uring::opcode::ReadMulti::CODE;
/// `IORING_RECVSEND_POLL_FIRST`.
const POLL_FIRST: u16 = 1 << 0;
/// `IORING_RECV_MULTISHOT`, without `POLL_FIRST`: a kernel that finds bytes and an end behind them
/// when it begins to poll takes the bytes, and never looks again. What is there has to be taken before
/// it polls. An empty group is an answer at once then, and waited for before the next submission.
pub(super) const RECV_MULTISHOT: u16 = 1 << 1;
/// `IORING_RECVSEND_BUNDLE`.
const BUNDLE: u16 = 1 << 4;
