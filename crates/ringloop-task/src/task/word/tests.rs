use super::{Action, Collected, REFERENCE, RemoteWord, StillQueued};
use crate::sync::Ordering;

#[cfg(loom)]
mod loom;

#[test]
fn first_wake_pushes_and_later_ones_do_nothing() {
    let word = RemoteWord::new();
    assert_eq!(word.wake(), Action::Push);
    assert_eq!(word.wake(), Action::Nothing);
    assert_eq!(
        word.collect(),
        Collected {
            delta: 0,
            woken: true
        }
    );
    assert_eq!(word.wake(), Action::Push);
}

#[test]
fn wake_after_the_end_does_nothing() {
    let word = RemoteWord::new();
    word.mark_done();
    assert_eq!(word.wake(), Action::Nothing);
    assert_eq!(word.snapshot(), (0, false));
}

#[test]
fn references_are_a_signed_difference() {
    let word = RemoteWord::new();
    word.retain();
    word.retain();
    assert_eq!(word.snapshot(), (2, false));
    for _ in 0..3 {
        assert_eq!(word.release(), Action::Nothing);
    }
    assert_eq!(word.snapshot(), (-1, false));
}

#[test]
fn home_is_told_of_releases_after_the_end_only() {
    let word = RemoteWord::new();
    assert_eq!(word.release(), Action::Nothing);
    word.mark_done();
    assert_eq!(word.release(), Action::Push);
    assert_eq!(word.release(), Action::Nothing);
    assert_eq!(
        word.collect(),
        Collected {
            delta: -3,
            woken: false
        }
    );
    assert_eq!(word.snapshot(), (0, false));
}

#[test]
fn handles_tell_home_in_any_case_and_later_wakes_count() {
    let word = RemoteWord::new();
    assert_eq!(word.release_and_tell(), Action::Push);
    assert_eq!(word.wake(), Action::Nothing);
    assert_eq!(
        word.collect(),
        Collected {
            delta: -1,
            woken: true
        }
    );
    assert_eq!(word.wake(), Action::Push);
}

#[test]
fn wake_by_value_is_both() {
    let word = RemoteWord::new();
    assert_eq!(word.wake_and_release(), Action::Push);
    assert_eq!(
        word.collect(),
        Collected {
            delta: -1,
            woken: true
        }
    );
    word.mark_done();
    assert_eq!(word.wake_and_release(), Action::Push);
    assert_eq!(
        word.collect(),
        Collected {
            delta: -1,
            woken: false
        }
    );
}

#[test]
fn orphan_has_all_references_and_the_last_one_frees() {
    let word = RemoteWord::new();
    word.mark_done();
    word.retain();
    assert_eq!(word.orphan(2), Ok(()));
    assert!(word.is_orphaned());
    assert_eq!(word.release(), Action::Nothing);
    assert_eq!(word.wake(), Action::Nothing);
    assert_eq!(word.wake_and_release(), Action::Nothing);
    assert_eq!(word.release_and_tell(), Action::Free);
}

#[test]
fn queued_task_is_not_orphaned() {
    let word = RemoteWord::new();
    assert_eq!(word.wake(), Action::Push);
    word.mark_done();
    assert_eq!(word.orphan(1), Err(StillQueued));
    let _ = word.collect();
    assert_eq!(word.orphan(1), Ok(()));
}

/// F53: sixty bits of references. A thread that did nothing but clone a waker and forget it, once in a
/// nanosecond, would overflow them in eighteen years; the count at home is wider.
#[test]
fn sixty_bits_of_references_are_counted() {
    const MANY: u64 = 1 << 58;
    let word = RemoteWord::new();
    word.bits.fetch_add(MANY * REFERENCE, Ordering::Relaxed);
    word.retain();
    assert_eq!(word.wake(), Action::Push);
    let collected = word.collect();
    assert_eq!((collected.delta, collected.woken), ((1 << 58) + 1, true));
    word.bits.fetch_sub(MANY * REFERENCE, Ordering::Relaxed);
    assert_eq!(word.snapshot(), (-(1 << 58), false));
    word.orphan((1 << 58) + 1).unwrap();
    assert_eq!(word.release(), Action::Free);
}
