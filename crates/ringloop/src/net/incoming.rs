//! The connections of a listener, one after another.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::unix::net::SocketAddr as UnixAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::accepted::Connecting;
use super::{TcpListener, TcpStream, UnixListener, UnixStream};
use crate::stream::Stream;

/// The connections of a listener, by its method [`incoming`](TcpListener::incoming).
///
/// A [`Stream`] that never ends. Its own [`next`](Self::next) is `accept`, without the address.
/// Who calls [`poll_next`](Stream::poll_next) stands in line with the tasks that wait for a
/// connection until it is polled again or dropped; it may be granted one meanwhile.
pub struct Incoming<'a, L> {
    listener: &'a L,
    connecting: Option<Connecting<'a>>,
}

impl<'a, L> Incoming<'a, L> {
    pub(super) fn new(listener: &'a L) -> Self {
        Self {
            listener,
            connecting: None,
        }
    }
}

macro_rules! incoming {
    ($listener:ident, $stream:ident, $address:ty) => {
        impl Incoming<'_, $listener> {
            /// Waits for the next connection. It is never `None`.
            ///
            /// # Errors
            ///
            /// As the listener's `accept`.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe, as the listener's `accept`.
            #[track_caller]
            #[expect(
                clippy::should_implement_trait,
                reason = "it is that of `Stream`, but cancel safe in line with others"
            )]
            pub fn next(&mut self) -> impl Future<Output = Option<io::Result<$stream>>> {
                self.connecting = None;
                let accept = self.listener.accept();
                async { Some(accept.await.map(|(stream, _): ($stream, $address)| stream)) }
            }
        }

        impl Stream for Incoming<'_, $listener> {
            type Item = io::Result<$stream>;

            fn poll_next(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
            ) -> Poll<Option<Self::Item>> {
                let this = &mut *self;
                let acceptor = this.listener.acceptor();
                let connecting = this
                    .connecting
                    .get_or_insert_with(|| Connecting::new(acceptor));
                let result = ready!(connecting.poll_unchecked(cx));
                this.connecting = None;
                Poll::Ready(Some(result.map($stream::from_fd)))
            }
        }
    };
}

incoming!(TcpListener, TcpStream, SocketAddr);
incoming!(UnixListener, UnixStream, UnixAddr);

impl<L: fmt::Debug> fmt::Debug for Incoming<'_, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("listener", &self.listener)
            .finish_non_exhaustive()
    }
}
