//! `loom`: the tests that try every interleaving of the threads they start.
//!
//! A crate with such tests depends on loom under `cfg(loom)`. The tests are unit tests with `loom`
//! somewhere in their path, as in `atomic_waker::tests::loom::…`; the others are left out, because
//! under `cfg(loom)` the crate's atomics work only inside a model.

use xshell::cmd;

use crate::Chores;
use crate::steps::{Steps, Stop};
use crate::workspace::Package;

/// The crates with loom tests among `chosen`, one step each.
pub(crate) fn run(chores: &Chores, steps: &mut Steps, chosen: &[&Package]) {
    let with_loom: Vec<_> = chosen.iter().filter(|package| uses_loom(package)).collect();
    if with_loom.is_empty() {
        let none = || Err::<(), _>(Stop::Failed("no crate here has loom tests".to_owned()));
        steps.step("loom", none);
    }
    for package in with_loom {
        steps.step(&format!("loom: {}", package.name), || {
            one(chores, &package.name)
        });
    }
}

fn uses_loom(package: &Package) -> bool {
    package
        .dependencies
        .iter()
        .any(|dependency| dependency.name == "loom")
}

fn one(chores: &Chores, name: &str) -> Result<(), Stop> {
    let sh = &chores.sh;
    // Models run many times faster optimized. They want no link-time optimization, which only
    // makes the build longer, and all assertions, which a release build leaves out.
    let _target = sh.push_env("CARGO_TARGET_DIR", chores.workspace.target.join("loom"));
    let _flags = sh.push_env("RUSTFLAGS", "--cfg loom");
    let _lto = sh.push_env("CARGO_PROFILE_RELEASE_LTO", "off");
    let _units = sh.push_env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    let _asserts = sh.push_env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true");
    let preemptions = sh
        .var("LOOM_MAX_PREEMPTIONS")
        .unwrap_or_else(|_| "2".to_owned());
    let _bound = sh.push_env("LOOM_MAX_PREEMPTIONS", preemptions);

    let list = cmd!(sh, "cargo test --release --lib -p {name} -- loom --list").read()?;
    if count(&list) == 0 {
        return Err(Stop::Failed(format!(
            "{name} depends on loom and has no loom test"
        )));
    }
    Ok(cmd!(sh, "cargo test --release --lib -p {name} -- loom").run()?)
}

/// How many tests a `--list` names.
fn count(list: &str) -> usize {
    list.lines().filter(|line| line.ends_with(": test")).count()
}

#[cfg(test)]
mod tests;
