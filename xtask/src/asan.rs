//! `asan`: the crates with unsafe code, tested under AddressSanitizer.
//!
//! It sees what no type can show: memory that is read or freed after the table gave it back, also
//! by the kernel's hand if the program touches it afterwards; and memory that is lost. The tests that
//! lose some on purpose are told by their names, see `xtask/lsan.txt`. It needs a nightly compiler.

use std::env::consts::ARCH;

use xshell::{Shell, cmd};

use crate::steps::{Steps, Stop};
use crate::workspace::Package;
use crate::{Chores, test};

/// The crates whose unsafe code can be run in a test.
const CRATES: [&str; 5] = [
    "ringloop-core",
    "ringloop-offload",
    "ringloop-proactor",
    "ringloop-sync",
    "ringloop-task",
];

/// The crates among `chosen` that have unsafe code, all in one step.
pub(crate) fn run(chores: &Chores, steps: &mut Steps, chosen: &[&Package]) {
    let names = chosen.iter().map(|package| package.name.as_str());
    let names: Vec<&str> = names.filter(|name| CRATES.contains(name)).collect();
    steps.step("asan", || sanitize(chores, &names));
}

fn sanitize(chores: &Chores, names: &[&str]) -> Result<(), Stop> {
    let sh = &chores.sh;
    if names.is_empty() {
        return Err(Stop::Failed(format!(
            "only {} are tested here",
            CRATES.join(", ")
        )));
    }
    if !has_nightly(sh) {
        return Err(Stop::Skipped("no nightly here".to_owned()));
    }
    // With `--target`, the flags reach the tests and not the build scripts and macros, which the
    // compiler loads.
    let target = format!("{ARCH}-unknown-linux-gnu");
    let mut flags = vec!["--all-features", "--target", &target];
    flags.extend(names.iter().flat_map(|name| ["-p", name]));
    let _toolchain = sh.push_env("RUSTUP_TOOLCHAIN", "nightly");
    let _folder = sh.push_env("CARGO_TARGET_DIR", chores.workspace.target.join("asan"));
    // The soundness suite has an allocator of its own, which steps aside for this one.
    let _flags = sh.push_env("RUSTFLAGS", "-Zsanitizer=address --cfg asan");
    let _leaks = if cmd!(sh, "llvm-symbolizer --version")
        .quiet()
        .ignore_stdout()
        .run()
        .is_ok()
    {
        let list = chores.workspace.root.join("xtask/lsan.txt");
        let options = format!("print_suppressions=0:suppressions={}", list.display());
        sh.push_env("LSAN_OPTIONS", options)
    } else {
        println!("no llvm-symbolizer here: leaks are not looked for, wanted ones have no names");
        sh.push_env("LSAN_OPTIONS", "detect_leaks=0")
    };
    test::tests(sh, &flags)
}

pub(crate) fn has_nightly(sh: &Shell) -> bool {
    let list = cmd!(sh, "rustup toolchain list")
        .quiet()
        .ignore_stderr()
        .read();
    list.is_ok_and(|list| list.lines().any(|line| line.starts_with("nightly")))
}
