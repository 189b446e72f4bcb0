//! asyncio for Rust, on io_uring.
//!
//! A single-threaded event loop built on a true *proactor*: an operation is handed to the kernel,
//! the kernel performs it, and its completion resumes the task that waits for it. asyncio's
//! vocabulary, Trio's cancellation, std's names.
//!
//! `.await` shows every point where a task may be switched; `?` after it shows every point where
//! it may be cancelled.
//!
//! # A first program
//!
//! [`run`] makes a runtime and runs one future on it; [`spawn`] starts tasks beside it.
//!
//! ```
//! use std::time::Duration;
//!
//! async fn say(after_ms: u64, what: &'static str) -> &'static str {
//!     // A sleep says `Cancelled` if somebody stops this task; here nobody does.
//!     ringloop::sleep(Duration::from_millis(after_ms)).await.expect("nobody cancels");
//!     what
//! }
//!
//! let words = ringloop::run(async {
//!     let world = ringloop::spawn(say(2, "world"));
//!     let hello = ringloop::spawn(say(1, "hello"));
//!     format!("{} {}", hello.await.unwrap(), world.await.unwrap())
//! })?;
//! assert_eq!(words, "hello world");
//! # Ok::<(), ringloop::SetupError>(())
//! ```
//!
//! A program whose `main` is nothing else has `#[ringloop::main]`, a test `#[ringloop::test]`.
//!
//! # Streams
//!
//! Reads and writes borrow plain slices, and it is sound: what the kernel touches belongs to the
//! runtime. Dropping or cancelling a read loses no byte, dropping an accept loses no connection.
//!
//! ```
//! use ringloop::net::{TcpListener, TcpStream};
//!
//! ringloop::run(async {
//!     let listener = TcpListener::bind("127.0.0.1:0").await?;
//!     let address = listener.local_addr()?;
//!     let server = ringloop::spawn(async move {
//!         let (mut stream, _peer) = listener.accept().await?;
//!         let mut buf = [0; 1024];
//!         let count = stream.read(&mut buf).await?;
//!         stream.write_all(&buf[..count]).await
//!     });
//!     let mut client = TcpStream::connect(address).await?;
//!     client.write_all(b"echo").await?;
//!     let mut reply = [0; 4];
//!     client.read_exact(&mut reply).await?;
//!     assert_eq!(&reply, b"echo");
//!     server.await.expect("the server does not panic")
//! })??;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Stopping work
//!
//! There are two verbs. A *request* — [`JoinHandle::cancel`](task::JoinHandle::cancel), a
//! [`timeout`], a [`CancelScope`](cancel::CancelScope) — makes the wait that a task is parked on
//! say [`Cancelled`]; `?` unwinds, and cleanup may wait inside a [`shield`](cancel::shield). A
//! *drop* — [`abort`](task::JoinHandle::abort), losing a [`race`](future::race()) — ends it on the
//! spot. Neither loses anything that had arrived. The rules are in [`cancel`].
//!
//! # Which module has what
//!
//! | module | counterpart |
//! |---|---|
//! | [`runtime`] | `asyncio.Runner` |
//! | [`task`] | `asyncio.create_task`, `asyncio.gather`, `asyncio.wait`, `asyncio.all_tasks` |
//! | [`group`](mod@group) | `asyncio.TaskGroup`, `trio.Nursery`, `gevent.pool.Pool` |
//! | [`cancel`] | `trio.CancelScope`, `asyncio.CancelledError` |
//! | [`time`] | `asyncio.sleep`, `asyncio.timeout` |
//! | [`call`] | `loop.call_soon`, `loop.call_later`, `loop.call_at` |
//! | [`local`] | `contextvars` |
//! | [`net`], [`io`] | `std::net`, `std::io` |
//! | [`offload`](mod@offload) | `asyncio.to_thread`, `loop.run_in_executor` |
//! | [`sync`] | `asyncio.Lock`, `asyncio.Queue`, `trio.open_memory_channel` |
//! | [`actor`] | gevent's actors, `GenServer` |
//! | [`stream`] | `async for` |
//! | [`signal`] | `loop.add_signal_handler` |
//! | [`future`] | `asyncio.Future` |
//! | [`observe`] | `trio.abc.Instrument`, asyncio's debug mode |
//! | [`testing`] | `trio.testing` |

#![deny(unsafe_code)]

pub mod runtime;

#[doc(inline)]
pub use ringloop_task::{call, cancel, group, local, observe, task, testing, time};

pub mod actor;
pub mod future;
pub mod io;
pub mod net;
pub mod offload;
pub mod signal;
pub mod stream;
pub mod sync;

#[doc(hidden)]
pub mod __private;
mod cancellable;
mod context;

pub use cancel::Cancelled;
pub use group::group;
pub use offload::offload;
pub use ringloop_proactor::{SetupError, SetupErrorKind};
pub use ringloop_task::task_local;
pub use runtime::{Remote, Runtime, run};
pub use task::{spawn, spawn_eager};
pub use time::{interval, sleep, timeout};

#[cfg(feature = "macros")]
pub use ringloop_macros::{main, test};

/// The programs on the front page and in the guides compile, and do what they say.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../../README.md")]
    struct Readme;
    #[doc = include_str!("../../../docs/cancellation.md")]
    struct Cancellation;
    #[doc = include_str!("../../../docs/guides/coming-from-tokio.md")]
    struct ComingFromTokio;
    #[doc = include_str!("../../../docs/guides/coming-from-asyncio.md")]
    struct ComingFromAsyncio;
    #[doc = include_str!("../../../docs/guides/buffers.md")]
    struct Buffers;
}
