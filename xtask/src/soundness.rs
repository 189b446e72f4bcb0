//! `soundness`: the proactor's integration tests, optimized as far as it goes.
//!
//! Code that leans on undefined behavior often works until the optimizer sees all of it at once.
//! So the tests that abuse the proactor, with those of what it promises, run with the profile
//! `soundness` too: a release build with link-time optimization of everything.

use xshell::cmd;

use crate::Chores;
use crate::steps::{Steps, Stop};
use crate::test;

/// One step; the same tests run in debug with all others.
pub(crate) fn run(chores: &Chores, steps: &mut Steps) {
    steps.step("soundness", || optimized(chores));
}

fn optimized(chores: &Chores) -> Result<(), Stop> {
    let sh = &chores.sh;
    let what = [
        "-p",
        "ringloop-proactor",
        "--all-features",
        "--test",
        "soundness",
        "--test",
        "it",
    ];
    let run = if test::has_nextest(sh) {
        cmd!(
            sh,
            "cargo nextest run --config-file xtask/nextest.toml --cargo-profile soundness {what...}"
        )
    } else {
        cmd!(
            sh,
            "cargo test --no-fail-fast --profile soundness {what...}"
        )
    };
    Ok(run.run()?)
}
