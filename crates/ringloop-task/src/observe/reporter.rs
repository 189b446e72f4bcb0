//! The way to the hook for reports, from the loop's thread and the watchdog's.

use std::fmt;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::report::Report;

/// The hook of [`SchedulerBuilder::on_report`](crate::SchedulerBuilder::on_report).
pub(super) type ReportHook = Box<dyn Fn(&Report) + Send + Sync>;

/// Tells the hook, if there is one, and counts.
#[derive(Clone)]
pub(crate) struct Reporter {
    shared: Arc<Shared>,
}

struct Shared {
    hook: Option<ReportHook>,
    told: AtomicU64,
}

impl Reporter {
    pub(super) fn new(hook: Option<ReportHook>) -> Self {
        Self {
            shared: Arc::new(Shared {
                hook,
                told: AtomicU64::new(0),
            }),
        }
    }

    /// Tells the hook. No lock or borrow may be held.
    #[cold]
    pub(crate) fn report(&self, report: &Report) {
        // Relaxed: a number for statistics.
        self.shared.told.fetch_add(1, Ordering::Relaxed);
        let Some(hook) = &self.shared.hook else {
            return;
        };
        // A hook that panics must not take the loop along, and there is nobody left to tell.
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| hook(report))) {
            drop(catch_unwind(AssertUnwindSafe(|| drop(payload))));
        }
    }

    /// Returns how many reports there were.
    pub(crate) fn count(&self) -> u64 {
        self.shared.told.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reporter")
            .field("has_hook", &self.shared.hook.is_some())
            .field("count", &self.count())
            .finish()
    }
}

/// What debug mode does without a hook: one line on the standard error. A line that cannot be
/// written is lost.
pub(super) fn print(line: &dyn fmt::Display) {
    let _lost = writeln!(std::io::stderr(), "ringloop: {line}");
}
