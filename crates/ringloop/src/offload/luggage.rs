//! What a job takes along from the loop.
//!
//! The values of traveling task locals, and the way back. Where no value is set it costs a
//! counted reference, and no allocation.

use std::panic::resume_unwind;
use std::sync::Arc;

use ringloop_core::panics::{catch, drop_quietly};
use ringloop_task::local::Traveling;

use super::link::{self, Link, UnreadPanic};

/// What a job takes along from the loop.
#[derive(Clone)]
pub(super) struct Luggage {
    locals: Traveling,
    /// `None`: it comes from no runtime.
    link: Option<Arc<Link>>,
}

impl Luggage {
    /// Packs what the code that runs has.
    pub(super) fn pack() -> Self {
        Self {
            locals: Traveling::capture(),
            link: Link::here(),
        }
    }

    /// Runs the job's closure with it. A panic goes on with a payload that tells the runtime if
    /// nobody [reads](UnreadPanic::read) it.
    pub(super) fn run<T>(self, f: impl FnOnce() -> T) -> T {
        let Self { mut locals, link } = self;
        let entered = link::enter(link);
        let result = catch(|| locals.run(f));
        let link = entered.leave();
        // The last share of a value may be here, and its drop may panic.
        drop_quietly(locals);
        match (result, link) {
            (Ok(value), _) => value,
            (Err(payload), None) => resume_unwind(payload),
            (Err(payload), Some(link)) => resume_unwind(Box::new(UnreadPanic::new(link, payload))),
        }
    }
}
