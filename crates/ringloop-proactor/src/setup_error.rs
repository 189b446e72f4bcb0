//! Why a proactor could not be made, and what to do about it.

use std::error::Error;
use std::fmt;
use std::io;

/// The kernel refused to make a ring.
///
/// The message names the likely cause and the remedy; [`kind`](Self::kind) tells the causes apart
/// for a program that wants to fall back to something else.
///
/// # Examples
///
/// ```
/// use ringloop_proactor::{Config, Proactor};
///
/// match Proactor::new(&Config::default()) {
///     Ok(_proactor) => {}
///     Err(error) => eprintln!("{error}"),
/// }
/// ```
pub struct SetupError {
    kind: SetupErrorKind,
    source: io::Error,
}

/// The causes that a [`SetupError`] tells apart.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetupErrorKind {
    /// The kernel is older than 6.1.
    #[non_exhaustive]
    OldKernel {
        /// What the kernel calls itself.
        release: String,
    },
    /// The kernel calls itself 6.1 or newer and refuses flags that 6.1 has, as emulations of Linux do.
    #[non_exhaustive]
    Emulated {
        /// What the kernel calls itself.
        release: String,
    },
    /// The sysctl `kernel.io_uring_disabled` forbids it.
    #[non_exhaustive]
    Disabled {
        /// Its value: 1 (only for a group or privileged processes) or 2 (for all).
        value: u32,
    },
    /// A seccomp profile or a security module forbids it, as container runtimes do by default.
    Sandbox,
    /// The limit on locked memory is used up.
    #[non_exhaustive]
    Memlock {
        /// The process's soft limit in bytes; `None` if there is none or it cannot be read.
        limit_bytes: Option<u64>,
        /// The smallest ring that was tried, in submission entries.
        entries: u32,
    },
    /// The process or the system has no free descriptor.
    Descriptors,
    /// Options that do not go together, or that cannot be had here.
    #[non_exhaustive]
    Options {
        /// What to ask for instead.
        remedy: &'static str,
    },
    /// Something else; see [`source`](Error::source).
    Other,
}

impl SetupError {
    pub(crate) fn new(kind: SetupErrorKind, source: io::Error) -> Self {
        Self { kind, source }
    }

    /// Returns the likely cause.
    #[must_use]
    pub fn kind(&self) -> &SetupErrorKind {
        &self.kind
    }

    /// Returns the kernel's own answer.
    #[must_use]
    pub fn io_error(&self) -> &io::Error {
        &self.source
    }
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot set up io_uring: {}", self.source)?;
        match &self.kind {
            SetupErrorKind::OldKernel { release } => write!(
                f,
                "; this kernel is {release}, and 6.1 is the oldest that will do: use a newer kernel"
            ),
            SetupErrorKind::Emulated { release } => write!(
                f,
                "; this kernel calls itself {release} and refuses flags that Linux 6.1 has: an \
                 emulation or a patched kernel, use a stock one"
            ),
            SetupErrorKind::Disabled { value } => write!(
                f,
                "; the sysctl kernel.io_uring_disabled is {value}: set it to 0, or, if it is 1, \
                 add the user to the group in kernel.io_uring_group"
            ),
            SetupErrorKind::Sandbox => f.write_str(
                "; a sandbox refuses it: allow io_uring_setup, io_uring_enter and \
                 io_uring_register in the container's seccomp profile or security policy",
            ),
            SetupErrorKind::Memlock {
                limit_bytes: Some(limit),
                entries,
            } => write!(
                f,
                "; even a ring of {entries} entries does not fit into the locked-memory limit of \
                 {limit} bytes that all rings of this user share: raise it (ulimit -l, or \
                 LimitMEMLOCK= in the unit file)"
            ),
            SetupErrorKind::Memlock {
                limit_bytes: None,
                entries,
            } => {
                write!(
                    f,
                    "; the kernel has no memory for a ring of {entries} entries"
                )
            }
            SetupErrorKind::Descriptors => {
                f.write_str("; no descriptor is free: raise the limit (ulimit -n) or close some")
            }
            SetupErrorKind::Options { remedy } => write!(f, "; {remedy}"),
            SetupErrorKind::Other => Ok(()),
        }
    }
}

/// The message, because this is what `fn main() -> Result<(), SetupError>` prints.
impl fmt::Debug for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for SetupError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

impl From<SetupError> for io::Error {
    fn from(error: SetupError) -> Self {
        Self::new(error.source.kind(), error)
    }
}
