use std::panic::panic_any;
use std::sync::Arc;
use std::thread;

use super::*;

/// Panics when dropped, with a payload that does the same, and so on.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic_any(Self);
    }
}

#[test]
fn a_destructor_that_panics_without_end_is_contained() {
    drop_quietly(Bomb);
}

#[test]
fn a_payload_is_caught() {
    let payload = catch(|| panic_any(7)).unwrap_err();
    assert_eq!(payload.downcast_ref::<i32>(), Some(&7));
}

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
