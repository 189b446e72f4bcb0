//! Why none of several addresses could be connected to.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;

/// What is inside the error of a connect that has tried several addresses in vain.
///
/// The error around it has the kind of the last failure. Counterpart: `ExceptionGroup`, asyncio's `all_errors`.
///
/// # Examples
///
/// ```
/// use ringloop::net::{ConnectError, TcpListener, TcpStream};
///
/// ringloop::run(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let gone = listener.local_addr()?;
///     drop(listener);
///     ringloop::task::checkpoint().await?;
///     let error = TcpStream::connect(&[gone, gone][..]).await.unwrap_err();
///     assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
///     let attempts = ConnectError::of(&error).expect("there were two").attempts();
///     assert_eq!(attempts.len(), 2);
///     assert_eq!(attempts[1].0, gone);
///     Ok::<(), std::io::Error>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[doc(alias = "all_errors")]
pub struct ConnectError {
    attempts: Vec<(SocketAddr, io::Error)>,
}

impl ConnectError {
    /// The error of attempts that have all failed; the only one's own, if there was one.
    pub(super) fn error(mut attempts: Vec<(SocketAddr, io::Error)>) -> io::Error {
        let Some((address, last)) = attempts.pop() else {
            let text = "the name stands for no socket address";
            return io::Error::new(io::ErrorKind::InvalidInput, text);
        };
        if attempts.is_empty() {
            return last;
        }
        let kind = last.kind();
        attempts.push((address, last));
        io::Error::new(kind, Self { attempts })
    }

    /// Returns what is inside `error`, if it is this.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// Returns the addresses in the order in which they were tried, and why each has failed.
    #[must_use]
    pub fn attempts(&self) -> &[(SocketAddr, io::Error)] {
        &self.attempts
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no address could be connected to")?;
        let mut before = ": ";
        for (address, error) in &self.attempts {
            write!(f, "{before}{address}: {error}")?;
            before = "; ";
        }
        Ok(())
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let (_, last) = self.attempts.last()?;
        Some(last)
    }
}
