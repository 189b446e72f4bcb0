//! `examples`: builds all examples.

use xshell::cmd;

use crate::Chores;
use crate::steps::Steps;

pub(crate) fn run(chores: &Chores, steps: &mut Steps) {
    let sh = &chores.sh;
    steps.step("examples", || {
        Ok(cmd!(sh, "cargo build --workspace --examples").run()?)
    });
}
