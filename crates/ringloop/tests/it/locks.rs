//! Locks whose waits belong to tasks, timeouts and scopes.

use std::rc::Rc;
use std::time::Duration;

use ringloop::cancel::Cancelled;
use ringloop::sync::{Condvar, Mutex};
use ringloop::{sleep, spawn, timeout};

use crate::rig::run;

/// A timeout drops what does not heed it, but not a wait that has to lock its mutex again.
#[test]
fn wait_for_a_condition_that_times_out_has_the_mutex_again() {
    run(async {
        let shared = Rc::new((Mutex::new(0), Condvar::new()));
        let other = Rc::clone(&shared);
        let holder = spawn(async move {
            let mut guard = other.0.lock().await?;
            sleep(Duration::from_millis(20)).await?;
            *guard = 7;
            Ok::<(), Cancelled>(())
        });
        let guard = shared.0.lock().await?;
        let seen = timeout(Duration::from_millis(2), async {
            let (guard, outcome) = shared.1.wait(guard).await;
            assert!(outcome.is_err());
            Ok::<_, Cancelled>(*guard)
        })
        .await;
        assert_eq!(seen.unwrap()?, 7, "the other one had to be waited for");
        holder.await.unwrap()
    })
    .unwrap();
}
