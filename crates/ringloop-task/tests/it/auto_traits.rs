//! Which types may be sent and shared between threads, and seen after a panic: all public types.
//!
//! Somebody's code rests on each of these. What stands here changes only on purpose.

use std::future::Ready;
use std::marker::{PhantomData, PhantomPinned};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::path::Path;
use std::rc::Rc;

use ringloop_core::ThreadDriver;
use ringloop_task::future::__macros::{Branch, Caught, Failure, First, Outputs, TryJoin};
use ringloop_task::{
    Closed, Remote, RemoteJoin, RemoteTasks, Scheduler, SchedulerBuilder, SchedulerStats,
    ShutdownReport, Turn, Unhandled, UnhandledKind, call, cancel, future, group, local, observe,
    task, testing, time,
};

/// A future that may go anywhere, so that what is not `Send` is so for reasons of its own.
type Plain = Ready<u32>;
type Items = std::ops::Range<u32>;
type Work = fn(u32) -> Plain;

struct Ask<T: ?Sized>(PhantomData<T>);

/// Declares the constants of [`Ask`]: an inherent constant, which is there only if its bound
/// holds, is preferred to the trait's.
macro_rules! ask {
    ($($constant:ident: $bound:ident,)*) => {
        $(
            impl<T: ?Sized + $bound> Ask<T> {
                const $constant: bool = true;
            }
        )*

        trait Otherwise {
            $(const $constant: bool = false;)*
        }

        impl<T: ?Sized> Otherwise for Ask<T> {}
    };
}

ask! {
    SEND: Send,
    SYNC: Sync,
    UNPIN: Unpin,
    UNWIND: UnwindSafe,
    REF_UNWIND: RefUnwindSafe,
}

/// Asks for each type.
macro_rules! traits {
    ($($type:ty),* $(,)?) => {
        [$((
            stringify!($type),
            [
                <Ask<$type>>::SEND,
                <Ask<$type>>::SYNC,
                <Ask<$type>>::UNPIN,
                <Ask<$type>>::UNWIND,
                <Ask<$type>>::REF_UNWIND,
            ],
        )),*]
    };
}

const NAMES: [&str; 5] = ["Send", "Sync", "Unpin", "UnwindSafe", "RefUnwindSafe"];

/// Compares one line per type, `Type: Trait Trait`, with what the compiler says.
fn compare(answers: &[(&str, [bool; 5])], expected: &str) {
    let lines = answers.iter().map(|(name, answers)| {
        let traits = NAMES.iter().zip(answers).filter(|(_, holds)| **holds);
        let traits: Vec<_> = traits.map(|(name, _)| *name).collect();
        format!("{name}: {}", traits.join(" "))
            .trim_end()
            .to_owned()
    });
    let actual: Vec<_> = lines.collect();
    let expected: Vec<_> = expected.trim().lines().map(str::trim).collect();
    assert_eq!(actual, expected, "\n{}\n", actual.join("\n"));
}

#[test]
fn schedulers() {
    compare(
        &traits![
            Scheduler<ThreadDriver>,
            SchedulerBuilder,
            SchedulerStats,
            ShutdownReport,
            Turn,
            Remote,
            RemoteJoin<u32>,
            RemoteJoin<Rc<u32>>,
            RemoteTasks,
            Closed,
            Unhandled,
            UnhandledKind,
            call::CallHandle,
        ],
        "
            Scheduler<ThreadDriver>: Unpin
            SchedulerBuilder: Unpin
            SchedulerStats: Send Sync Unpin UnwindSafe RefUnwindSafe
            ShutdownReport: Send Sync Unpin UnwindSafe RefUnwindSafe
            Turn: Send Sync Unpin UnwindSafe RefUnwindSafe
            Remote: Send Sync Unpin
            RemoteJoin<u32>: Send Sync Unpin UnwindSafe RefUnwindSafe
            RemoteJoin<Rc<u32>>: Unpin UnwindSafe RefUnwindSafe
            RemoteTasks: Send Sync Unpin UnwindSafe RefUnwindSafe
            Closed: Send Sync Unpin UnwindSafe RefUnwindSafe
            Unhandled: Unpin
            UnhandledKind: Send Sync Unpin UnwindSafe RefUnwindSafe
            call::CallHandle: Unpin
        ",
    );
}

#[test]
fn tasks() {
    compare(
        &traits![
            task::JoinHandle<u32>,
            task::Wait<'static>,
            task::TaskId,
            task::TaskRef,
            task::TaskState,
            task::TaskSnapshot,
            task::Builder,
            task::CallbackId,
            task::JoinError,
            task::YieldNow,
            task::Checkpoint,
            task::Budget,
            task::ConsumeBudget,
            local::Context,
            local::TaskLocal<u32>,
            local::AccessError,
            local::Scoped<Plain>,
            local::Traveling,
        ],
        "
            task::JoinHandle<u32>: Unpin
            task::Wait<'static>: Unpin
            task::TaskId: Send Sync Unpin UnwindSafe RefUnwindSafe
            task::TaskRef: Unpin
            task::TaskState: Send Sync Unpin UnwindSafe RefUnwindSafe
            task::TaskSnapshot: Send Sync Unpin UnwindSafe RefUnwindSafe
            task::Builder: Unpin
            task::CallbackId: Send Sync Unpin UnwindSafe RefUnwindSafe
            task::JoinError: Send Sync Unpin UnwindSafe RefUnwindSafe
            task::YieldNow: Unpin
            task::Checkpoint: Unpin
            task::Budget: Unpin UnwindSafe RefUnwindSafe
            task::ConsumeBudget: Unpin
            local::Context: Unpin
            local::TaskLocal<u32>: Send Sync Unpin UnwindSafe RefUnwindSafe
            local::AccessError: Send Sync Unpin UnwindSafe RefUnwindSafe
            local::Scoped<Plain>: Unpin
            local::Traveling: Send Sync Unpin
        ",
    );
}

#[test]
fn cancellation() {
    compare(
        &traits![
            cancel::CancelToken,
            cancel::Signal,
            cancel::WaitCancelled,
            cancel::Run<Plain>,
            cancel::CancelScope,
            cancel::ScopeHandle,
            cancel::ScopeExit<u32>,
            cancel::RunScoped<Plain>,
            cancel::Shield<Plain>,
            cancel::ShieldFor<Plain>,
            cancel::CancelWatch,
            cancel::Cancelled,
            cancel::Reason,
            cancel::ReasonKind,
        ],
        "
            cancel::CancelToken: Send Sync Unpin UnwindSafe RefUnwindSafe
            cancel::Signal: Send Sync Unpin UnwindSafe RefUnwindSafe
            cancel::WaitCancelled: Unpin
            cancel::Run<Plain>: Unpin
            cancel::CancelScope: Unpin
            cancel::ScopeHandle: Unpin
            cancel::ScopeExit<u32>: Send Sync Unpin UnwindSafe RefUnwindSafe
            cancel::RunScoped<Plain>: Unpin
            cancel::Shield<Plain>: Unpin
            cancel::ShieldFor<Plain>: Unpin
            cancel::CancelWatch: Unpin
            cancel::Cancelled: Send Sync Unpin UnwindSafe RefUnwindSafe
            cancel::Reason: Send Sync Unpin UnwindSafe RefUnwindSafe
            cancel::ReasonKind: Send Sync Unpin UnwindSafe RefUnwindSafe
        ",
    );
}

#[test]
fn groups() {
    compare(
        &traits![
            group::TaskGroup<u32>, group::GroupError<u32>, group::GroupError<Rc<u32>>,
            group::Ready<u32>, group::StartError<u32>, group::Rejected<u32>, group::Pool<u32>,
            group::JoinPool, group::Map<Items, Work, u32, u32>,
            group::Next<'static, Items, Work, Plain, u32>,
        ],
        "
            group::TaskGroup<u32>: Unpin
            group::GroupError<u32>: Send Sync Unpin UnwindSafe RefUnwindSafe
            group::GroupError<Rc<u32>>: Unpin UnwindSafe RefUnwindSafe
            group::Ready<u32>: Unpin
            group::StartError<u32>: Send Sync Unpin UnwindSafe RefUnwindSafe
            group::Rejected<u32>: Send Sync Unpin UnwindSafe RefUnwindSafe
            group::Pool<u32>: Unpin
            group::JoinPool: Unpin
            group::Map<Items, Work, u32, u32>: Unpin
            group::Next<'static, Items, Work, Plain, u32>: Unpin
        ",
    );
}

#[test]
fn combinators() {
    compare(
        &traits![
            task::Gather<u32>,
            task::AsCompleted<u32>,
            task::NextCompleted<'static, u32>,
            task::WaitSome<'static, u32>,
            task::When<u32>,
            task::Scope<'static, 'static>,
            task::ScopedJoinHandle<'static, u32>,
            future::Staggered<u32, u32>,
        ],
        "
            task::Gather<u32>: Unpin
            task::AsCompleted<u32>: Unpin
            task::NextCompleted<'static, u32>: Unpin
            task::WaitSome<'static, u32>: Unpin
            task::When<u32>: Send Sync Unpin UnwindSafe RefUnwindSafe
            task::Scope<'static, 'static>: Unpin
            task::ScopedJoinHandle<'static, u32>: Unpin
            future::Staggered<u32, u32>: Send Sync Unpin UnwindSafe RefUnwindSafe
        ",
    );
}

/// What the macros expand to.
#[test]
fn hidden_types() {
    compare(
        &traits![
            First<Plain, u32, u32>,
            Outputs<u32, u32>,
            Branch<Plain, u32, u32>,
            TryJoin<Plain, u32, Work>,
            Failure<u32>,
            Caught<Plain, u32>,
        ],
        "
            First<Plain, u32, u32>: Unpin
            Outputs<u32, u32>: Send Unpin UnwindSafe
            Branch<Plain, u32, u32>: Unpin
            TryJoin<Plain, u32, Work>: Unpin
            Failure<u32>: Send Unpin UnwindSafe
            Caught<Plain, u32>: Unpin
        ",
    );
}

#[test]
fn observers() {
    compare(
        &traits![
            dyn observe::Observer,
            observe::Report,
            observe::TaskInfo,
            task::TaskGraph,
            task::TaskNode,
        ],
        "
            dyn observe::Observer:
            observe::Report: Send Sync Unpin UnwindSafe RefUnwindSafe
            observe::TaskInfo: Send Sync Unpin UnwindSafe RefUnwindSafe
            task::TaskGraph: Send Sync Unpin UnwindSafe RefUnwindSafe
            task::TaskNode: Send Sync Unpin UnwindSafe RefUnwindSafe
        ",
    );
}

#[test]
fn time_and_testing() {
    compare(
        &traits![
            time::Sleep,
            time::Timeout<Plain>,
            time::Timeout<PhantomPinned>,
            time::MoveOn<Plain>,
            time::Elapsed,
            time::Interval,
            time::Tick<'static>,
            time::MissedTicks,
            testing::VirtualDriver,
            testing::VirtualClock,
            testing::Settle,
            testing::Sequencer,
            testing::Step,
            testing::StepWait,
            testing::SequenceError,
        ],
        "
            time::Sleep: Unpin
            time::Timeout<Plain>: Unpin
            time::Timeout<PhantomPinned>:
            time::MoveOn<Plain>: Unpin
            time::Elapsed: Send Sync Unpin UnwindSafe RefUnwindSafe
            time::Interval: Unpin
            time::Tick<'static>: Unpin
            time::MissedTicks: Send Sync Unpin UnwindSafe RefUnwindSafe
            testing::VirtualDriver: Send Sync Unpin UnwindSafe RefUnwindSafe
            testing::VirtualClock: Send Sync Unpin UnwindSafe RefUnwindSafe
            testing::Settle: Unpin
            testing::Sequencer: Unpin
            testing::Step: Unpin
            testing::StepWait: Unpin
            testing::SequenceError: Send Sync Unpin UnwindSafe RefUnwindSafe
        ",
    );
}

/// Each public type stands in this file, or nobody knows what it is.
#[test]
fn no_type_is_left_out() {
    let here = include_str!("auto_traits.rs");
    let mut missing = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = std::fs::read_to_string(path).unwrap();
            missing.extend(
                public_types(&source)
                    .filter(|name| !has_word(here, name))
                    .map(str::to_owned),
            );
        }
    }
    assert!(missing.is_empty(), "add a line for each of {missing:?}");
}

/// The names after `pub struct`, `pub enum` and `pub union`.
fn public_types(source: &str) -> impl Iterator<Item = &str> {
    source.lines().filter_map(|line| {
        let line = line.trim_start().strip_prefix("pub ")?;
        let kinds = ["struct ", "enum ", "union "];
        let rest = kinds.iter().find_map(|kind| line.strip_prefix(kind))?;
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
        Some(&rest[..end.unwrap_or(rest.len())])
    })
}

/// Whether `text` has `word`, not as a part of a longer one.
fn has_word(text: &str, word: &str) -> bool {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(start, _)| {
        !text[..start].ends_with(is_letter) && !text[start + word.len()..].starts_with(is_letter)
    })
}
