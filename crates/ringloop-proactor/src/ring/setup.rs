//! Making a ring: what every ring has, what this one was asked for, and the ladder of what is nice
//! to have.
//!
//! Linux 6.1 knows everything that a ring must have. What is newer is tried, best first: each rung
//! of the ladder leaves one more thing out, and the first ring that the kernel makes is taken. A
//! kernel that is short of memory gets time, then smaller requests.

use std::io;
use std::time::Duration;

use io_uring::{Builder, IoUring};

use super::explain;
use super::pause::pause;
use super::probe::explain_options;
use crate::config::Config;
use crate::setup_error::SetupError;

/// A ring, and the rung of the ladder that it stands on.
pub(super) struct Made {
    pub(super) ring: IoUring,
    pub(super) no_sqarray: bool,
}

/// Makes a ring of the size that was asked for, or of half of it while memory is short.
pub(super) fn make(config: &Config) -> Result<Made, SetupError> {
    if let Some(error) = explain_options(config, None) {
        return Err(error);
    }
    let mut entries = config.ring_entries;
    let mut completions = config.completion_count();
    let mut pause_ms = 1;
    loop {
        match climb(|rung| build(config, entries, completions, rung)) {
            Ok((ring, rung)) => {
                return Ok(Made {
                    ring,
                    no_sqarray: rung == Rung::NoSqarray,
                });
            }
            Err(error) if error.raw_os_error() == Some(libc::ENOMEM) => {
                if entries > ENTRIES_MIN {
                    entries /= 2;
                    completions = (completions / 2).max(entries);
                } else if pause_ms <= PAUSE_MS_MAX {
                    pause(Duration::from_millis(pause_ms));
                    pause_ms *= 2;
                } else {
                    return Err(explain(error, entries));
                }
            }
            Err(error) => {
                let refused = explain_options(config, Some(&error));
                return Err(refused.unwrap_or_else(|| explain(error, entries)));
            }
        }
    }
}

/// What a ring has beyond Linux 6.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rung {
    /// No array of indexes beside the submission queue: 6.6.
    NoSqarray,
    /// Nothing.
    Plain,
}

const LADDER: [Rung; 2] = [Rung::NoSqarray, Rung::Plain];

/// Tries the rungs from the best one on, for as long as the kernel does not know what they ask.
fn climb<T>(mut attempt: impl FnMut(Rung) -> io::Result<T>) -> io::Result<(T, Rung)> {
    let mut result = Err(io::ErrorKind::Unsupported.into());
    for rung in LADDER {
        result = attempt(rung).map(|made| (made, rung));
        let unknown = |error: &io::Error| error.raw_os_error() == Some(libc::EINVAL);
        if !result.as_ref().is_err_and(unknown) {
            break;
        }
    }
    result
}

fn build(config: &Config, entries: u32, completions: u32, rung: Rung) -> io::Result<IoUring> {
    let mut builder = IoUring::builder();
    builder
        .setup_clamp()
        .setup_cqsize(completions)
        .setup_submit_all()
        .setup_single_issuer()
        .dontfork();
    issue(config, &mut builder);
    if config.device_polling {
        builder.setup_iopoll();
    }
    if config.network_only {
        builder.setup_r_disabled();
    }
    match rung {
        Rung::NoSqarray => {
            builder.setup_no_sqarray();
        }
        Rung::Plain => {}
    }
    builder.build(entries)
}

/// Says who runs what is submitted: this thread inside its own calls, or a thread of the kernel.
fn issue(config: &Config, builder: &mut Builder) {
    let Some(polling) = &config.kernel_polling else {
        builder.setup_defer_taskrun().setup_taskrun_flag();
        return;
    };
    builder.setup_sqpoll(polling.idle_ms);
    if let Some(cpu) = polling.cpu {
        builder.setup_sqpoll_cpu(cpu);
    }
    if let Some(other) = &config.workers_of {
        builder.setup_attach_wq(std::os::fd::AsRawFd::as_raw_fd(other));
    }
}

const ENTRIES_MIN: u32 = 32;
/// Pauses of 1, 2, 4 … 256 ms: half a second in all.
const PAUSE_MS_MAX: u64 = 256;

#[cfg(test)]
mod tests {
    use std::io;

    use super::{LADDER, Rung, climb};

    fn check(errno_of: impl Fn(Rung) -> Option<i32>, expected: Result<Rung, i32>, tries: usize) {
        let mut tried = 0;
        let result = climb(|rung| {
            tried += 1;
            errno_of(rung).map_or(Ok(()), |errno| Err(io::Error::from_raw_os_error(errno)))
        });
        let result = result.map(|((), rung)| rung);
        assert_eq!(
            result.map_err(|error| error.raw_os_error().unwrap()),
            expected
        );
        assert_eq!(tried, tries);
    }

    #[test]
    fn a_new_kernel_gets_the_best_ring() {
        check(|_| None, Ok(Rung::NoSqarray), 1);
    }

    #[test]
    fn what_an_older_kernel_does_not_know_is_left_out() {
        let old = |rung| (rung != Rung::Plain).then_some(libc::EINVAL);
        check(old, Ok(Rung::Plain), LADDER.len());
    }

    #[test]
    fn a_kernel_that_knows_no_rung_ends_the_ladder() {
        check(|_| Some(libc::EINVAL), Err(libc::EINVAL), LADDER.len());
    }

    #[test]
    fn other_refusals_do_not_depend_on_the_rung() {
        check(|_| Some(libc::EPERM), Err(libc::EPERM), 1);
    }
}
