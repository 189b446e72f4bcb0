//! The runtime of this thread, looked up when a resource is made and never when it is used.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::OnceLock;

use ringloop_offload::{CpuPool, ThreadPool};
use ringloop_proactor::Handle;

/// What resources need of a runtime.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) proactor: Handle,
    /// For work that blocks: elastic.
    pub(crate) blocking: ThreadPool,
    /// For work that computes: as many threads as cores, made when first used.
    pub(crate) cpu: OnceLock<CpuPool>,
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
    let current = CURRENT
        .try_with(|current| current.borrow().clone())
        .ok()
        .flatten();
    current
        .expect("this needs a running ringloop: call it inside ringloop::run or Runtime::block_on")
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
