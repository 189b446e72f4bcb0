//! Counting, and the lines that are printed.

use std::time::Duration;

use super::{Steps, Stop};

const TOOK: Duration = Duration::from_millis(1_250);

fn skip() -> Result<(), Stop> {
    Err(Stop::Skipped("no nightly here".to_owned()))
}

fn fail() -> Result<(), Stop> {
    Err(Stop::Failed("two findings".to_owned()))
}

#[test]
fn each_step_ends_in_a_line_with_its_duration() {
    let mut steps = Steps::new(false);
    assert_eq!(steps.record("a", TOOK, Ok(())), "<== a: passed (1.2 s)");
    assert_eq!(
        steps.record("b", TOOK, skip()),
        "<== b: skipped: no nightly here (1.2 s)"
    );
    assert_eq!(
        steps.record("c", TOOK, fail()),
        "<== c: failed: two findings (1.2 s)"
    );
    assert_eq!(steps.closing(), "1 passed, 1 failed, 1 skipped");
}

#[test]
fn nothing_skipped_is_not_mentioned() {
    let mut steps = Steps::new(false);
    steps.record("a", TOOK, Ok(()));
    steps.record("b", TOOK, Ok(()));
    assert_eq!(steps.closing(), "2 passed, 0 failed");
}

#[test]
fn strict_fails_what_would_be_skipped() {
    let mut steps = Steps::new(true);
    assert_eq!(
        steps.record("b", TOOK, skip()),
        "<== b: failed: no nightly here (1.2 s)"
    );
    assert_eq!(steps.closing(), "0 passed, 1 failed");
}
