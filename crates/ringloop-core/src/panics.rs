//! Foreign code that may panic, and all the rest that has to happen nevertheless.
//!
//! Wakers, callbacks, closures and destructors belong to others. Whoever calls several of them, or
//! has something to do afterwards, stops a panic where it leaves foreign code and decides here what
//! becomes of it.

use std::any::Any;
use std::fmt;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

/// What a panic carries, as `std::panic::catch_unwind` gives it.
pub type Payload = Box<dyn Any + Send>;

/// Calls `f` and returns the payload if it panics.
///
/// What `f` captured by value is consumed by the call, so that nobody sees it broken.
///
/// # Errors
///
/// The payload of the panic.
///
/// # Examples
///
/// ```
/// use ringloop_core::panics::catch;
///
/// let payload = catch(|| std::panic::panic_any(7)).unwrap_err();
/// assert_eq!(payload.downcast_ref(), Some(&7));
/// ```
pub fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Payload> {
    catch_unwind(AssertUnwindSafe(f))
}

/// Drops a value that nobody wants; a panic of its destructor goes no further than the panic hook.
///
/// The payload of that panic is foreign, too. If its destructor panics as well, what that panic
/// carries is leaked: nothing else is sure to end.
///
/// # Examples
///
/// ```
/// struct Fuse;
///
/// impl Drop for Fuse {
///     fn drop(&mut self) {
///         panic!("a destructor's panic");
///     }
/// }
///
/// ringloop_core::panics::drop_quietly(Fuse);
/// ```
pub fn drop_quietly<V>(value: V) {
    if let Err(payload) = catch(move || drop(value)) {
        let _leaked_if_it_panics = ManuallyDrop::new(catch(move || drop(payload)));
    }
}

/// Runs one piece of foreign code after the other, whatever each does, and then passes on the
/// first panic.
///
/// # Examples
///
/// ```
/// use ringloop_core::panics::{Panics, catch};
///
/// let mut done = 0;
/// let mut panics = Panics::default();
/// panics.catch(|| panic!("the first one"));
/// panics.catch(|| done += 1);
/// assert!(catch(|| panics.resume()).is_err());
/// assert_eq!(done, 1);
/// ```
#[derive(Default)]
#[must_use = "the panics are lost unless they are resumed"]
pub struct Panics {
    first: Option<Payload>,
}

impl Panics {
    /// Runs `code`.
    pub fn catch(&mut self, code: impl FnOnce()) {
        if let Err(payload) = catch(code) {
            match self.first {
                None => self.first = Some(payload),
                Some(_) => drop_quietly(payload),
            }
        }
    }

    /// Goes on with the first panic, if there was one. A thread that panics already goes on with
    /// its own.
    ///
    /// # Panics
    ///
    /// With the payload of the first panic.
    pub fn resume(self) {
        match self.first {
            None => {}
            Some(payload) if thread::panicking() => drop_quietly(payload),
            Some(payload) => resume_unwind(payload),
        }
    }
}

impl fmt::Debug for Panics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Panics")
            .field("is_panic", &self.first.is_some())
            .finish()
    }
}
