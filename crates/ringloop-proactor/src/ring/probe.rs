//! Why a ring could not be made: asks the system, only after a failure.

use std::io;

use crate::config::Config;
use crate::setup_error::{SetupError, SetupErrorKind};

/// Turns the errno of a failed `io_uring_setup(2)` into a cause and a remedy.
pub(crate) fn explain(error: io::Error, entries: u32) -> SetupError {
    let kind = match error.raw_os_error() {
        Some(libc::ENOSYS) => refused_as_missing(),
        Some(libc::EPERM | libc::EACCES | libc::EOPNOTSUPP) => refused_as_forbidden(),
        Some(libc::EINVAL) => refused_as_invalid(),
        Some(libc::ENOMEM) => SetupErrorKind::Memlock {
            limit_bytes: memlock_bytes(),
            entries,
        },
        Some(libc::EMFILE | libc::ENFILE) => SetupErrorKind::Descriptors,
        Some(_) | None => SetupErrorKind::Other,
    };
    SetupError::new(kind, error)
}

/// Turns the errno of a failed `eventfd(2)` into a cause.
pub(crate) fn explain_eventfd(error: io::Error) -> SetupError {
    let kind = match error.raw_os_error() {
        Some(libc::EMFILE | libc::ENFILE) => SetupErrorKind::Descriptors,
        Some(_) | None => SetupErrorKind::Other,
    };
    SetupError::new(kind, error)
}

/// Turns the errno of a failed `mmap(2)` of one page into a cause.
pub(crate) fn explain_page(error: io::Error) -> SetupError {
    SetupError::new(SetupErrorKind::Other, error)
}

/// Blames options of the configuration, before the kernel is asked or after it has `refused`.
pub(crate) fn explain_options(config: &Config, refused: Option<&io::Error>) -> Option<SetupError> {
    let polling = config.kernel_polling.as_ref();
    let errno = refused.and_then(io::Error::raw_os_error);
    let remedy = match (polling, errno) {
        (Some(_), None) if config.device_polling => {
            "kernel polling and device polling do not go together: choose one of them"
        }
        (None, None) if config.workers_of.is_some() => {
            "rings share a thread that polls them: ask for kernel polling here too (without it, the \
             rings of a thread share their workers anyway)"
        }
        (Some(polling), Some(libc::EINVAL)) if polling.cpu.is_some() => {
            "the polling thread may not run on that processor: choose one that this process may \
             use (taskset -p shows them)"
        }
        (Some(_), Some(libc::EAGAIN)) => {
            "no thread can be made to poll the queue: raise the limit (ulimit -u), or do without \
             kernel polling"
        }
        _ => return None,
    };
    let source = errno.map_or_else(
        || io::ErrorKind::InvalidInput.into(),
        io::Error::from_raw_os_error,
    );
    Some(SetupError::new(SetupErrorKind::Options { remedy }, source))
}

/// A kernel of a supported release that does not know the flags is not quite that kernel.
fn refused_as_invalid() -> SetupErrorKind {
    let release = kernel_release();
    match major_minor(&release) {
        Some(version) if version >= OLDEST_KERNEL => SetupErrorKind::Emulated { release },
        Some(_) | None => SetupErrorKind::OldKernel { release },
    }
}

/// A kernel of a supported release that claims not to know the call is a sandbox's answer.
fn refused_as_missing() -> SetupErrorKind {
    let release = kernel_release();
    match major_minor(&release) {
        Some(version) if version >= OLDEST_KERNEL => SetupErrorKind::Sandbox,
        Some(_) | None => SetupErrorKind::OldKernel { release },
    }
}

fn refused_as_forbidden() -> SetupErrorKind {
    match disabled_sysctl() {
        Some(value) if value != 0 => SetupErrorKind::Disabled { value },
        Some(_) | None => SetupErrorKind::Sandbox,
    }
}

fn kernel_release() -> String {
    std::fs::read_to_string("/proc/sys/kernel/osrelease").map_or_else(
        |_| "unknown".to_owned(),
        |release| release.trim().to_owned(),
    )
}

fn major_minor(release: &str) -> Option<(u32, u32)> {
    let mut parts = release.split(['.', '-']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn disabled_sysctl() -> Option<u32> {
    std::fs::read_to_string("/proc/sys/kernel/io_uring_disabled")
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// The soft limit on locked memory in bytes, from the text of `/proc/self/limits`.
fn memlock_bytes() -> Option<u64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max locked memory"))?;
    line["Max locked memory".len()..]
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

/// The oldest kernel that has everything this crate builds on.
const OLDEST_KERNEL: (u32, u32) = (6, 1);

#[cfg(test)]
mod tests {
    use super::{OLDEST_KERNEL, major_minor};

    #[test]
    fn releases_are_compared_by_number() {
        assert_eq!(major_minor("6.18.44-fc"), Some((6, 18)));
        assert_eq!(major_minor("5.10.0"), Some((5, 10)));
        assert_eq!(major_minor("6.1-rc3"), Some((6, 1)));
        assert_eq!(major_minor("unknown"), None);
        assert!(major_minor("6.18").unwrap() > OLDEST_KERNEL);
        assert!(major_minor("5.19").unwrap() < OLDEST_KERNEL);
    }
}
