//! Servers before they run.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::io;
use std::pin::Pin;
use std::rc::Rc;

use ringloop_task::cancel::{CancelScope, ScopeExit, is_cancelled};
use ringloop_task::group::{TaskGroup, group};
use ringloop_task::task;

use super::accepting::Accepting;
use super::connection::Places;
use super::listener::Listener;
use super::outcome::Outcome;
use super::report::{ServeReport, Teller};
use super::server::Server;
use super::shared::Attached;

/// Accepts the connections of a listener and runs `handler` on each, in a task of its own.
///
/// The handler is an async closure or function of the connection and the address of the peer; what
/// it captures is shared by all its calls. The server ends when it is [stopped](Server), cancelled,
/// or cannot accept any more, and then waits for the handlers: when it is over, none is left.
/// Counterpart: `asyncio.start_server`, `trio.serve_listeners`, `axum::serve`.
///
/// | what happens | what becomes of the connection | what becomes of the server |
/// |---|---|---|
/// | the handler returns | it is the handler's; what it has not closed is dropped | serves on |
/// | the handler returns an error, or panics | dropped | [reports](Serve::on_error) it once, and serves on |
/// | [`close_clients`](Server::close_clients) | the waits of the handler say `Cancelled`; its cleanup may wait | serves on |
/// | [`abort_clients`](Server::abort_clients) | the handler is dropped where it is, and with it the connection | serves on |
/// | the [limit](Serve::limit) is reached | new ones wait in the kernel's backlog | serves on when one has ended |
/// | descriptors or memory run out | new ones wait in the kernel's backlog | reports it once, waits for a while or until a connection ends, and reports once when it is over |
/// | a connection fails before it is accepted | gone | accepts the next one |
/// | [`stop_accepting`](Server::stop_accepting) | live ones go on; those that nobody has taken are closed with the listener | over when the last one has ended |
/// | `serve` is cancelled | as with `stop_accepting` and `close_clients` | over when the last one has ended |
/// | `serve` is dropped | as with `stop_accepting` and `abort_clients` | over |
/// | any other error of `accept` | as with `stop_accepting` and `close_clients` | over when the last one has ended, with that error |
///
/// A listener that was given by value is closed as soon as no more is accepted. One that was given
/// by reference, or in an [`Rc`], stays open, and connections that wait in it wait for its next
/// `accept`.
///
/// The tasks are called `connection 1 from 127.0.0.1:4242`, and so on.
///
/// # Errors
///
/// When awaited: an error of `accept` that does not pass, and then no handler is left either; a
/// cancelled scope, as [`is_cancelled`] tells. A server that was
/// [stopped](Server::stop_accepting) gives `Ok`.
///
/// # Panics
///
/// When awaited outside of a runtime.
///
/// # Cancel safety
///
/// Cancelled, it accepts no more, cancels the handlers, and waits for their ends. Dropped, it drops
/// them.
///
/// # Examples
///
/// ```
/// use ringloop::net::{self, Server, TcpListener, TcpStream};
/// use std::io;
///
/// ringloop::run(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let address = listener.local_addr()?;
///     let echo = async |mut stream: TcpStream, _peer| {
///         let mut buf = [0; 1024];
///         while let count @ 1.. = stream.read(&mut buf).await? {
///             stream.write_all(&buf[..count]).await?;
///         }
///         Ok::<(), io::Error>(())
///     };
///     let server: Server = net::serve(listener, echo).limit(1000).spawn();
///
///     let mut client = TcpStream::connect(address).await?;
///     client.write_all(b"echo").await?;
///     let mut reply = [0; 4];
///     client.read_exact(&mut reply).await?;
///     assert_eq!(&reply, b"echo");
///
///     server.stop_accepting();
///     server.close_clients();
///     server.wait_closed().await?;
///     assert_eq!(server.stats().accepted, 1);
///     Ok::<(), io::Error>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias("start_server", "create_server", "serve_forever", "serve_listeners"))]
pub fn serve<L, H, R>(listener: L, handler: H) -> Serve<L, H, R>
where
    L: Listener,
    H: AsyncFn(L::Stream, L::Addr) -> R + 'static,
    R: Outcome,
{
    let server = Server::new();
    let attached = Attached::new(server.shared(), listener.local_addr().ok().map(Rc::new));
    Serve {
        listener,
        handler,
        limit: usize::MAX,
        teller: Teller::Runtime,
        attached,
    }
}

/// A server that has not begun, of [`serve`]: its settings, and what is to be awaited.
#[must_use = "nothing is accepted until it is awaited or spawned"]
pub struct Serve<L: Listener, H, R: Outcome> {
    listener: L,
    handler: H,
    limit: usize,
    teller: Teller<R::Error>,
    attached: Attached<L::Addr>,
}

impl<L, H, R> Serve<L, H, R>
where
    L: Listener,
    H: AsyncFn(L::Stream, L::Addr) -> R + 'static,
    R: Outcome,
{
    /// Sets how many connections may be live at a time; without it there is no limit. At the limit,
    /// nothing is accepted: connections wait in the kernel's backlog until another one has ended.
    ///
    /// # Panics
    ///
    /// If `connections` is zero: nothing could ever be served.
    #[track_caller]
    pub fn limit(self, connections: usize) -> Self {
        assert!(connections > 0, "a server has room for a connection");
        Self {
            limit: connections,
            ..self
        }
    }

    /// Sets who is told of handlers that fail or panic, and of times in which nothing can be
    /// accepted. Without it, the hook of the runtime is
    /// ([`on_unhandled`](crate::runtime::Builder::on_unhandled)). Each is told once.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop::net::{self, Server, ServeReport, TcpListener, TcpStream};
    /// use std::cell::RefCell;
    /// use std::rc::Rc;
    ///
    /// ringloop::run(async {
    ///     let listener = TcpListener::bind("127.0.0.1:0").await?;
    ///     let address = listener.local_addr()?;
    ///     let server = Server::new();
    ///     let (stop, log) = (server.clone(), Rc::new(RefCell::new(Vec::new())));
    ///     let lines = Rc::clone(&log);
    ///     let serving = net::serve(listener, async move |_stream, _peer| {
    ///         stop.stop_accepting();
    ///         Err::<(), _>("no bread")
    ///     });
    ///     let serving = serving
    ///         .control(&server)
    ///         .on_error(move |report: ServeReport<&str>| lines.borrow_mut().push(report.to_string()))
    ///         .spawn();
    ///     let _client = TcpStream::connect(address).await?;
    ///     serving.wait_closed().await?;
    ///     assert_eq!(*log.borrow(), ["connection 1: no bread"]);
    ///     Ok::<(), std::io::Error>(())
    /// })??;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_error(self, hook: impl Fn(ServeReport<R::Error>) + 'static) -> Self {
        Self {
            teller: Teller::Program(Rc::new(hook)),
            ..self
        }
    }

    /// Serves on behalf of `server`, whose handles control it. Several listeners may be served on
    /// behalf of one server; handlers capture a handle that was made before them.
    pub fn control(self, server: &Server<L::Addr>) -> Self {
        Self {
            attached: self.attached.move_to(server.shared()),
            ..self
        }
    }

    /// Returns a handle that stops the server and tells about it.
    #[must_use]
    pub fn server(&self) -> Server<L::Addr> {
        Server::of(&self.attached.shared)
    }

    /// Starts the server as a task of its own, and returns its handle. An error that it ends with is
    /// [reported](crate::observe::Report::UnreadError).
    ///
    /// # Panics
    ///
    /// Outside of a running loop.
    #[doc(alias("start_serving"))]
    #[track_caller]
    pub fn spawn(self) -> Server<L::Addr>
    where
        L: 'static,
    {
        let server = self.server();
        let name = match server.local_addr() {
            Some(address) => format!("server on {address:?}"),
            None => "server".to_owned(),
        };
        drop(task::Builder::new().name(name).spawn_reporting(self.run()));
        server
    }

    /// Serves, as awaiting the value does, also with a listener that is borrowed.
    ///
    /// # Errors
    ///
    /// As [`serve`].
    ///
    /// # Cancel safety
    ///
    /// As [`serve`].
    pub async fn run(self) -> io::Result<()> {
        let Self {
            listener,
            handler,
            limit,
            teller,
            attached,
        } = self;
        let attached = &attached;
        let served = group(async move |group: &TaskGroup<R::Error>| {
            attached.open(group);
            let accepting = Accepting {
                listener: &listener,
                handler: Rc::new(handler),
                teller,
                places: Rc::new(Places::new(limit)),
                attached,
                group,
            };
            let stoppable = CancelScope::with_token(attached.shared.stop.clone());
            let exit = stoppable.run(accepting.run()).await;
            attached.shut();
            // It may be one that is borrowed, and served to others next.
            listener.set_room(usize::MAX);
            drop(listener);
            let ScopeExit::Done(result) = exit else {
                return Ok(Ok(()));
            };
            if result.as_ref().is_err_and(|error| !is_cancelled(error)) {
                group.cancel("the server cannot accept any more");
            }
            Ok(result)
        });
        match served.await {
            Ok(result) => result,
            Err(error) => match error.cancelled() {
                Some(cancelled) => Err(cancelled.clone().into()),
                None => unreachable!("the failures of handlers are not the group's"),
            },
        }
    }
}

impl<L, H, R> IntoFuture for Serve<L, H, R>
where
    L: Listener + 'static,
    H: AsyncFn(L::Stream, L::Addr) -> R + 'static,
    R: Outcome,
{
    type Output = io::Result<()>;
    type IntoFuture = Pin<Box<dyn Future<Output = io::Result<()>>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<L: Listener, H, R: Outcome> fmt::Debug for Serve<L, H, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve")
            .field("server", &Server::of(&self.attached.shared))
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
