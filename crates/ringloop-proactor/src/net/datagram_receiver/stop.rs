//! Receiving no more, without losing what has come.

use std::io;
use std::task::{Context, Poll};

use super::DatagramReceiver;
use crate::net::datagram::Datagram;

impl DatagramReceiver {
    /// Waits until the kernel takes in no more: datagrams that come later stay in the socket. It is
    /// for when nobody waits to receive; whoever does so next begins again, which gives up a stop
    /// that is under way.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, DatagramReceiver, Proactor};
    /// use std::future::poll_fn;
    /// use std::net::UdpSocket;
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let plain = UdpSocket::bind("127.0.0.1:0")?;
    /// let receiver = DatagramReceiver::ip(proactor.handle().adopt(plain.try_clone()?));
    /// for text in [b"1", b"2"] {
    ///     plain.send_to(text, plain.local_addr()?)?;
    /// }
    /// proactor.block_on(receiver.recv(&mut [0; 8]))??;
    /// proactor.block_on(poll_fn(|cx| receiver.poll_stop(cx)))?;
    /// assert_eq!(receiver.take_received()?[0][..], *b"2");
    /// plain.send_to(b"3", plain.local_addr()?)?;
    /// assert_eq!(plain.recv(&mut [0; 8])?, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn poll_stop(&self, cx: &mut Context<'_>) -> Poll<()> {
        // Foreign code, which may take a turn.
        let waker = cx.waker().clone();
        let state = &*self.state;
        let mut inbox = state.inbox.borrow_mut();
        inbox.halted = true;
        let former = inbox.stopper.replace(waker);
        let is_armed = inbox.armed;
        drop(inbox);
        drop(former);
        let is_unstaged = is_armed && state.fd.handle().shared().stop(&self.key);
        let mut inbox = state.inbox.borrow_mut();
        if is_unstaged {
            inbox.ended();
        }
        if inbox.armed {
            return Poll::Pending;
        }
        let waker = inbox.stopper.take();
        drop(inbox);
        drop(waker);
        Poll::Ready(())
    }

    /// Takes the datagrams that have come and that nobody has taken, in their order.
    ///
    /// # Errors
    ///
    /// An error that is among them, instead of them: they stay, and the error does not.
    pub fn take_received(&self) -> io::Result<Vec<Datagram>> {
        let state = &self.state;
        if let Some(errno) = state.inbox.borrow_mut().take_error() {
            return Err(io::Error::from_raw_os_error(errno));
        }
        let mut datagrams = Vec::new();
        while state.inbox.borrow().has_datagram() {
            datagrams.push(self.take());
        }
        Ok(datagrams)
    }
}
