use super::Cqe;

fn cqe(res: i32, flags: u32) -> Cqe {
    Cqe {
        user_data: 7,
        res,
        flags,
    }
}

#[test]
fn a_count_is_a_result() {
    assert_eq!(cqe(42, 0).result().unwrap(), 42);
    assert_eq!(cqe(42, 0).errno(), 0);
}

#[test]
fn an_errno_is_kept() {
    let error = cqe(-libc::ECONNRESET, 0).result().unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ECONNRESET));
}

#[test]
fn private_restart_codes_read_as_cancelled() {
    for code in 512..=516 {
        assert_eq!(cqe(-code, 0).errno(), libc::ECANCELED);
    }
    assert_eq!(cqe(-511, 0).errno(), 511);
}

#[test]
fn flags_tell_the_last_completion_and_the_buffer() {
    assert!(cqe(0, 0).is_last());
    assert!(!cqe(0, 2).is_last());
    assert_eq!(cqe(1, 0).buffer_id(), None);
    assert_eq!(cqe(1, 1 | (9 << 16)).buffer_id(), Some(9));
}
