use std::cell::{Cell, RefCell};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Config, Handle, Link, OpEvent, Proactor};

use crate::rig::{Count, poll_once, poll_with, proactor, settle};

/// Collects what the observer is told.
fn watch(handle: &Handle) -> Rc<RefCell<Vec<OpEvent>>> {
    let events = Rc::<RefCell<Vec<OpEvent>>>::default();
    let seen = Rc::clone(&events);
    handle.set_observer(Some(Box::new(move |event| seen.borrow_mut().push(*event))));
    events
}

/// Events as text, with short names for the operations in the order in which they appear.
fn story(events: &[OpEvent]) -> Vec<String> {
    let mut ids = Vec::new();
    let mut short = |id| {
        let known = ids.iter().position(|known| *known == id);
        known.unwrap_or_else(|| {
            ids.push(id);
            ids.len() - 1
        })
    };
    let line = |event: &OpEvent| match event {
        OpEvent::Submitted { id, name, fd, .. } => {
            let on = if fd.is_some() { " on a descriptor" } else { "" };
            format!("{} {name}{on}", short(*id))
        }
        OpEvent::Completed {
            id, result, flags, ..
        } => {
            let more = if flags & 2 != 0 { " and more" } else { "" };
            format!("{} = {result}{more}", short(*id))
        }
        _ => panic!("an event of a new kind"),
    };
    events.iter().map(line).collect()
}

#[test]
fn each_operation_is_told_once_in_order() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let events = watch(&handle);
    let (reader, mut writer) = std::io::pipe().unwrap();
    let reader = handle.adopt(reader);
    let mut read = handle.read(&reader, vec![0; 10], u64::MAX);
    assert!(poll_once(&mut read).is_pending());
    proactor.block_on(handle.nop()).unwrap().unwrap();
    assert_eq!(
        story(&events.borrow()),
        ["0 read on a descriptor", "1 nop", "1 = 0"]
    );
    writer.write_all(b"abc").unwrap();
    proactor.block_on(read).unwrap().unwrap();
    assert_eq!(story(&events.borrow())[3..], ["0 = 3"]);
    events.borrow_mut().clear();

    // A chain, and what is never submitted.
    drop(poll_once(&mut handle.nop()));
    let socket = handle.socket(libc::AF_INET, libc::SOCK_STREAM, 0);
    let (socket, nop) = proactor.block_on(socket.then(handle.nop())).unwrap();
    drop((socket.unwrap(), nop.unwrap()));
    let fd = |line: &String| line.replace(|c: char| c.is_ascii_digit(), "");
    let told: Vec<_> = story(&events.borrow()).iter().map(fd).collect();
    assert_eq!(told, [" socket", " nop", " = ", " = "]);
    events.borrow_mut().clear();

    // Services, and many answers to one request.
    let mut ready = handle.poll_multishot(&reader, 1);
    writer.write_all(b"x").unwrap();
    proactor.block_on(ready.next()).unwrap().unwrap().unwrap();
    drop(ready);
    settle(&mut proactor);
    let expected = [
        "0 poll multishot on a descriptor",
        "0 = 1 and more",
        &format!("0 = -{}", libc::ECANCELED),
    ];
    assert_eq!(story(&events.borrow()), expected);
    events.borrow_mut().clear();
    drop(reader);
    settle(&mut proactor);
    assert_eq!(
        story(&events.borrow()),
        ["0 close on a descriptor", "0 = 0"]
    );
}

#[test]
fn a_storm_through_a_small_ring_is_told_completely() {
    let mut proactor = Proactor::new(&Config::default().ring_entries(2)).unwrap();
    let handle = proactor.handle();
    let events = watch(&handle);
    let mut nops: Vec<_> = (0..1000).map(|_| handle.nop()).collect();
    for nop in &mut nops {
        assert!(poll_once(nop).is_pending());
    }
    settle(&mut proactor);
    let mut open = std::collections::BTreeSet::new();
    for event in events.borrow().iter() {
        match event {
            OpEvent::Submitted { id, .. } => assert!(open.insert(*id)),
            OpEvent::Completed { id, .. } => assert!(open.remove(id), "submitted first"),
            _ => panic!("an event of a new kind"),
        }
    }
    assert!(open.is_empty());
    assert_eq!(events.borrow().len(), 2000);
}

#[test]
fn nobody_is_told_before_and_after() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    proactor.block_on(handle.nop()).unwrap().unwrap();
    let events = watch(&handle);
    proactor.park(Some(Duration::ZERO)).unwrap();
    assert_eq!(events.borrow().len(), 0);
    handle.set_observer(None);
    assert_eq!(Rc::strong_count(&events), 1);
    proactor.block_on(handle.nop()).unwrap().unwrap();
    assert_eq!(events.borrow().len(), 0);
}

#[test]
fn the_observer_may_use_the_proactor_and_replace_itself() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let calls = Rc::new(Cell::new(0));
    let (mine, seen) = (handle.clone(), Rc::clone(&calls));
    handle.set_observer(Some(Box::new(move |_| {
        seen.set(seen.get() + 1);
        assert!(mine.stats().turns > 0);
        drop(poll_once(&mut mine.nop()));
        if seen.get() == 2 {
            mine.set_observer(None);
        }
    })));
    for _ in 0..3 {
        proactor.block_on(handle.nop()).unwrap().unwrap();
    }
    assert_eq!(calls.get(), 2);
    settle(&mut proactor);
    assert_eq!(proactor.stats().live, 0);
}

#[test]
fn a_panic_of_the_observer_keeps_nobody_asleep_and_loses_no_event() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let calls = Rc::new(Cell::new(0));
    let seen = Rc::clone(&calls);
    handle.set_observer(Some(Box::new(move |_| {
        seen.set(seen.get() + 1);
        assert_ne!(seen.get(), 2, "as the test wants it");
    })));
    let count = Arc::<Count>::default();
    let mut nops = [handle.nop(), handle.nop()];
    for nop in &mut nops {
        assert!(poll_with(nop, &count).is_pending());
    }
    let parked = catch_unwind(AssertUnwindSafe(|| proactor.park(None)));
    assert!(parked.is_err(), "the panic is heard");
    assert_eq!((calls.get(), count.get()), (2, 2));
    proactor.park(Some(Duration::ZERO)).unwrap();
    assert_eq!(calls.get(), 4);
    assert!(nops.iter_mut().all(|nop| poll_once(nop).is_ready()));
}

#[test]
fn an_observer_that_holds_a_handle_is_freed_with_the_proactor() {
    let proactor = proactor();
    let handle = proactor.handle();
    let mark = Rc::new(());
    let observer = |handle: &Handle, mark: &Rc<()>| {
        let (mine, mark) = (handle.clone(), Rc::clone(mark));
        handle.set_observer(Some(Box::new(move |_| drop((mine.clone(), mark.clone())))));
    };
    observer(&handle, &mark);
    assert_eq!(Rc::strong_count(&mark), 2);
    drop(proactor);
    assert_eq!(Rc::strong_count(&mark), 1);
    observer(&handle, &mark);
    assert_eq!(Rc::strong_count(&mark), 1, "nobody would break the circle");
}
