//! `test`: the functions below are registered as tests, and run as such.

use std::sync::atomic::{AtomicBool, Ordering};

static RAN: AtomicBool = AtomicBool::new(false);

mod counted {
    use super::{Ordering, RAN};

    #[ringloop_macros::test]
    pub(super) async fn leaves_a_mark() {
        RAN.store(true, Ordering::Relaxed);
    }
}

/// The attribute leaves a plain function behind, which runs its body when it is called.
#[test]
fn body_runs() {
    counted::leaves_a_mark();
    assert!(RAN.load(Ordering::Relaxed));
}

#[ringloop_macros::test]
async fn question_mark_has_the_declared_type() -> Result<(), std::num::ParseIntError> {
    assert_eq!("3".parse::<u8>()?, std::future::ready(3).await);
    Ok(())
}

#[ringloop_macros::test]
#[should_panic(expected = "the body's own words")]
async fn panics_reach_the_harness() {
    panic!("the body's own words");
}
