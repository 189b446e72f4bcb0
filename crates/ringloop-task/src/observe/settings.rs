//! What of all this was asked for.

use std::time::Duration;

use super::observer::{Observer, Observers};
use super::reporter::{self, ReportHook, Reporter};
use super::watch::{Debug, Watch};
use super::watchdog::Watchdog;
use crate::unhandled::{Hook, UnhandledKind};

/// What a builder was told about watching.
#[derive(Default)]
pub(crate) struct Settings {
    observers: Observers,
    on_report: Option<ReportHook>,
    debug: Option<bool>,
    slow_poll: Option<Duration>,
    livelock: Option<u64>,
    watchdog: Option<Duration>,
}

impl Settings {
    pub(crate) fn observe(&mut self, observer: impl Observer + 'static) {
        self.observers.add(Box::new(observer));
    }

    pub(crate) fn report_to(&mut self, hook: ReportHook) {
        self.on_report = Some(hook);
    }

    pub(crate) fn set_debug(&mut self, debug: Option<bool>) {
        self.debug = debug;
    }

    pub(crate) fn set_slow_poll(&mut self, limit: Duration) {
        self.slow_poll = Some(limit);
    }

    pub(crate) fn set_livelock(&mut self, polls: u64) {
        self.livelock = Some(polls);
    }

    pub(crate) fn set_watchdog(&mut self, limit: Duration) {
        self.watchdog = Some(limit);
    }

    /// Returns after which time the watchdog barks, if there will be one.
    pub(crate) fn watchdog_limit(&self) -> Option<Duration> {
        let limit = self
            .watchdog
            .or_else(|| self.is_debug().then_some(WATCHDOG));
        // A limit without an end is how debug mode is told to have no watchdog.
        limit.filter(|&limit| limit < Duration::MAX)
    }

    /// Returns whether debug mode is on: as the program says, or else the environment.
    pub(crate) fn is_debug(&self) -> bool {
        self.debug.unwrap_or_else(|| {
            std::env::var_os("RINGLOOP_DEBUG")
                .is_some_and(|value| !value.is_empty() && value != "0")
        })
    }

    /// Returns what is told of the unhandled if the program has nothing for that.
    pub(crate) fn default_hook(&self) -> Hook {
        if self.is_debug() {
            Box::new(|unhandled| reporter::print(unhandled))
        } else {
            // The one thing that must not go unseen: a thread that goes on by itself.
            Box::new(|unhandled| {
                if matches!(
                    unhandled.kind(),
                    UnhandledKind::LeftRunning | UnhandledKind::Exhausted
                ) {
                    reporter::print(unhandled);
                }
            })
        }
    }

    /// Makes the way to the hook, and what watches the tasks, if something does.
    pub(crate) fn build(self) -> (Reporter, Option<Box<Watch>>) {
        let is_debug = self.is_debug();
        let watchdog = self.watchdog.or(is_debug.then_some(WATCHDOG));
        let hook = self.on_report.or_else(|| {
            (is_debug || watchdog.is_some())
                .then(|| -> ReportHook { Box::new(|report| reporter::print(report)) })
        });
        let reporter = Reporter::new(hook);
        let debug = is_debug.then(|| {
            Debug::new(
                self.slow_poll.unwrap_or(SLOW_POLL),
                self.livelock.unwrap_or(LIVELOCK),
            )
        });
        // A limit without an end is how debug mode is told to have no watchdog.
        let watchdog = watchdog
            .filter(|&limit| limit < Duration::MAX)
            .and_then(|limit| Watchdog::start(limit, &reporter));
        let is_watched = !self.observers.is_empty() || debug.is_some() || watchdog.is_some();
        let watch = is_watched.then(|| Box::new(Watch::new(self.observers, debug, watchdog)));
        (reporter, watch)
    }
}

/// asyncio's `slow_callback_duration`.
const SLOW_POLL: Duration = Duration::from_millis(100);

const WATCHDOG: Duration = Duration::from_secs(1);

const LIVELOCK: u64 = 1_000_000;
