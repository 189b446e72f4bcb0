use super::*;

#[test]
fn all_iterations_are_done_and_their_time_is_added() {
    let mut done = 0;
    let iterations = u64::from(PIECE) * 2 + 3;
    let total = time_of(iterations, |count| {
        done += u64::from(count);
        Ok(Duration::from_millis(10))
    });
    assert_eq!((done, total), (iterations, Duration::from_millis(30)));
}

#[test]
#[should_panic(expected = "the turn failed: no ring")]
fn a_failed_turn_panics() {
    time_of(1, |_| Err(io::Error::other("no ring")));
}
