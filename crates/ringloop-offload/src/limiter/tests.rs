//! Every sequence of steps, against a model; and slots that end in unusual places.

mod sequences;
mod turns;

use std::sync::Mutex;

use crate::executor::Executor;
use crate::job::Job;

/// Keeps jobs until the test runs them, first in, first out.
#[derive(Default)]
pub(super) struct Shelf(Mutex<Vec<Job>>);

impl Shelf {
    fn take(&self) -> Option<Job> {
        let mut jobs = self.0.lock().unwrap();
        (!jobs.is_empty()).then(|| jobs.remove(0))
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl Executor for Shelf {
    fn execute(&self, job: Job) -> Result<(), Job> {
        self.0.lock().unwrap().push(job);
        Ok(())
    }
}
