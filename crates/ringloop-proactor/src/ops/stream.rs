//! Receiving and sending with owned buffers.

use super::address::SocketAddress;
use crate::buf::{IoBuf, IoBufMut, Named, OpError};
use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Op, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Receives into an owned buffer, once. Counterpart: `recv(2)`, `io_uring_prep_recv(3)`.
    ///
    /// At most one receive may be in flight on a socket: several complete in any order.
    pub fn recv<B: IoBufMut>(&self, fd: &Fd, buffer: B) -> Op<Recv<B>> {
        self.recv_with_flags(fd, buffer, 0)
    }

    /// Receives into an owned buffer, once, with `MSG_*` flags. Counterpart: `recv(2)`,
    /// `io_uring_prep_recv(3)`.
    ///
    /// With `MSG_WAITALL` it waits until the buffer is full, the stream ends, or it is cancelled: what
    /// had arrived by then is its result. `MSG_TRUNC` is left out: with it, the count would not be
    /// that of the bytes in the buffer.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor};
    /// use std::io::Write;
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let handle = proactor.handle();
    /// let (near, mut far) = std::os::unix::net::UnixStream::pair()?;
    /// let near = handle.adopt(near);
    /// far.write_all(b"look")?;
    /// let peek = handle.recv_with_flags(&near, vec![0; 8], libc::MSG_PEEK);
    /// let (_, seen) = proactor.block_on(peek)??;
    /// let (_, taken) = proactor.block_on(handle.recv(&near, vec![0; 8]))??;
    /// assert_eq!(seen, taken);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn recv_with_flags<B: IoBufMut>(&self, fd: &Fd, buffer: B, flags: i32) -> Op<Recv<B>> {
        self.submit(Recv {
            fd: fd.clone(),
            buffer: Named::new(buffer),
            flags: recv_flags(flags),
        })
    }

    /// Sends from an owned buffer, once. Counterpart: `send(2)`, `io_uring_prep_send(3)`.
    ///
    /// At most one send may be in flight on a socket: several interleave.
    pub fn send<B: IoBuf>(&self, fd: &Fd, buffer: B) -> Op<Send<B>> {
        self.send_with_flags(fd, buffer, 0)
    }

    /// Sends from an owned buffer, once, with `MSG_*` flags. Counterpart: `send(2)`,
    /// `io_uring_prep_send(3)`.
    ///
    /// With `MSG_WAITALL` it goes on until everything has been sent, an error comes, or it is
    /// cancelled: what had been sent by then is its result. `MSG_ZEROCOPY` is left out: that is
    /// [`send_zc`](Self::send_zc), which keeps the buffer until the kernel is done with it.
    pub fn send_with_flags<B: IoBuf>(&self, fd: &Fd, buffer: B, flags: i32) -> Op<Send<B>> {
        self.submit(Send {
            fd: fd.clone(),
            buffer,
            flags: send_flags(flags),
        })
    }

    /// Sends from an owned buffer to an address, once. Counterpart: `sendto(2)`,
    /// `io_uring_prep_sendto(3)`.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor};
    /// use std::net::UdpSocket;
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let handle = proactor.handle();
    /// let far = UdpSocket::bind("127.0.0.1:0")?;
    /// let near = handle.adopt(UdpSocket::bind("127.0.0.1:0")?);
    /// let (count, _) = proactor.block_on(handle.send_to(&near, "hello", far.local_addr()?))??;
    /// assert_eq!((count, far.recv(&mut [0; 8])?), (5, 5));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn send_to<B: IoBuf>(
        &self,
        fd: &Fd,
        buffer: B,
        to: impl Into<SocketAddress>,
    ) -> Op<SendTo<B>> {
        self.submit(SendTo {
            fd: fd.clone(),
            buffer,
            to: to.into(),
        })
    }
}

/// Receives into an owned buffer. Linux 5.6. Counterpart: `io_uring_prep_recv(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_recv")]
pub struct Recv<B> {
    fd: Fd,
    buffer: Named<B>,
    flags: u32,
}

// SAFETY: as the module says.
unsafe impl<B: IoBufMut> Operation for Recv<B> {
    type Output = Result<(usize, B), OpError<B>>;
    type Leftover = B;
    const NAME: &'static str = "recv";

    fn prepare(&mut self) -> Sqe {
        let (start, len) = self.buffer.name();
        Sqe {
            op_flags: self.flags,
            ..Sqe::on(io_uring::opcode::Recv::CODE, &self.fd).memory(start, len)
        }
    }

    #[inline]
    fn complete(self, cqe: Cqe) -> Self::Output {
        self.buffer.finish(cqe)
    }

    fn reclaim(self) -> Self::Leftover {
        self.buffer.into_inner()
    }
}

/// Sends from an owned buffer, some of it or all. Linux 5.6. Counterpart: `io_uring_prep_send(3)`.
///
/// A connection that the peer has closed is an error (`EPIPE`), never a signal.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_send")]
pub struct Send<B> {
    fd: Fd,
    buffer: B,
    flags: u32,
}

// SAFETY: as the module says.
unsafe impl<B: IoBuf> Operation for Send<B> {
    type Output = Result<(usize, B), OpError<B>>;
    type Leftover = B;
    const NAME: &'static str = "send";

    fn prepare(&mut self) -> Sqe {
        let bytes = self.buffer.as_slice();
        Sqe {
            op_flags: self.flags,
            ..Sqe::on(io_uring::opcode::Send::CODE, &self.fd).memory(bytes.as_ptr(), bytes.len())
        }
    }

    #[inline]
    fn complete(self, cqe: Cqe) -> Self::Output {
        counted(self.buffer, cqe)
    }

    fn reclaim(self) -> Self::Leftover {
        self.buffer
    }
}

/// Sends from an owned buffer to an address. Linux 6.0. Counterpart: `io_uring_prep_sendto(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_sendto")]
#[doc(alias = "io_uring_prep_send_set_addr")]
pub struct SendTo<B> {
    fd: Fd,
    buffer: B,
    to: SocketAddress,
}

// SAFETY: as the module says; the address is inside the operation, which does not move.
unsafe impl<B: IoBuf> Operation for SendTo<B> {
    type Output = Result<(usize, B), OpError<B>>;
    type Leftover = B;
    const NAME: &'static str = "sendto";

    fn prepare(&mut self) -> Sqe {
        let bytes = self.buffer.as_slice();
        let address = self.to.as_bytes();
        Sqe {
            offset: address.as_ptr().expose_provenance() as u64,
            file_index: address_len(address),
            op_flags: send_flags(0),
            ..Sqe::on(io_uring::opcode::Send::CODE, &self.fd).memory(bytes.as_ptr(), bytes.len())
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        counted(self.buffer, cqe)
    }

    fn reclaim(self) -> Self::Leftover {
        self.buffer
    }
}

/// The flags of a receive as they go into the entry. With `MSG_TRUNC`, the kernel counts bytes that
/// it has not written; with `MSG_CMSG_COMPAT`, it writes ancillary data in another layout, and nobody
/// would find the descriptors in it.
pub(super) fn recv_flags(flags: i32) -> u32 {
    (flags & !(libc::MSG_TRUNC | MSG_CMSG_COMPAT)).cast_unsigned()
}

/// The flags of a send as they go into the entry: no signal, and no memory that is used after the
/// completion, as it is with `MSG_ZEROCOPY` on a socket that allows it. With `MSG_CMSG_COMPAT`, the
/// kernel would read the ancillary data in another layout.
pub(super) fn send_flags(flags: i32) -> u32 {
    (flags & !(libc::MSG_ZEROCOPY | MSG_CMSG_COMPAT) | libc::MSG_NOSIGNAL).cast_unsigned()
}

/// The length of an address, in the lower half of the field.
pub(crate) fn address_len(address: &[u8]) -> u32 {
    let len = u16::try_from(address.len()).expect("an address is short");
    let [first, second] = len.to_ne_bytes();
    u32::from_ne_bytes([first, second, 0, 0])
}

/// The count and the buffer of an operation that read from it.
#[inline]
pub(super) fn counted<B>(buffer: B, cqe: Cqe) -> Result<(usize, B), OpError<B>> {
    match cqe.result() {
        Ok(count) => Ok((count as usize, buffer)),
        Err(error) => Err(OpError::new(error, buffer)),
    }
}

/// A flag of the kernel's own, which `recvmsg(2)` refuses and io_uring does not.
const MSG_CMSG_COMPAT: i32 = i32::MIN;

const _: () = assert!(
    size_of::<Recv<Vec<u8>>>() <= 64
        && size_of::<Send<Vec<u8>>>() <= 64
        && size_of::<SendTo<Vec<u8>>>() <= 64,
    "the common ones fit into a slot"
);
