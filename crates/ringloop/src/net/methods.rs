//! The methods that read and write, written once for the streams and their halves.
//!
//! Each delegates to the trait of the same name, so that a program needs no trait in scope. A type
//! that takes them has private methods `receiver` and `sender`, which lend its queues.

/// Gives `$stream` what reads.
macro_rules! reads {
    ([$($generics:tt)*] $stream:ty) => {
        impl<$($generics)*> $stream {
            /// Reads up to `buf.len()` bytes and returns how many, zero at the end of the stream.
            ///
            /// # Errors
            ///
            /// As `recv(2)`, after everything that was received before the error; a cancelled
            /// scope is an error that [`is_cancelled`](crate::cancel::is_cancelled) tells.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: dropped or cancelled before it completes, it had no effect; bytes that
            /// arrive later wait for the next read.
            #[track_caller]
            #[inline]
            pub fn read<'b>(&'b mut self, buf: &'b mut [u8]) -> $crate::io::Read<'b, Self> {
                $crate::io::AsyncRead::read(self, buf)
            }

            /// Reads exactly `buf.len()` bytes.
            ///
            /// # Errors
            ///
            /// `UnexpectedEof` if the stream ends before; else as [`read`](Self::read).
            ///
            /// # Cancel safety
            ///
            /// Not cancel safe: bytes that were read before are in `buf`; the error, a
            /// [`Partial`](crate::io::Partial), tells how many.
            #[track_caller]
            #[doc(alias = "readexactly")]
            pub fn read_exact<'b>(
                &'b mut self,
                buf: &'b mut [u8],
            ) -> $crate::io::ReadExact<'b, Self> {
                $crate::io::AsyncRead::read_exact(self, buf)
            }

            /// Appends everything up to the end of the stream to `bytes`, and returns how much
            /// that was.
            ///
            /// # Errors
            ///
            /// As [`read`](Self::read).
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: bytes that were read before are in `bytes`.
            #[track_caller]
            pub fn read_to_end<'b>(
                &'b mut self,
                bytes: &'b mut Vec<u8>,
            ) -> $crate::io::ReadToEnd<'b, Self> {
                $crate::io::AsyncRead::read_to_end(self, bytes)
            }

            /// Lends the next received bytes without a copy, an empty chunk at the end of the
            /// stream.
            ///
            /// # Errors
            ///
            /// As [`read`](Self::read).
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: dropped or cancelled before it completes, it had no effect.
            #[track_caller]
            #[inline]
            pub fn read_chunk(&mut self) -> $crate::net::ReadChunk<'_> {
                $crate::net::ReadChunk {
                    receiver: self.receiver(),
                    wait: $crate::io::Wait::new(),
                }
            }
        }

        impl<$($generics)*> $crate::io::AsyncRead for $stream {
            #[inline(always)]
            fn poll_read(
                &mut self,
                cx: &mut std::task::Context<'_>,
                buf: &mut [u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                self.receiver().poll_read(cx, buf)
            }
        }

        impl<$($generics)*> $crate::io::AsyncBufRead for $stream {
            #[inline]
            fn poll_fill_buf(
                &mut self,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<&[u8]>> {
                self.receiver().poll_fill_buf(cx)
            }

            #[inline]
            fn consume(&mut self, count: usize) {
                self.receiver().consume(count);
            }
        }
    };
}

/// Gives `$stream` what writes.
macro_rules! writes {
    ([$($generics:tt)*] $stream:ty) => {
        impl<$($generics)*> $stream {
            /// Queues some of `bytes` and returns how many.
            ///
            /// # Errors
            ///
            /// As [`write_all`](Self::write_all).
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: dropped or cancelled before it completes, it had no effect.
            #[track_caller]
            #[inline]
            pub fn write<'b>(&'b mut self, bytes: &'b [u8]) -> $crate::io::Write<'b, Self> {
                $crate::io::AsyncWrite::write(self, bytes)
            }

            /// Queues all of `bytes`, and waits only while the send queue is above its high-water
            /// mark.
            ///
            /// # Errors
            ///
            /// As `send(2)`, of this or an earlier write; `BrokenPipe` or `ConnectionReset` if the
            /// peer is gone, and never a signal.
            ///
            /// # Cancel safety
            ///
            /// Not cancel safe: a prefix may have been queued; the error, a
            /// [`Partial`](crate::io::Partial), tells how much.
            #[track_caller]
            #[inline]
            #[doc(alias = "sendall")]
            pub fn write_all<'b>(&'b mut self, bytes: &'b [u8]) -> $crate::io::WriteAll<'b, Self> {
                $crate::io::AsyncWrite::write_all(self, bytes)
            }

            /// Queues some of the bytes of several slices, one after the other, and returns how many.
            ///
            /// # Errors
            ///
            /// As [`write_all`](Self::write_all).
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: dropped or cancelled before it completes, it had no effect.
            #[track_caller]
            #[doc(alias("writev", "writelines"))]
            pub fn write_vectored<'b>(
                &'b mut self,
                slices: &'b [std::io::IoSlice<'b>],
            ) -> $crate::io::WriteVectored<'b, Self> {
                $crate::io::AsyncWrite::write_vectored(self, slices)
            }

            /// Queues an owned buffer, all of it and without a copy, and waits only while the send
            /// queue is above its high-water mark.
            ///
            /// The buffer is dropped when it has been sent.
            ///
            /// # Errors
            ///
            /// As [`write_all`](Self::write_all); the buffer comes back in the error.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: cancelled before it completes, the buffer comes back; dropped, it is
            /// dropped, and nothing of it is sent.
            #[track_caller]
            pub fn write_owned<B: ringloop_proactor::IoBuf>(
                &mut self,
                buffer: B,
            ) -> $crate::net::WriteOwned<'_, B> {
                $crate::net::WriteOwned {
                    sender: self.sender(),
                    buffer: Some(buffer),
                    wait: $crate::io::Wait::new(),
                }
            }

            /// Sends a range of a file inside the kernel, and returns how many bytes that were:
            /// fewer than the range has if the file ends before.
            ///
            /// It sends what was written before, then one piece of the file after the other, and
            /// waits for the peer. The file's position is not used and not moved, so a part that
            /// was sent is told by the result alone: a retry begins at the range's start and what
            /// the error's [`Partial`](crate::io::Partial) says. What is written into the file
            /// meanwhile is sent or not; a file that becomes shorter ends there. While the socket
            /// has no room, a thread of the kernel waits for it. Where the kernel cannot splice from
            /// the file, it is read and sent from memory.
            ///
            /// Counterpart: `sendfile(2)`, `loop.sendfile`.
            ///
            /// # Errors
            ///
            /// As [`write_all`](Self::write_all), and what reading the file says. A
            /// [`Partial`](crate::io::Partial) in it tells how much of the file the socket has
            /// taken.
            ///
            /// # Cancel safety
            ///
            /// Not cancel safe: a part of the range has been queued, and is sent. Cancelled, the
            /// error's [`Partial`](crate::io::Partial) tells how much; dropped, nobody does.
            #[doc(alias("sendfile", "splice"))]
            pub async fn send_file(
                &mut self,
                file: &impl std::os::fd::AsFd,
                range: impl std::ops::RangeBounds<u64>,
            ) -> std::io::Result<u64> {
                $crate::net::send_file::send_file(self.sender(), file.as_fd(), range).await
            }

            /// Sets from which length on owned buffers are sent without a copy in the kernel,
            /// `None` for never, which is the default. See
            /// [`Sender::set_zero_copy_from`](ringloop_proactor::Sender::set_zero_copy_from).
            #[doc(alias("SO_ZEROCOPY", "MSG_ZEROCOPY"))]
            pub fn set_zero_copy_from(&mut self, len: Option<usize>) {
                self.sender().set_zero_copy_from(len);
            }

            /// Waits until the kernel has taken everything that was written.
            ///
            /// # Errors
            ///
            /// As [`write_all`](Self::write_all).
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: dropped or cancelled before it completes, it had no effect.
            #[track_caller]
            #[doc(alias = "drain")]
            pub fn flush(&mut self) -> $crate::io::Flush<'_, Self> {
                $crate::io::AsyncWrite::flush(self)
            }

            /// Flushes, then tells the peer that no more will come; reading goes on.
            ///
            /// Counterpart: `shutdown(2)` with `SHUT_WR`, `StreamWriter.write_eof`.
            ///
            /// # Errors
            ///
            /// As [`write_all`](Self::write_all) and `shutdown(2)`.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: dropped or cancelled before it completes, the stream is open still.
            #[track_caller]
            #[doc(alias = "write_eof")]
            pub fn shutdown(&mut self) -> $crate::io::Shutdown<'_, Self> {
                $crate::io::AsyncWrite::shutdown(self)
            }
        }

        impl<$($generics)*> $crate::io::AsyncWrite for $stream {
            #[inline(always)]
            fn poll_write(
                &mut self,
                cx: &mut std::task::Context<'_>,
                bytes: &[u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                self.sender().poll_write(cx, bytes)
            }

            fn poll_write_vectored(
                &mut self,
                cx: &mut std::task::Context<'_>,
                slices: &[std::io::IoSlice<'_>],
            ) -> std::task::Poll<std::io::Result<usize>> {
                self.sender().poll_write_vectored(cx, slices)
            }

            fn poll_flush(
                &mut self,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                self.sender().poll_flush(cx)
            }

            fn poll_shutdown(
                &mut self,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                self.sender().poll_shutdown(cx)
            }
        }
    };
}

/// Gives `$socket` the methods that tell its addresses.
macro_rules! addresses {
    ($socket:ty, $address:ty, $read_address:path) => {
        impl $socket {
            /// Returns this end's address.
            ///
            /// # Errors
            ///
            /// As `getsockname(2)`.
            #[doc(alias = "getsockname")]
            pub fn local_addr(&self) -> std::io::Result<$address> {
                $read_address(socket2::SockRef::from(self).local_addr()?)
            }

            /// Returns the other end's address.
            ///
            /// # Errors
            ///
            /// As `getpeername(2)`.
            #[doc(alias = "getpeername")]
            pub fn peer_addr(&self) -> std::io::Result<$address> {
                $read_address(socket2::SockRef::from(self).peer_addr()?)
            }
        }
    };
}

/// Gives `$stream`, which has a field `connection`, what reads and writes and what concerns both
/// directions.
macro_rules! stream {
    ($stream:ident, $address:ty, $read_address:path) => {
        $crate::net::methods::reads!([] $stream);
        $crate::net::methods::writes!([] $stream);

        impl $stream {
            /// Flushes and closes, and says what came of it. A plain drop does the same,
            /// unobserved.
            ///
            /// # Errors
            ///
            /// As [`write_all`](Self::write_all) and `close(2)`.
            ///
            /// # Cancel safety
            ///
            /// Cancel safe: dropped or cancelled before it completes, the stream is closed all the
            /// same once it has sent what it holds.
            pub async fn close(mut self) -> std::io::Result<()> {
                self.flush().await?;
                self.connection.close().await
            }

            /// Borrows the two directions separately.
            pub fn split(&mut self) -> ($crate::net::ReadHalf<'_>, $crate::net::WriteHalf<'_>) {
                $crate::net::halves::borrowed(&mut self.connection)
            }

            /// Takes the two directions apart, so that two tasks may have one each.
            ///
            /// The socket is closed when both are gone. Their method `reunite`
            /// makes a stream of them again.
            #[must_use = "dropping both halves closes the stream"]
            pub fn into_split(
                self,
            ) -> (
                $crate::net::OwnedReadHalf<Self>,
                $crate::net::OwnedWriteHalf<Self>,
            ) {
                $crate::net::halves::owned(self.connection)
            }

            fn receiver(&mut self) -> &mut ringloop_proactor::Receiver {
                &mut self.connection.receiver
            }

            fn sender(&mut self) -> &mut ringloop_proactor::Sender {
                self.connection.sender()
            }
        }

        impl $crate::net::OwnedReadHalf<$stream> {
            /// Puts the halves of one stream together again.
            ///
            /// # Errors
            ///
            /// Gives both back if they are halves of two streams.
            pub fn reunite(
                self,
                write: $crate::net::OwnedWriteHalf<$stream>,
            ) -> Result<$stream, $crate::net::ReuniteError<$stream>> {
                let connection = $crate::net::halves::reunited(self, write)?;
                Ok($stream { connection })
            }
        }

        impl $crate::net::OwnedWriteHalf<$stream> {
            /// Puts the halves of one stream together again.
            ///
            /// # Errors
            ///
            /// Gives both back if they are halves of two streams.
            pub fn reunite(
                self,
                read: $crate::net::OwnedReadHalf<$stream>,
            ) -> Result<$stream, $crate::net::ReuniteError<$stream>> {
                read.reunite(self)
            }
        }

        $crate::net::methods::addresses!($stream, $address, $read_address);
        $crate::net::methods::addresses!(
            $crate::net::OwnedReadHalf<$stream>, $address, $read_address
        );
        $crate::net::methods::addresses!(
            $crate::net::OwnedWriteHalf<$stream>, $address, $read_address
        );

        impl std::os::fd::AsFd for $stream {
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                $crate::net::plain(self.connection.fd())
            }
        }

        impl std::os::fd::AsRawFd for $stream {
            fn as_raw_fd(&self) -> std::os::fd::RawFd {
                std::os::fd::AsRawFd::as_raw_fd(&std::os::fd::AsFd::as_fd(self))
            }
        }

        impl std::fmt::Debug for $stream {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($stream))
                    .field("receiver", &self.connection.receiver)
                    .field("sender", &self.connection.sender)
                    .finish()
            }
        }
    };
}

pub(super) use {addresses, reads, stream, writes};
