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
