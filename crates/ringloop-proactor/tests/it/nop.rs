use std::io::ErrorKind;

use ringloop_proactor::Link;

use crate::rig::proactor;

#[test]
fn a_nop_comes_back_with_what_it_was_given() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    for count in [0, 1, i32::MAX] {
        let nop = handle.nop_with_result(count).unwrap();
        let back = proactor.block_on(nop).unwrap().unwrap();
        assert_eq!(back, count.unsigned_abs());
    }
    for errno in [libc::ENOSPC, libc::EAGAIN, libc::ECANCELED] {
        let nop = handle.nop_with_result(-errno).unwrap();
        let error = proactor.block_on(nop).unwrap().unwrap_err();
        assert_eq!(error.raw_os_error(), Some(errno));
    }
    let error = handle.nop_with_result(-libc::EINTR).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_failure_that_was_asked_for_breaks_a_chain() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let fails = handle.nop_with_result(-libc::EIO).unwrap();
    let (first, second) = proactor.block_on(fails.then(handle.nop())).unwrap();
    assert_eq!(first.unwrap_err().raw_os_error(), Some(libc::EIO));
    assert_eq!(second.unwrap_err().raw_os_error(), Some(libc::ECANCELED));
}
