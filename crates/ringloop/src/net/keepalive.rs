//! Probing of connections on which nothing comes.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};

/// How a connection on which nothing comes is probed, so that a peer that is gone is noticed.
///
/// What is not set is as the system has it: two hours, then nine probes with 75 seconds between.
///
/// Counterpart: `SO_KEEPALIVE`, `TCP_KEEPIDLE`, `TCP_KEEPINTVL` and `TCP_KEEPCNT` of `tcp(7)`.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use ringloop::net::{Keepalive, TcpListener, TcpStream};
///
/// ringloop::run(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let stream = TcpStream::connect(listener.local_addr()?).await?;
///     assert_eq!(stream.keepalive()?, None);
///     let keepalive = Keepalive::new().time(Duration::from_secs(60)).retries(3);
///     stream.set_keepalive(Some(keepalive))?;
///     assert_eq!(stream.keepalive()?.and_then(|set| set.get_retries()), Some(3));
///     Ok::<(), std::io::Error>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "it has to be set on a socket"]
pub struct Keepalive {
    time: Option<Duration>,
    interval: Option<Duration>,
    retries: Option<u32>,
}

impl Keepalive {
    /// Makes one that sets nothing but that there are probes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets after how long a silence the first probe is sent, in whole seconds.
    pub fn time(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    /// Sets how long to wait between two probes, in whole seconds.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = Some(interval);
        self
    }

    /// Sets how many probes without an answer end the connection.
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = Some(retries);
        self
    }

    /// Returns after how long a silence the first probe is sent.
    #[must_use]
    pub fn get_time(&self) -> Option<Duration> {
        self.time
    }

    /// Returns how long it is between two probes.
    #[must_use]
    pub fn get_interval(&self) -> Option<Duration> {
        self.interval
    }

    /// Returns how many probes without an answer end the connection.
    #[must_use]
    pub fn get_retries(&self) -> Option<u32> {
        self.retries
    }

    /// What the socket has, `None` if it does not probe.
    pub(super) fn of(socket: &SockRef<'_>) -> io::Result<Option<Self>> {
        if !socket.keepalive()? {
            return Ok(None);
        }
        Ok(Some(Self {
            time: Some(socket.tcp_keepalive_time()?),
            interval: Some(socket.tcp_keepalive_interval()?),
            retries: Some(socket.tcp_keepalive_retries()?),
        }))
    }

    pub(super) fn set_on(self, socket: &SockRef<'_>) -> io::Result<()> {
        let mut set = TcpKeepalive::new();
        if let Some(time) = self.time {
            set = set.with_time(time);
        }
        if let Some(interval) = self.interval {
            set = set.with_interval(interval);
        }
        if let Some(retries) = self.retries {
            set = set.with_retries(retries);
        }
        socket.set_tcp_keepalive(&set)
    }
}
