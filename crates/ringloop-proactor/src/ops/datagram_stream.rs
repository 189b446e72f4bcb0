//! Receiving one message after the other into buffers that the kernel picks.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::address::{AddressRoom, ROOM_LEN};
use super::ancillary::Ancillary;
use super::datagram::Received;
use super::header::MsgHeader;
use super::provided::RECV_MULTISHOT;
use crate::buf::{BufGroup, Chunk, WaitProvided};
use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Answer, Multishot, OpStream};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Receives one message after the other, each into a buffer that the kernel picks from
    /// `group`, with `control_room` bytes of ancillary data. Counterpart:
    /// `io_uring_prep_recvmsg_multishot(3)`.
    ///
    /// The 16 bytes of a header, the address of the peer (128 bytes) and the ancillary data are in
    /// the buffer, too; what is left is for the payload, and a datagram that is longer is cut off
    /// (`MSG_TRUNC` in [`Received::flags`]). On a stream socket, a message of zero bytes is the end.
    ///
    /// While the group is empty, messages stay in the socket; the stream goes on when a buffer
    /// comes home.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the buffers of the group have no room for a payload, or are filled in parts.
    /// The items give the errors of `recvmsg(2)`.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{BufGroupConfig, Config, Proactor};
    /// use std::net::UdpSocket;
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let handle = proactor.handle();
    /// let far = UdpSocket::bind("127.0.0.1:0")?;
    /// let near = UdpSocket::bind("127.0.0.1:0")?;
    /// far.connect(near.local_addr()?)?;
    /// let near = handle.adopt(near);
    /// let group = handle.provide(&BufGroupConfig::default())?;
    /// let mut messages = handle.recv_msg_multishot(&near, &group, 0)?;
    /// for text in ["one", "two"] {
    ///     far.send(text.as_bytes())?;
    ///     let message = proactor.block_on(messages.next())?.expect("it goes on")?;
    ///     assert_eq!(&message.buffers[..], text.as_bytes());
    ///     let peer = message.peer.and_then(|peer| peer.as_ip());
    ///     assert_eq!(peer, Some(far.local_addr()?));
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn recv_msg_multishot(
        &self,
        fd: &Fd,
        group: &BufGroup,
        control_room: usize,
    ) -> io::Result<OpStream<RecvMsgMultishot>> {
        let prefix = (HEADER + NAME).saturating_add(control_room);
        if group.is_incremental() || prefix >= group.stats().len_bytes as usize {
            let text = "the buffers have no room for a payload behind the address and the ancillary \
                        data, or are filled in parts";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let shots = RecvMsgMultishot {
            fd: fd.clone(),
            wait: group.wait_provided(),
            group: group.clone(),
            header: MsgHeader {
                name_len: ROOM_LEN,
                control_len: control_room,
                ..MsgHeader::default()
            },
        };
        Ok(OpStream::new(self.clone(), shots))
    }
}

/// Receives one message after the other into buffers of a group. Linux 6.0. Counterpart:
/// `io_uring_prep_recvmsg_multishot(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_recvmsg_multishot")]
pub struct RecvMsgMultishot {
    fd: Fd,
    group: BufGroup,
    wait: WaitProvided,
    /// Says how much room the address and the ancillary data have. The kernel reads it only.
    header: MsgHeader,
}

// SAFETY: the entry names the header, which is on the heap with the stream's state, the group's
// memory, which stays as long as the operation counts it (B2 of `buf::pool`), and the counted
// descriptor.
unsafe impl Multishot for RecvMsgMultishot {
    /// One message. Its bytes are lent.
    type Item = Received<Chunk>;
    const NAME: &'static str = "recvmsg multishot";

    fn prepare(&mut self, sqe: &mut Sqe) {
        let entry = Sqe::on(io_uring::opcode::RecvMsg::CODE, &self.fd);
        *sqe = self.header.named_in(self.group.named_in(Sqe {
            ioprio: RECV_MULTISHOT,
            op_flags: libc::MSG_CMSG_CLOEXEC.cast_unsigned(),
            ..entry
        }));
    }

    fn judge(&self, cqe: &Cqe) -> Answer {
        match cqe.errno() {
            libc::ENOBUFS | libc::ECANCELED | libc::EINTR => Answer::Nothing,
            _ => Answer::Item,
        }
    }

    fn lease(&mut self, cqe: Cqe) -> Option<Chunk> {
        self.group.lease(cqe)
    }

    fn item(&mut self, cqe: Cqe, lent: Option<Chunk>) -> io::Result<Self::Item> {
        cqe.result()?;
        let message = lent.and_then(|chunk| open(chunk, self.header.control_len));
        message.ok_or_else(|| {
            let text = "the kernel wrote a message that is shorter than it says";
            io::Error::new(io::ErrorKind::InvalidData, text)
        })
    }

    fn poll_submittable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // A proactor that is gone refuses the submission.
        Pin::new(&mut self.wait).poll(cx).map(drop)
    }
}

/// Takes a buffer apart: `struct io_uring_recvmsg_out`, then the rooms for the address and the
/// ancillary data, then the payload.
fn open(mut chunk: Chunk, control_room: usize) -> Option<Received<Chunk>> {
    let (header, rest) = chunk.split_first_chunk::<HEADER>()?;
    let field = |at: usize| {
        let bytes = header[at..].first_chunk();
        u32::from_ne_bytes(*bytes.expect("there are four fields"))
    };
    let (name_len, control_len, flags) = (field(0), field(4), field(12).cast_signed());
    let (name, rest) = rest.split_first_chunk::<NAME>()?;
    let (control, payload) = rest.split_at_checked(control_room)?;
    let peer = AddressRoom {
        len: name_len,
        bytes: *name,
    };
    let ancillary = Ancillary::copy_received(control, control_len as usize, flags);
    let (count, peer) = (payload.len(), peer.read(name_len));
    chunk.advance(HEADER + NAME + control_room);
    Some(Received {
        count,
        buffers: chunk,
        peer,
        ancillary,
        flags: flags & !libc::MSG_CMSG_CLOEXEC,
    })
}

/// `sizeof(struct io_uring_recvmsg_out)`.
const HEADER: usize = 16;
const NAME: usize = ROOM_LEN as usize;

#[cfg(test)]
mod tests;
