//! What a connection is made of, whatever its family: a receive queue and a send queue.

use std::io;
use std::os::fd::OwnedFd;

use ringloop_proactor::{Fd, Receiver, Sender};

use super::plain;
use crate::io::see_through;

/// The two directions of one stream socket.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) receiver: Receiver,
    /// Made by the first write: many a stream is only read, or only closed.
    pub(super) sender: Option<Sender>,
}

impl Connection {
    pub(super) fn new(fd: Fd) -> Self {
        Self {
            receiver: Receiver::new(fd),
            sender: None,
        }
    }

    #[inline]
    pub(super) fn sender(&mut self) -> &mut Sender {
        self.parts().1
    }

    /// Both directions.
    #[inline]
    pub(super) fn parts(&mut self) -> (&mut Receiver, &mut Sender) {
        let Self { receiver, sender } = self;
        let sender = match sender {
            Some(sender) => sender,
            none => none.insert(begun(receiver)),
        };
        (receiver, sender)
    }

    pub(super) fn into_parts(self) -> (Receiver, Sender) {
        let Self { receiver, sender } = self;
        let sender = sender.unwrap_or_else(|| begun(&receiver));
        (receiver, sender)
    }

    #[inline]
    pub(super) fn fd(&self) -> &Fd {
        self.receiver.fd()
    }

    /// Ends the receiving, and gives what had come and nobody has read.
    pub(super) async fn stop(&mut self) -> io::Result<Vec<u8>> {
        see_through(|cx| self.receiver.poll_stop(cx)).await;
        self.receiver.take_received()
    }

    /// A descriptor of its own for the socket, when all is sent that was written, and what had come
    /// and nobody has read.
    pub(super) async fn detach(&mut self) -> io::Result<(OwnedFd, Vec<u8>)> {
        let fd = plain(self.fd()).try_clone_to_owned()?;
        let received = self.stop().await?;
        Ok((fd, received))
    }

    /// Closes what has been flushed. Both queues have to go first: they keep the socket open.
    pub(super) async fn close(self) -> io::Result<()> {
        let fd = self.fd().clone();
        drop(self);
        fd.close().await
    }
}

#[cold]
fn begun(receiver: &Receiver) -> Sender {
    Sender::new(receiver.fd().clone())
}
