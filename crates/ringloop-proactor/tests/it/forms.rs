//! Bytes that come from outside, or go there, as addresses and ancillary data.
//!
//! The fuzzer (`fuzz/`) compiles this module, too, so it uses nothing of the other tests.

use ringloop_proactor::{Ancillary, SocketAddress};

/// Reads `bytes` in all the ways there are, and panics if something is wrong.
pub(crate) fn run(bytes: &[u8]) {
    address(bytes);
    ancillary(bytes);
}

/// Whatever the bytes are, they stay what they are, and what is understood means the same.
fn address(bytes: &[u8]) {
    let Ok(address) = SocketAddress::from_bytes(bytes) else {
        assert!(!(2..=128).contains(&bytes.len()), "{bytes:?} is refused");
        return;
    };
    assert_eq!(address.as_bytes(), bytes);
    assert!(!format!("{address:?}").is_empty());
    let (ip, unix) = (address.as_ip(), address.as_unix());
    assert!(
        ip.is_none() || unix.is_none(),
        "{address:?} is of two families"
    );
    if let Some(ip) = ip {
        let again = SocketAddress::from(ip);
        assert_eq!(again.as_ip(), Some(ip));
        assert_eq!(again.family(), address.family());
    }
    if let Some(unix) = unix {
        let again = SocketAddress::from(unix.clone());
        let shown = again.as_unix().map(|unix| format!("{unix:?}"));
        assert_eq!(shown, Some(format!("{unix:?}")));
    }
}

/// What is pushed is there, in order.
fn ancillary(bytes: &[u8]) {
    let mut ancillary = Ancillary::new();
    let mut pushed = Vec::new();
    let mut rest = bytes;
    while let Some(([len, level, kind], after)) = rest.split_first_chunk() {
        let (payload, after) = after.split_at(usize::from(*len).min(after.len()));
        rest = after;
        let (level, kind) = (i32::from(*level), i32::from(*kind));
        let is_refused = ancillary.push(level, kind, payload).is_err();
        assert_eq!(
            is_refused,
            (level, kind) == (libc::SOL_SOCKET, libc::SCM_RIGHTS)
        );
        // The descriptor of a process is not shown with the others, either.
        if !is_refused && (level, kind) != (libc::SOL_SOCKET, SCM_PIDFD) {
            pushed.push((level, kind, payload.to_vec()));
        }
    }
    let shown: Vec<_> = ancillary
        .messages()
        .map(|message| (message.level, message.kind, message.payload.to_vec()))
        .collect();
    assert_eq!(shown, pushed);
    assert!(ancillary.take_descriptors().is_ok_and(|fds| fds.is_empty()));
    ancillary.clear();
    assert_eq!(ancillary.messages().count(), 0);
}

#[test]
fn the_kept_bytes_are_read_without_harm() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/forms");
    let files = std::fs::read_dir(corpus).unwrap();
    let count = files
        .map(|file| run(&std::fs::read(file.unwrap().path()).unwrap()))
        .count();
    assert!(count > 0, "there is a corpus");
}

#[test]
fn any_bytes_are_read_without_harm() {
    for len in 0..200_u8 {
        let counting: Vec<u8> = (0..len).collect();
        run(&counting);
        run(&[len; 200]);
    }
    for family in [libc::AF_INET, libc::AF_INET6, libc::AF_UNIX] {
        let family = u16::try_from(family).unwrap().to_ne_bytes();
        for len in 0..127 {
            run(&[&family[..], &vec![b'a'; len]].concat());
            run(&[&family[..], &vec![0; len]].concat());
        }
    }
}

const SCM_PIDFD: i32 = 4;
