//! The methods of datagram sockets, written once for both families.

use std::io;
use std::os::fd::OwnedFd;

use ringloop_proactor::DatagramReceiver;

use super::plain;
use crate::io::see_through;

/// A descriptor of its own for the socket, and what had come and nobody has taken.
pub(super) async fn given_back(
    receiver: &DatagramReceiver,
) -> io::Result<(OwnedFd, Vec<ringloop_proactor::Datagram>)> {
    let fd = plain(receiver.fd()).try_clone_to_owned()?;
    see_through(|cx| receiver.poll_stop(cx)).await;
    Ok((fd, receiver.take_received()?))
}

/// Gives `$socket`, which has a `receiver` and a `sender`, what does not ask for an address.
macro_rules! datagram_socket {
    ($socket:ident, $address:ty, $std:ty) => {
        impl $socket {
            /// Receives a datagram and tells who has sent it. What does not fit into `buf` is gone.
            ///
            /// # Errors
            ///
            /// As `recvmsg(2)`: what an ICMP message said of a datagram that was sent, once; a
            /// cancelled scope.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: dropped or cancelled before it completes, it had no effect; a datagram
            /// that arrives later waits for the next receive.
            #[track_caller]
            #[inline]
            #[doc(alias("datagram_received", "sock_recvfrom"))]
            pub fn recv_from<'a>(
                &'a self,
                buf: &'a mut [u8],
            ) -> $crate::net::RecvFrom<'a, $address> {
                $crate::net::RecvFrom::new(&self.receiver, buf, true)
            }

            /// Receives a datagram. What does not fit into `buf` is gone.
            ///
            /// # Errors
            ///
            /// As [`recv_from`](Self::recv_from).
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: dropped or cancelled before it completes, it had no effect.
            #[track_caller]
            #[inline]
            pub fn recv<'a>(&'a self, buf: &'a mut [u8]) -> $crate::net::Recv<'a> {
                $crate::net::Recv::new(&self.receiver, buf, true)
            }

            /// Lends the next datagram without a copy, with what came beside it; or several of one
            /// sender, if the kernel has put them together.
            ///
            /// # Errors
            ///
            /// As [`recv_from`](Self::recv_from).
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: dropped or cancelled before it completes, it had no effect.
            #[track_caller]
            #[doc(alias = "recv_vectored_with_ancillary")]
            pub fn recv_datagram(&self) -> $crate::net::RecvDatagram<'_, $address> {
                $crate::net::RecvDatagram::new(&self.receiver)
            }

            /// Returns the datagrams that the socket receives as a stream.
            pub fn datagrams(&self) -> $crate::net::Datagrams<'_, $address> {
                $crate::net::Datagrams::new(&self.receiver)
            }

            /// Receives a datagram if one has arrived and nobody waits for it.
            ///
            /// # Errors
            ///
            /// `WouldBlock` if there is none, and at the first call, which begins to receive; as
            /// [`recv_from`](Self::recv_from).
            pub fn try_recv_from(&self, buf: &mut [u8]) -> std::io::Result<(usize, $address)> {
                $crate::net::datagram_waits::try_recv_from(&self.receiver, buf)
            }

            /// Copies the next datagram, which stays, and tells who has sent it.
            ///
            /// # Errors
            ///
            /// As [`recv_from`](Self::recv_from).
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: dropped or cancelled before it completes, it had no effect.
            #[track_caller]
            pub fn peek_from<'a>(
                &'a self,
                buf: &'a mut [u8],
            ) -> $crate::net::RecvFrom<'a, $address> {
                $crate::net::RecvFrom::new(&self.receiver, buf, false)
            }

            /// Copies the next datagram, which stays.
            ///
            /// # Errors
            ///
            /// As [`recv_from`](Self::recv_from).
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: dropped or cancelled before it completes, it had no effect.
            #[track_caller]
            pub fn peek<'a>(&'a self, buf: &'a mut [u8]) -> $crate::net::Recv<'a> {
                $crate::net::Recv::new(&self.receiver, buf, false)
            }

            /// Queues a datagram to where the socket is connected to, and waits only while the send
            /// queue is full.
            ///
            /// # Errors
            ///
            /// As `sendto(2)`, of an earlier datagram, once: then this one is not sent;
            /// `NotConnected` before [`connect`](Self::connect), told late; a cancelled scope.
            /// [`flush`](Self::flush) tells errors, too.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: dropped or cancelled before it completes, it had no effect.
            #[track_caller]
            #[inline]
            pub fn send<'a>(&'a self, buf: &'a [u8]) -> $crate::net::SendDatagram<'a> {
                use $crate::net::datagram_waits::Target;
                let target = Target::Connected(ringloop_proactor::Enclosed::default());
                $crate::net::SendDatagram::new(&self.sender, buf, target)
            }

            /// Queues a datagram to where the socket is connected to, if there is room for it and
            /// nobody waits to send.
            ///
            /// # Errors
            ///
            /// `WouldBlock` if the queue is full; as [`send`](Self::send).
            pub fn try_send(&self, buf: &[u8]) -> std::io::Result<usize> {
                $crate::net::datagram_waits::try_send(&self.sender, buf, None)
            }

            /// Waits until the kernel has taken every datagram that was sent, and tells the error
            /// of one.
            ///
            /// # Errors
            ///
            /// As [`send`](Self::send).
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: dropped or cancelled before it completes, it had no effect.
            #[track_caller]
            pub fn flush(&self) -> $crate::net::FlushDatagrams<'_> {
                $crate::net::FlushDatagrams::new(&self.sender)
            }

            /// Gives the socket back to std, and the datagrams that had come and nobody has taken.
            ///
            /// The loop receives ahead: it is told to stop first, so that all that come later stay
            /// in the socket. Before that, everything is sent. std waits in the kernel, not on the
            /// loop.
            ///
            /// # Errors
            ///
            /// As [`flush`](Self::flush) and `dup(2)`, also an error that nobody has been told. The
            /// socket comes back in the error, and works on.
            ///
            /// # Cancel safety
            ///
            /// Cancelled while it flushes, the socket comes back. Dropped before it completes, the
            /// socket is dropped.
            ///
            /// # Examples
            ///
            /// ```
            /// use ringloop::net::UnixDatagram;
            ///
            /// ringloop::run(async {
            ///     let (near, far) = UnixDatagram::pair()?;
            ///     for text in ["taken", "not taken"] {
            ///         far.send(text.as_bytes()).await?;
            ///     }
            ///     far.flush().await?;
            ///     near.recv(&mut [0; 8]).await?;
            ///     let (near, received) = near.into_std().await?;
            ///     assert_eq!(received[0][..], *b"not taken");
            ///     far.send(b"later").await?;
            ///     far.flush().await?;
            ///     assert_eq!(near.recv(&mut [0; 8])?, 5);
            ///     Ok::<(), std::io::Error>(())
            /// })??;
            /// # Ok::<(), std::io::Error>(())
            /// ```
            pub async fn into_std(
                self,
            ) -> Result<
                ($std, Vec<$crate::net::Datagram<$address>>),
                ringloop_proactor::OpError<Self>,
            > {
                use $crate::net::datagram_methods::given_back;
                if let Err(error) = self.flush().await {
                    return Err(ringloop_proactor::OpError::new(error, self));
                }
                match given_back(&self.receiver).await {
                    Ok((fd, received)) => {
                        let received = received.into_iter().map($crate::net::Datagram::new);
                        Ok((fd.into(), received.collect()))
                    }
                    Err(error) => Err(ringloop_proactor::OpError::new(error, self)),
                }
            }

            /// Returns what has been received and what waits, and how much the kernel had to drop.
            #[must_use]
            pub fn stats(&self) -> ringloop_proactor::DatagramReceiverStats {
                self.receiver.stats()
            }
        }

        impl std::os::fd::AsFd for $socket {
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                $crate::net::plain(self.receiver.fd())
            }
        }

        impl std::os::fd::AsRawFd for $socket {
            fn as_raw_fd(&self) -> std::os::fd::RawFd {
                std::os::fd::AsRawFd::as_raw_fd(&std::os::fd::AsFd::as_fd(self))
            }
        }

        impl std::fmt::Debug for $socket {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($socket))
                    .field("receiver", &self.receiver)
                    .field("sender", &self.sender)
                    .finish()
            }
        }
    };
}

pub(super) use datagram_socket;
