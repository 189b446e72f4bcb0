//! Operations of resources, started many times.

use super::Shared;
use crate::op::{Disposition, Service, ServiceKey};

impl Shared {
    pub(crate) fn insert_service<S: Service>(&self, service: S) -> ServiceKey {
        self.queue.borrow_mut().table.insert_service(service)
    }

    /// Starts a service that rests. `false`: the proactor is gone.
    #[inline]
    pub(crate) fn start(&self, key: &ServiceKey) -> bool {
        let mut queue = self.queue.borrow_mut();
        if queue.closing {
            return false;
        }
        if let Some(staged) = queue.table.stage(key) {
            queue.stage(staged);
        }
        true
    }

    /// Asks the kernel to end what a service has under way. It is not started again by itself.
    /// `true`: it was not under way yet, and rests already.
    pub(crate) fn stop(&self, key: &ServiceKey) -> bool {
        let mut queue = self.queue.borrow_mut();
        if queue.table.unstage(key) {
            return true;
        }
        let key = queue.table.service(key);
        if queue.table.ask_cancel(key) {
            queue.stage_cancel(key);
        }
        false
    }

    /// Gives up a service. If it may `finish`, it goes on until it rests, else it is cancelled.
    pub(crate) fn release(&self, key: &ServiceKey, finish: bool) -> Disposition {
        let mut queue = self.queue.borrow_mut();
        let finish = finish && !queue.closing;
        let disposition = queue.table.release(key, finish);
        if let Disposition::Left { ask: Some(key) } = disposition {
            queue.stage_cancel(key);
        }
        disposition
    }
}
