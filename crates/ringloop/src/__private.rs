//! What the attributes expand to. Not for direct use.

use std::future::Future;
use std::process::{ExitCode, Termination};

/// Runs a program's main future; a refused setup ends the program with a message.
#[expect(clippy::print_stderr, reason = "a program that cannot start says why")]
#[track_caller]
pub fn main<F>(main: F) -> ExitCode
where
    F: Future,
    F::Output: Termination,
{
    match crate::run(main) {
        Ok(output) => output.report(),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a test's future on a runtime of its own.
///
/// # Panics
///
/// If the kernel refuses an io_uring, with the cause and the remedy.
#[track_caller]
pub fn test<F: Future>(test: F) -> F::Output {
    match crate::run(test) {
        Ok(output) => output,
        Err(error) => panic!("{error}"),
    }
}
