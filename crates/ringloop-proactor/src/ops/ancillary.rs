//! Ancillary data: what goes beside the bytes of a message, descriptors above all.
//!
//! # Invariants
//!
//! - **A1** The bytes hold whole messages up to `len`, none of which names a descriptor but those
//!   of `sending`, which it keeps open.
//! - **A2** A descriptor that the kernel has installed is owned from the moment the message that
//!   names it is parsed, and that is once: parsing removes the message.

use std::fmt;
use std::io;
use std::iter;
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use crate::fd::Fd;

/// Ancillary data of a message: descriptors, credentials, time stamps, …
///
/// To send some, [`push`](Self::push) it. To receive some, make room for it with
/// [`with_room`](Self::with_room); afterwards [`messages`](Self::messages) has what came.
/// Descriptors are owned from the moment they come: those that are not taken are closed.
///
/// Counterpart: `cmsg(3)`.
///
/// # Examples
///
/// ```
/// use ringloop_proactor::{Ancillary, Config, Proactor};
/// use std::os::unix::net::UnixStream;
///
/// let mut proactor = Proactor::new(&Config::default())?;
/// let handle = proactor.handle();
/// let (near, far) = UnixStream::pair()?;
/// let (near, far) = (handle.adopt(near), handle.adopt(far));
///
/// let mut gift = Ancillary::new();
/// gift.push_descriptors(&[handle.adopt(std::fs::File::open("/dev/null")?)])?;
/// proactor.block_on(handle.send_msg(&near, ["one file"], None, gift, 0)?)??;
///
/// let room = Ancillary::with_room(Ancillary::room_for_descriptors(1));
/// let receive = handle.recv_msg(&far, [vec![0; 16]], room, 0)?;
/// let mut received = proactor.block_on(receive)??;
/// assert_eq!(received.buffers, [b"one file"]);
/// assert_eq!(received.ancillary.take_descriptors()?.len(), 1);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Default)]
#[doc(alias = "cmsghdr")]
#[doc(alias = "SCM_RIGHTS")]
pub struct Ancillary {
    /// Messages, then room.
    bytes: Vec<u8>,
    len: usize,
    sending: Vec<Fd>,
    received: Vec<OwnedFd>,
    received_pidfd: Option<OwnedFd>,
    is_truncated: bool,
}

/// One piece of ancillary data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AncillaryMessage<'a> {
    /// The protocol that it belongs to: `SOL_SOCKET`, `IPPROTO_IP`, …
    pub level: i32,
    /// What it is: `SCM_CREDENTIALS`, `IP_PKTINFO`, …
    pub kind: i32,
    /// The data, as the C struct of this kind has it.
    pub payload: &'a [u8],
}

impl Ancillary {
    /// Makes ancillary data that is empty and has no room.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes room for `bytes` of ancillary data to be received.
    #[must_use]
    pub fn with_room(bytes: usize) -> Self {
        Self {
            bytes: vec![0; bytes],
            ..Self::default()
        }
    }

    /// Returns the room that a message with a payload of `len` bytes takes. Counterpart:
    /// `CMSG_SPACE` of `cmsg(3)`.
    #[must_use]
    pub const fn room_for(len: usize) -> usize {
        HEADER.saturating_add(len.saturating_add(ALIGN - 1) / ALIGN * ALIGN)
    }

    /// Returns the room that a message with `count` descriptors takes.
    #[must_use]
    pub const fn room_for_descriptors(count: usize) -> usize {
        Self::room_for(count.saturating_mul(size_of::<RawFd>()))
    }

    /// Adds a message to be sent.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for `SCM_RIGHTS`: that is
    /// [`push_descriptors`](Self::push_descriptors), which keeps them open.
    pub fn push(&mut self, level: i32, kind: i32, payload: &[u8]) -> io::Result<()> {
        if (level, kind) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
            return Err(invalid("descriptors are sent with push_descriptors"));
        }
        self.append(level, kind, payload);
        Ok(())
    }

    /// Adds descriptors to be sent. Until the message is sent, or dropped, they stay open. The
    /// kernel takes up to 253 with a message.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a direct descriptor, which has no number to be sent:
    /// [`Handle::install`](crate::Handle::install) makes a plain one of it.
    pub fn push_descriptors(&mut self, fds: &[Fd]) -> io::Result<()> {
        let mut numbers = Vec::with_capacity(size_of_val(fds));
        for fd in fds {
            let plain = fd.plain();
            let plain = plain.ok_or_else(|| {
                invalid("a direct descriptor cannot be sent: make a plain one with Handle::install")
            })?;
            numbers.extend_from_slice(&plain.as_raw_fd().to_ne_bytes());
        }
        self.append(libc::SOL_SOCKET, libc::SCM_RIGHTS, &numbers);
        self.sending.extend_from_slice(fds);
        Ok(())
    }

    /// Returns the messages, except those that brought descriptors.
    pub fn messages(&self) -> impl Iterator<Item = AncillaryMessage<'_>> {
        let mut at = 0;
        let walk = iter::from_fn(move || {
            let message = message_at(&self.bytes[..self.len], at)?;
            at += Self::room_for(message.payload.len());
            Some(message)
        });
        walk.filter(|message| !message.has_descriptors())
    }

    /// Takes the descriptors that came with the message, closed on exec; none if none came.
    ///
    /// # Errors
    ///
    /// `InvalidData` if there was no room for all of them, or for other data that came along. Those that
    /// there was room for have been closed.
    pub fn take_descriptors(&mut self) -> io::Result<Vec<OwnedFd>> {
        if self.is_truncated {
            let text = "the ancillary data did not fit into the room for it: descriptors that came \
                        with the message have been closed";
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        Ok(mem::take(&mut self.received))
    }

    /// Takes the descriptor of the process that sent the message, if the socket has
    /// `SO_PASSPIDFD`.
    pub fn take_pidfd(&mut self) -> Option<OwnedFd> {
        self.received_pidfd.take()
    }

    /// Returns whether some of what came did not fit (`MSG_CTRUNC`).
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        self.is_truncated
    }

    /// Removes all messages and descriptors, and keeps the room.
    pub fn clear(&mut self) {
        self.len = 0;
        self.sending.clear();
        self.received.clear();
        self.received_pidfd = None;
        self.is_truncated = false;
    }

    /// The address and length of what is to be sent.
    pub(crate) fn to_send(&self) -> (usize, usize) {
        let messages = &self.bytes[..self.len];
        (messages.as_ptr().expose_provenance(), messages.len())
    }

    /// The address and length of the room.
    pub(super) fn room(&mut self) -> (usize, usize) {
        let room = self.bytes.as_mut_slice();
        (room.as_mut_ptr().expose_provenance(), room.len())
    }

    /// Copies a room with `len` bytes of messages, as the kernel has written them, and takes over
    /// the descriptors in them.
    pub(crate) fn copy_received(room: &[u8], len: usize, msg_flags: i32) -> Self {
        let mut ancillary = Self {
            bytes: room.to_vec(),
            ..Self::default()
        };
        ancillary.received(len, msg_flags);
        ancillary
    }

    /// Takes over what the kernel has written: `len` bytes into the room, and the descriptors that
    /// they name.
    pub(super) fn received(&mut self, len: usize, msg_flags: i32) {
        self.len = len.min(self.bytes.len());
        let mut at = 0;
        while let Some(message) = message_at(&self.bytes[..self.len], at) {
            let end = at + Self::room_for(message.payload.len());
            if !message.has_descriptors() {
                at = end;
                continue;
            }
            let is_pidfd = message.kind == SCM_PIDFD;
            let numbers = message.payload.chunks_exact(size_of::<RawFd>());
            for number in numbers {
                let number = number.try_into().expect("the chunks have this length");
                let number = RawFd::from_ne_bytes(number);
                if number < 0 {
                    continue; // An errno, in place of the descriptor of a process that is gone.
                }
                // SAFETY: A2, the kernel has just installed it for this message, which is removed
                // below; nobody else knows the number.
                let fd = unsafe { OwnedFd::from_raw_fd(number) };
                if is_pidfd {
                    self.received_pidfd = Some(fd);
                } else {
                    self.received.push(fd);
                }
            }
            let end = end.min(self.len);
            self.bytes.copy_within(end..self.len, at);
            self.len -= end - at;
        }
        // With no room at all, nobody has asked.
        self.is_truncated = msg_flags & libc::MSG_CTRUNC != 0 && !self.bytes.is_empty();
        if self.is_truncated {
            self.received.clear();
            self.received_pidfd = None;
        }
    }

    fn append(&mut self, level: i32, kind: i32, payload: &[u8]) {
        self.bytes.truncate(self.len);
        let len = HEADER + payload.len();
        self.bytes.extend_from_slice(&len.to_ne_bytes());
        self.bytes.extend_from_slice(&level.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(payload);
        self.bytes
            .resize(self.len + Self::room_for(payload.len()), 0);
        self.len = self.bytes.len();
    }
}

impl AncillaryMessage<'_> {
    fn has_descriptors(&self) -> bool {
        self.level == libc::SOL_SOCKET && [libc::SCM_RIGHTS, SCM_PIDFD].contains(&self.kind)
    }
}

impl fmt::Debug for Ancillary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ancillary")
            .field("messages", &self.messages().collect::<Vec<_>>())
            .field("sending", &self.sending)
            .field("received", &self.received)
            .field("is_truncated", &self.is_truncated)
            .finish_non_exhaustive()
    }
}

/// The message that begins at a position; `None` at the end, or if no whole one does.
pub(crate) fn message_at(bytes: &[u8], at: usize) -> Option<AncillaryMessage<'_>> {
    let bytes = bytes.get(at..)?;
    let (len, rest) = bytes.split_first_chunk()?;
    let (level, rest) = rest.split_first_chunk()?;
    let (kind, rest) = rest.split_first_chunk()?;
    let payload_len = usize::from_ne_bytes(*len).checked_sub(HEADER)?;
    Some(AncillaryMessage {
        level: i32::from_ne_bytes(*level),
        kind: i32::from_ne_bytes(*kind),
        payload: rest.get(..payload_len)?,
    })
}

fn invalid(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

/// `CMSG_ALIGN` of the kernel.
const ALIGN: usize = size_of::<usize>();
const HEADER: usize = size_of::<libc::cmsghdr>();
/// Not in the C library's headers yet.
const SCM_PIDFD: i32 = 4;

const _: () = assert!(
    HEADER == size_of::<usize>() + 8 && HEADER.is_multiple_of(ALIGN),
    "a length, a level and a kind"
);

#[cfg(test)]
mod tests;
