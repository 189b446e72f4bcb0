use std::hint::black_box;

use super::*;

#[test]
fn every_request_for_memory_is_counted() {
    let before = count();
    let mut numbers = black_box(Vec::with_capacity(1));
    numbers.extend(black_box([1_u8; 100]));
    drop(black_box(Box::new(7_u64)));
    assert_eq!(count() - before, 3);
}

#[test]
fn other_threads_count_for_themselves() {
    let before = count();
    std::thread::scope(|scope| {
        let spawned = count();
        scope
            .spawn(|| drop(black_box(vec![0_u8; 1000])))
            .join()
            .expect("it does not panic");
        assert!(count() - spawned < 10, "only what the spawn itself takes");
    });
    assert!(count() > before);
}

#[test]
fn bytes_of_all_threads_are_counted_while_they_are_watched() {
    // Other tests of this process allocate, too: this is more than they do.
    const LEN: usize = 1 << 30;
    let before = black_box(Vec::<u8>::with_capacity(LEN));
    let watch = watch();
    let kept = std::thread::spawn(|| black_box(Vec::<u8>::with_capacity(LEN)));
    let kept = kept.join().expect("it does not panic");
    let len = i64::try_from(LEN).expect("it is a small number");
    let is_near = |expected: i64| (watch.read() - expected).abs() < len / 2;
    assert!(is_near(len), "{}", watch.read());
    drop(before);
    assert!(is_near(0), "{}", watch.read());
    drop(kept);
    assert!(is_near(-len), "{}", watch.read());
}
