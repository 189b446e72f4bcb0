use ringloop_proactor::Fd;

use crate::rig::{Scratch, errno, proactor};

#[test]
fn directories_are_made_and_removed() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let scratch = Scratch::new("path-mkdir");
    let at = handle.adopt(scratch.open());
    let mut mkdir = |directory, path: &str| {
        let mkdir = handle.mkdirat(directory, path, 0o750).unwrap();
        proactor.block_on(mkdir).unwrap()
    };
    mkdir(Some(&at), "made").unwrap();
    // An absolute path needs no directory, and ignores the one it is given.
    mkdir(Some(&at), scratch.path("made/below").to_str().unwrap()).unwrap();
    assert!(scratch.path("made/below").is_dir());
    assert_eq!(errno(mkdir(Some(&at), "made")), libc::EEXIST);
    assert_eq!(errno(mkdir(Some(&at), "missing/below")), libc::ENOENT);
    assert_eq!(errno(mkdir(None, "/proc/self/below")), libc::ENOENT);
    let mut unlink = |path, flags| {
        let unlink = handle.unlinkat(Some(&at), path, flags).unwrap();
        proactor.block_on(unlink).unwrap()
    };
    assert_eq!(errno(unlink("made", 0)), libc::EISDIR);
    assert_eq!(errno(unlink("made", libc::AT_REMOVEDIR)), libc::ENOTEMPTY);
    unlink("made/below", libc::AT_REMOVEDIR).unwrap();
    unlink("made", libc::AT_REMOVEDIR).unwrap();
    assert!(!scratch.path("made").exists());
    assert_eq!(errno(unlink("made", 0)), libc::ENOENT);
    scratch.file("file", "");
    assert_eq!(errno(unlink("file", libc::AT_REMOVEDIR)), libc::ENOTDIR);
    unlink("file", 0).unwrap();
    assert!(!scratch.path("file").exists());
    assert_eq!(errno(unlink("x", 1 << 30)), libc::EINVAL);
}

#[test]
fn files_are_renamed_across_directories() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let scratch = Scratch::new("path-rename");
    std::fs::create_dir(scratch.path("here")).unwrap();
    std::fs::create_dir(scratch.path("there")).unwrap();
    let open = |name| handle.adopt(std::fs::File::open(scratch.path(name)).unwrap());
    let (here, there) = (open("here"), open("there"));
    scratch.file("here/one", "1");
    scratch.file("there/two", "2");
    let mut rename = |from, to, flags| {
        let rename = handle.renameat2(Some(&here), from, Some(&there), to, flags);
        proactor.block_on(rename.unwrap()).unwrap()
    };
    assert_eq!(
        errno(rename("one", "two", libc::RENAME_NOREPLACE)),
        libc::EEXIST
    );
    rename("one", "two", libc::RENAME_EXCHANGE).unwrap();
    let read = |name| std::fs::read_to_string(scratch.path(name)).unwrap();
    assert_eq!(
        (read("here/one"), read("there/two")),
        ("2".into(), "1".into())
    );
    rename("one", "two", 0).unwrap();
    assert_eq!(read("there/two"), "2");
    assert_eq!(errno(rename("one", "two", 0)), libc::ENOENT);
    assert_eq!(errno(rename("one", "two", 1 << 30)), libc::EINVAL);
    // The working directory as one of the two.
    let target = scratch.path("plain");
    let rename = handle.renameat2(Some(&there), "two", None, &target, 0);
    proactor.block_on(rename.unwrap()).unwrap().unwrap();
    assert_eq!(read("plain"), "2");
}

#[test]
fn files_get_more_names() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let scratch = Scratch::new("path-link");
    scratch.file("file", "same");
    let at = handle.adopt(scratch.open());
    let at = Some(&at);
    let mut symlink = |target, path| {
        let symlink = handle.symlinkat(target, at, path).unwrap();
        proactor.block_on(symlink).unwrap()
    };
    symlink("file", "soft").unwrap();
    assert_eq!(
        std::fs::read_link(scratch.path("soft")).unwrap().to_str(),
        Some("file")
    );
    assert_eq!(errno(symlink("file", "soft")), libc::EEXIST);
    assert_eq!(errno(symlink("", "empty")), libc::ENOENT);
    let mut link = |from: Option<&Fd>, path, to, flags| {
        let link = handle.linkat(from, path, at, to, flags).unwrap();
        proactor.block_on(link).unwrap()
    };
    link(at, "file", "hard", 0).unwrap();
    std::fs::write(scratch.path("hard"), "both").unwrap();
    assert_eq!(
        std::fs::read_to_string(scratch.path("file")).unwrap(),
        "both"
    );
    assert_eq!(errno(link(at, "file", "hard", 0)), libc::EEXIST);
    assert_eq!(errno(link(at, "missing", "x", 0)), libc::ENOENT);
    // The symbolic link itself, or what it leads to.
    link(at, "soft", "soft2", 0).unwrap();
    assert!(scratch.path("soft2").is_symlink());
    link(at, "soft", "hard2", libc::AT_SYMLINK_FOLLOW).unwrap();
    assert!(!scratch.path("hard2").is_symlink());
    // A file that has no name gets one.
    let flags = libc::O_TMPFILE | libc::O_WRONLY;
    let open = handle.openat(at, ".", flags, 0o600).unwrap();
    let nameless = handle.adopt(proactor.block_on(open).unwrap().unwrap());
    let number = std::os::fd::AsRawFd::as_raw_fd(&nameless.plain().unwrap());
    let link = handle.linkat(
        None,
        format!("/proc/self/fd/{number}"),
        at,
        "named",
        libc::AT_SYMLINK_FOLLOW,
    );
    proactor.block_on(link.unwrap()).unwrap().unwrap();
    assert!(scratch.path("named").is_file());
}
