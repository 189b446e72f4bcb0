//! Receiving no more, without losing what has come.

use std::io;
use std::task::{Context, Poll};

use super::Receiver;
use super::inbox::{End, HALTED, RESTS};

impl Receiver {
    /// Stops receiving for good, and wakes the task when nothing is under way any more. What came
    /// until then can be read; what comes later stays in the socket.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor, Receiver};
    /// use std::future::poll_fn;
    /// use std::io::{Read, Write};
    /// use std::os::unix::net::UnixStream;
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let (near, mut far) = UnixStream::pair()?;
    /// let mut plain = near.try_clone()?;
    /// let mut receiver = Receiver::new(proactor.handle().adopt(near));
    /// far.write_all(b"1, 2, ")?;
    /// assert_eq!(proactor.block_on(receiver.read(&mut [0; 3]))??, 3);
    /// proactor.block_on(poll_fn(|cx| receiver.poll_stop(cx)))?;
    /// far.write_all(b"3")?;
    /// assert_eq!(receiver.take_received()?, b"2, ");
    /// let mut rest = [0; 1];
    /// plain.read_exact(&mut rest)?;
    /// assert_eq!(&rest, b"3");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn poll_stop(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let inbox = &*self.inbox;
        if !inbox.status.has(HALTED) {
            inbox.status.set(HALTED);
            let shared = inbox.fd.handle().shared();
            if !inbox.status.has(RESTS) && shared.stop(self.key()) {
                inbox.status.set(RESTS);
            }
        }
        // Foreign code, which may take a turn.
        let waker = cx.waker().clone();
        inbox.waits.set(true);
        self.retire(inbox.reader.replace(waker));
        if inbox.status.has(RESTS) {
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Takes all that has come and has not been read.
    ///
    /// # Errors
    ///
    /// As `recv(2)`, if nothing but an error has come.
    pub fn take_received(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.take_current().or_else(|| self.inbox.pop()) {
            bytes.extend_from_slice(self.inbox.bytes(&piece));
            self.inbox.give_back(piece);
        }
        match self.inbox.end() {
            Some(End::Failed(errno)) if bytes.is_empty() => {
                Err(io::Error::from_raw_os_error(errno.into()))
            }
            Some(End::Failed(_) | End::Closed) | None => Ok(bytes),
        }
    }
}
