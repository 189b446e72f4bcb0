//! What a job is called.

use std::sync::Arc;

use ringloop_offload::{Builder, offload_on};

use crate::support::{Shelf, block_on};

#[test]
fn a_job_has_the_name_it_was_given() {
    let shelf = Shelf::default();
    let made = format!("backup of {}", 7);
    for (name, expected) in [
        (Builder::new().name("backup"), Some("backup")),
        (Builder::new().name(made), Some("backup of 7")),
        (Builder::new().name("first").name("last"), Some("last")),
        (Builder::new(), None),
    ] {
        let offload = name.clone().offload_on(&shelf, || 7);
        let job = shelf.pop();
        assert_eq!(offload.name(), expected);
        assert_eq!(job.name(), expected);
        let quoted = format!("{expected:?}");
        assert!(format!("{offload:?}").contains(&quoted), "{offload:?}");
        assert!(format!("{job:?}").contains(&quoted), "{job:?}");
        job.run();
        assert_eq!(offload.name(), expected, "it keeps the name to its end");
        assert_eq!(block_on(offload).unwrap(), 7);
    }
    let offload = offload_on(&shelf, || ());
    assert_eq!(offload.name(), None);
}

#[test]
fn a_named_job_knows_where_it_comes_from() {
    let shelf = Arc::new(Shelf::default());
    let line = line!() + 1;
    let offload = Builder::new().name("backup").offload_on(&shelf, || ());
    assert_eq!(
        (offload.location().file(), offload.location().line()),
        (file!(), line)
    );
    assert_eq!(shelf.pop().location(), offload.location());
}
