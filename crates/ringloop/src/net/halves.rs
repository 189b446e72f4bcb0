//! The two directions of a stream, taken apart.

use std::fmt;
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd};

use ringloop_proactor::{Receiver, Sender};

use super::connection::Connection;
use super::methods::{reads, writes};
use super::{TcpStream, plain};

/// The reading direction of a stream, by its method [`split`](TcpStream::split).
#[derive(Debug)]
pub struct ReadHalf<'a> {
    receiver: &'a mut Receiver,
}

/// The writing direction of a stream, by its method [`split`](TcpStream::split).
#[derive(Debug)]
pub struct WriteHalf<'a> {
    sender: &'a mut Sender,
}

/// The reading direction of a stream, by its method [`into_split`](TcpStream::into_split).
///
/// Dropped, it takes no more from the socket: what the peer sends from then on fills the kernel's
/// buffer. The other half writes on.
pub struct OwnedReadHalf<S = TcpStream> {
    receiver: Receiver,
    stream: PhantomData<fn() -> S>,
}

/// The writing direction of a stream, by its method [`into_split`](TcpStream::into_split).
///
/// Dropped, it sends what it holds and then tells the peer that no more will come. The other half
/// reads on.
pub struct OwnedWriteHalf<S = TcpStream> {
    sender: Sender,
    stream: PhantomData<fn() -> S>,
}

/// Two halves that are not of one stream, given back by [`OwnedReadHalf::reunite`].
#[non_exhaustive]
pub struct ReuniteError<S = TcpStream>(pub OwnedReadHalf<S>, pub OwnedWriteHalf<S>);

pub(super) fn borrowed(connection: &mut Connection) -> (ReadHalf<'_>, WriteHalf<'_>) {
    let (receiver, sender) = connection.parts();
    (ReadHalf { receiver }, WriteHalf { sender })
}

pub(super) fn owned<S>(connection: Connection) -> (OwnedReadHalf<S>, OwnedWriteHalf<S>) {
    let (receiver, mut sender) = connection.into_parts();
    sender.set_shutdown_on_drop(true);
    let read = OwnedReadHalf {
        receiver,
        stream: PhantomData,
    };
    let write = OwnedWriteHalf {
        sender,
        stream: PhantomData,
    };
    (read, write)
}

/// The stream of which these are the halves.
pub(super) fn reunited<S>(
    read: OwnedReadHalf<S>,
    mut write: OwnedWriteHalf<S>,
) -> Result<Connection, ReuniteError<S>> {
    if !read.receiver.fd().is_same(write.sender.fd()) {
        return Err(ReuniteError(read, write));
    }
    write.sender.set_shutdown_on_drop(false);
    Ok(Connection {
        receiver: read.receiver,
        sender: Some(write.sender),
    })
}

reads!(['a] ReadHalf<'a>);
writes!(['a] WriteHalf<'a>);
reads!([S] OwnedReadHalf<S>);
writes!([S] OwnedWriteHalf<S>);

impl ReadHalf<'_> {
    #[inline]
    fn receiver(&mut self) -> &mut Receiver {
        self.receiver
    }
}

impl WriteHalf<'_> {
    #[inline]
    fn sender(&mut self) -> &mut Sender {
        self.sender
    }
}

impl<S> OwnedReadHalf<S> {
    #[inline]
    fn receiver(&mut self) -> &mut Receiver {
        &mut self.receiver
    }
}

impl<S> OwnedWriteHalf<S> {
    #[inline]
    fn sender(&mut self) -> &mut Sender {
        &mut self.sender
    }
}

impl<S> AsFd for OwnedReadHalf<S> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        plain(self.receiver.fd())
    }
}

impl<S> AsFd for OwnedWriteHalf<S> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        plain(self.sender.fd())
    }
}

impl<S> fmt::Debug for OwnedReadHalf<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedReadHalf")
            .field("receiver", &self.receiver)
            .finish()
    }
}

impl<S> fmt::Debug for OwnedWriteHalf<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedWriteHalf")
            .field("sender", &self.sender)
            .finish()
    }
}

impl<S> fmt::Debug for ReuniteError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReuniteError")
            .field(&self.0)
            .field(&self.1)
            .finish()
    }
}

impl<S> fmt::Display for ReuniteError<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("these are not the two halves of one stream")
    }
}

impl<S> std::error::Error for ReuniteError<S> {}
