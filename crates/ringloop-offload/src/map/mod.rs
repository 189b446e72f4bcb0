//! One closure over many items, a few at a time.
//!
//! A job per item would cost an allocation, a wake of a worker and a wake of the waiter each. A
//! map has up to `limit` *runners* instead: jobs that take items from a shared input until it is
//! empty. The consumer, who polls the map, pulls items from the iterator into the input, starts
//! runners while there is work for them, and takes the results.
//!
//! ```text
//!   iterator ──pull──▶ input ──▶ runner ──▶ f(item) ──▶ results ──▶ next().await
//!            consumer        ╰─▶ runner ──▶ f(item) ──╯          consumer
//! ```
//!
//! | file | noun |
//! |---|---|
//! | `map` | [`Map`]: the stream of the results, and how it is set up and dropped |
//! | `consumer` | what the consumer does when it polls the map |
//! | `collect` | what is done with all results |
//! | `source` | where the items come from |
//! | `runners` | the jobs that run the items, as the consumer knows them |
//! | `runner` | one of them, on its thread |
//! | `shared` | what the consumer and the runners share |
//! | `results` | results on their way to the consumer, in order or not |
//! | `progress` | [`MapMeter`] and [`MapProgress`]: how far the map has come |
//!
//! # Invariants
//!
//! - I1: a runner retires under the lock under which it has seen that the input is empty. So
//!   whoever puts items in knows how many runners will look at them.
//! - I2: `runners` counts the runners that exist: queued, running, or about to be handed to the
//!   executor. One that is dropped instead of run counts itself out.
//! - I3: the consumer sleeps only while an item is being run, or a runner exists that will take one. When
//!   items are left and no runner, it is awake or woken, and starts one; if none can be started,
//!   the first item gets the error. Each error is the price of one attempt, so there is no endless
//!   loop.
//! - I4: a sleeping consumer is woken at most once: the waker is taken out by whoever finds that
//!   what it waits for has come.
//! - I5: no foreign code runs under the lock. Items, results and wakers leave it first.

#[expect(clippy::module_inception, reason = "the noun of the folder")]
mod map;

mod collect;
mod consumer;

mod runner;
mod runners;
mod source;

mod progress;
mod results;
mod shared;

pub use map::{Map, map_on};
pub use progress::{MapMeter, MapProgress};
