//! Socket commands: reading and setting options, asking how long the queues are.

use std::io;

use super::socket_option::{OptionValue, SocketOption, VALUE_LEN};
use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Op, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Asks how many received bytes wait in a socket. Counterpart: `SIOCINQ` of `tcp(7)`,
    /// `io_uring_prep_cmd_sock(3)`.
    ///
    /// # Errors
    ///
    /// `Unsupported` before Linux 6.7. The future gives the errors of `ioctl(2)`, and `EOPNOTSUPP` for
    /// sockets that are neither TCP, UDP nor raw.
    pub fn unread_bytes(&self, fd: &Fd) -> io::Result<Op<QueueLen>> {
        self.queue_len(fd, SIOCINQ)
    }

    /// Asks how many bytes wait to be sent, or to be acknowledged by the peer. Counterpart:
    /// `SIOCOUTQ` of `tcp(7)`, `io_uring_prep_cmd_sock(3)`.
    ///
    /// # Errors
    ///
    /// As [`unread_bytes`](Self::unread_bytes).
    pub fn unsent_bytes(&self, fd: &Fd) -> io::Result<Op<QueueLen>> {
        self.queue_len(fd, SIOCOUTQ)
    }

    /// Reads an option of a socket. Counterpart: `getsockopt(2)`, `io_uring_prep_cmd_sock(3)`.
    ///
    /// # Errors
    ///
    /// `Unsupported` before Linux 6.7, and for options that are not of the level `SOL_SOCKET`: the
    /// ring has only those. The future gives the errors of `getsockopt(2)`.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor, SocketOption};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let handle = proactor.handle();
    /// let socket = handle.adopt(std::net::UdpSocket::bind("127.0.0.1:0")?);
    /// let Ok(set) = handle.set_option(&socket, SocketOption::BROADCAST, true) else {
    ///     return Ok(()); // Before Linux 6.7: `setsockopt(2)` does not wait either.
    /// };
    /// proactor.block_on(set)??;
    /// let get = handle.option(&socket, SocketOption::BROADCAST)?;
    /// assert!(proactor.block_on(get)??);
    /// # Ok(())
    /// # }
    /// ```
    pub fn option<T: OptionValue>(
        &self,
        fd: &Fd,
        option: SocketOption<T>,
    ) -> io::Result<Op<GetSockOpt<T>>> {
        self.require_commands("getsockopt")?;
        if option.level != libc::SOL_SOCKET {
            let text = "io_uring reads only socket options of the level SOL_SOCKET";
            return Err(io::Error::new(io::ErrorKind::Unsupported, text));
        }
        let fd = fd.clone();
        let value = [0; VALUE_LEN];
        Ok(self.submit(GetSockOpt { fd, option, value }))
    }

    /// Sets an option of a socket. Counterpart: `setsockopt(2)`, `io_uring_prep_cmd_sock(3)`.
    ///
    /// # Errors
    ///
    /// `Unsupported` before Linux 6.7. The future gives the errors of `setsockopt(2)`.
    pub fn set_option<T: OptionValue>(
        &self,
        fd: &Fd,
        option: SocketOption<T>,
        value: T,
    ) -> io::Result<Op<SetSockOpt<T>>> {
        self.require_commands("setsockopt")?;
        Ok(self.submit(SetSockOpt {
            fd: fd.clone(),
            option,
            value: value.to_bytes(),
        }))
    }

    fn queue_len(&self, fd: &Fd, command: u64) -> io::Result<Op<QueueLen>> {
        self.require_commands("socket command")?;
        let fd = fd.clone();
        Ok(self.submit(QueueLen { fd, command }))
    }

    /// The kernel does not tell which commands it knows; an operation that came with them does.
    fn require_commands(&self, name: &str) -> io::Result<()> {
        self.require(io_uring::opcode::ReadMulti::CODE, name, "6.7")
    }
}

/// Reads an option of a socket. Linux 6.7. Counterpart: `io_uring_prep_cmd_sock(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_cmd_sock")]
#[doc(alias = "getsockopt")]
pub struct GetSockOpt<T> {
    fd: Fd,
    option: SocketOption<T>,
    value: [u8; VALUE_LEN],
}

// SAFETY: as the module says; the value is inside the operation, which does not move, and the
// option is one whose value is not longer.
unsafe impl<T: OptionValue> Operation for GetSockOpt<T> {
    type Output = io::Result<T>;
    type Leftover = ();
    const NAME: &'static str = "getsockopt";

    fn prepare(&mut self) -> Sqe {
        self.value = [0; VALUE_LEN];
        let value = (&raw mut self.value).expose_provenance();
        option_entry(&self.fd, GETSOCKOPT, self.option, value)
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result()?;
        Ok(T::from_bytes(&self.value))
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Sets an option of a socket. Linux 6.7. Counterpart: `io_uring_prep_cmd_sock(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_cmd_sock")]
#[doc(alias = "setsockopt")]
pub struct SetSockOpt<T> {
    fd: Fd,
    option: SocketOption<T>,
    value: [u8; VALUE_LEN],
}

// SAFETY: as for `GetSockOpt`.
unsafe impl<T: OptionValue> Operation for SetSockOpt<T> {
    type Output = io::Result<()>;
    type Leftover = ();
    const NAME: &'static str = "setsockopt";

    fn prepare(&mut self) -> Sqe {
        let value = (&raw const self.value).expose_provenance();
        option_entry(&self.fd, SETSOCKOPT, self.option, value)
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(drop)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Asks how many bytes wait in one of the queues of a socket. Linux 6.7. Counterpart:
/// `io_uring_prep_cmd_sock(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_cmd_sock")]
#[doc(alias = "SIOCINQ")]
#[doc(alias = "SIOCOUTQ")]
pub struct QueueLen {
    fd: Fd,
    command: u64,
}

// SAFETY: as the module says.
unsafe impl Operation for QueueLen {
    type Output = io::Result<usize>;
    type Leftover = ();
    const NAME: &'static str = "socket command";

    fn prepare(&mut self) -> Sqe {
        Sqe {
            offset: self.command,
            ..Sqe::on(URING_CMD, &self.fd)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(|count| count as usize)
    }

    fn reclaim(self) -> Self::Leftover {}
}

fn option_entry<T: OptionValue>(
    fd: &Fd,
    command: u64,
    option: SocketOption<T>,
    value: usize,
) -> Sqe {
    let [a, b, c, d] = option.level.to_ne_bytes();
    let [e, f, g, h] = option.name.to_ne_bytes();
    Sqe {
        offset: command,
        // Two numbers, in this order whatever the byte order.
        address: u64::from_ne_bytes([a, b, c, d, e, f, g, h]),
        file_index: T::LEN,
        address3: value as u64,
        ..Sqe::on(URING_CMD, fd)
    }
}

const URING_CMD: u8 = io_uring::opcode::UringCmd16::CODE;
/// `SOCKET_URING_OP_SIOCINQ`, and those after it. The field has a zero behind it.
const SIOCINQ: u64 = command(0);
const SIOCOUTQ: u64 = command(1);
const GETSOCKOPT: u64 = command(2);
const SETSOCKOPT: u64 = command(3);

/// A command in the first half of its field.
const fn command(number: u32) -> u64 {
    let [a, b, c, d] = number.to_ne_bytes();
    u64::from_ne_bytes([a, b, c, d, 0, 0, 0, 0])
}
