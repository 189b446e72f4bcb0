//! Which types may be sent and shared between threads, and seen after a panic: all public types.
//!
//! Somebody's code rests on each of these. What stands here changes only on purpose. Those of one
//! thread are `Send` as long as nobody has a reference to them, and never `Sync`; what has a
//! reference is neither.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fs;
use std::marker::{PhantomData, PhantomPinned};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::path::Path;
use std::rc::Rc;

use ringloop_sync::{
    AcquireTokenError, AnyExecutor, Barrier, BarrierError, BarrierState, BarrierStatistics,
    BarrierTurn, Borrower, CapacityLimiter, CapacityLimiterStatistics, CapacityToken,
    ChannelStatistics, Condvar, CondvarStatistics, Event, EventStatistics, GetError, Job,
    LifoQueue, Mutex, MutexGuard, MutexStatistics, Notify, NotifyStatistics, OnceCell,
    OnceCellStatistics, OverRelease, OwnedPermit, Permit, PriorityQueue, PutError, Queue,
    QueueStatistics, Receiver, RecvError, RwLock, RwLockReadGuard, RwLockStatistics,
    RwLockWriteGuard, Semaphore, SemaphoreStatistics, SendError, Sender, TryAcquireTokenError,
    TryGetError, TryPutError, TryRecvError, TrySendError, broadcast, deadlock, hosted, shared,
    watch,
};

/// What may be shared by reference on one thread only.
type Local = Cell<u32>;

/// What belongs to one thread.
type Bound = Rc<u32>;

type Any = AnyExecutor;

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

/// Results, numbers and errors go where they like.
#[test]
fn what_is_said_of_deadlocks() {
    compare(
        &traits![deadlock::Blocked, deadlock::Deadlock, deadlock::TaskLabel],
        "
            deadlock::Blocked: Send Sync Unpin UnwindSafe RefUnwindSafe
            deadlock::Deadlock: Send Sync Unpin UnwindSafe RefUnwindSafe
            deadlock::TaskLabel: Send Sync Unpin UnwindSafe RefUnwindSafe
        ",
    );
}

#[test]
fn what_says_how_things_stand() {
    compare(
        &traits![
            AnyExecutor,
            BarrierState,
            BarrierStatistics,
            BarrierTurn,
            BarrierError,
            BarrierError<Bound>,
            Borrower,
            AcquireTokenError,
            AcquireTokenError<Bound>,
            TryAcquireTokenError,
            CapacityLimiterStatistics,
            CondvarStatistics,
            EventStatistics,
            MutexStatistics,
            NotifyStatistics,
            OnceCellStatistics,
            OverRelease,
            RwLockStatistics,
            SemaphoreStatistics,
            broadcast::BroadcastStatistics,
            broadcast::RecvError,
            broadcast::RecvError<Bound>,
            broadcast::SendError<u32>,
            broadcast::SendError<Bound>,
            broadcast::TryRecvError,
            watch::WatchStatistics,
            watch::RecvError,
            watch::RecvError<Bound>,
            watch::SendError<u32>,
            watch::SendError<Bound>,
        ],
        "
            AnyExecutor: Send Sync Unpin UnwindSafe RefUnwindSafe
            BarrierState: Send Sync Unpin UnwindSafe RefUnwindSafe
            BarrierStatistics: Send Sync Unpin UnwindSafe RefUnwindSafe
            BarrierTurn: Send Sync Unpin UnwindSafe RefUnwindSafe
            BarrierError: Send Sync Unpin UnwindSafe RefUnwindSafe
            BarrierError<Bound>: Unpin UnwindSafe RefUnwindSafe
            Borrower: Send Sync Unpin UnwindSafe RefUnwindSafe
            AcquireTokenError: Send Sync Unpin UnwindSafe RefUnwindSafe
            AcquireTokenError<Bound>: Unpin UnwindSafe RefUnwindSafe
            TryAcquireTokenError: Send Sync Unpin UnwindSafe RefUnwindSafe
            CapacityLimiterStatistics: Send Sync Unpin UnwindSafe RefUnwindSafe
            CondvarStatistics: Send Sync Unpin UnwindSafe RefUnwindSafe
            EventStatistics: Send Sync Unpin UnwindSafe RefUnwindSafe
            MutexStatistics: Send Sync Unpin UnwindSafe RefUnwindSafe
            NotifyStatistics: Send Sync Unpin UnwindSafe RefUnwindSafe
            OnceCellStatistics: Send Sync Unpin UnwindSafe RefUnwindSafe
            OverRelease: Send Sync Unpin UnwindSafe RefUnwindSafe
            RwLockStatistics: Send Sync Unpin UnwindSafe RefUnwindSafe
            SemaphoreStatistics: Send Sync Unpin UnwindSafe RefUnwindSafe
            broadcast::BroadcastStatistics: Send Sync Unpin UnwindSafe RefUnwindSafe
            broadcast::RecvError: Send Sync Unpin UnwindSafe RefUnwindSafe
            broadcast::RecvError<Bound>: Unpin UnwindSafe RefUnwindSafe
            broadcast::SendError<u32>: Send Sync Unpin UnwindSafe RefUnwindSafe
            broadcast::SendError<Bound>: Unpin UnwindSafe RefUnwindSafe
            broadcast::TryRecvError: Send Sync Unpin UnwindSafe RefUnwindSafe
            watch::WatchStatistics: Send Sync Unpin UnwindSafe RefUnwindSafe
            watch::RecvError: Send Sync Unpin UnwindSafe RefUnwindSafe
            watch::RecvError<Bound>: Unpin UnwindSafe RefUnwindSafe
            watch::SendError<u32>: Send Sync Unpin UnwindSafe RefUnwindSafe
            watch::SendError<Bound>: Unpin UnwindSafe RefUnwindSafe
        ",
    );
}

#[test]
fn what_has_no_value() {
    compare(
        &traits![
            Barrier,
            hosted::BarrierWait<'static, Any>,
            CapacityLimiter,
            CapacityToken<'static>,
            hosted::AcquireToken<'static, Any>,
            hosted::AcquireTokenFor<'static, Any>,
            Condvar,
            Event,
            hosted::EventWait<'static, Any>,
            Notify,
            hosted::Notified<'static, Any>,
            Semaphore,
            Permit<'static>,
            hosted::Acquire<'static, Any>,
            OwnedPermit,
            hosted::AcquireOwned<Any>,
        ],
        "
            Barrier: Send Unpin UnwindSafe RefUnwindSafe
            hosted::BarrierWait<'static, Any>: Unpin UnwindSafe RefUnwindSafe
            CapacityLimiter: Send Unpin UnwindSafe RefUnwindSafe
            CapacityToken<'static>: Unpin UnwindSafe RefUnwindSafe
            hosted::AcquireToken<'static, Any>: Unpin UnwindSafe RefUnwindSafe
            hosted::AcquireTokenFor<'static, Any>: Unpin UnwindSafe RefUnwindSafe
            Condvar: Send Unpin UnwindSafe RefUnwindSafe
            Event: Send Unpin UnwindSafe RefUnwindSafe
            hosted::EventWait<'static, Any>: Unpin UnwindSafe RefUnwindSafe
            Notify: Send Unpin UnwindSafe RefUnwindSafe
            hosted::Notified<'static, Any>: Unpin UnwindSafe RefUnwindSafe
            Semaphore: Send Unpin UnwindSafe RefUnwindSafe
            Permit<'static>: Unpin UnwindSafe RefUnwindSafe
            hosted::Acquire<'static, Any>: Unpin UnwindSafe RefUnwindSafe
            OwnedPermit: Unpin UnwindSafe RefUnwindSafe
            hosted::AcquireOwned<Any>: Unpin UnwindSafe RefUnwindSafe
        ",
    );
}

#[test]
fn what_has_a_value() {
    compare(
        &traits![
            Mutex<u32>,
            Mutex<Bound>,
            Mutex<PhantomPinned>,
            MutexGuard<'static, u32>,
            hosted::Lock<'static, u32, Any>,
            hosted::CondvarWait<'static, 'static, u32, Any>,
            hosted::CondvarWaitWhile<'static, 'static, u32, fn(&mut u32) -> bool, Any>,
            RwLock<u32>,
            RwLock<Bound>,
            RwLockReadGuard<'static, u32>,
            RwLockWriteGuard<'static, u32>,
            hosted::ReadLock<'static, u32, Any>,
            hosted::WriteLock<'static, u32, Any>,
            OnceCell<u32>,
            OnceCell<Bound>,
            hosted::OnceCellWait<'static, u32, Any>,
        ],
        "
            Mutex<u32>: Send Unpin UnwindSafe
            Mutex<Bound>: Unpin UnwindSafe
            Mutex<PhantomPinned>: Send UnwindSafe
            MutexGuard<'static, u32>: Unpin
            hosted::Lock<'static, u32, Any>: Unpin
            hosted::CondvarWait<'static, 'static, u32, Any>: Unpin
            hosted::CondvarWaitWhile<'static, 'static, u32, fn(&mut u32) -> bool, Any>: Unpin
            RwLock<u32>: Send Unpin UnwindSafe
            RwLock<Bound>: Unpin UnwindSafe
            RwLockReadGuard<'static, u32>: Unpin
            RwLockWriteGuard<'static, u32>: Unpin
            hosted::ReadLock<'static, u32, Any>: Unpin
            hosted::WriteLock<'static, u32, Any>: Unpin
            OnceCell<u32>: Send Unpin UnwindSafe
            OnceCell<Bound>: Unpin UnwindSafe
            hosted::OnceCellWait<'static, u32, Any>: Unpin
        ",
    );
}

/// They are where their items may be.
#[test]
fn what_has_items() {
    type Fifo = VecDeque<u32>;
    compare(
        &traits![
            Queue<u32>,
            Queue<Bound>,
            LifoQueue<u32>,
            PriorityQueue<u32>,
            hosted::Heap<u32>,
            hosted::Heap<Bound>,
            Job<'static, u32>,
            hosted::Put<'static, u32, Any, Fifo>,
            hosted::Get<'static, u32, Any, Fifo>,
            hosted::GetJob<'static, u32, Any, Fifo>,
            hosted::GetNext<'static, u32, Any, Fifo>,
            hosted::GetNextJob<'static, u32, Any, Fifo>,
            hosted::JoinQueue<'static, u32, Any, Fifo>,
            Sender<u32>,
            Receiver<u32>,
            hosted::SendItem<'static, u32, Any>,
            hosted::Recv<'static, u32, Any>,
            hosted::RecvNext<'static, u32, Any>,
        ],
        "
            Queue<u32>: Send Unpin UnwindSafe
            Queue<Bound>: Unpin UnwindSafe
            LifoQueue<u32>: Send Unpin UnwindSafe
            PriorityQueue<u32>: Send Unpin UnwindSafe
            hosted::Heap<u32>: Send Sync Unpin UnwindSafe RefUnwindSafe
            hosted::Heap<Bound>: Unpin UnwindSafe RefUnwindSafe
            Job<'static, u32>: Unpin
            hosted::Put<'static, u32, Any, Fifo>: Unpin
            hosted::Get<'static, u32, Any, Fifo>: Unpin
            hosted::GetJob<'static, u32, Any, Fifo>: Unpin
            hosted::GetNext<'static, u32, Any, Fifo>: Unpin
            hosted::GetNextJob<'static, u32, Any, Fifo>: Unpin
            hosted::JoinQueue<'static, u32, Any, Fifo>: Unpin
            Sender<u32>: Unpin
            Receiver<u32>: Unpin
            hosted::SendItem<'static, u32, Any>: Unpin
            hosted::Recv<'static, u32, Any>: Unpin
            hosted::RecvNext<'static, u32, Any>: Unpin
        ",
    );
}

/// What says how things stand with items, and what is wrong with them.
#[test]
fn what_is_said_of_items() {
    compare(
        &traits![
            ChannelStatistics,
            QueueStatistics,
            PutError<u32>,
            PutError<Bound>,
            TryPutError<u32>,
            TryPutError<Bound>,
            GetError,
            TryGetError,
            SendError<u32>,
            SendError<Bound>,
            TrySendError<u32>,
            TrySendError<Bound>,
            RecvError,
            TryRecvError,
        ],
        "
            ChannelStatistics: Send Sync Unpin UnwindSafe RefUnwindSafe
            QueueStatistics: Send Sync Unpin UnwindSafe RefUnwindSafe
            PutError<u32>: Send Sync Unpin UnwindSafe RefUnwindSafe
            PutError<Bound>: Unpin UnwindSafe RefUnwindSafe
            TryPutError<u32>: Send Sync Unpin UnwindSafe RefUnwindSafe
            TryPutError<Bound>: Unpin UnwindSafe RefUnwindSafe
            GetError: Send Sync Unpin UnwindSafe RefUnwindSafe
            TryGetError: Send Sync Unpin UnwindSafe RefUnwindSafe
            SendError<u32>: Send Sync Unpin UnwindSafe RefUnwindSafe
            SendError<Bound>: Unpin UnwindSafe RefUnwindSafe
            TrySendError<u32>: Send Sync Unpin UnwindSafe RefUnwindSafe
            TrySendError<Bound>: Unpin UnwindSafe RefUnwindSafe
            RecvError: Send Sync Unpin UnwindSafe RefUnwindSafe
            TryRecvError: Send Sync Unpin UnwindSafe RefUnwindSafe
        ",
    );
}

/// The ends share what is between them, on one thread.
#[test]
fn what_has_ends() {
    compare(
        &traits![
            broadcast::Sender<u32>,
            broadcast::Receiver<u32>,
            hosted::broadcast::Recv<'static, u32, Any>,
            hosted::broadcast::Next<'static, u32, Any>,
            watch::Sender<u32>,
            watch::Receiver<u32>,
            watch::Ref<'static, u32>,
            hosted::watch::Changed<'static, u32, Any>,
            hosted::watch::Closed<'static, u32, Any>,
            hosted::watch::WaitFor<'static, u32, Any, fn(&u32) -> bool>,
        ],
        "
            broadcast::Sender<u32>: Unpin
            broadcast::Receiver<u32>: Unpin
            hosted::broadcast::Recv<'static, u32, Any>: Unpin
            hosted::broadcast::Next<'static, u32, Any>: Unpin
            watch::Sender<u32>: Unpin
            watch::Receiver<u32>: Unpin
            watch::Ref<'static, u32>: Unpin
            hosted::watch::Changed<'static, u32, Any>: Unpin
            hosted::watch::Closed<'static, u32, Any>: Unpin
            hosted::watch::WaitFor<'static, u32, Any, fn(&u32) -> bool>: Unpin
        ",
    );
}

#[test]
fn what_is_shared_between_threads() {
    compare(
        &traits![
            shared::Mutex<u32>,
            shared::Mutex<Local>,
            shared::Mutex<Bound>,
            shared::MutexGuard<'static, u32>,
            shared::MutexGuard<'static, Local>,
            shared::MutexGuard<'static, Bound>,
            shared::hosted::Lock<'static, u32, Any>,
            shared::hosted::Lock<'static, Local, Any>,
            shared::hosted::Lock<'static, Bound, Any>,
            shared::Semaphore,
            shared::SemaphoreStatistics,
            shared::Permit<'static>,
            shared::OwnedPermit,
            shared::hosted::Acquire<'static, Any>,
            shared::hosted::AcquireOwned<Any>,
            shared::Event,
            shared::hosted::EventWait<'static, Any>,
        ],
        "
            shared::Mutex<u32>: Send Sync Unpin UnwindSafe
            shared::Mutex<Local>: Send Sync Unpin UnwindSafe
            shared::Mutex<Bound>: Unpin UnwindSafe
            shared::MutexGuard<'static, u32>: Send Sync Unpin
            shared::MutexGuard<'static, Local>: Send Unpin
            shared::MutexGuard<'static, Bound>: Unpin
            shared::hosted::Lock<'static, u32, Any>: Send Sync Unpin
            shared::hosted::Lock<'static, Local, Any>: Send Sync Unpin
            shared::hosted::Lock<'static, Bound, Any>: Unpin
            shared::Semaphore: Send Sync Unpin UnwindSafe RefUnwindSafe
            shared::SemaphoreStatistics: Send Sync Unpin UnwindSafe RefUnwindSafe
            shared::Permit<'static>: Send Sync Unpin UnwindSafe RefUnwindSafe
            shared::OwnedPermit: Send Sync Unpin UnwindSafe RefUnwindSafe
            shared::hosted::Acquire<'static, Any>: Send Sync Unpin UnwindSafe RefUnwindSafe
            shared::hosted::AcquireOwned<Any>: Send Sync Unpin UnwindSafe RefUnwindSafe
            shared::Event: Send Sync Unpin UnwindSafe RefUnwindSafe
            shared::hosted::EventWait<'static, Any>: Send Sync Unpin UnwindSafe RefUnwindSafe
        ",
    );
}

#[test]
fn what_has_ends_between_threads() {
    compare(
        &traits![
            shared::Sender<Local>,
            shared::Sender<Bound>,
            shared::Receiver<Local>,
            shared::Receiver<Bound>,
            shared::hosted::SendItem<'static, Local, Any>,
            shared::hosted::SendItem<'static, Bound, Any>,
            shared::hosted::SendItem<'static, PhantomPinned, Any>,
            shared::hosted::Recv<'static, Local, Any>,
            shared::hosted::Recv<'static, Bound, Any>,
            shared::hosted::RecvNext<'static, Local, Any>,
            shared::SendTimeoutError<u32>,
            shared::RecvTimeoutError,
        ],
        "
            shared::Sender<Local>: Send Sync Unpin UnwindSafe RefUnwindSafe
            shared::Sender<Bound>: Unpin UnwindSafe RefUnwindSafe
            shared::Receiver<Local>: Send Sync Unpin UnwindSafe RefUnwindSafe
            shared::Receiver<Bound>: Unpin UnwindSafe RefUnwindSafe
            shared::hosted::SendItem<'static, Local, Any>: Send Unpin UnwindSafe
            shared::hosted::SendItem<'static, Bound, Any>: Unpin UnwindSafe RefUnwindSafe
            shared::hosted::SendItem<'static, PhantomPinned, Any>: Send Sync Unpin UnwindSafe RefUnwindSafe
            shared::hosted::Recv<'static, Local, Any>: Send Sync Unpin UnwindSafe RefUnwindSafe
            shared::hosted::Recv<'static, Bound, Any>: Unpin UnwindSafe RefUnwindSafe
            shared::hosted::RecvNext<'static, Local, Any>: Send Sync Unpin UnwindSafe RefUnwindSafe
            shared::SendTimeoutError<u32>: Send Sync Unpin UnwindSafe RefUnwindSafe
            shared::RecvTimeoutError: Send Sync Unpin UnwindSafe RefUnwindSafe
        ",
    );
}

/// Each public type stands in this file, or nobody knows what it is; with its module, unless it
/// stands at the root of the crate.
#[test]
fn no_type_is_left_out() {
    let here = include_str!("auto_traits.rs");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = fs::read_to_string(root.join("lib.rs")).unwrap();
    let mut missing = Vec::new();
    let mut folders = vec![(root, None)];
    while let Some((folder, module)) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let is_public = lib.contains(&format!("pub mod {name};"));
            let module = module.clone().or(is_public.then_some(name));
            if path.is_dir() {
                folders.push((path, module));
                continue;
            }
            let source = fs::read_to_string(path).unwrap();
            let paths = |name: &str| match &module {
                None => vec![name.to_owned(), format!("hosted::{name}")],
                Some(module) => ["{}::", "{}::hosted::", "hosted::{}::"]
                    .map(|path| path.replace("{}", module) + name)
                    .to_vec(),
            };
            let names = public_types(&source).map(paths);
            let is_missing = |paths: &Vec<String>| !paths.iter().any(|path| has_path(here, path));
            missing.extend(names.filter(is_missing).map(|paths| paths.join(" or ")));
        }
    }
    assert!(missing.is_empty(), "add a line for each of {missing:#?}");
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

/// Whether `text` has `path`, not as a part of a longer one.
fn has_path(text: &str, path: &str) -> bool {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(path).any(|(start, _)| {
        let (before, after) = (&text[..start], &text[start + path.len()..]);
        !before.ends_with(|c| is_letter(c) || c == ':') && !after.starts_with(is_letter)
    })
}
