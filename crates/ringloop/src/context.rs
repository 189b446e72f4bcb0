//! The runtime of this thread, looked up when a resource is made and never when it is used.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use ringloop_proactor::Handle;

use crate::offload::{Link, Pools};

/// What resources need of a runtime.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) proactor: Handle,
    pub(crate) pools: Arc<Pools>,
    /// What offloaded work shares with the runtime.
    pub(crate) link: Arc<Link>,
}

thread_local! {
    static CURRENT: RefCell<Option<Rc<Context>>> = const { RefCell::new(None) };
}

/// The context of the runtime that runs on this thread.
///
/// # Panics
///
/// Outside of a runtime: that is a mistake of the caller, as the public functions document.
#[track_caller]
pub(crate) fn current() -> Rc<Context> {
    match find() {
        Some(context) => context,
        None => no_runtime(),
    }
}

#[cold]
#[track_caller]
pub(crate) fn no_runtime() -> ! {
    panic!("this needs a running ringloop: call it inside ringloop::run or Runtime::block_on")
}

/// The same, if there is one.
pub(crate) fn find() -> Option<Rc<Context>> {
    look(Rc::clone)
}

/// Looks at the context, if there is one.
pub(crate) fn look<T>(look: impl FnOnce(&Rc<Context>) -> T) -> Option<T> {
    let found = CURRENT.try_with(|current| current.borrow().as_ref().map(look));
    found.ok().flatten()
}

/// Makes `context` the current one until the guard is dropped.
pub(crate) fn enter(context: &Rc<Context>) -> Entered {
    let outer = CURRENT.with_borrow_mut(|current| current.replace(Rc::clone(context)));
    Entered { outer }
}

#[derive(Debug)]
pub(crate) struct Entered {
    outer: Option<Rc<Context>>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let outer = self.outer.take();
        let left = CURRENT.try_with(|current| std::mem::replace(&mut *current.borrow_mut(), outer));
        drop(left);
    }
}
