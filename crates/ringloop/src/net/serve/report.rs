//! What servers report.

use std::any::Any;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use ringloop_core::panics;
use ringloop_task::{Unhandled, UnhandledKind};

/// Something that a server has to tell and nobody awaits; see [`Serve::on_error`](super::Serve::on_error).
#[non_exhaustive]
pub enum ServeReport<E> {
    /// The handler of a connection returned an error that is not its cancellation.
    Failed {
        /// The number of the connection, as in the name of its task.
        connection: u64,
        /// What the handler returned.
        error: E,
    },
    /// The handler of a connection panicked.
    Panicked {
        /// The number of the connection, as in the name of its task.
        connection: u64,
        /// What the panic carries.
        payload: Box<dyn Any + Send>,
    },
    /// The server cannot accept, for want of descriptors or memory, and tries again from time to
    /// time. Told once, until it can.
    Exhausted {
        /// The error of `accept`.
        error: io::Error,
    },
    /// The server accepts again.
    Recovered {
        /// How often it has tried in vain.
        attempts: u64,
        /// For how long it could not.
        after: Duration,
    },
}

impl<E: fmt::Display> fmt::Display for ServeReport<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { connection, error } => write!(f, "connection {connection}: {error}"),
            Self::Panicked {
                connection,
                payload,
            } => {
                write!(f, "connection {connection}: the handler panicked")?;
                match message(&**payload) {
                    Some(message) => write!(f, ": {message}"),
                    None => Ok(()),
                }
            }
            Self::Exhausted { error } => write!(f, "the server cannot accept for now: {error}"),
            Self::Recovered { attempts, after } => {
                let plural = if *attempts == 1 { "" } else { "s" };
                write!(
                    f,
                    "the server accepts again, after {after:?} and {attempts} attempt{plural} in vain"
                )
            }
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for ServeReport<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { connection, error } => f
                .debug_struct("Failed")
                .field("connection", connection)
                .field("error", error)
                .finish(),
            Self::Panicked {
                connection,
                payload,
            } => f
                .debug_struct("Panicked")
                .field("connection", connection)
                .field("message", &message(&**payload))
                .finish(),
            Self::Exhausted { error } => f.debug_struct("Exhausted").field("error", error).finish(),
            Self::Recovered { attempts, after } => f
                .debug_struct("Recovered")
                .field("attempts", attempts)
                .field("after", after)
                .finish(),
        }
    }
}

fn message(payload: &(dyn Any + Send)) -> Option<&str> {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

/// Who is told: a function of the program, or else the hook of the runtime.
pub(super) enum Teller<E> {
    Runtime,
    Program(Rc<dyn Fn(ServeReport<E>)>),
}

impl<E: fmt::Display> Teller<E> {
    /// Tells it. What panics in there goes no further than the runtime's hook.
    #[cold]
    pub(super) fn tell(&self, report: ServeReport<E>) {
        let told = panics::catch(|| match self {
            Self::Runtime => tell_runtime(report),
            Self::Program(hook) => hook(report),
        });
        if let Err(payload) = told {
            Unhandled::of_panic(payload).report();
        }
    }
}

/// The name of the task has the number of the connection already.
fn tell_runtime<E: fmt::Display>(report: ServeReport<E>) {
    match report {
        ServeReport::Failed { error, .. } => {
            Unhandled::of_error(UnhandledKind::Error, error.to_string()).report();
        }
        ServeReport::Panicked { payload, .. } => Unhandled::of_panic(payload).report(),
        report @ (ServeReport::Exhausted { .. } | ServeReport::Recovered { .. }) => {
            Unhandled::of_error(UnhandledKind::Exhausted, report.to_string()).report();
        }
    }
}

impl<E> Clone for Teller<E> {
    fn clone(&self) -> Self {
        match self {
            Self::Runtime => Self::Runtime,
            Self::Program(hook) => Self::Program(Rc::clone(hook)),
        }
    }
}
