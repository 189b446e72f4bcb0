//! What the ends of a job share, for one closure.

use std::sync::{Arc, Mutex};

use ringloop_core::RemoteSetter;

use crate::contain::{catch, drop_quietly, lock};
use crate::error::{OffloadError, Refusal};

use super::tag::Tag;
use super::wish::{Reason, Wish};
use super::{Outcome, Performed, Phase, Work, current};

pub(super) struct Cell<F, T> {
    stage: Mutex<Stage<F, T>>,
    wish: Wish,
    tag: Tag,
}

struct Stage<F, T> {
    load: Option<Load<F, T>>,
    is_running: bool,
}

struct Load<F, T> {
    f: F,
    setter: RemoteSetter<Outcome<T>>,
}

impl<F, T> Cell<F, T> {
    pub(super) fn new(tag: Tag, f: F, setter: RemoteSetter<Outcome<T>>) -> Self {
        Self {
            stage: Mutex::new(Stage {
                load: Some(Load { f, setter }),
                is_running: false,
            }),
            wish: Wish::new(),
            tag,
        }
    }

    /// Takes the load out of a queued job: what follows is up to the caller.
    fn take(&self, is_running: bool) -> Option<Load<F, T>> {
        let mut stage = lock(&self.stage);
        let load = stage.load.take()?;
        stage.is_running = is_running;
        Some(load)
    }
}

impl<F, T> Work for Cell<F, T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    fn run(&self, this: &Arc<dyn Work>) -> Performed {
        let Some(Load { f, setter }) = self.take(true) else {
            return Performed::NotRun;
        };
        let entered = current::enter(this);
        let result = catch(f);
        drop(entered);
        lock(&self.stage).is_running = false;
        self.wish.close();
        let panicked = result.is_err();
        let abandoned = !send(setter, result.map_err(OffloadError::panicked));
        Performed::Ran {
            abandoned,
            panicked,
        }
    }

    fn reject(&self, refusal: Option<Refusal>) -> bool {
        let Some(Load { f, setter }) = self.take(false) else {
            return false;
        };
        let error = match catch(move || drop(f)) {
            Ok(()) => OffloadError::rejected(refusal),
            Err(payload) => OffloadError::panicked(payload),
        };
        let _is_waited_for = send(setter, Err(error));
        true
    }

    fn cancel(&self, reason: Option<Reason>) -> bool {
        let mut stage = lock(&self.stage);
        let load = stage.load.take();
        let is_running = stage.is_running;
        drop(stage);
        let Some(Load { f, setter }) = load else {
            if is_running {
                self.wish.raise(reason);
            }
            return false;
        };
        let _is_waited_for = send(setter, Err(OffloadError::withdrawn(reason)));
        drop(f);
        true
    }

    fn phase(&self) -> Phase {
        let stage = lock(&self.stage);
        match (&stage.load, stage.is_running) {
            (Some(_), _) => Phase::Queued,
            (None, true) => Phase::Running,
            (None, false) => Phase::Ended,
        }
    }

    fn tag(&self) -> &Tag {
        &self.tag
    }

    fn wish(&self) -> &Wish {
        &self.wish
    }
}

/// Sends a result home and returns whether somebody was there to take it. If not, it is dropped
/// here.
fn send<T: Send>(setter: RemoteSetter<Outcome<T>>, outcome: Outcome<T>) -> bool {
    match catch(move || setter.set(outcome)) {
        Ok(Ok(())) => true,
        Ok(Err(unwanted)) => {
            drop_quietly(unwanted);
            false
        }
        // The waker panicked; the result has arrived.
        Err(payload) => {
            drop_quietly(payload);
            true
        }
    }
}
