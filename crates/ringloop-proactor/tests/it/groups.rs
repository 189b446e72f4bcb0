use std::collections::VecDeque;
use std::future::Future;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{BufGroup, BufGroupConfig, Chunk, Config, Fd, Proactor, Receiver};

use crate::buffers::scratch;
use crate::rig::{Count, alone, poll_once, poll_with, proactor, settle};

fn small() -> BufGroupConfig {
    BufGroupConfig::default().count(4).len_bytes(64)
}

/// Provided, lent, spare.
fn counts(group: &BufGroup) -> (u16, u16, u16) {
    let stats = group.stats();
    (stats.provided, stats.lent, stats.spare)
}

fn pair(proactor: &Proactor) -> (Fd, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    (proactor.handle().adopt(near), far)
}

fn recv(proactor: &mut Proactor, fd: &Fd, group: &BufGroup) -> std::io::Result<Chunk> {
    let recv = proactor.handle().recv_provided(fd, group);
    proactor.block_on(recv).unwrap()
}

#[test]
fn a_buffer_is_lent_and_comes_home() {
    let mut proactor = proactor();
    let group = proactor.handle().provide(&small()).unwrap();
    let (near, mut far) = pair(&proactor);
    for _ in 0..20 {
        far.write_all(b"0123456789").unwrap();
        let mut chunk = recv(&mut proactor, &near, &group).unwrap();
        assert_eq!(&chunk[..], b"0123456789");
        assert_eq!(counts(&group), (3, 1, 0));
        let head = chunk.split_to(4);
        let mut rest = chunk.split_to(100);
        assert_eq!(
            (&head[..], &rest[..], &chunk[..]),
            (&b"0123"[..], &b"456789"[..], &b""[..])
        );
        drop(chunk);
        drop(head);
        rest.advance(1);
        rest.truncate(3);
        assert_eq!(&rest[..], b"567");
        assert_eq!(counts(&group), (3, 1, 0));
        drop(rest);
        assert_eq!(counts(&group), (4, 0, 0));
    }
    drop(far);
    assert!(recv(&mut proactor, &near, &group).unwrap().is_empty());
    assert_eq!(counts(&group), (4, 0, 0));
}

#[test]
fn a_chunk_is_sent_on_without_a_copy() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let group = handle.provide(&small()).unwrap();
    let (near, mut far) = pair(&proactor);
    let (out, mut peer) = pair(&proactor);
    far.write_all(b"pass it on").unwrap();
    let chunk = recv(&mut proactor, &near, &group).unwrap();
    let (count, chunk) = proactor
        .block_on(handle.send(&out, chunk))
        .unwrap()
        .unwrap();
    assert_eq!(count, chunk.len());
    drop(chunk);
    let mut text = [0; 10];
    std::io::Read::read_exact(&mut peer, &mut text).unwrap();
    assert_eq!(&text, b"pass it on");
    assert_eq!(counts(&group), (4, 0, 0));
}

#[test]
fn buffers_of_dropped_operations_come_home() {
    for config in [small(), small().incremental()] {
        let mut proactor = proactor();
        let handle = proactor.handle();
        let group = handle.provide(&config).unwrap();
        let (near, mut far) = pair(&proactor);
        // Ten times as often as there are buffers, completed and not taken.
        for _ in 0..40 {
            let mut recv = handle.recv_provided(&near, &group);
            assert!(poll_once(&mut recv).is_pending());
            far.write_all(&[1; 64]).unwrap();
            settle(&mut proactor);
            drop(recv);
        }
        // And with the bytes on their way.
        for _ in 0..40 {
            let mut recv = handle.recv_provided(&near, &group);
            assert!(poll_once(&mut recv).is_pending());
            proactor.park(Some(Duration::ZERO)).unwrap();
            far.write_all(&[1; 64]).unwrap();
            drop(recv);
            settle(&mut proactor);
        }
        assert_eq!(counts(&group), (4, 0, 0), "{config:?}");
        assert_eq!(proactor.stats().live, 0);
    }
}

#[test]
fn buffers_of_dropped_streams_come_home() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let group = handle.provide(&small()).unwrap();
    for round in 0..40 {
        let (near, mut far) = pair(&proactor);
        let mut stream = handle.recv_multishot(&near, &group);
        {
            let mut next = pin!(stream.next());
            assert!(poll_once(&mut next).is_pending());
        }
        for _ in 0..round % 7 {
            proactor.park(Some(Duration::ZERO)).unwrap();
            far.write_all(b"nobody reads this").unwrap();
        }
        drop(stream);
        settle(&mut proactor);
    }
    assert_eq!(counts(&group), (4, 0, 0));
    assert_eq!(proactor.stats().live, 0);
}

/// A waker that puts its number into a queue, once until it is taken out.
struct Turn {
    number: usize,
    queue: Arc<Mutex<VecDeque<usize>>>,
}

impl Wake for Turn {
    fn wake(self: Arc<Self>) {
        let mut queue = self.queue.lock().unwrap();
        if !queue.contains(&self.number) {
            queue.push_back(self.number);
        }
    }
}

#[test]
fn one_buffer_serves_a_hundred_readers() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let config = BufGroupConfig::default().count(1).len_bytes(16);
    let group = handle.provide(&config).unwrap();
    let queue = Arc::new(Mutex::new((0..100).collect::<VecDeque<_>>()));
    let mut readers = Vec::new();
    let mut peers = Vec::new();
    for number in 0..100 {
        let (near, mut far) = pair(&proactor);
        far.write_all(&[7; 48]).unwrap();
        peers.push(far);
        let queue = Arc::clone(&queue);
        let waker = Waker::from(Arc::new(Turn { number, queue }));
        readers.push((handle.recv_multishot(&near, &group), waker, 0));
    }
    let (mut served, mut polls) = (0, 0);
    while served < 100 * 48 {
        loop {
            let next = queue.lock().unwrap().pop_front();
            let Some(number) = next else { break };
            let (stream, waker, count) = &mut readers[number];
            while let Poll::Ready(chunk) = stream.poll_next(&mut Context::from_waker(waker)) {
                let len = chunk.unwrap().unwrap().len();
                *count += len;
                served += len;
            }
            polls += 1;
        }
        // Nobody has all of his while others had nothing.
        let counts = || readers.iter().map(|(_, _, count)| *count);
        let (least, most) = (counts().min().unwrap(), counts().max().unwrap());
        assert!(most - least < 48, "{least} {most}");
        assert!(polls < 200_000, "this is a busy loop");
        if served < 100 * 48 {
            proactor.park(Some(Duration::from_secs(1))).unwrap();
        }
    }
    drop(readers);
    settle(&mut proactor);
    assert_eq!(counts(&group), (1, 0, 0));
}

#[test]
fn an_empty_group_costs_nothing_until_a_buffer_comes_home() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let group = handle.provide(&small().count(1)).unwrap();
    let (near, mut far) = pair(&proactor);
    far.write_all(b"first").unwrap();
    let held = recv(&mut proactor, &near, &group).unwrap();
    let mut stream = handle.recv_multishot(&near, &group);
    let mut next = Box::pin(stream.next());
    let woken = Arc::new(Count::default());
    assert!(poll_with(&mut next, &woken).is_pending());
    far.write_all(b"second").unwrap();
    let before = proactor.stats().submissions;
    for _ in 0..10 {
        proactor.park(Some(Duration::from_millis(1))).unwrap();
        assert!(poll_with(&mut next, &woken).is_pending());
    }
    assert_eq!(proactor.stats().submissions, before);
    assert_eq!(woken.get(), 0);
    drop(held);
    assert_eq!(woken.get(), 1);
    let chunk = proactor.block_on(next).unwrap().unwrap().unwrap();
    assert_eq!(&chunk[..], b"second");
}

#[test]
fn one_buffer_holds_the_bytes_of_many_completions() {
    let mut proactor = proactor();
    let config = BufGroupConfig::default()
        .count(2)
        .len_bytes(100)
        .incremental();
    let group = proactor.handle().provide(&config).unwrap();
    let (near, mut far) = pair(&proactor);
    if !group.is_incremental() {
        // Linux 6.12 and later have it.
        return;
    }
    for round in 0..10 {
        let mut chunks = Vec::new();
        for at in 0..9 {
            far.write_all(&[at; 10]).unwrap();
            let mut chunk = recv(&mut proactor, &near, &group).unwrap();
            chunks.push(chunk.split_to(3));
            chunks.push(chunk);
            assert_eq!(counts(&group), (2, 0, 0), "the kernel has both still");
        }
        if round % 2 == 0 {
            // All given up before the kernel is done with the buffer.
            chunks.clear();
        }
        far.write_all(&[9; 15]).unwrap();
        let end = recv(&mut proactor, &near, &group).unwrap();
        assert_eq!(end[..], [9; 10], "as much as there is room for");
        assert_eq!(counts(&group), (1, 1, 0), "the kernel is done with one");
        let next = recv(&mut proactor, &near, &group).unwrap();
        assert_eq!(next[..], [9; 5]);
        for (at, chunk) in chunks.iter().enumerate() {
            let byte = u8::try_from(at / 2).unwrap();
            assert!(chunk.iter().all(|&got| got == byte));
        }
        drop(end);
        let expected = if chunks.is_empty() { 2 } else { 1 };
        assert_eq!(group.stats().provided, expected);
        drop(chunks);
        assert_eq!(counts(&group), (2, 0, 0));
        // Finish the other one.
        far.write_all(&[0; 95]).unwrap();
        assert_eq!(recv(&mut proactor, &near, &group).unwrap().len(), 95);
        drop(next);
        assert_eq!(counts(&group), (2, 0, 0));
    }
}

#[test]
fn a_group_grows_up_to_its_bound_and_tells_when_it_is_empty() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let group = handle.provide(&small().count(1).count_max(6)).unwrap();
    let (near, mut far) = pair(&proactor);
    let mut held = Vec::new();
    for count in 1..=6 {
        far.write_all(&[count; 64]).unwrap();
        proactor.block_on(group.wait_provided()).unwrap().unwrap();
        held.push(recv(&mut proactor, &near, &group).unwrap());
    }
    assert_eq!(counts(&group), (0, 6, 0));
    assert_eq!(group.stats().grown, 5);
    far.write_all(b"waits in the socket").unwrap();
    let error = recv(&mut proactor, &near, &group).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ENOBUFS));
    // All who wait are told; one who is gone is not.
    let woken: [Arc<Count>; 3] = Default::default();
    let mut waits = woken.each_ref().map(|_| group.wait_provided());
    for (wait, woken) in waits.iter_mut().zip(&woken) {
        assert!(poll_with(wait, woken).is_pending());
        assert!(poll_with(wait, woken).is_pending());
    }
    let [first, gone, third] = waits;
    drop(gone);
    for (count, chunk) in (1..).zip(&held) {
        assert_eq!(chunk[..], [count; 64]);
    }
    held.pop();
    assert_eq!(woken.each_ref().map(|woken| woken.get()), [1, 0, 1]);
    proactor.block_on(first).unwrap().unwrap();
    let chunk = recv(&mut proactor, &near, &group).unwrap();
    assert_eq!(&chunk[..], b"waits in the socket");
    // Taken by the first: the third waits again.
    let mut third = third;
    assert!(poll_with(&mut third, &woken[2]).is_pending());
    drop(chunk);
    assert_eq!(woken[2].get(), 2);
    proactor.block_on(third).unwrap().unwrap();
}

#[test]
fn a_group_shrinks_as_buffers_come_home_and_grows_again() {
    if !alone("groups::a_group_shrinks_as_buffers_come_home_and_grows_again") {
        return;
    }
    fn resident() -> usize {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
    }
    fn take_all(proactor: &mut Proactor, zeros: &Fd, group: &BufGroup) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        for _ in 0..32 {
            proactor.block_on(group.wait_provided()).unwrap().unwrap();
            let read = proactor.handle().read_provided(zeros, group, 0);
            let chunk = proactor.block_on(read).unwrap().unwrap();
            assert_eq!(chunk.len(), LEN);
            chunks.push(chunk);
        }
        chunks
    }
    const LEN: usize = 1 << 20;
    let mut proactor = proactor();
    let handle = proactor.handle();
    let len_bytes = u32::try_from(LEN).unwrap();
    let config = BufGroupConfig::default()
        .count(2)
        .count_max(32)
        .len_bytes(len_bytes);
    let group = handle.provide(&config).unwrap();
    let zeros = scratch(&proactor, &[0; LEN]);
    let before = resident();
    for _ in 0..3 {
        let chunks = take_all(&mut proactor, &zeros, &group);
        let grown = resident();
        assert!(grown > before + 28 * LEN);
        group.shrink_to(2);
        drop(chunks);
        assert_eq!(counts(&group), (2, 0, 30));
        let shrunk = resident();
        assert!(shrunk < before + 16 * LEN, "{before} {grown} {shrunk}");
    }
    // With all of them lent, the first one that comes home is needed.
    let mut chunks = take_all(&mut proactor, &zeros, &group);
    group.shrink_to(0);
    chunks.pop();
    assert_eq!(counts(&group), (1, 31, 0));
    chunks.clear();
    assert_eq!(counts(&group), (1, 0, 31));
}

#[test]
fn pages_that_small_buffers_share_are_given_back_together() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let config = BufGroupConfig::default()
        .count(1)
        .count_max(64)
        .len_bytes(100);
    let group = handle.provide(&config).unwrap();
    let (near, mut far) = pair(&proactor);
    for _ in 0..3 {
        let mut chunks = Vec::new();
        for byte in 0..64 {
            far.write_all(&[byte; 100]).unwrap();
            proactor.block_on(group.wait_provided()).unwrap().unwrap();
            chunks.push(recv(&mut proactor, &near, &group).unwrap());
        }
        group.shrink_to(1);
        while let Some(chunk) = chunks.pop() {
            drop(chunk);
            // What is lent still is untouched.
            for (byte, chunk) in (0..).zip(&chunks) {
                assert_eq!(chunk[..], [byte; 100]);
            }
        }
        assert_eq!(counts(&group), (1, 0, 63));
    }
}

#[test]
fn groups_come_and_go() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, mut far) = pair(&proactor);
    let mut ids = Vec::new();
    for round in 0..300 {
        let group = handle.provide(&small()).unwrap();
        let other = handle.provide(&small().len_bytes(128)).unwrap();
        assert_ne!(group.id(), other.id());
        far.write_all(&[8; 128]).unwrap();
        assert_eq!(recv(&mut proactor, &near, &other).unwrap()[..], [8; 128]);
        ids.extend([group.id(), other.id()]);
        if round == 0 {
            // The streams' own buffers are another group.
            let mut receiver = Receiver::new(near.clone());
            far.write_all(b"stream").unwrap();
            let chunk = proactor.block_on(receiver.read_chunk()).unwrap().unwrap();
            assert_eq!(&chunk[..], b"stream");
            drop(receiver);
            settle(&mut proactor);
        }
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 2, "numbers are used again");
    // A chunk, or an operation in flight, is enough to keep a group.
    let group = handle.provide(&small()).unwrap();
    far.write_all(b"kept").unwrap();
    let chunk = recv(&mut proactor, &near, &group).unwrap();
    let mut waiting = handle.recv_provided(&near, &group);
    assert!(poll_once(&mut waiting).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    let id = group.id();
    drop(group);
    let others: Vec<_> = (0..3).map(|_| handle.provide(&small()).unwrap()).collect();
    assert!(others.iter().all(|other| other.id() != id));
    assert_eq!(&chunk[..], b"kept");
    far.write_all(b"late").unwrap();
    let late = proactor.block_on(waiting).unwrap().unwrap();
    assert_eq!((&chunk[..], &late[..]), (&b"kept"[..], &b"late"[..]));
    drop((chunk, late));
    assert_eq!(handle.provide(&small()).unwrap().id(), id);
}

#[test]
fn leases_and_groups_outlive_their_proactor() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let group = handle.provide(&small().incremental()).unwrap();
    let (near, mut far) = pair(&proactor);
    far.write_all(b"kept").unwrap();
    let mut chunk = recv(&mut proactor, &near, &group).unwrap();
    let mut stream = handle.recv_multishot(&near, &group);
    let mut lost = Box::pin(stream.next());
    assert!(poll_once(&mut lost).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    far.write_all(b"arrived").unwrap();
    drop(proactor);
    let head = chunk.split_to(2);
    drop(handle);
    assert_eq!((&head[..], &chunk[..]), (&b"ke"[..], &b"pt"[..]));
    drop(lost);
    drop(stream);
    drop(head);
    drop(group);
    drop(near);
    assert_eq!(&chunk[..], b"pt");
}

#[test]
fn who_waits_for_a_buffer_is_told_of_the_shutdown() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let group = handle.provide(&small().count(1)).unwrap();
    let (near, mut far) = pair(&proactor);
    far.write_all(b"kept").unwrap();
    let chunk = recv(&mut proactor, &near, &group).unwrap();
    let woken = Arc::new(Count::default());
    let mut wait = group.wait_provided();
    assert!(poll_with(&mut wait, &woken).is_pending());
    let mut stream = handle.recv_multishot(&near, &group);
    let mut next = Box::pin(stream.next());
    assert!(poll_with(&mut next, &woken).is_pending());
    drop(proactor);
    assert_eq!(woken.get(), 2);
    assert!(matches!(poll_once(&mut wait), Poll::Ready(Err(_))));
    assert!(matches!(poll_once(&mut next), Poll::Ready(Some(Err(_)))));
    assert!(handle.provide(&small()).is_err());
    assert_eq!(&chunk[..], b"kept");
}

#[test]
fn a_bundle_spans_buffers_in_order() {
    for config in [small(), small().incremental()] {
        let mut proactor = proactor();
        let handle = proactor.handle();
        let group = handle.provide(&config.count(8)).unwrap();
        let (near, mut far) = pair(&proactor);
        let mut sent = 0_u8;
        // The numbers of the buffers are out of order after a while.
        let mut held = Vec::new();
        for len in [200, 64, 1, 130, 63, 200, 200, 10, 200] {
            let bytes: Vec<u8> = (0..len)
                .map(|_| {
                    sent = sent.wrapping_add(1);
                    sent
                })
                .collect();
            far.write_all(&bytes).unwrap();
            let mut got = Vec::new();
            while got.len() < bytes.len() {
                let bundle = proactor
                    .block_on(handle.recv_bundle(&near, &group))
                    .unwrap();
                for chunk in bundle.unwrap() {
                    got.extend_from_slice(&chunk);
                    held.push(chunk);
                }
                held.reverse();
                held.truncate(2);
            }
            assert_eq!(got, bytes);
        }
        // Completed and never taken.
        far.write_all(&[1; 300]).unwrap();
        let mut bundle = handle.recv_bundle(&near, &group);
        assert!(poll_once(&mut bundle).is_pending());
        settle(&mut proactor);
        drop(bundle);
        drop(held);
        assert_eq!(counts(&group), (8, 0, 0));
    }
}

#[test]
fn chunks_of_streams_can_be_split_too() {
    // With no shared buffer, the stream has one of its own.
    let config = Config::default().buffer_count(1);
    let mut proactor = Proactor::new(&config).unwrap();
    let (near, mut far) = pair(&proactor);
    let (other, mut peer) = pair(&proactor);
    let mut receivers = [Receiver::new(near), Receiver::new(other)];
    far.write_all(b"from the pool").unwrap();
    peer.write_all(b"of its own").unwrap();
    let mut chunks = Vec::new();
    for receiver in &mut receivers {
        chunks.push(proactor.block_on(receiver.read_chunk()).unwrap().unwrap());
    }
    for (chunk, expected) in chunks.iter_mut().zip(["from the pool", "of its own"]) {
        let head = chunk.split_to(2);
        let more = chunk.split_to(3);
        let mut all = [&head[..], &more, chunk].concat();
        assert_eq!(all, expected.as_bytes());
        drop(head);
        all.clear();
        chunk.truncate(1);
        chunk.advance(5);
        assert!(chunk.is_empty());
        assert!(chunk.split_to(1).is_empty());
    }
    drop(chunks);
    far.write_all(b"again").unwrap();
    let chunk = proactor
        .block_on(receivers[0].read_chunk())
        .unwrap()
        .unwrap();
    assert_eq!(&chunk[..], b"again");
    assert!(Chunk::default().split_to(3).is_empty());
}

#[test]
fn numbers_and_lengths_are_kept_in_bounds() {
    let proactor = proactor();
    let config = BufGroupConfig::default().count(u16::MAX).len_bytes(100);
    let group = proactor.handle().provide(&config).unwrap();
    assert_eq!(counts(&group), (1 << 15, 0, 0));
    let one = BufGroupConfig::default().count(0).len_bytes(0);
    let group = proactor.handle().provide(&one).unwrap();
    assert_eq!(counts(&group), (1, 0, 0));
    assert_eq!(group.stats().len_bytes, 1);
    // More than the kernel has numbers for is not reached, but many are fine.
    let many: Vec<_> = (0..100)
        .map(|_| proactor.handle().provide(&small()).unwrap())
        .collect();
    assert_eq!(many.len(), 100);
}

/// Where the compiler checks that a wait can be stored.
#[expect(dead_code, reason = "it is only compiled")]
fn is_unpin(wait: ringloop_proactor::WaitProvided) -> impl Future + Unpin {
    wait
}
