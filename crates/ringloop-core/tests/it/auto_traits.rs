//! Which types may be sent and shared between threads, and seen after a panic: all public types.
//!
//! Somebody's code rests on each of these. What stands here changes only on purpose.

use std::cell::Cell;
use std::future::Ready;
use std::marker::{PhantomData, PhantomPinned};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::path::Path;
use std::rc::Rc;

use ringloop_core::future::__macros::Map;
use ringloop_core::future::{Either, Join, Race};
use ringloop_core::panics::Panics;
use ringloop_core::{
    Abandoned, AtomicWaker, CallbackKey, Driver, Postbox, RemotePostbox, RemoteSetter, Setter,
    SharedPostbox, SharedRemotePostbox, ThreadDriver, Unpark, Unparker, WaitKey, WaitList,
};

/// What may be shared by reference on one thread only.
type Local = Cell<u32>;

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
fn types_that_depend_on_nothing() {
    compare(
        &traits![
            Abandoned,
            AtomicWaker,
            CallbackKey,
            Panics,
            ThreadDriver,
            Unparker,
            WaitKey,
            WaitList,
            dyn Driver,
            dyn Unpark,
        ],
        "
            Abandoned: Send Sync Unpin UnwindSafe RefUnwindSafe
            AtomicWaker: Send Sync Unpin UnwindSafe RefUnwindSafe
            CallbackKey: Send Sync Unpin UnwindSafe RefUnwindSafe
            Panics: Send Unpin
            ThreadDriver: Send Sync Unpin UnwindSafe RefUnwindSafe
            Unparker: Send Sync Unpin
            WaitKey: Send Sync Unpin UnwindSafe RefUnwindSafe
            WaitList: Send Unpin UnwindSafe RefUnwindSafe
            dyn Driver:
            dyn Unpark: Send Sync
        ",
    );
}

#[test]
fn postboxes() {
    compare(
        &traits![
            Setter<u32>,
            Postbox<u32>,
            SharedPostbox<u32>,
            RemoteSetter<u32>,
            RemotePostbox<u32>,
            SharedRemotePostbox<u32>,
            RemoteSetter<Local>,
            RemotePostbox<Local>,
            SharedRemotePostbox<Local>,
            RemoteSetter<Rc<u32>>,
            RemotePostbox<Rc<u32>>,
            SharedRemotePostbox<Rc<u32>>,
        ],
        "
            Setter<u32>: Unpin UnwindSafe RefUnwindSafe
            Postbox<u32>: Unpin UnwindSafe RefUnwindSafe
            SharedPostbox<u32>: Unpin UnwindSafe RefUnwindSafe
            RemoteSetter<u32>: Send Sync Unpin UnwindSafe RefUnwindSafe
            RemotePostbox<u32>: Send Sync Unpin UnwindSafe RefUnwindSafe
            SharedRemotePostbox<u32>: Send Sync Unpin UnwindSafe RefUnwindSafe
            RemoteSetter<Local>: Send Sync Unpin UnwindSafe RefUnwindSafe
            RemotePostbox<Local>: Send Sync Unpin UnwindSafe RefUnwindSafe
            SharedRemotePostbox<Local>: Unpin
            RemoteSetter<Rc<u32>>: Unpin UnwindSafe RefUnwindSafe
            RemotePostbox<Rc<u32>>: Unpin UnwindSafe RefUnwindSafe
            SharedRemotePostbox<Rc<u32>>: Unpin UnwindSafe RefUnwindSafe
        ",
    );
}

#[test]
fn combinators_are_what_their_futures_are() {
    compare(
        &traits![
            Either<u32, u32>, Either<u32, Rc<u32>>,
            Race<Ready<u32>, Ready<u32>>, Join<Ready<u32>, Ready<u32>>,
            Race<Ready<u32>, Postbox<u32>>, Join<Postbox<u32>, Ready<u32>>,
            Race<Ready<u32>, PhantomPinned>, Join<Ready<u32>, Ready<Rc<u32>>>,
            Map<Ready<u32>, fn(u32)>, Map<Ready<Rc<u32>>, fn(Rc<u32>)>,
        ],
        "
            Either<u32, u32>: Send Sync Unpin UnwindSafe RefUnwindSafe
            Either<u32, Rc<u32>>: Unpin UnwindSafe RefUnwindSafe
            Race<Ready<u32>, Ready<u32>>: Send Sync Unpin UnwindSafe RefUnwindSafe
            Join<Ready<u32>, Ready<u32>>: Send Sync Unpin UnwindSafe RefUnwindSafe
            Race<Ready<u32>, Postbox<u32>>: Unpin UnwindSafe RefUnwindSafe
            Join<Postbox<u32>, Ready<u32>>: Unpin UnwindSafe RefUnwindSafe
            Race<Ready<u32>, PhantomPinned>: Send Sync UnwindSafe RefUnwindSafe
            Join<Ready<u32>, Ready<Rc<u32>>>: Unpin UnwindSafe RefUnwindSafe
            Map<Ready<u32>, fn(u32)>: Send Sync Unpin UnwindSafe RefUnwindSafe
            Map<Ready<Rc<u32>>, fn(Rc<u32>)>: Unpin UnwindSafe RefUnwindSafe
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
