use ringloop_core::future::join;

use ringloop_proactor::{Config, Proactor};

use crate::rig::{poll_once, proactor, settle};

#[test]
fn a_turn_enters_the_kernel_once_at_most() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let before = proactor.stats();
    for _ in 0..100 {
        proactor
            .block_on(async {
                let ((a, b), c) = join(join(handle.nop(), handle.nop()), handle.nop()).await;
                a.and(b).and(c)
            })
            .unwrap()
            .unwrap();
    }
    let after = proactor.stats();
    assert!(after.enters - before.enters <= after.turns - before.turns);
    assert_eq!(after.completions - before.completions, 300);
}

#[test]
fn a_full_submission_queue_and_an_overflowing_completion_queue_lose_nothing() {
    let mut proactor = Proactor::new(&Config::default().ring_entries(1)).unwrap();
    let handle = proactor.handle();
    let mut nops: Vec<_> = (0..10_000).map(|_| handle.nop()).collect();
    for nop in &mut nops {
        assert!(poll_once(nop).is_pending());
    }
    settle_all(&mut proactor, 10_000);
    for nop in &mut nops {
        let std::task::Poll::Ready(result) = poll_once(nop) else {
            panic!("it has completed")
        };
        result.unwrap();
    }
    let stats = proactor.stats();
    assert!(stats.full_queues > 0, "the queue was meant to be full");
    assert_eq!((stats.live, stats.stale_completions), (0, 0));
}

fn settle_all(proactor: &mut Proactor, count: u64) {
    use ringloop_core::Driver;
    for _ in 0..100_000 {
        if proactor.stats().completions >= count {
            return settle(proactor);
        }
        proactor
            .park(Some(std::time::Duration::from_secs(1)))
            .unwrap();
    }
    panic!("completions are missing: {:?}", proactor.stats());
}
