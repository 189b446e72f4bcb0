//! The errors of groups: text, parts, conversions.

use std::error::Error;
use std::io;

use ringloop_task::cancel::{Cancelled, is_cancelled};
use ringloop_task::group::{GroupError, group};
use ringloop_task::task;

use crate::driver::run;

/// Makes the error of a group in which `errors` came up, in this order.
fn error_of<E: 'static>(errors: impl IntoIterator<Item = E>) -> GroupError<E> {
    let result = run(group(async |g| {
        for error in errors {
            g.spawn(async { Err::<(), _>(error) });
        }
        Ok(())
    }));
    result.expect_err("the group has failed")
}

/// Makes the error of a group that was merely cancelled.
fn cancelled() -> GroupError<Cancelled> {
    let result = run(group(async |g| {
        g.cancel("enough");
        task::yield_now().await
    }));
    result.expect_err("the group has failed")
}

#[test]
fn tree_indents_groups_in_groups_and_lines() {
    let inner = error_of(["b", "c\nof two lines"]).to_string();
    let deeper = error_of([error_of(["d"]).to_string()]).to_string();
    let error = error_of(["a".into(), inner, deeper, "e".into()]);
    let expected = "\
4 errors in a group
├─ a
├─ 2 errors in a group
│  ├─ b
│  └─ c
│     of two lines
├─ 1 error in a group
│  └─ 1 error in a group
│     └─ d
└─ e";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn boxed_groups_show_their_tree_and_are_flattened_however_deep() {
    type Boxed = Box<dyn Error + Send + Sync>;
    let inner: GroupError<Boxed> = error_of(["b".into(), "c".into()]);
    let middle: GroupError<Boxed> = error_of([inner.into(), "d".into()]);
    let outer: GroupError<Boxed> = error_of(["a".into(), middle.into(), "e".into()]);
    assert!(outer.to_string().contains("\n│  │  └─ c\n"));
    let texts = |error: &GroupError<Boxed>| {
        let texts = error.errors().iter().map(ToString::to_string);
        texts.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(texts(&outer.flatten()), "a b c d e");
    let local: GroupError<Box<dyn Error>> = error_of(["b".into()]);
    let local: GroupError<Box<dyn Error>> = error_of(["a".into(), local.into()]);
    assert_eq!(local.flatten().errors().len(), 2);
}

#[test]
fn flatten_keeps_the_cancellation_only_if_nothing_failed() {
    let both = error_of([cancelled(), error_of([cancelled().into()])]).flatten();
    assert_eq!((both.errors().len(), both.is_cancelled()), (1, false));
    let none = error_of([cancelled(), cancelled()]).flatten();
    assert!(none.errors().is_empty() && none.is_cancelled());
}

#[test]
fn split_parts_all_ways() {
    for bits in 0_u32..8 {
        let error = error_of([1, 2, 4]);
        let (matching, rest) = error.split(|bit| bits & bit != 0);
        let sum = |part: Option<GroupError<u32>>| {
            part.map(|part| {
                assert!(!part.errors().is_empty() && part.errors().is_sorted());
                part.into_errors().into_iter().sum::<u32>()
            })
        };
        assert_eq!(sum(matching).unwrap_or(0), bits);
        assert_eq!(sum(rest).unwrap_or(0), 7 - bits);
    }
    let (matching, rest) = cancelled().split(|_| true);
    assert!(matching.is_none() && rest.unwrap().is_cancelled());
}

#[test]
fn single_error_comes_out_alone() {
    assert_eq!(error_of([1]).into_single().unwrap(), 1);
    let two = error_of([1, 2]).into_single().unwrap_err();
    assert_eq!(two.errors(), [1, 2]);
    assert!(cancelled().into_single().unwrap_err().is_cancelled());
}

#[test]
fn conversions_keep_what_matters() {
    let single = io::Error::from(error_of([io::Error::from(io::ErrorKind::NotFound)]));
    assert_eq!(single.kind(), io::ErrorKind::NotFound);
    let pair = [io::ErrorKind::NotFound, io::ErrorKind::TimedOut].map(io::Error::from);
    let pair = io::Error::from(error_of(pair));
    assert!(pair.to_string().starts_with("2 errors in a group\n├─ "));
    assert!(pair.get_ref().unwrap().is::<GroupError<io::Error>>());
    let told: GroupError<io::Error> = cancelled().map(io::Error::from);
    assert!(is_cancelled(&io::Error::from(told)));
    assert_eq!(Cancelled::from(cancelled()).reason().text(), "enough");
    let failed = error_of([Cancelled::from(cancelled())]);
    assert_eq!(Cancelled::from(failed).reason().text(), "enough");
}

#[test]
fn group_error_is_an_error_with_the_cancellation_as_its_source() {
    let error = cancelled();
    let source = Error::source(&error).unwrap();
    assert!(source.is::<Cancelled>());
    assert!(Error::source(&error_of(["a"])).is_none());
    let text = format!("{:?} {:?}", error_of(["a"]), cancelled());
    assert!(text.starts_with("GroupError { errors: [\"a\"] } GroupError { cancelled: "));
}

#[test]
fn group_error_goes_to_other_threads_if_its_errors_do() {
    fn is_send_and_sync<T: Send + Sync>(_: &T) {}
    is_send_and_sync(&error_of(["a"]));
    is_send_and_sync(&cancelled());
}
