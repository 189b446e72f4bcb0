//! References and boxes of streams are streams.

use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use super::async_buf_read::AsyncBufRead;
use super::async_read::AsyncRead;
use super::async_write::AsyncWrite;

macro_rules! forward {
    ($($pointer:ty),+) => {$(
        impl<T: AsyncRead + ?Sized> AsyncRead for $pointer {
            #[inline]
            fn poll_read(
                &mut self,
                cx: &mut Context<'_>,
                buf: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                (**self).poll_read(cx, buf)
            }
        }

        impl<T: AsyncBufRead + ?Sized> AsyncBufRead for $pointer {
            #[inline]
            fn poll_fill_buf(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
                (**self).poll_fill_buf(cx)
            }

            #[inline]
            fn consume(&mut self, count: usize) {
                (**self).consume(count);
            }
        }

        impl<T: AsyncWrite + ?Sized> AsyncWrite for $pointer {
            #[inline]
            fn poll_write(
                &mut self,
                cx: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                (**self).poll_write(cx, bytes)
            }

            #[inline]
            fn poll_write_vectored(
                &mut self,
                cx: &mut Context<'_>,
                slices: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                (**self).poll_write_vectored(cx, slices)
            }

            #[inline]
            fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                (**self).poll_flush(cx)
            }

            #[inline]
            fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                (**self).poll_shutdown(cx)
            }
        }
    )+};
}

forward!(&mut T, Box<T>);
