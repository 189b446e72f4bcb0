//! Other programs that some figures need: valgrind, strace.

use std::process::{Command, Stdio};

/// Tells whether `program` can be run with `arguments`, and succeeds.
pub fn can_run(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    let status = command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}
