//! `soundness`: integration tests, optimized.
//!
//! Code that leans on undefined behavior often works until the optimizer sees all of it at once, and an
//! assertion that only debug builds have may hide a fault. So the tests that abuse the proactor, with
//! those of what it promises, run with the profile `soundness` too: a release build with link-time
//! optimization of everything. Those of the crates that need no kernel run with the profile
//! `optimized`, which is faster to build.

use xshell::cmd;

use crate::Chores;
use crate::steps::{Steps, Stop};
use crate::test;

/// Two steps; the same tests run in debug with all others.
pub(crate) fn run(chores: &Chores, steps: &mut Steps) {
    let proactor = [
        "-p",
        "ringloop-proactor",
        "--all-features",
        "--test",
        "soundness",
        "--test",
        "it",
    ];
    steps.step("soundness", || tests(chores, "soundness", &proactor));
    let others = [
        "-p",
        "ringloop-core",
        "-p",
        "ringloop-task",
        "-p",
        "ringloop-offload",
        "-p",
        "ringloop-sync",
    ];
    steps.step("soundness: without a kernel", || {
        tests(chores, "optimized", &others)
    });
}

fn tests(chores: &Chores, profile: &str, what: &[&str]) -> Result<(), Stop> {
    let sh = &chores.sh;
    let run = if test::has_nextest(sh) {
        cmd!(
            sh,
            "cargo nextest run --config-file xtask/nextest.toml --cargo-profile {profile} {what...}"
        )
    } else {
        cmd!(
            sh,
            "cargo test --no-fail-fast --profile {profile} {what...}"
        )
    };
    Ok(run.run()?)
}
