//! How often the kernel is entered.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use ringloop_core::{Driver, Unparker};

use crate::rig::{poll_once, proactor, settle};

/// What an executor's waker does when it is woken from anywhere.
struct Bell(Unparker);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[test]
fn a_wake_by_the_turn_itself_does_not_keep_the_next_one_awake() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    settle(&mut proactor);
    let waker = Waker::from(Arc::new(Bell(proactor.unparker())));
    for _ in 0..3 {
        let mut nop = handle.nop();
        assert!(
            Pin::new(&mut nop)
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
        proactor.park(None).unwrap();
        assert!(poll_once(&mut nop).is_ready());
        let before = proactor.stats().enters;
        proactor.park(Some(Duration::from_millis(1))).unwrap();
        assert_eq!(
            proactor.stats().enters - before,
            1,
            "the park did not sleep"
        );
    }
}
