//! io_uring operations as futures, on any executor that calls `park`.
//!
//! A *reactor* tells when a socket is ready, and the program then makes the call. A *proactor*
//! takes the whole request, the kernel performs it, and what comes back is the result. With
//! io_uring a request is an entry in a queue that the kernel reads, and its result a completion in
//! another one. This crate owns both queues and everything that the kernel may touch in between.
//!
//! It knows [`Waker`](std::task::Waker) and nothing above it: no task, no timer, no thread of its
//! own. A [`Proactor`] belongs to the thread that makes it; resources keep a [`Handle`] to it.
//!
//! # From `read(2)` to here
//!
//! `read(fd, buffer, len)` does four things in one: it tells the kernel what to do, has it done,
//! waits, and hands out the result. Here they are apart, so that many can be under way at a time and
//! wait together.
//!
//! | with system calls | here |
//! |---|---|
//! | a descriptor, a number | an [`Fd`]: [`Handle::adopt`] takes one into care, its last owner closes it |
//! | `read(fd, buffer, len)` | [`handle.read(&fd, buffer, offset)`](Handle::read) makes a future; the buffer moves in and comes back |
//! | the thread sleeps in the call | it sleeps in [`park`](Driver::park), for all operations at once |
//! | -1 and `errno` | `Err`, with the buffer: [`OpError`] |
//! | a signal interrupts: `EINTR` | the operation is begun again |
//! | the offset of `pread(2)`, or the file's position | an offset, or `u64::MAX` for the position |
//!
//! Nothing about this needs an executor. A future is polled once to submit it and once more to take
//! the result out, and between the two the thread parks:
//!
//! ```
//! use ringloop_proactor::{Config, Driver, Proactor};
//! use std::future::Future;
//! use std::pin::pin;
//! use std::task::{Context, Poll, Waker};
//!
//! let mut proactor = Proactor::new(&Config::default())?;
//! let handle = proactor.handle();
//! let file = handle.adopt(std::fs::File::open("/proc/self/comm")?);
//! let mut read = pin!(handle.read(&file, Vec::with_capacity(100), 0));
//! let mut cx = Context::from_waker(Waker::noop());
//! let result = loop {
//!     match read.as_mut().poll(&mut cx) {
//!         Poll::Ready(result) => break result,
//!         Poll::Pending => proactor.park(None)?,
//!     }
//! };
//! let (count, buffer) = result?;
//! assert!(count > 0 && count == buffer.len());
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! With `.await` the same is one line, and [`Proactor::block_on`] is the loop. Two reads at a time are
//! two futures that are polled before the park: [`join`](ringloop_core::future::join()) does that.
//!
//! # The life of an operation
//!
//! ```text
//!        first poll         park            last completion        poll
//!  made ───────────▶ staged ────▶ in flight ────────────────▶ completed ──▶ output
//!                      │              │
//!         drop, cancel │              ├─ cancel: the kernel is asked; the last completion decides
//!                      ▼              │
//!               never submitted       └─ drop: the kernel is asked; at the last completion the
//!                                        result is disposed of
//! ```
//!
//! - [`Handle`] makes an [`Op`], which does nothing until it is polled. The first poll moves the
//!   operation, with its buffer, into a table at an address that does not change, and stages an
//!   entry. No system call is made.
//! - [`Driver::park`] submits everything that was staged, waits, takes
//!   all completions into the table, and only then wakes: one `io_uring_enter(2)` for the batch.
//! - The next poll takes the result out.
//!
//! The future holds no memory that the kernel knows, only the name of a slot. Dropping or even
//! forgetting it is always sound and never blocks. The name has a generation, so a completion that
//! comes late hits nothing.
//!
//! # Owned buffers and `?`
//!
//! The kernel may write into a buffer long after a future is gone, so an operation owns its buffer
//! and gives it back with the result, `Ok((count, buffer))`, or with the error: an [`OpError`] has
//! it too. Where the buffer is of no further use, `?` turns the error into an [`std::io::Error`].
//! Anything that implements [`IoBuf`] or [`IoBufMut`] serves: both are safe to implement, because
//! the table pins the buffer before it asks for the address. The room of a `Vec` is its capacity,
//! and a read sets its length.
//! [`IoBuf::slice`] makes a window, so that a part of a buffer is written or filled, and
//! `vec.slice(vec.len()..)` appends. Sets of buffers ([`IoBufs`], [`IoBufsMut`]) go into one operation.
//!
//! ```
//! use ringloop_proactor::{Config, Fd, Handle, Proactor};
//! use std::io;
//!
//! async fn first_line(handle: &Handle, file: &Fd) -> io::Result<String> {
//!     let (count, bytes) = handle.read(file, vec![0; 256], 0).await?;
//!     assert_eq!(count, bytes.len());
//!     let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
//!     Ok(String::from_utf8_lossy(line).into_owned())
//! }
//!
//! let mut proactor = Proactor::new(&Config::default())?;
//! let handle = proactor.handle();
//! let file = handle.adopt(std::fs::File::open("/proc/self/comm")?);
//! let name = proactor.block_on(first_line(&handle, &file))??;
//! assert!(!name.is_empty());
//! # Ok::<(), io::Error>(())
//! ```
//!
//! A descriptor is in the proactor's care as an [`Fd`]: counted, kept open by every operation that
//! uses it until its last completion, and closed through the ring. [`Handle::submit`] runs
//! operations that are not in the [catalog](ops).
//!
//! # More than one operation
//!
//! - **Links.** [`a.then(b)`](Link::then) is a chain: the kernel begins `b` when `a` has succeeded
//!   (or failed, for [some of them](Link::then)), and this program hears of both at once. [`op.with_timeout(d)`](Op::with_timeout) ends an
//!   operation that takes too long. A chain that is malformed cannot be made.
//! - **Operations that answer many times** are [`OpStream`]s: all connections of a listener
//!   ([`Handle::accept_multishot`]), each time a descriptor is ready
//!   ([`Handle::poll_multishot`]). The kernel is asked once, [`OpStream::next`] takes what has
//!   arrived, and dropping a wait loses nothing.
//! - **Direct descriptors** are slots of a table of the ring, which the kernel looks up faster than
//!   numbers of the process. [`Handle::register`] makes one of a plain one, others come from
//!   [`Handle::accept_direct`] and its like. They are [`Fd`]s, and every operation takes them.
//! - **Messages** go from one proactor to another, on other threads: numbers
//!   ([`Handle::send_message`]) and direct descriptors ([`Handle::send_descriptor`]), from one ring
//!   into the other's [`Inbox`].
//!
//! An operation that is newer than Linux 6.1 is asked for when it is made: on a kernel that lacks it,
//! the error is [`Unsupported`](std::io::ErrorKind::Unsupported) and names the kernel that has it.
//!
//! # Streams
//!
//! Single operations are not enough for a connection: a receive that is dropped may have taken
//! bytes along. Three resources keep what arrives, and what has to go out, in queues of their own.
//!
//! | resource | in the kernel | what waits in its queue |
//! |---|---|---|
//! | [`Acceptor`] | one multishot accept | 256 connections |
//! | [`Receiver`] | one multishot receive into buffers that all streams share | 256 KiB, or 64 buffers |
//! | [`Sender`] | one send at a time, in order | 256 KiB |
//!
//! At its bound an acceptor or receiver asks the kernel to stop, and keeps what came before the
//! kernel did; the rest waits in the kernel. A sender makes the writer wait. The methods borrow
//! plain slices, which is sound because no slice of the caller ever reaches the kernel: bytes are
//! copied into, or out of, memory of the proactor. [`Receiver::read_chunk`] lends that memory
//! instead.
//!
//! # Cancel safety
//!
//! | verb | what it does | what is lost |
//! |---|---|---|
//! | [`Op::cancel`], then await | asks the kernel to end the operation, and waits for its answer | nothing: [`Outcome::Completed`] has the result if it came first, [`Outcome::Cancelled`] the buffer of what did not happen |
//! | [`Op::request_cancel`], then await | asks; the operation itself tells | nothing: its result, or `ECANCELED` and the buffer |
//! | [`Handle::cancel_fd`], [`Handle::cancel_all`] | ask for all that is in flight, of a descriptor or at all | nothing, in the same way |
//! | dropping an [`Op`] | abandons it; it ends by itself | the buffer and what was read into it; a descriptor that it brings is closed |
//! | dropping a read, an accept or a flush of the resources | leaves the queue | nothing |
//! | dropping [`Sender::write_all`] | leaves what was queued in the queue | the knowledge how much that was; [`Sender::poll_write`] tells |
//!
//! An operation that is cancelled or dropped before the next park is never submitted.
//!
//! # An executor of one's own
//!
//! [`Proactor`] is a [`Driver`], so an executor is a loop that polls what is
//! ready and parks when nothing is. [`Proactor::block_on`] is the smallest one, for a single
//! future. A larger one keeps a queue of tasks and parks with `Some(Duration::ZERO)` while it is
//! not empty, with the time to its next deadline when it is. Its wakers call
//! [`unpark`](Unparker::unpark) when they are woken from another thread; that costs
//! a system call only if the loop sleeps.
//!
//! # What is going on
//!
//! [`Handle::operations`] lists every operation in words (`recv on fd 7, in flight for 2.1 s`), as
//! does the `Debug` form of one. [`Handle::stats`] has counters. [`Handle::set_observer`] tells a
//! function of each submission and completion, and costs next to nothing while there is none.
//!
//! # Examples to run
//!
//! `cargo run --example NAME`, in the folder `examples` of this crate:
//!
//! | name | what it shows |
//! |---|---|
//! | `cat` | no executor at all: submit, park, take |
//! | `copy` | links, registered descriptors, registered buffers |
//! | `echo_multishot` | an executor in a few lines, an [`OpStream`] of connections, streams |
//! | `cancel_race` | cancelling at the moment when the data comes, thousands of times, and losing none |
//!
//! # Shutdown
//!
//! Closing a ring does not stop the kernel from writing into the memory of what is in flight. So
//! dropping a [`Proactor`], or [`shut_down`](Proactor::shut_down), first lets senders that were
//! dropped send what they hold ([`Config::linger`]), then cancels everything and takes completions
//! until nothing is in flight ([`Config::drain`]), and then closes the ring. Past the bound, the
//! memory of what has not ended is leaked, never freed. Handles that outlive the proactor are
//! harmless: what they start ends with `ECANCELED`, and resources say that the proactor is gone.
//!
//! # A whole program
//!
//! An echo of one connection, with a client on another thread.
//!
//! ```
//! use ringloop_proactor::{Acceptor, Config, Fd, Proactor, Receiver, Sender};
//! use std::io::{self, Read, Write};
//! use std::net::{Shutdown, TcpListener, TcpStream};
//!
//! async fn echo(connection: Fd) -> io::Result<()> {
//!     let mut receiver = Receiver::new(connection.clone());
//!     let mut sender = Sender::new(connection);
//!     loop {
//!         let chunk = receiver.read_chunk().await?;
//!         if chunk.is_empty() {
//!             return sender.flush().await;
//!         }
//!         sender.write_all(&chunk).await?;
//!     }
//! }
//!
//! fn main() -> io::Result<()> {
//!     let listener = TcpListener::bind("127.0.0.1:0")?;
//!     let address = listener.local_addr()?;
//!     let client = std::thread::spawn(move || {
//!         let mut stream = TcpStream::connect(address)?;
//!         stream.write_all(b"there and back")?;
//!         stream.shutdown(Shutdown::Write)?;
//!         let mut reply = String::new();
//!         stream.read_to_string(&mut reply)?;
//!         Ok::<String, io::Error>(reply)
//!     });
//!
//!     let mut proactor = Proactor::new(&Config::default())?;
//!     let handle = proactor.handle();
//!     proactor.block_on(async {
//!         let acceptor = Acceptor::new(handle.adopt(listener));
//!         let connection = acceptor.accept().await?;
//!         echo(handle.adopt(connection)).await
//!     })??;
//!     drop(proactor); // The connection is closed through the ring.
//!
//!     let reply = client.join().expect("the client does not panic")?;
//!     assert_eq!(reply, "there and back");
//!     Ok(())
//! }
//! ```

#![deny(unsafe_code)]

mod buf;
mod closers;
mod config;
mod direct;
mod fd;
mod features;
mod handle;
mod idle;
mod mail;
mod net;
mod observer;
mod op;
pub mod ops;
mod proactor;
mod queue;
mod ring;
mod setup_error;
mod shared;
#[cfg(feature = "sim")]
pub mod sim;
mod stats;
mod wakes;

pub use buf::{
    BufGroup, BufGroupConfig, BufGroupStats, Chunk, FixedBuf, FixedPool, IO_BUFS_MAX, IoBuf,
    IoBufMut, IoBufs, IoBufsMut, OpError, RegisteredBuf, Room, Slice, WaitProvided,
};
pub use config::Config;
pub use fd::{Close, Fd};
pub use features::Features;
pub use handle::Handle;
pub use mail::{Address, Inbox, Message};
pub use net::{
    Accepted, Acceptor, Arrival, Credentials, Datagram, DatagramNote, DatagramReceiver,
    DatagramReceiverStats, DatagramSender, Dispatch, Enclosed, Flushing, Receiver, SendPipe,
    Sender,
};
pub use observer::{Observer, OpEvent};
pub use op::{
    Answer, Cancelling, Link, Multishot, Op, OpReport, OpState, OpStream, Operation, Outcome, Then,
    WithTimeout,
};
pub use ops::address::SocketAddress;
pub use ops::ancillary::{Ancillary, AncillaryMessage};
pub use ops::datagram::Received;
pub use ops::socket_option::SocketOption;
pub use ops::zero_copy::Sent;
pub use proactor::Proactor;
pub use ring::{Cqe, Sqe};
pub use setup_error::{SetupError, SetupErrorKind};
pub use stats::ProactorStats;

/// What a [`Proactor`] is to an executor; of the crate `ringloop-core`.
#[doc(no_inline)]
pub use ringloop_core::{Driver, Unparker};
