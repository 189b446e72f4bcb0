use std::sync::Arc;
use std::thread;

use super::*;

#[test]
fn a_poisoned_lock_opens() {
    let mutex = Arc::new(Mutex::new(1));
    let poisoner = Arc::clone(&mutex);
    let poisoned = thread::spawn(move || {
        let _guard = poisoner.lock().unwrap();
        panic!("with the lock held");
    });
    poisoned.join().unwrap_err();
    assert_eq!(*lock(&mutex), 1);
}
