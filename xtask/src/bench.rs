//! `bench`: the benchmark program, in release mode.

use xshell::cmd;

use crate::Chores;
use crate::steps::Steps;

/// How long the quick run of the gate may last, in the notation of `timeout(1)`.
const QUICK_LIMIT: &str = "300s";

/// Builds the program with all contestants, and runs it with `arguments`.
pub(crate) fn run(chores: &Chores, steps: &mut Steps, arguments: &[String]) {
    let sh = &chores.sh;
    steps.step("bench", || {
        let program = cmd!(
            sh,
            "cargo run --release -p ringloop-benches --features peers --bin ringloop-bench --"
        );
        Ok(program.args(arguments).run()?)
    });
}

/// Runs all benchmarks briefly, within a bound: they work and come to an end. The numbers mean
/// nothing here. The contestants that take long to build are left out.
pub(crate) fn smoke(chores: &Chores, steps: &mut Steps) {
    let sh = &chores.sh;
    let program = [
        "--release",
        "-p",
        "ringloop-benches",
        "--bin",
        "ringloop-bench",
    ];
    steps.step("bench: build", || {
        Ok(cmd!(sh, "cargo build {program...}").run()?)
    });
    steps.step("bench: quick run", || {
        let bound = ["--foreground", "--kill-after=10s", QUICK_LIMIT];
        Ok(cmd!(sh, "timeout {bound...} cargo run {program...} -- --quick").run()?)
    });
}
