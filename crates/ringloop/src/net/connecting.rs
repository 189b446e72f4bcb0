//! Making a socket and connecting it, whatever its family.

use std::io;

use ringloop_proactor::{Fd, SocketAddress};
use ringloop_task::cancel::check_cancelled;
use socket2::{Domain, Socket, Type};

use crate::cancellable::Cancellable;
use crate::context;

/// Connects a new stream socket to `address`, after `prepare` has seen it.
///
/// Making a socket never waits: a system call does it with less work than an operation of the ring,
/// and the connect goes out a turn earlier.
pub(super) async fn connected(
    domain: Domain,
    address: SocketAddress,
    prepare: impl FnOnce(&Socket) -> io::Result<()>,
) -> io::Result<Fd> {
    let context = context::current();
    check_cancelled()?;
    let socket = Socket::new(domain, Type::STREAM, None)?;
    prepare(&socket)?;
    let fd = context.proactor.adopt(socket);
    Cancellable::new(context.proactor.connect(&fd, address)).await?;
    Ok(fd)
}
