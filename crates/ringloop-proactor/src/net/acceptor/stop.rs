//! Giving a listening socket back, with the connections that nobody has taken.

use std::os::fd::OwnedFd;
use std::task::{Context, Poll};

use super::Acceptor;

impl Acceptor {
    /// Waits until the kernel accepts no more: connections that come later stay in the socket's own
    /// backlog. It is for when nobody waits to [`accept`](Self::accept); whoever does so next begins
    /// again, which gives up a stop that is under way.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Acceptor, Config, Proactor};
    /// use std::future::poll_fn;
    /// use std::net::{TcpListener, TcpStream};
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let plain = TcpListener::bind("127.0.0.1:0")?;
    /// let acceptor = Acceptor::new(proactor.handle().adopt(plain.try_clone()?));
    /// let _first = TcpStream::connect(plain.local_addr()?)?;
    /// let _second = TcpStream::connect(plain.local_addr()?)?;
    /// drop(proactor.block_on(acceptor.accept())??);
    /// proactor.block_on(poll_fn(|cx| acceptor.poll_stop(cx)))?;
    /// assert_eq!(acceptor.take_accepted().len(), 1);
    /// let _third = TcpStream::connect(plain.local_addr()?)?;
    /// plain.accept()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn poll_stop(&self, cx: &mut Context<'_>) -> Poll<()> {
        // Foreign code, which may take a turn.
        let waker = cx.waker().clone();
        let former = self.state.backlog.borrow_mut().stopper.replace(waker);
        drop(former);
        self.stop();
        let mut backlog = self.state.backlog.borrow_mut();
        if backlog.armed {
            return Poll::Pending;
        }
        let waker = backlog.stopper.take();
        drop(backlog);
        drop(waker);
        Poll::Ready(())
    }

    /// Takes the connections that have been accepted and that nobody has taken, in their order.
    #[must_use = "they are closed if they are dropped"]
    pub fn take_accepted(&self) -> Vec<OwnedFd> {
        let mut backlog = self.state.backlog.borrow_mut();
        std::mem::take(&mut backlog.connections).into()
    }
}
