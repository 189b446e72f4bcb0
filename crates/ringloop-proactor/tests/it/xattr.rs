use ringloop_proactor::OpError;

use crate::rig::{Scratch, errno, proactor};

#[test]
fn attributes_are_set_and_read() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let scratch = Scratch::new("xattr");
    let path = scratch.file("file", "");
    let file = handle.adopt(std::fs::File::open(&path).unwrap());
    let mut set = |name, value, flags| {
        let set = handle.setxattr(&path, name, value, flags).unwrap();
        proactor.block_on(set).unwrap()
    };
    match set("user.color", "blue", libc::XATTR_CREATE) {
        Err(error) if error.error.raw_os_error() == Some(libc::EOPNOTSUPP) => return,
        result => assert_eq!(result.unwrap(), "blue"),
    }
    assert_eq!(
        errno(set("user.color", "red", libc::XATTR_CREATE)),
        libc::EEXIST
    );
    assert_eq!(
        errno(set("user.other", "x", libc::XATTR_REPLACE)),
        libc::ENODATA
    );
    assert_eq!(errno(set("color", "x", 0)), libc::EOPNOTSUPP);
    assert_eq!(errno(set("", "x", 0)), libc::ERANGE);
    set("user.empty", "", 0).unwrap();
    let set = handle
        .fsetxattr(&file, "user.size", vec![1, 2, 3], 0)
        .unwrap();
    assert_eq!(proactor.block_on(set).unwrap().unwrap(), [1, 2, 3]);
    let set = handle
        .fsetxattr(&file, "user.size", [0], libc::XATTR_CREATE)
        .unwrap();
    assert_eq!(errno(proactor.block_on(set).unwrap()), libc::EEXIST);

    let mut get = |name, capacity| {
        let get = handle.getxattr(&path, name, Vec::with_capacity(capacity));
        let by_path = proactor.block_on(get.unwrap()).unwrap();
        let get = handle.fgetxattr(&file, name, Vec::with_capacity(capacity));
        let by_file = proactor.block_on(get.unwrap()).unwrap();
        match (&by_path, &by_file) {
            (Ok(one), Ok(two)) => assert_eq!(one, two),
            (one, two) => assert_eq!(one.is_err(), two.is_err()),
        }
        by_file
    };
    assert_eq!(get("user.color", 64).unwrap(), (4, b"blue".to_vec()));
    assert_eq!(get("user.color", 4).unwrap(), (4, b"blue".to_vec()));
    assert_eq!(get("user.size", 64).unwrap(), (3, vec![1, 2, 3]));
    assert_eq!(get("user.empty", 64).unwrap(), (0, vec![]));
    assert_eq!(errno(get("user.color", 3)), libc::ERANGE);
    assert_eq!(errno(get("user.missing", 64)), libc::ENODATA);
    // Without room, the length is told and nothing is filled.
    assert_eq!(get("user.color", 0).unwrap(), (4, vec![]));
}

#[test]
fn a_missing_file_has_no_attributes_and_the_buffer_comes_back() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let get = handle.getxattr("/nowhere/at/all", "user.x", Vec::with_capacity(77));
    let OpError { error, buffer, .. } = proactor.block_on(get.unwrap()).unwrap().unwrap_err();
    assert_eq!(
        (error.raw_os_error(), buffer.capacity()),
        (Some(libc::ENOENT), 77)
    );
    let set = handle
        .setxattr("/nowhere/at/all", "user.x", vec![5; 9], 0)
        .unwrap();
    let OpError { error, buffer, .. } = proactor.block_on(set).unwrap().unwrap_err();
    assert_eq!(
        (error.raw_os_error(), buffer),
        (Some(libc::ENOENT), vec![5; 9])
    );
    // Cancelled before they were submitted.
    let get = handle.getxattr("/", "user.x", vec![1, 2]).unwrap();
    assert_eq!(
        proactor.block_on(get.cancel()).unwrap().cancelled(),
        Some(vec![1, 2])
    );
    let set = handle.setxattr("/", "user.x", vec![3, 4], 0).unwrap();
    assert_eq!(
        proactor.block_on(set.cancel()).unwrap().cancelled(),
        Some(vec![3, 4])
    );
}
