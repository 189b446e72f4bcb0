//! What listeners have in common, whatever their family.

/// Gives `$listener`, which has a field `acceptor`, what does not depend on the family. `$future`,
/// which has a field `accepting`, becomes what accepts a `$stream`; `$peer` tells its peer's address,
/// and `$address` makes one of the kernel's.
macro_rules! listener {
    ($listener:ident, $future:ident, $stream:ident, $addr:ty, $address:path, $peer:path) => {
        impl $listener {
            pub(super) fn acceptor(&self) -> &ringloop_proactor::Acceptor {
                &self.acceptor
            }

            /// Sets whether connections are accepted that nobody waits for yet.
            pub(super) fn take_ahead(&self, takes: bool) {
                self.acceptor.take_ahead(takes);
            }

            /// Returns the address that the socket is bound to.
            ///
            /// # Errors
            ///
            /// As `getsockname(2)`.
            pub fn local_addr(&self) -> std::io::Result<$addr> {
                $address(socket2::SockRef::from(self).local_addr()?)
            }
        }

        impl std::os::fd::AsFd for $listener {
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                $crate::net::plain(self.acceptor.fd())
            }
        }

        impl std::os::fd::AsRawFd for $listener {
            fn as_raw_fd(&self) -> std::os::fd::RawFd {
                std::os::fd::AsFd::as_fd(self).as_raw_fd()
            }
        }

        impl std::future::Future for $future<'_> {
            type Output = std::io::Result<($stream, $addr)>;

            fn poll(
                mut self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<Self::Output> {
                let fd = std::task::ready!(self.accepting.poll(cx))?;
                // The connection is handed out, whatever is known of its peer.
                let stream = $stream::from_fd(fd);
                let peer = $peer(&stream);
                std::task::Poll::Ready(Ok((stream, peer)))
            }
        }
    };
}

pub(super) use listener;
