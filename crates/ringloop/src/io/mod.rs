//! Reading and writing with borrowed slices. Counterpart: `std::io`, asyncio's streams.
//!
//! [`AsyncRead`], [`AsyncWrite`] and [`AsyncBufRead`] have few `poll_` methods for whoever makes a
//! stream, and the methods to await for whoever uses it. The former know nothing of cancellation;
//! the latter follow its rules: a wait that is begun in a cancelled scope does nothing, and a value
//! that is there wins.
//!
//! What did a part of its work before it failed or was cancelled tells how much in its error, which
//! is a [`Partial`] then.

mod async_buf_read;
mod async_read;
mod async_write;

mod partial;
mod separators;
mod wait;

mod fill_buf;
mod flush;
mod lines;
mod read;
mod read_exact;
mod read_line;
mod read_to_end;
mod read_until;
mod write;
mod write_all;
mod write_vectored;

mod buf_stream;
mod chain;
mod copy;
mod duplex;
mod forward;
mod memory;
mod nothing;
mod split;
mod take;

pub use async_buf_read::AsyncBufRead;
pub use async_read::AsyncRead;
pub use async_write::AsyncWrite;
pub use buf_stream::{BufStream, ReadError};
pub use chain::Chain;
pub use copy::{Copy, CopyBidirectional, CopyBuf, copy, copy_bidirectional, copy_buf};
pub use duplex::{DuplexStream, duplex};
pub use fill_buf::FillBuf;
pub use flush::{Flush, Shutdown};
pub use lines::Lines;
pub use nothing::{Empty, Repeat, Sink, empty, repeat, sink};
pub use partial::Partial;
pub use read::Read;
pub use read_exact::ReadExact;
pub use read_line::ReadLine;
pub use read_to_end::{ReadToEnd, ReadToString};
pub use read_until::ReadUntil;
pub use separators::Separators;
pub use split::{ReadHalf, WriteHalf, split};
pub use take::Take;
pub(crate) use wait::{Wait, see_through};
pub use write::Write;
pub use write_all::WriteAll;
pub use write_vectored::{WriteAllVectored, WriteVectored};
