//! Receiving and sending messages: several buffers, an address, ancillary data.

use super::address::{AddressRoom, ROOM_LEN, SocketAddress};
use super::ancillary::Ancillary;
use super::header::MsgHeader;
use super::stream::{recv_flags, send_flags};
use crate::buf::{IoBufMut, IoBufs, IoBufsMut, IoVecs, OpError};
use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Op, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Receives a datagram into an owned buffer and tells whose it is. Counterpart: `recvfrom(2)`,
    /// `io_uring_prep_recvmsg(3)`.
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
    /// let near = UdpSocket::bind("127.0.0.1:0")?;
    /// far.send_to(b"hello", near.local_addr()?)?;
    /// let near = handle.adopt(near);
    /// let received = proactor.block_on(handle.recv_from(&near, vec![0; 1500]))??;
    /// assert_eq!(received.buffers, [b"hello"]);
    /// let peer = received.peer.and_then(|peer| peer.as_ip());
    /// assert_eq!(peer, Some(far.local_addr()?));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn recv_from<B: IoBufMut>(&self, fd: &Fd, buffer: B) -> Op<RecvMsg<[B; 1]>> {
        self.submit(RecvMsg::new(fd.clone(), [buffer], Ancillary::new(), 0))
    }

    /// Receives a message into a set of owned buffers (`[buffer]` for one), with ancillary data as
    /// far as there is room for it, and `MSG_*` flags. Counterpart: `recvmsg(2)`,
    /// `io_uring_prep_recvmsg(3)`.
    ///
    /// Descriptors that come along are closed on exec. `MSG_TRUNC` is left out of the flags: whether
    /// a datagram was cut off is told by [`Received::flags`] anyway.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for more than [`IO_BUFS_MAX`](crate::IO_BUFS_MAX) buffers; the future gives
    /// the errors of `recvmsg(2)`. Either brings the buffers and the ancillary data.
    pub fn recv_msg<S: IoBufsMut>(
        &self,
        fd: &Fd,
        mut buffers: S,
        ancillary: Ancillary,
        flags: i32,
    ) -> Result<Op<RecvMsg<S>>, OpError<(S, Ancillary)>> {
        match IoVecs::check(buffers.rooms()) {
            Ok(()) => Ok(self.submit(RecvMsg::new(fd.clone(), buffers, ancillary, flags))),
            Err(error) => Err(OpError::new(error, (buffers, ancillary))),
        }
    }

    /// Sends a message from a set of owned buffers (`[buffer]` for one), to an address if the socket
    /// is not connected, with ancillary data and `MSG_*` flags. Counterpart: `sendmsg(2)`,
    /// `io_uring_prep_sendmsg(3)`.
    ///
    /// At most one send may be in flight on a stream socket: several interleave.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for more than [`IO_BUFS_MAX`](crate::IO_BUFS_MAX) buffers; the future gives
    /// the errors of `sendmsg(2)`. Either brings the buffers and the ancillary data.
    pub fn send_msg<S: IoBufs>(
        &self,
        fd: &Fd,
        buffers: S,
        to: Option<SocketAddress>,
        ancillary: Ancillary,
        flags: i32,
    ) -> Result<Op<SendMsg<S>>, OpError<(S, Ancillary)>> {
        let message = Outgoing::new(fd.clone(), buffers, to, ancillary, flags)?;
        Ok(self.submit(SendMsg(message)))
    }
}

/// A message that was received.
#[derive(Debug)]
#[non_exhaustive]
pub struct Received<S> {
    /// How many bytes came.
    pub count: usize,
    /// The buffers, filled one after the other.
    pub buffers: S,
    /// Whose message it is. `None` if the socket is connected, or the peer has no name.
    pub peer: Option<SocketAddress>,
    /// What came beside the bytes.
    pub ancillary: Ancillary,
    /// What the kernel says of the message: `MSG_TRUNC` if a datagram was longer than the buffers,
    /// `MSG_CTRUNC`, `MSG_EOR`, …
    pub flags: i32,
}

/// Receives a message. Linux 5.3. Counterpart: `io_uring_prep_recvmsg(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_recvmsg")]
#[doc(alias = "recvfrom")]
pub struct RecvMsg<S> {
    fd: Fd,
    buffers: S,
    iovecs: IoVecs,
    ancillary: Ancillary,
    peer: AddressRoom,
    header: MsgHeader,
    flags: u32,
}

impl<S: IoBufsMut> RecvMsg<S> {
    fn new(fd: Fd, buffers: S, ancillary: Ancillary, flags: i32) -> Self {
        Self {
            fd,
            buffers,
            iovecs: IoVecs::new(),
            ancillary,
            peer: AddressRoom::new(),
            header: MsgHeader::default(),
            flags: recv_flags(flags | libc::MSG_CMSG_CLOEXEC),
        }
    }
}

// SAFETY: as the module says; V1 and V2 of `buf::vectored` for the set and the array. Header, array
// and room for the address are inside the operation, which does not move; the room for ancillary
// data is on the heap.
unsafe impl<S: IoBufsMut> Operation for RecvMsg<S> {
    type Output = Result<Received<S>, OpError<(S, Ancillary)>>;
    type Leftover = (S, Ancillary);
    const NAME: &'static str = "recvmsg";

    fn prepare(&mut self) -> Sqe {
        self.ancillary.clear();
        let (buffers, buffers_count) = self.iovecs.name_rooms(&mut self.buffers);
        let (control, control_len) = self.ancillary.room();
        self.header = MsgHeader {
            name: (&raw mut self.peer.bytes).expose_provenance(),
            name_len: ROOM_LEN,
            buffers: buffers.expose_provenance(),
            buffers_count: buffers_count as usize,
            control,
            control_len,
            flags: 0,
        };
        self.header.named_in(Sqe {
            op_flags: self.flags,
            ..Sqe::on(io_uring::opcode::RecvMsg::CODE, &self.fd)
        })
    }

    fn complete(mut self, cqe: Cqe) -> Self::Output {
        let MsgHeader {
            name_len,
            control_len,
            flags,
            ..
        } = self.header;
        if cqe.res >= 0 {
            self.ancillary.received(control_len, flags);
        }
        match self.iovecs.finish(self.buffers, cqe) {
            Ok((count, buffers)) => Ok(Received {
                count,
                buffers,
                peer: self.peer.read(name_len),
                ancillary: self.ancillary,
                flags: flags & !libc::MSG_CMSG_CLOEXEC,
            }),
            Err(OpError { error, buffer }) => Err(OpError::new(error, (buffer, self.ancillary))),
        }
    }

    fn reclaim(self) -> Self::Leftover {
        (self.buffers, self.ancillary)
    }
}

/// Sends a message. Linux 5.3. Counterpart: `io_uring_prep_sendmsg(3)`.
///
/// A connection that the peer has closed is an error (`EPIPE`), never a signal.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_sendmsg")]
pub struct SendMsg<S>(Outgoing<S>);

// SAFETY: as for `RecvMsg`; the ancillary data keeps the descriptors in it open.
unsafe impl<S: IoBufs> Operation for SendMsg<S> {
    type Output = Result<(usize, S), OpError<(S, Ancillary)>>;
    type Leftover = (S, Ancillary);
    const NAME: &'static str = "sendmsg";

    fn prepare(&mut self) -> Sqe {
        self.0.prepare(io_uring::opcode::SendMsg::CODE)
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        self.0.complete(cqe)
    }

    fn reclaim(self) -> Self::Leftover {
        self.0.reclaim()
    }
}

/// A message on its way out, and all that describes it to the kernel.
#[derive(Debug)]
pub(super) struct Outgoing<S> {
    fd: Fd,
    buffers: S,
    iovecs: IoVecs,
    to: Option<SocketAddress>,
    ancillary: Ancillary,
    header: MsgHeader,
    flags: u32,
}

impl<S: IoBufs> Outgoing<S> {
    pub(super) fn new(
        fd: Fd,
        buffers: S,
        to: Option<SocketAddress>,
        ancillary: Ancillary,
        flags: i32,
    ) -> Result<Self, OpError<(S, Ancillary)>> {
        if let Err(error) = IoVecs::check(buffers.slices()) {
            return Err(OpError::new(error, (buffers, ancillary)));
        }
        Ok(Self {
            fd,
            buffers,
            iovecs: IoVecs::new(),
            to,
            ancillary,
            header: MsgHeader::default(),
            flags: send_flags(flags),
        })
    }

    pub(super) fn prepare(&mut self, opcode: u8) -> Sqe {
        let (buffers, buffers_count) = self.iovecs.name_slices(&self.buffers);
        let (control, control_len) = self.ancillary.to_send();
        let to = self.to.as_ref().map_or(&[][..], SocketAddress::as_bytes);
        self.header = MsgHeader {
            name: to.as_ptr().expose_provenance(),
            name_len: u32::try_from(to.len()).expect("an address is short"),
            buffers: buffers.expose_provenance(),
            buffers_count: buffers_count as usize,
            control,
            control_len,
            flags: 0,
        };
        self.header.named_in(Sqe {
            op_flags: self.flags,
            ..Sqe::on(opcode, &self.fd)
        })
    }

    pub(super) fn complete(self, cqe: Cqe) -> Result<(usize, S), OpError<(S, Ancillary)>> {
        match cqe.result() {
            Ok(count) => Ok((count as usize, self.buffers)),
            Err(error) => Err(OpError::new(error, self.reclaim())),
        }
    }

    pub(super) fn reclaim(self) -> (S, Ancillary) {
        (self.buffers, self.ancillary)
    }
}
