//! Sending without a copy: the kernel reads the buffer as long as the network needs it.

use super::address::SocketAddress;
use super::ancillary::Ancillary;
use super::datagram::Outgoing;
use super::stream::send_flags;
use crate::buf::{IoBuf, IoBufs, OpError, RegisteredBuf};
use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Op, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Sends from an owned buffer without copying it, with `MSG_*` flags. Counterpart:
    /// `io_uring_prep_send_zc(3)`.
    ///
    /// The kernel completes it twice: when it has queued the bytes, and when nothing needs the
    /// buffer any more, which for TCP is when the peer has acknowledged them. The future waits for
    /// both, so the buffer that comes back is free, and a dropped future leaves it in the kernel
    /// for as long. It pays above some 16 KiB and for a real network; loopback copies anyway, as
    /// [`Sent::was_copied`] tells. Sockets of TCP and UDP have it, unix sockets do not
    /// (`EOPNOTSUPP`).
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor};
    /// use std::net::{TcpListener, TcpStream};
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let handle = proactor.handle();
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let near = handle.adopt(TcpStream::connect(listener.local_addr()?)?);
    /// let (sent, buffer) = proactor.block_on(handle.send_zc(&near, vec![7; 50_000], 0))??;
    /// assert_eq!(sent.count, buffer.len());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn send_zc<B: IoBuf>(&self, fd: &Fd, buffer: B, flags: i32) -> Op<SendZc<B>> {
        self.submit(SendZc {
            fd: fd.clone(),
            buffer,
            flags: send_flags(flags),
            reporting: self.usage_reporting(),
        })
    }

    /// Sends from a registered buffer of this proactor without copying it, which saves the kernel
    /// looking up its pages. Everything else is as in [`send_zc`](Self::send_zc). Counterpart:
    /// `io_uring_prep_send_zc_fixed(3)`.
    ///
    /// # Errors
    ///
    /// As `send(2)`; `EFAULT` if the buffer is registered with another proactor.
    pub fn send_zc_fixed<B: RegisteredBuf>(
        &self,
        fd: &Fd,
        buffer: B,
        flags: i32,
    ) -> Op<SendZcFixed<B>> {
        self.submit(SendZcFixed(SendZc {
            fd: fd.clone(),
            buffer,
            flags: send_flags(flags),
            reporting: self.usage_reporting(),
        }))
    }

    /// Sends a message from a set of owned buffers without copying them. Everything else is as in
    /// [`send_msg`](Self::send_msg) and [`send_zc`](Self::send_zc). Counterpart:
    /// `io_uring_prep_sendmsg_zc(3)`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for more than [`IO_BUFS_MAX`](crate::IO_BUFS_MAX) buffers; the future gives
    /// the errors of `sendmsg(2)`. Either brings the buffers and the ancillary data.
    pub fn send_msg_zc<S: IoBufs>(
        &self,
        fd: &Fd,
        buffers: S,
        to: Option<SocketAddress>,
        ancillary: Ancillary,
        flags: i32,
    ) -> Result<Op<SendMsgZc<S>>, OpError<(S, Ancillary)>> {
        Ok(self.submit(SendMsgZc {
            message: Outgoing::new(fd.clone(), buffers, to, ancillary, flags)?,
            reporting: self.usage_reporting(),
        }))
    }

    /// The flag that asks for a report, if the kernel takes it. It does since Linux 6.2 but does
    /// not say so; an operation of 6.7 stands for it.
    fn usage_reporting(&self) -> u16 {
        let is_known = self.shared().supports(io_uring::opcode::ReadMulti::CODE);
        if is_known { REPORT_USAGE } else { 0 }
    }
}

/// What became of a zero-copy send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// How many bytes were sent.
    pub count: usize,
    /// Whether the kernel had to copy the bytes after all. `None` if it does not tell, before
    /// Linux 6.7.
    pub was_copied: Option<bool>,
}

impl Sent {
    /// What a completion and its notification say.
    fn new(count: usize, cqe: Cqe, reporting: u16) -> Self {
        // Only after a completion that announced a second one does the `user_data` say what that was.
        let tells = reporting != 0 && !cqe.is_last();
        Self {
            count,
            was_copied: tells.then_some(cqe.user_data & USAGE_COPIED != 0),
        }
    }
}

/// Sends from an owned buffer without copying it. Linux 6.0. Counterpart:
/// `io_uring_prep_send_zc(3)`.
///
/// A connection that the peer has closed is an error (`EPIPE`), never a signal.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_send_zc")]
pub struct SendZc<B> {
    fd: Fd,
    buffer: B,
    flags: u32,
    reporting: u16,
}

// SAFETY: as the module says; the second completion is the notification that the memory is free.
unsafe impl<B: IoBuf> Operation for SendZc<B> {
    type Output = Result<(Sent, B), OpError<B>>;
    type Leftover = B;
    const NAME: &'static str = "send_zc";

    fn prepare(&mut self) -> Sqe {
        let bytes = self.buffer.as_slice();
        Sqe {
            ioprio: self.reporting,
            op_flags: self.flags,
            ..Sqe::on(io_uring::opcode::SendZc::CODE, &self.fd).memory(bytes.as_ptr(), bytes.len())
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        match cqe.result() {
            Ok(count) => Ok((Sent::new(count as usize, cqe, self.reporting), self.buffer)),
            Err(error) => Err(OpError::new(error, self.buffer)),
        }
    }

    fn reclaim(self) -> Self::Leftover {
        self.buffer
    }
}

/// Sends from a registered buffer without copying it. Linux 6.0. Counterpart:
/// `io_uring_prep_send_zc_fixed(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_send_zc_fixed")]
pub struct SendZcFixed<B>(SendZc<B>);

// SAFETY: as for `SendZc`.
unsafe impl<B: RegisteredBuf> Operation for SendZcFixed<B> {
    type Output = Result<(Sent, B), OpError<B>>;
    type Leftover = B;
    const NAME: &'static str = "send_zc fixed";

    fn prepare(&mut self) -> Sqe {
        let sqe = self.0.prepare();
        Sqe {
            ioprio: sqe.ioprio | FIXED_BUF,
            buffer: self.0.buffer.index(),
            ..sqe
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        self.0.complete(cqe)
    }

    fn reclaim(self) -> Self::Leftover {
        self.0.reclaim()
    }
}

/// Sends a message without copying it. Linux 6.1. Counterpart: `io_uring_prep_sendmsg_zc(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_sendmsg_zc")]
pub struct SendMsgZc<S> {
    message: Outgoing<S>,
    reporting: u16,
}

// SAFETY: as for `SendMsg`; the second completion is the notification that the memory is free.
unsafe impl<S: IoBufs> Operation for SendMsgZc<S> {
    type Output = Result<(Sent, S), OpError<(S, Ancillary)>>;
    type Leftover = (S, Ancillary);
    const NAME: &'static str = "sendmsg_zc";

    fn prepare(&mut self) -> Sqe {
        Sqe {
            ioprio: self.reporting,
            ..self.message.prepare(io_uring::opcode::SendMsgZc::CODE)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        let (count, buffers) = self.message.complete(cqe)?;
        Ok((Sent::new(count, cqe, self.reporting), buffers))
    }

    fn reclaim(self) -> Self::Leftover {
        self.message.reclaim()
    }
}

/// `IORING_RECVSEND_FIXED_BUF`.
const FIXED_BUF: u16 = 1 << 2;
/// `IORING_SEND_ZC_REPORT_USAGE`.
const REPORT_USAGE: u16 = 1 << 3;
/// `IORING_NOTIF_USAGE_ZC_COPIED`.
const USAGE_COPIED: u64 = 1 << 31;
