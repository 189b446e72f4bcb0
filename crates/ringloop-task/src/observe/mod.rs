//! Watching a scheduler at work: observers, debug mode, the watchdog.
//!
//! Nothing here costs anything until it is asked for: a scheduler that nobody watches looks once a
//! turn, and once a park, whether it is watched. One that is watched polls its tasks through
//! `Watch`, which tells the [`Observer`]s, takes the time, and feeds the watchdog.
//!
//! What it finds goes as a [`Report`] to the hook of
//! [`SchedulerBuilder::on_report`](crate::SchedulerBuilder::on_report). What *happened* to a task,
//! a panic that nobody read, is no report but [`Unhandled`](crate::Unhandled).

mod debugged;
mod observer;
mod quiet;
mod report;
mod reporter;
mod settings;
mod watch;
mod watchdog;

pub use debugged::{debugged_task, report};
pub use observer::Observer;
pub use report::{Report, TaskInfo};

pub(crate) use reporter::Reporter;
pub(crate) use settings::Settings;
pub(crate) use watch::Watch;
