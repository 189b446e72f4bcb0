//! `ops`: writes the table of operations.

use crate::Chores;
use crate::check::report;
use crate::steps::Steps;
use crate::tidy::{File, ops_table};

pub(crate) fn run(chores: &Chores, steps: &mut Steps) {
    let sh = &chores.sh;
    steps.step("ops: table", || {
        let (text, findings) = ops_table::render(&File::all(sh)?);
        sh.write_file(ops_table::TABLE, text)?;
        report(&findings)
    });
}
